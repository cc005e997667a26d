"""Reads a backup and restores a home from it, whole or not at all.

A backup may come from anybody. Nothing is written under a name, or beyond a size, that its manifest does not list, and
the restored folder takes its place when every file has the listed checksum.
"""

from __future__ import annotations

import hashlib
import os
import time
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import IO

import apsw

from workbench.api import events
from workbench.api.ownership import HomeLock
from workbench.api.protocol import RequestContext
from workbench.base.durability import (
    check_room,
    flush_folder,
    flush_to_disk,
    folder_beside,
    unfinished_folder,
    written_beside,
)
from workbench.base.errors import UserError
from workbench.base.files import open_regular
from workbench.base.naming import free_name
from workbench.base.paths import KEPT, Home
from workbench.base.stored import Unreadable
from workbench.records.backup import MANIFEST, BackupFile, Manifest, Restored
from workbench.storage.database import SCHEMA, connect, read_migrations, read_rows, translated
from workbench.subjects.backup.content import is_left_out
from workbench.subjects.backup.writing import (
    BELOW,
    BLOCK_BYTES,
    KEPT_FREE_BYTES,
    MANIFEST_NAME,
    PROGRESS_EVERY_S,
    Report,
)

LARGEST_MANIFEST_BYTES = 256 << 20
_AGAIN = "Choose another backup, or copy this one again from where it was kept."
_PACKED_BY = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_NOT_SOUND = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError)
"""What reading a damaged zip file raises; ValueError for a name that is not UTF-8."""

