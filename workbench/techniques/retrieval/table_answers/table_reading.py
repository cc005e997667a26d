"""A question as it is read with one table in mind: which words name its columns, its cells and the table itself."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

from workbench.techniques.retrieval.table_answers.conditions import find_conditions
from workbench.techniques.retrieval.table_answers.question import Question
from workbench.techniques.retrieval.table_answers.schema import LoadedColumn, LoadedTable
from workbench.techniques.retrieval.table_answers.words import best_match, concepts_of, stop_words


class TableReading:
    """A question as it is read with one table in mind."""

    def __init__(self, question: Question, table: LoadedTable, rarity: dict[int, float]) -> None:
        self.question, self.table, self.rarity = question, table, rarity
        self.findings = find_conditions(question, table)
        self.named = {column.number: self._naming(column) for column in table.columns}
        self.by_name = {w.place: score for w in question.content if (score := best_match(w, table.name_words)) > 0.65}
        self.by_title = {w.place: score for w in question.content if (score := best_match(w, table.title_words)) > 0.65}

    def _naming(self, column: LoadedColumn) -> dict[int, float]:
        return {w.place: score for w in self.question.content if (score := best_match(w, column.words)) > 0.65}

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
        return column.unit[:3] in ("EUR", "CHF", "GBP", "USD") or named
    wanted = concepts_in(_PERSON if what == "person" else _PLACE)
    return column.kind == "text" and any(concepts_of(word) & wanted for word in column.words)


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
