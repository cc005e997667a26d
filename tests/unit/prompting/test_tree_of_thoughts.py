"""Trees of thoughts by a model: what it may say, what it costs, and what the trace keeps of them."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
import pytest

from tests.fakes import FakeModelBackend, FakeServices, FakeToolServices, Reply
from tests.unit.prompting.strategies import ask, obedient, steps_of
from workbench.api.answer_state import AnswerState
from workbench.api.protocol import RequestContext
from workbench.base.errors import UserError
from workbench.engine.inference_calls import Score
from workbench.records.messages import Message
from workbench.records.recipes import DecodingPart, PromptingPart, Recipe
from workbench.records.thoughts import ThoughtTree
from workbench.records.trace import StepAction, StepEdit, Trace, TraceStep
from workbench.subjects.answering.answer import answer
from workbench.subjects.answering.request import AnswerRequest
from workbench.techniques.decoding.formats import check_format
from workbench.techniques.prompting.tree_of_thoughts import equation_value, tree_of, value_of_test
from workbench.techniques.prompting.tree_problems import NumbersProblem, TextProblem
from workbench.techniques.prompting.tree_search import Tree
from workbench.techniques.registry import METHODS
from workbench.techniques.tools.services import PythonResult

PUZZLE = "Make 24 from 4 9 10 13."


def grammatical(rng: random.Random) -> Callable[..., Reply]:
    """Lists and single thoughts as the grammar wants them, drawn from its alternatives."""

    def reply(messages: Sequence[Message], decoding: DecodingPart, start: str) -> str:
        if decoding.format == "choice":
            return rng.choice(decoding.grammar.split("\n"))
        if decoding.format != "regex":
            return f"step {rng.randint(1, 9)}"
        lines = re.findall(r"(\d+)\\\. (\(.*?\)|\[.*?\}) ?\\n", decoding.grammar)
        if not lines:
            return re.sub(r"\\(.)", r"\1", rng.choice(decoding.grammar.split("|")))
        said = []
        for number, pattern in lines:
            moves = pattern[1:-1].split("|") if pattern.startswith("(") else [f"thought {rng.randint(1, 9)}"]
            said.append(f"{number}. {re.sub(chr(92) * 2 + '(.)', chr(92) + '1', rng.choice(moves))}\n")
        return "".join(said)

    return reply


def run(
    model: FakeModelBackend,
    question: str = PUZZLE,
    stop_after: int | None = None,
    earlier: tuple[TraceStep, ...] = (),
    edit: StepEdit | None = None,
    **options: Any,
) -> AnswerState:
    """The state of an answer, of its first events only where it was stopped."""
    recipe = Recipe(prompting=PromptingPart(technique="tree-of-thoughts", options=options))
    request = AnswerRequest(recipe=recipe, conversation=(Message("user", question),), earlier=earlier, edit=edit)
    state = AnswerState()
    for number, event in enumerate(answer(request, FakeServices(model), RequestContext())):
        if number == stop_after:
            break
        state.apply(event)
    return state


def drawn(tree: Tree[Any]) -> list[tuple[int, int, str, float | None, bool]]:
    return [(n.id, n.parent, n.thought, n.value if n.id else None, n.expanded) for n in tree.nodes]


def test_the_exact_proposer_and_the_exact_judge_solve_a_puzzle() -> None:
    result = ask(
        "tree-of-thoughts", FakeModelBackend(), question=PUZZLE, problem="numbers", generation="all",
        judge="checker", search="depth-first", max_nodes=200,
    )  # fmt: skip
    assert result.answer.endswith("= 24")
    assert result.sequences[0].thought.count("\n") == 2
    thoughts = steps_of(result, "thought")
    assert thoughts[-1].output == "solved" or any(step.output == "solved" for step in thoughts)
    assert result.usage.new_tokens == 0


def test_a_search_without_a_solution_says_so() -> None:
    options = {"problem": "numbers", "generation": "all", "judge": "verdicts", "max_nodes": 500}
    model = FakeModelBackend(scores=lambda asked: [-1.0, -1.0, -1.0])
    result = ask("tree-of-thoughts", model, question="Make 24 from 1 1 1.", **options)
    value = result.answer.rpartition("=")[2].strip()
    assert value != "24"
    assert any("No way to 24 was found" in note for note in result.notices)


def test_only_possible_steps_can_be_proposed() -> None:
    model = FakeModelBackend(grammatical(random.Random(1)))
    result = ask("tree-of-thoughts", model, question=PUZZLE, problem="numbers", thoughts=4)
    moves = NumbersProblem.of(PUZZLE).moves(NumbersProblem.of(PUZZLE).start)
    grammar = model.decodings[0].grammar
    assert model.decodings[0].format == "regex"
    good = "".join(f"{n + 1}. {move}\n" for n, move in enumerate(moves[:4]))
    assert check_format("regex", grammar, good).text_problem == ""
    for bad in ("1. 4 + 4 = 8\n" * 4, good.replace("1. ", "1) ", 1), good + "5. 4 + 9 = 13\n", "24"):
        assert check_format("regex", grammar, bad).text_problem != ""
    proposed = {step.title for step in steps_of(result, "thought") if step.parent == steps_of(result, "tree")[0].id}
    assert proposed <= set(moves)


@pytest.mark.parametrize("generation", ["proposed", "sampled"])
def test_free_thoughts_lead_to_an_answer(generation: str) -> None:
    def reply(messages: Sequence[Message], decoding: DecodingPart, start: str) -> str:
        asked = messages[-1].content
        if "different possible next steps" in asked:
            return "1. Add both.\n2. Guess it.\n3. Add both\n"
        return "Add them." if "next step, in one line" in asked else "11"

    model = FakeModelBackend(
        reply, scores=lambda asked: (-0.1, -3, -9) if "Add" in asked.messages[-1].content else (-9, -3, -0.1)
    )
    result = ask("tree-of-thoughts", model, generation=generation, depth=2, answer="number")
    assert result.answer == "11"
    assert result.sequences[0].thought.startswith("Add")
    assert all(step.score is not None for step in steps_of(result, "thought"))
    assert len({step.title for step in steps_of(result, "thought") if step.parent == "1"}) == (
        3 if generation == "proposed" else 1
    )  # sampled: this fake model keeps to no grammar, and says the same again


@pytest.mark.parametrize("generation", ["proposed", "sampled"])
def test_a_model_that_repeats_itself_has_to_think_otherwise(generation: str) -> None:
    """As a small model does without chance: the same thought again, unless the grammar forbids it."""
    said = ("Find the price.", "Add both.", "Count them.", "Guess it.", "Look it up.", "Try again.", "Multiply.")

    def reply(messages: Sequence[Message], decoding: DecodingPart, start: str) -> str:
        if decoding.format == "regex" and "[^" in decoding.grammar and r"1\." not in decoding.grammar:
            return next(one for one in said if re.fullmatch(decoding.grammar, f"{one}\n")) + "\n"
        if "different possible next steps" in messages[-1].content:
            return "".join(f"{n}. {said[0]}\n" for n in (1, 2, 3))
        return said[0] if "next step, in one line" in messages[-1].content else "11"

    result = ask("tree-of-thoughts", FakeModelBackend(reply), generation=generation, depth=2, search="breadth-first")
    thoughts = steps_of(result, "thought")
    first = [step.title for step in thoughts if step.parent == steps_of(result, "tree")[0].id]
    assert first == ["Find the price.", "Add both.", "Count them."]
    parents = {step.id: step for step in thoughts}
    for step in thoughts:
        siblings = [one.title for one in thoughts if one.parent == step.parent]
        assert len(siblings) == len(set(siblings)) == 3
        assert step.parent not in parents or parents[step.parent].title != step.title  # nor its parent's thought


def test_a_search_that_dies_out_says_why() -> None:
    def reply(messages: Sequence[Message], decoding: DecodingPart, start: str) -> str:
        return "1. 2 + 2 = 5\n2. 3 + 3 = 7\n3. So: 1 + 1 = 3\n" if decoding.format == "regex" else "11"

    result = ask("tree-of-thoughts", FakeModelBackend(reply), judge="checker", search="depth-first")
    assert [step.output for step in steps_of(result, "thought")] == ["dead end"] * 3
    assert any("the checker gave the thoughts that could follow at most 0.05" in note for note in result.notices)
    right = FakeModelBackend(lambda *given: reply(*given).replace("= 5", "= 4"))
    lively = ask("tree-of-thoughts", right, judge="checker", depth=1)
    assert not any("ended early" in note for note in lively.notices)


def test_a_pattern_checks_thoughts() -> None:
    def reply(messages: Sequence[Message], decoding: DecodingPart, start: str) -> str:
        return "1. maybe ten\n2. 5 + 6\n3. 11 or so\n" if decoding.format == "regex" else "11"

    options = {"judge": "checker", "depth": 1, "pattern": "[0-9 +]+"}
    result = ask("tree-of-thoughts", FakeModelBackend(reply), **options)
    assert {step.title: step.score for step in steps_of(result, "thought")} == {
        "maybe ten": 0.0, "5 + 6": 1.0, "11 or so": 0.0,
    }  # fmt: skip
    assert result.sequences[0].thought == "5 + 6"
    with pytest.raises(UserError, match="regular expression"):
        ask("tree-of-thoughts", FakeModelBackend(reply), **{**options, "pattern": "(("})


def test_a_test_in_the_sandbox_judges_thoughts() -> None:
    def reply(messages: Sequence[Message], decoding: DecodingPart, start: str) -> str:
        return "1. half\n2. right\n3. broken\n" if decoding.format == "regex" else "11"

    seen: list[dict[str, Any]] = []

    def python(code: str, inputs: Mapping[str, Any]) -> PythonResult:
        seen.append(dict(inputs))
        assert code == "judge(thought)"
        results = {"half": PythonResult(value="0.5"), "right": PythonResult(value="True")}
        return results.get(inputs["thought"], PythonResult(error="E\n!"))

    services = FakeServices(FakeModelBackend(reply))
    services.tool_services = FakeToolServices(python=python)
    options = {"judge": "checker", "depth": 1, "test": "judge(thought)"}
    recipe = Recipe(prompting=PromptingPart(technique="tree-of-thoughts", options=options))
    request = AnswerRequest(recipe=recipe, conversation=(Message("user", "How?"),))
    state = AnswerState.of(answer(request, services, RequestContext()))
    scores = {step.title: step.score for step in state.trace().steps if step.kind == "thought"}
    assert scores == {"half": 0.5, "right": 1.0, "broken": 0.0}
    assert seen[0] == {"question": "How?", "thought": "half", "thoughts": ["half"]}
    assert "The test of a thought failed: E !" in state.notices


@pytest.mark.parametrize(
    ("shown", "value"),
    [("True", 1.0), ("False", 0.0), ("", 1.0), ("0.25", 0.25), ("7", 1.0), ("-1", 0.0), ("'x'", 1.0)],
)
def test_a_test_s_last_value_is_a_share(shown: str, value: float) -> None:
    assert value_of_test(shown) == value


def test_a_vote_for_candidate_twelve_is_not_one_for_two() -> None:
    many = "".join(f"{n}. thought number {n}\n" for n in range(1, 13))

    def reply(messages: Sequence[Message], decoding: DecodingPart, start: str) -> str:
        if decoding.format == "choice":
            return "12"
        return many if decoding.format == "regex" and "next steps" in messages[-1].content else "done"

    result = ask("tree-of-thoughts", FakeModelBackend(reply), thoughts=12, judge="votes", depth=1)
    scores = {step.title: step.score for step in steps_of(result, "thought")}
    assert scores["thought number 12"] == 1.0
    assert sum(score == 0.0 for score in scores.values()) == 11
    assert result.sequences[0].thought == "thought number 12"


@pytest.mark.slow
def test_budgets_are_not_exceeded_in_random_trees() -> None:
    rng = random.Random(20)
    ended = set()
    for _ in range(200):
        options: dict[str, Any] = {
            "problem": rng.choice(("text", "numbers")),
            "search": rng.choice(("breadth-first", "depth-first", "beam")),
            "generation": rng.choice(("proposed", "sampled")),
            "judge": rng.choice(("verdicts", "votes", "checker")),
            "thoughts": rng.randint(1, 6),
            "width": rng.randint(1, 4),
            "depth": rng.randint(1, 5),
            "max_nodes": rng.randint(1, 60),
            "max_tokens_total": rng.randint(100, 1200),
        }

        def scores(asked: Score) -> list[float]:
            return [rng.uniform(-3, 0) for _ in asked.continuations]

        model = FakeModelBackend(obedient(grammatical(rng)), scores=scores)
        state = run(model, **options)
        assert state.state == "done", state.error
        trace = state.trace()
        spent = sum(step.usage.new_tokens for step in trace.steps if step.usage is not None)
        assert spent <= options["max_tokens_total"], options
        assert sum(step.kind == "thought" for step in trace.steps) <= options["max_nodes"]
        ended |= {note.split(" was")[0].rpartition(" ")[2] for note in state.notices if "budget" in note}
    assert ended == {"thoughts", "tokens"}


@pytest.mark.parametrize("question", [PUZZLE, "What should I cook tonight?"])
def test_the_stored_steps_draw_the_tree_and_a_stopped_one_goes_on(question: str) -> None:
    numbers = question == PUZZLE
    problem = NumbersProblem.of(question) if numbers else TextProblem(question)
    options: dict[str, Any] = {
        "problem": "numbers" if numbers else "text",
        "thoughts": 3,
        "depth": 3,
        "search": "depth-first",
    }
    rng = random.Random(6)
    scores = lambda asked: [-1.0, -1.0 - len(asked.messages[-1].content) % 3, -3.0]  # noqa: E731

    def fixed() -> FakeModelBackend:
        """The same thoughts for the same prompt."""

        def reply(messages: Sequence[Message], decoding: DecodingPart, start: str) -> Reply:
            return grammatical(random.Random(messages[-1].content))(messages, decoding, start)

        return FakeModelBackend(reply, scores=scores)

    whole = run(fixed(), question, **options)
    complete = tree_of(whole.trace().steps, problem)
    assert len(complete.nodes) > 4
    stored = msgspec.convert(msgspec.to_builtins(whole.trace()), type(whole.trace()))
    assert drawn(tree_of(stored.steps, problem)) == drawn(complete)
    count = 0
    for stop_after in sorted(rng.sample(range(4, 200), 12)):
        stopped = tree_of(run(fixed(), question, stop_after=stop_after, **options).trace(ended=True).steps, problem)
        parts = drawn(stopped)
        known = {(parent, thought): value for _, parent, thought, value, _ in drawn(complete)}
        for _, parent, thought, value, _ in parts[1:]:
            assert (parent, thought) in known
            assert value in (None, known[parent, thought])
        count += 1 < len(parts) < len(complete.nodes)
    assert count


@pytest.mark.parametrize("question", [PUZZLE, "What should I cook tonight?"])
def test_an_answer_goes_on_from_the_tree_of_another(question: str) -> None:
    numbers = question == PUZZLE
    problem = NumbersProblem.of(question) if numbers else TextProblem(question)
    options: dict[str, Any] = {"problem": "numbers" if numbers else "text", "thoughts": 4, "depth": 3, "width": 3}

    def fixed() -> FakeModelBackend:
        def reply(messages: Sequence[Message], decoding: DecodingPart, start: str) -> Reply:
            return grammatical(random.Random(messages[-1].content))(messages, decoding, start)

        return FakeModelBackend(reply, scores=lambda asked: [-1.0, -1.0, -3.0])

    whole = tree_of(run(fixed(), question, **options).trace().steps, problem)
    first = run(fixed(), question, max_nodes=6, **options)
    assert 1 < len(tree_of(first.trace().steps, problem).nodes) < len(whole.nodes)
    second = run(fixed(), question, earlier=first.trace().steps, **options)
    assert second.state == "done", second.error
    resumed = tree_of(second.trace().steps, problem)
    assert {node.key for node in resumed.nodes} == {node.key for node in whole.nodes}
    again = run(fixed(), question, earlier=second.trace().steps, **options)
    assert drawn(tree_of(again.trace().steps, problem)) == drawn(resumed)
    assert again.usage is None or again.usage.new_tokens <= (0 if numbers else 96)


COOK: dict[str, Any] = {"problem": "text", "thoughts": 3, "depth": 3, "width": 2}
DINNER = "What should I cook tonight?"


def cooking() -> FakeModelBackend:
    """The same thoughts for the same prompt."""

    def reply(messages: Sequence[Message], decoding: DecodingPart, start: str) -> Reply:
        return grammatical(random.Random(messages[-1].content))(messages, decoding, start)

    return FakeModelBackend(reply, scores=lambda asked: [-1.0, -1.0, -2.0])


def thoughts(state: AnswerState) -> ThoughtTree:
    tree = ThoughtTree.of(state.trace())
    assert tree is not None
    return tree


def said(tree: ThoughtTree, id: str) -> tuple[str, ...]:
    """The thoughts from the root to one."""
    path = []
    while tree.nodes[id].parent:
        path.append(tree.nodes[id].step.title)
        id = tree.nodes[id].parent
    return tuple(reversed(path))


def changed(action: StepAction, at: str, before: AnswerState, text: str = "", **options: Any) -> AnswerState:
    edit = StepEdit(step=at, action=action, text=text)
    after = run(cooking(), DINNER, earlier=before.trace().steps, edit=edit, **COOK | options)
    assert after.state == "done", after.error
    return after


def test_a_pruned_thought_stays_left_and_the_search_goes_on_without_what_followed() -> None:
    before = run(cooking(), DINNER, **COOK)
    first = thoughts(before).best[1]
    after = thoughts(changed("prune", first, before))
    pruned = next(id for id, node in after.nodes.items() if node.state == "pruned")
    assert said(after, pruned) == said(thoughts(before), first)
    assert after.children[pruned] == ()
    assert pruned not in after.best
    assert len(after.best) == 4
    assert after.nodes[pruned].edit == "prune"
    expanded = {said(after, id) for id, below in after.children.items() if below}
    assert len({path for path in expanded if len(path) == 1}) == 2  # another came into the beam
    again = thoughts(changed("prune", after.best[1], changed("prune", first, before)))
    assert sum(node.state == "pruned" for node in again.nodes.values()) == 2


def test_an_edited_thought_is_judged_and_thought_on_from_and_its_old_descendants_are_gone() -> None:
    before = run(cooking(), DINNER, **COOK)
    old = thoughts(before)
    first = old.best[1]
    state = changed("edit", first, before, "Ask who is  hungry.")
    after = thoughts(state)
    edited = next(id for id, node in after.nodes.items() if node.edit == "edit")
    assert said(after, edited) == ("Ask who is hungry.",)
    assert after.nodes[edited].step.score is not None
    assert edited in after.best
    assert len(after.best) == 4
    assert said(old, first) not in {said(after, id) for id in after.nodes}
    others = {said(old, id) for id in old.nodes if said(old, id)[:1] != said(old, first)}
    assert others <= {said(after, id) for id in after.nodes}
    thought = next(step for step in state.trace().steps if step.kind == "thought" and step.id == edited)
    assert next(step.kind for step in state.trace().steps if step.parent == thought.id) == "edit"


def test_an_expanded_thought_gets_more_thoughts_whatever_it_is_worth() -> None:
    before = run(cooking(), DINNER, **COOK)
    old = thoughts(before)
    left = next(id for id, node in old.nodes.items() if node.depth == 1 and not old.children[id])
    after = thoughts(changed("expand", left, before))
    expanded = next(id for id, node in after.nodes.items() if node.edit == "expand")
    assert said(after, expanded) == said(old, left)
    assert after.children[expanded]
    assert expanded in after.best
    assert {said(old, id) for id in old.nodes} < {said(after, id) for id in after.nodes}
    deepest = thoughts(before).best[-1]
    deeper = thoughts(changed("expand", deepest, before))
    assert len(deeper.best) == 5  # beyond the depth of the options
    root = next(iter(old.nodes))
    more = thoughts(changed("expand", root, before))
    assert len(more.children[next(iter(more.nodes))]) > len(old.children[root])


def test_a_changed_tree_has_a_budget_of_its_own() -> None:
    before = run(cooking(), DINNER, **COOK)
    old = thoughts(before)
    left = next(id for id, node in old.nodes.items() if node.depth == 1 and not old.children[id])
    after = thoughts(changed("expand", left, before, max_nodes=3, max_tokens_total=300))
    assert 0 < len(after.nodes) - len(old.nodes) <= 3


def test_only_possible_changes_are_made() -> None:
    options: dict[str, Any] = {"problem": "numbers", "generation": "all", "judge": "checker", "max_nodes": 40}
    before = run(FakeModelBackend(), **options)
    node = next(step for step in before.trace().steps if step.kind == "thought")

    def error(action: StepAction, step: str, text: str = "") -> str:
        edit = StepEdit(step=step, action=action, text=text)
        return run(FakeModelBackend(), earlier=before.trace().steps, edit=edit, **options).error

    assert "'9 + 9 = 18' is no possible next step here" in error("edit", node.id, "9 + 9 = 18")
    row = METHODS.find("tree-of-thoughts", "technique")
    with pytest.raises(UserError, match="no possible next step"):  # before another answer is begun
        row.load_edit_check()(
            row.decode(options), before.trace().steps, StepEdit(step=node.id, action="edit", text="9 + 9 = 18")
        )
    other = next(s for s in before.trace().steps if s.kind == "thought" and s.title != node.title)
    assert "has this thought already" in error("edit", node.id, other.title)
    assert "cannot be changed by expand" in error("expand", "no such step")
    root = next(step for step in before.trace().steps if step.kind == "tree")
    assert "cannot be changed by prune" in error("prune", root.id)


def test_the_best_path_is_that_of_the_search_in_random_trees() -> None:
    rng = random.Random(9)
    for number in range(25):
        question = PUZZLE if number % 2 else DINNER
        problem = NumbersProblem.of(question) if number % 2 else TextProblem(question)
        options: dict[str, Any] = {
            "problem": "numbers" if number % 2 else "text", "thoughts": rng.randint(1, 4), "width": 2, "cutoff": 0.3,
            "search": rng.choice(["beam", "depth-first"]), "max_nodes": rng.randint(2, 20),
        }  # fmt: skip
        draw = random.Random(number)
        model = FakeModelBackend(
            grammatical(draw), scores=lambda asked, draw=draw: [draw.uniform(-3, 0) for _ in "abc"]
        )  # type: ignore[misc]
        state = run(model, question, **options)
        searched, shown = tree_of(state.trace().steps, problem), thoughts(state)
        assert said(shown, shown.best[-1]) == tuple(n.thought for n in searched.path(searched.best(0.3)))
        for id in list(shown.nodes)[1:3]:
            edit = StepEdit(step=id, action=rng.choice(["expand", "prune"]))
            later = run(model, question, earlier=state.trace().steps, edit=edit, **options)
            searched, shown_later = tree_of(later.trace().steps, problem), thoughts(later)
            assert said(shown_later, shown_later.best[-1]) == tuple(
                n.thought for n in searched.path(searched.best(0.3))
            )
            stored = msgspec.convert(msgspec.to_builtins(later.trace()), Trace)
            assert ThoughtTree.of(stored) == shown_later


def test_other_techniques_do_not_go_on() -> None:
    steps = run(FakeModelBackend(), max_nodes=1, problem="numbers", generation="all", judge="checker").trace().steps
    state = AnswerState.of(
        answer(
            AnswerRequest(recipe=Recipe(), conversation=(Message("user", "?"),), earlier=steps),
            FakeServices(FakeModelBackend()),
            RequestContext(),
        )
    )
    assert "Direct cannot go on from an earlier answer" in state.error


def test_what_is_not_known_of_text_is_refused() -> None:
    with pytest.raises(UserError, match="numbers only"):
        ask("tree-of-thoughts", FakeModelBackend(), generation="all")
    with pytest.raises(UserError, match="numbers to reach"):
        ask("tree-of-thoughts", FakeModelBackend(), problem="numbers", question="Why?")


@pytest.mark.parametrize(
    ("text", "value"), [("So: 3 + 8 = 11", 1.0), ("3 + 8 = 12", 0.0), ("a book costs 8", 0.5), ("2 * (3 = 6", 0.5)]
)
def test_an_equation_is_checked(text: str, value: float) -> None:
    assert equation_value(text) == value
