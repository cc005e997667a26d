"""The text of an answer for the terminal. The rows of tables that it quotes as lines (``Name: Westkapelle | Built:
1470``) become small aligned tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from workbench.cli.output import display_width
from workbench.records.messages import Citation
from workbench.records.places import columns_of
from workbench.records.quoted_tables import QuotedTable, parts_of
from workbench.records.table_lines import BAR

_GAP = "  "


def answer_text(text: str, citations: Sequence[Mapping[str, Any]], width: int) -> str:
    """The text with its quoted rows as tables of at most ``width`` columns of the terminal. Rows of the same columns
    that follow each other are one table; one that is wider stands as names and values below each other."""
    if BAR not in text:
        return text
    columns = {one.n: columns_of(one) for one in msgspec.convert(list(citations), list[Citation])}
    lines: list[str] = []
    for part in parts_of(text, columns):
        lines += _drawn(part, width) if isinstance(part, QuotedTable) else [part]
    return "\n".join(lines)


def _drawn(table: QuotedTable, width: int) -> list[str]:
    names, rows = table.names, (table.names, *table.rows)
    widths = [max(display_width(row[column]) for row in rows) for column in range(len(names))]
    if sum(widths) + len(_GAP) * (len(names) - 1) <= width:
        rule = tuple("-" * wide for wide in widths)
        return [_line(row, widths) for row in (names, rule, *table.rows)]
    longest = max(map(display_width, names))
    lines: list[str] = []
    for values in table.rows:
        lines += [""] if lines else []
        lines += [_line((name, value), (longest, 0)) for name, value in zip(names, values, strict=True) if value]
    return lines


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = [cell + " " * (wide - display_width(cell)) for cell, wide in zip(cells, widths, strict=True)]
    return _GAP.join(padded).rstrip()
