"""A line that begins otherwise than some others, as a regular expression.

A small model without chance proposes the same thought again, however it is asked for another one. A mask over the first
letters leaves it no way to, and what follows is its own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable

BEGINNING = 5
"""Characters of a line's first word by which beginnings differ."""
REST = r"[^\n]{2,158}"
_MARKS = r" \t\-*#>"
_SPECIAL = r"\^]["


def beginnings(lines: Iterable[str]) -> frozenset[str]:
    """How the lines begin, whatever the case: their first words, cut."""
    return frozenset(line.split()[0][:BEGINNING].casefold() for line in lines if line.split())


def line_unlike(lines: Iterable[str]) -> str:
    """The pattern of a line, with its end, that begins with none of the beginnings of ``lines``, nor as an item of a
    list."""
    return rf"({_otherwise(beginnings(lines), _MARKS)})\n"


def _otherwise(begun: Collection[str], marks: str = "") -> str:
    following: dict[str, set[str]] = defaultdict(set)
    for one in begun:
        following[one[0]].add(one[1:])
    named = "".join(_both_cases(sign) for sign in sorted(following))
    ways = [rf"[^\n{marks}{named}]{REST}"]
    for sign, rests in sorted(following.items()):
        if "" not in rests:
            ways.append(f"[{_both_cases(sign)}]({_otherwise(rests)})")
    return "|".join(ways)


def _both_cases(sign: str) -> str:
    """The sign in both cases, for a class of characters."""
    cases = dict.fromkeys((sign, *(case for case in (sign.upper(), sign.lower()) if len(case) == 1)))
    return "".join(f"\\{case}" if case in _SPECIAL or case == "-" else case for case in cases)
