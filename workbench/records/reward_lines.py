"""The words of a line that a person types: settings with quotes around spaces.

A backslash stays, since expressions are written with it: it only takes the meaning of a quote, a space or another
backslash after it. In single quotes it always stays, in double quotes it is before a double quote or a backslash alone.
So a line that was written for a shell's rules reads as before, except that no backslash is lost.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence

_ESCAPED = {"": "\"'\\ \t\n", '"': '"\\'}
"""The quote that is open -> the signs whose meaning a backslash takes."""


def split_line(line: str) -> list[str]:
    """The words of a line. Raises ValueError for a quote that is not closed."""
    words: list[str] = []
    word: list[str] | None = None
    quote, place = "", 0
    while place < len(line):
        sign = line[place]
        if sign == "\\" and line[place + 1 : place + 2] and line[place + 1] in _ESCAPED.get(quote, ""):
            place += 1
            word = [*(word or []), line[place]]
        elif quote and sign == quote:
            quote = ""
        elif not quote and sign in "\"'":
            quote, word = sign, word or []
        elif not quote and sign.isspace():
            words += ["".join(word)] if word is not None else []
            word = None
        else:
            word = [*(word or []), sign]
        place += 1
    if quote:
        raise ValueError(f"the quotation mark {quote} is not closed")
    return [*words, "".join(word)] if word is not None else words


def join_line(words: Sequence[str]) -> str:
    """The line that ``split_line`` reads as these words."""
    return shlex.join(words)
