"""A collection file: documents, their chunks, and the two indexes by which chunks are found, words and vectors.

One connection writes, others read snapshots (WAL), so that a search never waits for the commit of a big document.
Every document is written, replaced or dropped in one transaction: after a crash at any moment the words and the
vectors are those of exactly the chunks that are there. The text of documents is in here; how it was read, cut or
embedded is not known here.
"""

from __future__ import annotations

import contextlib
import os
import queue
import shutil
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import apsw
import msgspec
import numpy as np
import sqlite_vec

from workbench.calls import Chunk, Document, DocumentList, DocumentText
from workbench.errors import UserError
from workbench.storage.database import Database, connect, open_database, translated
from workbench.storage.identity import new_id
from workbench.techniques.retrieval.embedding import Vectors
from workbench.techniques.retrieval.language import index_terms
from workbench.techniques.retrieval.protocol import CollectionState

SCHEMA = Path(__file__).with_name("migrations")

_DOCUMENT = (
    "id, path, title, kind, state, reason, pages, chunks, characters, bytes, language, hash, indexed_at"  # of documents
)


class FileStamp(msgspec.Struct, frozen=True):
    """What tells, without reading it, that a file is still the one that was read. Sizes in bytes."""

    size: int
    mtime_ns: int
    ctime_ns: int


