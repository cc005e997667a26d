"""Collections and their documents: the registry here, the index in the embedding worker."""

from __future__ import annotations

import os
from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from workbench.api.events import Event
from workbench.api.protocol import RequestContext, finish
from workbench.base.errors import UserError
from workbench.base.paths import absolute_path
from workbench.core.change_notifier import ChangeNotifier
from workbench.core.streams import Handlers, unary
from workbench.records.documents import Collection, Document, DocumentList, NameList, SearchResult
from workbench.records.offers import MULTILINGUAL
from workbench.records.similarity import PassageMap
from workbench.subjects.documents import calls
from workbench.subjects.documents.embedder import Embedding
from workbench.subjects.documents.folder_watcher import Watching, changed_since
from workbench.subjects.documents.runs import Passwords, ingest_group
from workbench.subjects.documents.store import CollectionRegistry
from workbench.subjects.documents.trash import TrashedDocuments, put_collection
from workbench.subjects.runs.calls import RunRecord
from workbench.subjects.runs.queue import Runs
from workbench.subjects.trash.store import TrashStore
from workbench.techniques.embedding_calls import (
    CollectionState,
    Names,
    Picture,
    PlacesOfName,
    Project,
    Remove,
    Search,
    Similarities,
    Text,
)
from workbench.techniques.embedding_calls import Documents as ListOfFile

_FEWEST_TOKENS, _MOST_TOKENS = 32, 8192


