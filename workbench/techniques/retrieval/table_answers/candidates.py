"""Candidates: queries of one table that a question may mean, each with features that tell how well it fits.

Every combination of what is computed, of which column, under which of the conditions that the question names.
"""

from __future__ import annotations

import datetime
from collections.abc import Collection, Iterator, Sequence
from itertools import islice, product
from typing import Literal

from workbench.techniques.retrieval.table_answers.conditions import Finding
from workbench.techniques.retrieval.table_answers.features import Candidate, featured
from workbench.techniques.retrieval.table_answers.query import Condition, Kind, Query, rows_of
from workbench.techniques.retrieval.table_answers.question import Question
from workbench.techniques.retrieval.table_answers.schema import LoadedColumn, LoadedTable, Value
from workbench.techniques.retrieval.table_answers.table_reading import (
    TableReading,
    concepts_in,
    fits,
    naming_column,
    rarity_of,
    which_noun,
)
from workbench.techniques.retrieval.table_answers.words import concepts_of

MOST_TABLES = 10
MOST_COMBINATIONS = 24
MOST_GROUPS = 0.8
"""Different values of a column as a share of its cells: of more no groups are made."""
MOST_TIMES = 1_000
"""A larger number of a question is a year or a price."""
MOST_CELLS = 8
"""Cells of a row that are shown where no column names it, those of the most different values."""
MOST_CHOICES = 3  # conditions of the same words that are tried


def readings_of(question: Question, tables: Sequence[LoadedTable]) -> list[TableReading]:
    """The question with each table, those first that know most of its words."""
    rarity = rarity_of(question, tables)
    readings = [TableReading(question, table, rarity) for table in tables]
    return sorted(readings, key=lambda reading: -reading.weight)


def candidates_of(readings: Sequence[TableReading]) -> list[Candidate]:
    """The candidates of the first tables that know words of the question, and of those that it is linked with."""
    first, second = (readings[at].weight if len(readings) > at else 0.0 for at in (0, 1))
    linked = max((one.links.weight for one in readings if one.links is not None), default=0.0)
    found: list[Candidate] = []
    for rank, reading in enumerate(readings):
        if reading.links is None and (rank >= MOST_TABLES or reading.weight <= 0):
            continue
        share = reading.weight / first if first else 0.0
        lead = (reading.weight - (second if rank == 0 else first)) / first if first else 0.0
        for candidate in _of_table(reading):
            candidate.features |= {"table share": share, "table lead": lead}
            if reading.links is not None:
                candidate.features |= reading.links.features(candidate.query, linked)
            found.append(candidate)
    return found


def _of_table(reading: TableReading) -> Iterator[Candidate]:
    for findings in _combinations(reading.findings):
        conditions = tuple(one.condition for one in findings)
        rows = rows_of(reading.table, conditions)
        if not rows and conditions:
            # a count of nothing may be meant; anything else is not
            yield featured(reading, findings, Query("count", conditions), rows)
            continue
        explained = frozenset().union(*(one.places for one in findings))
        for query in _queries(reading, conditions, rows, explained):
            yield featured(reading, findings, query, rows)


def _combinations(findings: Sequence[Finding]) -> Iterator[tuple[Finding, ...]]:
    """Sets of findings of which no two explain the same word, those that explain most first."""
    groups: list[list[Finding]] = []
    for finding in findings[:24]:
        home = next((group for group in groups if any(finding.places & other.places for other in group)), None)
        if home is None:
            groups.append([finding])
        elif len(home) < MOST_CHOICES + 2:
            home.append(finding)
    groups = groups[:5]
    options: list[list[tuple[Finding, ...]]] = []
    for group in groups:
        sets: list[tuple[Finding, ...]] = [(one,) for one in group[: MOST_CHOICES + 2]]
        for first, second in ((a, b) for at, a in enumerate(group) for b in group[at + 1 :]):
            if not first.places & second.places and first.condition.column != second.condition.column:
                sets.append((first, second))
        sets.append(())
        options.append(sets)
    found: list[tuple[float, tuple[Finding, ...]]] = []
    for chosen in islice(product(*options), 4_000):
        together = tuple(one for part in chosen for one in part)
        columns = [one.condition.column for one in together]
        if len(set(columns)) == len(columns):
            found.append((sum(one.sure * max(1, len(one.places)) ** 0.5 for one in together), together))
    found.sort(key=lambda item: -item[0])
    best = [together for _, together in found[:MOST_COMBINATIONS]]
    if () not in best:
        best.append(())
    yield from best


