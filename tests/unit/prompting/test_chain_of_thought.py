"""Reasoning first, then a constrained answer; and the strategies that reason in several questions."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tests.fakes import FakeModelBackend, FakeRetriever, passage
from tests.unit.prompting.strategies import QUESTION, ask, steps_of
from workbench.base.errors import UserError
from workbench.records.messages import Message
from workbench.records.recipes import DecodingPart
from workbench.records.trace import StepEdit


def test_the_reasoning_is_the_thought_and_the_answer_is_constrained() -> None:
    model = FakeModelBackend([" A book costs 8.", "11"])
    result = ask("chain-of-thought", model, answer="number")
    assert (result.answer, result.sequences[0].thought) == ("11", "Let's think step by step. A book costs 8.")
    assert model.starts[0] == "Let's think step by step."
    assert model.starts[1] == "Let's think step by step. A book costs 8.\n\nTherefore, the answer is:\n"
    assert [(part.format, part.max_tokens) for part in model.decodings] == [("text", 256), ("regex", 48)]
    assert [step.kind for step in steps_of(result)] == ["reasoning", "extraction"]
    assert result.usage.new_tokens == sum(step.usage.new_tokens for step in steps_of(result) if step.usage)


def test_the_answer_is_extracted_from_the_reasoning_as_a_person_edited_it() -> None:
    before = ask("chain-of-thought", FakeModelBackend([" A book costs 5.", "8"]), answer="number")
    reasoning, extraction = steps_of(before)
    edit = StepEdit(step=reasoning.id, action="edit", text="A book costs 3 + 5 = 8, both 11.")
    model = FakeModelBackend(["11"])
    after = ask("chain-of-thought", model, answer="number", earlier=steps_of(before), edit=edit)
    assert (after.answer, after.sequences[0].thought) == ("11", edit.text)
    assert model.starts == [f"{edit.text}\n\nTherefore, the answer is:\n"]
    assert [step.kind for step in steps_of(after)] == ["reasoning", "edit", "extraction"]
    again = FakeModelBackend(["12"])
    kept = ask("chain-of-thought", again, answer="number", earlier=steps_of(before))
    assert (kept.answer, kept.sequences[0].thought) == ("12", before.sequences[0].thought)
    empty = StepEdit(step=reasoning.id, action="edit", text=" ")
    with pytest.raises(UserError, match="reasoning is empty"):
        ask("chain-of-thought", model, earlier=steps_of(before), edit=empty)
    wrong = StepEdit(step=extraction.id, action="edit", text="9")
    with pytest.raises(UserError, match="cannot be changed"):
        ask("chain-of-thought", model, earlier=steps_of(before), edit=wrong)


def test_a_recipe_s_own_format_is_that_of_the_answer_and_leaves_the_reasoning_free() -> None:
    model = FakeModelBackend(["Hm.", "blue"])
    result = ask("chain-of-thought", model, decoding=DecodingPart(format="choice", grammar="red\nblue", n=3))
    assert result.answer == "blue"
    assert [(part.format, part.n) for part in model.decodings] == [("text", 1), ("choice", 1)]
    assert any("one answer, not 3" in note for note in result.notices)


def test_a_free_answer_is_asked_for_after_the_reasoning() -> None:
    model = FakeModelBackend([" A book costs 8.", "Both cost 11."])
    result = ask("chain-of-thought", model)
    assert result.answer == "Both cost 11."
    assert [message.role for message in model.requests[1]] == ["user", "assistant", "user"]


def test_citations_are_checked_whichever_the_strategy() -> None:
    text = "The warranty of the pump runs for 36 months."
    model = FakeModelBackend(["The passage says 36.", "It runs for 36 months [1]."], parameters=7_000_000_000)
    result = ask("chain-of-thought", model, question="How long does the warranty run?",
                 retriever=FakeRetriever([passage(text)]))  # fmt: skip
    assert [citation.n for citation in result.citations] == [1]
    assert text in model.requests[0][-1].content


def test_a_budget_for_the_reasoning_alone_leaves_the_reasoning_as_the_answer() -> None:
    model = FakeModelBackend([" ".join(["word"] * 70), "11"])
    result = ask("chain-of-thought", model, answer="number", max_tokens_total=70)
    assert result.answer.startswith("Let's think")
    assert any("70 tokens" in note for note in result.notices)
    assert model.decodings[0].max_tokens == 6
    with pytest.raises(UserError, match="does not suffice"):
        ask("chain-of-thought", FakeModelBackend(), max_tokens_total=32)


def test_least_to_most_answers_smaller_questions_one_after_another() -> None:
    listed = f"1. What does a book cost?\n2. What does a pen cost?\n3. What does a book cost?\n4. {QUESTION}\n"
    model = FakeModelBackend([listed, "It costs 8.", "It costs 3.", "11"])
    result = ask("least-to-most", model, answer="number")
    assert result.answer == "11"
    assert [step.title for step in steps_of(result, "reasoning")] == ["What does a book cost?", "What does a pen cost?"]
    last = model.requests[-1]
    assert [message.role for message in last] == ["user", "assistant", "user", "assistant", "user"]
    assert "It costs 8." in last[1].content
    assert QUESTION in last[0].content
    assert result.sequences[0].thought == ("What does a book cost?\nIt costs 8.\n\nWhat does a pen cost?\nIt costs 3.")


def test_least_to_most_without_smaller_questions_asks_the_question() -> None:
    model = FakeModelBackend(["nothing to list", "11"])
    assert ask("least-to-most", model, answer="number").answer == "11"
    assert model.requests[-1] == (Message("user", QUESTION),)


def test_step_back_answers_the_general_question_first() -> None:
    model = FakeModelBackend(["How are prices added?", "By their sum.", " 3 and 8.", "11"])
    result = ask("step-back", model, answer="number")
    assert result.answer == "11"
    assert model.requests[1] == (Message("user", "How are prices added?"),)
    for part in ("How are prices added?", "By their sum.", QUESTION):
        assert part in model.requests[2][-1].content
    assert [step.kind for step in steps_of(result)] == ["plan", "reasoning", "reasoning", "extraction"]


def test_generated_knowledge_keeps_the_choice_that_a_statement_makes_surest() -> None:
    question = "Which is a fish?\nA. cod\nB. cow\n"
    model = FakeModelBackend(
        ["Cows give milk.", "Cod swim in the sea.", "cod swim in the sea"], scores=[(-1.0, -1.1), (-0.1, -5.0)]
    )
    result = ask("generated-knowledge", model, question=question, statements=3)
    assert (result.answer, result.sequences[0].thought) == ("A", "cod swim in the sea")
    assert [continuations for _, continuations in model.scored] == [("A", "B")] * 2
    assert model.together == [3]


def test_generated_knowledge_without_choices_takes_the_most_probable_answer() -> None:
    def reply(messages: Sequence[Message], decoding: DecodingPart, start: str) -> str:
        return "A fact." if "one true statement" in messages[-1].content else "11"

    result = ask("generated-knowledge", FakeModelBackend(reply), answer="number", statements=2)
    assert (result.answer, result.sequences[0].thought) == ("11", "A fact.")
