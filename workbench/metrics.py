"""Metrics of answers against expected ones. Pure functions: no model, no files."""

from __future__ import annotations

import re
import string
from collections.abc import Sequence

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_PUNCTUATION = str.maketrans("", "", string.punctuation)
_WORDS = re.compile(r"\w+")


def normalise_answer(text: str) -> str:
    """In one case, without punctuation, English articles and surplus white space, as SQuAD compares answers (Rajpurkar
    et al. 2016, arXiv:1606.05250). A text that consists of such alone stays as it is."""
    plain = text.casefold().translate(_PUNCTUATION)
    without = " ".join(_ARTICLES.sub(" ", plain).split())
    return without or " ".join(text.casefold().split())


def is_exact_match(answer: str, expected: str) -> bool:
    """Whether both say the same, normalised."""
    return normalise_answer(answer) == normalise_answer(expected)


def contains_answer(answer: str, expected: str) -> bool:
    """Whether the words of ``expected`` stand in the answer one after the other, normalised."""
    return f" {normalise_answer(expected)} " in f" {normalise_answer(answer)} "


def rouge_l(answer: str, expected: str) -> float:
    """F1 of the longest common subsequence of words, in [0, 1] (Lin 2004, https://aclanthology.org/W04-1013)."""
    said, wanted = _WORDS.findall(answer.casefold()), _WORDS.findall(expected.casefold())
    if not said or not wanted:
        return float(said == wanted)
    common = longest_common_subsequence(said, wanted)
    return 2 * common / (len(said) + len(wanted))


def longest_common_subsequence(first: Sequence[str], second: Sequence[str]) -> int:
    """The length of the longest sequence that is left of both when some of their items are left out."""
    row = [0] * (len(second) + 1)
    for item in first:
        diagonal = 0
        for place, other in enumerate(second, 1):
            above = row[place]
            row[place] = diagonal + 1 if item == other else max(above, row[place - 1])
            diagonal = above
    return row[-1]
