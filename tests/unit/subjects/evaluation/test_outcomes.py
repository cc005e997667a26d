"""What became of a question: each answer has one end, and each rate counts among the right questions."""

from __future__ import annotations

import itertools

import pytest

from tests.unit.subjects.evaluation.test_scorers import question, scored, value
from workbench.methods import METHODS
from workbench.records.evaluation import CellAnswer, QuestionRow
from workbench.records.messages import Message, Statement, Verification

RATES = (
    "right-unmarked", "right-marked", "wrong-unmarked", "wrong-marked", "declined-wrongly", "declined-rightly",
)  # fmt: skip
KNOWN, NONE = question("EUR 1,350.00", "1350"), question(answerable=False)
MARKED = Verification(statements=(Statement(start=0, end=9, verdict="outside"),))


def shown(text: str, verification: Verification | None = None) -> CellAnswer:
    return CellAnswer(text=text, verification=verification)


DECLINED = CellAnswer(text="Not in these documents.", declined=True)


@pytest.mark.parametrize(
    ("answer", "asked", "end"),
    [
        (shown("It is 1.350 €."), KNOWN, "right-unmarked"),
        (shown("It is 1.350 €.", MARKED), KNOWN, "right-marked"),
        (shown("It is 1.530 €."), KNOWN, "wrong-unmarked"),
        (shown("It is 1.530 €.", MARKED), KNOWN, "wrong-marked"),
        (DECLINED, KNOWN, "declined-wrongly"),
        (shown("I don't know."), KNOWN, "declined-wrongly"),
        (DECLINED, NONE, "declined-rightly"),
        (CellAnswer(text="It is 1.350 €.", outcome="perhaps"), KNOWN, "right-marked"),
        (CellAnswer(text="It is 1.350 €.", outcome="found", verification=MARKED), KNOWN, "right-unmarked"),
        (CellAnswer(text="Not here.", outcome="not_found"), KNOWN, "declined-wrongly"),
        (shown("It is 5."), NONE, "wrong-unmarked"),
        (shown("It is 5.", MARKED), NONE, "wrong-marked"),
    ],
)
def test_each_answer_has_one_end(answer: CellAnswer, asked: QuestionRow, end: str) -> None:
    values = {name: value(name, answer, asked) for name in RATES}
    assert [name for name, found in values.items() if found] == [end]
    among = {name for name, found in values.items() if found is not None}
    whole = {"wrong-unmarked", "wrong-marked"}
    assert among == whole | (
        {"right-unmarked", "right-marked", "declined-wrongly"} if asked.answerable else {"declined-rightly"}
    )
    good = end.startswith("right") or end == "declined-rightly"
    assert value("right-answer", answer, asked) == float(good)
    assert scored("right-answer", answer, asked).note == end.replace("-", " and " if "marked" in end else " ")


def test_a_quoted_sentence_that_says_not_mentioned_is_no_abstention() -> None:
    text = "The deposit is not mentioned in the letter."
    assert value("wrong-unmarked", shown(text, Verification(quoted=len(text))), KNOWN) == 1
    assert value("declined-wrongly", shown(text), KNOWN) == 1
    right = "The deposit of 1,350 is not mentioned in the letter."
    assert value("right-unmarked", shown(right), KNOWN) == 1


def test_an_outdated_value_beside_the_right_one_is_told() -> None:
    asked = question("45 EUR", reject=("40 EUR",))
    assert scored("right-answer", "It is €45 now, it was €40.", asked).note == (
        "right and unmarked, names 40 EUR as well"
    )
    assert value("right-answer", "It is €40.", asked) == 0


def test_where_it_is_not_known_what_is_right_no_rate_applies() -> None:
    for name, answer in itertools.product((*RATES, "right-answer"), (shown("x"), DECLINED)):
        assert value(name, answer, question()) is None


def test_choices_are_compared_by_letter_or_text() -> None:
    asked = QuestionRow(messages=(Message("user", "?"),), choices=("red", "blue"), choice=1)
    assert value("right-unmarked", "B", asked) == 1
    assert value("wrong-unmarked", "red", asked) == 1


def test_a_failed_answer_is_not_right_and_has_no_faults() -> None:
    failed = CellAnswer(text="", error="The prompt is too long.")
    assert value("right-unmarked", failed, KNOWN) == 0
    assert value("wrong-unmarked", failed, KNOWN) is None
    faults = {one.name for one in METHODS.of("scorer") if "fewer is better" in one.traits}
    assert faults == {"wrong-unmarked", "wrong-marked", "declined-wrongly"}
