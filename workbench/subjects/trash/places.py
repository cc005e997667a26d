"""Things in the trash that are a file or a folder of their own in one folder of the home.

They are renamed within that folder to ``.trash-<id of the entry>``, so that they stay on the same disk and nothing is
copied. The entry is written before a move, and says what is under way: a core that was killed in between finishes that
at its next start.
"""

from __future__ import annotations

import logging
import shutil
from dataclasses import dataclass
from pathlib import Path

from workbench.api.protocol import RequestContext
from workbench.base.errors import UserError
from workbench.base.naming import free_name
from workbench.core.change_notifier import ChangeNotifier
from workbench.subjects.trash.calls import TrashEntry
from workbench.subjects.trash.store import TrashStore, renamed

PREFIX = ".trash-"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class TrashedPlaces:
    """``kind`` is that of the entries, and of the changes that are published."""

    kind: str
    _folder: Path
    _trash: TrashStore
    _changes: ChangeNotifier

    def put(self, place: Path, title: str) -> TrashEntry:
        """Move a file or folder of the folder to the trash. Raises UserError, with nothing changed, where that is
        impossible."""
        entry = self._trash.add(self.kind, title, title, bytes=_size(place), name=place.name)
        try:
            _move(place, self._away(entry), title)
        except UserError:
            self._trash.remove(entry)
            raise
        self._changes.publish("trash", entry.id)
        self._changes.publish(self.kind, title)
        return entry

    def restore(self, entry: TrashEntry, context: RequestContext) -> TrashEntry:
        away, name = self._away(entry), self._name(entry)
        if not away.exists():
            raise UserError(f"The files of {entry.title} are not in {self._folder}.", "They cannot be restored.")
        ending = "" if away.is_dir() else Path(name).suffix
        taken = [_title(one) for one in self._folder.iterdir() if not one.name.startswith(".")]
        title = free_name(name.removesuffix(ending), taken, "-")
        self._trash.change(entry, restored=True)
        _move(away, self._folder / f"{title}{ending}", entry.title)
        self._trash.remove(entry)
        self._changes.publish(self.kind, title)
        return renamed(entry, title)

    def delete(self, entry: TrashEntry) -> None:
        """Of a deletion that was interrupted nothing is left that can be restored."""
        self._trash.change(entry, deleted=True)
        away = self._away(entry)
        try:
            if away.is_dir():
                shutil.rmtree(away)
            else:
                away.unlink(missing_ok=True)
        except OSError as error:
            raise UserError(f"{entry.title} cannot be deleted: {error.strerror or error}.") from error
        self._trash.remove(entry)

    def settle(self, entry: TrashEntry) -> None:
        value, away, place = self._trash.value(entry), self._away(entry), self._folder / self._name(entry)
        if value.get("deleted"):
            self.delete(entry)
        elif away.exists():
            if value.get("restored"):
                self._trash.change(entry, restored=False)
        elif value.get("restored"):
            self._trash.remove(entry)
        elif place.exists():
            _move(place, away, entry.title)
        else:
            _log.warning("The files of %s in the trash are not there.", entry.title)

    def _away(self, entry: TrashEntry) -> Path:
        return self._folder / f"{PREFIX}{entry.id}"

    def _name(self, entry: TrashEntry) -> str:
        return Path(str(self._trash.value(entry).get("name") or entry.title)).name


def _title(place: Path) -> str:
    return place.name if place.is_dir() else place.stem


def _move(place: Path, target: Path, title: str) -> None:
    try:
        place.rename(target)
    except OSError as error:
        raise UserError(f"{title} cannot be moved: {error.strerror or error}.", f"Check {place.parent}.") from error


def _size(place: Path) -> int:
    """The bytes of a file, or of all files below a folder."""
    files = [place] if place.is_file() else [one for one in place.rglob("*") if one.is_file()]
    return sum(file.stat().st_size for file in files)
