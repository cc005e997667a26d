"""The loop detector: whether an answer has begun to repeat itself, by its tokens and their texts.

An answer loops when its end is a unit that was written three times, ``FEWEST`` tokens or more in all. A unit is either
a sequence of tokens that recurs exactly (``again and again and again``), or lines and sentences that recur in any
order, whatever their list markers say (``12. just as happy``), once nothing new comes between them. Not looked at is
what may repeat: code, and units without words, which are rules of tables, numbers and fill characters. A numbered list
of a few labels in no fixed order, as of messages that are spam or not, is a loop only when it is long.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from workbench.techniques.decoding.repetition import Tokens

TIMES, SHORT_TIMES = 3, 4
"""So often a unit is written before it is a loop: a short one once more, since songs repeat a line three times."""

SHORT = 24
"""Tokens below which a unit is short."""

TIMES_MIXED = 5
"""... and so often lines that recur in no fixed order: verses and their refrain may make three of each."""

FEWEST = 48
"""Minimum tokens of all repetitions together."""

EVERY = 8
"""An answer is looked at each time that it has grown by so many tokens."""

LONGEST = 512
"""Maximum tokens of a unit that recurs exactly."""

_LOOKED_AT = 2 * TIMES * LONGEST
_SEEN_BEFORE = 3
"""Only where so many last tokens have occurred before can something repeat, and only then text is read."""

_EARLIER = 4
"""... or so many tokens earlier: the number of a list's item differs each time."""

_LABELS = 4
"""Cells of one row of a table, and labels of a numbered list, are a loop at so many times the tokens."""

_EMOJI, _IDEOGRAPHS = 0x1F000, 0x2E80

_CODE = re.compile(
    r'</|/>|[{}]|;\s*$|\(\)|==|=>|->|::|^\s*[\w.]+\s*=\s|^\s*"[^"\n]*":|^\s*[\w.]+\([^\n]*\)\s*$|",\s*"', re.MULTILINE
)
_FENCE = re.compile(r"^[ ]{0,3}(?:[-*+>][ ]+)?(?:```|~~~)[^\n]*", re.MULTILINE)
_MARKER = re.compile(r"^[\s>]*(?:(?:[-*+•–]|\(?\d{1,4}[.):]|\(?[A-Za-z][.)]|#{1,6})\s+)*")
_END = r"[.!?。！？…][\"'”’)*_]*"
_PIECE = re.compile(rf"[^\n]*?{_END}(?=\s|$)|[^\n]+")
_FINISHED = re.compile(rf"{_END}$")


class _Unit(NamedTuple):
    """A line or a sentence: the text that counts and as it was written, whether it can be what an answer loops with,
    whether it stands in a numbered list, and its tokens."""

    text: str
    written: str
    speaks: bool
    numbered: bool
    tokens: float


def repeated(tokens: Sequence[int], piece: Callable[[int], bytes], given: int = 0) -> str:
    """The unit with which the answer ``tokens`` loops; "" while it does not. ``piece``: the bytes of a token. The first
    ``given`` tokens were there before: an answer that goes on from a loop is one when it has begun another."""
    if len(tokens) - given < FEWEST:
        return ""
    recent = np.asarray(tokens[max(given, len(tokens) - _LOOKED_AT) :], np.intp)
    ends = _ends_before(recent)
    if ends.size < TIMES - 1 and _ends_before(recent[:-_EARLIER]).size < TIMES - 1:
        return ""
    pieces = [piece(token) for token in tokens]
    before, text = _text(pieces[:given]), _text(pieces)
    fences = [match.end() for match in _FENCE.finditer(text)]
    if len(fences) % 2:
        return ""
    period = _period(recent, ends)
    if period:
        unit = _text(pieces[-period:])
        if _speaks(2 * unit) and not _is_within_row(text, recent, period, pieces):
            return _from_its_start(unit)
    after_code = text[max([len(before), *fences[-1:]]) :]
    return _repeated_lines(list(_units(after_code, len(tokens) / max(1, len(text)))))


def _times(tokens: float) -> int:
    """How often a unit of so many tokens is written before it is a loop."""
    return TIMES if tokens >= SHORT else SHORT_TIMES


