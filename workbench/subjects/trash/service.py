"""The trash: lists what was deleted, restores it, deletes it for good, and forgets it when its time is over."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

from workbench.api.protocol import RequestContext
from workbench.base.errors import UserError
from workbench.core.change_notifier import ChangeNotifier
from workbench.core.streams import Handlers, stoppable, unary
from workbench.storage.database import Database
from workbench.subjects.trash import calls
from workbench.subjects.trash.calls import TrashEntry, TrashList
from workbench.subjects.trash.kinds import TrashKind
from workbench.subjects.trash.store import TrashStore

_log = logging.getLogger(__name__)


class Trash:
    def __init__(self, database: Database, changes: ChangeNotifier) -> None:
        self.store = self._store = TrashStore(database)
        self._changes = changes
        self._kinds: dict[str, TrashKind] = {}

    def handlers(self) -> Handlers:
        return {
            calls.ListTrash: unary(lambda call: self._store.list()),
            calls.RestoreDeleted: stoppable(self.restore),
            calls.DeleteForGood: unary(self.delete),
            calls.EmptyTrash: stoppable(self.empty),
        }

    def restore(self, call: calls.RestoreDeleted, context: RequestContext) -> TrashEntry:
        entry = self._store.get(call.item)
        restored = self._kind(entry).restore(entry, context)
        self._changes.publish("trash", entry.id)
        return restored

    def delete(self, call: calls.DeleteForGood) -> TrashEntry:
        entry = self._store.get(call.item)
        self._kind(entry).delete(entry)
        self._changes.publish("trash", entry.id)
        return entry

    def empty(self, call: calls.EmptyTrash, context: RequestContext) -> TrashList:
        self._delete_all(self._store.list().entries, context)
        return self._store.list()

    def register(self, kinds: Mapping[str, TrashKind]) -> None:
        """Add kinds of things that can be deleted, by their names."""
        self._kinds.update(kinds)

    def settle(self) -> None:
        """Finish what a killed core has begun; before anything else uses what may be in the trash."""
        for entry in self._store.list().entries:
            try:
                self._kind(entry).settle(entry)
            except UserError as error:
                _log.warning("%s in the trash: %s", entry.title, error)

    def purge(self, context: RequestContext) -> None:
        """Delete for good what was in the trash for long enough."""
        self._delete_all(self._store.expired(), context)

    def _delete_all(self, entries: Sequence[TrashEntry], context: RequestContext) -> None:
        """Those inside of a collection before the collection."""
        for entry in sorted(entries, key=lambda one: one.kind == "collection"):
            context.raise_if_cancelled()
            try:
                self._kind(entry).delete(entry)
            except UserError as error:
                _log.warning("%s stays in the trash: %s", entry.title, error)
            self._changes.publish("trash", entry.id)

    def _kind(self, entry: TrashEntry) -> TrashKind:
        kind = self._kinds.get(entry.kind)
        if kind is None:
            raise UserError(
                f"{entry.title} cannot be restored by this version of the program.", "Update LLM Workbench to do that."
            )
        return kind
