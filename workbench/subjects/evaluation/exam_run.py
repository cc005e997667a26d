"""The kind of run that examines a model: its answers to the exam's questions, graded, and stored with the model.

Everything goes through the answering service with the program's own retrieval, quoting and verification, as background
work. The answers so far are in the run's folder: a stopped exam resumes with the next question.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import msgspec

from workbench.api import events
from workbench.api.events import Event
from workbench.api.protocol import RequestContext, drain, finish, follow
from workbench.backends.backend import Loading, ModelUse
from workbench.base.errors import UserError
from workbench.base.paths import Home
from workbench.base.stored import Stored
from workbench.core.change_notifier import ChangeNotifier
from workbench.records.answers import AskResult
from workbench.records.capabilities import Capabilities
from workbench.records.documents import Collection
from workbench.records.exam import EXAM_VERSION, ExamConfig, ExamResult
from workbench.records.messages import Message
from workbench.records.models import ModelRecord
from workbench.records.recipes import DecodingPart, ModelPart, Recipe, RetrievalPart
from workbench.records.recipes.parts import Mode
from workbench.records.trust import is_marked
from workbench.subjects.answering.answer import answer
from workbench.subjects.answering.request import AnswerRequest, Resolved, Services
from workbench.subjects.documents.embedder import Embedding, WorkerRetriever
from workbench.subjects.evaluation.accepted import says_unknown
from workbench.subjects.evaluation.exam import FOLDER, OfficeQuestion, Outcome, Question, load_questions, summarise
from workbench.subjects.models.checksums import Checksums
from workbench.subjects.models.store import ModelCatalogue, chat_model
from workbench.subjects.runs.calls import RunRecord
from workbench.subjects.runs.journal import Journal, Line
from workbench.subjects.runs.kinds import OpenRun, RunKind
from workbench.techniques.embedding_calls import Ingest, Retriever
from workbench.techniques.services import Helpers
from workbench.techniques.tools.services import ToolServices

POLL_S = 0.2


class Answered(Line, frozen=True):
    """A question with its answers and what became of it; ``seconds`` is the time it took."""

    outcome: Outcome
    own: str = ""
    quoted: str = ""
    seconds: float = 0.0


@dataclass(frozen=True, eq=False)
class ExamRuns(RunKind):
    config = Stored("config of this run", ExamConfig)
    result = Stored("result of this run", ExamResult)
    resumable = True
    holds_core = False

    _home: Home
    _catalogue: ModelCatalogue
    _checksums: Checksums
    _embedding: Embedding
    _services: Services
    _changes: ChangeNotifier

    def concurrency_group(self, run: RunRecord) -> str:
        return "exam"

    def set_paused(self, run: OpenRun, paused: bool) -> None:
        """It waits before the next question."""

    def work(self, run: OpenRun) -> Event:
        model = chat_model(run.record.config["model"], self._catalogue)
        run.emit(events.Progress(stage="reading the model"))
        sha256 = self._checksums.compute(model.files, run.context)
        questions = load_questions()
        journal = Journal(self._home.run(run.id) / "answers.jsonl", Answered)
        keys = [f"{EXAM_VERSION} {sha256} {question.id}" for question in questions]
        left = sum(journal.find(key) is None for key in keys)
        began, finished = time.monotonic(), 0
        with self._read_documents(questions, run) as retrievers:
            for number, (key, question) in enumerate(zip(keys, questions, strict=True)):
                if journal.find(key) is not None:
                    continue
                while run.paused and not run.context.wait_cancelled(POLL_S):
                    began += POLL_S
                run.context.raise_if_cancelled()
                seconds = (time.monotonic() - began) / finished * (left - finished) if finished else None
                run.emit(
                    events.Progress(
                        stage="examining",
                        done=number,
                        total=len(questions),
                        unit="questions",
                        seconds_left=seconds,
                        detail=question.question,
                    )
                )
                services = ExamServices(self._services, model, retrievers[question.collection])
                journal.add(_answered(key, question, services, run))
                finished += 1
        lines = [line for key in keys if (line := journal.find(key)) is not None]
        if self._checksums.known(model.files) != sha256:
            raise UserError(f"The files of {model.name} changed during the exam.", "Examine the model again.")
        result = summarise([line.outcome for line in lines], sha256, time.time(), sum(line.seconds for line in lines))
        self._catalogue.put_exam(model.name, result)
        self._changes.publish("model", model.name)
        return finish(result)

    @contextmanager
    def _read_documents(
        self, questions: Sequence[Question | OfficeQuestion], run: OpenRun
    ) -> Iterator[dict[str, Retriever]]:
        """The exam's documents within the run's folder: a collection for each language, and one for the office. As in a
        person's new collection the embedding model for many languages is used where it suits them better."""
        run.emit(events.Progress(stage="reading the documents of the exam"))
        default = self._embedding.embedder(run.context, run.emit)
        retrievers: dict[str, Retriever] = {}
        files: list[Path] = []
        try:
            for name in dict.fromkeys(question.collection for question in questions):
                files.append(file := self._home.run(run.id) / f"{name}.sqlite")
                documents = FOLDER / name
                embedder = default
                call = Ingest(file=str(file), collection=name, embedder=embedder, paths=(str(documents),))
                added = self._embedding.host.call(msgspec.structs.replace(call, known_only=True), context=run.context)
                if added.is_refused:
                    suits = added.unknown_languages or self._embedding.is_starter()
                    other = self._embedding.multilingual(run.context, run.emit) if suits else None
                    embedder = other.path if other is not None else default
                    self._embedding.host.call(msgspec.structs.replace(call, embedder=embedder), context=run.context)
                count = sum(1 for _ in documents.iterdir())
                retrievers[name] = WorkerRetriever(
                    self._embedding.host,
                    file,
                    Collection(id=name, name=name, documents=count),
                    partial(str, embedder),
                    run.context,
                )
            yield retrievers
        finally:
            for file in files:
                self._embedding.delete_file(file)


