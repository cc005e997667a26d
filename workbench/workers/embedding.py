"""The embedding worker: the only process that opens collection files. It embeds, indexes and searches.

Requests run on their own threads. They share the embedding queue, the open collections, and a reader process for
pictures of pages. An embedder is loaded when it is first needed; requests without vectors are answered meanwhile.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from workbench.api.events import Event
from workbench.api.protocol import Call, RequestContext, finish
from workbench.base.errors import UserError
from workbench.processes.process import EMBEDDERS_VARIABLE
from workbench.processes.serve import Handler, serve
from workbench.reading.process import ReaderProcess
from workbench.records.documents import DocumentText
from workbench.techniques import embedding_calls
from workbench.techniques.retrieval.config import DEFAULT_SEARCH, WITHOUT_RERANKING
from workbench.techniques.retrieval.embedder_loading import EmbedderLoading
from workbench.techniques.retrieval.embedding import EmbeddingQueue, Urgency, batches, read_texts
from workbench.techniques.retrieval.file_scan import is_changed
from workbench.techniques.retrieval.index import CollectionIndex
from workbench.techniques.retrieval.ingest import ingest
from workbench.techniques.retrieval.name_places import find_named, find_places, list_names
from workbench.techniques.retrieval.places import page_range, passage_boxes
from workbench.techniques.retrieval.projection import project_passages
from workbench.techniques.retrieval.search import count_terms, search
from workbench.techniques.retrieval.table_answers.answers import TableAnswers

CLOSE_WITHIN_S = 15.0
TEXTS_AT_ONCE = 64
MOST_SHOWN_CELLS = 2_000_000
"""Cells of the tables of a document that is shown; the rows of further tables are shown by their lines."""
"""So many texts are read into tokens before it is looked whether they are still wanted."""

KNOWN_VECTORS = 20_000
"""Of so many texts that were compared the vectors are kept: 30 MB of all-MiniLM-L6-v2."""


class OpenCollections:
    """The open collection files, each once, and their users."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._open: dict[str, CollectionIndex] = {}
        self._users: dict[str, list[RequestContext]] = {}
        self._ingests: dict[str, threading.Lock] = {}

    @contextlib.contextmanager
    def use(self, file: str, context: RequestContext) -> Iterator[CollectionIndex]:
        """The collection of a file, which stays open at least until the block ends."""
        with self._changed:
            if file not in self._open:
                self._open[file] = CollectionIndex(Path(file))
            index = self._open[file]
            self._users.setdefault(file, []).append(context)
        try:
            yield index
        finally:
            with self._changed:
                self._users[file].remove(context)
                self._changed.notify_all()

    @contextlib.contextmanager
    def ingesting(self, file: str, context: RequestContext) -> Iterator[None]:
        """One ingest of a collection at a time. Raises errors.Cancelled when the wait is cancelled."""
        with self._changed:
            lock = self._ingests.setdefault(file, threading.Lock())
        while not lock.acquire(timeout=0.1):
            context.raise_if_cancelled()
        try:
            yield
        finally:
            lock.release()

    def close(self, file: str) -> None:
        """Cancel all use of a collection and close its file. Raises UserError when it stays in use."""
        with self._changed:
            for context in self._users.get(file, ()):
                context.cancel()
            if not self._changed.wait_for(lambda: not self._users.get(file), CLOSE_WITHIN_S):
                raise UserError(f"{file} is still in use.", "Stop the work on it and try again.")
            index = self._open.pop(file, None)
            if index is not None:
                index.close()

    def close_all(self) -> None:
        for file in list(self._open):
            with contextlib.suppress(UserError):
                self.close(file)


class _Reader:
    """A question as the embedder reads it with tables (``table_answers.links.QuestionReader``)."""

    def __init__(self, service: EmbeddingService, embedder: str, question: str, context: RequestContext) -> None:
        self._service, self._embedder, self._question, self._context = service, embedder, question, context

    def similarities(self, texts: Sequence[str]) -> Sequence[float]:
        return self._service.cosines(self._embedder, self._question, texts, self._context)

    def scores(self, passages: Sequence[Sequence[str]]) -> Sequence[Sequence[float]]:
        return self._service.read_tables(self._embedder, self._question, passages)


