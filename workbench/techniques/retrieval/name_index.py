"""The names of a collection as a graph: names, the chunks that mention them, and what connects two names.

Names are found in each document when it is read (``names.py``) and stored with its chunks (migration 0007). A name
is listed where some text shows that it is one; the mentions in other texts that show less count then as well. A single
word that only one longer name of the collection has ("Krug", "Bastian Krug") is that name.
"""

from __future__ import annotations

import heapq
import math
import re
from collections import defaultdict
from collections.abc import Sequence
from typing import Any, NamedTuple

import apsw
import msgspec

from workbench.base.errors import UserError
from workbench.records.documents import NameEntry, NameKind
from workbench.storage.database import read_rows
from workbench.techniques.retrieval.names import NameSpan, name_key

MOST_LISTED = 5_000
"""Names of a collection that are listed: those in the most documents."""

MOST_MENTIONS = 50
"""A name that more chunks mention connects nothing: it stands in the head of every page."""

LONGEST_CHAIN = 4
"""Passages between two names, at most."""

_MOST_WORDS = 6  # of a name
_WORD = re.compile(r"[^\W_](?:[\w'’./&-]*\w)?")
_NAMED = 5  # in an error
_LONGER_WORDS = (2, 3)  # of a name that has a single word as its short form


def store_names(connection: apsw.Connection, document: int, names: Sequence[NameSpan]) -> None:
    """Write the names of a document (its number) whose chunks are written, within the caller's transaction."""
    chunks = _all(connection, 'select number, start, "end" from chunks where document = ? order by start', (document,))
    mentions: dict[tuple[str, int], bool] = {}
    told: dict[str, NameSpan] = {}
    for name in names:
        if name.sure or name.key not in told:
            told[name.key] = name
        for number, start, end in chunks:
            if start <= name.start < end:
                mentions[name.key, number] = mentions.get((name.key, number), False) or name.sure
    numbers: dict[str, int] = {}
    for key in dict.fromkeys(key for key, _ in mentions):
        one = told[key]
        known = _all(connection, "select number, kind from names where key = ?", (key,))
        if not known:
            _all(connection, "insert into names (key, shown, kind) values (?, ?, ?)", (key, one.shown, one.kind))
            numbers[key] = connection.last_insert_rowid()
            continue
        ((numbers[key], kind),) = known
        if kind == "name" and one.kind != "name" and one.sure:
            update = "update names set kind = ?, shown = ? where number = ?"
            _all(connection, update, (one.kind, one.shown, numbers[key]))
    for (key, chunk), sure in mentions.items():
        _all(connection, "insert into mentions values (?, ?, ?)", (numbers[key], chunk, sure))


def drop_names(connection: apsw.Connection, document: int) -> None:
    """Forget the mentions of a document (its number) whose chunks are about to be dropped, and names without any."""
    in_document = "(select number from chunks where document = ?)"
    names = _all(connection, f"select distinct name from mentions where chunk in {in_document}", (document,))
    _all(connection, f"delete from mentions where chunk in {in_document}", (document,))
    unused = "delete from names where number = ? and not exists (select 1 from mentions where name = names.number)"
    for (name,) in names:
        _all(connection, unused, (name,))


class _Name(NamedTuple):
    number: int
    key: str
    shown: str
    kind: NameKind
    sure: bool


class Connection(NamedTuple):
    """Chunks from one name to another, in their order, and the names that join each with the next."""

    chunks: tuple[int, ...]
    joined_by: tuple[str, ...] = ()


