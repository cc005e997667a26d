"""Writes a backup of a home that may be in use: a zip file with the home's files below ``home/``, and a manifest.

Databases are copied by SQLite's backup API, each as it is at one moment. The home's own database is the first, so that
every file that it names is copied after it; files that are gone by then are named in the manifest. The backup appears
under its name when it is complete, or not at all.
"""

from __future__ import annotations

import hashlib
import os
import time
import zipfile
from collections.abc import Callable, Collection
from pathlib import Path
from typing import IO

import apsw
import msgspec

from workbench import __version__
from workbench.api import events
from workbench.api.events import Event
from workbench.api.protocol import RequestContext
from workbench.base.durability import check_room, kept_beside, written_beside
from workbench.base.errors import UserError
from workbench.base.paths import Home
from workbench.records.backup import MANIFEST, BackupFile, LeftOut, Manifest, ModelElsewhere
from workbench.storage.database import applied_migration, connect, translated
from workbench.subjects.backup.content import HomeFile, home_files

BELOW, MANIFEST_NAME = "home/", "manifest.json"
BACKUP_KIND = "backup"
"""The kind of the run that writes a backup: it is always under way then."""

KEPT_FREE_BYTES = 200_000_000
"""Space that backing up and restoring leave free on the disk."""

BLOCK_BYTES = 1 << 20
PROGRESS_EVERY_S = 0.25
_PACKED_ALREADY = (".gguf", ".safetensors", ".zip", ".parquet", ".pack", ".pt", ".bin", ".png", ".jpg", ".npz", ".gz")
_OPEN_STATES = "('queued', 'running')"

Report = Callable[[Event], None]


class Extent(msgspec.Struct, frozen=True):
    """What of a home is not to be in its backup, and what cannot be: ``without`` are folders, for the reasons in
    ``left_out``."""

    without: frozenset[Path] = frozenset()
    left_out: tuple[LeftOut, ...] = ()
    elsewhere: tuple[ModelElsewhere, ...] = ()


