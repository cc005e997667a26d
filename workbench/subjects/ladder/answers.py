"""The answers of a ladder's rungs, as cells of an evaluation that grows by a column for each rung."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

import msgspec

from workbench.api import events
from workbench.base.errors import UserError
from workbench.records.evaluation import Column, NumberedQuestion
from workbench.records.recipes import Recipe
from workbench.subjects.adapters.trained_data import TrainedData
from workbench.subjects.evaluation.grid import cell_of, seed_of
from workbench.subjects.evaluation.runs import TOGETHER, EvaluateRuns, GridWork, Pace
from workbench.subjects.evaluation.store import EvaluationStore
from workbench.subjects.runs.kinds import OpenRun


class Ended(Exception):
    """No further answer is begun, for the reason that it says: the limit in minutes was reached, or would be."""


class Progress(Pace):
    """How far the whole ladder is: ``done`` of ``total`` answers, and the seconds that are left of all its rungs."""

    def __init__(self, run: OpenRun) -> None:
        super().__init__("", "answers", 0, 0, run)
        self.done = self.total = 0
        self.stage = ""
        self.left: Callable[[], float] = lambda: 0.0
        self._rung = self._begun = self._made_before = 0
        self._began = self._warm = self._last = time.monotonic()
        self.preparing_left: float | None = None
        """The seconds that are left of the run that prepares a rung, where it knows them."""

    def begin(self, stage: str, rung: int = 0) -> None:
        """A stage begins, of so many answers of a ``rung``."""
        self.stage, self._rung, self._begun, self._made_before = stage, rung, self.done, self.made
        self._began = self._warm = self._last = time.monotonic()
        self.tell()

    @property
    def missing(self) -> int:
        """Answers of the stage that are still to be made."""
        return max(0, self._rung - (self.done - self._begun))

    @property
    def took_s(self) -> float:
        """Since the stage began, until the latest answer."""
        return self._last - self._began

    @property
    def seconds_each(self) -> float | None:
        """What an answer of the stage takes, by those so far; None before the first ones that are made side by side.
        These count only as long as there are no others: what the rung needs is loaded while they wait."""
        with self._lock:
            made = self.made_here
            if made >= 2 * TOGETHER:
                return (self._last - self._warm) / (made - TOGETHER)
            return (self._last - self._began) / made if made >= TOGETHER else None

    @property
    def made_here(self) -> int:
        """Answers that were made since the stage began."""
        return self.made - self._made_before

    @property
    def share_left(self) -> float:
        """Of the rung that answers now."""
        return self.missing / self._rung if self._rung else 1.0

    def skip(self, there: int) -> None:
        self.done += there

    def add(self, detail: str) -> None:
        with self._lock:
            self.made += 1
            self.done += 1
            self._last = time.monotonic()
            if self.made_here == TOGETHER:
                self._warm = self._last
        self.tell(detail)

    def tell(self, detail: str = "") -> None:
        self._run.emit(
            events.Progress(
                stage=self.stage, done=self.done, total=max(self.total, self.done), unit="answers",
                seconds_left=self.left(), detail=detail,
            )
        )  # fmt: skip


class RungAnswers:
    """One evaluation of a ladder while a run works on it. ``before_each`` answer may raise ``Ended``."""

    def __init__(
        self, evaluation: str, kind: EvaluateRuns, store: EvaluationStore, trained: TrainedData, run: OpenRun,
        before_each: Callable[[], None],
    ) -> None:  # fmt: skip
        self._kind, self._store, self._trained, self._run, self._before_each = kind, store, trained, run, before_each
        found = store.get(evaluation)
        columns = found.columns
        if not columns[0].digest:
            columns = (kind.with_digest(columns[0], run), *columns[1:])
        first = f"{columns[0].digest} {found.seed}"
        self._evaluation = msgspec.structs.replace(
            found,
            columns=columns,
            scorers=tuple(kind.with_key(use, first, run) for use in found.scorers),
            trained_before=found.trained_before or (),
        )
        store.remove_failed(evaluation)
        store.remove_unanswered(evaluation)  # of a rung that was under way when a run was killed
        store.update(self._evaluation)
        self.questions: Sequence[NumberedQuestion] = tuple(store.questions(evaluation).values())
        self.key = self._evaluation.scorers[0].key

    def column(self, name: str, recipe: Recipe) -> int:
        """The place of the recipe's column, which is added where there is none. Raises UserError where the model, an
        adapter or the documents of a column of this name have changed since it began."""
        column = self._kind.with_digest(Column(name=name, recipe=recipe), self._run)
        columns = self._evaluation.columns
        for place, one in enumerate(columns):
            if one.digest == column.digest and one.name == name:
                return place
        if any(one.name == name and one.recipe == recipe for one in columns):
            raise UserError(
                f"The model, an adapter, the documents or the engine of {name} have changed since this ladder began.",
                "Start a new ladder; answers of recipes that have not changed are taken over.",
            )
        leaks = self._trained.trained_before((column,), self.questions, self._run.context)
        place = len(columns)
        self._evaluation = msgspec.structs.replace(
            self._evaluation,
            columns=(*columns, column),
            trained_before=(
                *(self._evaluation.trained_before or ()),
                *(msgspec.structs.replace(one, column=place) for one in leaks),
            ),
        )
        self._store.update(self._evaluation)
        return place

    def answer(self, place: int, questions: Sequence[NumberedQuestion], progress: Progress) -> float:
        """Make the answers and scores of a column that are missing; returns the seconds. Raises ``Ended`` as
        ``before_each`` does, and UserError when the recipe cannot answer: then the missing places are taken out of the
        grid."""
        column, seed = self._evaluation.columns[place], self._evaluation.seed
        cells = {
            one.number: cell_of(column.digest, one.question, seed_of(column.recipe, one.question, seed))
            for one in questions
        }
        began = time.monotonic()
        numbers = sorted(cells, key=lambda number: (_text(questions, number), number))
        self._store.add_places(self._evaluation, [(place, number, cells[number]) for number in numbers])
        missing = {cell for _, _, cell in self._store.places(self._evaluation.id, unscored=self.key)}
        progress.skip(sum(cells[number] not in missing for number in numbers))
        if missing:
            work = GridWork(self._kind, self._run, self._evaluation)
            try:
                work.answer_all(progress, self._before_each)
                work.score_all()
            except (UserError, Ended):
                self._store.remove_unanswered(self._evaluation.id)
                raise
        return time.monotonic() - began

    def texts(self, place: int) -> Mapping[int, tuple[str, float]]:
        """The answers of a column with their scores, by question number; without those that have none."""
        found = {}
        for number, score in self.scores(place).items():
            cell = self._store.answer(self._store.cell(self._evaluation.id, place, number))
            if cell is not None and not cell.error:
                found[number] = (cell.text, score)
        return found

    def scores(self, place: int) -> Mapping[int, float]:
        return self._store.values(self._evaluation.id, self.key)[place]


def _text(questions: Sequence[NumberedQuestion], number: int) -> str:
    return next(one.question.text for one in questions if one.number == number)
