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
    pieces: list[tuple[Change, str]] = []
    for kind, begin, end, begins, ends in SequenceMatcher(None, first, second, autojunk=False).get_opcodes():
        if kind == "equal":
            pieces.append(("same", "".join(first[begin:end])))
            continue
        for change, part in (("removed", first[begin:end]), ("added", second[begins:ends])):
            if part:
                pieces.append((change, "".join(part)))  # type: ignore[arg-type]
    return pieces


def _pieces(text: str) -> list[str]:
    found = _PIECES.findall(text)
    rest = "".join(found[LONGEST:])
    return [*found[:LONGEST], *([rest] if rest else [])]
