"""Searches for a better prompt, begun."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import msgspec

from workbench.base.counting import counted
from workbench.base.errors import UserError
from workbench.core.change_notifier import ChangeNotifier
from workbench.core.streams import Handlers, unary
from workbench.records.evaluation import Column, Evaluation, ScorerUse
from workbench.records.optimisation import Optimisation
from workbench.records.origins import joined, origins_of_answer
from workbench.records.prompts import with_true_sources
from workbench.records.recipes import Recipe
from workbench.storage.database import new_id
from workbench.subjects.answering.answer import check
from workbench.subjects.answering.request import AnswerRequest
from workbench.subjects.answering.resolver import HomeServices
from workbench.subjects.evaluation.calls import Optimise
from workbench.subjects.evaluation.methods import SCORERS, suited_scorers
from workbench.subjects.evaluation.optimisers.methods import OPTIMISERS
from workbench.subjects.evaluation.optimisers.search import BEFORE
from workbench.subjects.evaluation.question_store import QuestionStore
from workbench.subjects.evaluation.scorers.scorer import FEWER
from workbench.subjects.evaluation.service import Evaluations
from workbench.subjects.evaluation.store import EvaluationStore
from workbench.subjects.runs.calls import RunRecord
from workbench.subjects.runs.log import RunLog
from workbench.subjects.runs.queue import Runs
from workbench.text.metrics import COMPARISON

FEWEST = 8
"""Tuning questions of which a search can make anything."""


@dataclass(frozen=True, eq=False)
class Optimising:
    _evaluations: Evaluations
    _store: EvaluationStore
    _sets: QuestionStore
    _services: HomeServices
    _runs: Runs
    _changes: ChangeNotifier

    def handlers(self) -> Handlers:
        return {Optimise: unary(self.start)}

    def start(self, call: Optimise) -> RunRecord:
        """What cannot be searched is refused before anything is stored. Held-out questions are not read."""
        method = OPTIMISERS.find(call.method, "optimiser")
        method.decode(call.options)
        found = self._sets.get(call.question_set)
        questions = list(self._sets.questions(found, "tune"))
        if len(questions) < FEWEST:
            raise UserError(
                f"{found.name} has {counted(len(questions), 'question')} to tune on; a search needs {FEWEST} or more.",
                "Import the set again with a larger share for tuning.",
            )
        scorer = call.scorer or ScorerUse(name=suited_scorers([one.question for one in questions])[0])
        (scorer,) = self._evaluations.check_scorers((scorer,))
        row = SCORERS.row(scorer.name, "scorer")
        if row.unit or "compares" in row.traits or FEWER in row.traits:
            raise UserError(
                f"{row.title} does not say which of two answers is better.",
                "Choose a scorer of shares; where no answers are expected, a judge.",
            )
        conversation = questions[0].question.conversation()
        request = AnswerRequest(recipe=call.recipe, conversation=conversation, origins=found.origins)
        check(request, self._services.resolve(call.recipe), self._services)
        read = joined(found.origins, origins_of_answer(call.recipe, (), whole_document=True))
        self._evaluations.check_judges((scorer,), (Column(name=BEFORE, recipe=call.recipe),), found.origins)
        if call.writer is not None:
            writing = AnswerRequest(recipe=call.writer, origins=read)
            self._services.declared(writing, self._services.resolve(call.writer))
        evaluation = Evaluation(
            id=new_id(), question_set=found.id, set_name=found.name, created=time.time(),
            columns=(Column(name=BEFORE, recipe=call.recipe),), scorers=(scorer,), part="tune", seed=call.seed,
            questions=len(questions), search=True, origins=found.origins, comparison=COMPARISON,
        )  # fmt: skip
        self._store.add(evaluation, questions)

        def note_run(folder: Path, log: RunLog) -> None:
            self._store.update(msgspec.structs.replace(evaluation, run=folder.name))

        config = Optimisation(
            evaluation=evaluation.id, question_set=found.id, set_name=found.name, recipe=call.recipe,
            method=call.method, options=call.options, scorer=scorer, writer=call.writer, seed=call.seed,
            measure=call.measure, name=" ".join(call.name.split()) or _name_of(call.recipe),
        )  # fmt: skip
        run = self._runs.add("optimise", f"{found.name}: {method.title}", config, prepare=note_run)
        self._changes.publish("evaluation", evaluation.id)
        return run


def _name_of(recipe: Recipe) -> str:
    """The name of what is found: after the prompt of the library that the recipe holds, else after the recipe."""
    sources = (one.name for one in with_true_sources(recipe.prompting).sources if one.kind == "prompt")
    return f"{next(sources, recipe.name) or 'Recipe'} optimised"
