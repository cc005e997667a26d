"""Pairs from documents pass the check of statements that every text made from documents passes."""

from __future__ import annotations

import pytest

from tests.fakes import passage
from workbench.subjects.datasets.runs import verified
from workbench.training.data.pairs import judge

TERMS = passage("The warranty of the pump runs for 36 months. It does not cover the shaft seal.", start=40)


def test_an_answer_that_the_passage_denies_is_left_out_with_the_reason() -> None:
    pair = judge("What does the warranty cover?", "It covers the shaft seal.", TERMS)
    assert pair.supported  # each of its words stands in the sentence
    left_out = verified(pair, TERMS)
    assert left_out.reason == "The passages do not support this. The passage says the opposite."
    assert (left_out.question, left_out.answer, left_out.source) == (pair.question, pair.answer, pair.source)


@pytest.mark.parametrize("answer", ["36 months", "It runs for 36 months.", "The warranty runs for 36 months."])
def test_a_supported_answer_stays(answer: str) -> None:
    pair = judge("How long does the warranty of the pump run?", answer, TERMS)
    assert pair.supported
    assert verified(pair, TERMS) == pair


def test_a_pair_that_was_left_out_before_keeps_its_reason() -> None:
    pair = judge("How long does the warranty run?", "48 months", TERMS)
    assert verified(pair, TERMS).reason == pair.reason != ""
