"""What a plan says of its question set."""

from __future__ import annotations

from itertools import pairwise

import msgspec
import pytest

from tests.unit.subjects.ladder.test_rungs import setting
from workbench.records.evaluation import NumberedQuestion, QuestionRow
from workbench.records.messages import Message
from workbench.records.recipes import Recipe
from workbench.subjects.ladder.learning import MOST_SAMPLED, answer_rows, assumed_pairs, pair_rows
from workbench.subjects.ladder.planning import FEW, _notes


def questions(count: int, first: int = 1) -> list[NumberedQuestion]:
    numbers = range(first, first + count)
    return [
        NumberedQuestion(
            number=number, split="tune", question=QuestionRow(messages=(Message("user", f"Question {number}?"),))
        )
        for number in numbers
    ]


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (1, "With only 1 held-out question, nothing but large differences can be shown."),
        (20, "With only 20 held-out questions, differences below about 20 points will not be shown."),
    ],
)
def test_few_held_out_questions_show_large_differences_alone(count: int, said: str) -> None:
    assert _notes(questions(9, 100), questions(count), setting(), Recipe()) == (said,)


def test_of_enough_questions_nothing_is_said() -> None:
    assert _notes(questions(9, 100), questions(FEW), setting(), Recipe()) == ()


def test_pairs_are_planned_as_many_and_as_long_as_they_will_be_drawn() -> None:
    """Of a model that is always wrong, and writes answers of 30 tokens where one is expected."""
    asked = [
        msgspec.structs.replace(one, question=msgspec.structs.replace(one.question, expected=("No",)))
        for one in questions(MOST_SAMPLED + 6)
    ]
    wrong = [(f"{number} " + "word and " * 13, 0.0) for number in range(4)]
    drawn = pair_rows(Recipe(), asked[:MOST_SAMPLED], lambda number: wrong)
    planned = assumed_pairs(answer_rows(Recipe(), asked), 30.0)
    assert len(planned) == len(drawn) == 2 * MOST_SAMPLED
    assert [one["chosen"] for one in planned] == [one["chosen"] for one in drawn]
    assert all(one["rejected"] != other["rejected"] for one, other in pairwise(planned))
    planned_length, drawn_length = (
        sum(len(one["rejected"][0]["content"]) for one in rows) for rows in (planned, drawn)
    )
    assert planned_length == pytest.approx(drawn_length, rel=0.1)
