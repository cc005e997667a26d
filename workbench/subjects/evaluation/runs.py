"""The kind of run that answers the questions of an evaluation with each of its recipes, and scores the answers.

An answer is stored with its scores when it is complete, under an id of recipe, question and seed. So a run that was
stopped or killed resumes with the missing answers, and a scorer that is added later generates nothing.
Questions are answered in the order of their texts, so that those that begin alike, as those on one paragraph do, arrive
together, and the engine computes their beginning once.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import msgspec

from workbench.api import events
from workbench.api.events import Event
from workbench.api.protocol import error_of, finish
from workbench.base.copying import shared
from workbench.base.errors import Cancelled, UserError
from workbench.base.stored import Stored
from workbench.core.change_notifier import ChangeNotifier
from workbench.records.answers import AskResult
from workbench.records.endpoints import made_by
from workbench.records.evaluation import (
    CellAnswer,
    Column,
    Evaluation,
    EvaluationResult,
    NumberedQuestion,
    Score,
    ScorerUse,
)
from workbench.records.methods import Method
from workbench.records.recipes import Recipe
from workbench.subjects.adapters.trained_data import TrainedData
from workbench.subjects.answering.answer import answer
from workbench.subjects.answering.request import AnswerRequest
from workbench.subjects.answering.resolver import HomeServices
from workbench.subjects.evaluation.grid import EMBEDS, cell_of, digest_of, key_of, seed_of, uses_embedder
from workbench.subjects.evaluation.methods import SCORERS
from workbench.subjects.evaluation.rescoring import scored_anew
from workbench.subjects.evaluation.scorers.rewards import models_asked
from workbench.subjects.evaluation.scorers.scorer import WITHOUT_ANSWER, Scorable, score_answer
from workbench.subjects.evaluation.scoring import HomeScorerContext
from workbench.subjects.evaluation.store import EvaluationStore, Place
from workbench.subjects.models.checksums import Checksums
from workbench.subjects.runs.calls import RunRecord
from workbench.subjects.runs.kinds import OpenRun, RunKind
from workbench.techniques.registry import METHODS

TOGETHER = 4
"""Answers that are generated side by side."""

FAILED_ALONE = 3
"""When so many of a recipe's first answers fail, and none succeeds, the run fails with their reason."""

POLL_S = 0.2
_TOLD_EVERY_S = 0.5
ASKS_MODEL, COMPARES, DEMONSTRATED = "asks a model", "compares", "demonstrations"


class EvaluationRun(msgspec.Struct, frozen=True, kw_only=True):
    """The config of a run: the evaluation that it works on, and whether it asks again for answers that failed."""

    evaluation: str
    retries: bool = True


