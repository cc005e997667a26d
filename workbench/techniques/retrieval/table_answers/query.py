"""A query of one table: conditions on its rows, and what is computed of those that fulfil them."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from workbench.techniques.retrieval.table_answers.schema import LoadedColumn, LoadedTable, Value

Test = Literal[
    "is", "not", "above", "at least", "below", "at most", "between", "month", "empty", "filled", "over column"
]
Kind = Literal[
    "count", "distinct", "sum", "average", "minimum", "maximum", "list", "value", "highest", "lowest", "most", "least",
    "groups", "difference", "apart", "times",
]  # fmt: skip
ONE_NUMBER = ("count", "distinct", "sum", "average", "difference", "apart", "times")
"""Their result is a number alone; of the others it is a row or a group as well."""


@dataclass(frozen=True)
class Condition:
    """A condition on the cell of a column. ``texts`` are the folded cells of "is" and "not"; ``low`` and ``high`` the
    bounds of the others, both included by "between"; ``other`` is the column that "over column" compares with."""

    column: int
    test: Test
    texts: tuple[str, ...] = ()
    low: float | datetime.date | None = None
    high: float | datetime.date | None = None
    other: int = -1


@dataclass(frozen=True)
class Query:
    """``column`` is what is computed or shown, ``by`` the column of groups, ``measure`` how a group is valued.

    "apart" is the difference of two rows, "times" the value of one row times ``factor``, a number of the question."""

    kind: Kind
    conditions: tuple[Condition, ...] = ()
    column: int = -1
    by: int = -1
    measure: Literal["count", "sum", "average", "maximum", ""] = ""
    minus: int = -1
    show: tuple[int, ...] = ()
    factor: float = 1.0


@dataclass(frozen=True)
class Result:
    """``value`` of the query: a number, a date or texts; ``rows`` that it comes from; ``groups`` with their values, the
    highest first; ``ties``: other rows or groups have the same value."""

    value: Value | tuple[str, ...]
    rows: tuple[int, ...]
    groups: tuple[tuple[str, float], ...] = field(default=())
    ties: bool = False


def rows_of(table: LoadedTable, conditions: Sequence[Condition]) -> list[int]:
    """The places of the rows that fulfil all conditions."""
    kept = list(range(len(table.rows)))
    for condition in conditions:
        column = table.columns[condition.column]
        if condition.test in ("is", "not"):
            wanted = {row for text in condition.texts for row in column.distinct.get(text, ())}
            kept = [row for row in kept if (row in wanted) == (condition.test == "is")]
        elif condition.test == "over column":
            other = table.columns[condition.other]
            kept = [row for row in kept if _above(column.values[row], other.values[row])]
        else:
            kept = [row for row in kept if _holds(condition, column.values[row])]
    return kept


def _above(first: Value, second: Value, *, or_same: bool = False) -> bool:
    """Whether a number or date is higher than another one."""
    if isinstance(first, float) and isinstance(second, float):
        return first > second or (or_same and first == second)
    if isinstance(first, datetime.date) and isinstance(second, datetime.date):
        return first > second or (or_same and first == second)
    return False


def _holds(condition: Condition, value: Value) -> bool:
    test = condition.test
    if test in ("empty", "filled"):
        return (value is None) == (test == "empty")
    if value is None or isinstance(value, str):
        return False
    if test == "month":
        return isinstance(value, datetime.date) and value.month == condition.low
    low, high = condition.low, condition.high
    if low is not None and test in ("above", "at least", "between") and not _above(value, low, or_same=test != "above"):
        return False
    return high is None or test not in ("below", "at most", "between") or _above(high, value, or_same=test != "below")


def compute(table: LoadedTable, query: Query, rows: Sequence[int] | None = None) -> Result | None:
    """The result; None where nothing fulfils the conditions, or what fulfils them has no value. ``rows``: those of the
    conditions, where they are known."""
    kept = list(rows) if rows is not None else rows_of(table, query.conditions)
    if query.kind == "count":
        return Result(float(len(kept)), tuple(kept))
    if not kept:
        return None
    column = table.columns[query.column]
    if query.kind in ("most", "least", "groups"):
        return _grouped(table, query, kept)
    if query.kind in ("list", "value"):  # of several cells that are asked for, one is enough
        asked = [table.columns[number] for number in query.show or (query.column,)]
        filled = [row for row in kept if any(one.values[row] is not None for one in asked)]
    else:
        filled = [row for row in kept if _measured(table, query, row) is not None]
    if not filled:
        return None
    if query.kind == "distinct":
        return Result(float(len({column.cells[row].casefold() for row in filled})), tuple(filled))
    if query.kind in ("list", "value"):
        texts = tuple(dict.fromkeys(column.cells[row] for row in filled))
        return Result(texts, tuple(filled))
    values = {row: _measured(table, query, row) for row in filled}
    if query.kind in ("minimum", "maximum", "highest", "lowest"):
        pick = max if query.kind in ("maximum", "highest") else min
        best = pick(values.values())  # type: ignore[type-var]
        chosen = tuple(row for row in filled if values[row] == best)
        if query.kind in ("minimum", "maximum"):
            return Result(best, chosen)
        return Result(best, chosen, ties=len(chosen) > 1)
    if query.kind == "apart":
        return _apart([values[row] for row in filled], filled)
    numbers = [value for value in values.values() if isinstance(value, float)]
    if not numbers:
        return None
    if query.kind == "times":
        return Result(round(numbers[0] * query.factor, 6), tuple(filled)) if len(numbers) == 1 else None
    total = sum(numbers)
    value = total / len(numbers) if query.kind == "average" else total
    return Result(round(value, 6), tuple(row for row in filled if isinstance(values[row], float)))


def _apart(values: Sequence[Value], rows: Sequence[int]) -> Result | None:
    """How far the numbers or dates of two rows are apart, dates in days; None of more rows."""
    if len(values) != 2:
        return None
    first, second = values
    if isinstance(first, float) and isinstance(second, float):
        return Result(round(abs(first - second), 6), tuple(rows))
    if isinstance(first, datetime.date) and isinstance(second, datetime.date):
        return Result(float(abs((first - second).days)), tuple(rows))
    return None


def _measured(table: LoadedTable, query: Query, row: int) -> Value:
    value = table.columns[query.column].values[row]
    if query.minus < 0:
        return value
    other = table.columns[query.minus].values[row]
    if isinstance(value, float) and isinstance(other, float):
        return value - other
    if isinstance(value, datetime.date) and isinstance(other, datetime.date):
        return float((value - other).days)
    return None


def _grouped(table: LoadedTable, query: Query, kept: Sequence[int]) -> Result | None:
    by = table.columns[query.by]
    parts: dict[str, list[int]] = {}
    for row in kept:
        if by.values[row] is not None:
            parts.setdefault(by.cells[row], []).append(row)
    worth: dict[str, float] = {}
    for name, rows in parts.items():
        value = _group_value(table.columns[query.column] if query.column >= 0 else None, query.measure, rows)
        if value is not None:
            worth[name] = value
    if len(worth) < 2:
        return None
    ordered = sorted(worth.items(), key=lambda item: -item[1] if query.kind != "least" else item[1])
    if query.kind == "groups":
        return Result(tuple(name for name, _ in ordered), tuple(kept), tuple(ordered))
    best = ordered[0][1]
    names = tuple(name for name, value in ordered if value == best)
    return Result(names, tuple(parts[names[0]]), tuple(ordered[:5]), ties=len(names) > 1)


def _group_value(column: LoadedColumn | None, measure: str, rows: Sequence[int]) -> float | None:
    if measure == "count" or column is None:
        return float(len(rows))
    numbers = [value for row in rows if isinstance(value := column.values[row], float)]
    if not numbers:
        return None
    if measure == "maximum":
        return max(numbers)
    return round(sum(numbers) / (len(numbers) if measure == "average" else 1), 6)
