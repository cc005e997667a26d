"""Evaluations in the home's database: their grids, the answers in the cells, the scores.

The id of a cell is made of the resolved recipe, the question and the seed, so that evaluations that ask the same share
it. Scores are known by their cell and the scorer's key.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import Literal, cast

import msgspec

from workbench.base.errors import UserError
from workbench.base.stored import Unreadable
from workbench.records.evaluation import (
    CELL,
    EVALUATION,
    QUESTION,
    CellAnswer,
    CellBrief,
    ColumnCost,
    Evaluation,
    GridPage,
    GridRow,
    NumberedQuestion,
    Score,
    Split,
)
from workbench.storage.database import Database, Row

Filter = Literal["all", "disagreement", "wrong", "declined", "failed"]
Place = tuple[int, int, str]
"""A place in a grid: column, number of the question, id of the cell."""

_BEGINNING = 300
_RIGHT = 0.5
"""The least score of an answer that is not wrong."""

_HAVING: dict[str, str] = {
    "disagreement": f"max(score) >= {_RIGHT} and min(score) < {_RIGHT}",
    "wrong": f"min(score) < {_RIGHT}",
    "faults": f"max(score) >= {_RIGHT}",
    "declined": "max(state = 'declined') = 1",
    "failed": "max(state = 'failed') = 1",
}
_ROWS = """
    select number from (
        select g.number number, c.state state, s.value score from evaluation_grid g
        left join cells c on c.id = g.cell
        left join scores s on s.cell = g.cell and s.scorer = ?
        where g.evaluation = ?
    ) group by number having {}
