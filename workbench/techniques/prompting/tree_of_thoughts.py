"""Tree of thoughts: partial solutions are proposed, judged and searched, and dead ends left.

Yao et al. 2023, "Tree of Thoughts: Deliberate Problem Solving with Large Language Models" (arXiv:2305.10601). Other
than in the paper's code a vote names its candidate under a grammar, so that 12 is not read as 2; a state that comes
twice is in the tree once; and values belong to states, not to prompts. Judging by the log-probability of verdicts
needs no generated tokens.

The tree of thoughts in a trace: read back from the steps of an answer, with a person's edit of a thought.

It owns what the kinds of steps ``tree``, ``proposal``, ``thought`` and ``edit`` say of a tree, so that a search goes on
from the one that was searched. How thoughts are made and judged is not known here (``tree_of_thoughts.py``).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from typing import Annotated, Any, Literal

import msgspec

from workbench.api.events import Event
from workbench.base.errors import UserError
from workbench.base.fields import about
from workbench.engine.inference_calls import Generated, Scores
from workbench.records.messages import Message
from workbench.records.recipes import DEFAULT_STRATEGY, DecodingPart
from workbench.records.trace import EDITED, StepAction, StepEdit, TraceStep
from workbench.techniques.budget import Budget, Exhausted
from workbench.techniques.context import AnswerContext, Ask, ScoreAsk, Step
from workbench.techniques.prompting.extraction import (
    RESERVE,
    Extracting,
    Extraction,
    answer_of,
    conclude,
    extraction_of,
    normalised,
)
from workbench.techniques.prompting.least_to_most import listed_lines
from workbench.techniques.prompting.other_lines import line_unlike
from workbench.techniques.prompting.tree_problems import AnyProblem, NumbersProblem, TextProblem, children
from workbench.techniques.prompting.tree_search import BEAM, Node, Plan, SearchKind, Thought, Tree, search
from workbench.techniques.tools.arithmetic import ArithmeticProblem, evaluate, show
from workbench.techniques.tools.results import one_line

VERDICTS = ("sure", "likely", "impossible")
WORTH = (1.0, 0.5, 0.0)

_NEXT = "{question}\n\n{state}Write {count} different possible next steps, one a line. Do not finish."
_ONE = "{question}\n\n{state}Write the next step, in one line."
_CHOOSE = "{question}\n\n{state}Which {count} next steps are the most promising?"
_JUDGE = "{question}\n\n{state}Can this still lead to a right answer? Reply with sure, likely or impossible."
_VOTE = "{question}\n\nWhich of these beginnings is the most promising?\n\n{candidates}\n\nReply with its number."
_SO_FAR = "Steps so far:\n{steps}\n\n"
_OTHERS = "Next steps that were considered, so write others:\n{steps}\n\n"
_STEP = re.compile(r"^\s*step\s+\d+\s*[:.)]\s*", re.IGNORECASE)
_DEAD_ENDS = (
    "The search ended early: {judge} gave the thoughts that could follow at most {cutoff:g} (Dead ends), so none was "
    "continued."
)
_JUDGES = {"verdicts": "the verdicts", "votes": "the votes", "checker": "the checker"}
LONGEST_THOUGHT = 60
DRAWN = 0.7
"""The temperature at which different thoughts are drawn, unless the recipe's is higher."""
MOST_CANDIDATES = 30