def write_backup(home: Home, out: Path, extent: Extent, context: RequestContext, report: Report) -> Manifest:
    """Write a backup of ``home`` to ``out``, in place of a file that is there. Returns what it holds.

    Raises UserError where there is no room or the place is not writable, and errors.Cancelled.
    """
    if out.resolve().is_relative_to(home.root.resolve()):
        raise UserError(f"{out} is in the data folder itself.", "Choose a place outside of it, best on another disk.")
    files = list(home_files(home, extent.without))
    largest = max((file.bytes for file in files if file.is_database), default=0)
    check_room(out, sum(file.bytes for file in files) + largest, KEPT_FREE_BYTES)
    with written_beside(out) as beside, kept_beside(out, "database") as scratch:
        os.close(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
        with zipfile.ZipFile(beside, "w", allowZip64=True) as archive:
            manifest = _Writer(home, archive, scratch, extent, context, report).write()
            archive.writestr(_entry(MANIFEST_NAME, time.time(), 0), msgspec.json.format(MANIFEST.encode(manifest)))
    return manifest


class _Writer:
    def __init__(
        self,
        home: Home,
        archive: zipfile.ZipFile,
        scratch: Path,
        extent: Extent,
        context: RequestContext,
        report: Report,
    ) -> None:
        self._home, self._archive, self._scratch, self._extent = home, archive, scratch, extent
        self._context, self._report = context, report
        self._written: list[BackupFile] = []
        self._left_out = list(extent.left_out)
        self._done, self._total, self._told = 0, 0, 0.0

    def write(self) -> Manifest:
        schema, without = self._write_home_database()
        files = [
            file
            for file in home_files(self._home, without | self._extent.without, self._leave_out)
            if file.path != self._home.database
        ]
        self._total = self._done + sum(file.bytes for file in files)
        for file in files:
            try:
                if file.is_database:
                    self._write_database(file)
                else:
                    self._write_file(file.name, file.path)
            except FileNotFoundError:
                self._leave_out(file.name, "It was deleted during the backup.")
        return Manifest(
            created=time.time(),
            version=__version__,
            home=str(self._home.root),
            schema=schema,
            files=tuple(self._written),
            left_out=tuple(self._left_out),
            elsewhere=self._extent.elsewhere,
        )

    def _leave_out(self, name: str, reason: str) -> None:
        self._left_out.append(LeftOut(name=name, reason=reason))

    def _write_home_database(self) -> tuple[int, frozenset[Path]]:
        """The number of its newest migration, and the folders of the runs that were under way: runs that are torn in
        the middle would be taken for interrupted ones, and go on by themselves where their files are missing."""
        copy_database(self._home.database, self._scratch)
        with translated(self._home.database):
            copy = connect(self._scratch)
            try:
                copy.pragma("journal_mode", "delete")
                schema = applied_migration(copy)
                under_way = list(copy.execute(f"select id, title, kind from runs where state in {_OPEN_STATES}"))
                list(copy.execute(f"delete from runs where state in {_OPEN_STATES}"))
            finally:
                copy.close()
        for _, title, kind in under_way:
            if kind != BACKUP_KIND:
                self._leave_out(title, "This run was under way.")
        self._write_file(self._home.database.name, self._scratch)
        return schema, frozenset(self._home.run(run) for run, _, _ in under_way)

    def _write_database(self, file: HomeFile) -> None:
        try:
            copy_database(file.path, self._scratch)
        except (apsw.NotADBError, apsw.CorruptError):
            self._write_file(file.name, file.path)  # as it is: the program says what is wrong with it
        else:
            self._write_file(file.name, self._scratch)

    def _write_file(self, name: str, path: Path) -> None:
        with _opened(path) as file:
            status = os.fstat(file.fileno())
            entry = _entry(f"{BELOW}{name}", status.st_mtime, status.st_size)
            with self._archive.open(entry, "w", force_zip64=status.st_size >= zipfile.ZIP64_LIMIT // 2) as member:
                size, digest = self._copy(file, member, status.st_size, name)
        self._written.append(BackupFile(name=name, bytes=size, sha256=digest, mtime_ns=status.st_mtime_ns))

    def _copy(self, file: IO[bytes], member: IO[bytes], size: int, name: str) -> tuple[int, str]:
        """Copy at most ``size`` bytes: a log may grow meanwhile."""
        digest, left = hashlib.sha256(), size
        while left and (block := _read(file, min(BLOCK_BYTES, left))):
            self._context.raise_if_cancelled()
            digest.update(block)
            member.write(block)
            left -= len(block)
            self._done += len(block)
            self._tell(name)
        return size - left, digest.hexdigest()

    def _tell(self, name: str) -> None:
        now = time.monotonic()
        if now - self._told >= PROGRESS_EVERY_S:
            self._told = now
            total = max(self._total, self._done)
            self._report(events.Progress(stage="backing up", done=self._done, total=total, unit="bytes", detail=name))


def _opened(path: Path) -> IO[bytes]:
    try:
        return path.open("rb")
    except FileNotFoundError:
        raise
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror or error}.", "Check its permissions.") from error


def _read(file: IO[bytes], size: int) -> bytes:
    try:
        return file.read(size)
    except OSError as error:
        raise UserError(f"{file.name} cannot be read: {error.strerror or error}.", "Check its disk.") from error


def copy_database(source: Path, target: Path) -> None:
    """Copy a database as it is at one moment, whoever writes to it. Raises FileNotFoundError where there is none,
    UserError, or apsw's errors of a file that is no database."""
    if not source.exists():
        raise FileNotFoundError(source)
    target.unlink(missing_ok=True)
    try:
        reading = connect(source, read_only=True)
        try:
            writing = apsw.Connection(str(target))
            try:
                with writing.backup("main", reading, "main") as backup:
                    backup.step()
                writing.pragma("journal_mode", "delete")
            finally:
                writing.close()
        finally:
            reading.close()
    except (apsw.NotADBError, apsw.CorruptError):
        raise
    except apsw.Error:
        with translated(source):
            raise


def left_without(folders: Collection[Path], home: Home, reason: str) -> tuple[LeftOut, ...]:
    """What leaving out these folders means, with their sizes."""
    return tuple(
        LeftOut(
            name=folder.relative_to(home.root).as_posix(),
            reason=reason,
            bytes=sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()),
        )
        for folder in sorted(folders)
    )


def _entry(name: str, changed: float, size: int) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, time.localtime(min(max(changed, _EARLIEST), _LATEST))[:6])
    entry.external_attr = 0o100600 << 16
    entry.file_size = size
    entry.compress_type = zipfile.ZIP_STORED if name.lower().endswith(_PACKED_ALREADY) else zipfile.ZIP_DEFLATED
    return entry


_EARLIEST, _LATEST = 315_619_200.0, 4_354_646_400.0
"""In seconds; zip files know the years 1980 to 2107 (these are their second and their last day but one, wherever one
is)."""
