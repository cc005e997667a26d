"""Numbers and equations in a text."""

from __future__ import annotations

from fractions import Fraction

import pytest

from workbench.techniques.tools.figures import numbers_in, with_right_results, wrong_equation, wrong_equations

QUESTION = "How many apples are in 12 boxes of 4?"


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


def test_spelled_numbers_count_as_numbers() -> None:
    assert numbers_in("Twelve boxes of 4, or 1,200.5") == {Fraction(12), Fraction(4), Fraction(2401, 2)}


def test_wrong_equations_are_counted() -> None:
    assert wrong_equations("1 + 1 = 3 and 2 + 2 = 4, so 3 * 3 is 10.") == 2