@dataclass(frozen=True, eq=False)
class Documents:
    _registry: CollectionRegistry
    _embedding: Embedding
    _runs: Runs
    _watching: Watching
    _changes: ChangeNotifier
    _passwords: Passwords
    _trash: TrashStore

    @property
    def trashed(self) -> TrashedDocuments:
        """The documents in the trash."""
        return TrashedDocuments(self._registry, self._embedding, self._trash, self.show)

    def handlers(self) -> Handlers:
        return {
            calls.ListCollections: unary(self.list_collections),
            calls.CreateCollection: unary(self.create),
            calls.RenameCollection: unary(self.rename),
            calls.ReadAgain: unary(self.read_again),
            calls.SetPassageLength: unary(self.set_passage_length),
            calls.SetEmbedder: unary(self.set_embedder),
            calls.RemoveCollection: unary(self.remove),
            calls.AddDocuments: unary(self.add),
            calls.UnlockDocument: self.unlock,
            calls.Unwatch: unary(self.unwatch),
            calls.ListDocuments: self.list_documents,
            calls.RemoveDocument: self.remove_document,
            calls.RemoveFolder: self.remove_folder,
            calls.SearchDocuments: self.search,
            calls.ProjectPassages: self.project,
            calls.ListNames: self.names,
            calls.FindName: self.find_name,
            calls.GetDocumentText: self.text,
            calls.DrawPage: self.draw,
            calls.CompareDocuments: self.compare,
            calls.FindChangedFiles: unary(self.find_changed),
        }

    # -- collections ------------------------------------------------------------------------------

    def list_collections(self, call: calls.ListCollections) -> calls.CollectionList:
        return calls.CollectionList(collections=self._registry.list_collections())

    def create(self, call: calls.CreateCollection) -> Collection:
        return self._published(self._registry.create(call.name))

    def rename(self, call: calls.RenameCollection) -> Collection:
        return self._published(self._registry.rename(call.collection, call.name))

    def read_again(self, call: calls.ReadAgain) -> RunRecord:
        collection = self._registry.get(call.collection)
        paths = tuple(root.path for root in self._registry.list_roots(collection.id))
        if not paths:
            raise UserError(f"Nothing was added to the collection {collection.name}.", "Add files or folders to it.")
        return self._read(collection, paths, False, anew=True)

    def set_passage_length(self, call: calls.SetPassageLength) -> Collection:
        """The index is made anew: its passages are all others."""
        collection = self._registry.get(call.collection)
        if call.tokens and not _FEWEST_TOKENS <= call.tokens <= _MOST_TOKENS:
            raise UserError(
                f"A passage cannot have {call.tokens:,} tokens.",
                f"Enter a number from {_FEWEST_TOKENS} to {_MOST_TOKENS:,}, or 0 for what suits the embedding model.",
            )
        if call.tokens == collection.passage_tokens:
            return collection
        return self._make_anew(collection, lambda: self._registry.set_passage_tokens(collection.id, call.tokens))

    def set_embedder(self, call: calls.SetEmbedder) -> Collection:
        """The index is made anew: the vectors of two models do not compare."""
        collection = self._registry.get(call.collection)
        if call.model == MULTILINGUAL:
            self._embedding.multilingual()  # unpacked from its package, where that is installed
        model = self._embedding.check(call.model).name if call.model else ""
        if model == collection.embedder:
            return collection
        return self._make_anew(collection, lambda: self._registry.set_embedder(collection.id, model))

    def _make_anew(self, collection: Collection, change: Callable[[], Collection]) -> Collection:
        """Empty the index, change a setting of it, and read all files again, as a run."""
        self._runs.stop_concurrency_group(ingest_group(collection.id))
        collection = change()
        self._embedding.delete(collection)
        empty = CollectionState(documents=0, failed=0, chunks=0, bytes=0, revision=collection.revision + 1)
        self._registry.set_state(collection.id, empty)
        paths = tuple(root.path for root in self._registry.list_roots(collection.id))
        if paths:
            config = calls.AddDocuments(collection=collection.id, paths=paths)
            self._runs.add("ingest", collection.name, config, once=True)
        return self._published(self._registry.get(collection.id))

    def remove(self, call: calls.RemoveCollection) -> Collection:
        collection = self._registry.get(call.collection)
        self.hide(collection)
        return self._published(put_collection(collection, self._registry, self._trash, self._embedding))

    def hide(self, collection: Collection) -> None:
        """Stop all work on a collection that goes to the trash."""
        self._watching.forget(collection.id)
        self._runs.stop_concurrency_group(ingest_group(collection.id))
        self._passwords.forget(collection.id)

    def show(self, collection: Collection) -> Collection:
        """Go on with the work on a collection that came back from the trash."""
        for root in self._registry.list_roots(collection.id):
            if root.watched:
                self._watching.watch(collection.id, root.path)
            if root.read_at is None or (root.watched and changed_since(root.path, root.read_at)):
                config = calls.AddDocuments(collection=collection.id, paths=(root.path,))
                self._runs.add("ingest", collection.name, config, once=True)
        return self._published(self._registry.get(collection.id))

    def attached_to(self, chat: str) -> Collection | None:
        """The files that are attached to a chat."""
        return self._registry.attached_to(chat)

    def remove_attachments(self, chat: str) -> None:
        """Before a chat is deleted for good."""
        if (collection := self._registry.attached_to(chat)) is not None:
            self._remove(collection)

    def _remove(self, collection: Collection) -> Collection:
        """Its runs are stopped first. The registry entry goes before the file, so that an interrupted removal leaves
        only an unreferenced file."""
        self.hide(collection)
        self._registry.remove(collection.id)
        self._embedding.delete(collection)
        return self._published(collection)

    # -- documents --------------------------------------------------------------------------------

    def add(self, call: calls.AddDocuments) -> RunRecord:
        collection = self._registry.get(call.collection)
        known = {root.path for root in self._registry.list_roots(collection.id)}
        return self._read(collection, check_paths(call.paths, known, call.watch), call.watch, call.anew)

    def attach(self, chat: str, paths: Sequence[str]) -> tuple[Collection, RunRecord]:
        """Read files into the collection of a chat. Raises UserError, with nothing stored, when a path is wrong."""
        checked = check_paths(paths)
        collection = self._registry.attach_to(chat)
        run = self._read(collection, checked, False)
        return self._registry.get(collection.id), run

    def unlock(self, call: calls.UnlockDocument, context: RequestContext) -> Iterator[Event]:
        collection = self._registry.get(call.collection)
        if not call.password:
            raise UserError("No password was given.", "Enter the password of the file.")
        found = self._find(collection, call.document, context)
        if found is None:
            raise UserError(f"There is no document {call.document} in this collection.")
        if not found.locked:
            raise UserError(f"{found.path} is not protected by a password.", "Add it again to read it anew.")
        self._passwords.put(collection.id, found.path, call.password)
        config = calls.AddDocuments(collection=collection.id, paths=(found.path,))
        yield finish(self._runs.add("ingest", os.path.basename(found.path), config, once=True))

    def _find(self, collection: Collection, document: str, context: RequestContext) -> Document | None:
        file = self._embedding.file(collection)
        if not file.exists():
            return None
        known = self._embedding.host.call(ListOfFile(file=str(file)), context=context).documents
        return next((one for one in known if document in (one.id, one.path)), None)

    def _read(self, collection: Collection, paths: tuple[str, ...], watch: bool, anew: bool = False) -> RunRecord:
        self._registry.take_in(collection.id, paths)
        for path in paths:
            self._registry.add_root(collection.id, path, watched=watch)
            if watch:
                self._watching.watch(collection.id, path)
        title = ", ".join(map(os.path.basename, paths)) if collection.chat else collection.name
        config = calls.AddDocuments(collection=collection.id, paths=paths, anew=anew)
        run = self._runs.add("ingest", title, config, once=True)
        self._published(collection)
        return run

    def unwatch(self, call: calls.Unwatch) -> Collection:
        collection = self._registry.get(call.collection)
        path = _resolved(os.path.normpath(Path(call.path).expanduser()))
        self._registry.unwatch(collection.id, path)
        self._watching.unwatch(collection.id, path)
        return self._published(self._registry.get(collection.id))

    def list_documents(self, call: calls.ListDocuments, context: RequestContext) -> Iterator[Event]:
        collection = self._registry.get(call.collection)
        file = self._embedding.file(collection)
        if not file.exists():  # empty: no reason to start the worker
            yield finish(DocumentList(documents=()))
            return
        yield from self._embedding.host.stream(ListOfFile(file=str(file), changed=True), context)

    def remove_document(self, call: calls.RemoveDocument, context: RequestContext) -> Iterator[Event]:
        collection = self._registry.get(call.collection)
        if collection.chat or call.forever:
            self._registry.remove_root(collection.id, call.document)  # else it would count as not read to its end
            removal = Remove(file=str(self._embedding.file(collection)), document=call.document)
            state = self._embedding.host.call(removal, context=context)
            yield finish(self._published(self._registry.set_state(collection.id, state)))
            return
        found = self._find(collection, call.document, context)
        if found is None:
            raise UserError(f"There is no document {call.document} in this collection.", "It may have been removed.")
        root = next((one for one in self._registry.list_roots(collection.id) if one.path == found.path), None)
        yield finish(self._published(self.trashed.put(collection, (found,), root)))

    def remove_folder(self, call: calls.RemoveFolder, context: RequestContext) -> Iterator[Event]:
        collection = self._registry.get(call.collection)
        path = os.path.normpath(absolute_path(call.path))
        if path not in collection.folders:
            path = _resolved(path)
        if path not in collection.folders:
            raise UserError(f"{path} was not added to this collection as a folder.")
        self._watching.unwatch(collection.id, path)
        self._runs.stop_concurrency_group(ingest_group(collection.id))
        roots = self._registry.list_roots(collection.id)
        left = [root.path for root in roots if root.path != path]
        file, found = self._embedding.file(collection), ()  # type: tuple[Path, tuple[Document, ...]]
        if file.exists():
            found = self._embedding.host.call(ListOfFile(file=str(file)), context=context).documents
        going = [
            document
            for document in found
            if _is_in(document.path, path) and not any(_is_in(document.path, root) for root in left)
        ]
        root = next(one for one in roots if one.path == path)
        if going:
            yield finish(self._published(self.trashed.put(collection, going, root)))
        else:
            self._registry.remove_root(collection.id, path)
            yield finish(self._published(self._registry.get(collection.id)))

    def search(self, call: calls.SearchDocuments, context: RequestContext) -> Iterator[Event]:
        collection = self._registry.get(call.collection)
        file = self._embedding.file(collection)
        if not file.exists():
            yield finish(SearchResult(hits=()))
            return
        yield from self._embedding.host.stream(
            Search(
                file=str(file),
                collection=collection.id,
                embedder=self._embedding.embedder(context, name=collection.embedder),
                query=call.query,
                limit=call.limit,
            ),
            context,
        )

    def project(self, call: calls.ProjectPassages, context: RequestContext) -> Iterator[Event]:
        collection = self._registry.get(call.collection)
        file = self._embedding.file(collection)
        if not file.exists():
            yield finish(PassageMap())
            return
        yield from self._embedding.host.stream(
            Project(
                file=str(file),
                collection=collection.id,
                embedder=self._embedding.embedder(context, name=collection.embedder),
                query=call.query,
                limit=call.limit,
                most=call.most,
            ),
            context,
        )

    def names(self, call: calls.ListNames, context: RequestContext) -> Iterator[Event]:
        file = self._embedding.file(self._registry.get(call.collection))
        if not file.exists():
            yield finish(NameList(names=()))
            return
        yield from self._embedding.host.stream(Names(file=str(file)), context)

    def find_name(self, call: calls.FindName, context: RequestContext) -> Iterator[Event]:
        collection = self._registry.get(call.collection)
        file = self._embedding.file(collection)
        if not file.exists():
            raise UserError(f"There are no documents in {collection.name} yet.", "Add some first.")
        places = PlacesOfName(
            file=str(file), collection=collection.id, name=call.name, other=call.other, limit=max(1, call.limit)
        )
        yield from self._embedding.host.stream(places, context)

    def text(self, call: calls.GetDocumentText, context: RequestContext) -> Iterator[Event]:
        file = self._embedding.file(self._registry.get(call.collection))
        yield from self._embedding.host.stream(Text(file=str(file), document=call.document, tables=True), context)

    def compare(self, call: calls.CompareDocuments, context: RequestContext) -> Iterator[Event]:
        """As the road of comparing does it: by the words and the likeness of statements."""
        from workbench.techniques.retrieval.comparison import compare_documents

        collection = self._registry.get(call.collection)
        file, host = str(self._embedding.file(collection)), self._embedding.host
        known = host.call(ListOfFile(file=file), context=context).documents
        one, other = (
            host.call(Text(file=file, document=_named(known, name).id, tables=True), context=context)
            for name in (call.first, call.second)
        )
        if one.document.id == other.document.id:
            raise UserError("A document cannot be compared with itself.", "Name two documents.")
        embedder = self._embedding.embedder(context, name=collection.embedder)

        def similarities(texts: list[str], others: list[str]) -> list[list[float]]:
            likeness = Similarities(embedder=embedder, texts=tuple(texts), others=tuple(others))
            return [list(row) for row in host.call(likeness, context=context)]

        yield finish(compare_documents(one, other, similarities))

    def find_changed(self, call: calls.FindChangedFiles) -> calls.ChangedFileList:
        from workbench.techniques.retrieval.file_scan import differs

        changed = [path for path, digest in dict(call.files).items() if differs(path, digest)]
        return calls.ChangedFileList(paths=tuple(changed))

    def draw(self, call: calls.DrawPage, context: RequestContext) -> Iterator[Event]:
        file = self._embedding.file(self._registry.get(call.collection))
        yield from self._embedding.host.stream(
            Picture(
                file=str(file),
                document=call.document,
                page=call.page,
                scale=call.scale,
                start=call.start,
                end=call.end,
                picture=call.picture,
            ),
            context,
        )

    def _published(self, collection: Collection) -> Collection:
        self._changes.publish("collection", collection.id)
        return collection


