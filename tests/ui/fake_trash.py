"""The trash of the fake home: how each thing comes back is remembered when it is deleted."""

from __future__ import annotations

from collections.abc import Callable

from workbench import calls as c
from workbench.base.errors import UserError
from workbench.subjects.trash.calls import KEPT_DAYS

NOW = 1_795_000_000.0


class FakeTrash:
    def __init__(self) -> None:
        self._entries: dict[str, tuple[c.TrashEntry, Callable[[], object]]] = {}
        self._number = 0

    def put(
        self, kind: str, item: str, title: str, back: Callable[[], object], *, place: str = "", bytes: int = 0
    ) -> c.TrashEntry:
        self._number += 1
        entry = c.TrashEntry(
            id=f"trash{self._number}",
            kind=kind,
            item=item,
            title=title,
            place=place,
            deleted=NOW + self._number,
            until=NOW + self._number + KEPT_DAYS * 86_400,
            bytes=bytes,
        )
        self._entries[entry.id] = entry, back
        return entry

    def listed(self) -> c.TrashList:
        entries = tuple(entry for entry, _ in reversed(self._entries.values()))
        return c.TrashList(entries=entries, bytes=sum(entry.bytes for entry in entries))

    def restore(self, item: str) -> c.TrashEntry:
        entry, back = self._take(item)
        back()
        return entry

    def delete(self, item: str) -> c.TrashEntry:
        return self._take(item)[0]

    def empty(self) -> c.TrashList:
        self._entries.clear()
        return self.listed()

    def _take(self, item: str) -> tuple[c.TrashEntry, Callable[[], object]]:
        found = [
            entry.id for entry, _ in reversed(self._entries.values()) if item in (entry.id, entry.item, entry.title)
        ]
        if not found:
            raise UserError(f"There is no {item!r} in the trash.")
        return self._entries.pop(found[0])
