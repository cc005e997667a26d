"""Ladders of a home: planned, begun, extended, read, exported, removed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from workbench.api.events import Event
from workbench.api.protocol import RequestContext, finish
from workbench.base.errors import UserError
from workbench.base.paths import absolute_path
from workbench.core.change_notifier import ChangeNotifier
from workbench.core.streams import Handlers, unary
from workbench.records.evaluation import Column, Evaluation
from workbench.records.ladder import AS_IT_IS, LADDER_ANSWERS, Ladder, LadderList, RungNote
from workbench.storage.database import new_id
from workbench.subjects.answering.answer import check
from workbench.subjects.answering.request import AnswerRequest
from workbench.subjects.answering.resolver import HomeServices
from workbench.subjects.evaluation.question_store import QuestionStore
from workbench.subjects.evaluation.questions import draw_questions
from workbench.subjects.evaluation.service import Evaluations
from workbench.subjects.evaluation.store import EvaluationStore
from workbench.subjects.ladder.calls import (
    ExportLadder,
    ExtendLadder,
    GetLadder,
    ListLadders,
    PlanLadder,
    RemoveLadder,
    StartLadder,
)
from workbench.subjects.ladder.exporting import write_ladder
from workbench.subjects.ladder.planning import Planner, compared, named, rungs_of, with_parts
from workbench.subjects.ladder.report import LadderReports
from workbench.subjects.ladder.rungs import rung_named
from workbench.subjects.ladder.runs import LadderRun
from workbench.subjects.ladder.store import LadderStore
from workbench.subjects.runs.calls import RunRecord
from workbench.subjects.runs.log import RunLog
from workbench.subjects.runs.queue import Runs
from workbench.text.metrics import COMPARISON


@dataclass(frozen=True, eq=False)
class Ladders:
    _store: LadderStore
    _evaluations: EvaluationStore
    _scoring: Evaluations
    _sets: QuestionStore
    _services: HomeServices
    _planner: Planner
    _reports: LadderReports
    _runs: Runs
    _changes: ChangeNotifier

    def handlers(self) -> Handlers:
        return {
            PlanLadder: self.plan,
            StartLadder: self.start,
            ExtendLadder: self.extend,
            ListLadders: unary(lambda call: self._list()),
            GetLadder: unary(lambda call: self._reports.report(self._store.get(call.ladder))),
            RemoveLadder: unary(self.remove),
            ExportLadder: unary(self.export),
        }

    def plan(self, call: PlanLadder, context: RequestContext) -> Iterator[Event]:
        found = self._sets.get(call.question_set)
        plan, _ = yield from self._planner.plan(
            found, call.recipe, call.collection, call.task, None, context, measure=call.measure
        )
        yield finish(plan)

    def start(self, call: StartLadder, context: RequestContext) -> Iterator[Event]:
        """What cannot be measured is refused before anything is stored."""
        found = self._sets.get(call.question_set)
        plan, setting = yield from self._planner.plan(
            found, call.recipe, call.collection, call.task, call.scorer, context,
            questions=call.questions, chosen=call.rungs,
        )  # fmt: skip
        rungs = rungs_of(plan, call.rungs)
        context.raise_if_cancelled()
        held = list(self._sets.questions(found, "held-out"))
        if call.questions:
            held = draw_questions(held, call.questions, call.seed)
        recipe = setting.recipe
        request = AnswerRequest(recipe=recipe, conversation=held[0].question.conversation(), origins=found.origins)
        resolved = self._services.resolve(recipe)
        check(request, resolved, self._services)
        recipe = named(recipe, resolved.model.name)
        column = Column(name=rung_named(AS_IT_IS).title, recipe=recipe)
        (scorer,) = self._scoring.check_scorers((call.scorer or plan.scorer,))
        self._scoring.check_judges((scorer,), (column,), found.origins)
        tune = compared(list(self._sets.questions(found, "tune")), call.seed)
        measured = Evaluation(
            id=new_id(), question_set=found.id, set_name=found.name, created=time.time(), columns=(column,),
            scorers=(scorer,), part="held-out", limit=call.questions, seed=call.seed, questions=len(held),
            origins=found.origins, comparison=COMPARISON, part_of=LADDER_ANSWERS["held-out"],
        )  # fmt: skip
        race = msgspec.structs.replace(
            measured, id=new_id(), part="tune", limit=0, questions=len(tune), search=True,
            part_of=LADDER_ANSWERS["tune"],
        )  # fmt: skip
        ladder = Ladder(
            id=new_id(), created=time.time(), question_set=found.id, set_name=found.name, task=plan.task,
            recipe=recipe, rungs=rungs, scorer=scorer, collection=plan.collection, minutes=call.minutes,
            questions=call.questions, seed=call.seed, evaluation=measured.id, race=race.id if tune else "",
        )  # fmt: skip
        self._evaluations.add(measured, held)
        if tune:
            self._evaluations.add(race, tune)
        self._store.add(ladder)
        for offer in (with_parts(one, plan.rungs, rungs) for one in plan.rungs):
            if offer.name in rungs:
                self._store.put(ladder.id, RungNote(name=offer.name, estimate=offer.estimate))
        yield finish(self._queue(ladder))

    def extend(self, call: ExtendLadder, context: RequestContext) -> Iterator[Event]:
        ladder = self._store.get(call.ladder)
        self._refuse_running(ladder)
        found = self._sets.get(ladder.question_set)
        plan, _ = yield from self._planner.plan(
            found, ladder.recipe, ladder.collection, ladder.task, ladder.scorer, context,
            questions=ladder.questions, chosen=(*ladder.rungs, *call.rungs),
        )  # fmt: skip
        notes = self._store.notes(ladder.id)
        offers = {one.name: one for one in plan.rungs}
        for name in call.rungs:
            rung_named(name)
            rungs_of(plan, (name,))
            note = notes.get(name) or RungNote(name=name, estimate=offers[name].estimate)
            if note.state in ("skipped", "failed", "waiting"):
                self._store.put(ladder.id, msgspec.structs.replace(note, state="waiting", reason="", forced=True))
        known = set(ladder.rungs) | set(call.rungs)
        ladder = msgspec.structs.replace(
            ladder,
            rungs=tuple(one.name for one in plan.rungs if one.name in known),
            minutes=ladder.minutes + call.minutes if ladder.minutes else 0.0,
        )
        yield finish(self._queue(ladder))

    def remove(self, call: RemoveLadder) -> LadderList:
        ladder = self._store.get(call.ladder)
        self._refuse_running(ladder)
        self._store.remove(ladder.id)
        for evaluation in filter(None, (ladder.evaluation, ladder.race, ladder.samples)):
            self._evaluations.remove(evaluation)
            self._changes.publish("evaluation", evaluation)
        self._changes.publish("ladder", ladder.id)
        return self._list()

    def export(self, call: ExportLadder) -> str:
        path = absolute_path(call.path)
        write_ladder(self._reports.report(self._store.get(call.ladder)), path, call.form)
        return str(path)

    # -- parts --------------------------------------------------------------------------------------

    def _list(self) -> LadderList:
        return LadderList(ladders=self._store.list_ladders())

    def _queue(self, ladder: Ladder) -> RunRecord:
        def note_run(folder: Path, log: RunLog) -> None:
            self._store.update(msgspec.structs.replace(ladder, run=folder.name))

        run = self._runs.add("ladder", f"What pays: {ladder.set_name}", LadderRun(ladder=ladder.id), prepare=note_run)
        self._changes.publish("ladder", ladder.id)
        return run

    def _refuse_running(self, ladder: Ladder) -> None:
        if ladder.run and self._runs.is_open(ladder.run):
            raise UserError("This ladder is running.", "Wait for its end, or stop it.")
