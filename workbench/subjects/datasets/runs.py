"""The kind of run that builds a data set from the home: from chats, or from the documents of a collection.

Question-answer pairs take long: those of each passage are saved in the run's folder, so that a stopped run resumes with
the next passage. The model is leased per question, so that chats with another model get their turn.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from workbench.api import events
from workbench.api.events import Event
from workbench.api.protocol import drain, finish, follow
from workbench.base.errors import UserError
from workbench.base.paths import Home
from workbench.base.stored import Stored
from workbench.core.change_notifier import ChangeNotifier
from workbench.records.answers import AskResult, StoredMessage, origins_in
from workbench.records.documents import Collection, DocumentText
from workbench.records.endpoints import made_by
from workbench.records.messages import Message, Passage
from workbench.records.recipes import DecodingPart, ModelPart, Recipe
from workbench.records.training import DataSet
from workbench.records.trust import describe_statement
from workbench.subjects.answering.answer import answer
from workbench.subjects.answering.request import AnswerRequest, Services
from workbench.subjects.chats.store import ChatStore
from workbench.subjects.datasets.calls import BuildData
from workbench.subjects.datasets.store import DatasetStore
from workbench.subjects.documents.embedder import Embedding
from workbench.subjects.documents.passages import passages_of, spread
from workbench.subjects.documents.store import CollectionRegistry
from workbench.subjects.models.store import ModelCatalogue, chat_model
from workbench.subjects.runs.calls import RunRecord
from workbench.subjects.runs.journal import Journal, Line
from workbench.subjects.runs.kinds import OpenRun, RunKind
from workbench.techniques.embedding_calls import Documents, Text
from workbench.techniques.retrieval.verification import verify_statements
from workbench.training.data.chats import examples_from_chats
from workbench.training.data.documents import examples_from_documents
from workbench.training.data.examples import Example, Source, normalise
from workbench.training.data.pairs import ANSWER, SMALL_MODEL_PARAMETERS, MadePair, make_pairs

MADE = "made.jsonl"


@dataclass(frozen=True, eq=False)
class DataRuns(RunKind):
    config = Stored("config of this run", BuildData)
    result = Stored("result of this run", DataSet)
    resumable = True

    _home: Home
    _sets: DatasetStore
    _chats: ChatStore
    _catalogue: ModelCatalogue
    _registry: CollectionRegistry
    _embedding: Embedding
    _services: Services
    _changes: ChangeNotifier

    def concurrency_group(self, run: RunRecord) -> str:
        return f"data {run.config['source']}"

    def work(self, run: OpenRun) -> Event:
        call = msgspec.convert(run.record.config, BuildData)
        name = self._sets.check_name(call.name)
        if call.source == "chats":
            chosen = self._messages(call)
            return self._write(call, name, "answers from chats", self._from_chats(chosen), origins_in(chosen))
        collection = self._registry.get(call.collection)
        if call.source == "text":
            read = self._from_text(collection, run)
            return self._write(call, name, f"text of {collection.name}", read, (collection.id,))
        examples = self._from_pairs(call, collection, run)
        model = chat_model(call.model, self._catalogue)
        origin = f"pairs that {model.name} made from {collection.name}"
        return self._write(call, name, origin, examples, (collection.id,))

    def _write(
        self, call: BuildData, name: str, origin: str, examples: Iterable[Example], origins: tuple[str, ...]
    ) -> Event:
        with self._sets.written(name, origin, origins) as writer:
            for example in examples:
                writer.add(as_row(example))
        if not writer.examples:
            raise UserError("No examples were found.", _NOTHING[call.source])
        made = self._sets.get(name)
        self._changes.publish("data", name)
        return finish(made)

    # -- where examples come from -----------------------------------------------------------------

    def _messages(self, call: BuildData) -> list[StoredMessage]:
        chats = call.chats or tuple(chat.id for chat in self._chats.list_chats())
        return [message for chat in chats for message in self._chats.get_chat(chat).messages]

    def _from_chats(self, messages: Sequence[StoredMessage]) -> Iterator[Example]:
        ratings = {message.id: message.rating for message in messages if message.rating}
        edits = {message.id: message.text for message in messages if message.original is not None}
        return examples_from_chats(messages, ratings=ratings, edits=edits)

    def _from_text(self, collection: Collection, run: OpenRun) -> Iterator[Example]:
        return examples_from_documents(self._documents(collection, run))

    def _documents(self, collection: Collection, run: OpenRun) -> Iterator[DocumentText]:
        file, host = str(self._embedding.file(collection)), self._embedding.host
        if not Path(file).exists():
            raise UserError(f"{collection.name} holds no documents.", "Add some first.")
        listed = host.call(Documents(file=file), context=run.context).documents
        found = [document for document in listed if document.state in ("indexed", "unchanged")]
        for number, document in enumerate(found):
            run.context.raise_if_cancelled()
            run.emit(events.Progress(stage="reading", done=number, total=len(found), unit="documents"))
            yield host.call(Text(file=file, document=document.id), context=run.context)

    def _from_pairs(self, call: BuildData, collection: Collection, run: OpenRun) -> Iterator[Example]:
        """The pairs that their passages support; passages that an earlier attempt finished are not asked again."""
        model = chat_model(call.model, self._catalogue)
        passages = spread([p for text in self._documents(collection, run) for p in passages_of(text)], call.limit)
        made = Journal(self._home.run(run.id) / MADE, _Done)
        asked = {normalise(example.messages[0].content) for done in made.lines for example in done.examples}
        here = model.endpoint is None  # an endpoint counts as large, and takes no regular expressions
        small = here and model.parameters < SMALL_MODEL_PARAMETERS
        pace = _Pace(sum(made.find(_identity(passage)) is None for passage in passages), call.questions)

        def ask(prompt: str, decoding: DecodingPart) -> str:
            recipe = Recipe(model=ModelPart(name=model.name), decoding=decoding)
            conversation = (Message("user", prompt),)
            request = AnswerRequest(recipe=recipe, conversation=conversation, origins=(collection.id,))
            stream = answer(request, self._services, run.context, background=True)
            pace.begin(question=not prompt.endswith(ANSWER))
            return drain(follow(AskResult, stream), emit_progress).answer

        def emit_progress(event: Event) -> None:
            """The stage: waiting for the model, then the question or answer that is generated."""
            if isinstance(event, events.Progress) and not event.step:
                run.emit(event)
            elif isinstance(event, events.StepStarted):
                run.emit(pace.progress(number, len(passages)))

        for number, passage in enumerate(passages):
            run.context.raise_if_cancelled()
            run.emit(pace.progress(number, len(passages)))
            if made.find(_identity(passage)) is not None:
                continue
            supported: list[Example] = []
            for event in make_pairs((passage,), ask, small=small, questions=call.questions, constrained=here):
                if isinstance(event, events.Artifact):
                    pair = verified(msgspec.convert(event.result, MadePair), passage)
                    if normalise(pair.question) in asked:
                        continue
                    asked.add(normalise(pair.question))
                    run.emit(msgspec.structs.replace(event, result=msgspec.to_builtins(pair)))
                    if pair.supported:
                        made_there = msgspec.structs.replace(pair.source, made_by=made_by(model.endpoint))
                        supported.append(msgspec.structs.replace(pair.example(), source=made_there))
            run.context.raise_if_cancelled()
            made.add(_Done(_identity(passage), tuple(supported)))
            pace.finish_passage()
        yield from (example for done in made.lines for example in done.examples)


class _Pace:
    """The progress of the pairs, ``questions`` for each of ``passages``, and the remaining time."""

    def __init__(self, passages: int, questions: int) -> None:
        self._left = passages
        self._questions = questions
        self._finished = 0
        self._began = 0.0
        self._asked, self._answers = 0, False

    def begin(self, *, question: bool) -> None:
        """A question or its answer is generated from now on."""
        self._asked, self._answers = self._asked + question, not question

    def finish_passage(self) -> None:
        self._finished, self._left, self._asked, self._answers = self._finished + 1, self._left - 1, 0, False

    def progress(self, number: int, passages: int) -> events.Progress:
        """``number`` is the current one of all ``passages``."""
        self._began = self._began or time.monotonic()
        share = max(0.0, self._asked - 1 + self._answers / 2) / self._questions
        seconds = (time.monotonic() - self._began) / self._finished * (self._left - share) if self._finished else None
        what = f"{'answer' if self._answers else 'question'} {self._asked or 1}"
        return events.Progress(
            stage="asking", done=number + share, total=passages, unit="passages", seconds_left=seconds, detail=what
        )


_NOTHING = {
    "chats": "Rate answers as good, or correct them.",
    "text": "Add documents that have text.",
    "pairs": "No pair was supported by its passage: try a larger model, or other documents.",
}


def as_row(example: Example) -> dict[str, Any]:
    """An example as a line of a set, with where it comes from."""
    said = {"text": example.text} if example.text else {"messages": msgspec.to_builtins(example.messages)}
    default = Source()
    source = {name: getattr(example.source, name) for name in Source.__struct_fields__}
    return {**said, "source": {name: value for name, value in source.items() if value != getattr(default, name)}}


def verified(pair: MadePair, passage: Passage) -> MadePair:
    """The pair, whose answer has passed the check of statements as well, as every text that is made from documents: it
    finds what the passage denies. The reason says what it holds against the answer."""
    if not pair.supported:
        return pair
    shown = msgspec.structs.replace(passage, n=1)
    checked = verify_statements(pair.answer, (shown,), pair.question)
    against = [describe_statement(one) for one in checked.statements if one.verdict in ("unsupported", "outside")]
    if not checked.problem and not against:
        return pair
    return msgspec.structs.replace(pair, reason=checked.problem or against[0])


class _Done(Line, frozen=True):
    """The supported pairs of a passage."""

    key: str = msgspec.field(name="passage")
    examples: tuple[Example, ...]


def _identity(passage: Passage) -> str:
    return f"{passage.document_hash} {passage.document} {passage.start} {passage.end}"
