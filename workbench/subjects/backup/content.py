"""Which files of a home belong into a backup: what a person made, not what belongs to this machine or this moment."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

import msgspec

from workbench.base.errors import UserError
from workbench.base.files import is_unicode
from workbench.base.paths import Home

LEFT_OUT_FOLDERS = ("logs", "backups", "updates", "training", "embedders")
"""Logs, copies of databases that were made before an upgrade, downloaded installers, the packages of training, and what
is made from embedding models."""

_OF_THIS_MACHINE = ("core.lock", "core.key", "core.sock", "api.key", "api.pem", "api-clients.json", "replaced-by")
"""Lock, keys and socket, what stands for them for a moment (``core.key.123``, ``core.sock~``), and what is to take the
place of this folder."""

_UNFINISHED_ENDS = ("~", ".new", ".part", ".part.json", "-wal", "-shm", "-journal")
_UNFINISHED_BEGINS = (".unfinished-", ".removed-")
DATABASE = ".sqlite"


class HomeFile(msgspec.Struct, frozen=True):
    """A regular file of a home; ``name`` is its path within it, with "/" between folders."""

    name: str
    path: Path
    bytes: int

    @property
    def is_database(self) -> bool:
        return self.name.endswith(DATABASE) and self.name.count("/") <= 1


def home_files(
    home: Home, without: Collection[Path] = (), on_other: Callable[[str, str], None] = lambda name, reason: None
) -> Iterator[HomeFile]:
    """The files of a home, in the order of their names; those in the folders ``without`` are not among them.
    ``on_other`` gets the name of what cannot be in a backup, with the reason. Raises UserError for a folder that cannot
    be read."""
    waiting = [home.root]
    while waiting:
        folder = waiting.pop()
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except FileNotFoundError:
            continue  # a run or an adapter was deleted just now
        except OSError as error:
            raise UserError(f"{folder} cannot be read: {error.strerror or error}.", "Check its permissions.") from error
        inner = []
        for entry in entries:
            path = Path(entry.path)
            name = path.relative_to(home.root).as_posix()
            if is_left_out(name) or path in without:
                continue
            if not is_unicode(name):
                on_other(os.fsencode(name).decode("utf-8", "replace"), "Its name is not valid text.")
            elif entry.is_symlink():
                on_other(name, f"It is a link to {os.readlink(path)}, which is outside of the backup.")
            elif entry.is_dir(follow_symlinks=False):
                inner.append(path)
            elif entry.is_file(follow_symlinks=False):
                try:
                    yield HomeFile(name, path, entry.stat(follow_symlinks=False).st_size)
                except FileNotFoundError:
                    continue
        waiting.extend(reversed(inner))


def is_left_out(name: str) -> bool:
    """Whether a file or folder, by its path within the home, is in no backup."""
    first, _, rest = name.partition("/")
    if first in LEFT_OUT_FOLDERS or (not rest and first.startswith(_OF_THIS_MACHINE)):
        return True
    last = name.rpartition("/")[2]
    return last.endswith(_UNFINISHED_ENDS) or last.startswith(_UNFINISHED_BEGINS)
