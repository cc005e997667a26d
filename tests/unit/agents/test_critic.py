"""CRITIC: figures are calculated, claims looked up with the tools that the agent has; a correction has to be better."""

from __future__ import annotations

import json

import pytest

from tests.agents import Asked, ScriptedModel, ask
from tests.fakes import FakeRetriever, passage
from workbench.techniques.agents.critic import NOTHING_CHECKED
from workbench.techniques.registry import METHODS

QUESTION = "How many apples are in 12 boxes of 4?"
WEIGHT = "What does the pump weigh?"
WRONG = "Each box has 4 apples. So there are 12 * 4 = 50 apples."
RIGHT = "Each box has 4 apples. So there are 12 * 4 = 48 apples."
FIGURE = "Each box has 4 apples. So there are 50 apples."
CALCULATION = [json.dumps({"expression": "12 * 4"})] * 9
CHECKED = "The answer was checked"


def criticised(
    model: ScriptedModel, *tools: str, question: str = QUESTION, retriever: FakeRetriever | None = None
) -> Asked:
    return ask(model, *tools, method="critic", question=question, retriever=retriever, thought_tokens=0)


def test_a_wrong_figure_is_corrected_and_it_is_said_why() -> None:
    model = ScriptedModel([], (), says={CHECKED: [RIGHT], QUESTION: [WRONG]})
    made = criticised(model, "calculator")
    assert made.result.answer == RIGHT
    first, second = made.of("critique")
    assert "12 * 4 is 48, not 50." in first.output
    assert second.output == ""
    (correction,) = made.of("correction")
    assert (correction.title, correction.input) == ("Corrected", RIGHT)
    assert "12 * 4 is 48, not 50." in correction.output
    assert any("12 * 4 is 48, not 50." in notice for notice in made.result.notices)
    asked = next(m.content for request in model.requests for m in request if "checked with tools" in m.content)
    assert "12 * 4 is 48" in asked


def test_a_figure_without_its_calculation_is_checked_by_two_that_agree() -> None:
    says = {"Write the calculation": CALCULATION, CHECKED: ["There are 48 apples."], QUESTION: ["There are 50 apples."]}
    made = criticised(ScriptedModel([], (), says=says), "calculator")
    assert made.result.answer == "There are 48 apples."
    assert "12 * 4 is 48." in made.of("critique")[0].output


@pytest.mark.parametrize(
    "expressions", [("7 * 9", "7 * 9"), ("12 + 4", "12 * 4"), ("12 * 4", "12 - 4"), ("12 * 12", "12 * 12")]
)
def test_calculations_that_differ_or_have_other_numbers_are_no_objection(expressions: tuple[str, str]) -> None:
    written = [json.dumps({"expression": one}) for one in expressions]
    says = {"Write the calculation": written, QUESTION: ["There are 50 apples."]}
    made = criticised(ScriptedModel([], (), says=says), "calculator")
    assert made.result.answer == "There are 50 apples."
    assert made.of("correction") == []


def test_a_draft_that_a_tool_has_given_stays() -> None:
    says = {"Write the calculation": ['{"expression": "12 + 4"}'] * 2, CHECKED: ["There are 16 apples."]}
    model = ScriptedModel(
        [("", "calculator", {"expression": "12 * 4"}), ("", "", {})], ["There are 48 apples."], says=says
    )
    made = ask(model, "calculator", method="critic", question=QUESTION)
    assert made.result.answer == "There are 48 apples."
    assert [step.score for step in made.of("critique")] == [1.0]


@pytest.mark.parametrize(
    ("again", "why"),
    [
        ("There are some apples.", "does not state 48"),
        ("There are 52 apples. I counted 51.", "finds the correction no better"),
        ("There are 50 apples.", "wrote the same again"),
    ],
)
def test_a_correction_that_is_no_better_leaves_the_draft(again: str, why: str) -> None:
    says = {"Write the calculation": CALCULATION, CHECKED: [again] * 4, QUESTION: ["There are 50 apples."]}
    made = criticised(ScriptedModel([], (), says=says), "calculator")
    assert made.result.answer == "There are 50 apples."
    (correction,) = made.of("correction")
    assert correction.title == "The draft is kept"
    assert why in correction.output
    assert any("Not confirmed: 12 * 4 is 48." in notice for notice in made.result.notices)
    assert len(made.of("round")) == 1


