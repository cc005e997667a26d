"""Words that a sentence tells without having them, and values of a type in long lines."""

from __future__ import annotations

import time

import pytest

from workbench.techniques.retrieval.answer_types import asked_types, holds_type
from workbench.techniques.retrieval.told_words import ToldWords
from workbench.text.terms import Vocabulary

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


@pytest.mark.parametrize(
    ("question", "sentence"),
    [
        ("wieviel prozent gehören dem kreis", "Der Kreis hält 24 %."),
        ("quel pourcentage appartient au canton ?", "Le canton en possède 24 %."),
        ("What percentage does the county own?", "The county owns 24 percent."),
    ],
)
def test_a_share_is_told_by_its_sign(question: str, sentence: str) -> None:
    told = ToldWords(question, asked_types(question))
    vocabulary = Vocabulary("")
    kin = {vocabulary.stem(word): {vocabulary.stem(word)} for word in told.words}
    signs = told.add_to(kin, vocabulary)
    assert kin
    assert all(signs(sentence) & of_term for of_term in kin.values())
    assert not signs("Der Kreis hat einen Sitz.")


def test_a_value_counts_where_the_question_has_its_unit() -> None:
    assert holds_type("The fine is 150 euros.", "money", "how many euros is the fine")
    assert holds_type("Die Gebühr beträgt EUR 150.", "money", "wie viel eur kostet das")
    assert not holds_type("150 euros are paid at once.", "money", "What are the 150 euros for?")
