"""The rule by which typed words are found in texts, and names that are free."""

from __future__ import annotations

import pytest

from workbench.base.counting import counted
from workbench.base.finding import folded, holds
from workbench.base.naming import free_name


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("", True), ("  ", True), ("oltank", True), ("ÖLTANK", True), ("o\u0308ltank", True), ("cafe öl", True),
        ("strasse", True), ("STRAßE", True), ("tank cafe", True), ("bridge", False), ("oltank bridge", False),
    ],
)  # fmt: skip
def test_each_word_is_found_whatever_the_case_and_the_accents(typed: str, found: bool) -> None:
    assert holds(typed, "Der Öltank an der Straße", "beside the Café") is found


def test_words_stand_within_one_text_each() -> None:
    assert not holds("ab", "a", "b")
    assert holds("漢字", "日本の漢字")


def test_texts_are_folded_alike_however_they_are_composed() -> None:
    assert folded("Ångström") == folded("Å".lower() + "NGSTRÖM") == folded("A\u030angstro\u0308m") == "angstrom"


def test_a_free_name_gets_the_first_number_that_makes_it_one() -> None:
    assert free_name("Letter", []) == "Letter"
    assert free_name("Letter", ["letter", "LETTER 2", "Letter 4"]) == "Letter 3"
    assert free_name("a", {"a", "a-2"}.__contains__, "-") == "a-3"


def test_counts_have_their_noun_in_its_number() -> None:
    assert [counted(n, "pair") for n in (0, 1, 1204)] == ["0 pairs", "1 pair", "1,204 pairs"]
    assert counted(2, "pair is", "pairs are") == "2 pairs are"
