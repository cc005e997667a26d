"""Text of strangers as the result of a tool: printable characters, cut to a length."""

from __future__ import annotations

import unicodedata

CELLS = " | "
"""Between the cells of a row of a table."""

NOT_SAID = "not said"
"""In place of a value that a text does not hold."""

_LINE_ENDS = {"\r\n": "\n", "\r": "\n", "\u2028": "\n", "\u2029": "\n", "\x85": "\n", "\x0b": "\n", "\x0c": "\n"}
_REORDERING = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")
"""Characters that show text in another order than it is in; joiners, which many scripts need, do not."""


def plain(text: str, longest: int) -> str:
    """A text without control characters (terminal codes begin with one), without characters that reorder what is shown
    and without unpaired surrogates; line ends are line feeds. Longer than ``longest`` characters, it is cut and says
    so."""
    cut = text[:longest]
    for end, feed in _LINE_ENDS.items():
        cut = cut.replace(end, feed)
    shown = "".join(sign for sign in cut if sign in "\n\t" or not _hidden(sign))
    left = len(text) - longest
    return f"{shown}\n… ({left:,} more characters)" if left > 0 else shown


def one_line(text: str, longest: int) -> str:
    """A text as a single line of printable characters: line ends, control and format characters become spaces."""
    cut = text[: 4 * longest]
    shown = "".join(" " if unicodedata.category(sign)[0] in "CZ" else sign for sign in cut)
    line = " ".join(shown.split())
    return line if len(line) <= longest and len(text) <= len(cut) else f"{line[: longest - 1].rstrip()}…"


def _hidden(sign: str) -> bool:
    return sign in _REORDERING or unicodedata.category(sign) in ("Cc", "Cs")
