"""A ladder as it is read: each rung's state, score, cost and leaks, and the verdict on all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from workbench.base.errors import UserError
from workbench.records.endpoints import Endpoint
from workbench.records.evaluation import ColumnCost, Evaluation
from workbench.records.ladder import (
    AS_IT_IS,
    Ladder,
    LadderReport,
    LadderState,
    RungCost,
    RungNote,
    RungOffer,
    RungReport,
)
from workbench.subjects.answering.resolver import HomeServices
from workbench.subjects.evaluation.question_store import QuestionStore
from workbench.subjects.evaluation.results import RIGHT, describe_leaks
from workbench.subjects.evaluation.store import EvaluationStore
from workbench.subjects.ladder import estimates
from workbench.subjects.ladder.estimates import per_answer
from workbench.subjects.ladder.rung import Rung
from workbench.subjects.ladder.rungs import BY_NAME
from workbench.subjects.ladder.store import LadderStore
from workbench.subjects.ladder.verdict import Scored, Verdict, judge
from workbench.subjects.runs.queue import Runs

_STATES: dict[str, LadderState] = {
    "queued": "waiting", "running": "running", "finished": "finished", "failed": "failed", "cancelled": "stopped",
    "interrupted": "stopped",
}  # fmt: skip
_UNDER_WAY = ("racing", "preparing", "answering")


@dataclass(frozen=True, eq=False)
class LadderReports:
    _store: LadderStore
    _evaluations: EvaluationStore
    _sets: QuestionStore
    _services: HomeServices
    _runs: Runs

    def report(self, ladder: Ladder) -> LadderReport:
        state, left = self._state(ladder)
        notes = self._store.notes(ladder.id)
        if state not in ("running", "waiting"):  # what was under way goes on when the ladder is resumed
            notes = {
                name: msgspec.structs.replace(note, state="waiting") if note.state in _UNDER_WAY else note
                for name, note in notes.items()
            }
        try:
            evaluation = self._evaluations.get(ladder.evaluation)
        except UserError as error:
            rungs = tuple(_report_of(notes.get(name) or RungNote(name=name)) for name in ladder.rungs)
            return LadderReport(ladder=ladder, state=state, rungs=rungs, sentence=error.message)
        key = evaluation.scorers[0].key
        values = self._evaluations.values(evaluation.id, key) if key else [{} for _ in evaluation.columns]
        costs = self._evaluations.costs(evaluation)
        leaks, endpoint = _leaks_of(evaluation, values), self._endpoint(ladder)
        verdict = self.verdict_of(ladder, notes, values, costs)
        for name, expected in estimates.renewed(notes, evaluation.questions).items():
            if notes[name].state not in ("measured", "skipped", "failed"):
                notes[name] = msgspec.structs.replace(notes[name], estimate=expected)
        rungs = tuple(
            _measured(notes.get(name) or RungNote(name=name), verdict, values, costs, leaks, endpoint)
            for name in ladder.rungs
        )
        return LadderReport(
            ladder=ladder,
            state=state,
            rungs=rungs,
            sentence=verdict.sentence,
            winner=verdict.winner,
            more=verdict.more,
            held_out=evaluation.questions,
            tune=self._tune(ladder),
            spent_s=ladder.spent_s,
            left_s=left,
            notes=tuple(f"{evaluation.columns[place].name}: {leak}" for place, leak in leaks.items()),
        )

    def verdict_of(
        self,
        ladder: Ladder,
        notes: Mapping[str, RungNote],
        values: Sequence[Mapping[int, float]],
        costs: Sequence[ColumnCost],
    ) -> Verdict:
        """The verdict on the rungs that have answered all their questions."""
        scored = []
        for name in ladder.rungs:
            note = notes.get(name)
            if note is None or note.state != "measured" or note.column is None or note.column >= len(values):
                continue
            rung = BY_NAME.get(name)
            title = offer_of(rung, note).title
            scored.append(
                Scored(
                    name=name,
                    title=f"“{title}”" if name == AS_IT_IS else title,
                    values=values[note.column],
                    cost=_cost_of(note, costs[note.column], values[note.column]),
                    plural=bool(note.joined) or (rung is not None and rung.plural),
                )
            )
        return judge(scored)

    def _tune(self, ladder: Ladder) -> int:
        try:
            return self._sets.get(ladder.question_set).tune
        except UserError:  # it was removed
            return 0

    def _endpoint(self, ladder: Ladder) -> Endpoint | None:
        """Where the model of the ladder computes; None for one of this machine, or that was removed."""
        try:
            return self._services.resolve(ladder.recipe).model.endpoint
        except UserError:
            return None

    def _state(self, ladder: Ladder) -> tuple[LadderState, float | None]:
        try:
            run = self._runs.get(ladder.run)
        except UserError:  # the run was removed
            return "stopped", None
        return _STATES[run.state], run.seconds_left


def offer_of(rung: Rung | None, note: RungNote) -> RungOffer:
    """The row of a rung; of one that this version does not know its name. A combination is called by its parts."""
    if rung is None:
        return RungOffer(name=note.name, title=note.name, sentence="This version does not know the rung.", place="")
    parts = [BY_NAME[name].title for name in note.joined if name in BY_NAME]
    return RungOffer(
        name=rung.name, title=" + ".join(parts) or rung.title, sentence=rung.sentence, place=rung.place,
        technique=rung.technique, estimate=note.estimate,
    )  # fmt: skip


def _report_of(note: RungNote) -> RungReport:
    return RungReport(
        offer=offer_of(BY_NAME.get(note.name), note), state=note.state, reason=note.reason, recipe=note.recipe,
        column=note.column, run=note.run, cost=RungCost(preparing_s=note.preparing_s, examples=note.examples),
    )  # fmt: skip


def _measured(
    note: RungNote,
    verdict: Verdict,
    values: Sequence[Mapping[int, float]],
    costs: Sequence[ColumnCost],
    leaks: Mapping[int, str],
    endpoint: Endpoint | None,
) -> RungReport:
    report = _report_of(note)
    if note.column is None or note.column >= len(costs):
        return report
    report = msgspec.structs.replace(
        report,
        cost=_cost_of(note, costs[note.column], values[note.column], endpoint),
        leak=leaks.get(note.column, ""),
    )
    judged = verdict.rungs.get(note.name)
    if judged is None:
        return report
    return msgspec.structs.replace(
        report, score=judged.score, difference=judged.difference, standing=judged.standing, frontier=judged.frontier
    )


def _cost_of(
    note: RungNote, cost: ColumnCost, values: Mapping[int, float], endpoint: Endpoint | None = None
) -> RungCost:
    right = sum(value >= RIGHT for value in values.values())
    tokens = (cost.prompt_tokens or 0) + (cost.new_tokens or 0)
    return RungCost(
        preparing_s=note.preparing_s,
        examples=note.examples,
        memory_bytes=note.memory_bytes,
        answer_s=per_answer(cost.seconds or 0.0),
        answer_tokens=tokens,
        answer_price=estimates.price_of(endpoint, cost.prompt_tokens or 0, cost.new_tokens or 0),
        tokens_per_right=cost.answers * tokens / right if right else None,
    )


def _leaks_of(evaluation: Evaluation, values: Sequence[Mapping[int, float]]) -> dict[int, str]:
    """What of the questions was trained before, by the place of the rung's column."""
    found = {}
    for leak in evaluation.trained_before or ():
        alone = msgspec.structs.replace(evaluation, trained_before=(leak,))
        title = "The score"
        sentences = describe_leaks(alone, [(title, "")], [values])
        if sentences:
            column = evaluation.columns[leak.column].name
            found[leak.column] = " ".join(one.removeprefix(f"{column}: ") for one in sentences)
    return found
