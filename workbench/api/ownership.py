"""The core of a home: the one process that holds its lock file; and the key that its clients present.

The lock is the operating system's, on the open file: it ends with its holder, so it cannot become stale, and a copied
file is not locked. The file's text (process id, version) is for people and messages, and the address, which may depend
on the environment of the core's process, for its clients; it is believed only while the file is locked. The identity of
a home is that of its folder, which no copy can have: a client names it, and a core refuses another one's.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import sys
import time
from pathlib import Path
from types import TracebackType

import msgspec
import psutil

from workbench import __version__
from workbench.base.errors import UserError
from workbench.base.files import open_regular
from workbench.base.launching import process_mark
from workbench.base.paths import Home

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

KEY_BYTES = 32
PROBES, PROBE_S = 10, 0.02
"""A client that looks whether a file is locked holds its lock for a moment, so a core tries several times."""

_LOCKED_BYTE = 1 << 20  # beyond the text, which on Windows could not be read while it is locked


class Owner(msgspec.Struct, frozen=True):
    """The holder of a home, and where it listens, or will."""

    pid: int
    mark: str
    version: str
    address: str

    @property
    def alive(self) -> bool:
        try:
            return process_mark(self.pid) == self.mark
        except psutil.Error:
            return False


class HomeLock:
    """Its holder is the home's core. Use ``acquire``; leaving the block releases it."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._is_held = True

    def is_in(self, home: Home) -> bool:
        """Whether the home's lock file is the one that is held: it is not once the folder was moved or deleted."""
        return _is(self._descriptor, home.lock)

    @classmethod
    def acquire(cls, home: Home) -> HomeLock | None:
        """The lock, or None when another process has it. Raises UserError when the home cannot be written."""
        home.create()
        owner = Owner(os.getpid(), process_mark(os.getpid()), __version__, home.address)
        while True:
            try:
                descriptor = os.open(home.lock, os.O_RDWR | os.O_CREAT, 0o600)
            except OSError as error:
                raise home.not_writable(error) from error
            if not _lock_in_time(descriptor):
                os.close(descriptor)
                return None
            if _is(descriptor, home.lock):
                break
            os.close(descriptor)  # the file was replaced between opening and locking: this lock protects nothing
        os.ftruncate(descriptor, 0)
        os.write(descriptor, msgspec.json.encode(owner) + b"\n")
        return cls(descriptor)

    def release(self) -> None:
        """Give the lock back, where that was not done before."""
        if not self._is_held:
            return
        self._is_held = False
        with contextlib.suppress(OSError):
            os.ftruncate(self._descriptor, 0)
        os.close(self._descriptor)

    def __enter__(self) -> HomeLock:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.release()


def read_owner(home: Home) -> Owner | None:
    """The process that holds the home, by its lock file; None without one. A file that nobody has locked, such as a
    copied one, names none."""
    try:
        with open_regular(home.lock) as file:
            if _try_lock(file.fileno(), shared=True):
                return None  # closing the file gives the lock back
            file.seek(0)
            owner = msgspec.json.decode(file.read(), type=Owner)
    except (OSError, msgspec.DecodeError):
        return None
    return owner if owner.alive else None


def folder_identity(folder: Path) -> str:
    """What a folder has under all its names, and no other one that is there now: its device and its number on it, which
    on some file systems has 128 bits. Raises OSError."""
    status = folder.stat()
    return f"{status.st_dev}:{status.st_ino}"


def read_key(home: Home) -> bytes | None:
    """The home's key, None when it has none yet. Raises UserError when it cannot be read."""
    try:
        with open_regular(home.key) as file:
            key = file.read()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UserError(
            f"{home.key} cannot be read: {error.strerror}.", "Remove it, or check its permissions."
        ) from error
    return key if len(key) == KEY_BYTES else None


def make_key(home: Home) -> bytes:
    """A new key of the home, whole or not at all, readable by its owner only. Needs the lock.

    Each core makes its own: that of a copied home opens no other one. Raises UserError when it cannot be written.
    """
    read_key(home)  # what is in its place is named
    key = secrets.token_bytes(KEY_BYTES)
    beside = home.key.with_name(f"{home.key.name}.{time.time_ns()}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(descriptor, key)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    os.replace(beside, home.key)
    return key


def _lock_in_time(descriptor: int) -> bool:
    for _ in range(PROBES):
        if _try_lock(descriptor):
            return True
        time.sleep(PROBE_S)
    return False


def _try_lock(descriptor: int, *, shared: bool = False) -> bool:
    try:
        if sys.platform == "win32":
            os.lseek(descriptor, _LOCKED_BYTE, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
            os.lseek(descriptor, 0, os.SEEK_SET)
        else:
            fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    return True


def _is(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except OSError:
        return False
