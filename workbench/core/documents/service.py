"""Collections and their documents: the registry here, the index in the embedding worker."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from workbench.api import calls
from workbench.api.events import Event
from workbench.api.protocol import RequestContext, finish
from workbench.core.change_notifier import ChangeNotifier
from workbench.core.documents.embedder import Embedding
from workbench.core.documents.folder_watcher import Watching
from workbench.core.runs.kinds.ingest import ingest_group
from workbench.core.runs.queue import Runs
from workbench.core.streams import Handlers, unary
from workbench.errors import UserError
from workbench.paths import absolute_path
from workbench.storage.collections import CollectionRegistry
from workbench.techniques.retrieval.embedding_calls import Documents as ListOfFile
from workbench.techniques.retrieval.embedding_calls import Picture, Remove, Search, Text


@dataclass(frozen=True, eq=False)
class Documents:
    _registry: CollectionRegistry
    _embedding: Embedding
    _runs: Runs
    _watching: Watching
    _changes: ChangeNotifier

    def handlers(self) -> Handlers:
        return {
            calls.ListCollections: unary(self.list_collections),
            calls.CreateCollection: unary(self.create),
            calls.RenameCollection: unary(self.rename),
            calls.RemoveCollection: unary(self.remove),
            calls.AddDocuments: unary(self.add),
            calls.Unwatch: unary(self.unwatch),
            calls.ListDocuments: self.list_documents,
            calls.RemoveDocument: self.remove_document,
            calls.SearchDocuments: self.search,
            calls.GetDocumentText: self.text,
            calls.DrawPage: self.draw,
        }

    # -- collections ------------------------------------------------------------------------------

    def list_collections(self, call: calls.ListCollections) -> calls.CollectionList:
        return calls.CollectionList(collections=self._registry.list_collections())

    def create(self, call: calls.CreateCollection) -> calls.Collection:
        return self._told(self._registry.create(call.name))

    def rename(self, call: calls.RenameCollection) -> calls.Collection:
        return self._told(self._registry.rename(call.collection, call.name))

    def remove(self, call: calls.RemoveCollection) -> calls.Collection:
        """Its runs are stopped first. The registry entry goes before the file, so that an interrupted removal leaves
        only an unreferenced file."""
        collection = self._registry.get(call.collection)
        self._watching.forget(collection.id)
        self._runs.stop_concurrency_group(ingest_group(collection.id))
        self._registry.remove(collection.id)
        self._embedding.delete(collection)
        return self._told(collection)

    # -- documents --------------------------------------------------------------------------------

    def add(self, call: calls.AddDocuments) -> calls.RunRecord:
        collection = self._registry.get(call.collection)
        if not call.paths:
            raise UserError("No files or folders were named.", "Name the files or folders to add.")
        known = {root.path for root in self._registry.list_roots(collection.id)}
        paths = [_checked(path, known, call.watch) for path in call.paths]
        for path in paths:
            self._registry.add_root(collection.id, path, watched=call.watch)
            if call.watch:
                self._watching.watch(collection.id, path)
        asked = calls.AddDocuments(collection=collection.id, paths=tuple(paths))
        run = self._runs.add("ingest", collection.name, asked, once=True)
        self._told(collection)
        return run

    def unwatch(self, call: calls.Unwatch) -> calls.Collection:
        collection = self._registry.get(call.collection)
        path = _resolved(os.path.normpath(Path(call.path).expanduser()))
        self._registry.unwatch(collection.id, path)
        self._watching.unwatch(collection.id, path)
        return self._told(self._registry.get(collection.id))

    def list_documents(self, call: calls.ListDocuments, context: RequestContext) -> Iterator[Event]:
        collection = self._registry.get(call.collection)
        file = self._embedding.file(collection)
        if not file.exists():  # empty: no reason to start the worker
            yield finish(calls.DocumentList(documents=()))
            return
        yield from self._embedding.host.stream(ListOfFile(file=str(file)), context)

    def remove_document(self, call: calls.RemoveDocument, context: RequestContext) -> Iterator[Event]:
        collection = self._registry.get(call.collection)
        removal = Remove(file=str(self._embedding.file(collection)), document=call.document)
        state = self._embedding.host.call(removal, context=context)
        yield finish(self._told(self._registry.set_counts(collection.id, **msgspec.structs.asdict(state))))

    def search(self, call: calls.SearchDocuments, context: RequestContext) -> Iterator[Event]:
        collection = self._registry.get(call.collection)
        file = self._embedding.file(collection)
        if not file.exists():
            yield finish(calls.SearchResult(hits=()))
            return
        yield from self._embedding.host.stream(
            Search(
                file=str(file),
                collection=collection.id,
                embedder=self._embedding.embedder(context),
                query=call.query,
                limit=call.limit,
            ),
            context,
        )

    def text(self, call: calls.GetDocumentText, context: RequestContext) -> Iterator[Event]:
        file = self._embedding.file(self._registry.get(call.collection))
        yield from self._embedding.host.stream(Text(file=str(file), document=call.document), context)

    def draw(self, call: calls.DrawPage, context: RequestContext) -> Iterator[Event]:
        file = self._embedding.file(self._registry.get(call.collection))
        yield from self._embedding.host.stream(
            Picture(
                file=str(file), document=call.document, page=call.page, scale=call.scale, start=call.start, end=call.end
            ),
            context,
        )

    def _told(self, collection: calls.Collection) -> calls.Collection:
        self._changes.publish("collection", collection.id)
        return collection


def _checked(given: str, known: set[str], watch: bool) -> str:
    """The path as it is stored. Raises UserError when it does not exist and is not stored."""
    text = os.path.normpath(absolute_path(given))
    if text not in known:
        text = _resolved(text)
    if text not in known and not os.path.lexists(text):
        raise UserError(f"There is no file or folder {text}.")
    if watch and not os.path.isdir(text):
        raise UserError(f"{text} is not a folder.", "Only folders can be watched.")
    return text


def _resolved(path: str) -> str:
    """One name for a folder that several lead to, so that no document comes twice. A file that is a link itself keeps
    its name: that is what a person knows it by, and a broken one has to be told of."""
    if os.path.isdir(path):
        return os.path.realpath(path)
    return os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path))
