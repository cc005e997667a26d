"""A snapshot of a collection: its content at one moment, unaffected by writers. It never writes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal

import apsw
import msgspec
import numpy as np

from workbench.base.catalogue import Shown
from workbench.base.errors import UserError
from workbench.records.documents import Chunk, Document, DocumentList, DocumentPicture, DocumentText, PlacedText
from workbench.records.places import TextPlace
from workbench.storage.database import read_rows
from workbench.techniques.embedding_calls import CollectionState
from workbench.techniques.retrieval.embedding import Vectors, unknown_languages
from workbench.techniques.retrieval.name_index import NameGraph
from workbench.techniques.retrieval.places import unpack_places
from workbench.techniques.retrieval.stored_tables import StoredTable, count_cells, read_tables
from workbench.text.language import Terms, match_expression

_DOCUMENT = (
    "id, path, title, kind, state, reason, pages, chunks, characters, bytes, language, hash, indexed_at, mtime_ns, "
    "locked"
)


READING = 6
"""The number of what is taken from a file now. It grows when more is taken, so that documents that were read before can
be read again."""

_OUTDATED = (
    "reading < case when kind in ('csv', 'tsv', 'xlsx', 'xls', 'pdf') "
    "or exists (select 1 from document_tables t where t.document = documents.number) then 6 "
    "when kind in ('html', 'odt', 'epub') then 5 else 4 end"
)
"""Of a document from whose file more is taken now; the last were the styles of numbers and the last rows of tables of
the former kinds and of all that have a table, and the pictures of the latter."""


class FileStamp(msgspec.Struct, frozen=True):
    """Identifies, without reading it, the state of a file. Sizes in bytes."""

    size: int
    mtime_ns: int
    ctime_ns: int


UNFINISHED_NS = -1
"""The ``mtime_ns`` of a file of which only a part is embedded: it differs from every file's, so that the next ingest
reads the rest."""


class KnownFile(msgspec.Struct, frozen=True):
    """The collection's record of a file. ``failed_at`` is when it failed, None for an indexed one."""

    id: str
    path: str
    stamp: FileStamp
    hash: str
    reason: Shown
    chunks: int
    failed_at: float | None

    @property
    def unfinished(self) -> bool:
        """Only a part of it is embedded."""
        return self.stamp.mtime_ns == UNFINISHED_NS


class FoundChunk(msgspec.Struct, frozen=True):
    """A chunk with the fields of a passage."""

    number: int
    start: int
    end: int
    page: int | None
    text: str
    recognised: int  # 0 or 1
    context: str
    places: tuple[TextPlace, ...]
    pictures: tuple[int, ...]
    document: str
    hash: str
    path: str
    title: str
    size: int
    mtime_ns: int


