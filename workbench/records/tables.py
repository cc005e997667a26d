"""The tables of a document as they are stored: columns with a kind and a unit, rows with their place in the text."""

from __future__ import annotations

from typing import Literal

import msgspec

ColumnKind = Literal["number", "date", "time", "text"]


class TableColumn(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """``name`` joins the rows of the head; "" where the table has none. ``unit`` is that of all numbers ("EUR", "%",
    "kg"). ``comma``: a sign that could be either is read in the style of "1.234,5"."""

    name: str
    kind: ColumnKind = "text"
    unit: str = ""
    comma: bool = False


class TableRow(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A row: a text for each column, "" for an empty cell. ``number`` counts from 1 in the sheet or the table as it
    is in the file. ``start`` to ``end`` is its line in the document's text, 0 to 0 where it was not found there."""

    cells: tuple[str, ...]
    number: int
    start: int = 0
    end: int = 0


class DocumentTable(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A typed table. ``name`` is its sheet, or the heading before it; ``title`` the rows before its head. ``totals``
    are rows that sum up others: no row of the data. ``incomplete``: there are rows or cells that were not read."""

    columns: tuple[TableColumn, ...]
    rows: tuple[TableRow, ...]
    name: str = ""
    title: str = ""
    totals: tuple[TableRow, ...] = ()
    incomplete: bool = False
