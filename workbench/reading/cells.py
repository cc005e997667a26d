"""The cells of table files (csv, tsv, xlsx), for queries; what a search reads is ``table.py`` and ``sheets.py``."""

from __future__ import annotations

from pathlib import Path

from workbench.base.errors import UserError
from workbench.reading.content import read_content
from workbench.reading.kinds import kind_of
from workbench.reading.reader_calls import ReadLimits
from workbench.reading.table import Row, table_rows

WIDEST = 200
"""Columns of a sheet that are read; a cell further out is left out."""


def read_cells(path: Path, limits: ReadLimits) -> list[tuple[str, list[list[str]]]]:
    """The tables of a file, each with its name and its rows of texts. Raises UserError for a file that is none."""
    data = read_content(path, limits.largest_file_mb * 1_000_000).data
    kind = kind_of(path.name)
    if kind in ("csv", "tsv"):
        return [(path.stem, [row[:WIDEST] for row in table_rows(data, tabs=kind == "tsv")])]
    if kind != "xlsx":
        raise UserError(f"{path.name} is not a table.")
    from workbench.reading.sheets import sheet_rows

    sheets = sheet_rows(data)
    return [
        (path.stem if len(sheets) == 1 else f"{path.stem}_{name}", [_cells(row) for row in rows])
        for name, rows in sheets
    ]


def _cells(row: Row) -> list[str]:
    width = min(WIDEST, max(row, default=-1) + 1)
    return [row.get(place, "") for place in range(width)]
