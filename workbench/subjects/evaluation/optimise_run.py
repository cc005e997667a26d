"""The kind of run that searches for a better prompt on the tuning questions, and measures it on held-out ones.

The search works on an evaluation whose columns are its candidates, so its answers are cells like any other. A run that
was stopped begins the search again: answers, written instructions and examples are there up to where it was, and the
same search follows from them. Held-out questions are read only once the search has chosen.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import chain, count
from pathlib import Path

import msgspec

from workbench.api import events
from workbench.api.events import Event
from workbench.api.protocol import drain, finish, follow
from workbench.base.counting import counted
from workbench.base.errors import UserError
from workbench.base.paths import Home
from workbench.core.change_notifier import ChangeNotifier
from workbench.records.answers import AskResult
from workbench.records.evaluation import Column, Evaluation, NumberedQuestion, QuestionRow
from workbench.records.messages import Message
from workbench.records.optimisation import OPTIMISATION, OPTIMISATION_RESULT, Optimisation, OptimisationResult
from workbench.records.origins import joined, origins_of_answer
from workbench.records.prompts import LONGEST_NOTE, source_of, with_version
from workbench.records.recipes import DecodingPart, PromptingPart, Recipe, save_recipe
from workbench.storage.database import new_id
from workbench.subjects.answering.answer import answer
from workbench.subjects.answering.request import AnswerRequest
from workbench.subjects.answering.resolver import HomeServices
from workbench.subjects.evaluation.grid import cell_of, seed_of
from workbench.subjects.evaluation.optimisers.methods import OPTIMISERS
from workbench.subjects.evaluation.optimisers.search import BEFORE, BudgetSpent, Demonstration, SearchOptions, Trials
from workbench.subjects.evaluation.question_store import QuestionStore
from workbench.subjects.evaluation.questions import draw_questions
from workbench.subjects.evaluation.results import RIGHT
from workbench.subjects.evaluation.runs import EvaluateRuns, GridWork, Pace
from workbench.subjects.evaluation.statistics import compare, describe
from workbench.subjects.evaluation.store import EvaluationStore
from workbench.subjects.prompts.calls import SavePrompt
from workbench.subjects.prompts.service import Prompts
from workbench.subjects.runs.calls import RunRecord
from workbench.subjects.runs.journal import Journal, Line
from workbench.subjects.runs.kinds import OpenRun, RunKind
from workbench.text.metrics import COMPARISON

AFTER = "After"
GROUP = 8
"""Answers between two looks at the time."""
OUT_OF_ANSWERS, OUT_OF_TIME = "The maximum number of answers was reached.", "The maximum time was reached."
_WRITING = DecodingPart(temperature=1.0, max_tokens=300)


class _Note(Line, frozen=True):
    """What the search wrote, made or used, by a key."""

    value: str


@dataclass(frozen=True, eq=False)
class OptimiseRuns(RunKind):
    config = OPTIMISATION
    result = OPTIMISATION_RESULT
    resumable = True

    _home: Home
    _evaluate: EvaluateRuns
    _store: EvaluationStore
    _sets: QuestionStore
    _prompts: Prompts
    _services: HomeServices
    _changes: ChangeNotifier

    def concurrency_group(self, run: RunRecord) -> str:
        return self._evaluate.concurrency_group(run)

    def set_paused(self, run: OpenRun, paused: bool) -> None:
        """The answers that are being generated are completed first."""

    def work(self, run: OpenRun) -> Event:
        config = msgspec.convert(run.record.config, Optimisation)
        method = OPTIMISERS.find(config.method, "optimiser")
        options = method.decode(config.options)
        assert isinstance(options, SearchOptions)
        journal = Journal(self._home.run(run.id) / "search.jsonl", _Note)
        try:
            search = _Search(self, run, config, options, journal)
            trials, ended = Trials(search), ""
            try:
                method.load()(search, options, trials)
            except BudgetSpent as spent:
                ended = str(spent)
            best = trials.best()
            result = OptimisationResult(
                evaluation=config.evaluation,
                recipe=best.recipe,
                candidate=best.name if best is not trials.base else "",
                before=trials.base.mean,
                after=best.mean,
                questions=trials.base.asked,
                candidates=len(trials.all) - 1,
                asked=len(search.asked),
                answered=search.answered,
                ended=ended,
            )
            return finish(self._measured(result, config, run, journal) if result.candidate else result)
        finally:
            self._changes.publish("evaluation", config.evaluation)

    def _measured(
        self, result: OptimisationResult, config: Optimisation, run: OpenRun, journal: Journal[_Note]
    ) -> OptimisationResult:
        """The result, saved, and measured against the recipe before on held-out questions."""
        evaluation, sentence = "", "There are no other questions to measure it on."
        found = self._sets.get(config.question_set)
        questions = draw_questions(list(self._sets.questions(found, "held-out")), config.measure, config.seed)
        if questions:
            evaluation = _noted(journal, "held-out", new_id)
            if evaluation not in {one.id for one in self._store.list_evaluations()}:
                columns = (Column(name=BEFORE, recipe=config.recipe), Column(name=AFTER, recipe=result.recipe))
                made = Evaluation(
                    id=evaluation, question_set=found.id, set_name=found.name, created=time.time(), columns=columns,
                    scorers=(config.scorer,), part="held-out", limit=config.measure, seed=config.seed,
                    questions=len(questions), run=run.id, origins=found.origins, comparison=COMPARISON,
                )  # fmt: skip
                self._store.add(made, questions)
            self._evaluate.measure(evaluation, run)
            (use,) = self._store.get(evaluation).scorers[:1]
            before, after = self._store.values(evaluation, use.key)
            common = sorted(before.keys() & after.keys())
            compared = compare([before[n] for n in common], [after[n] for n in common])
            sentence = describe(compared, BEFORE, AFTER, "")
        path = Path(_noted(journal, "path", lambda: str(_free(self._home.recipes, config.name))))
        note = (
            f"Made by the run {run.id} ({OPTIMISERS.row(config.method, 'optimiser').title}) on the tuning part of "
            f"{found.name}, {counted(result.questions, 'question')}: {100 * result.before:.0f} before, "
            f"{100 * result.after:.0f} after.\nOther questions: {sentence}"
        )
        prompting = self._in_library(result.recipe.prompting, config, note)
        recipe = msgspec.structs.replace(result.recipe, name=config.name, prompting=prompting)
        try:
            save_recipe(path, recipe, note)
        except OSError as error:
            raise UserError(f"The recipe cannot be saved as {path}: {error.strerror or error}.") from error
        return msgspec.structs.replace(result, recipe=recipe, path=str(path), held_out=evaluation, sentence=sentence)

    def _in_library(self, part: PromptingPart, config: Optimisation, note: str) -> PromptingPart:
        """The part as a version of the prompt library, which it names as its source."""
        name = self._prompts.free_name(config.name, "prompt")
        saved = self._prompts.save(SavePrompt(name=name, part=part, note=note[:LONGEST_NOTE])).prompt
        return with_version(part, saved.head.content, source_of(saved, saved.head))


class _Search:
    """``SearchContext`` of a home: answers are cells of the search's evaluation, which has tuning questions only."""

    def __init__(
        self, kind: OptimiseRuns, run: OpenRun, config: Optimisation, options: SearchOptions, journal: Journal[_Note]
    ) -> None:
        self._store, self._sets, self._services, self._changes = kind._store, kind._sets, kind._services, kind._changes
        self._evaluate, self._run, self._config, self._options, self._journal = (
            kind._evaluate, run, config, options, journal
        )  # fmt: skip
        self.base, self.set_name, self.seed = config.recipe, config.set_name, config.seed
        self.teacher = self.base
        if config.writer is not None:
            self.teacher = msgspec.structs.replace(self.base, model=config.writer.model)
        run.emit(events.Progress(stage="reading the models"))
        evaluation = self._store.get(config.evaluation)
        column = evaluation.columns[0]
        # the writer reads questions with the recipe's answers
        self._origins = joined(evaluation.origins, origins_of_answer(self.base, (), whole_document=True))
        current = self._evaluate.with_digest(column, run)
        if column.digest and column != current:
            raise UserError(
                "The model, an adapter or the documents of the recipe have changed since this search began.",
                "Start a new search; answers that are still valid are taken over.",
            )
        first = f"{current.digest} {evaluation.seed}"
        self._evaluation = msgspec.structs.replace(
            evaluation,
            columns=(current, *evaluation.columns[1:]),
            scorers=tuple(self._evaluate.with_key(use, first, run) for use in evaluation.scorers),
        )
        self._store.update(self._evaluation)
        self._work = GridWork(self._evaluate, run, self._evaluation)
        self.questions: Sequence[NumberedQuestion] = tuple(self._store.questions(evaluation.id).values())
        self.asked: set[str] = set()
        self.answered = 0
        self._failed: set[int] = set()  # columns that cannot answer: their scores are 0
        self._pace = Pace("searching", "answers", options.max_answers, 0, run)
        spent = journal.find("seconds")
        self._began = time.monotonic() - (float(spent.value) if spent is not None else 0.0)

    def scores(self, name: str, recipe: Recipe, questions: Sequence[NumberedQuestion]) -> Mapping[int, float]:
        place, cells = self._cells(name, recipe, questions)
        if place in self._failed:
            return dict.fromkeys(cells, 0.0)
        key = self._evaluation.scorers[0].key
        scored = {number: self._store.scores(cell, (key,))[0].value for number, cell in cells.items()}
        return {number: value for number, value in scored.items() if value is not None}

    def answers(self, name: str, recipe: Recipe, questions: Sequence[NumberedQuestion]) -> Mapping[int, str]:
        (_, cells), accepted = self._cells(name, recipe, questions), {}
        key = self._evaluation.scorers[0].key
        for number, cell in cells.items():
            value, made = self._store.scores(cell, (key,))[0].value, self._store.answer(cell)
            if value is not None and value >= RIGHT and made is not None and not made.declined:
                accepted[number] = made.text
        return accepted

    def write(self, prompt: str, seed: int) -> str:
        known = self._journal.find(f"written {seed}")
        if known is not None:
            return known.value
        self._check_time()
        self._run.emit(events.Progress(stage="writing"))
        writer = self._config.writer or Recipe(model=self.base.model)
        writing = _WRITING if writer.decoding == DecodingPart() else writer.decoding
        decoding = msgspec.structs.replace(writing, seed=seed)
        request = AnswerRequest(
            recipe=msgspec.structs.replace(writer, decoding=decoding),
            conversation=(Message("user", prompt),),
            origins=self._origins,
        )
        stream = answer(request, self._services, self._run.context, background=True)
        made = drain(follow(AskResult, stream)).answer
        self._note_time()
        return _noted(self._journal, f"written {seed}", lambda: made)

    def keep_examples(self, demonstrations: Sequence[Demonstration]) -> tuple[str, tuple[int, ...]]:
        rows = [
            QuestionRow(messages=one.question.question.conversation(), expected=(one.answer,)) for one in demonstrations
        ]
        content = blake2b("".join(row.key for row in rows).encode(), digest_size=4).hexdigest()

        def keep() -> str:
            name = f"{self.set_name[:50]} examples {content}"  # cells know examples by this name
            for found in self._sets.list_sets():
                if found.name == name and [one.question for one in self._sets.questions(found, "tune")] == rows:
                    return name
                if found.name == name:  # it was edited
                    name = f"{name} {self._run.id[:8]}"
            origin = f"accepted answers to {self.set_name}"
            made = self._sets.add(
                name, rows, ["tune"] * len(rows), seed=0, origin=origin, notes=(), origins=self._origins
            )
            self._changes.publish("questions", made.id)
            return made.name

        return _noted(self._journal, "examples", keep), tuple(range(1, len(demonstrations) + 1))

    # -- cells ---------------------------------------------------------------------------------------

    def _cells(self, name: str, recipe: Recipe, questions: Sequence[NumberedQuestion]) -> tuple[int, dict[int, str]]:
        """The recipe's column, and the cells of its answers by question number, answered and scored."""
        column = self._evaluate.with_digest(Column(name=name, recipe=recipe), self._run)
        columns = self._evaluation.columns
        place = next((n for n, one in enumerate(columns) if one.digest == column.digest), len(columns))
        seed = self._evaluation.seed
        cells = {
            one.number: cell_of(column.digest, one.question, seed_of(recipe, one.question, seed)) for one in questions
        }
        more = set(cells.values()) - self.asked
        if len(self.asked) + len(more) > self._options.max_answers:
            raise BudgetSpent(OUT_OF_ANSWERS)
        if place == len(columns):
            self._evaluation = msgspec.structs.replace(self._evaluation, columns=(*columns, column))
            self._work.evaluation = self._evaluation
        numbers = sorted(cells)
        for begin in range(0, len(numbers) if place not in self._failed else 0, GROUP):
            group = {number: cells[number] for number in numbers[begin : begin + GROUP]}
            self._answer(place, group)
            self.asked |= set(group.values())
        return place, cells

    def _answer(self, place: int, cells: Mapping[int, str]) -> None:
        """Make the answers and scores that are missing. A candidate that cannot answer has no more of them."""
        self._store.add_places(self._evaluation, ((place, number, cell) for number, cell in cells.items()))
        missing = self._store.places(self._evaluation.id, unscored=self._evaluation.scorers[0].key)
        self._pace.skip(len(set(cells.values()) - self.asked - {cell for _, _, cell in missing}))
        if not missing:
            return
        self._check_time()
        try:
            self.answered += self._work.answer_all(self._pace)
            self._work.score_all()
        except UserError as error:
            if place == 0:
                raise
            self._run.emit(events.Log(text=error.message, level="notice"))
            self._store.remove_unanswered(self._evaluation.id)
            self._failed.add(place)
        finally:
            self._note_time()

    def _check_time(self) -> None:
        if time.monotonic() - self._began >= self._options.seconds:
            raise BudgetSpent(OUT_OF_TIME)

    def _note_time(self) -> None:
        self._journal.add(_Note("seconds", f"{time.monotonic() - self._began:.3f}"))


def _noted(journal: Journal[_Note], key: str, make: Callable[[], str]) -> str:
    """What was noted by the key, else what is made now."""
    known = journal.find(key)
    if known is None:
        known = _Note(key, make())
        journal.add(known)
    return known.value


def _free(folder: Path, name: str) -> Path:
    """The recipe file of a name; numbered where there is one."""
    stem = re.sub(r"[^\w .()-]+", "-", name).strip(" .")[:80] or AFTER
    names = chain((stem,), (f"{stem} {number}" for number in count(2)))
    return next(path for path in (folder / f"{one}.toml" for one in names) if not path.exists())
