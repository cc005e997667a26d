"""Evaluations of a home: begun, scored further, read, exported, removed."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from workbench.api import events
from workbench.api.events import Event
from workbench.api.protocol import RequestContext, finish
from workbench.base.durability import flush_to_disk
from workbench.base.errors import UserError
from workbench.base.paths import absolute_path
from workbench.core.change_notifier import ChangeNotifier
from workbench.core.streams import Handlers, unary
from workbench.records.evaluation import (
    CellDetails,
    Column,
    Evaluation,
    EvaluationReport,
    GridPage,
    ScorerUse,
)
from workbench.records.methods import MethodInfo
from workbench.records.origins import Origins, joined, origins_of_answer
from workbench.records.recipes import Recipe
from workbench.storage.database import new_id
from workbench.subjects.answering.answer import check
from workbench.subjects.answering.request import AnswerRequest
from workbench.subjects.answering.resolver import HomeServices
from workbench.subjects.evaluation.calls import (
    AddScorers,
    Evaluate,
    EvaluationList,
    ExportEvaluation,
    GetCell,
    GetEvaluation,
    ListEvaluations,
    ListGrid,
    RateCell,
    RemoveEvaluation,
    SuggestScorers,
)
from workbench.subjects.evaluation.methods import SCORERS, suited_scorers
from workbench.subjects.evaluation.question_sets import LONGEST_PAGE
from workbench.subjects.evaluation.question_store import QuestionStore
from workbench.subjects.evaluation.questions import draw_questions
from workbench.subjects.evaluation.report import Answered, write_report
from workbench.subjects.evaluation.rescoring import scored_anew
from workbench.subjects.evaluation.results import BY_INSTRUCTION, summarise
from workbench.subjects.evaluation.runs import EvaluationRun
from workbench.subjects.evaluation.scorers.rewards import models_asked
from workbench.subjects.evaluation.scorers.scorer import FEWER
from workbench.subjects.evaluation.store import EvaluationStore
from workbench.subjects.runs.calls import RunRecord
from workbench.subjects.runs.log import RunLog
from workbench.subjects.runs.queue import Runs
from workbench.techniques.registry import METHODS
from workbench.text.metrics import COMPARISON

MOST_RECIPES = 26
_LOOKED_AT = 500
"""Questions from which the suited scorers are told."""


@dataclass(frozen=True, eq=False)
class Evaluations:
    _store: EvaluationStore
    _sets: QuestionStore
    _services: HomeServices
    _runs: Runs
    _changes: ChangeNotifier

    def handlers(self) -> Handlers:
        return {
            Evaluate: unary(self.start),
            AddScorers: unary(self.add_scorers),
            SuggestScorers: unary(lambda call: self._suited(call.question_set)),
            ListEvaluations: unary(lambda call: EvaluationList(evaluations=self._store.list_evaluations())),
            GetEvaluation: unary(lambda call: self.report(self._opened(call.evaluation))),
            ListGrid: unary(self.list_grid),
            GetCell: unary(self.get_cell),
            RateCell: unary(self.rate_cell),
            RemoveEvaluation: unary(self.remove),
            ExportEvaluation: self.export,
        }

    def start(self, call: Evaluate) -> RunRecord:
        """What cannot be answered is refused before anything is stored."""
        found = self._sets.get(call.question_set)
        questions = list(self._sets.questions(found, call.part))
        if not questions:
            raise UserError(f"No question of {found.name} is {call.part}.", "Choose another part of the set.")
        if call.limit:
            questions = draw_questions(questions, call.limit, call.seed)
        if not 1 <= len(call.recipes) <= MOST_RECIPES:
            raise UserError(f"{len(call.recipes)} recipes were given; from 1 to {MOST_RECIPES} can be evaluated.")
        columns = tuple(
            Column(name=name, recipe=recipe) for name, recipe in zip(_names(call.recipes), call.recipes, strict=True)
        )
        for column in columns:
            resolved = self._services.resolve(column.recipe)
            conversation = questions[0].question.conversation()
            request = AnswerRequest(recipe=column.recipe, conversation=conversation, origins=found.origins)
            check(request, resolved, self._services)
        scorers = self.check_scorers(call.scorers or self._suited(found.id))
        self.check_judges(scorers, columns, found.origins)
        evaluation = Evaluation(
            id=new_id(),
            question_set=found.id,
            set_name=found.name,
            created=time.time(),
            columns=columns,
            scorers=scorers,
            part=call.part,
            limit=call.limit,
            seed=call.seed,
            questions=len(questions),
            origins=found.origins,
            comparison=COMPARISON,
        )
        self._store.add(evaluation, questions)
        return self._queue(evaluation)

    def add_scorers(self, call: AddScorers) -> RunRecord:
        evaluation = self._opened(call.evaluation)
        self._refuse_running(evaluation)
        known = [msgspec.structs.replace(use, key="") for use in evaluation.scorers]
        more = [use for use in self.check_scorers(call.scorers) if use not in known]
        self.check_judges(more, evaluation.columns, evaluation.origins)
        more_scorers = msgspec.structs.replace(evaluation, scorers=(*evaluation.scorers, *more))
        return self._queue(more_scorers, retries=not call.scorers)

    def report(self, evaluation: Evaluation) -> EvaluationReport:
        cells, answered = self._store.count(evaluation.id)
        methods = [_row(use.name) for use in evaluation.scorers]
        instructions: dict[int, int] = {}
        if any(BY_INSTRUCTION in method.traits for method in methods):
            asked = self._store.questions(evaluation.id)
            instructions = {number: len(one.question.instructions) or 1 for number, one in asked.items()}
        return summarise(
            evaluation,
            methods,
            [self._store.values(evaluation.id, use.key) for use in evaluation.scorers],
            self._store.costs(evaluation),
            cells or evaluation.questions * len(evaluation.columns),
            answered,
            [self._store.rated_values(evaluation.id, use.key) for use in evaluation.scorers],
            instructions,
        )

    def list_grid(self, call: ListGrid) -> GridPage:
        evaluation = self._opened(call.evaluation)
        known = 0 <= call.scorer < len(evaluation.scorers)
        use = evaluation.scorers[call.scorer] if known else None
        limit = min(max(0, call.limit), LONGEST_PAGE)
        return self._store.page(
            evaluation, call.keep, use.key if use is not None else "", max(0, call.first), limit,
            fewer=use is not None and FEWER in _row(use.name).traits,
        )  # fmt: skip

    def get_cell(self, call: GetCell) -> CellDetails:
        evaluation = self._opened(call.evaluation)
        if not 0 <= call.column < len(evaluation.columns):
            raise UserError(f"The evaluation has no recipe number {call.column}.")
        question = self._store.question(evaluation.id, call.number)
        cell = self._store.cell(evaluation.id, call.column, call.number)
        return CellDetails(
            question=question,
            column=evaluation.columns[call.column].name,
            answer=self._store.answer(cell) if cell else None,
            scores=self._store.scores(cell, [use.key for use in evaluation.scorers]),
            rating=self._store.rating(cell),
        )

    def rate_cell(self, call: RateCell) -> CellDetails:
        there = GetCell(evaluation=call.evaluation, number=call.number, column=call.column)
        if self.get_cell(there).answer is None:
            raise UserError("There is no answer yet.", "Rate it once it is there.")
        self._store.rate(self._store.cell(call.evaluation, call.column, call.number), call.rating)
        self._changes.publish("evaluation", call.evaluation)
        return self.get_cell(there)

    def remove(self, call: RemoveEvaluation) -> EvaluationList:
        evaluation = self._store.get(call.evaluation)
        self._refuse_running(evaluation)
        self._store.remove(evaluation.id)
        self._changes.publish("evaluation", evaluation.id)
        return EvaluationList(evaluations=self._store.list_evaluations())

    def export(self, call: ExportEvaluation, context: RequestContext) -> Iterator[Event]:
        evaluation = self._opened(call.evaluation)
        path = absolute_path(call.path)
        report, beside = self.report(evaluation), path.with_name(f".{path.name}.unfinished")
        try:
            with beside.open("wb") as file:
                for number, text in enumerate(write_report(call.form, report, self._answered(evaluation))):
                    if number % 200 == 0:
                        context.raise_if_cancelled()
                        yield events.Progress(stage="writing", done=number, total=report.cells, unit="answers")
                    file.write(text.encode("utf-8", "replace"))
                flush_to_disk(file)
            beside.replace(path)
        except OSError as error:
            raise UserError(f"{path} cannot be written: {error.strerror or error}.") from error
        finally:
            beside.unlink(missing_ok=True)
        yield finish(str(path))

    # -- parts --------------------------------------------------------------------------------------

    def _queue(self, evaluation: Evaluation, *, retries: bool = True) -> RunRecord:
        def note_run(folder: Path, log: RunLog) -> None:  # before the run begins, which changes the evaluation as well
            self._store.update(msgspec.structs.replace(evaluation, run=folder.name))

        config = EvaluationRun(evaluation=evaluation.id, retries=retries)
        run = self._runs.add("evaluate", evaluation.title, config, prepare=note_run)
        self._changes.publish("evaluation", evaluation.id)
        return run

    def _opened(self, identity: str) -> Evaluation:
        """The evaluation as it is read, with scores by today's rules. A run that works on it has scored it itself."""
        evaluation = self._store.get(identity)
        if evaluation.run and self._runs.is_open(evaluation.run):
            return evaluation
        return scored_anew(evaluation, self._store)

    def _refuse_running(self, evaluation: Evaluation) -> None:
        if evaluation.run and self._runs.is_open(evaluation.run):
            raise UserError("This evaluation is running.", "Wait for its end, or stop it.")

    def _suited(self, question_set: str) -> tuple[ScorerUse, ...]:
        found = self._sets.get(question_set)
        rows = [one.question for one in self._sets.questions(found, limit=_LOOKED_AT)]
        return tuple(ScorerUse(name=name) for name in suited_scorers(rows))

    def check_scorers(self, scorers: Sequence[ScorerUse]) -> tuple[ScorerUse, ...]:
        """The scorers with recipes for those that judge. Raises UserError for unknown names, settings and recipes."""
        checked = []
        for use in scorers:
            method = SCORERS.find(use.name, "scorer")
            method.decode(use.options)
            if use.recipe is not None:
                self._services.resolve(use.recipe)
            elif "judges" in method.traits:
                use = msgspec.structs.replace(use, recipe=Recipe())
                self._services.resolve(Recipe())
            checked.append(msgspec.structs.replace(use, key=""))
        return tuple(checked)

    def check_judges(self, scorers: Sequence[ScorerUse], columns: Sequence[Column], origins: Origins) -> None:
        """Raises SendingRefused where a judge that is an endpoint may not be sent what the recipes answer from."""
        read = joined(origins, *(origins_of_answer(column.recipe, (), whole_document=True) for column in columns))
        for recipe in self._judges(scorers):
            self._services.declared(AnswerRequest(recipe=recipe, origins=read), self._services.resolve(recipe))

    def _judges(self, scorers: Sequence[ScorerUse]) -> Iterator[Recipe]:
        for use in scorers:
            if use.recipe is not None:
                yield use.recipe
            _, named = models_asked(SCORERS.find(use.name, "scorer").decode(use.options), METHODS)
            yield from (self._services.recipe(name) if name else Recipe() for name in named)

    def _answered(self, evaluation: Evaluation) -> Iterator[Answered]:
        keys = [use.key for use in evaluation.scorers]
        for number, question in self._store.questions(evaluation.id).items():
            for place, column in enumerate(evaluation.columns):
                cell = self._store.cell(evaluation.id, place, number)
                yield Answered(question, column.name, self._store.answer(cell), self._store.scores(cell, keys))


def _row(name: str) -> MethodInfo:
    return SCORERS.row(name, "scorer")


def _names(recipes: Sequence[Recipe]) -> list[str]:
    """The recipes' names, or letters; numbered where they are the same."""
    names = [" ".join(recipe.name.split()) or chr(ord("A") + place) for place, recipe in enumerate(recipes)]
    return [
        f"{name} ({names[: place + 1].count(name)})" if names.count(name) > 1 else name
        for place, name in enumerate(names)
    ]
