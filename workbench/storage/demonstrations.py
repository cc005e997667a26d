"""A person's task library: one file in the home folder, read again whenever it has changed."""

from __future__ import annotations

import threading
from pathlib import Path

from workbench.errors import UserError
from workbench.records.demonstrations import DEMONSTRATIONS, MOST_DEMONSTRATIONS, Demonstration, DemonstrationFile
from workbench.records.stored import Unreadable


class DemonstrationStore:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()

    def list_all(self) -> tuple[Demonstration, ...]:
        """The oldest first. Raises UserError for a file that cannot be read; it is never overwritten."""
        found = DEMONSTRATIONS.load(self._path)
        if isinstance(found, Unreadable):
            raise UserError(found.reason, found.hint or f"Put {self._path} right, or move it away.")
        return found.demonstrations if found is not None else ()

    def add(self, demonstration: Demonstration) -> tuple[Demonstration, ...]:
        """Add one, in place of an earlier one of the same content or from the same answer."""
        with self._lock:
            others = [
                one
                for one in self.list_all()
                if one.id != demonstration.id and (not one.message or one.message != demonstration.message)
            ]
            if len(others) >= MOST_DEMONSTRATIONS:
                raise UserError(
                    f"The task library holds {MOST_DEMONSTRATIONS} demonstrations already.", "Remove some first."
                )
            return self._save((*others, demonstration))

    def remove(self, demonstration: str) -> tuple[Demonstration, ...]:
        """Raises UserError when there is none of that id."""
        with self._lock:
            there = self.list_all()
            left = tuple(one for one in there if one.id != demonstration)
            if len(left) == len(there):
                raise UserError(f"There is no demonstration {demonstration!r}.", "List them to see their ids.")
            return self._save(left)

    def _save(self, demonstrations: tuple[Demonstration, ...]) -> tuple[Demonstration, ...]:
        try:
            DEMONSTRATIONS.save(self._path, DemonstrationFile(demonstrations=demonstrations))
        except OSError as error:
            raise UserError(f"{self._path} cannot be written: {error.strerror or error}.") from error
        return demonstrations
