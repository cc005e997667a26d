"""Is a collection file sound? Asked of the file itself, with nothing of ours in between."""

from __future__ import annotations

from pathlib import Path

import apsw
import sqlite_vec


def faults(path: Path) -> list[str]:
    """What is wrong with a collection file, in sentences; nothing when it is sound."""
    connection = apsw.Connection(str(path))
    try:
        connection.enable_load_extension(True)
        connection.load_extension(sqlite_vec.loadable_path())
        found = [f"integrity_check: {line}" for (line,) in connection.execute("pragma integrity_check") if line != "ok"]
        for words in ("words", "contexts"):
            try:
                list(connection.execute(f"insert into {words} ({words}, rank) values ('integrity-check', 1)"))
            except apsw.CorruptError as error:
                found.append(f"the {words} are not those of the chunks: {error}")
        chunks = {number for (number,) in connection.execute("select number from chunks")}
        has_vectors = list(connection.execute("select 1 from sqlite_schema where name = 'vectors'"))
        vectors = {number for (number,) in connection.execute("select rowid from vectors")} if has_vectors else set()
        if vectors != chunks:
            found.append(f"{len(chunks)} chunks and {len(vectors)} vectors, which are not theirs")
        counted = (
            "select d.path from documents d where d.chunks <> (select count(*) from chunks where document = d.number)"
        )
        found += [f"{document} has not the chunks it says" for (document,) in connection.execute(counted)]
        torn = (
            "select d.path from chunks c join texts t using (document) join documents d on d.number = c.document "
            'where substr(t.text, c.start + 1, c."end" - c.start) <> c.text'
        )
        found += [f"a chunk of {document} is not where it says" for (document,) in connection.execute(torn)]
        return found
    finally:
        connection.close()
