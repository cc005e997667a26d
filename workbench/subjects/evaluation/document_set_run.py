"""The kind of run that makes a question set from the documents of a collection, and the call that starts one. No chat
model takes part: questions are worded from what documents say once (``document_questions``); the collection's
embedding model checks that what has no answer is absent."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from workbench.api import events
from workbench.api.protocol import finish
from workbench.base.errors import UserError
from workbench.base.naming import free_name
from workbench.base.stored import Stored
from workbench.core.change_notifier import ChangeNotifier
from workbench.core.streams import Handlers, unary
from workbench.records.documents import Collection
from workbench.records.evaluation import QUESTION_SET
from workbench.subjects.documents.embedder import Embedding
from workbench.subjects.documents.store import CollectionRegistry
from workbench.subjects.evaluation.calls import QuestionsFromDocuments
from workbench.subjects.evaluation.document_questions import Closest, Read, make_questions, split_by_document
from workbench.subjects.evaluation.question_store import QuestionStore
from workbench.subjects.runs.calls import RunRecord
from workbench.subjects.runs.kinds import OpenRun, RunKind
from workbench.subjects.runs.queue import Runs
from workbench.techniques.embedding_calls import Documents, Search, Tables, Text

KIND = "document-questions"
_SIMILAR_PASSAGES = 5
MOST_CHARACTERS = 20_000_000
"""Of the documents that are read for one set."""


@dataclass(frozen=True, eq=False)
class DocumentSets:
    """Starts the runs."""

    _store: QuestionStore
    _registry: CollectionRegistry
    _runs: Runs

    def handlers(self) -> Handlers:
        return {QuestionsFromDocuments: unary(self.start)}

    def start(self, call: QuestionsFromDocuments) -> RunRecord:
        collection = self._registry.get(call.collection)
        if not collection.documents:
            raise UserError(f"{collection.name} holds no documents.", "Add some first.")
        if not 0 <= call.tune_share <= 1:
            raise UserError("The share of questions for tuning must be from 0 to 1.")
        if call.name:
            self._store.check_name(call.name)
        return self._runs.add(KIND, collection.name, msgspec.structs.replace(call, collection=collection.id))


@dataclass(frozen=True, eq=False)
class DocumentSetRuns(RunKind):
    config = Stored("config of this run", QuestionsFromDocuments)
    result = QUESTION_SET

    _store: QuestionStore
    _registry: CollectionRegistry
    _embedding: Embedding
    _changes: ChangeNotifier

    def concurrency_group(self, run: RunRecord) -> str:
        """It waits for no training."""
        return KIND

    def work(self, run: OpenRun) -> events.Event:
        call = msgspec.convert(run.record.config, QuestionsFromDocuments)
        collection = self._registry.get(call.collection)
        read, left_out = list[Read](), 0
        room = MOST_CHARACTERS
        for one in self._documents(collection, run):
            room -= len(one.text.text)
            if room < 0:
                left_out += 1
            else:
                read.append(one)
        run.context.raise_if_cancelled()
        made = make_questions(read, call.limit, call.seed, self._closest(collection, read, run))
        run.context.raise_if_cancelled()
        if not made:
            raise UserError(
                f"No question could be made from {collection.name}.",
                "Documents with tables, entries such as “Price: 20 euros”, or amounts and dates in sentences give "
                "questions. Import questions of your own instead.",
            )
        notes = [f"{left_out:,} documents were left out, since the collection is large."] if left_out else []
        asked = {name for one in made for name in one.question.sources}
        if silent := sorted({Path(one.text.document.path).name for one in read} - asked):
            notes.append(f"No question was made from {', '.join(silent)}.")
        found = self._store.add(
            call.name or self._free_name(collection),
            [one.question for one in made],
            split_by_document(made, call.tune_share, call.seed),
            seed=call.seed,
            origin=f"documents of {collection.name}",
            notes=notes,
            origins=(collection.id,),
        )
        self._changes.publish("questions", found.id)
        return finish(found)

    def _documents(self, collection: Collection, run: OpenRun) -> Iterator[Read]:
        file, host = str(self._embedding.file(collection)), self._embedding.host
        listed = host.call(Documents(file=file), context=run.context).documents
        whole = [document for document in listed if document.state in ("indexed", "unchanged")]
        for number, document in enumerate(whole):
            run.context.raise_if_cancelled()
            run.emit(events.Progress(stage="reading", done=number, total=len(whole), unit="documents"))
            text = host.call(Text(file=file, document=document.id), context=run.context)
            tables = host.call(Tables(file=file, document=document.id), context=run.context).tables
            yield Read(text=text, tables=tables)

    def _closest(self, collection: Collection, read: Sequence[Read], run: OpenRun) -> Closest:
        """The passages of a document that the collection's embedding model finds the most similar to a text."""
        paths = {one.text.document.id: one.text.document.path for one in read}
        embedder = self._embedding.embedder(run.context, name=collection.embedder)

        def closest(document: str, text: str) -> list[tuple[float, str]]:
            run.context.raise_if_cancelled()
            call = Search(
                file=str(self._embedding.file(collection)), collection=collection.id, embedder=embedder, query=text,
                limit=_SIMILAR_PASSAGES, paths=(paths[document],),
            )  # fmt: skip
            hits = self._embedding.host.call(call, context=run.context).hits
            return [(hit.similarity, hit.text) for hit in hits if hit.similarity is not None]

        return closest

    def _free_name(self, collection: Collection) -> str:
        return free_name(f"Questions on {collection.name}"[:70], {one.name for one in self._store.list_sets()})