class KnownFile(msgspec.Struct, frozen=True):
    """What the collection remembers of a file. ``failed_at`` is when it failed, None for an indexed one."""

    id: str
    path: str
    stamp: FileStamp
    hash: str
    reason: str
    chunks: int
    failed_at: float | None


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A document to be written: ``vectors`` is (len(chunks), dimensions), ``fluency`` as in ``measure_fluency``.

    ``warning`` says what could not be read of it.
    """

    path: str
    stamp: FileStamp
    title: str
    kind: str
    hash: str
    text: str
    language: str
    page_starts: tuple[int, ...]
    chunks: Sequence[Chunk]
    vectors: Any
    fluency: float
    warning: str = ""


class FoundChunk(msgspec.Struct, frozen=True):
    """A chunk with what is needed to show it as a passage."""

    number: int
    start: int
    end: int
    page: int | None
    text: str
    document: str
    hash: str
    path: str
    title: str


class Snapshot:
    """A state of the collection that does not change while it is looked at. Made by ``CollectionIndex.reading``."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection

    def fact(self, name: str) -> Any:
        """A fact of the collection, None when it is not known: revision, embedder, dimensions."""
        return next((value for (value,) in self._rows("select value from facts where name = ?", (name,))), None)

    @property
    def revision(self) -> int:
        return int(self.fact("revision"))

    def languages(self) -> list[str]:
        """The languages of the indexed documents, the most frequent first; "" for those that are not known."""
        return [
            code
            for (code,) in self._rows(
                "select language from documents where state = 'indexed' group by language order by count(*) desc"
            )
        ]

    def find_words(self, expression: str, limit: int) -> list[tuple[int, float]]:
        """Chunk numbers with their BM25, higher is better, best first."""
        if not expression:
            return []
        found = self._rows(
            "select rowid, -rank from words where words match ? order by rank limit ?", (expression, limit)
        )
        return [(int(number), float(score)) for number, score in found]

    def count_matches(self, expression: str) -> int:
        """How many chunks an FTS5 expression finds."""
        ((count,),) = self._rows("select count(*) from words where words match ?", (expression,))
        return int(count)

    def find_nearest(self, vector: Vectors, limit: int) -> dict[int, Vectors]:
        """The chunks whose vectors have the highest cosine with ``vector``, shape (dimensions,): their numbers with
        their vectors, best first."""
        if self.fact("dimensions") is None:
            return {}
        found = self._rows(
            "select rowid, embedding from vectors where embedding match ? and k = ? order by distance",
            (vector.astype(np.float32).tobytes(), limit),
        )
        return {int(number): np.frombuffer(blob, np.float32) for number, blob in found}

    def vectors(self, numbers: Iterable[int]) -> dict[int, Vectors]:
        """The vectors of chunks."""
        found: dict[int, Vectors] = {}
        for number in numbers:  # one by one: vec0 would look through all of them for a list of numbers
            ((blob,),) = self._rows("select embedding from vectors where rowid = ?", (number,))
            found[number] = np.frombuffer(blob, np.float32)
        return found

    def mean_fluency(self, numbers: Sequence[int]) -> float:
        """How well the embedder knows the words of the documents that some chunks are from."""
        ((mean,),) = self._rows(
            "select avg(d.fluency) from json_each(?) wanted join chunks c on c.number = wanted.value "
            "join documents d on d.number = c.document",
            (msgspec.json.encode(numbers).decode(),),
        )
        return float(mean)

    def chunks(self, numbers: Sequence[int]) -> list[FoundChunk]:
        """The chunks of these numbers, in their order."""
        rows = self._rows(
            'select c.number, c.start, c."end", c.page, c.text, d.id, d.hash, d.path, d.title '
            "from json_each(?) wanted join chunks c on c.number = wanted.value "
            "join documents d on d.number = c.document order by wanted.key",
            (msgspec.json.encode(numbers).decode(),),
        )
        return [FoundChunk(*row) for row in rows]

    def state(self) -> CollectionState:
        ((indexed, failed, chunks, size),) = self._rows(
            "select count(*) filter (where state = 'indexed'), count(*) filter (where state = 'failed'), "
            "coalesce(sum(chunks), 0), coalesce(sum(bytes), 0) from documents"
        )
        return CollectionState(documents=indexed, failed=failed, chunks=chunks, bytes=size, revision=self.revision)

    def documents(self) -> DocumentList:
        rows = self._rows(f"select {_DOCUMENT} from documents order by path")
        return DocumentList(documents=tuple(_document(row) for row in rows))

    def document(self, document: str) -> Document:
        """The document of an id or a path. Raises UserError when there is none."""
        for row in self._rows(
            f"select {_DOCUMENT} from documents where id = ?1 or path = ?1 order by id = ?1 desc limit 1", (document,)
        ):
            return _document(row)
        raise UserError(f"There is no document {document} in this collection.", "It may have been removed.")

    def text(self, document: str) -> DocumentText:
        """A document's text with its chunks. Raises UserError when there is none."""
        found = self.document(document)
        rows = self._rows(
            "select t.document, t.text, t.page_starts from texts t join documents d on d.number = t.document "
            "where d.id = ?",
            (found.id,),
        )
        for number, text, page_starts in rows:
            chunks = self._rows('select start, "end", page from chunks where document = ? order by start', (number,))
            return DocumentText(
                document=found,
                text=text,
                chunks=tuple(Chunk(start=start, end=end, page=page) for start, end, page in chunks),
                page_starts=msgspec.json.decode(page_starts, type=tuple[int, ...]),
            )
        raise UserError(f"{found.path} has no text here: {found.reason}")

    def known_files(self) -> dict[str, KnownFile]:
        """All files, failed ones included, by path."""
        rows = self._rows(
            "select id, path, size, mtime_ns, ctime_ns, hash, reason, chunks, "
            "case state when 'failed' then indexed_at end from documents"
        )
        return {row[1]: KnownFile(row[0], row[1], FileStamp(*row[2:5]), *row[5:]) for row in rows}

    def _rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        return list(self._connection.execute(sql, parameters))


