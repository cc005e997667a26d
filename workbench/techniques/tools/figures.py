"""Figures in a text: its numbers, and its equations, which are calculated in exact arithmetic.

Numbers are read without their sign, and spelled ones as digits, so that those of a question, of a calculation and of an
answer can be compared.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction

from workbench.techniques.tools.arithmetic import ArithmeticProblem, evaluate, show
from workbench.text.language import detect_language
from workbench.text.numbers import with_digits

NUMBER = re.compile(r"-?\d{1,3}(?:,\d{3})+(?:\.\d+)?|-?\d+(?:\.\d+)?")
SIGN = re.compile(r"\d\s*[-+*/×÷·^]\s*[\d(]")
"""An operation, by which a text is a calculation."""

_EQUATION = re.compile(r"([-+(]?[\d(][\d\s.,()+\-*/×÷·^%]*?)\s*(?:=|equals|is)\s*\$?(-?\d+(?:,\d{3})*(?:\.\d+)?)")


def numbers_in(text: str) -> set[Fraction]:
    """The numbers of a text, also those that are spelled, without their signs."""
    digits = with_digits(text, detect_language(text) or "en")
    return {Fraction(one.replace(",", "").lstrip("-")) for one in NUMBER.findall(digits)}


def is_shown_as(value: Fraction, shown: str) -> bool:
    """Whether a number in a text is the value, rounded to the places that it is shown with."""
    plain = shown.replace(",", "")
    places = len(plain.partition(".")[2])
    return abs(value - Fraction(plain)) * 2 <= Fraction(1, 10**places) if places else value == Fraction(plain)


def has_equation(text: str) -> bool:
    return _EQUATION.search(text) is not None and SIGN.search(text) is not None


def wrong_equation(sentence: str) -> str:
    """Why an equation in a sentence is wrong; "" where all are right."""
    return next((f"{left} is {show(value)}, not {shown}." for left, value, shown in _equations(sentence)
                 if not is_shown_as(value, shown)), "")  # fmt: skip


def wrong_equations(text: str) -> int:
    """How many equations of a text are wrong."""
    return sum(not is_shown_as(value, shown) for _, value, shown in _equations(text))


def with_right_results(text: str, question: str) -> str:
    """The text with the values of its wrong equations in place of their results, also where these come again later,
    unless they are numbers of the question."""
    place = 0
    while match := _EQUATION.search(text, place):
        value, shown = _value(match.group(1)), match.group(2)
        place = match.end()
        if value is None or is_shown_as(value, shown):
            continue
        rest = text[match.end() :]
        if shown not in NUMBER.findall(question):
            rest = re.sub(rf"(?<![\d.,]){re.escape(shown)}(?!\d|[.,]\d)", show(value), rest)
        begun = text[: match.start(2)] + show(value)
        text, place = begun + rest, len(begun)
    return text


def _equations(text: str) -> Iterator[tuple[str, Fraction, str]]:
    """The left side, its value, and the number that the text has for it."""
    for left, shown in _EQUATION.findall(text):
        value = _value(left)
        if value is not None:
            yield left.strip(), value, shown


def _value(left: str) -> Fraction | None:
    """The value of a left side; None where nothing is calculated in it."""
    if not SIGN.search(left):
        return None
    try:
        return evaluate(left.strip())
    except ArithmeticProblem:
        return None
