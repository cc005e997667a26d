"""What a question means of a table, as a cross-encoder reads it: what is computed, of which columns, of which rows.

Words alone name a column or a cell only where the table has them (``conditions``, ``table_reading``): "pills and
bandages" are not found in a column that says "Medicine". The cross-encoder (``cross_encoder``) reads the question with
the operations, the columns and the cells of a table as the parts of one passage and scores each: schema linking, as by
Wang et al. 2020, "RAT-SQL" (arXiv:1911.04942), with one linear layer. ``benchmarks/train_table_reader.py`` trains it.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from workbench.techniques.retrieval.table_answers.query import Condition, Query
from workbench.techniques.retrieval.table_answers.schema import LoadedColumn, LoadedTable

OPERATIONS = (
    "count", "sum", "average", "highest", "lowest", "most in all", "least in all", "value", "list", "difference",
)  # fmt: skip
_OPERATION_OF = {
    "count": "count", "distinct": "count", "sum": "sum", "average": "average", "minimum": "lowest", "lowest": "lowest",
    "maximum": "highest", "highest": "highest", "most": "most in all", "least": "least in all", "value": "value",
    "times": "value", "list": "list", "groups": "list", "difference": "difference", "apart": "difference",
}  # fmt: skip
_OPERATIONS_OF_CUES = {
    "count": ("count",), "sum": ("sum",), "average": ("average",), "highest": ("highest", "most in all"),
    "lowest": ("lowest", "least in all"), "difference": ("difference",), "list": ("list",),
}  # fmt: skip

MOST_CELLS, MOST_OF_COLUMN, MOST_OF_NAMES = 70, 24, 40
"""Cells of a table that are read, of one column, and different cells from which on a column of names is not read."""
MEANT, POSSIBLE = 0.0, -2.0
"""Logarithms of the odds from which on a part is taken to be meant, and may be meant."""
MOST_MEANT = 4
UNKNOWN = -6.0

MOST_LINKED = 5
"""Tables that a question is linked with."""
SIMILARITY_WEIGHT = 10.0
"""Of a cosine, beside the share of the question's words that a table knows, in the choice of these."""

Key = tuple[str, int, str]
"""Of a part: "operation", "column", "cell", "empty" or "filled", the column, and the operation or the folded cell."""


class QuestionReader(Protocol):
    """A question as an embedder with a cross-encoder for tables reads it."""

    def similarities(self, texts: Sequence[str]) -> Sequence[float]:
        """The cosines of the question, as it is searched with, and passages."""

    def scores(self, passages: Sequence[Sequence[str]]) -> Sequence[Sequence[float]]:
        """For each passage those of its parts after the first text, which stands above them: the logarithms of the odds
        that the question means them."""


@dataclass(frozen=True)
class Links:
    """The score of each part of a table."""

    scores: dict[Key, float]

    def operation(self, kind: str) -> float:
        return self.scores.get(("operation", -1, _OPERATION_OF[kind]), UNKNOWN)

    def column(self, number: int) -> float:
        return self.scores.get(("column", number, ""), UNKNOWN)

    def chance_of(self, condition: Condition) -> float:
        """The logarithm of the probability that a condition is meant: of its cells, or else of its columns."""
        if condition.texts:
            keys: list[Key] = [("cell", condition.column, text) for text in condition.texts]
        elif condition.test in ("empty", "filled"):
            keys = [(condition.test, condition.column, "")]
        else:
            keys = [("column", number, "") for number in (condition.column, condition.other) if number >= 0]
        return sum(_log_chance(self.scores.get(key, UNKNOWN)) for key in keys)

    def asks(self, cue: str) -> bool:
        """Whether what the words of a cue ask for (``cues``) may be asked for."""
        operations = _OPERATIONS_OF_CUES.get(cue, ())
        return any(self.scores.get(("operation", -1, one), UNKNOWN) > POSSIBLE for one in operations)

    @cached_property
    def conditions(self) -> list[tuple[Condition, float]]:
        """Those on one cell, and on empty or other ones, that may be meant, with their scores, the likeliest first."""
        found: list[tuple[Condition, float]] = []
        for (part, number, cell), score in self.scores.items():
            if score <= POSSIBLE:
                continue
            if part == "cell":
                found.append((Condition(number, "is", (cell,)), score))
            elif part == "empty":
                found.append((Condition(number, "empty"), score))
            elif part == "filled":
                found.append((Condition(number, "filled"), score))
        return sorted(found, key=lambda one: -one[1])[:MOST_MEANT]

    @cached_property
    def columns(self) -> list[int]:
        """The columns that are taken to be meant, the likeliest first."""
        found = [(score, number) for (part, number, _), score in self.scores.items() if part == "column"]
        return [number for score, number in sorted(found, reverse=True) if score > MEANT][:MOST_MEANT]

    @cached_property
    def weight(self) -> float:
        """How much the question means of the table: the best operation, and the best column or cell."""
        return sum(self._best)

    @cached_property
    def _best(self) -> tuple[float, float]:
        """The scores of the operation, and of the column or cell, that are meant most."""
        operations = [score for (part, *_), score in self.scores.items() if part == "operation"]
        others = [score for (part, *_), score in self.scores.items() if part != "operation"]
        return max(operations, default=UNKNOWN), max(others, default=UNKNOWN)

    def features(self, query: Query, best: float) -> dict[str, float]:
        """How well a query fits; ``best`` is the weight of the table that is meant most."""
        columns = {number for number in (query.column, query.by, query.minus) if number >= 0}
        operation = self.operation(query.kind) - self._of_operations
        used = sum(_log_chance(self.column(number)) for number in columns)
        conditions = sum(map(self.chance_of, query.conditions))
        seen = {*columns, *query.show, *(number for one in query.conditions for number in (one.column, one.other))}
        missed = sum(
            _log_chance(-score)
            for meant, score in self.conditions
            if not any(is_part_of(meant, one) for one in query.conditions)
        )
        missed += sum(_log_chance(-self.column(number)) for number in self.columns if number not in seen)
        return {
            "linked operation": operation / 3,
            "linked columns": used / 3,
            "linked conditions": conditions / 3,
            "linked missed": missed / 3,
            "linked likelihood": (operation + used + conditions + missed) / 3,
            "linked table": (self.weight - best) / 3,
            "linked best operation": self._best[0] / 3,
            "linked best part": self._best[1] / 3,
        }

    @cached_property
    def _of_operations(self) -> float:
        """The logarithm of the sum of the operations' odds, which makes shares of them."""
        scores = [self.scores.get(("operation", -1, one), UNKNOWN) for one in OPERATIONS]
        return max(scores) + math.log(sum(math.exp(score - max(scores)) for score in scores))