class Snapshot:
    """An unchanging state of the collection. Made by ``CollectionIndex.reading``."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection

    def fact(self, name: str) -> Any:
        """A fact of the collection, or None: revision, embedder, dimensions."""
        return next((value for (value,) in self._rows("select value from facts where name = ?", (name,))), None)

    @property
    def revision(self) -> int:
        return int(self.fact("revision"))

    def languages(self) -> list[str]:
        """The languages of the indexed documents, the most frequent first; "" for unknown ones."""
        return [
            code
            for (code,) in self._rows(
                "select language from documents where state = 'indexed' group by language order by count(*) desc"
            )
        ]

    def find_words(
        self, terms: Terms, limit: int, context_weight: float, paths: Sequence[str] | None = None
    ) -> list[tuple[int, float]]:
        """Chunk numbers with their BM25, that of their contexts with a weight, higher is better, best first; with
        ``paths`` of these documents only."""
        if not terms:
            return []
        only, names = _only(paths)
        found = self._rows(
            "select number, sum(score) as total from ("
            f"select rowid as number, -rank as score from words where words match ?{only} union all "
            f"select rowid, -rank * ? from contexts where contexts match ?{only}"
            ") group by number order by total desc, number limit ?",
            (
                match_expression(terms), *names,
                context_weight, match_expression(terms, "context", "context_terms"), *names, limit,
            ),
        )  # fmt: skip
        return [(int(number), float(score)) for number, score in found]

    def count_matches(self, expression: str) -> int:
        """The number of chunks that match an FTS5 expression."""
        ((count,),) = self._rows("select count(*) from words where words match ?", (expression,))
        return int(count)

    def find_nearest(
        self, vector: Vectors, limit: int, paths: Sequence[str] | None = None, language: str | None = None
    ) -> dict[int, Vectors]:
        """The chunks whose vectors have the highest cosine with ``vector``, shape (dimensions,): their numbers with
        their vectors, best first; with ``paths`` of these documents only, with a ``language`` of those in it."""
        if self.fact("dimensions") is None:
            return {}
        only, names = _only(paths, language)
        found = self._rows(
            f"select rowid, embedding from vectors where embedding match ? and k = ?{only} order by distance",
            (vector.astype(np.float32).tobytes(), limit, *names),
        )
        return {int(number): np.frombuffer(blob, np.float32) for number, blob in found}

    def vectors(self, numbers: Iterable[int]) -> dict[int, Vectors]:
        """The vectors of chunks."""
        found: dict[int, Vectors] = {}
        for number in numbers:  # one by one: vec0 would scan all of them for a list of numbers
            ((blob,),) = self._rows("select embedding from vectors where rowid = ?", (number,))
            found[number] = np.frombuffer(blob, np.float32)
        return found

    def document_vectors(self, document: str) -> dict[tuple[int, int], Vectors]:
        """The vectors of a document's chunks by their start and end."""
        rows = self._rows(
            'select c.number, c.start, c."end" from chunks c join documents d on d.number = c.document where d.id = ?',
            (document,),
        )
        vectors = self.vectors(number for number, _, _ in rows)
        return {(start, end): vectors[number] for number, start, end in rows}

    def chunk_languages(self, numbers: Sequence[int]) -> list[str]:
        """The languages of the documents of some chunks, in the order of the chunks; "" for unknown ones."""
        rows = self._rows(
            "select d.language from json_each(?) wanted join chunks c on c.number = wanted.value "
            "join documents d on d.number = c.document order by wanted.key",
            (msgspec.json.encode(numbers).decode(),),
        )
        return [language for (language,) in rows]

    def chunk_paths(self, numbers: Sequence[int]) -> list[str]:
        """The paths of the documents of some chunks, in the order of the chunks."""
        rows = self._rows(
            "select d.path from json_each(?) wanted join chunks c on c.number = wanted.value "
            "join documents d on d.number = c.document order by wanted.key",
            (msgspec.json.encode(numbers).decode(),),
        )
        return [path for (path,) in rows]

    def named_documents(self) -> list[tuple[str, str, str]]:
        """Of each indexed document the path, the title, and the date from which it says it is valid."""
        return [
            (path, title, valid_from)
            for path, title, valid_from in self._rows(
                "select path, title, valid_from from documents where state = 'indexed' order by path"
            )
        ]

    def chunks_by_language(self) -> dict[str, list[int]]:
        """The numbers of all chunks, by the language of their documents."""
        found: dict[str, list[int]] = {}
        for number, language in self._rows(
            "select c.number, d.language from chunks c join documents d on d.number = c.document order by c.number"
        ):
            found.setdefault(language, []).append(number)
        return found

    def mean_fluency(self, numbers: Sequence[int]) -> float:
        """How well the embedder knows the words of the documents of some chunks."""
        ((mean,),) = self._rows(
            "select avg(d.fluency) from json_each(?) wanted join chunks c on c.number = wanted.value "
            "join documents d on d.number = c.document",
            (msgspec.json.encode(numbers).decode(),),
        )
        return float(mean)

    def chunks(self, numbers: Sequence[int]) -> list[FoundChunk]:
        """The chunks with these numbers, in their order."""
        rows = self._rows(
            'select c.number, c.start, c."end", c.page, c.text, c.recognised, c.context, c.places, '
            "(select json_group_array(p.number) from pictures p where p.document = c.document "
            'and p.start <= c."end" and p."end" >= c.start), d.id, d.hash, '
            "d.path, d.title, d.size, d.mtime_ns "
            "from json_each(?) wanted join chunks c on c.number = wanted.value "
            "join documents d on d.number = c.document order by wanted.key",
            (msgspec.json.encode(numbers).decode(),),
        )
        found = [
            (*row[:7], _places(row[7]), msgspec.json.decode(row[8], type=tuple[int, ...]), *row[9:]) for row in rows
        ]
        return [FoundChunk(*fields) for fields in found]

    def state(self) -> CollectionState:
        ((indexed, failed, outdated, chunks, size),) = self._rows(
            "select count(*) filter (where state = 'indexed'), count(*) filter (where state = 'failed'), "
            f"count(*) filter (where state = 'indexed' and {_OUTDATED}), coalesce(sum(chunks), 0), "
            "coalesce(sum(bytes), 0) from documents"
        )
        known = self._rows("select language, fluency from documents where state = 'indexed'")
        return CollectionState(
            documents=indexed,
            failed=failed,
            chunks=chunks,
            bytes=size,
            revision=self.revision,
            outdated=outdated,
            unknown_languages=unknown_languages(known),
        )

    def documents(self) -> DocumentList:
        rows = self._rows(f"select {_DOCUMENT} from documents order by path")
        return DocumentList(documents=tuple(_document(row) for row in rows))

    def document(self, document: str) -> Document:
        """The document with an id or a path. Raises UserError when there is none."""
        for row in self._rows(
            f"select {_DOCUMENT} from documents where id = ?1 or path = ?1 order by id = ?1 desc limit 1", (document,)
        ):
            return _document(row)
        raise UserError(
            f"There is no document {document} in this collection.", "It may have been removed from the collection."
        )

    def text(self, document: str) -> DocumentText:
        """A document's text with its chunks. Raises UserError when there is none."""
        found = self.document(document)
        rows = self._rows(
            "select t.document, t.text, t.page_starts from texts t join documents d on d.number = t.document "
            "where d.id = ?",
            (found.id,),
        )
        for number, text, page_starts in rows:
            chunks = self._rows(
                'select start, "end", page, recognised, context, places from chunks where document = ? order by start',
                (number,),
            )
            return DocumentText(
                document=found,
                text=text,
                unplaced=any(row[3] for row in chunks) and not self._has_places(number),
                chunks=tuple(
                    Chunk(
                        start=start,
                        end=end,
                        page=page,
                        recognised=bool(recognised),
                        context=context,
                        places=_places(places),
                    )
                    for start, end, page, recognised, context, places in chunks
                ),
                page_starts=msgspec.json.decode(page_starts, type=tuple[int, ...]),
                pictures=self._pictures(number),
            )
        raise UserError(f"{found.path} could not be read and has no text: {found.reason}")

    def places(self, document: str, page: int) -> tuple[PlacedText, ...]:
        """Where the words or lines of a recognised page are; empty for another one, and for a page that was recognised
        before places were stored."""
        rows = self._rows(
            "select p.words from places p join documents d on d.number = p.document where d.id = ? and p.page = ?",
            (document, page),
        )
        return unpack_places(rows[0][0]) if rows else ()

    def is_outdated(self, document: str) -> bool:
        """Whether an earlier version of the program read a document, by its id, and took less from it."""
        return bool(self._rows(f"select 1 from documents where id = ? and {_OUTDATED}", (document,)))

    def names(self) -> NameGraph:
        """The names of the documents, and what connects them."""
        return NameGraph(self._connection)

    def _pictures(self, number: int) -> tuple[DocumentPicture, ...]:
        rows = self._rows('select start, "end", part from pictures where document = ? order by number', (number,))
        return tuple(DocumentPicture(start=start, end=end, part=part) for start, end, part in rows)

    def _has_places(self, number: int) -> bool:
        return bool(self._rows("select 1 from places where document = ? limit 1", (number,)))

    def stamp(self, document: str) -> FileStamp:
        """The state of a document's file when it was read."""
        ((size, mtime_ns, ctime_ns),) = self._rows(
            "select size, mtime_ns, ctime_ns from documents where id = ?", (document,)
        )
        return FileStamp(size, mtime_ns, ctime_ns)

    def stamps(self) -> dict[str, FileStamp]:
        """The states of all files when they were read, by the ids of their documents."""
        rows = self._rows("select id, size, mtime_ns, ctime_ns from documents")
        return {row[0]: FileStamp(*row[1:]) for row in rows}

    def known_files(self) -> dict[str, KnownFile]:
        """All files, failed ones included, by path."""
        rows = self._rows(
            "select id, path, size, mtime_ns, ctime_ns, hash, reason, chunks, "
            "case state when 'failed' then indexed_at end from documents"
        )
        return {row[1]: KnownFile(row[0], row[1], FileStamp(*row[2:5]), *row[5:]) for row in rows}

    def count_table_cells(self) -> int:
        return count_cells(self._connection)

    def tables(self, most_cells: int, documents: Sequence[str] | None = None) -> list[StoredTable]:
        """The tables, as ``stored_tables.read_tables`` gives them."""
        return read_tables(self._connection, most_cells, documents)

    def _rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        return read_rows(self._connection, sql, parameters)


def _only(paths: Sequence[str] | None, language: str | None = None) -> tuple[str, tuple[str, ...]]:
    """A condition on ``rowid`` for the chunks of some documents, of those in a language, with its parameters; none for
    None."""
    given: dict[str, str] = {}
    if paths is not None:
        given["d.path in (select value from json_each(?))"] = msgspec.json.encode(paths).decode()
    if language is not None:
        given["d.language = ?"] = language
    if not given:
        return "", ()
    chunks = "select c.number from chunks c join documents d on d.number = c.document where"
    return f" and rowid in ({chunks} {' and '.join(given)})", tuple(given.values())


def _places(stored: str) -> tuple[TextPlace, ...]:
    return msgspec.json.decode(stored, type=tuple[TextPlace, ...]) if stored else ()


def _document(row: tuple[Any, ...]) -> Document:
    state: Literal["indexed", "failed"] = row[4]
    return Document(
        id=row[0], path=row[1], title=row[2], kind=row[3], state=state, reason=row[5], pages=row[6], chunks=row[7],
        characters=row[8], bytes=row[9], language=row[10], hash=row[11], indexed_at=row[12],
        unfinished=row[13] == UNFINISHED_NS, locked=bool(row[14]),
    )  # fmt: skip