class Options(Extracting, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The problem, how thoughts are made and judged, and how the tree is searched."""

    problem: Annotated[
        Literal["text", "numbers"],
        about("Problem"),
        'A text problem is any question. A number problem asks for a number from others, as in "Make 24 from 4 9 10 '
        '13".',
    ] = "text"
    search: Annotated[
        SearchKind,
        about("Search"),
        "The tree is searched level by level, by the most promising branch first, or with a beam of the best of each "
        "level.",
    ] = BEAM
    thoughts: Annotated[int, about("Thoughts per state", ge=1, le=12), "Each state has this number of next steps."] = 3
    generation: Annotated[
        Literal["proposed", "sampled", "all"],
        about("Generation"),
        "The next steps are proposed together in one list, or sampled one by one. With numbers, all that are possible "
        "can be taken.",
    ] = "proposed"
    judge: Annotated[
        Literal["verdicts", "votes", "checker"],
        about("Judge"),
        "A state is judged by the log-probabilities of sure, likely and impossible, by votes among the states, or by "
        "an exact check. The check tells whether numbers can reach the target. Of a text it tells whether it passes "
        "the test, matches the pattern, or ends in a true equation.",
    ] = "verdicts"
    pattern: Annotated[
        str,
        about("Pattern", when="judge=checker"),
        "For the exact check of a text: a good thought as a whole matches this regular expression.",
    ] = ""
    test: Annotated[
        str,
        about("Test", multiline=True, when="judge=checker"),
        "For the exact check of a text, this Python program runs with the variables question, thought and thoughts. "
        "Its last value is True, False, or a number from 0 to 1. An exception counts as False.",
    ] = ""
    votes: Annotated[int, about("Votes", ge=1, le=9, when="judge=votes"), "The model votes this number of times."] = 3
    depth: Annotated[int, about("Depth", ge=1, le=8), "A text problem is answered after this number of thoughts."] = 3
    width: Annotated[
        int, about("Beam width", ge=1, le=12, when="search=beam"), "Beam search keeps this number of states of a level."
    ] = 2
    cutoff: Annotated[float, about("Dead ends", ge=0, lt=1), "A state with this value or a lower one is given up."] = (
        0.05
    )


def run(messages: tuple[Message, ...], options: Options, context: AnswerContext) -> Generator[Event, None, Generated]:
    """Search the tree; its best state is the answer, or leads to it."""
    problem = problem_of(messages[-1].content, options)
    extraction = extraction_of(options, messages, context.decoding)
    budget = Budget(options, context)
    root = context.step("tree", "Tree of thoughts", messages[-1].content)
    yield root.started
    tree = tree_to_search(context.agent.earlier, context.agent.edit, problem)
    grown = Growth(tree, root, messages, problem, options, extraction, budget, context)
    plan = Plan(options.search, problem.depth or options.depth, options.width, options.cutoff)
    yield from grown.retell()
    try:
        best = yield from search(tree, plan, grown.propose, grown.judge, grown.watch)
    except Exhausted as spent:
        best = tree.best(plan.cutoff)
        yield from context.note(budget.describe(spent.what))
    yield root.finished(problem.answer(best.state), score=best.value)
    path = "\n".join(node.thought for node in tree.path(best))
    if isinstance(problem, NumbersProblem):
        if not best.solved:
            yield from context.note(f"No way to {problem.target} was found among {len(tree.nodes) - 1} thoughts.")
        text = problem.answer(best.state)
        return answer_of(text, path, Generated(text=text))
    if best.depth < plan.depth and tree.focus is None and budget.nodes_left:
        yield from context.note(_DEAD_ENDS.format(judge=_JUDGES[options.judge], cutoff=options.cutoff))
    return (yield from conclude(messages, path, extraction, budget, context))


def check_edit(options: Options, earlier: Sequence[TraceStep], edit: StepEdit) -> None:
    """Raises UserError for an edit of a thought that is not possible, such as a step that the numbers do not allow."""
    root = next((step for step in earlier if step.kind == "tree"), None)
    if root is None:
        raise UserError("This answer has no tree of thoughts.", "Choose a thought of an answer that has one.")
    tree_to_search(earlier, edit, problem_of(root.input, options))


def problem_of(question: str, options: Options) -> AnyProblem:
    """The problem of a question. Raises UserError for options that it does not have."""
    if options.problem == "numbers":
        return NumbersProblem.of(question)
    if options.generation == "all":
        raise UserError("All possible thoughts are known of numbers only.", "Set Generation to proposed or sampled.")
    return TextProblem(question)


class Growth:
    """Proposes and judges thoughts by a model. Each is a step of the trace inside its parent's."""

    def __init__(
        self,
        tree: Tree[Any],
        root: Step,
        messages: Sequence[Message],
        problem: AnyProblem,
        options: Options,
        extraction: Extraction,
        budget: Budget,
        context: AnswerContext,
    ) -> None:
        self._tree = tree
        self._earlier, self._question = tuple(messages[:-1]), messages[-1].content
        self._problem, self._options, self._budget, self._context = problem, options, budget, context
        self._free = extraction.reasoning
        self._steps: dict[int, Step] = {0: root}

    # -- what the trace shows ------------------------------------------------------------------------------

    def watch(self, node: Node[Any]) -> Iterator[Event]:
        """A thought's step: it begins when the thought is proposed and ends when it is judged."""
        if node.id not in self._steps:
            inside = self._context.inside(self._steps[node.parent])
            step = self._steps[node.id] = inside.step("thought", node.thought, self._problem.describe(node.state))
            yield step.started
            if node.solved:
                yield step.finished("solved", score=node.value)
        elif not node.solved:
            dead = (node.value or 0.0) <= self._options.cutoff
            yield self._steps[node.id].finished("dead end" if dead else "", score=node.value)

    def retell(self) -> Iterator[Event]:
        """The steps of a tree that was searched before, so that the trace holds all of it."""
        below: dict[int, list[Node[Any]]] = {node.id: [] for node in self._tree.nodes if node.expanded}
        for node in self._tree.nodes[1:]:
            below.setdefault(node.parent, []).append(node)
        for parent, nodes in sorted(
            below.items(), key=lambda pair: pair[1][0].id if pair[1] else len(self._tree.nodes)
        ):
            step = self._context.inside(self._steps[parent]).step("proposal", "Propose")
            yield step.started
            yield step.finished("\n".join(node.thought for node in nodes))
            for node in nodes:
                yield from self.watch(node)
                if node.pruned:
                    yield from self._tell_edit(node, "prune")
                if node.value is not None and not node.solved:
                    yield from self.watch(node)
        if self._tree.focus is not None:
            yield from self._tell_edit(self._tree.focus, "expand" if self._tree.focus.value is not None else "edit")

    def _tell_edit(self, node: Node[Any], action: StepAction) -> Iterator[Event]:
        step = self._context.inside(self._steps[node.id]).step("edit", EDITED[action])
        yield step.started
        yield step.finished(action)

    # -- proposing -----------------------------------------------------------------------------------------

    def propose(self, nodes: Sequence[Node[Any]]) -> Generator[Event, None, list[list[Thought[Any]]]]:
        """The thoughts of each state: of as many states as the budget allows."""
        steps = [self._context.inside(self._steps[node.id]).step("proposal", "Propose") for node in nodes]
        if self._options.generation == "all":
            texts: list[Sequence[str]] = [self._problem.moves(node.state) or () for node in nodes]
        else:
            texts = yield from self._generated(nodes, steps)
        proposals: list[list[Thought[Any]]] = []
        for node, step, proposed in zip(nodes, steps, texts, strict=False):
            thoughts = children(self._problem, node.state, proposed)
            if self._options.generation != "all":
                thoughts = thoughts[: self._options.thoughts]
            # a state whose thoughts do not all have a place is proposed again by whoever goes on; but for the first one
            if len(thoughts) > self._budget.nodes_left and (
                proposals or node.parent >= 0 or not self._budget.nodes_left
            ):
                if not proposals:
                    raise Exhausted("thoughts")
                break
            thoughts = thoughts[: self._budget.take_nodes(len(thoughts))]
            if self._options.generation == "all":
                yield step.started
            yield step.finished("\n".join(thought.text for thought in thoughts))
            proposals.append(thoughts)
        return proposals

    def _generated(
        self, nodes: Sequence[Node[Any]], steps: Sequence[Step]
    ) -> Generator[Event, None, list[Sequence[str]]]:
        """The texts that the model proposes, of the first of the states."""
        count = self._options.thoughts
        sampled = self._options.generation == "sampled"
        asks: list[Ask] = []
        for node, step in zip(nodes, steps, strict=True):
            yield step.started
            there = [child.thought for child in self._tree.nodes if child.parent == node.id]
            moves = self._problem.moves(node.state)
            if moves is not None:
                moves = tuple(move for move in moves if move not in there) or moves
            part = self._decoding(moves, count, sampled)
            template = _ONE if sampled else _NEXT if moves is None else _CHOOSE
            prompt = self._prompt(template, node, there if moves is None else (), count=count)
            for number in range(count if sampled else 1):
                title = f"Sample {number + 1}" if sampled else "List"
                asks.append(Ask(messages=prompt, title=title, kind="generation", parent=step.id, decoding=part))
        made = yield from self._budget.generate(asks, counts=False, reserve=RESERVE)
        if sampled:
            whole = len(made) // count if len(made) >= count else 1
            texts: list[Sequence[str]] = [[one.text for one in made[n * count : (n + 1) * count]] for n in range(whole)]
        else:
            texts = [listed_lines(one.text) for one in made]
        if isinstance(self._problem, TextProblem):
            return (yield from self._with_others(nodes[: len(texts)], steps, texts))
        return texts

    def _with_others(
        self, nodes: Sequence[Node[Any]], steps: Sequence[Step], texts: Sequence[Sequence[str]]
    ) -> Generator[Event, None, list[Sequence[str]]]:
        """The texts that differ from each other and from the thoughts on their path; where that leaves too few, with
        further ones that begin otherwise, as far as the budget allows."""
        count = self._options.thoughts
        taken: list[list[str]] = []  # what a new thought may not be
        for node in nodes:
            there = [child.thought for child in self._tree.nodes if child.parent == node.id]
            taken.append([one.thought for one in self._tree.path(node)] + there)
        found: list[Sequence[str]] = [
            unlike(proposed, not_these) for proposed, not_these in zip(texts, taken, strict=True)
        ]
        part = msgspec.structs.replace(self._free, max_tokens=LONGEST_THOUGHT)
        for _ in range(count):
            few = [place for place, one in enumerate(found) if len(one) < count]
            if not few:
                break
            asks = []
            for place in few:
                known = (*taken[place], *found[place])
                prompt = self._prompt(_ONE, nodes[place], known)
                decoding = _constrained(part, line_unlike(known))
                title, parent = "Another one", steps[place].id
                asks.append(Ask(messages=prompt, title=title, kind="generation", parent=parent, decoding=decoding))
            try:
                made = yield from self._budget.generate(asks, counts=False, reserve=RESERVE)
            except Exhausted:
                break
            for place, one in zip(few, made, strict=False):
                found[place] = unlike((*found[place], one.text), taken[place])
        return found

    def _decoding(self, moves: tuple[str, ...] | None, count: int, sampled: bool) -> DecodingPart:
        """What is generated: one thought or a list of them; where the possible ones are known, nothing else."""
        part = msgspec.structs.replace(self._free, max_tokens=LONGEST_THOUGHT * (1 if sampled else count))
        if sampled or moves is not None:
            hot = max(DRAWN, part.temperature)
            part = msgspec.structs.replace(part, strategy=DEFAULT_STRATEGY, temperature=hot, repetition_penalty=1.0)
        if sampled and moves is None:
            return msgspec.structs.replace(part, stop=(*part.stop, "\n"))
        listed = "" if moves is None else "|".join(_alternatives(moves))
        if sampled:
            return _constrained(part, listed)
        lines = r"[^\n]{3,160}" if moves is None else f"({listed})"
        return _constrained(part, "".join(rf"{number + 1}\. {lines}\n" for number in range(count)))

    # -- judging -------------------------------------------------------------------------------------------

    def judge(self, nodes: Sequence[Node[Any]]) -> Generator[Event, None, Sequence[float]]:
        """The value of each state: of as many as the budget allows."""
        judges: dict[str, Callable[[Sequence[Node[Any]]], Generator[Event, None, Sequence[float]]]] = {
            "verdicts": self._verdicts,
            "votes": self._votes,
            "checker": self._checked,
        }
        return (yield from judges[self._options.judge](nodes))

    def _verdicts(self, nodes: Sequence[Node[Any]]) -> Generator[Event, None, Sequence[float]]:
        asks = [
            ScoreAsk(
                messages=self._prompt(_JUDGE, node),
                continuations=VERDICTS,
                title="Judge",
                input=node.thought,
                parent=self._steps[node.id].id,
            )
            for node in nodes
        ]
        scored = yield from self._budget.score(asks, worth)
        return [worth(one) for one in scored]

    def _votes(self, nodes: Sequence[Node[Any]]) -> Generator[Event, None, Sequence[float]]:
        """Each state's share of the votes, against that of the leader. One alone needs none."""
        nodes = nodes[:MOST_CANDIDATES]
        if len(nodes) == 1:
            return [1.0]
        listed = "\n\n".join(f"{place}.\n{self._problem.describe(node.state)}" for place, node in enumerate(nodes, 1))
        prompt = (*self._earlier, Message("user", _VOTE.format(question=self._question, candidates=listed)))
        numbers = "\n".join(str(place) for place in range(1, len(nodes) + 1))
        part = DecodingPart(temperature=0.7, repetition_penalty=1.0, max_tokens=8, format="choice", grammar=numbers)
        part = msgspec.structs.replace(part, seed=self._free.seed)
        parent = self._steps[nodes[0].parent].id
        asks = [
            Ask(messages=prompt, title=f"Vote {number + 1}", kind="critic", parent=parent, decoding=part)
            for number in range(self._options.votes)
        ]
        made = yield from self._budget.generate(asks, counts=False, reserve=RESERVE)
        counted = Counter(one.text.strip() for one in made if one.finish != "cancelled")
        most = max(counted.values(), default=1)
        return [counted[str(place)] / most for place in range(1, len(nodes) + 1)]

    def _checked(self, nodes: Sequence[Node[Any]]) -> Generator[Event, None, Sequence[float]]:
        values = []
        for node in nodes:
            known = self._problem.value(node.state)
            if known is None and self._options.test:
                known = yield from self._tested(node)
            elif known is None and self._options.pattern:
                known = float(self._context.helpers.matches(self._options.pattern, node.thought))
            values.append(known if known is not None else equation_value(node.thought))
        return values

    def _tested(self, node: Node[Any]) -> Generator[Event, None, float]:
        """The value of a state by the person's test, which the sandbox runs. Raises UserError where there is none."""
        state = list(node.state) if isinstance(self._problem, TextProblem) else [node.thought]
        inputs = {"question": self._question, "thought": node.thought, "thoughts": state}
        made = self._context.helpers.run_python(self._options.test, inputs)
        if made.error:
            yield from self._context.note(f"The test of a thought failed: {one_line(made.error, 200)}")
            return 0.0
        return value_of_test(made.value)

    def _prompt(self, template: str, node: Node[Any], there: Sequence[str] = (), **fields: Any) -> tuple[Message, ...]:
        described = self._problem.describe(node.state)
        if described and isinstance(self._problem, TextProblem):
            described = _SO_FAR.format(steps=described)
        elif described:
            described = f"{described}\n\n"
        if there:
            described += _OTHERS.format(steps="\n".join(there))
        text = template.format(question=self._question, state=described, **fields)
        return (*self._earlier, Message("user", text))


def value_of_test(shown: str) -> float:
    """The value that a test's last value stands for; a test without one has passed."""
    if shown in ("True", "False", ""):
        return float(shown != "False")
    try:
        return min(1.0, max(0.0, float(shown)))
    except ValueError:
        return 1.0


def unlike(texts: Sequence[str], taken: Sequence[str]) -> tuple[str, ...]:
    """The texts that are none of those taken, and each once, by what they mean as texts and without "Step 2:"."""
    keys = {normalised(one, "text") for one in taken} | {""}
    found: dict[str, str] = {}
    for text in (_STEP.sub("", one) for one in texts):
        if (key := normalised(text, "text")) not in keys:
            found.setdefault(key, text)
    return tuple(found.values())


def worth(scores: Scores) -> float:
    """The expected worth of the verdicts, from 0 (impossible) to 1 (sure)."""
    return sum(share * one for share, one in zip(scores.probabilities(), WORTH, strict=True))


def equation_value(text: str) -> float:
    """1 where the last equation of a text is true, 0 where it is not, 0.5 without one."""
    left, sign, right = text.rpartition("=")
    if not sign:
        return 0.5
    try:
        return float(show(evaluate(left.rpartition(":")[2])) == show(evaluate(right)))
    except ArithmeticProblem:
        return 0.5


def _constrained(part: DecodingPart, pattern: str) -> DecodingPart:
    return msgspec.structs.replace(part, format="regex", grammar=pattern)


def _alternatives(moves: Sequence[str]) -> list[str]:
    """The moves as parts of a regular expression."""
    return ["".join(f"\\{sign}" if sign in r"\.+*?()|[]{}^$/-" else sign for sign in move) for move in moves]


def tree_of(steps: Sequence[TraceStep], problem: AnyProblem) -> Tree[Any]:
    """The tree that the steps of an answer show: the same that was searched, and that a search goes on from."""
    return _tree_and_nodes(steps, problem)[0]


def tree_to_search(earlier: Sequence[TraceStep], edit: StepEdit | None, problem: AnyProblem) -> Tree[Any]:
    """The tree to go on from: that of the earlier steps, with a person's edit. Raises UserError for one that is not
    possible."""
    tree, nodes = _tree_and_nodes(earlier, problem)
    if edit is None:
        return tree
    node = nodes.get(edit.step)
    if node is None or (node.parent < 0 and edit.action != "expand"):
        raise UserError(f"The step {edit.step} is no thought of this tree.", "Choose a thought of the answer's steps.")
    if edit.action != "edit":
        return tree.edited(node, edit.action)
    state = tree.nodes[node.parent].state
    thought = problem.follow(state, edit.text)
    if thought is None:
        moves = problem.moves(state)
        hint = f"Possible are, for example: {', '.join(moves[:4])}." if moves else "Write a thought."
        raise UserError(f"{edit.text.strip()!r} is no possible next step here.", hint)
    return tree.edited(node, "edit", thought)


def _tree_and_nodes(steps: Sequence[TraceStep], problem: AnyProblem) -> tuple[Tree[Any], dict[str, Node[Any]]]:
    """The tree, and its nodes by the ids of their steps."""
    tree = Tree.of(problem.start, problem.key(problem.start))
    root = next((step for step in steps if step.kind == "tree"), None)
    proposed: dict[tuple[int, str], Node[Any]] = {}
    nodes: dict[str, Node[Any]] = {root.id: tree.nodes[0]} if root is not None else {}
    for step in steps:
        parent = nodes.get(step.parent)
        if parent is None:
            continue
        if step.kind == "proposal" and step.state == "done":
            parent.expanded = True
            for thought in children(problem, parent.state, step.output.splitlines()):
                if (added := tree.add(parent, thought)) is not None:
                    proposed[parent.id, thought.text] = added
        elif step.kind == "thought" and (node := proposed.get((parent.id, step.title))) is not None:
            nodes[step.id] = node
            node.value = step.score
        elif step.kind == "edit" and step.output == "prune":
            parent.pruned = True
        elif step.kind == "edit":
            tree.focus = parent
    return tree, nodes
