"""A question as it is read with one table in mind: which words name its columns, its cells and the table itself."""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import permutations
from typing import Literal

from workbench.techniques.retrieval.table_answers.conditions import Finding, find_conditions
from workbench.techniques.retrieval.table_answers.links import Links, is_part_of
from workbench.techniques.retrieval.table_answers.query import Condition
from workbench.techniques.retrieval.table_answers.question import Question
from workbench.techniques.retrieval.table_answers.schema import LoadedColumn, LoadedTable
from workbench.techniques.retrieval.table_answers.words import best_match, concepts_of, stop_words
from workbench.text.cells import date_of
from workbench.text.normalisation.units import CURRENCIES


class TableReading:
    """A question as it is read with one table in mind; ``links`` are given to those that a cross-encoder has read."""

    def __init__(self, question: Question, table: LoadedTable, rarity: dict[int, float]) -> None:
        self.question, self.table, self.rarity = question, table, rarity
        self.links: Links | None = None
        self.findings = find_conditions(question, table)
        self.named = {column.number: self._naming(column) for column in table.columns}
        self.by_name = {w.place: score for w in question.content if (score := best_match(w, table.name_words)) > 0.65}
        self.by_title = {w.place: score for w in question.content if (score := best_match(w, table.title_words)) > 0.65}

    def _naming(self, column: LoadedColumn) -> dict[int, float]:
        return {w.place: score for w in self.question.content if (score := best_match(w, column.words)) > 0.65}

    @cached_property
    def changes(self) -> tuple[tuple[int, int], ...]:
        """The later and the earlier of two columns of readings between which the question asks what was used."""
        return tuple(changes_between(self.question, self.table)) if self.question.has("change") else ()

    def link(self, links: Links) -> None:
        """Take in what a cross-encoder finds; cells that no word names become conditions."""
        self.links = links
        added: list[Finding] = []
        known = [one.condition for one in self.findings]
        for condition, score in links.conditions:
            if not any(is_part_of(condition, one) for one in known):
                added.append(Finding(condition, frozenset(), 1 / (1 + math.exp(-score)), "linked"))
        numbers = [number for number in links.columns if self.table.columns[number].kind == "number"]
        for column, other in permutations(numbers[:2], 2):
            if self.table.columns[column].unit == self.table.columns[other].unit:
                condition = Condition(column, "over column", other=other)
                if not any(one.condition == condition for one in self.findings):
                    added.append(Finding(condition, frozenset(), EVEN, "linked columns"))
        self.findings = sorted([*self.findings, *added], key=lambda one: -one.sure)

    def asks(self, cue: str) -> bool:
        """Whether the question asks for this by its words, or as a cross-encoder reads it."""
        return self.question.has(cue) or (self.links is not None and self.links.asks(cue))

    def extremes(self, rows: int) -> list[Literal["highest", "lowest"]]:
        """Whether the highest or the lowest of some rows may be asked for."""
        asked = extremes_asked(self.question, rows)
        every: tuple[Literal["highest", "lowest"], ...] = ("highest", "lowest")
        return [one for one in every if one in asked or self.asks(one)]

    def fit_of(self, column: LoadedColumn, explained: set[int]) -> float:
        """How much of a column's name the question says, in words that are not explained yet."""
        said = {place: score for place, score in self.named[column.number].items() if place not in explained}
        if not said:
            return 0.0
        telling = [word for word in column.name_words if word not in stop_words()]
        words = [self.question.words[place] for place in said]
        named = sum(any(best_match(word, (one,)) > 0.65 for word in words) for one in telling)
        return sum(said.values()) * (0.5 + 0.5 * min(1.0, named / max(1, len(telling))))

    @property
    def weight(self) -> float:
        """How much of the question's words the table knows: those of cells, columns and names."""
        best: dict[int, float] = {}
        for finding in self.findings:
            if finding.kind == "value":
                for place in finding.places:
                    best[place] = max(best.get(place, 0.0), finding.sure)
        for places in self.named.values():
            for place, score in places.items():
                best[place] = max(best.get(place, 0.0), 0.8 * score)
        for place, score in (*self.by_name.items(), *self.by_title.items()):
            best[place] = max(best.get(place, 0.0), 0.6 * score)
        return sum(score * self.rarity.get(place, 1.0) for place, score in best.items())


EVEN = 0.5
"""How sure a comparison of two columns is that no word tells."""

_DATE = re.compile(r"\d{4}-\d{1,2}-\d{1,2}|\d{1,2}[./]\s?\d{1,2}[./]\s?\d{4}|\d{1,2}\.? [^\W\d_]{3,10}\.? \d{4}")


def is_dated(column: LoadedColumn) -> bool:
    """Whether a column is of readings at a date, which its name has."""
    return column.kind == "number" and _DATE.search(column.name) is not None


