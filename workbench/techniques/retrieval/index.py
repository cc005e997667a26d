"""A collection file: documents, their chunks, and the two indexes of the chunks, terms and vectors.

One connection writes, others read snapshots (WAL), so that a search never waits for the commit of a big document. Every
document is written, replaced or dropped in one transaction: after a crash at any moment the terms and the vectors are
those of exactly the stored chunks. The file holds the text of documents; how it was read, split or embedded is unknown
here.
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
from typing import Any

import apsw
import msgspec
import numpy as np
import sqlite_vec

from workbench.base.catalogue import Shown
from workbench.base.errors import UserError
from workbench.records.documents import Chunk, Document, DocumentPicture, PlacedText
from workbench.records.tables import DocumentTable
from workbench.storage.database import Database, connect, new_id, open_database, translated
from workbench.techniques.retrieval.language_means import LanguageMeans
from workbench.techniques.retrieval.name_index import drop_names, store_names
from workbench.techniques.retrieval.names import NameSpan
from workbench.techniques.retrieval.places import pack_places
from workbench.techniques.retrieval.snapshot import READING, FileStamp, Snapshot
from workbench.techniques.retrieval.stored_tables import write_tables
from workbench.techniques.retrieval.trashed_documents import Trashed, find_trashed, pack, purge, unpack
from workbench.techniques.retrieval.versions import Versions, find_valid_from, find_versions
from workbench.text.language import index_terms

SCHEMA = Path(__file__).with_name("migrations")


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A document to write: ``vectors`` is (len(chunks), dimensions), ``fluency`` as in ``measure_fluency``.

    ``warning`` describes the unreadable parts; ``places`` those of the words of recognised pages, by their numbers;
    ``names`` are mentioned in the text.
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
    warning: Shown = ""
    places: Mapping[int, Sequence[PlacedText]] = {}
    names: Sequence[NameSpan] = ()
    tables: Sequence[DocumentTable] = ()
    pictures: Sequence[DocumentPicture] = ()


class CollectionIndex:
    """An open collection file; created when it is missing. Thread-safe.

    Raises UserError when the file is damaged or was written by a newer version.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._writer: Database = open_database(path, SCHEMA, prepare=_load_vec0)
        self._idle: queue.SimpleQueue[apsw.Connection] = queue.SimpleQueue()
        self._readers: list[apsw.Connection] = []
        self._lock = threading.Lock()
        self.language_means = LanguageMeans()
        self._versions: tuple[int, Versions] | None = None

    @contextlib.contextmanager
    def reading(self) -> Iterator[Snapshot]:
        """A snapshot; writers continue meanwhile."""
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

    def versions(self, snapshot: Snapshot) -> Versions:
        """Which documents are versions of each other; found anew after a change of the collection."""
        with self._lock:
            if self._versions is None or self._versions[0] != snapshot.revision:
                self._versions = snapshot.revision, find_versions(snapshot.named_documents())
            return self._versions[1]

    def record_embedder(self, fingerprint: str, dimensions: int) -> None:
        """Record the embedder of the vectors. Raises UserError when the stored vectors are another one's."""
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
        """Write a document in place of the stored one of its path. On return it is on the disk.

        Raises UserError when the disk is full: the collection is then unchanged.
        """
        terms = [index_terms(entry.text[c.start : c.end], entry.language) for c in entry.chunks]
        with self._making_room(entry), self._writer.transaction() as connection:
            number, document = self._replace(connection, entry.path)
            _all(
                connection,
                "insert into documents (number, id, path, title, kind, state, reason, language, hash, bytes, size, "
                "mtime_ns, ctime_ns, pages, characters, chunks, fluency, indexed_at, reading, "
                "valid_from) values (?, ?, ?, ?, ?, 'indexed', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    number, document, entry.path, entry.title, entry.kind, entry.warning, entry.language, entry.hash,
                    entry.stamp.size, entry.stamp.size, entry.stamp.mtime_ns, entry.stamp.ctime_ns,
                    len(entry.page_starts), len(entry.text), len(entry.chunks), entry.fluency, time.time(), READING,
                    find_valid_from(entry.text),
                ),
            )  # fmt: skip
            _all(
                connection,
                "insert into texts values (?, ?, ?)",
                (number, entry.text, msgspec.json.encode(entry.page_starts).decode()),
            )
            for page, places in entry.places.items():
                _all(connection, "insert into places values (?, ?, ?)", (number, page, pack_places(places)))
            write_tables(connection, number, entry.tables)
            for count, one in enumerate(entry.pictures, 1):
                _all(
                    connection,
                    "insert into pictures values (?, ?, ?, ?, ?)",
                    (number, count, one.start, one.end, one.part),
                )
            for chunk, chunk_terms, vector in zip(entry.chunks, terms, entry.vectors, strict=True):
                _all(
                    connection,
                    'insert into chunks (document, start, "end", page, text, terms, recognised, context, '
                    "context_terms, places) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    (
                        number,
                        chunk.start,
                        chunk.end,
                        chunk.page,
                        entry.text[chunk.start : chunk.end],
                        chunk_terms,
                        chunk.recognised,
                        chunk.context,
                        index_terms(chunk.context, entry.language),
                        msgspec.json.encode(chunk.places).decode() if chunk.places else "",
                    ),
                )
                _all(
                    connection,
                    "insert into vectors (rowid, embedding) values (?, ?)",
                    (connection.last_insert_rowid(), vector.astype(np.float32).tobytes()),
                )
            store_names(connection, number, entry.names)
            self._count_revision(connection)
        with self.reading() as snapshot:
            return snapshot.document(document)

    def fail(self, path: str, stamp: FileStamp, reason: str, kind: str = "", *, locked: bool = False) -> Document:
        """Record that a file could not be read, where it is ``locked`` for want of its password. The text of an earlier
        reading is dropped: it is out of date."""
        with self._writer.transaction() as connection:
            number, document = self._replace(connection, path)
            _all(
                connection,
                "insert into documents (number, id, path, title, kind, state, reason, bytes, size, mtime_ns, ctime_ns, "
                "indexed_at, locked) values (?, ?, ?, ?, ?, 'failed', ?, ?, ?, ?, ?, ?, ?)",
                (
                    number, document, path, os.path.basename(path), kind, reason,
                    max(0, stamp.size), stamp.size, stamp.mtime_ns, stamp.ctime_ns, time.time(), locked,
                ),
            )  # fmt: skip
            self._count_revision(connection)
        with self.reading() as snapshot:
            return snapshot.document(document)

    def update_stamp(self, path: str, stamp: FileStamp) -> None:
        """Record that a file with a new modification time has its old content."""
        self._writer.execute(
            "update documents set size = ?, mtime_ns = ?, ctime_ns = ? where path = ?",
            (stamp.size, stamp.mtime_ns, stamp.ctime_ns, path),
        )

    def rename(self, document: str, path: str, stamp: FileStamp) -> bool:
        """Record that the file of a document has another path, with its old content. The document stays what it is; a
        title that was the file's name is the new one. False where the document was removed meanwhile."""
        with self._writer.transaction() as connection:
            rows = _all(connection, "select path, title from documents where id = ?", (document,))
            if not rows:
                return False
            ((before, title),) = rows
            if title in (Path(before).name, Path(before).stem):
                title = Path(path).stem if title == Path(before).stem else Path(path).name
            _all(
                connection,
                "update documents set path = ?, title = ?, size = ?, mtime_ns = ?, ctime_ns = ? where id = ?",
                (path, title, stamp.size, stamp.mtime_ns, stamp.ctime_ns, document),
            )
            self._count_revision(connection)
        return True

    def remove(self, documents: Iterable[str]) -> None:
        """Drop documents by id, ignoring unknown ones; each in a transaction of its own."""
        for document in documents:
            with self._writer.transaction() as connection:
                for (number,) in _all(connection, "select number from documents where id = ?", (document,)):
                    self._drop(connection, number)
                    self._count_revision(connection)

    def trash(self, document: str) -> Trashed | None:
        """Move a document, by its id, into the collection's trash: it is either there or here. None for an unknown
        one; of one that is in the trash already what is known."""
        with self._writer.transaction() as connection:
            for (number,) in _all(connection, "select number from documents where id = ?", (document,)):
                trashed = pack(connection, number)
                self._drop(connection, number)
                self._count_revision(connection)
                return trashed
            return find_trashed(connection, document)

    def restore(self, document: str) -> bool:
        """Put a document from the trash back, as it was. False where that is impossible, so that its file has to be
        read again: it is not in the trash, or the collection has another embedding model by now."""
        with self._writer.transaction() as connection:
            restored = unpack(connection, document)
            if restored:
                self._count_revision(connection)
        return restored

    def purge(self, documents: Sequence[str]) -> None:
        """Delete documents in the trash for good."""
        with self._writer.transaction() as connection:
            purge(connection, documents)

    def close(self) -> None:
        """Close all connections, none of which may be in use."""
        with self._lock:
            readers, self._readers = self._readers, []
        for connection in readers:
            connection.close()
        self._writer.close()

    # -- internals ------------------------------------------------------------------------------------

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
        """The number and id for a document at ``path``: the existing ones, after its old content was dropped."""
        for number, document in _all(connection, "select number, id from documents where path = ?", (path,)):
            self._drop(connection, number)
            return int(number), str(document)
        ((number,),) = _all(connection, "select coalesce(max(number), 0) + 1 from documents")
        return int(number), new_id()

    def _drop(self, connection: apsw.Connection, number: int) -> None:
        for (chunk,) in _all(connection, "select number from chunks where document = ?", (number,)):
            _all(connection, "delete from vectors where rowid = ?", (chunk,))
        drop_names(connection, number)
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
        f"The collection {path.name} was made with another embedding model.",
        "Choose the embedding model of the collection, which reads its files again.",
    )


