"""Two texts compared by words: the pieces are joined to either of them."""

from __future__ import annotations

import collections
import difflib

import pytest

from workbench.text import word_diff
from workbench.text.word_diff import LONGEST, compare_words


def test_words_are_compared() -> None:
    pieces = compare_words("The seal is red, and new.", "The ring is red, & old.")
    for change, text in (("removed", "The seal is red, and new."), ("added", "The ring is red, & old.")):
        assert "".join(part for kind, part in pieces if kind in ("same", change)) == text
    assert ("removed", "seal ") in pieces
    assert ("added", "ring ") in pieces


def test_a_word_before_a_full_stop_is_the_same_word() -> None:
    assert compare_words("Write to customers.", "Write to customers in a kind tone.") == [
        ("same", "Write to customers"), ("added", " in a kind tone"), ("same", "."),
    ]  # fmt: skip


def test_the_rest_of_a_long_text_is_one_piece() -> None:
    words = "".join(f"word{number} " for number in range(LONGEST))
    assert compare_words(words + "a b", words + "a b") == [("same", words + "a b")]
    assert compare_words(words + "a b", words + "a c") == [("same", words), ("removed", "a b"), ("added", "a c")]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("happy " * 4_000, "happy " * 4_000),
        ("happy " * 4_000, "happy " * 3_900 + "sad " * 100),
        ("a happy dog " * 1_200, "one happy cat " * 1_200),
        ("It is so. " * 900, "So it is. It is so. " * 500),
    ],
)
def test_texts_of_the_same_words_are_compared_in_a_bounded_number_of_steps(
    monkeypatch: pytest.MonkeyPatch, before: str, after: str
) -> None:
    asked: list[int] = []

    class Counted(difflib.SequenceMatcher[str]):
        def __init__(self, junk: None, first: list[str], second: list[str], autojunk: bool) -> None:
            counts = collections.Counter(second)
            asked.append(sum(counts[one] for one in first))
            super().__init__(junk, first, second, autojunk)

    monkeypatch.setattr(word_diff, "SequenceMatcher", Counted)
    pieces = compare_words(before, after)
    for change, text in (("removed", before), ("added", after)):
        assert "".join(part for kind, part in pieces if kind in ("same", change)) == text
    assert max(asked, default=0) <= word_diff.MOST_PAIRS