def changes_between(question: Question, table: LoadedTable) -> Iterator[tuple[int, int]]:
    """Two columns with the same name and unit but for a date: readings of a meter. In a year that the question names
    they are the ones at its beginning and its end; where it names none there are two."""
    readings: dict[tuple[str, str], dict[datetime.date, int]] = {}
    for column in table.columns:
        found = _DATE.search(column.name)
        date = date_of(found[0]) if found is not None else None
        if found is not None and date is not None and column.kind == "number":
            key = column.name.replace(found[0], "").casefold().strip(), column.unit
            readings.setdefault(key, {})[date] = column.number
    years = [int(value) for value in question.numbers.values() if 1900 <= value <= 2100]
    for dated in readings.values():
        at_turn = {turn: number for date, number in dated.items() if (turn := _turn_of_year(date))}
        if len(dated) == 2 and not years:
            yield dated[max(dated)], dated[min(dated)]
        elif len(years) == 1 and years[0] in at_turn and years[0] - 1 in at_turn:
            yield at_turn[years[0]], at_turn[years[0] - 1]


def _turn_of_year(date: datetime.date) -> int:
    """The year that ends within two weeks of a date, 0 where none does."""
    before, after = date - datetime.timedelta(days=14), date + datetime.timedelta(days=14)
    return before.year if before.year < after.year else 0


def rarity_of(question: Question, tables: Sequence[LoadedTable]) -> dict[int, float]:
    """The weight of each word of the question: higher where few tables know it."""
    weights: dict[int, float] = {}
    for word in question.content:
        knows = sum(
            word.plain in table.vocabulary
            or word.spelled in table.vocabulary
            or best_match(word, table.name_words) > 0.65
            for table in tables
        )
        weights[word.place] = 1.0 + math.log(1 + len(tables) / (1 + knows)) / math.log(1 + max(1, len(tables)))
    return weights


_PERSON = (
    "person", "customer", "supplier", "employee", "member", "tenant", "patient", "owner", "driver", "doctor", "teacher",
    "contact", "responsible", "clerk", "observer", "borrower", "reader", "surname", "firstname", "carrier",
)  # fmt: skip
_MONEY = ("price", "cost", "revenue", "fee", "rent", "salary", "betrag")
_PLACE = ("place", "room", "flat", "floor", "building", "address", "city", "country", "destination", "origin")


def concepts_in(words: Sequence[str]) -> frozenset[int]:
    return frozenset(one for word in words for one in concepts_of(word))


def fits(column: LoadedColumn, what: str) -> bool:
    """Whether a column holds what a question word asks for."""
    if what == "date":
        return column.kind == "date" or column.is_months
    if what == "money":
        named = (
            column.kind == "number" and not column.unit and bool(concepts_in(column.name_words) & concepts_in(_MONEY))
        )
        return column.unit.partition("/")[0] in CURRENCIES or named
    wanted = concepts_in(_PERSON if what == "person" else _PLACE)
    return column.kind == "text" and any(concepts_of(word) & wanted for word in column.words)


LEAST_DIFFERENT = 0.6
"""Different cells of a column as a share of its filled ones, for the column to name the rows."""


def naming_column(table: LoadedTable) -> LoadedColumn | None:
    """The first column of words that names nearly every row differently, else the one that comes closest; None where
    its words are those of groups."""
    texts = [c for c in table.columns if c.kind == "text" and c.filled >= 0.8 * len(table.rows)]
    names = [c for c in texts if c.is_name]
    different = [c for c in texts if len(c.distinct) >= LEAST_DIFFERENT * c.filled]
    return next(iter(names), None) or max(different, key=lambda c: len(c.distinct), default=None)


def extremes_asked(question: Question, rows: int) -> list[Literal["highest", "lowest"]]:
    """Whether the highest or the lowest is asked for; of two rows also by a comparative, as in "which is cheaper"."""
    found: list[Literal["highest", "lowest"]] = []
    for kind, cue in _COMPARATIVES:
        if question.has(kind) or (rows == 2 and question.has(cue)):
            found.append(kind)
    return found


_COMPARATIVES: tuple[tuple[Literal["highest", "lowest"], str], ...] = (
    ("highest", "more of two"),
    ("lowest", "less of two"),
)


def which_noun(question: Question) -> int | None:
    """The place of the word after the first "which"."""
    spans = question.cues.get("row", ())
    if not spans:
        return None
    end = spans[0][1]
    after = next((w for w in question.words if w.start >= end), None)
    return after.place if after is not None and after in question.content else None


def counted_noun(question: Question) -> int | None:
    """The place of the word after "how many" or "how much"."""
    spans = [*question.cues.get("count", ()), *question.cues.get("how much", ())]
    if not spans:
        return None
    end = min(spans)[1]
    content = {w.place for w in question.content}
    following = [w for w in question.words if w.start >= end - 1 and w.place in content]
    return following[0].place if following else None
