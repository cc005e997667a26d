"""The queries of benchmarks/offices as the cross-encoder of tables reads them, and queries that differ in one thing.

How such a query is written is told at the head of ``offices/questions_kit.py``.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from workbench.techniques.retrieval.table_answers.schema import LoadedColumn, LoadedTable
from workbench.techniques.retrieval.table_answers.wording import Wording
from workbench.text.cells import folded

_FILTER = re.compile(r"(.+?)\s*(>=|<=|!=|=|>|<|~)\s*(.+)$")
_SAID = {
    "count": "how many", "distinct": "how many different {column}", "sum": "sum of {column}", "avg": "average {column}",
    "min": "lowest {column}", "max": "highest {column}", "row max": "row with the highest {column}",
    "row min": "row with the lowest {column}", "list": "list of {column}", "value": "{column}",
    "most": "{by} with the {measure}", "least": "{by} with the {measure}", "groups": "{measure} for each {by}",
}  # fmt: skip
_MEASURES = {
    "most count": "most rows", "least count": "fewest rows", "groups count": "Number of rows",
    "most sum": "highest sum of {column}", "least sum": "lowest sum of {column}", "groups sum": "Sum of {column}",
    "most avg": "highest average of {column}", "least avg": "lowest average of {column}",
    "groups avg": "Average of {column}",
}  # fmt: skip
_LIKE = {
    "count": ("sum", "list", "distinct"), "sum": ("avg", "max", "count"), "avg": ("sum", "max"),
    "min": ("max", "avg"), "max": ("min", "sum"), "row max": ("row min", "max"), "row min": ("row max", "min"),
    "list": ("count", "value"), "value": ("list",), "most": ("least",), "least": ("most",),
}  # fmt: skip
"""Operations for which one is taken."""
_BOUNDS = {">": "is over", ">=": "is at least", "<": "is under", "<=": "is at most"}
_DAYS = {">": "is after", ">=": "is on or after", "<": "is before", "<=": "is at most"}
_WORDING = Wording("brief")


@dataclass(frozen=True)
class Filter:
    """``sign`` as it is written, or "empty" or "filled"; ``value`` as it is read."""

    column: LoadedColumn
    sign: str
    value: str = ""

    def text(self) -> str:
        name = self.column.name
        if self.sign in ("empty", "filled"):
            return f"{name} is empty" if self.sign == "empty" else f"{name} is not empty"
        if self.sign in ("=", "!=", "~"):
            return f"{name} is {'not ' if self.sign == '!=' else ''}{self.value}"
        return f"{name} {(_DAYS if self.column.kind == 'date' else _BOUNDS)[self.sign]} {self.value}"


@dataclass(frozen=True)
class WrittenQuery:
    """``kind`` as it is written; ``column`` is what is computed or shown, ``by`` the column of groups."""

    table: LoadedTable
    kind: str
    column: str = ""
    by: str = ""
    measure: str = ""
    shown: tuple[str, ...] = ()
    filters: tuple[Filter, ...] = ()

    def text(self) -> str:
        measure = _MEASURES.get(f"{self.kind} {self.measure}", "").format(column=self.column)
        said = _SAID[self.kind].format(column=self.column, by=self.by, measure=measure)
        ranges = {one.column.number: one for one in self.filters if one.sign == "<="}
        told, done = [], set()
        for one in self.filters:
            last = ranges.get(one.column.number)
            if one.sign == ">=" and last is not None:
                told.append(f"{one.column.name} is from {one.value} to {last.value}")
                done.add(one.column.number)
            elif one.column.number not in done:
                told.append(one.text())
        where = f" where {' and '.join(told)}" if told else ""
        return f"{said}{where}, with {', '.join(self.shown)}" if self.shown else f"{said}{where}"

    def near(self) -> Iterator[WrittenQuery]:
        """Queries that differ in the operation, the column, or one of the conditions."""
        for kind in _LIKE.get(self.kind, ()):
            if self.column or kind == "count":
                yield replace(self, kind=kind)
        numbers = [one.name for one in self.table.columns if one.kind == "number" and one.name != self.column]
        if self.column and self.kind not in ("list", "value", "distinct"):
            yield from (replace(self, column=name) for name in numbers[:2])
        for at, one in enumerate(self.filters):
            yield replace(self, filters=self.filters[:at] + self.filters[at + 1 :])
            if one.sign in ("=", "!="):
                others = [rows[0] for cell, rows in one.column.distinct.items() if cell != folded(one.value)]
                for row in others[:2]:
                    other = replace(one, value=one.column.cells[row].strip())
                    yield replace(self, filters=(*self.filters[:at], other, *self.filters[at + 1 :]))


def query_of(row: dict[str, Any], tables: Sequence[LoadedTable]) -> WrittenQuery | None:
    """The query of a question; None where it has none, computes from two columns, or calls a column by another name
    than the table as it is read."""
    if "table" not in row or "query" not in row:
        return None
    file, sheet = row["table"]
    _, what, *filters = (one.strip() for one in row["query"].split(";"))
    of_file = [one for one in tables if one.source.file == file and sheet in ("", one.content.name)]
    found = (_read(table, what, filters) for table in of_file)
    return next((one for one in found if one is not None), None)


def _read(table: LoadedTable, what: str, filters: Sequence[str]) -> WrittenQuery | None:
    kind, _, rest = what.partition(" ")
    by = measure = ""
    names: list[str] = []
    if kind == "row":
        side, _, rest = rest.partition(" ")
        kind = f"row {side}"
        rest, _, shown = rest.partition(" show ")
        names = shown.split(",")
    elif " by " in rest:
        by, _, measured = rest.partition(" by ")
        measure, _, rest = measured.partition(" ")
    elif kind in ("list", "value"):
        rest, *names = rest.split(",")
    columns = [_column(table, name.strip()) for name in (rest, by, *names) if name.strip()]
    conditions = [_filter(table, one) for one in filters]
    if kind not in _SAID or None in columns or None in conditions or (by and f"{kind} {measure}" not in _MEASURES):
        return None
    found = iter([one.name for one in columns if one is not None])
    return WrittenQuery(
        table, kind, next(found) if rest.strip() else "", next(found) if by else "", measure, tuple(found),
        tuple(one for one in conditions if one is not None),
    )  # fmt: skip


def _filter(table: LoadedTable, written: str) -> Filter | None:
    if (match := _FILTER.match(written)) is None:
        name, _, sign = written.rpartition(" ")
        column = _column(table, name)
        return Filter(column, sign) if column is not None and sign in ("empty", "filled") else None
    name, sign, value = (one.strip() for one in match.groups())
    column = _column(table, name)
    if column is None or value.startswith("["):
        return None
    if sign in ("=", "!=", "~"):
        wanted = folded(value)
        cells = [cell for cell in column.distinct if cell == wanted or (sign == "~" and wanted in cell)]
        return Filter(column, sign, column.cells[column.distinct[cells[0]][0]].strip()) if cells else None
    try:
        shown = datetime.date.fromisoformat(value).isoformat()
    except ValueError:
        try:
            shown = str(int(value)) if column.is_ordinal else _WORDING.number(float(value), column.unit)
        except ValueError:
            return None
    return Filter(column, sign, shown)


def _column(table: LoadedTable, name: str) -> LoadedColumn | None:
    plain = folded(name)
    same = [one for one in table.columns if plain in (folded(one.name), folded(f"{one.name} {one.unit}"))]
    near = [one for one in table.columns if one.name and plain.startswith(folded(one.name))]
    return next(iter(same), near[0] if len(near) == 1 else None)