@dataclass(frozen=True, eq=False)
class EvaluateRuns(RunKind):
    config = Stored("config of this run", EvaluationRun)
    result = Stored("result of this run", EvaluationResult)
    resumable = True

    _store: EvaluationStore
    _services: HomeServices
    _checksums: Checksums
    _changes: ChangeNotifier
    _trained: TrainedData

    def concurrency_group(self, run: RunRecord) -> str:
        """Evaluations run one after the other: each takes the model for itself."""
        return "evaluation"

    def set_paused(self, run: OpenRun, paused: bool) -> None:
        """The answers that are being generated are completed first."""

    def work(self, run: OpenRun) -> Event:
        config = msgspec.convert(run.record.config, EvaluationRun)
        return finish(self.measure(config.evaluation, run, retries=config.retries))

    def measure(self, evaluation_id: str, run: OpenRun, *, retries: bool = True) -> EvaluationResult:
        """Make the answers and scores of an evaluation that are missing; ``retries``: also the answers that failed."""
        evaluation = scored_anew(self._store.get(evaluation_id), self._store)
        try:
            work = GridWork(self, run, self._prepare(evaluation, run, retries))
            answered = work.answer_all()
            return EvaluationResult(evaluation=evaluation.id, answered=answered, scored=work.score_all())
        finally:
            self._changes.publish("evaluation", evaluation.id)

    def _prepare(self, evaluation: Evaluation, run: OpenRun, retries: bool) -> Evaluation:
        """The evaluation with the digests of its recipes and scorers, and its grid, where it ``retries`` without the
        answers that failed. Raises UserError when a recipe has to answer that answers otherwise than when the
        evaluation began."""
        run.emit(events.Progress(stage="reading the models"))
        columns, begun = evaluation.columns, bool(evaluation.columns[0].digest)
        if not begun:
            columns = tuple(self.with_digest(column, run) for column in columns)
        first = f"{columns[0].digest} {evaluation.seed}"
        scorers = tuple(self.with_key(use, first, run) for use in evaluation.scorers)
        evaluation = msgspec.structs.replace(evaluation, columns=columns, scorers=scorers)
        if begun:
            if retries:
                self._store.remove_failed(evaluation.id)
            if self._asks_recipes(evaluation):
                for column in columns:
                    if self.with_digest(column, run) != column:
                        raise UserError(
                            f"The model, an adapter, the documents or the engine of {column.name} have changed since "
                            "this evaluation began.",
                            "Start a new evaluation; answers of recipes that have not changed are taken over.",
                        )
            if evaluation.trained_before is None:  # it began before there were fingerprints
                evaluation = self._with_leaks(evaluation, run)
            self._store.update(evaluation)
            return evaluation
        questions = self._store.questions(evaluation.id)
        evaluation = self._with_leaks(evaluation, run)
        self._store.set_grid(
            evaluation,
            (
                (place, number, cell_of(column.digest, q.question, seed_of(column.recipe, q.question, evaluation.seed)))
                for place, column in enumerate(columns)
                for number, q in questions.items()
            ),
        )
        if retries:
            self._store.remove_failed(evaluation.id)
        return evaluation

    def _with_leaks(self, evaluation: Evaluation, run: OpenRun) -> Evaluation:
        """The evaluation with the questions that the adapters were trained on."""
        run.emit(events.Progress(stage="comparing the questions with the training data"))
        columns = [
            msgspec.structs.replace(column, recipe=self._services.resolve(column.recipe).recipe)
            for column in evaluation.columns
        ]
        questions = list(self._store.questions(evaluation.id).values())
        found = self._trained.trained_before(columns, questions, run.context)
        return msgspec.structs.replace(evaluation, trained_before=found)

    def _asks_recipes(self, evaluation: Evaluation) -> bool:
        """Whether answers are missing, or scores that ask the recipes' models: other scores only read answers."""
        methods = {use.key: SCORERS.find(use.name, "scorer") for use in evaluation.scorers}
        asking = [key for key, method in methods.items() if WITHOUT_ANSWER in method.traits]
        if len(asking) < len(methods) and self._store.places(evaluation.id, unanswered=True):
            return True
        return any(self._store.places(evaluation.id, unscored=key) for key in asking)

    def with_digest(self, column: Column, run: OpenRun) -> Column:
        return msgspec.structs.replace(column, digest=self._digest(column.recipe, run))

    def _digest(self, recipe: Recipe, run: OpenRun) -> str:
        resolved = self._services.resolve(recipe)
        recipe = resolved.recipe
        technique = METHODS.find(recipe.prompting.technique, "technique")
        return digest_of(
            recipe,
            self._checksums.compute(resolved.model.files, run.context),
            self._services.engine(resolved, run.context),
            self._services.embedder_checksum(run.context) if uses_embedder(recipe, technique) else "",
            self._services.examples(recipe.prompting.examples) if recipe.prompting.examples else (),
            self._services.demonstrations() if DEMONSTRATED in technique.traits else (),
        )

    def with_key(self, use: ScorerUse, first: str, run: OpenRun) -> ScorerUse:
        method = SCORERS.find(use.name, "scorer")
        judge = self._digest(use.recipe, run) if use.recipe is not None else ""
        embedder = self._services.embedder_checksum(run.context) if EMBEDS in method.traits else ""
        adapters, recipes = models_asked(method.decode(use.options), METHODS)
        asked = [self._services.reward_checksum(name, run.context) for name in adapters]
        asked += [self._digest(self._services.recipe(name) if name else Recipe(), run) for name in recipes]
        key = key_of(use, method, judge, first if COMPARES in method.traits else "", embedder, asked)
        return msgspec.structs.replace(use, key=key)


