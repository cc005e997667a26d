"""The differences of two texts by words: what only the second one says, and what only the first one says."""

from __future__ import annotations

import re
from collections import Counter
from difflib import SequenceMatcher
from itertools import takewhile
from typing import Literal

Change = Literal["same", "added", "removed"]

LONGEST = 4_000
"""Words: what follows them in longer texts is compared as one piece."""
MOST_PAIRS = 12_000
"""The comparison takes a step for each pair of equal pieces. Texts with more of them are compared by sentences."""
_WORDS = re.compile(r"\w+\s*|[^\w\s]\s*|\s+")
_SENTENCES = re.compile(r"[^.!?\n]*[.!?\n]+\s*|[^.!?\n]+")


def compare_words(before: str, after: str) -> list[tuple[Change, str]]:
    """Pieces that are joined to either text: ``same`` and ``removed`` to the first, ``same`` and ``added`` to the
    second one."""
    pieces: list[tuple[Change, str]] = []

    def add(change: Change, text: str) -> None:
        if text and pieces and pieces[-1][0] == change:
            pieces[-1] = (change, pieces[-1][1] + text)
        elif text:
            pieces.append((change, text))

    first, second = _pieces(_WORDS, before), _pieces(_WORDS, after)
    begins = _equal(first, second)
    ends = _equal(first[begins:][::-1], second[begins:][::-1])
    add("same", "".join(first[:begins]))
    tail = first[len(first) - ends :]
    first, second = first[begins : len(first) - ends], second[begins : len(second) - ends]
    if _pairs(first, second) > MOST_PAIRS:
        first, second = _pieces(_SENTENCES, "".join(first)), _pieces(_SENTENCES, "".join(second))
    if _pairs(first, second) > MOST_PAIRS:
        first, second = ["".join(first)], ["".join(second)]
    # without what follows them: a word is the same before a full stop
    words = SequenceMatcher(None, [one.rstrip() for one in first], [one.rstrip() for one in second], autojunk=False)
    for kind, start, end, starts, stops in words.get_opcodes():
        if kind != "equal":
            add("removed", "".join(first[start:end]))
            add("added", "".join(second[starts:stops]))
            continue
        for one, other in zip(first[start:end], second[starts:stops], strict=True):
            same = one if one == other else one.rstrip()
            add("same", same)
            add("removed", one[len(same) :])
            add("added", other[len(same) :])
    add("same", "".join(tail))
    return pieces


def _pieces(pattern: re.Pattern[str], text: str) -> list[str]:
    found = pattern.findall(text)
    rest = "".join(found[LONGEST:])
    return [*found[:LONGEST], *([rest] if rest else [])]


def _equal(first: list[str], second: list[str]) -> int:
    """The number of pieces at the beginning that are the same."""
    return sum(1 for _ in takewhile(lambda both: both[0] == both[1], zip(first, second, strict=False)))


def _pairs(first: list[str], second: list[str]) -> int:
    """The number of pairs of equal pieces."""
    counts = Counter(one.rstrip() for one in second)
    return sum(counts[one.rstrip()] for one in first)
