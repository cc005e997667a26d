"""The kind of run that reads documents into a collection: one at a time for each collection.

The passwords of files that are about to be read: in memory only, and only until then.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass
from pathlib import Path

from workbench.api import events
from workbench.api.events import Event
from workbench.api.protocol import RequestContext, read_result
from workbench.base.errors import Cancelled, UserError, WorkerDied
from workbench.base.settings import DocumentSettings
from workbench.base.stored import Stored
from workbench.core.change_notifier import ChangeNotifier
from workbench.reading.kinds import find_files, kind_of
from workbench.reading.ocr import is_available
from workbench.reading.reader_calls import ReadLimits
from workbench.records.documents import AddResult, Collection
from workbench.subjects.documents.calls import AddDocuments
from workbench.subjects.documents.embedder import Embedding
from workbench.subjects.documents.store import CollectionRegistry
from workbench.subjects.runs.calls import RunRecord
from workbench.subjects.runs.kinds import OpenRun, RunKind
from workbench.techniques.embedding_calls import Documents as ListOfFile
from workbench.techniques.embedding_calls import Ingest
from workbench.text.language import language_name

COUNT_EVERY_S = 3.0
_INGEST = Ingest(file="", collection="", embedder="", paths=())


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
        passwords = self._passwords.take(collection.id, paths)
        ended = self._ingest(run, collection, paths, passwords)
        if isinstance(ended, events.Finished):
            refused = read_result(_INGEST, ended.result)
            if refused.is_refused:
                # for lists and tables alone no default model is passed over that a person has imported
                suits = refused.unknown_languages or self._embedding.is_starter()
                if suits and (model := self._embedding.multilingual(run.context, run.emit)) is not None:
                    collection = self._registry.set_embedder(collection.id, model.name)
                    run.emit(events.Log(text=f"{model.name} embeds this collection, {_reason(refused)}."))
                ended = self._ingest(run, collection, paths, passwords, known_only=False)
        if isinstance(ended, events.Finished):
            self._registry.set_read(collection.id, paths, began)
            with contextlib.suppress(
                Cancelled, UserError, WorkerDied
            ):  # what was asked for is done; the next run settles
                self._settle(collection, run.context, began)
        return ended

    def _settle(self, collection: Collection, context: RequestContext, began: float) -> None:
        """What was added and not read to its end counts as read once all files in it are known, the failed ones too:
        after a stop they may have been added one by one."""
        waiting = [root.path for root in self._registry.list_roots(collection.id) if root.read_at is None]
        if not waiting:
            return
        call = ListOfFile(file=str(self._embedding.file(collection)))
        documents = self._embedding.host.call(call, context=context).documents
        known = {*self._registry.left_out(collection.id), *(one.path for one in documents if not one.unfinished)}
        done = [path for path in waiting if self._is_known(path, known, context)]
        self._registry.set_read(collection.id, done, began)

    def _is_known(self, path: str, known: Container[str], context: RequestContext) -> bool:
        if not os.path.lexists(path) and os.path.isdir(os.path.dirname(path)):
            return True  # deleted since it was added
        reads_pictures = self._settings().recognise_text and is_available()
        unread: list[Path] = []
        for file in find_files(Path(path), on_unreadable=lambda folder, reason: unread.append(folder)):
            context.raise_if_cancelled()
            if str(file) not in known and (reads_pictures or kind_of(file) != "picture"):
                return False
        return not unread

    def _ingest(
        self,
        run: OpenRun,
        collection: Collection,
        paths: tuple[str, ...],
        passwords: dict[str, str],
        known_only: bool = True,
    ) -> Event:
        """Read the files with the collection's embedding model. Where none was chosen, and ``known_only``, nothing is
        added to an empty collection whose languages it knows badly."""
        settings = self._settings()
        call = Ingest(
            file=str(self._embedding.file(collection)),
            collection=collection.id,
            embedder=self._embedding.embedder(run.context, run.emit, collection.embedder),
            paths=paths,
            chunk_tokens=collection.passage_tokens,
            passwords=passwords,
            anew=bool(run.record.config.get("anew", False)),
            known_only=known_only and not collection.embedder,
            left_out=self._registry.left_out(collection.id),
            limits=ReadLimits(
                seconds=settings.read_seconds,
                memory_mb=settings.read_memory_mb,
                largest_file_mb=settings.largest_file_mb,
                recognise=settings.recognise_text,
                folders=tuple(root.path for root in self._registry.list_roots(collection.id)),
            ),
        )
        counted = time.monotonic()
        for event in self._embedding.host.stream(call, run.context):
            if isinstance(event, events.TERMINAL):
                if self._embedding.host.state == "ready":
                    self._count(collection)
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
        self._registry.set_state(collection.id, state)
        self._changes.publish("collection", collection.id)


def _reason(refused: AddResult) -> str:
    if refused.unknown_languages:
        return f"since it has texts in {', '.join(map(language_name, refused.unknown_languages))}"
    return "since it reads lists and tables together with a question"


class Passwords:
    """Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[tuple[str, str], str] = {}

    def put(self, collection: str, path: str, password: str) -> None:
        with self._lock:
            self._known[collection, path] = password

    def take(self, collection: str, paths: Sequence[str]) -> dict[str, str]:
        """The passwords of files of a collection, by their paths; they are forgotten here."""
        with self._lock:
            return {path: self._known.pop((collection, path)) for path in paths if (collection, path) in self._known}

    def forget(self, collection: str) -> None:
        with self._lock:
            self._known = {key: password for key, password in self._known.items() if key[0] != collection}
