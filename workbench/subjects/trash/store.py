"""The list of what is in the trash.

The deleted things themselves stay with their subjects, which hide what has an entry here: a chat, a collection, a model
or endpoint and a prompt keep their rows, with the id of the entry in the column ``trashed``; an adapter and a recipe
are files that get another name (``places``). An entry is written in the same transaction as that mark, or before that
move, so that a thing is either there or in the trash.
"""

from __future__ import annotations

import time
from contextlib import AbstractContextManager
from typing import Any

import msgspec

from workbench.base.errors import UserError
from workbench.base.stored import Stored
from workbench.storage.database import Database, Row, new_id
from workbench.subjects.trash.calls import KEPT_DAYS, TrashEntry, TrashList

_ENTRY = "id, kind, item, title, place, deleted, bytes"
_VALUE: Stored[dict[str, Any]] = Stored("entry of the trash", dict[str, Any])
_DAY_S = 24 * 3600


def now() -> float:
    """The clock by which things in the trash get old, in epoch seconds."""
    return time.time()


class TrashStore:
    """Every change is on the disk when its method returns."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(
        self, kind: str, item: str, title: str, *, place: str = "", bytes: int = 0, inside: str = "", **value: Any
    ) -> TrashEntry:
        """A new entry. ``inside`` is the id of the collection that it goes with, ``value`` what is needed to restore
        it."""
        entry = new_id()
        with self._database.transaction():
            self._database.execute(
                f"insert into trash ({_ENTRY}, inside, value) values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (entry, kind, item, title, place, now(), bytes, inside, _VALUE.encode(value).decode()),
            )
            return self.get(entry)

    def get(self, item: str) -> TrashEntry:
        """The entry of an id, or the latest one of the thing with that id, name or title. Raises UserError."""
        row = self._database.row(
            f"select {_ENTRY} from trash where id = ?1 or item = ?1 or title = ?1 "
            "order by id = ?1 desc, item = ?1 desc, number desc limit 1",
            (item,),
        )
        if row is None:
            raise UserError(
                f"There is no {item!r} in the trash.", f"What was deleted is kept in the trash for {KEPT_DAYS} days."
            )
        return _entry(row)

    def value(self, entry: TrashEntry) -> dict[str, Any]:
        """What was given to ``add``. Raises UserError when it cannot be read."""
        row = self._database.row("select value from trash where id = ?", (entry.id,))
        return _VALUE.get(row[0]) if row is not None else {}

    def inside(self, entry: TrashEntry) -> str:
        """The id of the collection that an entry goes with."""
        row = self._database.row("select inside from trash where id = ?", (entry.id,))
        return str(row[0]) if row is not None else ""

    def change(self, entry: TrashEntry, **value: Any) -> None:
        """Change a part of what is needed to restore it."""
        with self._database.transaction():
            new = _VALUE.encode({**self.value(entry), **value}).decode()
            self._database.execute("update trash set value = ? where id = ?", (new, entry.id))

    def list(self, kind: str = "", inside: str = "") -> TrashList:
        """The latest first; only those of a kind or inside of a collection, where one is named."""
        rows = self._database.execute(
            f"select {_ENTRY} from trash where (?1 = '' or kind = ?1) and (?2 = '' or inside = ?2) "
            "order by number desc",
            (kind, inside),
        )
        entries = tuple(_entry(row) for row in rows)
        return TrashList(entries=entries, bytes=sum(entry.bytes for entry in entries))

    def settle(self, entry: TrashEntry, size: int) -> None:
        """Remember how many bytes an entry takes: what it stands for is in the trash as a whole."""
        self._database.execute("update trash set bytes = ? where id = ?", (max(1, size), entry.id))

    def unsettle(self, entry: TrashEntry) -> None:
        """Remember that what an entry stands for is being moved: a core that is killed meanwhile finishes that."""
        self._database.execute("update trash set bytes = 0 where id = ?", (entry.id,))

    def transaction(self) -> AbstractContextManager[object]:
        """All changes of the home's database in the block, or none of them."""
        return self._database.transaction()

    def expired(self) -> tuple[TrashEntry, ...]:
        """Those whose time is over."""
        at = now()
        return tuple(entry for entry in self.list().entries if entry.until <= at)

    def remove(self, entry: TrashEntry) -> None:
        """Forget an entry: what it stood for was restored or deleted."""
        self._database.execute("delete from trash where id = ?", (entry.id,))

    def remove_inside(self, collection: str) -> None:
        """Forget the entries of documents of a collection that is deleted for good."""
        self._database.execute("delete from trash where inside = ?", (collection,))


def _entry(row: Row) -> TrashEntry:
    id_, kind, item, title, place, deleted, size = row
    return TrashEntry(
        id=id_,
        kind=kind,
        item=item,
        title=title,
        place=place,
        deleted=deleted,
        until=deleted + KEPT_DAYS * _DAY_S,
        bytes=size,
    )


def renamed(entry: TrashEntry, title: str) -> TrashEntry:
    """The entry with the title that the thing has got when it was restored."""
    return msgspec.structs.replace(entry, title=title)
