"""What a backup says of itself: the files that it holds, and what it does not hold."""

from __future__ import annotations

from typing import Annotated

import msgspec

from workbench.base.catalogue import Shown
from workbench.base.copying import shared
from workbench.base.stored import Stored


class BackupFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file of the home by its path within it, with "/" between folders. ``mtime_ns`` is when it was changed."""

    name: str
    bytes: int
    sha256: str
    mtime_ns: int


class LeftOut(msgspec.Struct, frozen=True, kw_only=True):
    """What the home had and the backup has not: a file, a folder or a run, and the reason in a sentence."""

    name: str
    reason: Shown
    bytes: int = 0


class ModelElsewhere(msgspec.Struct, frozen=True, kw_only=True):
    """A model of the catalogue whose files are not in the home, so that the backup does not hold them."""

    name: str
    path: str
    bytes: int = 0


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """``version`` is the program's, ``home`` the folder that was backed up, ``schema`` the newest migration of its
    database."""

    created: Annotated[float, msgspec.Meta(ge=0, le=1e11)]
    version: str
    home: str
    schema: int
    files: tuple[BackupFile, ...]
    left_out: tuple[LeftOut, ...] = ()
    elsewhere: tuple[ModelElsewhere, ...] = ()

    @property
    def bytes(self) -> int:
        return sum(file.bytes for file in self.files)

    @property
    def summary(self) -> BackupSummary:
        return BackupSummary(**{**shared(self, BackupSummary), "files": len(self.files)})


MANIFEST: Stored[Manifest] = Stored("backup", Manifest)


class BackupSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A manifest without the list of files."""

    created: float
    version: str
    home: str
    files: int
    bytes: int
    left_out: tuple[LeftOut, ...] = ()
    elsewhere: tuple[ModelElsewhere, ...] = ()


class BackupWritten(msgspec.Struct, frozen=True, kw_only=True):
    """A backup that was written: its file, and how long that is."""

    path: str
    size: int
    summary: BackupSummary


class Restored(msgspec.Struct, frozen=True, kw_only=True):
    """A home that was restored. ``unwatched`` are folders whose documents are not on this machine: they are watched no
    longer, and what was read from them is kept. ``kept`` is the folder of the home that was there before, "" for none.
    """

    home: str
    summary: BackupSummary
    unwatched: tuple[str, ...] = ()
    kept: str = ""