def _from_its_start(unit: str) -> str:
    """The same unit from the beginning of a line, a sentence or a word: the detector may see it from the middle."""
    for border in (r"\n\s*", rf"{_END}\s+", r"\s+"):
        if found := re.search(border, unit):
            return (unit + unit)[found.end() : found.end() + len(unit)]
    return unit


def _text(pieces: Sequence[bytes]) -> str:
    return b"".join(pieces).decode("utf-8", "replace")


def _ends_before(recent: Tokens) -> Tokens:
    """The places after earlier occurrences of the last few tokens."""
    size = _SEEN_BEFORE
    same = np.ones(recent.size - size, np.bool_)
    for back in range(size):
        same &= recent[size - 1 - back : -1 - back] == recent[-1 - back]
    return np.flatnonzero(same) + size


def _period(recent: Tokens, ends: Tokens) -> int:
    """The tokens of the shortest unit that was written often enough up to the end; 0 for none."""
    for end in ends[::-1].tolist():
        period = recent.size - end
        if period > LONGEST:
            break
        again = max(_times(period) * period, FEWEST) - period
        if again + period <= recent.size and bool((recent[-again:] == recent[-again - period : -period]).all()):
            return int(period)
    return 0


def _is_within_row(text: str, recent: Tokens, period: int, pieces: Sequence[bytes]) -> bool:
    """Whether these are cells of one row of a table, which are often the same: only many of them are a loop."""
    if not text[text.rfind("\n") + 1 :].lstrip().startswith("|"):
        return False
    differ = np.flatnonzero(recent[period:] != recent[:-period])
    length = int(recent.size - (differ[-1] + 1 if differ.size else 0))
    return length < _LABELS * FEWEST and "\n" not in _text(pieces[-length:])


def _speaks(unit: str) -> bool:
    """Whether a unit has words: more letters than other characters and no code, or nothing but blank lines."""
    if _CODE.search(unit):
        return False
    shown = [sign for sign in unit if not sign.isspace()]
    if not shown:
        return "\n" in unit
    return 2 * sum(sign.isalpha() or ord(sign) >= _EMOJI for sign in shown) > len(shown)


def _units(text: str, tokens: float) -> Iterator[_Unit]:
    """The lines and sentences of a text, with so many tokens to a character; the last is left out while it is
    unfinished."""
    for line in text.splitlines(keepends=True):
        marker = _MARKER.match(line)
        found = [match[0] for match in _PIECE.finditer(line, marker.end() if marker is not None else 0)]
        if found and not line.endswith("\n") and not _FINISHED.search(line):
            found.pop()
        numbered = marker is not None and any(map(str.isdigit, marker[0]))
        for said in found:
            written = " ".join(said.split()).strip("*_ ")
            if written:
                body = written.casefold()
                several = " " in body or any(ord(sign) >= _IDEOGRAPHS for sign in body)
                yield _Unit(body, written, several and _speaks(body), numbered, tokens * len(said))


def _repeated_lines(units: Sequence[_Unit]) -> str:
    """The lines and sentences of which the end of the answer consists, "" for none: in the same order each time, or in
    any order ``TIMES_MIXED`` times over.

    Songs whose verses grow (The House That Jack Built) have something new in each, so that no such end is found.
    """
    texts = [unit.text for unit in units]
    first: dict[str, int] = {}  # of each text, how many characters follow its first occurrence
    length, speaking, numbered, tokens = 0, 0, 0, 0.0
    for place in range(len(units) - 1, -1, -1):
        unit = units[place]
        first[unit.text] = length
        length += len(unit.text)
        speaking += unit.speaks * len(unit.text)
        numbered += unit.numbered * len(unit.text)
        tokens += unit.tokens
        if tokens < FEWEST or 2 * speaking < length:
            continue
        count, different = len(units) - place, len(first)
        times = _times(tokens * different / count)
        in_order = count >= times * different and texts[place:-different] == texts[place + different :]
        mixed = TIMES_MIXED * min(first.values()) >= (TIMES_MIXED - 1) * length
        if in_order or (mixed and (2 * numbered < length or tokens >= _LABELS * FEWEST)):
            written: dict[str, str] = {}
            for unit in units[place:]:
                written.setdefault(unit.text, unit.written)
            return "\n".join(written.values())
    return ""
