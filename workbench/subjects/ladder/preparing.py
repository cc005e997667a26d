"""Rungs prepared: prompts that are searched for, adapters that are trained, recipes that are joined.

A search or a training is a run of its own, in the queue. Its name is that of the ladder's rung, so a ladder that was
stopped or killed finds it again: it takes over what has ended and resumes what has not.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from workbench.api import events
from workbench.api.events import Event
from workbench.api.protocol import drain, error_of, follow
from workbench.base.counting import counted
from workbench.base.errors import UserError
from workbench.records.evaluation import NumberedQuestion, shuffled
from workbench.records.ladder import AS_IT_IS, LADDER_ANSWERS, Ladder, RungEstimate, RungNote
from workbench.records.optimisation import OptimisationResult
from workbench.records.recipes import PARTS, AdapterUse, Recipe
from workbench.records.training import TrainResult
from workbench.storage.database import new_id
from workbench.subjects.adapters.store import AdapterStore
from workbench.subjects.datasets.store import DatasetStore
from workbench.subjects.evaluation.calls import Optimise
from workbench.subjects.evaluation.optimising import Optimising
from workbench.subjects.evaluation.question_store import QuestionStore
from workbench.subjects.evaluation.store import EvaluationStore
from workbench.subjects.ladder.answers import Progress, RungAnswers
from workbench.subjects.ladder.learning import MOST_SAMPLED, Row, answer_rows, kept, pair_rows
from workbench.subjects.ladder.rung import Pairs, Rung, Search, Setting
from workbench.subjects.ladder.store import LadderStore
from workbench.subjects.ladder.training_configs import training_config
from workbench.subjects.runs.calls import FollowRun, ListRuns, RunRecord
from workbench.subjects.runs.kinds import OpenRun
from workbench.subjects.runs.queue import Runs
from workbench.subjects.trainings.calls import Train
from workbench.subjects.trainings.service import Training

FEWEST_PAIRS = 8
RUNS_LOOKED_AT = 1_000
NOTED_EACH_S = 5.0
"""So often the time that a preparation has taken is written down: of a ladder that is killed no more is lost."""
TENTH = 0.1
"""From this share of its time on, what a training says is left counts as told after a tenth of it."""


class Work(msgspec.Struct, frozen=True, kw_only=True):
    """What a rung is prepared with: the run of its ladder, how to open an evaluation of tuning questions, and how to
    keep what has become of the rung. ``raced`` are the numbers of questions on which rungs are compared."""

    ladder: Ladder
    setting: Setting
    run: OpenRun
    progress: Progress
    open_answers: Callable[[str], RungAnswers]
    put: Callable[..., None]
    raced: frozenset[int] = frozenset()


@dataclass(frozen=True, eq=False)
class Preparer:
    _runs: Runs
    _store: LadderStore
    _sets: QuestionStore
    _data: DatasetStore
    _evaluations: EvaluationStore
    _adapters: AdapterStore
    _training: Training
    _optimising: Optimising

    def prepare(self, rung: Rung, note: RungNote, work: Work) -> Recipe:
        """The recipe of a rung that has to be prepared. Raises UserError where that fails."""
        if isinstance(rung.preparation, Search):
            return self._searched(rung, rung.preparation, note, work)
        return self._trained(rung, note, work)

    # -- a search -----------------------------------------------------------------------------------

    def _searched(self, rung: Rung, search: Search, note: RungNote, work: Work) -> Recipe:
        ladder = work.ladder
        name = _name_of(ladder, rung)
        run = self._known(note.run, "optimise", name)
        if run is None:
            call = Optimise(
                question_set=ladder.question_set, recipe=ladder.recipe, method=search.method, options=search.options,
                scorer=ladder.scorer, seed=ladder.seed, measure=0, name=name,
            )  # fmt: skip
            run = self._optimising.start(call)
        plain = self._followed(run, rung, note, work, count=work.setting.tune)
        result = msgspec.convert(plain, OptimisationResult)
        if not result.candidate:
            raise UserError("No candidate was better than the recipe as it is on tuning questions.")
        return result.recipe

    # -- a training ---------------------------------------------------------------------------------

    def _trained(self, rung: Rung, note: RungNote, work: Work) -> Recipe:
        ladder, setting = work.ladder, work.setting
        name = _name_of(ladder, rung)
        run = self._known(note.run, "train", name)
        if run is None:
            rows = self._rows(rung, work)
            origins = self._sets.get(ladder.question_set).origins
            data = kept(
                rows, f"{ladder.set_name} {rung.name}", f"tuning questions of {ladder.set_name}", origins, self._data
            )
            work.put(data=data, examples=len(rows))
            config = training_config(rung, setting, data, name, ladder.seed)
            run = drain(follow(RunRecord, self._training.train(Train(config=config), work.run.context)), _quietly)
        plain = self._followed(run, rung, note, work)
        card = self._adapters.find(msgspec.convert(plain, TrainResult).adapter)
        if card is None or not card.usable:
            reason = card.note if card is not None else "What was trained is not there any more."
            raise UserError(reason or "What was trained did not pass its verification.")
        work.put(adapter=card.name, memory_bytes=card.bytes)
        model = ladder.recipe.model
        if card.model:
            changed = msgspec.structs.replace(model, name=card.model)
        else:
            changed = msgspec.structs.replace(model, adapters=(*model.adapters, AdapterUse(name=card.name)))
        return msgspec.structs.replace(ladder.recipe, model=changed)

    def _rows(self, rung: Rung, work: Work) -> list[Row]:
        """What the rung learns from: of the tuning questions those on which rungs are not compared."""
        ladder = work.ladder
        tune = self._sets.questions(self._sets.get(ladder.question_set), "tune")
        learnt = [one for one in tune if one.number not in work.raced]
        if not isinstance(rung.preparation, Pairs):
            rows = answer_rows(ladder.recipe, learnt)
            if not rows:
                raise UserError("No tuning question has an answer that could be learnt.")
            return rows
        asked = sorted(shuffled(learnt, ladder.seed)[:MOST_SAMPLED], key=lambda one: one.number)
        drawn = self._sampled(rung, rung.preparation, asked, work)
        rows = pair_rows(ladder.recipe, asked, lambda number: drawn.get(number, ()))
        if len(rows) < FEWEST_PAIRS:
            raise UserError(
                f"There are only {counted(len(rows), 'pair')} of a right and a wrong answer to tuning questions; "
                f"{FEWEST_PAIRS} are needed.",
                "Take a set with more tuning questions.",
            )
        return rows

    def _sampled(
        self, rung: Rung, pairs: Pairs, asked: Sequence[NumberedQuestion], work: Work
    ) -> Mapping[int, list[tuple[str, float]]]:
        """Answers to tuning questions, drawn by chance, with their scores. They are cells of an evaluation."""
        ladder, began = self._with_samples(work.ladder, asked), time.monotonic()
        answers = work.open_answers(ladder.samples)
        work.progress.begin(f"{rung.title}: drawing answers")
        work.progress.total += pairs.answers * len(asked)
        found: dict[int, list[tuple[str, float]]] = {}
        for place in range(pairs.answers):
            decoding = msgspec.structs.replace(
                ladder.recipe.decoding, temperature=pairs.temperature, seed=ladder.seed + place
            )
            column = answers.column(f"Sample {place + 1}", msgspec.structs.replace(ladder.recipe, decoding=decoding))
            answers.answer(column, asked, work.progress)
            for number, (text, score) in answers.texts(column).items():
                found.setdefault(number, []).append((text, score))
        work.put(preparing_s=time.monotonic() - began)
        return found

    def _with_samples(self, ladder: Ladder, asked: Sequence[NumberedQuestion]) -> Ladder:
        ladder = self._store.get(ladder.id)
        if not ladder.samples:
            ladder = msgspec.structs.replace(ladder, samples=new_id())
            self._store.update(ladder)
        if not any(one.id == ladder.samples for one in self._evaluations.list_evaluations()):
            held = self._evaluations.get(ladder.evaluation)
            samples = msgspec.structs.replace(
                held, id=ladder.samples, part="tune", limit=0, questions=len(asked), search=True,
                columns=held.columns[:1], trained_before=None, part_of=LADDER_ANSWERS["samples"],
            )  # fmt: skip
            self._evaluations.add(samples, asked)
        return ladder

    # -- runs ---------------------------------------------------------------------------------------

    def _known(self, run: str, kind: str, name: str) -> RunRecord | None:
        """The run that prepares a rung, where it was begun: by its id, or, when the core died before that was written,
        by its name."""
        for one in self._runs.list_runs(ListRuns(limit=RUNS_LOOKED_AT)).runs:
            if one.id == run or (one.kind == kind and one.config.get("name") == name):
                return one
        return None

    def _followed(self, run: RunRecord, rung: Rung, note: RungNote, work: Work, count: int = 0) -> dict[str, Any]:
        """The result of a run, at its end. It is stopped with the ladder. Raises as it failed."""
        work.put(run=run.id, **({"examples": count} if count else {}))
        known = self._store.notes(work.ladder.id).get(rung.name, note)  # with the answers that were drawn for it
        context, before, began = work.run.context, known.preparing_s, time.monotonic()
        told, noted = bool(note.tenth.preparing_s), 0.0
        try:
            record = self._runs.get(run.id)
            if record.state not in ("finished", "queued", "running"):
                self._runs.resume(run.id)
            for event in self._runs.follow(FollowRun(run=run.id), context):
                if isinstance(event, events.Finished):
                    return event.result or {}
                if isinstance(event, events.TERMINAL):
                    if context.cancelled:
                        self._runs.stop(run.id)
                    context.raise_if_cancelled()
                    if isinstance(event, events.Failed):
                        raise error_of(event)
                    raise UserError(
                        f"The run that prepares {rung.title} was stopped.", "Resume the ladder: it goes on with it."
                    )
                if isinstance(event, events.Progress):
                    of_all_stages = event.overall is not None
                    left = work.progress.preparing_left = event.seconds_left if of_all_stages else None
                    took = before + time.monotonic() - began
                    if took - before >= noted + NOTED_EACH_S and record.state != "finished":
                        noted = took - before
                        work.put(preparing_s=took)
                    if left is not None and not told and took >= TENTH * (took + left):
                        told = True
                        work.put(tenth=RungEstimate(preparing_s=took + left))
                    work.progress.begin(f"{rung.title}: {event.stage}")
            raise RuntimeError("a run ended without a terminal event")
        finally:
            work.progress.preparing_left = None
            if record.state != "finished":
                work.put(preparing_s=before + time.monotonic() - began)

    # -- recipes joined -----------------------------------------------------------------------------

    def combine(
        self, recipe: Recipe, notes: Mapping[str, RungNote], rungs: Mapping[str, Rung]
    ) -> tuple[Recipe, list[RungNote]] | None:
        """The parts of the recipes that were best on tuning questions, one of each technique; None where fewer than two
        were better there than the recipe as it is. With the notes of those rungs of which something is joined."""
        first = notes[AS_IT_IS]
        base = first.tune_score
        if base is None:
            return None
        best: dict[str, RungNote] = {}
        for name, note in notes.items():
            technique = rungs[name].technique if name in rungs else None
            if technique is None or note.recipe is None or note.tune_score is None or note.tune_score <= base:
                continue
            if note.raced < first.raced:  # it has lost its race before all questions were asked
                continue
            known = best.get(technique)
            if known is None or (known.tune_score or 0) < note.tune_score:
                best[technique] = note
        if len(best) < 2:
            return None
        ranked = sorted(best.values(), key=lambda note: -(note.tune_score or 0))
        found, taken = joined(recipe, [note.recipe for note in ranked if note.recipe is not None])
        return (found, [ranked[place] for place in taken]) if len(taken) > 1 else None


def joined(base: Recipe, recipes: Sequence[Recipe]) -> tuple[Recipe, list[int]]:
    """Each part that one of the recipes has changed against ``base``, in one; where several have, the first one's. With
    the places of the recipes that a part was taken of."""
    changed: dict[str, Any] = {}
    taken: list[int] = []
    for place, recipe in enumerate(recipes):
        new = {
            part: getattr(recipe, part)
            for part in PARTS
            if part not in changed and getattr(recipe, part) != getattr(base, part)
        }
        if new:
            changed |= new
            taken.append(place)
    return msgspec.structs.replace(base, **changed), taken


def _name_of(ladder: Ladder, rung: Rung) -> str:
    """The name of what is prepared, which no other ladder and rung has."""
    return f"{ladder.set_name[:30].strip()} {rung.title} {ladder.id[-6:]}"


def _quietly(event: Event) -> None:
    """The plan of a training is stored with its run."""