class CollectionIndex:
    """An open collection file; made when it is not there. Methods may be called from any thread.

    Raises UserError when the file is damaged or was written by a newer version.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._writer: Database = open_database(path, SCHEMA, prepare=_load_vec0)
        self._idle: queue.SimpleQueue[apsw.Connection] = queue.SimpleQueue()
        self._readers: list[apsw.Connection] = []
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def reading(self) -> Iterator[Snapshot]:
        """A snapshot; writers go on meanwhile."""
        connection = self._reader()
        try:
            with translated(self.path):
                connection.execute("begin")
                try:
                    yield Snapshot(connection)
                finally:
                    connection.execute("rollback")
        finally:
            self._give_back(connection)

    def adopt_embedder(self, fingerprint: str, dimensions: int) -> None:
        """Tell which embedder makes the vectors. Raises UserError when another one made those that are there."""
        with self.reading() as snapshot:
            known = snapshot.fact("embedder")
        if known == fingerprint:
            return
        with self._writer.transaction() as connection:
            ((known,),) = _all(connection, "select (select value from facts where name = 'embedder')")
            ((chunks,),) = _all(connection, "select count(*) from chunks")
            if known not in (None, fingerprint) and chunks:
                raise embedder_differs(self.path)
            _all(connection, "drop table if exists vectors")
            _all(
                connection,
                f"create virtual table vectors using vec0 (embedding float[{int(dimensions)}] distance_metric=cosine)",
            )
            for fact in (("embedder", fingerprint), ("dimensions", dimensions)):
                _all(connection, "insert or replace into facts values (?, ?)", fact)

    def put(self, entry: Entry) -> Document:
        """Write a document in place of what was known of its path. On return it is on the disk.

        Raises UserError when the disk is full: the collection then is as it was before.
        """
        terms = [index_terms(entry.text[c.start : c.end], entry.language) for c in entry.chunks]
        with self._making_room(entry), self._writer.transaction() as connection:
            number, document = self._replace(connection, entry.path)
            _all(
                connection,
                "insert into documents (number, id, path, title, kind, state, reason, language, hash, bytes, size, "
                "mtime_ns, ctime_ns, pages, characters, chunks, fluency, indexed_at) "
                "values (?, ?, ?, ?, ?, 'indexed', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    number, document, entry.path, entry.title, entry.kind, entry.warning, entry.language, entry.hash,
                    entry.stamp.size, entry.stamp.size, entry.stamp.mtime_ns, entry.stamp.ctime_ns,
                    len(entry.page_starts), len(entry.text), len(entry.chunks), entry.fluency, time.time(),
                ),
            )  # fmt: skip
            _all(
                connection,
                "insert into texts values (?, ?, ?)",
                (number, entry.text, msgspec.json.encode(entry.page_starts).decode()),
            )
            for chunk, chunk_terms, vector in zip(entry.chunks, terms, entry.vectors, strict=True):
                _all(
                    connection,
                    'insert into chunks (document, start, "end", page, text, terms) values (?, ?, ?, ?, ?, ?)',
                    (number, chunk.start, chunk.end, chunk.page, entry.text[chunk.start : chunk.end], chunk_terms),
                )
                _all(
                    connection,
                    "insert into vectors (rowid, embedding) values (?, ?)",
                    (connection.last_insert_rowid(), vector.astype(np.float32).tobytes()),
                )
            self._count_revision(connection)
        with self.reading() as snapshot:
            return snapshot.document(document)

    def fail(self, path: str, stamp: FileStamp, reason: str, kind: str = "") -> Document:
        """Remember that a file could not be read. What an earlier reading of it left goes: it no longer says
        what stands in the file."""
        with self._writer.transaction() as connection:
            number, document = self._replace(connection, path)
            _all(
                connection,
                "insert into documents (number, id, path, title, kind, state, reason, bytes, size, mtime_ns, ctime_ns, "
                "indexed_at) values (?, ?, ?, ?, ?, 'failed', ?, ?, ?, ?, ?, ?)",
                (
                    number, document, path, os.path.basename(path), kind, reason,
                    max(0, stamp.size), stamp.size, stamp.mtime_ns, stamp.ctime_ns, time.time(),
                ),
            )  # fmt: skip
            self._count_revision(connection)
        with self.reading() as snapshot:
            return snapshot.document(document)

    def restamp(self, path: str, stamp: FileStamp) -> None:
        """Remember that a file with a new time has its old content."""
        self._writer.execute(
            "update documents set size = ?, mtime_ns = ?, ctime_ns = ? where path = ?",
            (stamp.size, stamp.mtime_ns, stamp.ctime_ns, path),
        )

    def remove(self, documents: Iterable[str]) -> None:
        """Drop documents by id, those that are not there in silence; each in a transaction of its own."""
        for document in documents:
            with self._writer.transaction() as connection:
                for (number,) in _all(connection, "select number from documents where id = ?", (document,)):
                    self._drop(connection, number)
                    self._count_revision(connection)

    def close(self) -> None:
        """Close all connections. Nobody may be using them."""
        with self._lock:
            readers, self._readers = self._readers, []
        for connection in readers:
            connection.close()
        self._writer.close()

    # -- inner ----------------------------------------------------------------------------------------

    def _reader(self) -> apsw.Connection:
        with contextlib.suppress(queue.Empty):
            return self._idle.get_nowait()
        with translated(self.path):
            connection = connect(self.path, read_only=True)
            _load_vec0(connection)
        with self._lock:
            self._readers.append(connection)
        return connection

    def _give_back(self, connection: apsw.Connection) -> None:
        self._idle.put(connection)

    def _replace(self, connection: apsw.Connection, path: str) -> tuple[int, str]:
        """The number and id for a document at ``path``: those it had, after all that was there was dropped."""
        for number, document in _all(connection, "select number, id from documents where path = ?", (path,)):
            self._drop(connection, number)
            return int(number), str(document)
        ((number,),) = _all(connection, "select coalesce(max(number), 0) + 1 from documents")
        return int(number), new_id()

    def _drop(self, connection: apsw.Connection, number: int) -> None:
        for (chunk,) in _all(connection, "select number from chunks where document = ?", (number,)):
            _all(connection, "delete from vectors where rowid = ?", (chunk,))
        _all(connection, "delete from chunks where document = ?", (number,))
        _all(connection, "delete from documents where number = ?", (number,))

    def _count_revision(self, connection: apsw.Connection) -> None:
        _all(connection, "update facts set value = value + 1 where name = 'revision'")

    @contextlib.contextmanager
    def _making_room(self, entry: Entry) -> Iterator[None]:
        try:
            yield
        except UserError as error:
            if isinstance(error.__cause__, apsw.FullError):
                raise disk_full(self.path, entry.path, _bytes_needed(entry)) from error
            raise


def embedder_differs(path: Path) -> UserError:
    return UserError(
        f"The collection in {path.name} was made with another embedder.",
        "Choose that embedder again, or make a new collection and add the documents to it.",
    )


def disk_full(path: Path, document: str, needed: int) -> UserError:
    """The error for a document that does not fit on the disk; ``needed`` is in bytes."""
    with contextlib.suppress(OSError):
        free = shutil.disk_usage(path.parent).free
        return UserError(
            f"The disk is full: indexing {document} needs about {_megabytes(needed)} in {path.parent}, "
            f"and {_megabytes(free)} are free.",
            "Free some space and start again: what was indexed is kept.",
        )
    return UserError(f"The disk is full: {path} cannot grow.", "Free some space and start again.")


def _bytes_needed(entry: Entry) -> int:
    """Text twice (whole and in chunks), its words and terms about as much, vectors; all of it in the log first."""
    text = len(entry.text.encode())
    vectors = int(np.asarray(entry.vectors).nbytes)
    return 2 * (4 * text + vectors) + (1 << 20)


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB" if size < 1e7 else f"{size / 1e6:,.0f} MB"


def _document(row: tuple[Any, ...]) -> Document:
    state: Literal["indexed", "failed"] = row[4]
    return Document(
        id=row[0], path=row[1], title=row[2], kind=row[3], state=state, reason=row[5], pages=row[6], chunks=row[7],
        characters=row[8], bytes=row[9], language=row[10], hash=row[11], indexed_at=row[12],
    )  # fmt: skip


def _load_vec0(connection: apsw.Connection) -> None:
    connection.enable_load_extension(True)
    connection.load_extension(sqlite_vec.loadable_path())
    connection.enable_load_extension(False)


def _all(
    connection: apsw.Connection, sql: str, parameters: Sequence[Any] | Mapping[str, Any] = ()
) -> list[tuple[Any, ...]]:
    """apsw's ``execute`` is lazy: nothing has happened before its last row was asked for."""
    return list(connection.execute(sql, parameters))
