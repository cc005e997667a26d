"""Exact match, containment and ROUGE-L, against values counted by hand."""

from __future__ import annotations

import pytest

from workbench.text.metrics import (
    contains_answer,
    is_exact_match,
    longest_common_subsequence,
    normalise_answer,
    rouge_l,
)


@pytest.mark.parametrize(
    ("answer", "expected", "same"),
    [
        ("The Pacific Ocean.", "pacific ocean", True),
        ("  Paris\n", "paris", True),
        ("Paris, France", "Paris", False),
        ("The", "the", True),
        ("The", "a", False),
        ("Straße", "STRASSE", True),
    ],
)
def test_exact_match_leaves_case_articles_and_punctuation_aside(answer: str, expected: str, same: bool) -> None:
    assert is_exact_match(answer, expected) is same


def test_an_answer_of_articles_alone_is_kept() -> None:
    assert normalise_answer("The") == "the"
    assert normalise_answer("the end") == "end"


def test_containing_is_by_whole_words() -> None:
    assert contains_answer("The capital of France is Paris.", "Paris")
    assert contains_answer("It is the Pacific Ocean, I think.", "The Pacific Ocean")
    assert not contains_answer("The Parisians live there.", "Paris")


def test_rouge_l_is_the_f1_of_the_longest_common_subsequence() -> None:
    # Lin 2004, section 3.1: "police killed the gunman" against "police kill the gunman" shares three words in order
    assert rouge_l("police kill the gunman", "police killed the gunman") == pytest.approx(0.75)
    assert rouge_l("the gunman kill police", "police killed the gunman") == pytest.approx(0.5)
    assert rouge_l("a b c d", "b d") == pytest.approx(2 * 2 / 6)
    assert rouge_l("same words", "Same words!") == 1.0
    assert rouge_l("", "something") == 0.0
    assert rouge_l("", "") == 1.0


def test_the_longest_common_subsequence() -> None:
    assert longest_common_subsequence("abcbdab", "bdcaba") == 4  # Cormen et al., Introduction to Algorithms
    assert longest_common_subsequence("", "abc") == 0
