"""Rows of a document as a Markdown table: copied from its own tables, or extracted by a model, which are parsed
leniently, checked against the text and merged."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple

from workbench.text.terms import Vocabulary

Row = tuple[str, ...]
_EMPTY = {"", "-", "–", "—", "n/a", "none", "unknown", "null", "not given", "not mentioned", "not specified"}


class TableLine(NamedTuple):
    """A line ``text[start:end]`` of a table; ``row`` is None for its header."""

    row: Row | None
    start: int
    end: int


def find_table_lines(text: str, columns: Sequence[str]) -> list[TableLine]:
    """The lines of all tables of a text that have columns with these names.

    Three forms are recognised: ``NAME: value | NAME: value``, as documents and sheets are read; a header line and
    lines with as many cells (``Name | Price``); Markdown.
    """
    wanted = [_key(name) for name in columns]
    found: list[TableLine] = []
    lines = [(match.start(), match.group()) for match in re.finditer(r"^.*$", text, re.M)]
    for is_filled, block in groupby(lines, key=lambda line: bool(line[1].strip())):
        if is_filled:
            together = list(block)
            found += _named_lines(together, wanted) or _lines_below_header(together, wanted)
    return found


def _named_lines(lines: Sequence[tuple[int, str]], wanted: Sequence[str]) -> list[TableLine]:
    found: list[TableLine] = []
    seen: set[str] = set()
    for start, line in lines:
        cells = [cell.partition(": ") for cell in line.split(" | ")]
        named = {_key(name): value.strip() for name, _, value in cells if value}
        row = tuple(named.get(name, "") for name in wanted)
        if any(row) and (len(cells) > 1 or found):
            seen.update(name for name in wanted if name in named)
            found.append(TableLine(row, start, start + len(line)))
    return found if seen.issuperset(wanted) else []


def _lines_below_header(lines: Sequence[tuple[int, str]], wanted: Sequence[str]) -> list[TableLine]:
    found: list[TableLine] = []
    places: list[int] = []
    width = 0
    for start, line in lines:
        cells = _cells(line)
        if not places:
            names = [_key(cell) for cell in cells]
            if len(names) > 1 and set(names).issuperset(wanted):
                places, width = [names.index(name) for name in wanted], len(names)
                found.append(TableLine(None, start, start + len(line)))
        elif len(cells) == width:
            row = tuple(cells[place] for place in places)
            is_rule = all(re.fullmatch(r":?-*:?", cell) for cell in cells)
            found.append(TableLine(None if is_rule or not any(row) else row, start, start + len(line)))
    return found if any(line.row for line in found) else []


def read_rows(answer: str, columns: Sequence[str], source: str) -> list[Row]:
    """The table rows in a model's answer that have the right number of cells and occur in ``source``.

    A cell whose words are not all in the source is left empty; a row without a full cell is left out.
    """
    header = [c.strip().casefold() for c in columns]
    vocabulary = Vocabulary.of([source])
    known = set(vocabulary.stems(source))
    rows: list[Row] = []
    for line in answer.splitlines():
        if "|" not in line and len(columns) > 1:
            continue
        cells = _cells(line)
        if len(cells) != len(columns) or all(re.fullmatch(r":?-*:?", c) for c in cells):
            continue
        if [c.casefold() for c in cells] == header:
            continue
        row = tuple(
            "" if c.casefold() in _EMPTY or not known.issuperset(vocabulary.content_terms(c)) else c for c in cells
        )
        if any(row):
            rows.append(row)
    return rows


def merge_rows(rows: Sequence[tuple[Row, int]], copied: Sequence[tuple[Row, int]] = ()) -> list[tuple[Row, list[int]]]:
    """Rows of several sections without repetitions: ``(row, sections)``. ``copied`` rows stay apart from each other.

    Two rows are the same when no cell contradicts and at least one full cell agrees.
    """
    merged: list[tuple[Row, list[int]]] = [(row, [section]) for row, section in copied]
    for row, section in rows:
        for at, (other, sections) in enumerate(merged):
            if _agree(row, other):
                whole = tuple(b or a for a, b in zip(row, other, strict=True))
                merged[at] = whole, sections if section in sections else [*sections, section]
                break
        else:
            merged.append((row, [section]))
    return merged


def markdown_table(columns: Sequence[str], rows: Sequence[tuple[Row, list[int]]]) -> str:
    """The table, each row's sections cited in its last cell."""
    lines = [_line(columns), _line(["---"] * len(columns))]
    for row, sections in rows:
        sources = "".join(f"[{n}]" for n in sections)
        lines.append(_line([*row[:-1], f"{row[-1]} {sources}".strip()]))
    return "\n".join(lines)


def _key(name: str) -> str:
    return " ".join(name.casefold().split())


def _cells(line: str) -> list[str]:
    return [c.strip().strip("*`").strip() for c in re.split(r"(?<!\\)\|", line.strip().strip("|"))]


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(re.sub(r"(?<!\\)\|", r"\\|", c).replace("\n", " ") for c in cells) + " |"


def _agree(a: Row, b: Row) -> bool:
    pairs = [(x.casefold(), y.casefold()) for x, y in zip(a, b, strict=True) if x and y]
    return bool(pairs) and all(x == y for x, y in pairs)
