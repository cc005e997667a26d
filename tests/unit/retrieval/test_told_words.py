"""Words that a sentence tells without having them, and values of a type in long lines."""

from __future__ import annotations

import time

from workbench.techniques.retrieval.answer_types import holds_type
from workbench.techniques.retrieval.told_words import ToldWords

LONGEST = 2.0  # seconds


def test_the_words_of_a_long_question_are_looked_up_at_once() -> None:
    began = time.monotonic()
    told = ToldWords("what is the price of 1 " * 2_000, ("money", "date"))
    assert time.monotonic() - began < LONGEST
    assert told.words == {"price"}


def test_a_long_row_of_figures_is_searched_for_dates_and_durations_at_once() -> None:
    began = time.monotonic()
    assert not holds_type("1," * 10_000, "duration", "how long?")
    assert not holds_type("1," * 10_000, "date", "when?")
    assert time.monotonic() - began < LONGEST
    assert holds_type("1," * 50 + "14 days", "duration", "how long?")