@dataclass(frozen=True)
class ExamServices:
    """``answering.Services`` for a question of the exam: always this model, as if it had no exam, and its documents."""

    _services: Services
    _model: ModelRecord
    _retriever: Retriever

    def resolve(self, recipe: Recipe) -> Resolved:
        model = msgspec.structs.replace(self._model, exam=None)
        return Resolved(recipe=recipe, model=model, use=ModelUse(), collections=(self._retriever.collection,))

    def capabilities(self, resolved: Resolved) -> Capabilities:
        return self._services.capabilities(resolved)

    def declared(self, request: AnswerRequest, resolved: Resolved) -> Resolved:
        return self._services.declared(request, resolved)

    def origin_titles(self, origins: Sequence[str]) -> Sequence[str]:
        return self._services.origin_titles(origins)

    def lease(
        self, resolved: Resolved, context: RequestContext, *, background: bool = False
    ) -> AbstractContextManager[Loading]:
        return self._services.lease(resolved, context, background=background)

    def retriever(
        self,
        collections: Sequence[Collection],
        context: RequestContext,
        files: Sequence[str] = (),
        *,
        rerank: bool = True,
    ) -> Retriever:
        return self._retriever

    def helpers(
        self, resolved: Resolved, retriever: Retriever | None, context: RequestContext, chat: str = ""
    ) -> Helpers:
        return self._services.helpers(resolved, retriever, context, chat)

    def tools(
        self, resolved: Resolved, retriever: Retriever | None, context: RequestContext, chat: str = ""
    ) -> ToolServices:
        return self._services.tools(resolved, retriever, context, chat)

    def recipe(self, name: str) -> Recipe:
        return self._services.recipe(name)

    def checksum(self, resolved: Resolved) -> str:
        return self._services.checksum(resolved)


def _answered(key: str, question: Question | OfficeQuestion, services: ExamServices, run: OpenRun) -> Answered:
    """Ask for a quotation, and, unless the program abstains, for an answer in the model's own words."""
    began = time.monotonic()

    def ask(mode: Mode) -> AskResult:
        recipe = Recipe(
            model=ModelPart(name=services.resolve(Recipe()).model.name),
            decoding=DecodingPart(seed=0),
            retrieval=RetrievalPart(collection=question.collection, mode=mode),
        )
        request = AnswerRequest(recipe=recipe, conversation=(Message("user", question.question),), origins=())
        return drain(follow(AskResult, answer(request, services, run.context, background=True)), emit_waiting)

    def emit_waiting(event: Event) -> None:
        if isinstance(event, events.Progress) and not event.step:
            run.emit(event)

    def done(outcome: Outcome, own: str = "") -> Answered:
        return Answered(key, outcome, own, quoted.answer, round(time.monotonic() - began, 3))

    answerable, kind = question.answerable, question.kind
    quoted = ask("quoted")
    outcome = Outcome(
        question=question.id,
        answerable=answerable,
        declined=quoted.declined,
        quoted=not quoted.declined and question.is_right(quoted.answer),
        kind=kind,
        quoted_marked=quoted.outcome == "perhaps",
        own_asked=question.asks_own,
    )
    if quoted.declined or not question.asks_own:
        return done(outcome)
    own = ask("own-words")
    checked = own.verification
    doubted = any(reason.kind not in ("weak", "statement") for reason in own.reasons)
    contradicts = (
        doubted or checked is None or bool(checked.problem) or is_marked(msgspec.structs.replace(checked, unsure=False))
    )
    unknown = says_unknown(own.answer) and not question.is_right(own.answer)
    outcome = msgspec.structs.replace(
        outcome,
        declined=not answerable and not kind and unknown,
        own=question.is_right(own.answer),
        confidence=checked.confidence if checked is not None else None,
        contradicts=contradicts,
        own_declined=own.declined or unknown,
    )
    return done(outcome, own.answer)
