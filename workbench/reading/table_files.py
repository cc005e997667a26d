"""Queries to the tables of files, inside the reader process. The tables of the last files stay loaded.

The cells of table files (csv, tsv, xlsx), for queries; what a search reads is ``table.py`` and ``sheets.py``.
"""

from __future__ import annotations

import os
from pathlib import Path

from workbench.base.errors import UserError
from workbench.reading.content import read_content
from workbench.reading.grid import Row
from workbench.reading.kinds import kind_of
from workbench.reading.reader_calls import QueryTables, ReadLimits, TableAnswer
from workbench.reading.table import table_rows
from workbench.reading.table_query import MOST_TABLES, Database, QueryProblem, Table, TableInfo, table_of

_loaded: dict[tuple[tuple[str, int, int], ...], tuple[Database, tuple[TableInfo, ...]]] = {}


def query_files(call: QueryTables) -> TableAnswer:
    """Raises UserError with the reason."""
    database, tables = _open(call)
    if not call.sql.strip():
        return TableAnswer(tables=tables)
    try:
        found = database.query(call.sql, call.most)
    except QueryProblem as problem:
        names = "; ".join(f"{one.name}({', '.join(one.columns[:20])})" for one in tables)
        raise UserError(f"The query failed: {problem}.", f"Tables: {names}.") from problem
    return TableAnswer(found=found)


def _open(call: QueryTables) -> tuple[Database, tuple[TableInfo, ...]]:
    mark = tuple(_mark(path) for path in call.paths)
    if mark not in _loaded:
        for database, _ in _loaded.values():
            database.close()
        _loaded.clear()
        tables: list[Table] = []
        for path in call.paths:
            for name, rows in read_cells(Path(path), call.limits):
                if len(tables) < MOST_TABLES:
                    tables.append(table_of(name, rows, [one.name for one in tables]))
        summaries = tuple(TableInfo(name=t.name, columns=t.columns, rows=len(t.rows)) for t in tables)
        _loaded[mark] = Database(tables), summaries
    return _loaded[mark]


def _mark(path: str) -> tuple[str, int, int]:
    try:
        status = os.stat(path)
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}.", "Put the file back, or remove it.") from error
    return path, status.st_mtime_ns, status.st_size


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