class EmbeddingService:
    """The handlers of the embedding worker's calls."""

    def __init__(
        self,
        queue: EmbeddingQueue,
        prepare: Callable[[Path], None] = lambda folder: None,
        make_reader: Callable[[], ReaderProcess] = ReaderProcess,
    ) -> None:
        self._queue = queue
        self._prepare = prepare
        self._make_reader = make_reader
        self._collections = OpenCollections()
        self._tables = TableAnswers()
        self._known: OrderedDict[tuple[str, str], Any] = OrderedDict()  # vectors by their embedder and text
        self._known_lock = threading.Lock()
        self._drawing = threading.Lock()
        self._drawer: ReaderProcess | None = None

    def handlers(self) -> Mapping[type[Call[Any]], Handler]:
        return {
            embedding_calls.Ingest: self._ingest,
            embedding_calls.Search: self._search,
            embedding_calls.Project: self._project,
            embedding_calls.Similarities: self._similarities,
            embedding_calls.EmbedTexts: self._embed,
            embedding_calls.EmbedQuestion: self._embed_question,
            embedding_calls.CrossEncode: self._cross_encode,
            embedding_calls.ReadTexts: self._read_texts,
            embedding_calls.Prepare: self._prepare_embedder,
            embedding_calls.Forget: self._forget,
            embedding_calls.CountTerms: self._count_terms,
            embedding_calls.AskTables: self._ask_tables,
            embedding_calls.Documents: self._documents,
            embedding_calls.Text: self._text,
            embedding_calls.Tables: self._read_tables,
            embedding_calls.Picture: self._picture,
            embedding_calls.Names: self._names,
            embedding_calls.PlacesOfName: self._places_of_name,
            embedding_calls.NamesIn: self._names_in,
            embedding_calls.Remove: self._remove,
            embedding_calls.Trash: self._trash,
            embedding_calls.Restore: self._restore,
            embedding_calls.Purge: self._purge,
            embedding_calls.State: self._state,
            embedding_calls.Close: self._close,
        }

    def leave(self) -> None:
        """Close all collections."""
        self._collections.close_all()
        if self._drawer is not None:
            self._drawer.close()

    def _ingest(self, call: embedding_calls.Ingest, context: RequestContext) -> Iterator[Event]:
        with self._collections.use(call.file, context) as index, self._collections.ingesting(call.file, context):
            reader = self._make_reader()
            try:
                yield from ingest(index, self._queue, reader, call, context)
            finally:
                reader.close()

    def _search(self, call: embedding_calls.Search, context: RequestContext) -> Iterator[Event]:
        with self._collections.use(call.file, context) as index:
            config = DEFAULT_SEARCH if call.rerank else WITHOUT_RERANKING
            found = search(
                index, self._queue, Path(call.embedder), call.collection, call.query, call.limit, config, call.paths
            )
            yield finish(found)

    def _project(self, call: embedding_calls.Project, context: RequestContext) -> Iterator[Event]:
        with self._collections.use(call.file, context) as index:
            placed = project_passages(
                index, self._queue, Path(call.embedder), call.collection, call.query, call.limit, call.most
            )
            yield finish(placed)

    def _similarities(self, call: embedding_calls.Similarities, context: RequestContext) -> Iterator[Event]:
        make = self._vectors_of if call.background else self._known_vectors_of
        if call.questions:
            texts = [self._queue.embed_query(Path(call.embedder), text) for text in call.texts]
            others = make(call.embedder, call.others, context)
        else:
            vectors = make(call.embedder, [*call.texts, *call.others], context)
            texts, others = vectors[: len(call.texts)], vectors[len(call.texts) :]
        yield finish([[float(text @ other) for other in others] for text in texts])

    def _embed(self, call: embedding_calls.EmbedTexts, context: RequestContext) -> Iterator[Event]:
        vectors = self._vectors_of(call.embedder, call.texts, context)
        yield finish([[float(value) for value in vector] for vector in vectors])

    def _embed_question(self, call: embedding_calls.EmbedQuestion, context: RequestContext) -> Iterator[Event]:
        folder = Path(call.embedder)
        vector = self._queue.embed_query(folder, call.question)
        made = tuple(float(value) for value in vector)
        yield finish(embedding_calls.QuestionVector(vector=made, embedder=self._queue.embedder(folder).fingerprint))

    def _cross_encode(self, call: embedding_calls.CrossEncode, context: RequestContext) -> Iterator[Event]:
        yield finish(self._queue.cross_encode(Path(call.embedder), call.question, call.passages))

    def _read_texts(self, call: embedding_calls.ReadTexts, context: RequestContext) -> Iterator[Event]:
        embedder = self._queue.embedder(Path(call.embedder))
        texts: list[str] = []
        tokens: list[int] = []
        for begin in range(0, len(call.texts), TEXTS_AT_ONCE):
            context.raise_if_cancelled()
            read, counts = read_texts(embedder, call.texts[begin : begin + TEXTS_AT_ONCE])
            texts += read
            tokens += counts
        yield finish(embedding_calls.TextsRead(texts=tuple(texts), tokens=tuple(tokens)))

    def _prepare_embedder(self, call: embedding_calls.Prepare, context: RequestContext) -> Iterator[Event]:
        self._prepare(Path(call.embedder))
        yield finish(None)

    def _forget(self, call: embedding_calls.Forget, context: RequestContext) -> Iterator[Event]:
        gone = set(call.texts)
        self._queue.forget(gone)
        with self._known_lock:
            for known in [known for known in self._known if known[1] in gone]:
                del self._known[known]
        yield finish(None)

    def _vectors_of(self, embedder: str, texts: Sequence[str], context: RequestContext) -> list[Any]:
        """The texts' vectors, of which none is kept, in turns with the ingests."""
        vectors: dict[int, Any] = {}
        for batch in batches(texts):
            context.raise_if_cancelled()
            made = self._queue.embed_passages(Path(embedder), [texts[i] for i in batch], Urgency.INGEST)
            vectors |= dict(zip(batch, made, strict=True))
        return [vectors[place] for place in range(len(texts))]

    def _known_vectors_of(self, embedder: str, texts: Sequence[str], context: RequestContext) -> list[Any]:
        """The texts' vectors. The latest ones are kept: the same examples are compared with every question."""
        with self._known_lock:
            known = {text: self._known[embedder, text] for text in texts if (embedder, text) in self._known}
        missing = list(dict.fromkeys(text for text in texts if text not in known))
        for batch in batches(missing):
            context.raise_if_cancelled()
            made = self._queue.embed_passages(Path(embedder), [missing[i] for i in batch], Urgency.WAITING)
            known |= {missing[i]: vector for i, vector in zip(batch, made, strict=True)}
        with self._known_lock:
            for text in texts:
                self._known[embedder, text] = known[text]
                self._known.move_to_end((embedder, text))
            while len(self._known) > KNOWN_VECTORS:
                self._known.popitem(last=False)
        return [known[text] for text in texts]

    def _count_terms(self, call: embedding_calls.CountTerms, context: RequestContext) -> Iterator[Event]:
        with self._collections.use(call.file, context) as index:
            yield finish(count_terms(index, call.query))

    def _ask_tables(self, call: embedding_calls.AskTables, context: RequestContext) -> Iterator[Event]:
        reads = bool(call.embedder) and self._queue.embedder(Path(call.embedder)).has_loras
        reader = _Reader(self, call.embedder, call.question, context) if reads else None
        with self._collections.use(call.file, context) as index:
            best = self._tables.answer(index, call.collection, call.question, call.language, call.paths, reader)
            yield finish(embedding_calls.TableReplies(best=best))

    def cosines(self, embedder: str, question: str, texts: Sequence[str], context: RequestContext) -> list[float]:
        """Of a question, by the vector that it is searched with, and of texts, whose vectors are kept."""
        vector = self._queue.embed_query(Path(embedder), question, search=True)
        return [float(vector @ other) for other in self._known_vectors_of(embedder, texts, context)]

    def read_tables(
        self, embedder: str, question: str, passages: Sequence[Sequence[str]]
    ) -> tuple[tuple[float, ...], ...]:
        return self._queue.cross_encode(Path(embedder), question, passages, "tables")

    def _documents(self, call: embedding_calls.Documents, context: RequestContext) -> Iterator[Event]:
        with self._collections.use(call.file, context) as index, index.reading() as snapshot:
            found = snapshot.documents()
            stamps = snapshot.stamps() if call.changed else {}
        if stamps:
            found = msgspec.structs.replace(
                found,
                documents=tuple(
                    msgspec.structs.replace(one, changed=is_changed(one.path, stamp.size, stamp.mtime_ns, one.hash))
                    if one.state == "indexed" and (stamp := stamps.get(one.id)) is not None
                    else one
                    for one in found.documents
                ),
            )
        yield finish(found)

    def _text(self, call: embedding_calls.Text, context: RequestContext) -> Iterator[Event]:
        with self._collections.use(call.file, context) as index, index.reading() as snapshot:
            text = snapshot.text(call.document)
            stamp = snapshot.stamp(text.document.id)
            if call.tables:
                tables = snapshot.tables(MOST_SHOWN_CELLS, (text.document.id,))
                text = msgspec.structs.replace(
                    text,
                    tables=tuple(one.content for one in tables),
                    outdated=snapshot.is_outdated(text.document.id),
                )
        changed = is_changed(text.document.path, stamp.size, stamp.mtime_ns, text.document.hash)
        document = msgspec.structs.replace(text.document, changed=changed)
        yield finish(msgspec.structs.replace(text, document=document))

    def _read_tables(self, call: embedding_calls.Tables, context: RequestContext) -> Iterator[Event]:
        with self._collections.use(call.file, context) as index, index.reading() as snapshot:
            tables = snapshot.tables(call.cells, (call.document,))
            yield finish(embedding_calls.TablesRead(tables=tuple(one.content for one in tables)))

    def _picture(self, call: embedding_calls.Picture, context: RequestContext) -> Iterator[Event]:
        with self._collections.use(call.file, context) as index, index.reading() as snapshot:
            found = snapshot.text(call.document)
            places = snapshot.places(found.document.id, call.page)
        with self._drawing:
            if self._drawer is None:
                self._drawer = self._make_reader()
        part = _part(found, call.picture) if call.picture else ""
        picture = self._drawer.draw_page(
            Path(found.document.path),
            call.page,
            call.scale,
            start=call.start,
            end=call.end,
            page_starts=found.page_starts,
            hash=found.document.hash,
            picture=part,
        )
        if part:
            yield finish(msgspec.structs.replace(picture, page=call.picture, pages=len(found.pictures)))
            return
        first, after = page_range(found, picture.page)
        if any(chunk.recognised and chunk.start < after and chunk.end > first for chunk in found.chunks):
            boxes = passage_boxes(places, call.start - first, call.end - first, picture.width, picture.height)
            picture = msgspec.structs.replace(picture, boxes=boxes)
        yield finish(picture)

    def _names(self, call: embedding_calls.Names, context: RequestContext) -> Iterator[Event]:
        with self._collections.use(call.file, context) as index:
            yield finish(list_names(index))

    def _places_of_name(self, call: embedding_calls.PlacesOfName, context: RequestContext) -> Iterator[Event]:
        with self._collections.use(call.file, context) as index:
            yield finish(find_places(index, call.collection, call.name, call.other, call.limit))

    def _names_in(self, call: embedding_calls.NamesIn, context: RequestContext) -> Iterator[Event]:
        with self._collections.use(call.file, context) as index:
            names, passages = find_named(index, call.collection, call.text, call.limit, call.paths)
            yield finish(embedding_calls.NamedIn(names=names, passages=passages))

    def _remove(self, call: embedding_calls.Remove, context: RequestContext) -> Iterator[Event]:
        with self._collections.use(call.file, context) as index:
            with index.reading() as snapshot:
                document = snapshot.document(call.document)
            index.remove([document.id])
            with index.reading() as snapshot:
                yield finish(snapshot.state())

    def _trash(self, call: embedding_calls.Trash, context: RequestContext) -> Iterator[Event]:
        with self._collections.use(call.file, context) as index:
            with index.reading() as snapshot:
                document = snapshot.document(call.document)
            trashed = index.trash(document.id)
            with index.reading() as snapshot:
                state = snapshot.state()
        if trashed is None:  # another call was faster
            raise UserError(f"There is no document {call.document} in this collection.")
        yield finish(embedding_calls.TrashedDocument(**trashed._asdict(), state=state))

    def _restore(self, call: embedding_calls.Restore, context: RequestContext) -> Iterator[Event]:
        with self._collections.use(call.file, context) as index:
            missing = tuple(document for document in call.documents if not index.restore(document))
            with index.reading() as snapshot:
                yield finish(embedding_calls.Restored(state=snapshot.state(), missing=missing))

    def _purge(self, call: embedding_calls.Purge, context: RequestContext) -> Iterator[Event]:
        with self._collections.use(call.file, context) as index:
            index.purge(call.documents)
        yield finish(None)

    def _state(self, call: embedding_calls.State, context: RequestContext) -> Iterator[Event]:
        with self._collections.use(call.file, context) as index, index.reading() as snapshot:
            yield finish(snapshot.state())

    def _close(self, call: embedding_calls.Close, context: RequestContext) -> Iterator[Event]:
        self._collections.close(call.file)
        yield finish(None)


def _part(document: DocumentText, number: int) -> str:
    """The part of a picture within a document, by its number from 1. Raises UserError when there is none."""
    if 1 <= number <= len(document.pictures):
        return document.pictures[number - 1].part
    raise UserError(f"{document.document.path} has no picture {number}.")


def main() -> None:
    """Serve until the parent goes. The process then ends at once, so a folder of its own is removed before,
    as far as nothing is being written to it, or holds it open."""
    with contextlib.ExitStack() as stack:
        folder = os.environ.get(EMBEDDERS_VARIABLE)
        if not folder:
            own = tempfile.TemporaryDirectory(prefix="workbench-embedders-", ignore_cleanup_errors=True)
            folder = stack.enter_context(own)
        loading = EmbedderLoading(Path(folder))
        service = EmbeddingService(EmbeddingQueue(loading.load), loading.prepare)

        def leave() -> None:
            with stack:
                service.leave()

        serve("embedding", embedding_calls.EmbeddingCall, service.handlers(), leave)