def _named(documents: Sequence[Document], name: str) -> Document:
    """The document with an id or a path, or the only one whose path ends so. Raises UserError otherwise."""
    exact = next((one for one in documents if name in (one.id, one.path)), None)
    alike = [one for one in documents if one.path.replace("\\", "/").endswith(f"/{name}")]
    if exact is None and len(alike) != 1:
        reason = "several documents are called so" if alike else "there is no such document in this collection"
        raise UserError(f"{name} cannot be compared: {reason}.", "Give its whole path.")
    return exact or alike[0]


def check_paths(given: Sequence[str], known: Container[str] = (), watch: bool = False) -> tuple[str, ...]:
    """The paths as they are stored. Raises UserError when one does not exist and is not ``known``."""
    if not given:
        raise UserError("No files or folders were named.", "Name the files or folders to add.")
    return tuple(_checked(path, known, watch) for path in given)


def _checked(given: str, known: Container[str], watch: bool) -> str:
    """The path as it is stored. Raises UserError when it does not exist and is not stored."""
    text = os.path.normpath(absolute_path(given))
    if text not in known:
        text = _resolved(text)
    if text not in known and not os.path.lexists(text):
        raise UserError(f"There is no file or folder {text}.")
    if watch and not os.path.isdir(text):
        raise UserError(f"{text} is not a folder.", "Only folders can be watched.")
    return text


def _is_in(path: str, root: str) -> bool:
    """Whether ``path`` is ``root`` or below it."""
    return path == root or path.startswith(root.rstrip(os.sep) + os.sep)


def _resolved(path: str) -> str:
    """One name for a folder that several lead to, so that no document comes twice. A file that is a link itself keeps
    its name: that is what a person knows it by, and a broken one has to be told of."""
    if os.path.isdir(path):
        return os.path.realpath(path)
    return os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path))