def test_a_claim_is_looked_up_and_cited() -> None:
    retriever = FakeRetriever([passage("The pump weighs 12 kg and is painted red.")])
    says = {CHECKED: ["The pump weighs 12 kg."], WEIGHT: ["The pump weighs 15 kg."]}
    made = criticised(ScriptedModel([], (), says=says), "search_documents", question=WEIGHT, retriever=retriever)
    assert made.result.answer == "The pump weighs 12 kg [1]."
    assert "The pump weighs 12 kg and is painted red." in made.of("critique")[0].output
    assert [one.n for one in made.result.citations] == [1]
    assert all(step.parent for step in made.of("search"))


def test_a_correction_that_the_documents_do_not_support_leaves_the_draft() -> None:
    retriever = FakeRetriever([passage("The pump weighs 12 kg and is painted red.")])
    says = {CHECKED: ["Nobody has ever told me."], WEIGHT: ["The pump weighs 15 kg."]}
    made = criticised(ScriptedModel([], (), says=says), "search_documents", question=WEIGHT, retriever=retriever)
    assert made.result.answer == "The pump weighs 15 kg."
    assert made.of("correction")[0].title == "The draft is kept"


@pytest.mark.parametrize("tools", [(), ("calculator",)])
def test_a_tool_that_is_not_ticked_is_not_used(tools: tuple[str, ...]) -> None:
    retriever = FakeRetriever([passage("The pump weighs 12 kg and is painted red.")])
    says = {CHECKED: ["The pump weighs 12 kg."], WEIGHT: ["The pump weighs 15 kg."]}
    made = criticised(ScriptedModel([], (), says=says), *tools, question=WEIGHT, retriever=retriever)
    assert made.result.answer == "The pump weighs 15 kg."
    assert made.of("search") == []
    assert made.result.passages == ()
    assert (NOTHING_CHECKED in made.result.notices) == (not tools)


def test_figures_are_not_calculated_without_the_calculator() -> None:
    says = {CHECKED: [RIGHT], QUESTION: [WRONG]}
    made = criticised(ScriptedModel([], (), says=says))
    assert made.result.answer == WRONG
    assert NOTHING_CHECKED in made.result.notices


def test_a_wrong_equation_that_the_model_repeats_gets_its_result() -> None:
    wrong = "So there are 12 * 4 = 50 apples. The 50 apples are red."
    says = {"Write the calculation": CALCULATION, CHECKED: [wrong], QUESTION: [wrong]}
    made = criticised(ScriptedModel([], (), says=says), "calculator")
    assert made.result.answer == "So there are 12 * 4 = 48 apples. The 48 apples are red."
    assert [step.input for step in made.of("correction")] == [made.result.answer]


def test_corrections_go_on_as_long_as_they_are_better() -> None:
    first = "1 + 1 = 5. There are 50 apples."
    says = {
        "Write the calculation": CALCULATION,
        CHECKED: ["There are 50 apples. 1 + 1 = 2.", "There are 48 apples. 1 + 1 = 2."],
        QUESTION: [first],
    }
    made = criticised(ScriptedModel([], (), says=says), "calculator")
    assert made.result.answer == "There are 48 apples. 1 + 1 = 2."
    assert [step.title for step in made.of("correction")] == ["Corrected", "Corrected"]


def test_it_goes_on_from_its_steps() -> None:
    model = ScriptedModel([], (), says={CHECKED: [RIGHT], QUESTION: [WRONG]})
    before = criticised(model, "calculator")
    idle = ScriptedModel([], ())
    made = ask(
        idle, "calculator", method="critic", question=QUESTION, earlier=before.steps, thought_tokens=0
    )  # fmt: skip
    assert made.result.answer == RIGHT
    assert idle.requests == []


def test_methods_of_correction_are_found_by_their_names() -> None:
    for name, word in (("critic", "CRITIC"), ("reflexion", "Reflexion")):
        assert word in METHODS.find(name, "agent").title
    assert "Self-refine" in METHODS.find("self-refine", "technique").title
