"""Pairs of an answer and what is expected, in several languages. Those of the first file were written before the rules
that compare them, the further ones to find what the rules miss.

``verdict``: "exact" is an exact match and contained, "contains" is contained only, "wrong" is neither.
"""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from workbench.text.metrics import contains_answer, is_exact_match, word_f1


def _pairs(name: str) -> list[tuple[str, str, str, str]]:
    with Path(__file__).with_name(name).open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))[1:]
    return [
        (verdict, language, _unescaped(answer), _unescaped(expected)) for verdict, language, answer, expected in rows
    ]


def _unescaped(text: str) -> str:
    return "\\".join(part.replace("\\n", "\n") for part in text.split("\\\\"))


@pytest.mark.parametrize(
    ("verdict", "language", "answer", "expected"), _pairs("answer_pairs.tsv") + _pairs("further_pairs.tsv")
)
def test_a_pair_is_judged_as_a_person_judges_it(verdict: str, language: str, answer: str, expected: str) -> None:
    found = (
        "exact" if is_exact_match(answer, expected) else "contains" if contains_answer(answer, expected) else "wrong"
    )
    assert found == verdict
    if verdict == "exact":
        assert contains_answer(answer, expected)
        assert word_f1(answer, expected) == 1.0


def test_the_list_has_eight_languages_and_every_verdict() -> None:
    pairs = _pairs("answer_pairs.tsv")
    assert len(pairs) >= 60
    assert len({language for _, language, _, _ in pairs}) >= 8
    assert {verdict for verdict, _, _, _ in pairs} == {"exact", "contains", "wrong"}
