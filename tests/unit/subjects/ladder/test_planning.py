"""What a plan says of its question set."""

from __future__ import annotations

import pytest

from tests.unit.subjects.ladder.test_rungs import setting
from workbench.records.evaluation import NumberedQuestion, QuestionRow
from workbench.records.messages import Message
from workbench.records.recipes import Recipe
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