def _queries(
    reading: TableReading, conditions: tuple[Condition, ...], rows: Sequence[int], explained: Collection[int]
) -> Iterator[Query]:
    """``explained``: the places of the words of the question that name the conditions."""
    table, question = reading.table, reading.question
    used = {one.column for one in conditions if one.test in ("is", "not")}
    readings = {number for pair in reading.changes for number in pair}  # of which neither alone says what was used
    numbers = [c for c in table.columns if c.kind == "number" and c.filled and c.number not in readings]
    dates = [c for c in table.columns if c.kind in ("date", "time") and c.filled]
    texts = [c for c in table.columns if c.kind == "text" and c.filled]
    conditioned = [table.columns[one.column] for one in conditions]
    # "How many packs" asks for the sum of the quantities whose unit is packs, and not for the number of such rows.
    has_quantities = any(not column.unit and not column.is_ordinal for column in numbers)
    in_units = has_quantities and any(column.has_units for column in conditioned)
    if not (in_units or (len(rows) == 1 and any(column.is_name for column in conditioned))):
        yield Query("count", conditions)
    averaged = reading.asks("average")
    for column in numbers if len(rows) > 1 else ():  # of one row it is the value
        if not column.is_ordinal and not question.has("average"):
            yield Query("sum", conditions, column.number)
        if averaged:
            yield Query("average", conditions, column.number)
    extremes = reading.extremes(len(rows))
    noun = which_noun(question)
    of_groups = (
        len(rows) > 2
        and noun is not None
        and noun not in reading.by_name
        and any(noun in reading.named[c.number] and 2 <= len(c.distinct) <= MOST_GROUPS * c.filled for c in texts)
    )  # "which customer": not which row of one
    of_age = [
        c for c in (*numbers, *dates) if c.is_ordinal or c.kind == "date" or concepts_of("age") & concepts_in(c.words)
    ]
    for column in () if of_groups else of_age if question.has("oldest") else (*numbers, *dates):
        if len(rows) > 1:
            for kind in extremes:
                yield Query("maximum" if kind == "highest" else "minimum", conditions, column.number)
                yield Query(kind, conditions, column.number, show=_shown(reading, column.number))
    for later, earlier in reading.changes:
        if len(rows) == 1:
            yield Query("difference", conditions, later, minus=earlier)
            continue
        measure: Literal["average", "sum"] = "average" if question.has("average") else "sum"
        yield Query(measure, conditions, later, minus=earlier)
        for kind in extremes:
            yield Query(kind, conditions, later, minus=earlier, show=_shown(reading, later))
    for first, second in _pairs(reading, numbers, dates):
        if len(rows) > 1:
            for kind in extremes:
                yield Query(kind, conditions, first.number, minus=second.number, show=_shown(reading, first.number))
        elif rows and not _names_rows(reading) and not _is_less(first.values[rows[0]], second.values[rows[0]]):
            yield Query("difference", conditions, first.number, minus=second.number)
    if len(rows) == 2 and reading.asks("difference"):
        for column in (*numbers, *dates):
            if column.kind != "time" and not column.is_ordinal and column.number not in used:
                yield Query("apart", conditions, column.number)
    if len(rows) == 1 and question.has("money"):
        yield from _multiples(question, conditions, numbers, explained)
    for column in table.columns:
        if column.filled and column.number not in used and column.number not in readings:
            more = tuple(
                c.number for c in table.columns
                if c.number not in (column.number, *used, *readings)
                and max(reading.named[c.number].values(), default=0.0) >= (0.9 if question.parts < 2 else 0.65)
            )  # fmt: skip
            shape: Kind = "value" if len(rows) == 1 else "list"
            if shape == "value" or column.kind == "text" or not numbers:
                yield Query(shape, conditions, column.number)
                if more:
                    yield Query(shape, conditions, column.number, show=_as_asked(reading, (column.number, *more[:3])))
    groupable = [
        c for c in (*texts, *(n for n in numbers if n.is_ordinal or (not n.unit and len(n.distinct) <= 12)))
        if c.number not in used and 2 <= len(c.distinct) <= MOST_GROUPS * c.filled and not question.has("oldest")
    ]  # fmt: skip
    for column in groupable:
        if reading.asks("highest") or reading.asks("lowest") or question.has("group"):
            yield from _group_queries(reading, conditions, column, numbers)
    for column in texts:
        if reading.asks("count") and column.number not in used and len(column.distinct) < column.filled:
            yield Query("distinct", conditions, column.number)


