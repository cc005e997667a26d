"""What a question asks for, told by its words: a count, a sum, a highest row, a comparison, an empty cell."""

from __future__ import annotations

import re
from functools import cache
from importlib import resources

from workbench.text.cells import folded


@cache
def _compiled() -> dict[str, re.Pattern[str]]:
    patterns: dict[str, list[str]] = {}
    for line in (resources.files(__package__) / "cues.txt").read_text("utf-8").splitlines():
        name, colon, pattern = line.partition(": ")
        if colon and not line.startswith("#"):
            patterns.setdefault(name, []).append(pattern)
    return {name: re.compile("|".join(every)) for name, every in patterns.items()}


_BOUNDS, _SUPERLATIVES = ("at least", "at most"), ("lowest", "highest")


def cues_of(question: str) -> dict[str, list[tuple[int, int]]]:
    """The places of each kind of cue in a question; the kinds that it has none of are left out."""
    plain = same_length_folded(question)
    found = {name: [match.span() for match in pattern.finditer(plain)] for name, pattern in _compiled().items()}
    bounds = [span for name in _BOUNDS for span in found[name]]
    for name in _SUPERLATIVES:  # "at least" asks for no least
        found[name] = [one for one in found[name] if not any(low <= one[0] and one[1] <= high for low, high in bounds)]
    return {name: spans for name, spans in found.items() if spans}


def same_length_folded(text: str) -> str:
    """Folded sign by sign, so that places stay the same."""
    return "".join(plain if len(plain := folded(sign)) == 1 else sign.casefold()[:1] for sign in text)


_COMPUTING = ("sum", "average", "difference")


def asks_to_compute(question: str) -> frozenset[str]:
    """The kinds of cues by which a question asks for a sum, an average, a difference or what was used."""
    cues = cues_of(question)
    asks_amount = "how much" in cues or "asks_number" in cues
    return frozenset(name for name in (*_COMPUTING, *(("change",) if asks_amount else ())) if name in cues)
