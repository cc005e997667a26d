"""Prompts in the trash: they keep their row and their versions, and are hidden. Their name is free meanwhile."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.api.protocol import RequestContext
from workbench.core.change_notifier import ChangeNotifier
from workbench.records.prompts import PromptRecord
from workbench.subjects.prompts.store import PromptStore
from workbench.subjects.trash.calls import TrashEntry
from workbench.subjects.trash.store import TrashStore, renamed


@dataclass(frozen=True, eq=False)
class TrashedPrompts:
    _store: PromptStore
    _trash: TrashStore
    _changes: ChangeNotifier

    def put(self, found: PromptRecord) -> None:
        """Move an entry of the library to the trash, with all its versions."""
        with self._trash.transaction():
            entry = self._trash.add("prompt", found.id, found.name, bytes=self._store.stored_bytes(found.id))
            self._store.trash(found.id, entry.id)
        self._changes.publish("trash", entry.id)

    def restore(self, entry: TrashEntry, context: RequestContext) -> TrashEntry:
        with self._trash.transaction():
            name = self._store.restore(entry.id, entry.title)
            self._trash.remove(entry)
        self._changes.publish("prompts", entry.item)
        return renamed(entry, name)

    def delete(self, entry: TrashEntry) -> None:
        with self._trash.transaction():
            self._store.delete_trashed(entry.id)
            self._trash.remove(entry)

    def settle(self, entry: TrashEntry) -> None:
        """It was moved in one transaction."""
