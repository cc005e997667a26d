"""Reasoning strategies with the starter models, through the whole core: the mechanism, not the quality."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.local_front import LocalFront
from workbench.api import events
from workbench.app import Workbench
from workbench.base.errors import UserError
from workbench.base.paths import Home
from workbench.records.answers import AskResult, PromptText
from workbench.records.recipes import DecodingPart, PromptingPart, Recipe
from workbench.records.thoughts import ThoughtTree
from workbench.records.trace import StepEdit, Trace
from workbench.subjects.chats.calls import Ask, GetChat, GetTrace, InspectAnswer, ShowPrompt
from workbench.subjects.evaluation.calls import CreateQuestionSet
from workbench.subjects.models.calls import RegisterStarter
from workbench.subjects.prompts.calls import ListDemonstrations, RemoveDemonstration, SaveDemonstration
from workbench.techniques.prompting.tree_of_thoughts import tree_of
from workbench.techniques.prompting.tree_problems import NumbersProblem

APPLES = "Tom has 3 apples and buys 4 more. How many apples does he have?"
FISH = "Which of these is a fish?\n\nA. cod\nB. cow\nC. cat\n\nAnswer with the letter of the right choice."


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory, smollm_path: Path, minilm_path: Path) -> Iterator[LocalFront]:
    workbench = Workbench(Home(tmp_path_factory.mktemp("strategies") / "home"))
    workbench.start()
    front = LocalFront(workbench)
    front.call(RegisterStarter())
    yield front
    front.close()
    workbench.close()


def ask(front: LocalFront, question: str, technique: str, **options: Any) -> tuple[AskResult, Trace, list[str]]:
    """The answer, its stored steps, and what streamed as its thought."""
    thoughts: list[str] = []

    def watch(event: events.Event) -> None:
        if isinstance(event, events.Thought) and not event.step:
            thoughts.append(event.text)

    recipe = Recipe(
        prompting=PromptingPart(technique=technique, options=options), decoding=DecodingPart(seed=3, max_tokens=24)
    )
    result = front.call(Ask(question=question, recipe=recipe), watch)
    return result, front.call(GetTrace(message=result.message)), thoughts


def test_a_chain_of_thought_ends_in_a_number(front: LocalFront) -> None:
    options = {"answer": "number", "reasoning_tokens": 32}
    result, trace, thoughts = ask(front, APPLES, "chain-of-thought", **options)
    assert re.fullmatch(r"-?\d+(\.\d+)?", result.answer)
    assert "".join(thoughts) == result.sequences[0].thought
    reasoning, extraction = trace.steps
    assert reasoning.usage is not None
    assert extraction.usage is not None
    assert extraction.usage.cached_tokens > reasoning.usage.prompt_tokens  # it goes on from the reasoning
    assert result.usage.new_tokens == reasoning.usage.new_tokens + extraction.usage.new_tokens
    told = front.call(InspectAnswer(message=result.message, step=reasoning.id, alternatives=2, last=3))
    assert reasoning.output.endswith("".join(token.text for token in told.tokens))
    assert all(len(token.alternatives) == 2 for token in told.tokens)
    with pytest.raises(UserError, match="Step 99"):
        front.call(InspectAnswer(message=result.message, step="99"))


def test_samples_share_the_prompt_and_vote(front: LocalFront) -> None:
    options = {"answer": "number", "samples": 3, "reasoning_tokens": 24, "max_tokens_total": 400}
    result, trace, _ = ask(front, APPLES, "self-consistency", **options)
    samples = [step for step in trace.steps if step.kind == "reasoning"]
    assert 2 <= len(samples) <= 3
    assert len({step.output for step in samples}) > 1
    assert all(step.usage is not None and step.usage.cached_tokens > 30 for step in samples[1:])
    vote = next(step for step in trace.steps if step.kind == "vote")
    assert vote.output.startswith(f"{result.answer}: ")
    assert result.usage.new_tokens <= 400


def test_knowledge_makes_a_choice_sure(front: LocalFront) -> None:
    options = {"statements": 2, "statement_tokens": 16}
    result, trace, _ = ask(front, FISH, "generated-knowledge", **options)
    assert result.answer in ("A", "B", "C")
    scores = [step for step in trace.steps if step.kind == "score"]
    assert scores
    assert all(step.score is not None and 1 / 3 <= step.score <= 1 for step in scores)


def test_a_tree_of_numbers_has_possible_steps_only_and_keeps_its_budget(front: LocalFront) -> None:
    puzzle = "Make 24 from 4 9 10 13."
    problem = NumbersProblem.of(puzzle)
    options = {"problem": "numbers", "thoughts": 3, "max_nodes": 10, "max_tokens_total": 400}
    result, trace, _ = ask(front, puzzle, "tree-of-thoughts", **options)
    assert result.usage.new_tokens <= 400
    thoughts = [step for step in trace.steps if step.kind == "thought"]
    assert 2 <= len(thoughts) <= 10
    tree = tree_of(trace.steps, problem)
    assert len(tree.nodes) == 1 + len(thoughts)  # every thought is a possible step from its parent's state
    assert all(0 <= step.score <= 1 for step in thoughts if step.score is not None)
    (root,) = [step for step in trace.steps if step.kind == "tree"]
    proposal = next(step for step in trace.steps if step.kind == "proposal")
    assert proposal.parent == root.id
    assert next(step.parent for step in trace.steps if step.kind == "generation") == proposal.id
    part = PromptingPart(technique="tree-of-thoughts", options={**options, "max_nodes": 4})
    recipe = Recipe(prompting=part, decoding=DecodingPart(seed=3))
    further = front.call(Ask(recipe=recipe, regenerate=result.message, resume=True))
    more = tree_of(front.call(GetTrace(message=further.message)).steps, problem)
    assert [node.key for node in more.nodes[: len(tree.nodes)]] == [node.key for node in tree.nodes]
    assert further.usage.new_tokens <= 400
    left = next(step for step in thoughts if step.parent == root.id)
    pruning = StepEdit(step=left.id, action="prune")
    pruned = front.call(Ask(recipe=recipe, regenerate=result.message, edit=pruning))
    shown = ThoughtTree.of(front.call(GetTrace(message=pruned.message)))
    assert shown is not None
    assert [node.step.title for node in shown.nodes.values() if node.state == "pruned"] == [left.title]
    with pytest.raises(UserError, match="cannot be changed"):
        front.call(Ask(recipe=recipe, regenerate=result.message, edit=StepEdit(step="99", action="expand")))


def test_a_program_goes_on_from_its_own_tokens(front: LocalFront) -> None:
    result, trace, _ = ask(front, "What is 23 plus 45?", "art", answer="number", steps=2, max_tokens_total=400)
    lines = [step for step in trace.steps if step.kind == "line"]
    tools = [step for step in trace.steps if step.kind == "tool"]
    assert tools
    assert all(step.output for step in tools)
    for before, after in pairwise(lines):
        assert before.usage is not None
        assert after.usage is not None
        assert after.usage.cached_tokens >= before.usage.prompt_tokens + before.usage.new_tokens - 1
    assert re.fullmatch(r"-?\d+(\.\d+)?", result.answer)
    assert f"Result 1: {tools[0].output}\n" in result.sequences[0].thought


def test_a_saved_program_is_shown_to_a_similar_question(front: LocalFront) -> None:
    question = "How many days are 46 weeks?"
    result, _, _ = ask(front, question, "art", answer="number", steps=1, max_tokens_total=400)
    trace = front.call(GetTrace(message=result.message))
    line = next(step for step in trace.steps if step.kind == "line")
    edit = StepEdit(step=line.id, action="edit", text="Step 1: calculator: 46 * 7")
    options = {"answer": "number", "steps": 1, "max_tokens_total": 400}
    recipe = Recipe(prompting=PromptingPart(technique="art", options=options), decoding=DecodingPart(seed=3))
    corrected = front.call(Ask(recipe=recipe, regenerate=result.message, edit=edit))
    saved = front.call(SaveDemonstration(message=corrected.message))
    assert saved.program() == f"Step 1: calculator: 46 * 7\nResult 1: 322\nAnswer: {corrected.answer}"
    assert front.call(ListDemonstrations()).demonstrations == (saved,)
    again = front.call(SaveDemonstration(message=corrected.message))  # the same answer once
    assert [one.id for one in front.call(ListDemonstrations()).demonstrations] == [again.id] == [saved.id]
    _, later, _ = ask(front, "How many days are 12 weeks?", "art", answer="number", steps=1, max_tokens_total=400)
    assert f"your demonstration {saved.id}" in later.steps[0].output
    with pytest.raises(UserError, match="No steps are stored"):
        front.call(SaveDemonstration(message=front.call(GetChat(chat=result.chat)).messages[0].id))
    assert front.call(RemoveDemonstration(demonstration=saved.id)).demonstrations == ()


def test_similar_examples_are_in_the_exact_prompt(front: LocalFront, tmp_path: Path) -> None:
    rows = tmp_path / "pairs.jsonl"
    pairs = {"What is the capital of Spain?": "Madrid", "How much is 2 plus 5?": "7", "How much is 3 plus 3?": "6"}
    rows.write_text("".join(f'{{"question": "{q}", "answer": "{a}"}}\n' for q, a in pairs.items()), "utf-8")
    front.call(CreateQuestionSet(path=str(rows), name="pairs", tune_share=1.0))
    part = PromptingPart(instructions="Be brief.", output="One word.", examples="pairs", example_count=1)
    shown: PromptText = front.call(ShowPrompt(question="What is the capital of Italy?", recipe=Recipe(prompting=part)))
    assert "capital of Spain?\n\nOne word.<|im_end|>\n<|im_start|>assistant\nMadrid<|im_end|>" in shown.text
    assert "plus" not in shown.text
    assert shown.text.endswith("capital of Italy?\n\nOne word.<|im_end|>\n<|im_start|>assistant\n")
    assert 30 < shown.tokens < 120
