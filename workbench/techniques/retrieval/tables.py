"""Rows that a model extracted, as a Markdown table: parsed leniently, checked against the text, merged."""

from __future__ import annotations

import re
from collections.abc import Sequence

from workbench.text.terms import Vocabulary

Row = tuple[str, ...]
_EMPTY = {"", "-", "–", "—", "n/a", "none", "unknown", "null", "not given", "not mentioned", "not specified"}


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
        cells = [c.strip().strip("*`").strip() for c in re.split(r"(?<!\\)\|", line.strip().strip("|"))]
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


def merge_rows(rows: Sequence[tuple[Row, int]]) -> list[tuple[Row, list[int]]]:
    """Rows of several sections without repetitions: ``(row, sections)``.

    Two rows are the same when no cell contradicts and at least one full cell agrees.
    """
    merged: list[tuple[Row, list[int]]] = []
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


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(re.sub(r"(?<!\\)\|", r"\\|", c).replace("\n", " ") for c in cells) + " |"


def _agree(a: Row, b: Row) -> bool:
    pairs = [(x.casefold(), y.casefold()) for x, y in zip(a, b, strict=True) if x and y]
    return bool(pairs) and all(x == y for x, y in pairs)
