"""The tables of documents in a collection file (migration ``0008_tables.sql``): written with their document, read for
questions."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import NamedTuple

import apsw
import msgspec

from workbench.records.tables import DocumentTable

LARGEST_TABLE_BYTES = 64_000_000
"""Of one table as JSON: far above what the reader's limits let through."""


class StoredTable(NamedTuple):
    """A table with what a passage says of its document. ``number``: the how-manieth of its document, from 0."""

    document: str
    hash: str
    path: str
    title: str
    size: int
    mtime_ns: int
    number: int
    content: DocumentTable


def write_tables(connection: apsw.Connection, document: int, tables: Sequence[DocumentTable]) -> None:
    """Write the tables of a document that is being written."""
    for number, table in enumerate(tables):
        cells = len(table.columns) * len(table.rows)
        content = zlib.compress(msgspec.json.encode(table), 6)
        list(connection.execute("insert into document_tables values (?, ?, ?, ?)", (document, number, cells, content)))


def count_cells(connection: apsw.Connection) -> int:
    """The cells of all tables."""
    ((cells,),) = connection.execute("select coalesce(sum(cells), 0) from document_tables")
    return int(cells)


def read_tables(
    connection: apsw.Connection, most_cells: int, documents: Sequence[str] | None = None
) -> list[StoredTable]:
    """The tables, those of some ``documents`` by their ids alone, in the order of paths; as many as have so many cells
    together."""
    only, parameters = "", ()  # type: tuple[str, tuple[str, ...]]
    if documents is not None:
        only, parameters = "where d.id in (select value from json_each(?)) ", (msgspec.json.encode(documents).decode(),)
    found: list[StoredTable] = []
    for id, hash, path, title, size, mtime_ns, number, cells, content in connection.execute(
        "select d.id, d.hash, d.path, d.title, d.size, d.mtime_ns, t.number, t.cells, t.content "
        f"from document_tables t join documents d on d.number = t.document {only}order by d.path, t.number",
        parameters,
    ):
        most_cells -= cells
        if most_cells < 0:
            break
        plain = zlib.decompressobj().decompress(content, LARGEST_TABLE_BYTES)
        table = msgspec.json.decode(plain, type=DocumentTable)
        found.append(StoredTable(id, hash, path, title, size, mtime_ns, number, table))
    return found