def disk_full(path: Path, document: str, needed: int) -> UserError:
    """The error for a document that does not fit on the disk; ``needed`` is in bytes."""
    with contextlib.suppress(OSError):
        free = shutil.disk_usage(path.parent).free
        return UserError(
            f"The disk is full: indexing {document} needs about {_megabytes(needed)} in {path.parent}; "
            f"{_megabytes(free)} are free.",
            "Free some space and start again: indexed documents are kept.",
        )
    return UserError(f"The disk is full: {path} cannot grow.", "Free some space and start again.")


def _bytes_needed(entry: Entry) -> int:
    """Text twice (whole and in chunks), its words and terms about as much, vectors; all of it in the log first."""
    text = len(entry.text.encode())
    vectors = int(np.asarray(entry.vectors).nbytes)
    return 2 * (4 * text + vectors) + (1 << 20)


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB" if size < 1e7 else f"{size / 1e6:,.0f} MB"


def _load_vec0(connection: apsw.Connection) -> None:
    connection.enable_load_extension(True)
    connection.load_extension(sqlite_vec.loadable_path())
    connection.enable_load_extension(False)


def _all(
    connection: apsw.Connection, sql: str, parameters: Sequence[Any] | Mapping[str, Any] = ()
) -> list[tuple[Any, ...]]:
    """All rows: apsw's ``execute`` is lazy and does nothing before the last row is read."""
    return list(connection.execute(sql, parameters))
