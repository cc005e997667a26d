"""SQL on tables of cells: an SQLite database in memory, of which a query can only read.

Columns are named in the letters that SQL takes without quotes; cells that look like numbers are numbers. A query has a
deadline, and limits on its length, its values and its functions.
"""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Sequence

import msgspec

MOST_ROWS, MOST_COLUMNS, MOST_TABLES = 50_000, 200, 50
QUERY_S = 1.0
LONGEST_SQL, LONGEST_VALUE, HEAP_BYTES = 2_000, 1_000_000, 256_000_000

Cell = str | float | None

_ALLOWED = {
    sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE,
}  # fmt: skip
_FUNCTIONS = {
    "sum", "count", "avg", "min", "max", "total", "abs", "round", "lower", "upper", "length", "substr", "coalesce",
    "group_concat", "like", "ifnull", "nullif", "trim", "instr", "replace", "sign", "date", "strftime", "cast",
    "row_number", "rank", "iif",
}  # fmt: skip
_NUMBER = re.compile(r"-?(\d+|\d{1,3}(,\d{3})+)(\.\d+)?")


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """``rows`` have a cell for each of ``columns``."""

    name: str
    columns: tuple[str, ...]
    rows: Sequence[Sequence[Cell]]


class TableRows(msgspec.Struct, frozen=True, kw_only=True):
    """The rows that a query has selected, as texts; ``more``: there are further ones."""

    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    more: bool = False


class TableInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A table as SQL names it, its columns, and the number of its rows."""

    name: str
    columns: tuple[str, ...]
    rows: int


class QueryProblem(Exception):
    """Why a query gives no rows, as SQLite says it."""


def table_of(name: str, cells: Sequence[Sequence[str]], taken: Sequence[str] = ()) -> Table:
    """A table whose first row names its columns; its own name is none of ``taken``."""
    width = min(MOST_COLUMNS, max((len(row) for row in cells), default=0))
    columns: list[str] = []
    for place in range(width):
        title = cells[0][place] if place < len(cells[0]) else ""
        columns.append(_free(sql_name(title) or f"column_{place + 1}", columns))
    rows = [[value_of(row[place]) if place < len(row) else None for place in range(width)] for row in cells[1:]]
    return Table(name=_free(sql_name(name) or "t", taken), columns=tuple(columns), rows=rows[:MOST_ROWS])


def sql_name(title: str) -> str:
    """A title as a name in SQL; "" where nothing of it is left."""
    return re.sub(r"\W+", "_", title.strip().lower()).strip("_")[:60]


def _free(name: str, taken: Sequence[str]) -> str:
    while name in taken or name[0].isdigit() or name in _RESERVED:
        name = f"c_{name}"
    return name


_RESERVED = frozenset({
    "select", "from", "where", "group", "order", "by", "limit", "table", "index", "values", "and", "or", "not", "null",
    "is", "in", "as", "on", "join", "union", "all", "distinct", "having", "case", "when", "then", "else", "end",
    "exists", "between", "into", "set", "to", "primary", "default", "check",
})  # fmt: skip


def value_of(cell: str) -> Cell:
    """A cell as a number where it is one, None where it is empty."""
    text = cell.strip()
    return float(text.replace(",", "")) if _NUMBER.fullmatch(text) else text or None


class Database:
    """Some tables, to be queried on one thread at a time. Close it."""

    def __init__(self, tables: Sequence[Table]) -> None:
        self._ends = 0.0
        self._connection = sqlite3.connect(":memory:", check_same_thread=False)
        self._connection.execute(f"pragma hard_heap_limit = {HEAP_BYTES}")
        for table in tables[:MOST_TABLES]:
            names = ", ".join(f'"{name}"' for name in table.columns)
            self._connection.execute(f'create table "{table.name}" ({names})')
            places = ", ".join("?" * len(table.columns))
            self._connection.executemany(f'insert into "{table.name}" values ({places})', table.rows)
        self._connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LONGEST_VALUE)
        self._connection.setlimit(sqlite3.SQLITE_LIMIT_SQL_LENGTH, LONGEST_SQL)
        self._connection.set_authorizer(_authorize)
        self._connection.set_progress_handler(lambda: time.monotonic() > self._ends, 1_000)

    def query(self, sql: str, most: int) -> TableRows:
        """At most so many rows. Raises QueryProblem."""
        self._ends = time.monotonic() + QUERY_S
        try:
            cursor = self._connection.execute(sql)
            found = cursor.fetchmany(most + 1)
            columns = tuple(column[0] for column in cursor.description or ())
        except (sqlite3.Error, sqlite3.Warning, OverflowError, MemoryError) as error:
            late = time.monotonic() > self._ends
            raise QueryProblem(f"it took longer than {QUERY_S:g} s" if late else str(error)) from error
        rows = tuple(tuple(map(shown, row)) for row in found[:most])
        return TableRows(columns=columns, rows=rows, more=len(found) > most)

    def close(self) -> None:
        self._connection.close()


def shown(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.10g}"
    return "" if value is None else str(value)


def _authorize(action: int, first: str | None, second: str | None, *_: str | None) -> int:
    if action == sqlite3.SQLITE_FUNCTION:
        return sqlite3.SQLITE_OK if (second or "").lower() in _FUNCTIONS else sqlite3.SQLITE_DENY
    if action == sqlite3.SQLITE_READ and (first or "").lower().startswith("sqlite_"):
        return sqlite3.SQLITE_DENY
    return sqlite3.SQLITE_OK if action in _ALLOWED else sqlite3.SQLITE_DENY