class NameGraph:
    """The names of a snapshot of a collection. It never writes."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        rows = self._rows(
            "select n.number, n.key, n.shown, n.kind, max(m.sure) from names n join mentions m on m.name = n.number "
            "group by n.number order by n.number"
        )
        known = [_Name(number, key, shown, kind, bool(sure)) for number, key, shown, kind, sure in rows]
        longer: dict[str, list[_Name]] = defaultdict(list)
        for one in known:
            words = one.key.split()
            if one.sure and one.kind in ("person", "name") and len(words) in _LONGER_WORDS:
                for word in {words[0], words[-1]}:
                    longer[word].append(one)
        self._by_key = {one.key: one.number for one in known}
        self._names: dict[int, _Name] = {}
        self._meant: dict[int, int] = {}  # the number of a name, or of its short form, and the number of the name
        for one in known:
            alike = longer.get(one.key, ()) if one.kind in ("person", "name") else ()
            if len(alike) == 1:
                self._meant[one.number] = alike[0].number
            elif one.sure:
                self._names[one.number] = one
                self._meant[one.number] = one.number

    def entries(self) -> tuple[list[NameEntry], int]:
        """The names, those in the most documents first, at most ``MOST_LISTED``; and how many there are."""
        passages: dict[int, set[int]] = defaultdict(set)
        documents: dict[int, set[int]] = defaultdict(set)
        for name, chunk, document in self._rows(
            "select m.name, m.chunk, c.document from mentions m join chunks c on c.number = m.chunk"
        ):
            if (meant := self._meant.get(name)) is not None:
                passages[meant].add(chunk)
                documents[meant].add(document)
        entries = [
            NameEntry(name=one.shown, kind=one.kind, passages=len(passages[number]), documents=len(documents[number]))
            for number, one in self._names.items()
        ]
        entries.sort(key=lambda entry: (-entry.documents, -entry.passages, entry.name.casefold()))
        return entries[:MOST_LISTED], len(entries)

    def find(self, name: str) -> int:
        """The number of a name, as it is shown or a part of it that no other name has. Raises UserError."""
        key = name_key(name)
        exact = [number for number, one in self._names.items() if one.key == key]
        part = [number for number, one in self._names.items() if key and f" {key} " in f" {one.key} "]
        found = exact or part or [number for number, one in self._names.items() if key and key in one.key]
        if len(found) == 1:
            return found[0]
        if not found:
            raise UserError(f"No name {name!r} is in these documents.", "The list of names shows which are.")
        shown = [self._names[number].shown for number in found[:_NAMED]]
        more = f" and {len(found) - _NAMED:,} more" if len(found) > _NAMED else ""
        raise UserError(f"{name!r} is a part of {len(found):,} names.", f"Enter one of them: {', '.join(shown)}{more}.")

    def find_in(self, text: str) -> tuple[int, ...]:
        """The numbers of the names that a text mentions, in their order; the longest where one is a part of another."""
        words = [match.span() for match in _WORD.finditer(text)]
        found: dict[int, None] = {}
        place = 0
        while place < len(words):
            for last in range(min(len(words), place + _MOST_WORDS), place, -1):
                key = name_key(text[words[place][0] : words[last - 1][1]])
                meant = self._meant.get(self._by_key.get(key, 0))
                if meant is not None and text[words[place][0]].isupper():
                    found[meant] = None
                    place = last - 1
                    break
            place += 1
        return tuple(found)

    def chunks_of_all(self, numbers: Sequence[int]) -> tuple[int, ...]:
        """The chunks that mention any of some names, those with the most of them first; a name that more than
        ``MOST_MENTIONS`` mention leads nowhere."""
        of_name = [chunks for number in numbers if len(chunks := self.chunks_of(number)) <= MOST_MENTIONS]
        weights: dict[int, float] = defaultdict(float)
        for chunks in of_name:
            for chunk in chunks:
                weights[chunk] += 1 / math.log2(2 + len(chunks))
        return tuple(sorted(weights, key=lambda chunk: -weights[chunk]))

    def shown(self, number: int) -> str:
        return self._names[number].shown

    def chunks_of(self, number: int) -> tuple[int, ...]:
        """The chunks that mention a name, in the order of documents and places."""
        numbers = [one for one, meant in self._meant.items() if meant == number]
        rows = self._rows(
            "select distinct c.number, d.path, c.start from mentions m join chunks c on c.number = m.chunk "
            "join documents d on d.number = c.document "
            "where m.name in (select value from json_each(?)) order by d.path, c.start",
            (msgspec.json.encode(numbers).decode(),),
        )
        return tuple(chunk for chunk, _, _ in rows)

    def connection(self, first: int, second: int) -> Connection:
        """The chunks that mention both names; where there are none, the shortest chain of chunks from one to the other,
        each joined with the next by a name, over rare names rather than over frequent ones. Empty where there is none.
        """
        begin, end = self.chunks_of(first), self.chunks_of(second)
        if both := [chunk for chunk in begin if chunk in set(end)]:
            return Connection(tuple(both))
        mentions = self._mentions()
        of_chunk: dict[int, list[int]] = defaultdict(list)
        for name, chunks in mentions.items():
            for chunk in chunks:
                of_chunk[chunk].append(name)
        goal, barred = set(end), {first, second}
        best = dict.fromkeys(begin, 0.0)
        before: dict[int, tuple[int, int]] = {}
        queue = [(0.0, 1, chunk) for chunk in begin]
        heapq.heapify(queue)
        while queue:
            cost, length, chunk = heapq.heappop(queue)
            if cost > best[chunk]:
                continue
            if chunk in goal:
                return self._walk(chunk, before)
            if length == LONGEST_CHAIN:
                continue
            for name in of_chunk[chunk]:
                mentioning = mentions[name]
                if name in barred or len(mentioning) > MOST_MENTIONS:
                    continue
                step = cost + 1 + math.log2(1 + len(mentioning)) / 10
                for other in mentioning:
                    if step < best.get(other, math.inf):
                        best[other], before[other] = step, (chunk, name)
                        heapq.heappush(queue, (step, length + 1, other))
        return Connection(())

    def _walk(self, chunk: int, before: dict[int, tuple[int, int]]) -> Connection:
        chunks: list[int] = [chunk]
        names: list[str] = []
        while chunk in before:
            chunk, name = before[chunk]
            chunks.insert(0, chunk)
            names.insert(0, self.shown(name))
        return Connection(tuple(chunks), tuple(names))

    def _mentions(self) -> dict[int, list[int]]:
        found: dict[int, dict[int, None]] = defaultdict(dict)
        for name, chunk in self._rows("select name, chunk from mentions order by name, chunk"):
            if (meant := self._meant.get(name)) is not None:
                found[meant][chunk] = None
        return {name: list(chunks) for name, chunks in found.items()}

    def _rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        return read_rows(self._connection, sql, parameters)


def _all(connection: apsw.Connection, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    return list(connection.execute(sql, parameters))