class GridWork:
    """The work of one run on a prepared evaluation, which may get further columns and places."""

    def __init__(self, kind: EvaluateRuns, run: OpenRun, evaluation: Evaluation) -> None:
        self._store, self._services, self._changes = kind._store, kind._services, kind._changes
        self._run, self.evaluation = run, evaluation
        self._questions = self._store.questions(evaluation.id)
        self._context = HomeScorerContext(kind._services, run.context, self._tell_loading)
        self._scorers = [(use, SCORERS.find(use.name, "scorer")) for use in evaluation.scorers]
        self._judges = {use.key: self._judge_of(use, method) for use, method in self._scorers}
        self._lock = threading.Lock()  # guards what follows
        self._held: dict[int, list[tuple[Place, CellAnswer]]] = {}  # failed answers of columns without another one
        self._succeeded: set[int] = set()
        self._told = 0.0
        cells = len(evaluation.columns) * evaluation.questions
        self._tell_every_s = max(_TOLD_EVERY_S, cells / 10_000)  # each client computes the results anew after a change

    def answer_all(self, pace: Pace | None = None, before_each: Callable[[], None] = lambda: None) -> int:
        """Make the answers that are missing, with the scores that ask no model. Returns how many. ``pace`` is that of
        the work of which they are a part. What ``before_each`` answer raises is raised once those under way have ended.
        """
        if all(WITHOUT_ANSWER in method.traits for _, method in self._scorers):
            return 0
        places = self._store.places(self.evaluation.id)
        missing = self._store.places(self.evaluation.id, unanswered=True)
        if pace is None:
            pace = Pace("answering", "answers", len(places), len(places) - len(missing), self._run)
        before = pace.made
        for column, mine in self._by_column(missing):
            name = self.evaluation.columns[column].name

            def make(place: Place, name: str = name) -> None:
                before_each()
                self._answer(place, pace=pace, name=name)

            self._side_by_side(mine, make)
            with self._lock:
                failed = self._held.pop(column, [])
            if failed and column not in self._succeeded:
                raise UserError(f"{name} could not answer: {failed[0][1].error}")
        return pace.made - before

    def score_all(self) -> int:
        """Make the scores that are missing. Returns how many."""
        made = 0
        for use, method in self._scorers:
            unscored = self._store.places(self.evaluation.id, unscored=use.key)
            pace = Pace("scoring", "scores", len(unscored), 0, self._run)
            for _, mine in self._by_column(unscored):
                self._side_by_side(mine, partial(self._score, use=use, method=method, pace=pace))
            made += pace.made
        return made

    # -- one answer, one score ----------------------------------------------------------------------

    def _answer(self, place: Place, pace: Pace, name: str) -> None:
        column, number, cell = place
        if self._store.answer(cell) is not None:  # two columns or rows that ask the same
            pace.add(name)
            return
        recipe, question = self.evaluation.columns[column].recipe, self._questions[number].question
        seed = seed_of(recipe, question, self.evaluation.seed)
        seeded = msgspec.structs.replace(recipe, decoding=msgspec.structs.replace(recipe.decoding, seed=seed))
        began = time.monotonic()
        request = AnswerRequest(recipe=seeded, conversation=question.conversation(), origins=self.evaluation.origins)
        ended: Event | None = None
        for event in answer(request, self._services, self._run.context, background=True):
            if isinstance(event, events.TERMINAL):
                ended = event
            elif isinstance(event, events.Progress) and not event.step:
                self._tell_loading(event)
        seconds = round(time.monotonic() - began, 3)
        if isinstance(ended, events.Finished):
            made = _cell(msgspec.convert(ended.result, AskResult), seconds)
            with self._lock:
                self._succeeded.add(column)
                failed = self._held.pop(column, [])
            for one, error in (*failed, (place, made)):
                self._keep(one, error)
                pace.add(name)
        elif isinstance(ended, events.Failed) and ended.reason == "user":
            made = CellAnswer(text="", error=f"{ended.message} {ended.hint}".strip(), seconds=seconds)
            with self._lock:
                alone = column not in self._succeeded
                held = self._held.setdefault(column, []) if alone else []
                held.append((place, made))
            if alone and len(held) >= FAILED_ALONE:
                raise UserError(f"{name} could not answer: {ended.message}", ended.hint)
            if not alone:
                self._keep(place, made)
                pace.add(name)
        else:
            assert isinstance(ended, events.Failed | events.Cancelled)
            raise error_of(ended)

    def _keep(self, place: Place, made: CellAnswer) -> None:
        """Store an answer with the scores that ask no model."""
        column, number, cell = place
        context = self._context.made_from(self.evaluation.origins, made.origins)
        scores = {
            use.key: score_answer(
                method, self._scorable(column, number, made, use), method.decode(use.options), context
            )
            for use, method in self._scorers
            if not _asks_models(use, method)
        }
        self._store.put(cell, made, scores)
        self._tell_change()

    def _score(self, place: Place, use: ScorerUse, method: Method, pace: Pace) -> None:
        column, number, cell = place
        made = self._store.answer(cell)
        first: CellAnswer | None = None
        if COMPARES in method.traits and column:
            first = self._store.answer(self._store.cell(self.evaluation.id, 0, number))
        if made is None and WITHOUT_ANSWER not in method.traits:
            return
        scorable = self._scorable(column, number, made or CellAnswer(text=""), use, first)
        read = (one.origins for one in (made, first) if one is not None)
        context = self._context.made_from(self.evaluation.origins, *read)
        score: Score = score_answer(method, scorable, method.decode(use.options), context)
        if judge := self._judges.get(use.key):
            score = Score(score.value, " · ".join(filter(None, (score.note, judge))))
        self._store.put_scores(cell, {use.key: score})
        self._tell_change()
        pace.add(method.title)

    def _judge_of(self, use: ScorerUse, method: Method) -> str:
        """The endpoints that judge for a scorer, in words; "" for none."""
        _, named = models_asked(method.decode(use.options), METHODS)
        recipes = [self._services.recipe(name) if name else Recipe() for name in named]
        if use.recipe is not None:
            recipes.append(use.recipe)
        found = (made_by(self._services.resolve(recipe).model.endpoint) for recipe in recipes)
        return "; ".join(dict.fromkeys(one.describe() for one in found if one is not None))

    def _scorable(
        self, column: int, number: int, made: CellAnswer, use: ScorerUse, first: CellAnswer | None = None
    ) -> Scorable:
        return Scorable(
            question=self._questions[number].question,
            answer=made,
            recipe=self.evaluation.columns[column].recipe,
            first=first,
            judge=use.recipe or Recipe(),
        )

    # -- order, threads, news -----------------------------------------------------------------------

    def _by_column(self, places: Sequence[Place]) -> Iterator[tuple[int, list[Place]]]:
        """Places by column, those of one model after each other, each in the order of the questions' texts."""
        columns = self.evaluation.columns
        order = sorted({place[0] for place in places}, key=lambda c: (msgspec.json.encode(columns[c].recipe.model), c))
        for column in order:
            mine = [place for place in places if place[0] == column]
            yield column, sorted(mine, key=lambda place: (_text(self._questions[place[1]]), place[1]))

    def _side_by_side(self, places: Sequence[Place], work: Callable[[Place], None]) -> None:
        """Do the work for each place, in their order, on some threads. Raises the first exception, once all have
        ended."""
        waiting, raised, lock = iter(places), list[Exception](), threading.Lock()

        def run() -> None:
            while not raised:
                with lock:
                    place = next(waiting, None)
                if place is None:
                    return
                try:
                    while self._run.paused and not self._run.context.wait_cancelled(POLL_S):
                        pass
                    self._run.context.raise_if_cancelled()
                    work(place)
                except Exception as error:  # noqa: BLE001 - raised again on the run's thread
                    raised.append(error)

        threads = [threading.Thread(target=run, name=f"{self._run.id}-{n}", daemon=True) for n in range(TOGETHER)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if raised:
            raise next((error for error in raised if not isinstance(error, Cancelled)), raised[0])

    def _tell_loading(self, event: Event) -> None:
        if isinstance(event, events.Progress):
            self._run.emit(msgspec.structs.replace(event, seq=0, at=0.0))

    def _tell_change(self) -> None:
        now = time.monotonic()
        if now - self._told > self._tell_every_s:
            self._told = now
            self._changes.publish("evaluation", self.evaluation.id)


class Pace:
    """How far a stage is, and how long the rest takes. ``done`` of ``total`` were there before."""

    def __init__(self, stage: str, unit: str, total: int, done: int, run: OpenRun) -> None:
        self._stage, self._unit, self._total, self._before, self._run = stage, unit, total, done, run
        self._began = time.monotonic()
        self._lock = threading.Lock()
        self.made = 0

    def skip(self, there: int) -> None:
        """So many more were there before."""
        with self._lock:
            self._before += there

    def add(self, detail: str) -> None:
        with self._lock:
            self.made += 1
            done = self._before + self.made
            left = (time.monotonic() - self._began) / self.made * (self._total - done)
            self._run.emit(
                events.Progress(
                    stage=self._stage, done=done, total=self._total, unit=self._unit, seconds_left=left, detail=detail
                )
            )


def _cell(result: AskResult, seconds: float) -> CellAnswer:
    looped = bool(result.sequences) and result.sequences[0].finish == "loop"
    return CellAnswer(text=result.answer, seconds=seconds, looped=looped, **shared(result, CellAnswer))


def _text(question: NumberedQuestion) -> str:
    return "\n".join(message.content for message in question.question.messages)


def _asks_models(use: ScorerUse, method: Method) -> bool:
    """Whether a scorer asks a model, by itself or for one of its rewards."""
    return ASKS_MODEL in method.traits or any(models_asked(method.decode(use.options), METHODS))
