"""Two texts compared by words: the pieces are joined to either of them."""

from __future__ import annotations

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
