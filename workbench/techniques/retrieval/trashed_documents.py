"""Documents of a collection that were deleted and can be restored, without their files being read again.

All rows of a document are one compressed value in the table ``trash``: no search finds them there. Rows are written by
the names of their columns, so that a document that was deleted before a migration can be restored after it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import apsw
import msgspec

from workbench.base.stored import Stored, Unreadable

_Row = dict[str, Any]


class _Packed(msgspec.Struct, frozen=True):
    """A document: its row and those of its texts; the places of words by page; its tables by number, with the count of
    their cells; ``chunks`` in their order, each with its vector and its names; its pictures with their places."""

    document: _Row
    texts: list[_Row]
    places: list[tuple[int, bytes]]
    tables: list[tuple[int, int, bytes]]
    chunks: list[_Row]
    vectors: list[bytes | None]
    mentions: list[list[tuple[str, str, str, int]]]
    pictures: list[tuple[int, int, int, str]] = []


_PACKED: Stored[_Packed] = Stored("deleted document", _Packed, packed=True)


class Trashed(NamedTuple):
    """``bytes`` is what the document takes in the trash."""

    document: str
    path: str
    bytes: int


def pack(connection: apsw.Connection, number: int) -> Trashed:
    """Write a document (its number) into the trash; its own rows stay. Within the caller's transaction."""
    (document,) = _rows(connection, "select * from documents where number = ?", (number,))
    chunks = _rows(connection, "select * from chunks where document = ? order by number", (number,))
    has_vectors = _rows(connection, "select 1 from sqlite_schema where name = 'vectors'")
    vectors: list[bytes | None] = []
    mentions = []
    for chunk in chunks:
        of_chunk = "select embedding from vectors where rowid = ?"
        found = _rows(connection, of_chunk, (chunk["number"],)) if has_vectors else []
        vectors.append(found[0]["embedding"] if found else None)
        named = _rows(
            connection,
            "select n.key, n.shown, n.kind, m.sure from mentions m join names n on n.number = m.name where m.chunk = ?",
            (chunk["number"],),
        )
        mentions.append([(one["key"], one["shown"], one["kind"], one["sure"]) for one in named])
    tables = "select number, cells, content from document_tables where document = ?"
    packed = _Packed(
        document=document,
        texts=_rows(connection, "select * from texts where document = ?", (number,)),
        places=_tuples(connection, "select page, words from places where document = ?", number),
        tables=_tuples(connection, tables, number),
        chunks=chunks,
        vectors=vectors,
        mentions=mentions,
        pictures=_tuples(connection, 'select number, start, "end", part from pictures where document = ?', number),
    )
    content = _PACKED.encode(packed)
    trashed = Trashed(document["id"], document["path"], len(content))
    _run(
        connection,
        "insert or replace into trash (document, path, embedder, bytes, content) "
        "values (?, ?, (select value from facts where name = 'embedder'), ?, ?)",
        (*trashed, content),
    )
    return trashed


def find_trashed(connection: apsw.Connection, document: str) -> Trashed | None:
    """A document in the trash, by its id."""
    for row in _rows(connection, "select document, path, bytes from trash where document = ?", (document,)):
        return Trashed(**row)
    return None


def unpack(connection: apsw.Connection, document: str) -> bool:
    """Put a document from the trash back among the others; False where it is not in the trash, cannot be read, or its
    vectors are of another embedding model than the collection's. Where the file was read again meanwhile that reading
    stays. Within the caller's transaction."""
    found = _rows(connection, "select path, embedder, content from trash where document = ?", (document,))
    if not found:
        return bool(_rows(connection, "select 1 from documents where id = ?", (document,)))  # it was not moved yet
    stored = found[0]
    known = _rows(connection, "select value from facts where name = 'embedder'")
    packed = _PACKED.decode(stored["content"])
    if isinstance(packed, Unreadable) or (known and known[0]["value"] != stored["embedder"]):
        return False
    if not _rows(connection, "select 1 from documents where path = ? or id = ?", (stored["path"], document)):
        ((number,),) = connection.execute("select coalesce(max(number), 0) + 1 from documents").fetchall()
        _insert(connection, "documents", {**packed.document, "number": number})
        for row in packed.texts:
            _insert(connection, "texts", {**row, "document": number})
        for page, words in packed.places:
            _run(connection, "insert into places (document, page, words) values (?, ?, ?)", (number, page, words))
        for table in packed.tables:
            values = "insert into document_tables (document, number, cells, content) values (?, ?, ?, ?)"
            _run(connection, values, (number, *table))
        for picture in packed.pictures:
            _run(connection, "insert into pictures values (?, ?, ?, ?, ?)", (number, *picture))
        for chunk, vector, mentions in zip(packed.chunks, packed.vectors, packed.mentions, strict=True):
            _insert(connection, "chunks", {**chunk, "document": number}, but="number")
            written = connection.last_insert_rowid()
            if vector is not None:
                _run(connection, "insert into vectors (rowid, embedding) values (?, ?)", (written, vector))
            for key, shown, kind, sure in mentions:
                _run(connection, "insert or ignore into names (key, shown, kind) values (?, ?, ?)", (key, shown, kind))
                _run(
                    connection,
                    "insert or ignore into mentions select number, ?, ? from names where key = ?",
                    (written, sure, key),
                )
    _run(connection, "delete from trash where document = ?", (document,))
    return True


def purge(connection: apsw.Connection, documents: Sequence[str]) -> None:
    """Delete documents in the trash for good."""
    for document in documents:
        _run(connection, "delete from trash where document = ?", (document,))


def _insert(connection: apsw.Connection, table: str, row: Mapping[str, Any], but: str = "") -> None:
    """Only the columns that the table has today."""
    columns = {one["name"] for one in _rows(connection, f"select name from pragma_table_info('{table}')")}
    values = {name: value for name, value in row.items() if name in columns and name != but}
    names, marks = ", ".join(f'"{name}"' for name in values), ", ".join("?" * len(values))
    _run(connection, f"insert into {table} ({names}) values ({marks})", tuple(values.values()))


def _rows(connection: apsw.Connection, sql: str, parameters: Sequence[Any] = ()) -> list[_Row]:
    cursor = connection.execute(sql, parameters)
    try:
        names = [column[0] for column in cursor.get_description()]
    except apsw.ExecutionCompleteError:  # it has no rows
        return []
    return [dict(zip(names, row, strict=True)) for row in cursor]


def _tuples(connection: apsw.Connection, sql: str, number: int) -> list[Any]:
    return list(connection.execute(sql, (number,)))


def _run(connection: apsw.Connection, sql: str, parameters: Sequence[Any] = ()) -> None:
    connection.execute(sql, parameters).fetchall()
