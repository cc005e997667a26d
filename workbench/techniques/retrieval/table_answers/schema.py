"""Tables made ready for questions: values by column, and the words that name tables, columns and cells."""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import PurePath

from workbench.records.tables import DocumentTable
from workbench.techniques.retrieval.table_answers.words import Vocabulary, name_words
from workbench.text.cells import date_of, folded, is_empty, months, number_of, time_of

Value = float | datetime.date | str | None

YES = frozenset({"yes", "y", "ja", "j", "oui", "o", "si", "true", "x", "✓", "✔", "1"})
NO = frozenset({"no", "n", "nein", "non", "false", "0"})
UNIT_WORDS = frozenset({"unit", "units", "einheit", "einheiten", "unite", "unites", "unidad", "unidades"})
"""Words that call a column one of units."""
MOST_DISTINCT = 3_000
"""Distinct values of a column that a question's words are compared with."""


@dataclass(frozen=True)
class Source:
    """The document of a table."""

    document: str
    hash: str
    path: str
    title: str

    @property
    def file(self) -> str:
        return PurePath(self.path).name


class LoadedColumn:
    """A column: ``values`` a number, a date, minutes, a text or None for each row."""

    def __init__(self, table: LoadedTable, number: int) -> None:
        column = table.content.columns[number]
        self.number = number
        self.name = column.name
        self.kind = column.kind
        self.unit = column.unit
        self.comma = column.comma
        self.cells = [row.cells[number] for row in table.content.rows]
        self.values = [_value(cell, column.kind, column.comma) for cell in self.cells]
        self.name_words = name_words(column.name)
        self.words = list(dict.fromkeys((*self.name_words, *name_words(column.unit))))

    @cached_property
    def filled(self) -> int:
        return sum(value is not None for value in self.values)

    @cached_property
    def distinct(self) -> dict[str, list[int]]:
        """The rows of each text, by its folded form."""
        found: dict[str, list[int]] = {}
        for row, cell in enumerate(self.cells):
            if self.values[row] is not None and (len(found) < MOST_DISTINCT or folded(cell) in found):
                found.setdefault(folded(cell), []).append(row)
        return found

    @cached_property
    def decimals(self) -> int:
        """The most decimals of its numbers that have no other sign; "1.935" has none where a comma stands before
        them."""
        if self.kind != "number":
            return 0
        thousands = r"[1-9]\d{0,2}" + (r"\.\d{3}" if self.comma else r",\d{3}")
        bare = (cell.strip().lstrip("-") for cell in self.cells)
        found = (re.fullmatch(r"\d+[.,](\d+)", cell) for cell in bare if not re.fullmatch(thousands, cell))
        return max((len(match[1]) for match in found if match is not None), default=0)

    @cached_property
    def is_flag(self) -> bool:
        """Whether its cells are yes, no or empty."""
        return self.kind != "number" and 0 < len(self.distinct) <= 2 and all(one in YES | NO for one in self.distinct)

    @cached_property
    def has_units(self) -> bool:
        """Whether its cells are the units of other cells of their rows."""
        return self.kind == "text" and self.filled > 0 and not UNIT_WORDS.isdisjoint(self.name_words)

    @cached_property
    def is_name(self) -> bool:
        """Whether its cells are mostly different, as those of a name or a number are."""
        return self.filled > 1 and len(self.distinct) >= 0.9 * self.filled

    @cached_property
    def is_label(self) -> bool:
        """Whether its numbers tell groups apart: few whole ones, each in many rows."""
        if self.kind != "number" or self.unit or self.filled < 8:
            return False
        return len(self.distinct) <= 0.2 * self.filled and all(
            isinstance(value, float) and value.is_integer() for value in self.values if value is not None
        )

    @cached_property
    def is_months(self) -> bool:
        return bool(self.distinct) and all(one in months() for one in self.distinct)

    @cached_property
    def is_ordinal(self) -> bool:
        """Whether its numbers name things rather than measure them: years, and numbers in a row."""
        if self.kind != "number" or self.unit:
            return False
        numbers = [value for value in self.values if isinstance(value, float)]
        if not numbers or any(not value.is_integer() for value in numbers):
            return False
        years = all(1800 <= value <= 2100 for value in numbers)
        counted = numbers[0] == 1 and len(numbers) > 3 and all(b - a == 1 for a, b in pairwise(numbers))
        return years or counted


def _value(cell: str, kind: str, comma: bool) -> Value:
    if is_empty(cell):
        return None
    if kind == "number":
        found = number_of(cell, comma)
        return found[0] if found is not None else None
    if kind == "date":
        return date_of(cell)
    if kind == "time":
        return time_of(cell)
    return cell


class LoadedTable:
    """A table of a document, with its columns' values."""

    def __init__(self, source: Source, number: int, content: DocumentTable) -> None:
        self.source, self.number, self.content = source, number, content
        self.rows = content.rows
        self.columns = [LoadedColumn(self, place) for place in range(len(content.columns))]
        stem = PurePath(source.path).stem
        self.name_words = list(dict.fromkeys((*name_words(content.name), *name_words(stem))))
        self.title_words = [word for word in name_words(content.title) if word not in self.name_words]

    @property
    def label(self) -> str:
        """The name of the table for a person."""
        name = self.content.name
        return f"{self.source.file}, {name}" if name and name != PurePath(self.source.path).stem else self.source.file

    @cached_property
    def vocabulary(self) -> dict[str, list[tuple[int, str]]]:
        """Folded words of cells: the columns and folded cells that have them."""
        found: dict[str, list[tuple[int, str]]] = {}
        for column in self.columns:
            if column.kind in ("date", "time") or (column.kind == "number" and column.unit):
                continue
            for value, rows in column.distinct.items():
                words = name_words(column.cells[rows[0]])
                for word in words:
                    found.setdefault(word, []).append((column.number, value))
        return found

    @cached_property
    def known_words(self) -> Vocabulary:
        return Vocabulary(self.vocabulary)


def loaded(tables: Sequence[tuple[Source, int, DocumentTable]]) -> list[LoadedTable]:
    return [LoadedTable(source, number, content) for source, number, content in tables]
