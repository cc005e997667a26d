"""CRITIC: figures are calculated, claims looked up, and what is wrong is corrected and said."""

from __future__ import annotations

import pytest

from tests.agents import ScriptedModel, ask
from tests.fakes import FakeRetriever, passage
from workbench.techniques.agents.critiques import with_right_results, wrong_equation

QUESTION = "How many apples are in 12 boxes of 4?"
WRONG = "Each box has 4 apples. So there are 12 * 4 = 50 apples."
RIGHT = "Each box has 4 apples. So there are 12 * 4 = 48 apples."


@pytest.mark.parametrize(
    ("sentence", "why"),
    [
        ("12 * 4 = 48", ""),
        ("So 12 × 4 = 50.", "12 × 4 is 48, not 50."),
        ("That is 1,000 + 500 = 1,600 euros", "1,000 + 500 is 1500, not 1,600."),
        ("10 / 3 = 3.33", ""),
        ("10 / 3 = 3.34", "10 / 3 is 3.3333333333, not 3.34."),
        ("(2 + 3) * 4 equals 21", "(2 + 3) * 4 is 20, not 21."),
        ("In 2019 the price was 12.", ""),
        ("5 / 0 = 1", ""),
    ],
)
def test_an_equation_is_calculated(sentence: str, why: str) -> None:
    assert wrong_equation(sentence) == why


def test_a_wrong_figure_is_corrected_and_it_is_said_why() -> None:
    model = ScriptedModel([], (), says={"The answer was checked": [RIGHT], QUESTION: [WRONG]})
    made = ask(model, method="critic", question=QUESTION)
    assert made.result.answer == RIGHT
    first, second = made.of("critique")
    assert "12 * 4 is 48, not 50." in first.output
    assert second.output == ""
    assert [step.output for step in made.of("correction")] == [RIGHT]
    assert any("12 * 4 is 48, not 50." in notice for notice in made.result.notices)
    asked = next(m.content for request in model.requests for m in request if "checked with tools" in m.content)
    assert "12 * 4 is 48" in asked


def test_a_figure_without_its_calculation_is_checked_by_one() -> None:
    says = {
        "Write the calculation": ['{"expression": "12 * 4"}', '{"expression": "12 * 4"}'],
        "The answer was checked": ["There are 48 apples."],
        QUESTION: ["There are 50 apples."],
    }
    made = ask(ScriptedModel([], (), says=says), method="critic", question=QUESTION)
    assert made.result.answer == "There are 48 apples."
    assert "12 * 4 is 48." in made.of("critique")[0].output


def test_a_calculation_with_numbers_of_its_own_is_no_objection() -> None:
    says = {"Write the calculation": ['{"expression": "7 * 9"}'], QUESTION: ["There are 50 apples."]}
    made = ask(ScriptedModel([], (), says=says), method="critic", question=QUESTION)
    assert made.result.answer == "There are 50 apples."
    assert made.result.notices == ()


def test_a_claim_is_looked_up_and_cited() -> None:
    retriever = FakeRetriever([passage("The pump weighs 12 kg and is painted red.")])
    says = {
        "The answer was checked": ["The pump weighs 12 kg."],
        "What does the pump weigh?": ["The pump weighs 15 kg."],
    }
    made = ask(
        ScriptedModel([], (), says=says), method="critic", question="What does the pump weigh?", retriever=retriever
    )
    assert made.result.answer == "The pump weighs 12 kg [1]."
    assert "The pump weighs 12 kg and is painted red." in made.of("critique")[0].output
    assert [one.n for one in made.result.citations] == [1]
    assert all(step.parent for step in made.of("search"))


CALCULATION = ['{"expression": "12 * 4"}'] * 9


def test_a_wrong_equation_that_the_model_repeats_gets_its_result() -> None:
    wrong = "So there are 12 * 4 = 50 apples. The 50 apples are red."
    says = {"Write the calculation": CALCULATION, "The answer was checked": [wrong], QUESTION: [wrong]}
    made = ask(ScriptedModel([], (), says=says), method="critic", question=QUESTION)
    assert made.result.answer == "So there are 12 * 4 = 48 apples. The 48 apples are red."
    assert [step.output for step in made.of("correction")] == [made.result.answer]


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("80*80 = 6200.", "80*80 = 6400."),
        ("1 + 1 = 3 and 2 + 2 = 5, so 5.", "1 + 1 = 2 and 2 + 2 = 4, so 4."),
        ("2 + 2 = 12 of 12 boxes", "2 + 2 = 4 of 12 boxes"),  # a number of the question stays
        ("1 + 1 = 3, 3.5 and 13", "1 + 1 = 2, 3.5 and 13"),
        ("5 / 0 = 1", "5 / 0 = 1"),
    ],
)
def test_results_are_put_in_place(text: str, right: str) -> None:
    assert with_right_results(text, QUESTION) == right


def test_it_stops_after_two_rounds_without_a_change() -> None:
    wrong = "There are 50 apples."
    says = {"Write the calculation": CALCULATION, "The answer was checked": [wrong] * 9, QUESTION: [wrong]}
    made = ask(ScriptedModel([], (), says=says), method="critic", question=QUESTION)
    assert len(made.of("round")) == 2
    assert made.result.answer == wrong
    assert any("Still not confirmed" in notice for notice in made.result.notices)


def test_there_are_at_most_four_rounds() -> None:
    wrong = [f"There are {number} apples." for number in range(50, 60)]
    says = {"Write the calculation": CALCULATION, "The answer was checked": wrong[1:], QUESTION: wrong[:1]}
    model = ScriptedModel([], (), says=says)
    made = ask(model, method="critic", question=QUESTION)
    assert len(made.of("round")) == 4


def test_it_goes_on_from_its_steps() -> None:
    model = ScriptedModel([], (), says={"The answer was checked": [RIGHT], QUESTION: [WRONG]})
    before = ask(model, method="critic", question=QUESTION)
    idle = ScriptedModel([], ())
    made = ask(idle, method="critic", question=QUESTION, earlier=before.steps)
    assert made.result.answer == RIGHT
    assert idle.requests == []
