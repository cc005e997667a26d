"""The kind of run that takes a question set through the techniques: races, trainings, answers, and their verdict.

It composes what there is: answers are cells of two evaluations, trainings and searches are runs of their own. What has
become of each rung is written when it happens. So a ladder that was stopped, killed or extended goes on where it was:
nothing is answered or trained twice.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from workbench.api import events
from workbench.api.events import Event
from workbench.api.protocol import finish
from workbench.base.catalogue import Shown
from workbench.base.counting import counted
from workbench.base.errors import UserError, WorkerDied
from workbench.base.stored import Stored
from workbench.core.change_notifier import ChangeNotifier
from workbench.records.evaluation import NumberedQuestion, shuffled
from workbench.records.ladder import (
    AS_IT_IS,
    Ladder,
    LadderResult,
    RungEstimate,
    RungNote,
    RungState,
    in_order_of_cost,
    least_apart,
)
from workbench.records.recipes import Recipe
from workbench.subjects.adapters.trained_data import TrainedData
from workbench.subjects.evaluation.question_store import QuestionStore
from workbench.subjects.evaluation.runs import EvaluateRuns
from workbench.subjects.evaluation.store import EvaluationStore
from workbench.subjects.ladder.answers import Ended, Progress, RungAnswers
from workbench.subjects.ladder.estimates import renewed
from workbench.subjects.ladder.planning import Planner, compares_all
from workbench.subjects.ladder.preparing import Preparer, Work
from workbench.subjects.ladder.probing import PROBED
from workbench.subjects.ladder.report import LadderReports
from workbench.subjects.ladder.rung import Combination, Rung
from workbench.subjects.ladder.rungs import BY_NAME
from workbench.subjects.ladder.store import LadderStore
from workbench.subjects.ladder.verdict import could_be_shown_better, seconds_in_words
from workbench.subjects.runs.calls import RunRecord
from workbench.subjects.runs.kinds import OpenRun, RunKind

FIRST_ROUND = 12
"""Tuning questions of the first round of a race; each further round has twice as many."""
SURVIVORS = 2
"""So many rungs of a technique go on from a race."""
BEYOND = 1.25
"""A rung that will take more than so many times what is left of the limit is not answered any further."""
TENTH = 0.1
LIMIT_REACHED: Shown = "The limit in minutes was reached."


class LadderRun(msgspec.Struct, frozen=True, kw_only=True):
    """The config of a run: the ladder that it works on."""

    ladder: str


@dataclass(frozen=True, eq=False)
class LadderRuns(RunKind):
    config = Stored("config of this run", LadderRun)
    result = Stored("result of this run", LadderResult)
    resumable = True

    _store: LadderStore
    _evaluate: EvaluateRuns
    _evaluations: EvaluationStore
    _sets: QuestionStore
    _planner: Planner
    _preparer: Preparer
    _reports: LadderReports
    _trained: TrainedData
    _changes: ChangeNotifier

    def concurrency_group(self, run: RunRecord) -> str:
        """Ladders run one after the other. What a ladder prepares are runs of other groups, for which it waits."""
        return "ladder"

    def set_paused(self, run: OpenRun, paused: bool) -> None:
        """The answers that are being generated are completed first."""

    def work(self, run: OpenRun) -> Event:
        config = msgspec.convert(run.record.config, LadderRun)
        climb = _Climb(self, run, self._store.get(config.ladder))
        try:
            climb.all()
        finally:
            climb.note_time()
            self._changes.publish("ladder", config.ladder)
            self._changes.publish("evaluation", climb.ladder.evaluation)
        report = self._reports.report(climb.ladder)
        return finish(LadderResult(ladder=config.ladder, answered=climb.progress.made, sentence=report.sentence))


class _Climb:
    """One run's work on a ladder."""

    def __init__(self, kind: LadderRuns, run: OpenRun, ladder: Ladder) -> None:
        self._kind, self._run, self.ladder = kind, run, ladder
        self._began, self._spent_before = time.monotonic(), ladder.spent_s
        self.progress = Progress(run)
        self.progress.left = self._left
        run.emit(events.Progress(stage="reading the models"))
        self._notes = {name: RungNote(name=name) for name in ladder.rungs} | kind._store.notes(ladder.id)
        self._held = self._open(ladder.evaluation)
        self._race = self._open(ladder.race) if ladder.race else None
        self._raced_questions: Sequence[NumberedQuestion] = ()
        if self._race is not None:
            self._raced_questions = shuffled(self._race.questions, ladder.seed)
        self._compares = compares_all(ladder.rungs)
        self._setting = kind._planner.setting_of(ladder)
        self._waiting: list[str] = []
        self._current = AS_IT_IS
        self._lock = threading.Lock()  # answers are begun on several threads

    def all(self) -> None:
        mine = [BY_NAME[name] for name in self.ladder.rungs if name in BY_NAME]
        for rung in mine:
            note = self._notes[rung.name]
            if note.state in ("racing", "preparing", "answering"):  # it was under way when the run ended
                self._put(rung, state="waiting", reason="")
        open_rungs = [rung for rung in mine if self._notes[rung.name].state in ("waiting", "failed")]
        self._waiting = [rung.name for rung in open_rungs]
        self.progress.total = len(self._held.questions) * len(mine)
        self.progress.done = len(self._held.questions) * (len(mine) - len(open_rungs))
        first = BY_NAME[AS_IT_IS]
        if first in open_rungs:
            self._climb(first)  # whatever the limit: the others are compared with it
            if self._notes[AS_IT_IS].state != "measured":
                raise UserError(self._notes[AS_IT_IS].reason or "The recipe as it is could not answer.")
        cheap = [rung for rung in open_rungs if rung.races]
        self._race_all(cheap)
        for rung in self._in_order(open_rungs):
            if rung is not first and self._notes[rung.name].state in ("waiting", "failed"):
                self._climb(rung)

    def note_time(self) -> None:
        self.ladder = msgspec.structs.replace(
            self._kind._store.get(self.ladder.id), spent_s=self._spent_before + time.monotonic() - self._began
        )
        self._kind._store.update(self.ladder)

    # -- races --------------------------------------------------------------------------------------

    def _race_all(self, cheap: Sequence[Rung]) -> None:
        """Successive halving among the cheap rungs of each technique, on tuning questions (Jamieson and Talwalkar 2016,
        arXiv:1502.07943). What a person has asked for by name answers too, and is not left out."""
        race = self._race
        if race is None or len(race.questions) < FIRST_ROUND:
            return
        if self._compares and self._notes[AS_IT_IS].tune_score is None and self._left_of_limit() > 0:
            self._raced(race, BY_NAME[AS_IT_IS], self._raced_questions, state="measured")
        techniques = list(dict.fromkeys(rung.technique for rung in cheap))
        for technique in techniques:
            mine = [rung for rung in cheap if rung.technique == technique]
            free = [rung for rung in mine if not self._notes[rung.name].forced]
            if len(free) > SURVIVORS:
                self._halve(race, mine)

    def _halve(self, race: RungAnswers, rungs: Sequence[Rung]) -> None:
        left, count = list(rungs), FIRST_ROUND
        for rung in rungs:
            if reason := self._not_now(rung):
                self._skip(rung, reason)
                left.remove(rung)
        while left:
            count = min(count, len(race.questions))
            questions = self._raced_questions[:count]
            scores: dict[str, float] = {}
            for rung in list(left):
                try:
                    scores[rung.name] = self._raced(race, rung, questions)
                except Ended as ended:
                    if self._left_of_limit() <= 0:
                        self._put(rung, state="waiting")
                        return
                    self._skip(rung, str(ended))
                    left.remove(rung)
                except UserError as error:
                    self._put(rung, state="failed", reason=_said(error))
                    left.remove(rung)
            free = [rung for rung in left if not self._notes[rung.name].forced]
            keep = max(SURVIVORS, math.ceil(len(free) / 2))
            if len(free) > keep:
                ranked = sorted((scores[rung.name] for rung in free), reverse=True)
                limit = ranked[keep - 1]
                best = max(scores.values())
                for rung in [one for one in free if scores[one.name] < limit]:
                    left.remove(rung)
                    self._skip(
                        rung,
                        f"In a trial on {counted(count, 'tuning question')} it was right in "
                        f"{100 * scores[rung.name]:.0f} %, and the best one of its kind in {100 * best:.0f} %.",
                    )
            for rung in left:
                if self._notes[rung.name].state == "racing":
                    self._put(rung, state="waiting")
            if count == len(race.questions) or (len(left) <= SURVIVORS and not self._compares):
                return
            count *= 2

    def _raced(
        self,
        race: RungAnswers,
        rung: Rung,
        questions: Sequence[NumberedQuestion],
        state: RungState = "racing",
        recipe: Recipe | None = None,
    ) -> float:
        """The rung's mean on tuning questions."""
        note = self._notes[rung.name]
        recipe = recipe or note.recipe or rung.recipe(self._setting)
        self._put(rung, state=state, recipe=recipe)
        self._current = rung.name
        self.progress.begin(f"{rung.title}: tuning questions", len(questions))
        self.progress.total += len(questions)
        place = race.column(rung.title, recipe)
        seconds = race.answer(place, questions, self.progress)
        values = race.scores(place)
        mean = math.fsum(values[one.number] for one in questions if one.number in values) / len(questions)
        spent = self._notes[rung.name].racing_s + seconds
        self._put(rung, raced=len(questions), tune_score=mean, racing_s=spent)
        return mean

    # -- one rung -----------------------------------------------------------------------------------

    def _climb(self, rung: Rung) -> None:
        """Prepare the rung where it needs that, and let it answer the held-out questions."""
        if reason := self._not_now(rung):
            self._skip(rung, reason)
            return
        self._current = rung.name
        try:
            recipe = self._prepared(rung)
            if recipe is None:
                return
            self._put(rung, state="answering", recipe=recipe, reason="")
            self.progress.begin(rung.title, len(self._held.questions))
            place = self._held.column(rung.title, recipe)
            self._put(rung, column=place)
            seconds = self._held.answer(place, self._held.questions, self.progress)
            spent = self._notes[rung.name].answering_s + seconds
            self._put(rung, state="measured", answering_s=spent)
        except Ended as ended:
            self._skip(rung, f"{ended} {self._so_far(rung)}".strip())
        except (UserError, WorkerDied) as error:
            self._put(rung, state="failed", reason=_said(error))
            self._run.emit(events.Log(text=f"{rung.title}: {_said(error)}", level="notice"))
        finally:
            self.note_time()
        if rung.name in self._waiting:
            self._waiting.remove(rung.name)

    def _prepared(self, rung: Rung) -> Recipe | None:
        note = self._notes[rung.name]
        if note.recipe is not None:
            return note.recipe
        if rung.preparation is None:
            recipe = rung.recipe(self._setting)
            self._compare(rung, recipe)
            return recipe
        if isinstance(rung.preparation, Combination):
            found = self._kind._preparer.combine(self._setting.recipe, self._notes, BY_NAME)
            if found is None:
                self._skip(rung, "Fewer than two techniques were better than the recipe as it is on tuning questions.")
                return None
            recipe, of = found
            self._put(
                rung,
                joined=tuple(one.name for one in of),
                preparing_s=math.fsum(one.preparing_s for one in of),
                examples=max(one.examples for one in of),
                memory_bytes=max(one.memory_bytes for one in of),
            )
            return recipe
        self._put(rung, state="preparing")
        self.progress.begin(f"{rung.title}: preparing")
        recipe = self._kind._preparer.prepare(rung, note, self._work(rung))
        self._compare(rung, recipe)
        return recipe

    def _compare(self, rung: Rung, recipe: Recipe) -> None:
        """Let the rung answer the tuning questions on which rungs of all techniques are compared, where they are."""
        if self._compares and self._race is not None and rung.technique is not None:
            state: RungState = "racing" if rung.preparation is None else "preparing"
            self._raced(self._race, rung, self._raced_questions, state=state, recipe=recipe)

    def _work(self, rung: Rung) -> Work:
        numbers = {one.number for one in self._raced_questions} if self._compares else set()
        return Work(
            ladder=self.ladder,
            setting=self._setting,
            run=self._run,
            progress=self.progress,
            open_answers=self._open,
            put=lambda **values: self._put(rung, **values),
            raced=frozenset(numbers),
        )

    def _open(self, evaluation: str) -> RungAnswers:
        kind = self._kind
        return RungAnswers(evaluation, kind._evaluate, kind._evaluations, kind._trained, self._run, self._look_at_clock)

    def _not_now(self, rung: Rung) -> Shown:
        """Why the rung is left out; "" where it goes on."""
        if rung.name == AS_IT_IS:
            return ""
        note = self._notes[rung.name]
        if self.ladder.minutes:
            left = self._left_of_limit()
            expected = self._expected()[rung.name]
            takes = expected.preparing_s + expected.answering_s
            takes += expected.racing_s if self._compares and not note.raced else 0.0
            if left <= 0:
                return LIMIT_REACHED
            if takes > left and not note.run:
                return f"It takes about {_minutes(takes)}, and {_limit_left(left)}."
        if rung.preparation is not None and not note.forced and not isinstance(rung.preparation, Combination):
            best = self._best_values()
            if best and not could_be_shown_better(best):
                share = 100 * math.fsum(best) / len(best)
                return (
                    f"There is no room above: the best rung has {share:.0f} % of {len(best)} questions right, so that "
                    "even a perfect one would not be shown to be better."
                )
        return ""

    def _best_values(self) -> list[float]:
        """The scores of the best rung so far."""
        found: list[float] = []
        for note in self._notes.values():
            if note.state == "measured" and note.column is not None:
                values = list(self._held.scores(note.column).values())
                if values and (not found or math.fsum(values) / len(values) > math.fsum(found) / len(found)):
                    found = values
        return found

    # -- parts --------------------------------------------------------------------------------------

    def _in_order(self, rungs: Sequence[Rung]) -> list[Rung]:
        """Cheap rungs first, by what was estimated before the start, a combination last. What was estimated about the
        same stays in the order of the course."""
        plain = [rung for rung in rungs if not isinstance(rung.preparation, Combination)]
        joined = [rung for rung in rungs if isinstance(rung.preparation, Combination)]
        estimates = [self._notes[rung.name].estimate for rung in plain]
        costs = [one.preparing_s + one.answering_s for one in estimates]
        order = in_order_of_cost(costs, least_apart(len(self._held.questions)))
        return [*(plain[place] for place in order), *joined]

    def _skip(self, rung: Rung, reason: Shown) -> None:
        self._put(rung, state="skipped", reason=reason)
        self.progress.total -= len(self._held.questions)
        if rung.name in self._waiting:
            self._waiting.remove(rung.name)

    def _put(self, rung: Rung, **values: Any) -> None:
        note = msgspec.structs.replace(self._notes[rung.name], **values)
        self._notes[rung.name] = note
        self._kind._store.put(self.ladder.id, note)
        self._kind._changes.publish("ladder", self.ladder.id)

    def _spent(self) -> float:
        return self._spent_before + time.monotonic() - self._began

    def _left_of_limit(self) -> float:
        """Seconds."""
        return 60 * self.ladder.minutes - self._spent() if self.ladder.minutes else math.inf

    def _look_at_clock(self) -> None:
        """Before each answer: note what the rung will take, by its answers so far. Raises Ended where the limit in
        minutes is reached, or would be long before the rung has answered all."""
        with self._lock:
            note, left = self._notes[self._current], self._left_of_limit()
            seen, each, missing = self.progress.seconds_each, self._seconds_each(note), self.progress.missing
            begun = note.state == "answering" and self.progress.share_left <= 1 - TENTH
            if each is not None and begun and not note.tenth.answering_s:
                told = msgspec.structs.replace(note.tenth, answering_s=self.progress.took_s + each * missing)
                self._put(BY_NAME[note.name], tenth=told)
            if note.name == AS_IT_IS:
                return
            if left <= 0:
                raise Ended(LIMIT_REACHED)
            if seen is None or each is None or not missing:
                return
            takes = each * (missing if note.state == "answering" else missing + len(self._held.questions))
            if takes > BEYOND * left:
                raise Ended(
                    f"An answer takes {seconds_in_words(seen)} here. What is missing would take about "
                    f"{_minutes(takes)}, and {_limit_left(left)}."
                )

    def _seconds_each(self, note: RungNote) -> float | None:
        """What an answer of the rung that answers now takes: by its answers so far and by those that were measured
        before, each counting as many times as there were; None before there are any. Of a combination none were: what
        it joins was not known."""
        seen, made = self.progress.seconds_each, self.progress.made_here
        if seen is None or not note.estimate.measured or note.joined:
            return seen
        before = self._expected()[note.name].answering_s / len(self._held.questions)
        return (PROBED * before + made * seen) / (PROBED + made)

    def _so_far(self, rung: Rung) -> Shown:
        """How many of its answers were right, of a rung that was not answered to its end."""
        note = self._notes[rung.name]
        values = self._held.scores(note.column) if note.column is not None else {}
        if not values:
            return ""
        share = 100 * math.fsum(values.values()) / len(values)
        return f"It was right in {share:.0f} % of the {counted(len(values), 'held-out question')} that it answered."

    def _expected(self) -> dict[str, RungEstimate]:
        return renewed(self._notes, len(self._held.questions))

    def _left(self) -> float:
        """The seconds that are left of all rungs, by their estimates and by what was measured so far."""
        left, expected = 0.0, self._expected()
        for name in list(self._waiting):
            note, rung = self._notes[name], expected[name]
            if name == self._current and note.state == "answering":
                each = self._seconds_each(note)
                left += rung.answering_s * self.progress.share_left if each is None else each * self.progress.missing
                continue
            preparing = max(0.0, rung.preparing_s - note.preparing_s)
            if note.state == "preparing" and self.progress.preparing_left is not None:
                preparing = self.progress.preparing_left
            left += rung.answering_s + preparing + max(0.0, rung.racing_s - note.racing_s)
        return min(left, max(0.0, self._left_of_limit()))


def _minutes(seconds: float) -> str:
    return counted(math.ceil(seconds / 60), "minute")


def _limit_left(seconds: float) -> Shown:
    minutes = max(0, math.floor(seconds / 60))
    return f"{counted(minutes, 'minute')} of the limit {'is' if minutes == 1 else 'are'} left"


def _said(error: Exception) -> str:
    if isinstance(error, UserError):
        return f"{error.message} {error.hint}".strip()
    return str(error) or "The worker has ended unexpectedly."
