"""The differences of two texts by words: what only the second one says, and what only the first one says."""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from typing import Literal

Change = Literal["same", "added", "removed"]

LONGEST = 4_000
"""Words: what follows them in longer texts is compared as one piece."""
_PIECES = re.compile(r"\w+\s*|[^\w\s]\s*|\s+")


def compare_words(before: str, after: str) -> list[tuple[Change, str]]:
    """Pieces that are joined to either text: ``same`` and ``removed`` to the first, ``same`` and ``added`` to the
    second one."""
    first, second = (_pieces(text) for text in (before, after))
    # without what follows them: a word is the same before a full stop
    words = SequenceMatcher(None, [one.rstrip() for one in first], [one.rstrip() for one in second], autojunk=False)
    pieces: list[tuple[Change, str]] = []

    def add(change: Change, text: str) -> None:
        if text and pieces and pieces[-1][0] == change:
            pieces[-1] = (change, pieces[-1][1] + text)
        elif text:
            pieces.append((change, text))

    for kind, begin, end, begins, ends in words.get_opcodes():
        if kind != "equal":
            add("removed", "".join(first[begin:end]))
            add("added", "".join(second[begins:ends]))
            continue
        for one, other in zip(first[begin:end], second[begins:ends], strict=True):
            same = one if one == other else one.rstrip()
            add("same", same)
            add("removed", one[len(same) :])
            add("added", other[len(same) :])
    return pieces


def _pieces(text: str) -> list[str]:
    found = _PIECES.findall(text)
    rest = "".join(found[LONGEST:])
    return [*found[:LONGEST], *([rest] if rest else [])]
