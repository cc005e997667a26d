"""Endpoints in the trash.

Their row of the catalogue is hidden, and what was noted of their use is kept under the id of the entry. So is the key,
in the keyring of the system, which knows no transaction: what a killed core left undone there is done at the next
start.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from workbench.api.protocol import RequestContext
from workbench.base.errors import UserError
from workbench.core.change_notifier import ChangeNotifier
from workbench.core.preferences import Preferences
from workbench.gguf.names import unique_name
from workbench.network.secrets import Secrets
from workbench.records.models import ModelRecord
from workbench.subjects.endpoints.store import EndpointStore, secret_of
from workbench.subjects.models.store import ModelCatalogue
from workbench.subjects.trash.calls import TrashEntry
from workbench.subjects.trash.store import TrashStore, renamed


@dataclass(frozen=True, eq=False)
class TrashedEndpoints:
    _catalogue: ModelCatalogue
    _store: EndpointStore
    _secrets: Secrets
    _trash: TrashStore
    _preferences: Preferences
    _changes: ChangeNotifier

    def put(self, model: ModelRecord, was_default: bool) -> None:
        with self._trash.transaction():
            entry = self._trash.add("endpoint", model.name, model.name, default=was_default)
            self._catalogue.trash(model.name, entry.id)
            self._store.rename(model.name, entry.id)
        self.settle(entry)
        self._changes.publish("trash", entry.id)

    def settle(self, entry: TrashEntry) -> None:
        """Take the key away from the name, unless another endpoint has that by now."""
        if self._catalogue.find(entry.title) is None and (key := self._secrets.get(secret_of(entry.title))):
            self._secrets.set(secret_of(entry.id), key)
            self._secrets.set(secret_of(entry.title), "")

    def restore(self, entry: TrashEntry, context: RequestContext) -> TrashEntry:
        model = self._catalogue.trashed(entry.id)
        if model is None:
            raise UserError(f"{entry.title} was deleted.")
        names = [known.name for known in self._catalogue.list_models()]
        model = msgspec.structs.replace(model, name=unique_name(entry.title, names, ""))
        was_default = bool(self._trash.value(entry).get("default"))
        key = self._secrets.get(secret_of(entry.id))
        self._secrets.set(secret_of(model.name), key)
        with self._trash.transaction():
            self._catalogue.restore(model, entry.id)
            self._store.rename(entry.id, model.name)
            self._trash.remove(entry)
        self._secrets.set(secret_of(entry.id), "")
        if was_default and self._catalogue.default() is None:
            self._preferences.change({"general": {"model": model.name}})
        self._changes.publish("model", model.name)
        return renamed(entry, model.name)

    def delete(self, entry: TrashEntry) -> None:
        self._secrets.set(secret_of(entry.id), "")
        with self._trash.transaction():
            self._catalogue.delete_trashed(entry.id)
            self._store.forget(entry.id)
            self._trash.remove(entry)
