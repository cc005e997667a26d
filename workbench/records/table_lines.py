"""The lines in which the rows of a table stand in the text of a document, and their cells.

``Name: Westkapelle | Height: 52`` has two named cells, ``Monday | closed`` two without a name, and ``| a | b |`` is a
row as Markdown writes it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

BAR = " | "
LONGEST_NAME = 60
"""Characters of the name of a column."""
QUOTED = re.compile(r"[ ]{0,3}(?:>[ ]?)+")
"""The signs before a line of a mail that quotes another one."""
_NAMED = re.compile(r"([^:|]{1,80}): (?=\S)")
_RULE = re.compile(r"[|+]?\s*:?-+:?\s*(?:[|+]\s*:?-*:?\s*)*[|+]?")
_INNER_BAR = re.compile(r"(?<!\\)\|")


class LineCell(msgspec.Struct, frozen=True):
    """``text[start:end]`` is the value of a cell; ``name`` is its column's, "" where the line does not name it."""

    start: int
    end: int
    name: str = ""


def is_row(line: str) -> bool:
    """Whether a line is a row of a table."""
    return BAR in line or (line.startswith("|") and line.count("|") > 1)


def is_rule(line: str) -> bool:
    """Whether a line only parts the head of a table from its rows: ``|---|---|``."""
    return "|" in line and "-" in line and _RULE.fullmatch(line.strip()) is not None


def cells_of_line(line: str, start: int = 0, names: Sequence[str] = ()) -> list[LineCell]:
    """The cells of a row whose line begins at ``start`` of a text. Where ``names`` of columns are known, no other
    beginning of a cell is taken for a name."""
    cells: list[LineCell] = []
    for at, end in _parts(line):
        match = _NAMED.match(line, at, end)
        name = match.group(1) if match is not None and (not names or match.group(1) in names) else ""
        value = match.end() if match is not None and name else at
        cells.append(LineCell(start + value, start + end, name))
    return cells


def named_columns(lines: Sequence[str]) -> tuple[str, ...]:
    """The names of the columns that these rows name themselves, in their order; none where a row has cells without a
    name."""
    names: dict[str, None] = {}
    for line in lines:
        cells = cells_of_line(line)
        if len(cells) < 2 or not all(cell.name for cell in cells):
            return ()
        names.update(dict.fromkeys(cell.name for cell in cells))
    return tuple(names)


def quoted_row(line: str, known: Sequence[str] = ()) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    """The names of the columns and the cells of a row that an answer quotes, without the signs of its quotation (of
    “…” and of a mail's ``>``); None where the line is no row, or where a column has no name, neither in the line nor
    among those that are ``known``."""
    text = QUOTED.sub("", line.strip().removeprefix("“").removesuffix("”"))
    if BAR not in text:
        return None
    cells = cells_of_line(text)
    names = tuple(cell.name for cell in cells)
    values = tuple(text[cell.start : cell.end] for cell in cells)
    if not all(names):
        values = tuple(text[c.start - len(c.name) - 2 if c.name else c.start : c.end] for c in cells)
        if len(known) != len(values) or not all(known):
            return None
        names = tuple(known)
    return (names, values) if all(len(name) <= LONGEST_NAME for name in names) else None


def _parts(line: str) -> list[tuple[int, int]]:
    """Where the cells of a line are, without the blanks around them."""
    if not line.lstrip().startswith("|"):
        parts, at = [], 0
        while (bar := line.find(BAR, at)) >= 0:
            parts.append((at, bar))
            at = bar + len(BAR)
        parts.append((at, len(line)))
        return [_trimmed(line, *part) for part in parts]
    bars = [match.start() for match in _INNER_BAR.finditer(line)]
    ends = bars[1:] if line.rstrip().endswith("|") and len(bars) > 1 else [*bars[1:], len(line)]
    return [_trimmed(line, bar + 1, end) for bar, end in zip(bars, ends, strict=False)]


def _trimmed(line: str, start: int, end: int) -> tuple[int, int]:
    while start < end and line[start] == " ":
        start += 1
    while end > start and line[end - 1] == " ":
        end -= 1
    return start, end
