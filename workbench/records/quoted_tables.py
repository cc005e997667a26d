"""The rows of tables that an answer or a source quotes as lines (``Name: Westkapelle | Height: 52``), told from the
words around them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from workbench.records.table_lines import BAR, is_rule, quoted_row

_CITED = re.compile(r"(?:\s*\[\d{1,3}\])+\s*$")
_NUMBER = re.compile(r"\[(\d{1,3})\]")
_FENCE = re.compile(r"\s*(?:```|~~~)")
BAR_IN_CELL = "\\|"


class QuotedTable(NamedTuple):
    """Rows of the same columns that follow each other. Citations stand behind the last cell of their row."""

    names: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def as_markdown(self) -> str:
        lines = [self.names, ("---",) * len(self.names), *self.rows]
        return "\n".join(f"| {BAR.join(cell.replace('|', BAR_IN_CELL) for cell in line)} |" for line in lines)


def parts_of(text: str, columns: Mapping[int, Sequence[str]]) -> Iterator[str | QuotedTable]:
    """The text as its tables and the lines around them, in order. ``columns`` are the names of the columns by the
    number of the citation that is a row of them; 0 is for rows that cite nothing."""
    table: list[tuple[str, ...]] = []
    names: tuple[str, ...] = ()
    blanks = 0  # lines between a table and what follows it
    in_code = False
    lines = text.split("\n")
    marked = any(map(is_rule, lines))  # then lines that begin with a bar are a table of Markdown already
    for line in lines:
        if table and not line.strip():
            blanks += 1
            continue
        in_code ^= _FENCE.match(line) is not None
        is_words = in_code or BAR not in line or (marked and line.lstrip().startswith("|"))
        row = None if is_words else _row_of(line, columns)
        if table and (row is None or row[0] != names):
            yield QuotedTable(names, tuple(table))
            yield from [""] * blanks
            table = []
        blanks = 0
        if row is None:
            yield line
        else:
            names = row[0]
            table.append(row[1])
    if table:
        yield QuotedTable(names, tuple(table))


def with_markdown_tables(text: str, columns: Mapping[int, Sequence[str]]) -> str:
    """The text with its rows as tables of Markdown."""
    if BAR not in text:
        return text
    parts: list[str] = []
    for part in parts_of(text, columns):
        if isinstance(part, QuotedTable):
            parts += [*([""] if parts and parts[-1].strip() else []), part.as_markdown(), ""]
        elif part.strip() or not parts or parts[-1]:
            parts.append(part)
    return "\n".join(parts).rstrip("\n")


def _row_of(line: str, columns: Mapping[int, Sequence[str]]) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    """The names and the cells of a line that is a row."""
    cited = _CITED.search(line)
    numbers = [int(number) for number in _NUMBER.findall(cited.group())] if cited is not None else []
    known = next((columns[number] for number in (*numbers, 0) if columns.get(number)), ())
    row = quoted_row(line[: cited.start()] if cited is not None else line, known)
    if row is None or "`" in line:
        return None
    names, values = row
    behind = f" {cited.group().strip()}" if cited is not None else ""
    return names, (*values[:-1], values[-1] + behind)