_DOS_NAMES = ("con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10)))


class Backup:
    """An open backup whose list of files is known to be sound; not yet their contents. Use ``open_backup``."""

    def __init__(self, path: Path, archive: zipfile.ZipFile, manifest: Manifest) -> None:
        self.path, self.manifest = path, manifest
        self._archive = archive

    def extract(self, folder: Path, context: RequestContext, report: Report) -> None:
        """Write all files into an empty folder. Raises UserError at the first that is not as the manifest says."""
        done, told = 0, 0.0
        for file in self.manifest.files:
            target = folder / file.name
            target.parent.mkdir(parents=True, exist_ok=True)
            with self._reading(file) as member, target.open("xb") as writing:
                for block in self._checked(file, member):
                    context.raise_if_cancelled()
                    writing.write(block)
                    done += len(block)
                    if time.monotonic() - told >= PROGRESS_EVERY_S:
                        told = time.monotonic()
                        total = self.manifest.bytes
                        report(
                            events.Progress(stage="restoring", done=done, total=total, unit="bytes", detail=file.name)
                        )
                flush_to_disk(writing)
            with suppress(OverflowError, OSError):  # a time that this file system does not know
                os.utime(target, ns=(file.mtime_ns, file.mtime_ns))
        for inner in {(folder / file.name).parent for file in self.manifest.files}:
            flush_folder(inner)

    @contextmanager
    def _reading(self, file: BackupFile) -> Iterator[IO[bytes]]:
        try:
            with self._archive.open(f"{BELOW}{file.name}") as member:
                yield member
        except _NOT_SOUND as error:
            raise self._damaged(file) from error

    def _checked(self, file: BackupFile, member: IO[bytes]) -> Iterator[bytes]:
        """The blocks of a file, never more than the manifest says."""
        digest, left = hashlib.sha256(), file.bytes
        while block := self._read(member, min(BLOCK_BYTES, left + 1)):
            left -= len(block)
            if left < 0:
                break
            digest.update(block)
            yield block
        if left or digest.hexdigest() != file.sha256:
            raise self._damaged(file)

    def _read(self, member: IO[bytes], size: int) -> bytes:
        try:
            return member.read(size)
        except OSError as error:
            raise _unreadable(self.path, error) from error

    def _damaged(self, file: BackupFile) -> UserError:
        return UserError(f"{file.name} is damaged in the backup {self.path}: nothing was restored.", _AGAIN)


@contextmanager
def open_backup(path: Path) -> Iterator[Backup]:
    """Raises UserError with the reason for what is no backup, is not whole, or was written by a newer version."""
    with ExitStack() as stack:
        try:
            archive = stack.enter_context(zipfile.ZipFile(stack.enter_context(open_regular(path))))
            manifest = _read_manifest(path, archive)
        except FileNotFoundError as error:
            raise UserError(f"There is no file {path}.", "Check the path.") from error
        except OSError as error:
            raise _unreadable(path, error) from error
        except _NOT_SOUND as error:
            raise UserError(f"{path} is not a whole backup: {error}.", _AGAIN) from error
        yield Backup(path, archive, manifest)


def _unreadable(path: Path, error: OSError) -> UserError:
    return UserError(f"{path} cannot be read: {error.strerror or error}.", "Check the path, its permissions and disk.")


def restore(backup: Backup, root: Path, context: RequestContext, report: Report) -> Restored:
    """Make the home of a backup at ``root``, which must not be there, or be an empty folder.

    Raises UserError where something is there, there is no room or the backup is damaged, and errors.Cancelled; nothing
    is left then.
    """
    check_target(root)
    check_room(root, backup.manifest.bytes, KEPT_FREE_BYTES)
    was_there = root.is_dir()
    if was_there:
        root.rmdir()
    try:
        with folder_beside(root, _owner(root)) as beside:
            beside.chmod(0o700)
            backup.extract(beside, context, report)
            unwatched = _unwatch_missing(Home(beside))
            flush_folder(beside)
        flush_folder(root.parent)
    finally:
        if was_there:
            root.mkdir(exist_ok=True, mode=0o700)
    return Restored(home=str(root), summary=backup.manifest.summary, unwatched=unwatched)


def unfinished_restore(root: Path) -> Path:
    """The folder in which a home for ``root`` is restored."""
    return unfinished_folder(root, _owner(root))


def _owner(root: Path) -> str:
    return f"{root.name}-restored"


def check_target(root: Path) -> None:
    """Raises UserError unless a home can be restored at ``root``."""
    try:
        taken = root.exists() and (not root.is_dir() or any(root.iterdir()))
    except OSError as error:
        raise UserError(f"{root} cannot be read: {error.strerror or error}.", "Choose another folder.") from error
    if taken:
        raise UserError(
            f"{root} is not empty, and nothing there is overwritten.", "Choose a folder that is new or empty."
        )


def restored_beside(home: Home) -> Path:
    """A new folder beside a home, for one that is to take its place."""
    return _free(home.root.with_name(f"{home.root.name}-restored-{time.strftime('%Y%m%d-%H%M%S')}"))


def arrange_replacement(home: Home, restored: Path) -> None:
    """Let a restored home beside this one take its place when the next core starts."""
    with written_beside(home.replaced_by) as beside:
        beside.write_text(restored.name, "utf-8")


def put_in_place(restored: Path, root: Path, lock: HomeLock) -> Path:
    """Give a restored home the place of the one beside it at ``root``, whose ``lock`` is held until that has moved: no
    core starts in it meanwhile. Returns where that is kept. Killed in its middle, the rest is done when the home is
    next used (``Home.create``)."""
    kept = _free(root.with_name(f"{root.name}{KEPT}{time.strftime('%Y%m%d-%H%M%S')}"))
    arrange_replacement(Home(root), restored)
    try:
        if os.name == "nt":  # a folder with an open file cannot be moved there
            lock.release()
        root.rename(kept)
        try:
            Home(root).finish_replacement()
        except OSError:
            Home(kept).replaced_by.unlink(missing_ok=True)
            kept.rename(root)
            raise
        flush_folder(root.parent)
    except OSError as error:
        with suppress(OSError):  # the next core is to open the home that is there
            Home(root).replaced_by.unlink()
        raise UserError(
            f"{root} cannot be replaced: {error.strerror or error}.",
            f"The restored home is {restored}: open it with --home.",
        ) from error
    finally:
        lock.release()
    return kept


def _free(wanted: Path) -> Path:
    return wanted.with_name(free_name(wanted.name, lambda name: wanted.with_name(name).exists(), "-"))


def _read_manifest(path: Path, archive: zipfile.ZipFile) -> Manifest:
    members = archive.infolist()
    named = {member.filename: member for member in members}
    listing = named.pop(MANIFEST_NAME, None)
    if listing is None or listing.file_size > LARGEST_MANIFEST_BYTES:
        raise UserError(f"{path} is not a backup of LLM Workbench.", "Choose a file that *Back up…* has written.")
    if any(member.compress_type not in _PACKED_BY for member in members):
        raise UserError(f"{path} cannot be restored: it is compressed in another way than backups are.", _AGAIN)
    manifest = MANIFEST.decode(archive.read(listing))
    if isinstance(manifest, Unreadable):
        raise UserError(f"{path}: {manifest.reason}", manifest.hint or _AGAIN)
    newest = max(read_migrations(SCHEMA))
    if manifest.schema > newest:
        raise UserError(
            f"{path} was written by version {manifest.version} of LLM Workbench, which is newer than this one.",
            "Update LLM Workbench to restore it.",
        )
    if problem := _problem(manifest, named, len(members)):
        raise UserError(f"{path} cannot be restored: {problem}.", _AGAIN)
    return manifest


def _problem(manifest: Manifest, members: dict[str, zipfile.ZipInfo], count: int) -> str:
    """What is wrong with the list of files, "" where nothing is."""
    listed = {f"{BELOW}{file.name}": file for file in manifest.files}
    if "workbench.sqlite" not in (file.name for file in manifest.files):
        return "it holds no database of a home"
    if len(listed) != len(manifest.files):
        return "two of its files have one name"
    if members.keys() != listed.keys() or count != len(members) + 1:
        return "its files are not those that its manifest lists"
    folders = {str(parent) for name in listed for parent in PurePosixPath(name).parents}
    for name, member in members.items():
        file = listed[name]
        if name in folders:
            return f"{file.name} is both a file and a folder"
        if not _is_safe(file.name) or is_left_out(file.name):
            return f"{file.name!r} is no name of a file in a home"
        kind = member.external_attr >> 16 & 0o170000
        if kind not in (0, 0o100000) or member.is_dir():
            return f"{file.name} is not a file"
        if member.flag_bits & 0x1:
            return f"{file.name} is encrypted"
        if member.file_size != file.bytes or file.bytes < 0:
            return f"{file.name} has not the size that the manifest lists"
    return ""


def _is_safe(name: str) -> bool:
    """Whether a path stays below the folder that it is joined to."""
    if any(part in ("", ".", "..") or "\0" in part for part in name.split("/")):
        return False
    if os.name != "nt":
        return True
    return not any(
        any(c in '\\:*?"<>|' or ord(c) < 32 for c in part)
        or part.endswith((" ", "."))
        or part.split(".")[0].casefold() in _DOS_NAMES
        for part in name.split("/")
    )


def _unwatch_missing(home: Home) -> tuple[str, ...]:
    """Watch no longer the folders whose documents are not on this machine: else what was read from them would go when
    they are next looked at. Returns their paths."""
    with translated(home.database):
        connection = connect(home.database)
        try:
            watched = read_rows(connection, "select collection, path from roots where watched")
            missing = [one for one in watched if not _has_documents(home.collection(one[0]), one[1])]
            for one in missing:
                read_rows(connection, "update roots set watched = 0 where collection = ? and path = ?", one)
            connection.pragma("journal_mode", "delete")
        finally:
            connection.close()
    return tuple(sorted({path for _, path in missing}))


def _has_documents(collection: Path, root: str) -> bool:
    """Whether a folder is there with a document of those that were read from it, or none was."""
    if not os.path.isdir(root):
        return False
    if not collection.exists():
        return True
    try:
        with closing(connect(collection, read_only=True)) as connection:
            rows = read_rows(connection, "select path from documents where state = 'indexed'")
    except apsw.Error:  # it has no documents yet, or is damaged, which the program says when it is opened
        return True
    below = [path for (path,) in rows if path.startswith(root.rstrip(os.sep) + os.sep)]
    return not below or any(os.path.exists(path) for path in below)
