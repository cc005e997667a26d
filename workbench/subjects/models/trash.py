"""Models in the trash.

The catalogue says whether a model is there or in the trash. Its files, where the program made them, are renamed within
their folder to ``.trash-<id of the entry>``, so that they stay on the same disk and nothing is copied. A core that was
killed between the two finishes the move at its next start.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from workbench.api.protocol import RequestContext
from workbench.base.errors import UserError
from workbench.base.naming import free_name
from workbench.core.change_notifier import ChangeNotifier
from workbench.core.preferences import Preferences
from workbench.gguf.names import unique_name
from workbench.records.models import ModelRecord
from workbench.subjects.models.folders import ModelFolders
from workbench.subjects.models.importing import delete_place, move_place
from workbench.subjects.models.store import ModelCatalogue
from workbench.subjects.trash.calls import TrashEntry
from workbench.subjects.trash.store import TrashStore, renamed

_log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class TrashedModels:
    """``discard`` deletes what was prepared of a model that is deleted for good."""

    _catalogue: ModelCatalogue
    _folders: ModelFolders
    _trash: TrashStore
    _preferences: Preferences
    _changes: ChangeNotifier
    _discard: Callable[[ModelRecord], None]

    def put(self, model: ModelRecord, was_default: bool) -> None:
        """Move a model to the trash; nothing may use its files."""
        top = self._folders.own_place(model)
        with self._trash.transaction():
            entry = self._trash.add(
                "model",
                model.name,
                model.name,
                bytes=model.bytes if top is not None else 0,
                top=str(top or ""),
                default=was_default,
            )
            self._catalogue.trash(model.name, entry.id)
        self._changes.publish("trash", entry.id)
        try:
            self.settle(entry)
        except UserError as error:  # the entry stands; the files are moved at the next start
            _log.warning("%s", error)

    def settle(self, entry: TrashEntry) -> None:
        top = self._top(entry)
        if top is None or not top.parent.is_dir():
            return
        if self._trash.value(entry).get("going"):
            self.delete(entry)
            return
        if _place(top, entry).exists():
            return
        if top.exists():
            move_place(top, _place(top, entry), entry.title)
        elif not self._trash.value(entry).get("lost"):
            self._trash.change(entry, lost=True)  # somebody has deleted the files; it can be told when it is restored
            _log.warning("The files of %s in the trash are not there.", entry.title)

    def restore(self, entry: TrashEntry, context: RequestContext) -> TrashEntry:
        model = self._catalogue.trashed(entry.id)
        top = self._top(entry)
        if model is None:
            raise UserError(f"{entry.title} was deleted.")
        if top is not None:
            place = _place(top, entry)
            if not place.exists() and not top.exists():
                raise UserError(
                    f"The files of {entry.title} are not in {top.parent}.",
                    "Connect their drive, or download the model again.",
                )
            if place.exists():
                target = Path(free_name(str(top), lambda path: Path(path).exists(), "-"))
                self._trash.change(entry, top=str(target))  # before the move: a kill must not lose where they are
                move_place(place, target, entry.title)
                model = _moved(model, top, target)
        names = [known.name for known in self._catalogue.list_models()]
        model = msgspec.structs.replace(model, name=unique_name(entry.title, names, model.quantization))
        with self._trash.transaction():
            self._catalogue.restore(model, entry.id)
            was_default = bool(self._trash.value(entry).get("default"))
            self._trash.remove(entry)
        if was_default and self._catalogue.default() is None:
            self._preferences.change({"general": {"model": model.name}})
        self._changes.publish("model", model.name)
        return renamed(entry, model.name)

    def delete(self, entry: TrashEntry) -> None:
        """The files go first: of a deletion that was interrupted nothing is left that looks whole, and the next start
        ends it."""
        model, top = self._catalogue.trashed(entry.id), self._top(entry)
        if top is not None and not top.parent.is_dir():
            raise UserError(f"The folder {top.parent} is not there.", "Connect its drive and try again.")
        if top is not None and _place(top, entry).exists():
            self._trash.change(entry, going=True)
            delete_place(_place(top, entry), entry.title)
        if model is not None:
            self._discard(model)
        with self._trash.transaction():
            self._catalogue.delete_trashed(entry.id)
            self._trash.remove(entry)

    def _top(self, entry: TrashEntry) -> Path | None:
        top = self._trash.value(entry).get("top")
        return Path(top) if top else None


def _place(top: Path, entry: TrashEntry) -> Path:
    return top.with_name(f".trash-{entry.id}")


def _moved(model: ModelRecord, top: Path, target: Path) -> ModelRecord:
    """The model with the paths that its files have when its folder (or file) ``top`` is ``target``."""

    def moved(path: str) -> str:
        return str(target / Path(path).relative_to(top)) if Path(path).is_relative_to(top) else path

    return msgspec.structs.replace(
        model,
        path=moved(model.path),
        files=tuple(moved(file) for file in model.files),
        projector=moved(model.projector) if model.projector else "",
    )