"""


class EvaluationStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    # -- evaluations --------------------------------------------------------------------------------

    def add(self, evaluation: Evaluation, questions: Iterable[NumberedQuestion]) -> None:
        with self._database.transaction() as connection:
            self._database.execute(
                "insert into evaluations (id, created, value) values (?, ?, ?)",
                (evaluation.id, evaluation.created, EVALUATION.encode(evaluation).decode()),
            )
            connection.executemany(
                "insert into evaluation_questions (evaluation, number, split, value) values (?, ?, ?, ?)",
                ((evaluation.id, q.number, q.split, QUESTION.encode(q.question).decode()) for q in questions),
            )

    def list_evaluations(self) -> tuple[Evaluation, ...]:
        """The latest first."""
        rows = self._database.execute("select id, created, value from evaluations order by created desc")
        return tuple(map(_evaluation, rows))

    def get(self, evaluation: str) -> Evaluation:
        """Raises UserError when there is none, or it cannot be read."""
        row = self._database.row("select id, created, value from evaluations where id = ?", (evaluation,))
        if row is None:
            raise UserError(f"There is no evaluation {evaluation}.", "It may have been deleted.")
        found = _evaluation(row)
        if found.unreadable:
            raise UserError(found.unreadable)
        return found

    def update(self, evaluation: Evaluation) -> None:
        self._database.execute(
            "update evaluations set value = ? where id = ?", (EVALUATION.encode(evaluation).decode(), evaluation.id)
        )

    def remove(self, evaluation: str) -> None:
        """Delete an evaluation, and the answers that no other one shows."""
        with self._database.transaction():
            self._database.execute("delete from evaluations where id = ?", (evaluation,))
            self._database.execute("delete from cells where id not in (select cell from evaluation_grid)")
            self._database.execute("delete from scores where cell not in (select cell from evaluation_grid)")

    def questions(self, evaluation: str) -> dict[int, NumberedQuestion]:
        """By their numbers, in their order. Raises UserError for one that cannot be read."""
        rows = self._database.execute(
            "select number, split, value from evaluation_questions where evaluation = ? order by number", (evaluation,)
        )
        return {row[0]: _question(row) for row in rows}

    def question(self, evaluation: str, number: int) -> NumberedQuestion:
        row = self._database.row(
            "select number, split, value from evaluation_questions where evaluation = ? and number = ?",
            (evaluation, number),
        )
        if row is None:
            raise UserError(f"The evaluation has no question {number}.")
        return _question(row)

    # -- cells --------------------------------------------------------------------------------------

    def set_grid(self, evaluation: Evaluation, places: Iterable[Place]) -> None:
        """Store which cell is at which place, with the evaluation that knows their digests."""
        with self._database.transaction() as connection:
            self.update(evaluation)
            self._database.execute("delete from evaluation_grid where evaluation = ?", (evaluation.id,))
            connection.executemany(
                "insert into evaluation_grid (evaluation, place, number, cell) values (?, ?, ?, ?)",
                ((evaluation.id, *place) for place in places),
            )

    def add_places(self, evaluation: Evaluation, places: Iterable[Place]) -> None:
        """Add cells to the grid of an evaluation, which may have new columns. Those that are there stay."""
        with self._database.transaction() as connection:
            self.update(evaluation)
            connection.executemany(
                "insert or ignore into evaluation_grid (evaluation, place, number, cell) values (?, ?, ?, ?)",
                ((evaluation.id, *place) for place in places),
            )

    def remove_unanswered(self, evaluation: str) -> None:
        """Take the places without an answer out of the grid."""
        self._database.execute(
            "delete from evaluation_grid where evaluation = ? and cell not in (select id from cells)", (evaluation,)
        )

    def remove_failed(self, evaluation: str) -> None:
        """Delete the failed answers of an evaluation, with their scores, so that they are missing."""
        failed = (
            "select g.cell from evaluation_grid g join cells c on c.id = g.cell"
            " where g.evaluation = ? and c.state = 'failed'"
        )
        with self._database.transaction():
            self._database.execute(f"delete from scores where cell in ({failed})", (evaluation,))
            self._database.execute(f"delete from cells where id in ({failed})", (evaluation,))

    def places(self, evaluation: str, *, unanswered: bool = False, unscored: str = "") -> list[Place]:
        """Places of the grid by column and number: all, those without an answer, or those without a score by a scorer's
        key."""
        rows = self._database.execute(
            "select place, number, cell from evaluation_grid g where evaluation = ?1"
            " and (?2 = 0 or not exists (select 1 from cells c where c.id = g.cell))"
            " and (?3 = '' or not exists (select 1 from scores s where s.cell = g.cell and s.scorer = ?3))"
            " order by place, number",
            (evaluation, unanswered, unscored),
        )
        return [cast(Place, row) for row in rows]

    def count(self, evaluation: str) -> tuple[int, int]:
        """The numbers of places and of those with an answer."""
        row = self._database.row(
            "select count(*), count(c.id) from evaluation_grid g left join cells c on c.id = g.cell"
            " where evaluation = ?",
            (evaluation,),
        )
        return cast(tuple[int, int], row)

    def put(self, cell: str, answer: CellAnswer, scores: dict[str, Score]) -> None:
        """Store an answer with scores by their keys, all or nothing."""
        state = "failed" if answer.error else "declined" if answer.declined else "answered"
        with self._database.transaction():
            self._database.execute(
                "insert or ignore into cells (id, created, state, beginning, prompt_tokens, new_tokens, seconds,"
                " value, looped) values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    cell,
                    time.time(),
                    state,
                    (answer.error or answer.text)[:_BEGINNING],
                    answer.usage.prompt_tokens,
                    answer.usage.new_tokens,
                    answer.seconds,
                    CELL.encode(answer),
                    answer.looped,
                ),
            )
            self.put_scores(cell, scores)

    def put_scores(self, cell: str, scores: dict[str, Score]) -> None:
        with self._database.transaction() as connection:
            connection.executemany(
                "insert or replace into scores (cell, scorer, value, note) values (?, ?, ?, ?)",
                ((cell, key, score.value, score.note) for key, score in scores.items()),
            )

    def answer(self, cell: str) -> CellAnswer | None:
        """Raises UserError when it cannot be read."""
        row = self._database.row("select value from cells where id = ?", (cell,))
        return CELL.get(row[0]) if row is not None else None

    def rate(self, cell: str, rating: int) -> None:
        self._database.execute("update cells set rating = ? where id = ?", (rating, cell))

    def rating(self, cell: str) -> int:
        row = self._database.row("select rating from cells where id = ?", (cell,))
        return int(row[0]) if row is not None else 0

    def rated_values(self, evaluation: str, key: str) -> list[tuple[float, int]]:
        """A scorer's values of the answers that a person has rated, with the ratings."""
        rows = self._database.execute(
            "select distinct g.cell, s.value, c.rating from evaluation_grid g join cells c on c.id = g.cell"
            " join scores s on s.cell = g.cell where g.evaluation = ? and s.scorer = ? and s.value is not null"
            " and c.rating <> 0",
            (evaluation, key),
        )
        return [(value, rating) for _, value, rating in rows]

    def cell(self, evaluation: str, place: int, number: int) -> str:
        row = self._database.row(
            "select cell from evaluation_grid where evaluation = ? and place = ? and number = ?",
            (evaluation, place, number),
        )
        return str(row[0]) if row is not None else ""

    def scores(self, cell: str, keys: Sequence[str]) -> tuple[Score, ...]:
        """Those by scorers' keys; without a value where there is none yet."""
        rows = self._database.execute("select scorer, value, note from scores where cell = ?", (cell,))
        found = {key: Score(value, note) for key, value, note in rows}
        return tuple(found.get(key, Score(None)) for key in keys)

    # -- results ------------------------------------------------------------------------------------

    def values(self, evaluation: str, key: str) -> list[dict[int, float]]:
        """The values of a scorer by question number, for each column."""
        rows = self._database.execute(
            "select g.place, g.number, s.value from evaluation_grid g join scores s on s.cell = g.cell"
            " where g.evaluation = ? and s.scorer = ? and s.value is not null order by g.number",
            (evaluation, key),
        )
        found: list[dict[int, float]] = [{} for _ in self.get(evaluation).columns]
        for place, number, value in rows:
            found[place][number] = value
        return found

    def costs(self, evaluation: Evaluation) -> tuple[ColumnCost, ...]:
        rows = self._database.execute(
            "select g.place, count(c.id), sum(c.state = 'failed'), sum(c.state = 'declined'), avg(c.prompt_tokens),"
            " avg(c.new_tokens), avg(c.seconds), sum(c.looped) from evaluation_grid g join cells c on c.id = g.cell"
            " where g.evaluation = ? group by g.place",
            (evaluation.id,),
        )
        names = ("answers", "failed", "declined", "prompt_tokens", "new_tokens", "seconds", "looped")
        found = {row[0]: ColumnCost(**dict(zip(names, row[1:], strict=True))) for row in rows}
        none = ColumnCost(answers=0, failed=0, declined=0, prompt_tokens=0, new_tokens=0, seconds=0)
        return tuple(found.get(place, none) for place in range(len(evaluation.columns)))

    def page(
        self, evaluation: Evaluation, keep: Filter, scorer: str, first: int, limit: int, *, fewer: bool = False
    ) -> GridPage:
        """Rows of the grid from ``first`` on. ``scorer`` is the key of the one that a filter goes by; ``fewer``: it
        counts faults."""
        if keep == "all":
            kept = self._database.execute(
                "select number from evaluation_questions where evaluation = ? order by number", (evaluation.id,)
            )
        else:
            having = _HAVING["faults" if fewer and keep == "wrong" else keep]
            kept = self._database.execute(_ROWS.format(having) + " order by number", (scorer, evaluation.id))
        numbers = [row[0] for row in kept]
        rows = self._rows(evaluation, numbers[first : first + limit])
        return GridPage(first=first, total=len(numbers), rows=rows)

    def _rows(self, evaluation: Evaluation, numbers: Sequence[int]) -> tuple[GridRow, ...]:
        """These rows, in ascending order."""
        if not numbers:
            return ()
        within = (evaluation.id, numbers[0], numbers[-1])
        wanted, places = set(numbers), {use.key: place for place, use in enumerate(evaluation.scorers) if use.key}
        cells: dict[tuple[int, int], tuple[str, str]] = {}
        for number, place, state, beginning in self._database.execute(
            "select g.number, g.place, c.state, c.beginning from evaluation_grid g join cells c on c.id = g.cell"
            " where g.evaluation = ? and g.number between ? and ?",
            within,
        ):
            cells[number, place] = (state, beginning)
        scores: dict[tuple[int, int], list[float | None]] = {}
        for number, place, scorer, value in self._database.execute(
            "select g.number, g.place, s.scorer, s.value from evaluation_grid g join scores s on s.cell = g.cell"
            " where g.evaluation = ? and g.number between ? and ?",
            within,
        ):
            if scorer in places:
                mine = scores.setdefault((number, place), [None] * len(evaluation.scorers))
                mine[places[scorer]] = value
        rows = []
        for row in self._database.execute(
            "select number, split, value from evaluation_questions where evaluation = ? and number between ? and ?"
            " order by number",
            within,
        ):
            if row[0] not in wanted:
                continue
            question, briefs = _question(row).question, []
            for place in range(len(evaluation.columns)):
                state, beginning = cells.get((row[0], place), ("missing", ""))
                none: list[float | None] = [None] * len(evaluation.scorers) if state != "missing" else []
                found = tuple(scores.get((row[0], place), none))
                briefs.append(CellBrief(state=state, text=beginning, scores=found))  # type: ignore[arg-type]
            rows.append(
                GridRow(
                    number=row[0],
                    question=question.text[-_BEGINNING:],
                    expected=question.gold[:_BEGINNING],
                    cells=tuple(briefs),
                )
            )
        return tuple(rows)


def _evaluation(row: Row) -> Evaluation:
    identity, created, raw = row
    value = EVALUATION.decode(raw)
    if isinstance(value, Unreadable):
        return Evaluation(
            id=identity, question_set="", set_name="", created=created, columns=(), scorers=(), unreadable=value.reason
        )
    return msgspec.structs.replace(value, id=identity)


def _question(row: Row) -> NumberedQuestion:
    number, split, raw = row
    return NumberedQuestion(number=number, split=cast(Split, split), question=QUESTION.get(raw))