def is_part_of(meant: Condition, condition: Condition) -> bool:
    """Whether a condition on one cell, or on empty or other ones, is a part of another one."""
    if meant.column != condition.column:
        return False
    return {*meant.texts} <= {*condition.texts} if meant.texts else meant.test == condition.test


def _log_chance(score: float) -> float:
    """The logarithm of the probability of a part with these log odds."""
    return -math.log1p(math.exp(-score)) if score > -30 else score


def context_of(table: LoadedTable) -> str:
    """What stands above the parts: the table's name and its columns."""
    return f"{table.label}: {', '.join(column.name for column in table.columns if column.name)}"


def parts_of(table: LoadedTable) -> Iterator[tuple[Key, str]]:
    """The parts of a table that are read, each with its text."""
    for name in OPERATIONS:
        yield ("operation", -1, name), name
    for column in table.columns:
        if column.filled:
            yield ("column", column.number, ""), _described(column)
        if 0 < column.filled < len(column.values):
            yield ("empty", column.number, ""), f"{column.name}: empty"
            yield ("filled", column.number, ""), f"{column.name}: not empty"
    cells = [one for column in table.columns for one in _cells(column)]
    yield from cells[:MOST_CELLS]


def _described(column: LoadedColumn) -> str:
    examples = [column.cells[rows[0]].strip()[:18] for rows in list(column.distinct.values())[:2]]
    name = column.name or f"column {column.number + 1}"
    unit = f" {column.unit}" if column.unit and column.unit not in name else ""
    return f"{name}{unit}: {', '.join(examples)}"


def _cells(column: LoadedColumn) -> Iterator[tuple[Key, str]]:
    is_read = column.is_label if column.kind == "number" else column.kind == "text"
    if not is_read or (len(column.distinct) > MOST_OF_NAMES and column.is_name):
        return
    for cell, rows in list(column.distinct.items())[:MOST_OF_COLUMN]:
        yield ("cell", column.number, cell), f"{column.name}: {column.cells[rows[0]].strip()}"


def link(tables: Sequence[LoadedTable], reader: QuestionReader) -> list[Links]:
    """The links of a question with tables."""
    parts = [list(parts_of(table)) for table in tables]
    passages = [[context_of(table), *(text for _, text in its)] for table, its in zip(tables, parts, strict=True)]
    scores = reader.scores(passages)
    return [
        Links({key: score for (key, _), score in zip(its, of, strict=True)})
        for its, of in zip(parts, scores, strict=True)
    ]


def to_link(weights: Sequence[float], similarities: Sequence[float]) -> list[int]:
    """The places of the tables that a question may be about, by how much of its words each knows (``weights``, from 0
    on) and by the cosines of their names and columns."""
    most = max(weights, default=0.0) or 1.0
    middle = statistics.median(similarities) if similarities else 0.0
    worth = [
        weight / most + SIMILARITY_WEIGHT * (cosine - middle)
        for weight, cosine in zip(weights, similarities, strict=True)
    ]
    return sorted(range(len(worth)), key=lambda place: -worth[place])[:MOST_LINKED]