def _as_asked(reading: TableReading, columns: Sequence[int]) -> tuple[int, ...]:
    """Columns in the order in which the question names them."""
    return tuple(sorted(columns, key=lambda number: min(reading.named[number], default=MOST_TIMES)))


def _is_less(one: Value, other: Value) -> bool:
    """Whether a number or date is lower than another one, from which it is taken then, not the other way round."""
    if isinstance(one, float) and isinstance(other, float):
        return one < other
    return isinstance(one, datetime.date) and isinstance(other, datetime.date) and one < other


def _names_rows(reading: TableReading) -> bool:
    """Whether the question names several cells of a column, each by words of its own."""
    found = (one for one in reading.findings if one.kind == "value" and one.whole)
    return any(len(one.places) > 1 and len(one.condition.texts) > 1 for one in found)


def _multiples(
    question: Question, conditions: tuple[Condition, ...], numbers: Sequence[LoadedColumn], explained: Collection[int]
) -> Iterator[Query]:
    """What several of a thing cost: the price of one times a number of the question that is no year, nor a part of the
    name of the thing."""
    free = [value for place, value in question.numbers.items() if place not in explained]
    factors = [value for value in free if 1 < value < MOST_TIMES]
    for column in numbers:
        for factor in dict.fromkeys(factors) if fits(column, "money") else ():
            yield Query("times", conditions, column.number, factor=factor)


_OF_GROUPS: tuple[tuple[Kind, str], ...] = (("most", "highest"), ("least", "lowest"), ("groups", "group"))


def _group_queries(
    reading: TableReading,
    conditions: tuple[Condition, ...],
    column: LoadedColumn,
    numbers: Sequence[LoadedColumn],
) -> Iterator[Query]:
    question = reading.question
    kinds = [kind for kind, cue in _OF_GROUPS if reading.asks(cue)]
    for kind in kinds:
        if not question.has("average"):
            yield Query(kind, conditions, by=column.number, measure="count")
        for number in numbers:
            if number.number == column.number or number.is_ordinal:
                continue
            measure: Literal["sum", "average"] = "average" if question.has("average") else "sum"
            yield Query(kind, conditions, number.number, by=column.number, measure=measure)


def _pairs(
    reading: TableReading, numbers: Sequence[LoadedColumn], dates: Sequence[LoadedColumn]
) -> Iterator[tuple[LoadedColumn, LoadedColumn]]:
    """Two columns that a difference is asked of; a price and a weight have none."""
    if not reading.asks("difference"):
        return
    for kind in (numbers, dates):
        for first in kind:
            for second in kind:
                alike = first.unit == second.unit and (first.unit or first.kind != "number")
                both = reading.named[first.number] and reading.named[second.number]
                unlike = first.unit and second.unit and first.unit != second.unit
                if first.number != second.number and (alike or both) and not unlike and not first.is_ordinal:
                    yield first, second


def _shown(reading: TableReading, measure: int) -> tuple[int, ...]:
    """The columns that tell which row it is: the first that names the rows, and those that the question asks for. Where
    there are none, the cells of the row."""
    table, question = reading.table, reading.question
    chosen: list[int] = []
    texts = [c for c in table.columns if c.kind == "text" and c.filled >= 0.5 * len(table.rows)]
    asked = [c.number for c in table.columns if reading.named[c.number] and c.number != measure and c.kind != "number"]
    first = naming_column(table)
    if first is not None:
        chosen.append(first.number)
        follows = next((c for c in texts if c.number == first.number + 1), None)
        if follows is not None:
            chosen.append(follows.number)  # "No. | Name", "Name | First name"
    chosen += asked
    wanted = {"when": "date", "where": "place", "who": "person"}
    for cue, what in wanted.items():
        if question.has(cue):
            fitting = next((c for c in table.columns if fits(c, what) and c.filled), None)
            if fitting is not None:
                chosen.append(fitting.number)
    if first is None and which_noun(question) not in {place for number in asked for place in reading.named[number]}:
        filled = sorted((c for c in table.columns if c.filled and c.number != measure), key=lambda c: -len(c.distinct))
        return tuple(sorted(c.number for c in filled[:MOST_CELLS]))
    return tuple(dict.fromkeys(number for number in chosen if number != measure))[:5]
