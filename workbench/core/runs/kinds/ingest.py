"""The kind of run that reads documents into a collection: one at a time for each collection."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from workbench.api import events
from workbench.api.calls import AddDocuments, AddResult, Collection, RunRecord
from workbench.api.events import Event
from workbench.core.change_notifier import ChangeNotifier
from workbench.core.documents.embedder import Embedding
from workbench.core.documents.passwords import Passwords
from workbench.core.runs.run_kind import OpenRun, RunKind
from workbench.errors import Cancelled, WorkerDied
from workbench.records.stored import Stored
from workbench.settings import DocumentSettings
from workbench.storage.collections import CollectionRegistry
from workbench.techniques.retrieval.embedding_calls import Ingest, ReadLimits

COUNT_EVERY_S = 3.0


def ingest_group(collection: str) -> str:
    return f"ingest {collection}"


@dataclass(frozen=True, eq=False)
class Ingesting(RunKind):
    """Ingests go on by themselves after an interruption: what is committed is not read again."""

    config = Stored("config of this run", AddDocuments)
    result = Stored("result of this run", AddResult)
    auto_resume = True
    resumable = True

    _registry: CollectionRegistry
    _embedding: Embedding
    _changes: ChangeNotifier
    _settings: Callable[[], DocumentSettings]
    _passwords: Passwords

    def concurrency_group(self, run: RunRecord) -> str:
        return ingest_group(self._registry.get(run.config["collection"]).id)

    def work(self, run: OpenRun) -> Event:
        began = time.time()
        collection = self._registry.get(run.record.config["collection"])
        paths = tuple(run.record.config["paths"])
        settings = self._settings()
        call = Ingest(
            file=str(self._embedding.file(collection)),
            collection=collection.id,
            embedder=self._embedding.embedder(run.context, run.emit, collection.embedder),
            paths=paths,
            chunk_tokens=collection.passage_tokens,
            passwords=self._passwords.take(collection.id, paths),
            limits=ReadLimits(
                seconds=settings.read_seconds,
                memory_mb=settings.read_memory_mb,
                largest_file_mb=settings.largest_file_mb,
                recognise=settings.recognise_text,
            ),
        )
        counted = time.monotonic()
        for event in self._embedding.host.stream(call, run.context):
            if isinstance(event, events.TERMINAL):
                if self._embedding.host.state == "ready":
                    self._count(collection)
                if isinstance(event, events.Finished):
                    self._registry.set_read(collection.id, paths, began)
                return event
            run.emit(event)
            now = time.monotonic()
            if now - counted >= COUNT_EVERY_S:
                counted = now
                self._count(collection)
        raise RuntimeError("the ingest ended without a terminal event")

    def _count(self, collection: Collection) -> None:
        try:
            state = self._embedding.state(collection)
        except (WorkerDied, Cancelled):
            return  # the ingest's own stream says so
        self._registry.set_counts(collection.id, **msgspec.structs.asdict(state))
        self._changes.publish("collection", collection.id)
