"""The workspace: the one folder that a person chose, in which an agent reads, writes and lists files.

A path is relative and goes down from the folder one name at a time, each opened within the one before it without
following links, so that no link, ``..`` or absolute path leads out, also while another process changes the folder. Only
regular files are opened. Hidden files (``.git``, ``.env``) are not there: they hold secrets, or run as programs.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from workbench.base.errors import UserError

LARGEST_READ_BYTES, LARGEST_WRITTEN = 10_000_000, 1_000_000
MOST_LISTED, DEEPEST, LONGEST_NAME = 500, 16, 200
_BY_DESCRIPTOR = os.open in os.supports_dir_fd and os.rename in os.supports_dir_fd and hasattr(os, "O_NOFOLLOW")
_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?")
_FORBIDDEN = re.compile(r'[\x00-\x1f\x7f<>:"|?*\\]')


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A file or folder of the workspace. ``bytes`` is 0 for a folder."""

    name: str
    is_folder: bool
    bytes: int


class Workspace:
    """Raises UserError, with what to do instead, wherever a path is not allowed or is not there."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, path: str) -> str:
        """The text of a file. Raises UserError for one that is too large or is not text."""
        *folders, name = parts_of(path)
        with (
            self._open(folders) as place,
            self._file(place, name, path) as file,
            open(file, "rb", closefd=False) as stream,
        ):
            data = stream.read(LARGEST_READ_BYTES + 1)
        if len(data) > LARGEST_READ_BYTES:
            raise UserError(f"{path} is larger than {LARGEST_READ_BYTES // 1_000_000} MB.")
        try:
            if b"\x00" in data:
                raise UnicodeDecodeError("utf-8", data[:1], 0, 1, "a zero byte")
            return data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise UserError(f"{path} is not a text file.", "Read another one.") from error

    def write(self, path: str, text: str) -> bool:
        """Write a whole file; missing folders are made. The old file is there until the new one is complete. Returns
        whether there was one."""
        if len(text) > LARGEST_WRITTEN:
            raise UserError(f"The text has more than {LARGEST_WRITTEN:,} characters.", "Write it in several files.")
        *folders, name = parts_of(path)
        with self._open(folders, make=True) as place:
            before = self._status(place, name)
            if before is not None and not _is_file(before):
                raise UserError(f"{path} is not a file.", "Choose another name.")
            unfinished = f".{uuid.uuid4().hex}.part"
            file = self._at(place, unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            try:
                try:
                    view = memoryview(text.encode("utf-8", "replace"))
                    while view:
                        view = view[os.write(file, view) :]
                    os.fsync(file)
                finally:
                    os.close(file)
                if _BY_DESCRIPTOR:
                    os.rename(unfinished, name, src_dir_fd=place, dst_dir_fd=place)
                else:
                    os.replace(self._path(place, unfinished), self._path(place, name))
            except BaseException as error:
                with contextlib.suppress(OSError):
                    self._unlink(place, unfinished)
                if isinstance(error, OSError):
                    raise UserError(f"{path} cannot be written: {error.strerror or error}.") from error
                raise
            return before is not None

    def list_folder(self, path: str = "") -> tuple[list[Entry], bool]:
        """The files and folders of a folder by name, and whether there are more. Links and special files are left
        out."""
        with self._open(parts_of(path) if path.strip("/. ") else []) as place:
            names = sorted(os.listdir(place))
            found: list[Entry] = []
            for name in names:
                status = None if name.startswith(".") else self._status(place, name)
                if status is None or not (_is_file(status) or _is_folder(status)):
                    continue
                if len(found) == MOST_LISTED:
                    return found, True
                folder = _is_folder(status)
                found.append(Entry(name=name, is_folder=folder, bytes=0 if folder else status.st_size))
            return found, False

    # -- one name at a time ------------------------------------------------------------------------
    # ``place`` is a descriptor of a folder, or its path where the system opens nothing within a descriptor

    @contextmanager
    def _open(self, folders: Sequence[str], *, make: bool = False) -> Iterator[int]:
        if not _BY_DESCRIPTOR:
            yield self._walk(folders, make=make)  # type: ignore[misc]
            return
        with contextlib.ExitStack() as stack:
            place = self._kept(stack, os.open(self._root(), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))
            for name in folders:
                flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
                try:
                    inner = os.open(name, flags, dir_fd=place)
                except FileNotFoundError as error:
                    if not make:
                        raise UserError(f"There is no folder {name!r}.", "List the files first.") from error
                    os.mkdir(name, 0o700, dir_fd=place)
                    inner = os.open(name, flags, dir_fd=place)
                except OSError as error:  # a link, or no folder
                    raise UserError(f"{name!r} is not a folder of the workspace.") from error
                place = self._kept(stack, inner)
            yield place

    def _walk(self, folders: Sequence[str], *, make: bool) -> str:
        place = self._root()
        for name in folders:
            place = os.path.join(place, name)
            if make and not os.path.lexists(place):
                os.mkdir(place)
            if not os.path.lexists(place):
                raise UserError(f"There is no folder {name!r}.", "List the files first.")
            if not _is_folder(os.lstat(place)):
                raise UserError(f"{name!r} is not a folder of the workspace.")
        return place

    def _root(self) -> str:
        if not self._folder.is_dir():
            raise UserError(f"The workspace folder {self._folder} is not there.", "Choose another one in the recipe.")
        return str(self._folder)

    @contextmanager
    def _file(self, place: int, name: str, path: str) -> Iterator[int]:
        status = self._status(place, name)
        if status is None:
            raise UserError(f"There is no file {path!r}.", "List the files first.")
        if not _is_file(status):
            raise UserError(f"{path} is not a file.", "List the files first.")
        try:
            file = self._at(place, name, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        except OSError as error:
            raise UserError(f"{path} cannot be read: {error.strerror or error}.") from error
        try:
            if not _is_file(os.fstat(file)):  # it has been replaced just now
                raise UserError(f"{path} is not a file.", "List the files first.")
            yield file
        finally:
            os.close(file)

    def _at(self, place: int, name: str, flags: int, mode: int = 0o600) -> int:
        flags |= getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
        return os.open(name, flags, mode, dir_fd=place) if _BY_DESCRIPTOR else os.open(self._path(place, name), flags)

    def _status(self, place: int, name: str) -> os.stat_result | None:
        """Of the name itself, not of what a link leads to; None where there is nothing."""
        try:
            if _BY_DESCRIPTOR:
                return os.stat(name, dir_fd=place, follow_symlinks=False)
            return os.lstat(self._path(place, name))
        except OSError:
            return None

    def _unlink(self, place: int, name: str) -> None:
        if _BY_DESCRIPTOR:
            os.unlink(name, dir_fd=place)
        else:
            os.unlink(self._path(place, name))

    @staticmethod
    def _path(place: int | str, name: str) -> str:
        return os.path.join(str(place), name)

    @staticmethod
    def _kept(stack: contextlib.ExitStack, descriptor: int) -> int:
        stack.callback(os.close, descriptor)
        return descriptor


def parts_of(path: str) -> list[str]:
    """The names of a relative path. Raises UserError for a path that is absolute, goes up, or names what is hidden or
    cannot be a file on every system."""
    text = path.strip()
    if text.startswith(("/", "\\", "~")) or re.match(r"[A-Za-z]:", text):
        raise UserError(f"{path!r} is not within the workspace.", "Give a path relative to it, such as notes/a.txt.")
    names = [name for name in text.split("/") if name not in ("", ".")]
    if not names:
        raise UserError("No file is named.", "Give a path such as notes/a.txt.")
    if len(names) > DEEPEST:
        raise UserError(f"{path!r} is deeper than {DEEPEST} folders.")
    for name in names:
        if name == "..":
            raise UserError(f"{path!r} is not within the workspace.", "Leave out the two dots.")
        if name.startswith("."):
            raise UserError(f"{name!r} is a hidden file; these are left alone.", "Leave out the leading dot.")
        if (
            _FORBIDDEN.search(name)
            or _RESERVED.fullmatch(name)
            or name.endswith((" ", "."))
            or len(name) > LONGEST_NAME
        ):
            raise UserError(f"{name!r} cannot be the name of a file.", "Choose a name of letters and digits.")
    return names


def _is_file(status: os.stat_result) -> bool:
    return stat.S_ISREG(status.st_mode) and not _is_reparsed(status)


def _is_folder(status: os.stat_result) -> bool:
    return stat.S_ISDIR(status.st_mode) and not _is_reparsed(status)


def _is_reparsed(status: os.stat_result) -> bool:
    """Whether it is a junction or another link of Windows."""
    return bool(getattr(status, "st_file_attributes", 0) & getattr(stat, "FILE_ATTRIBUTE_REPARSE_POINT", 0x400))
