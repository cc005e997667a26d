"""The core of a home: the one process that holds its lock file; and the key that its clients present.

The lock is the operating system's, on the open file: it ends with its holder, so it cannot become stale. The file's
text (process id, version) is for people and messages, and the address, which may depend on the environment of the
core's process, for its clients.
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
from workbench.errors import UserError
from workbench.files import open_regular
from workbench.launching import process_mark
from workbench.paths import Home

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

KEY_BYTES = 32
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

    @classmethod
    def acquire(cls, home: Home) -> HomeLock | None:
        """The lock, or None when another process has it. Raises UserError when the home cannot be written."""
        home.create()
        owner = Owner(os.getpid(), process_mark(os.getpid()), __version__, home.address)
        while True:
            try:
                descriptor = os.open(home.lock, os.O_RDWR | os.O_CREAT, 0o600)
            except OSError as error:
                raise UserError(f"{home.lock} cannot be opened: {error.strerror}.", "Check its permissions.") from error
            if not _try_lock(descriptor):
                os.close(descriptor)
                return None
            if _is(descriptor, home.lock):
                break
            os.close(descriptor)  # the file was replaced between opening and locking: this lock protects nothing
        os.ftruncate(descriptor, 0)
        os.write(descriptor, msgspec.json.encode(owner) + b"\n")
        return cls(descriptor)

    def release(self) -> None:
        with contextlib.suppress(OSError):
            os.ftruncate(self._descriptor, 0)
        os.close(self._descriptor)

    def __enter__(self) -> HomeLock:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.release()


def read_owner(home: Home) -> Owner | None:
    """The holder of the home according to the lock file; None without one."""
    try:
        with open_regular(home.lock) as file:
            owner = msgspec.json.decode(file.read(), type=Owner)
    except (OSError, msgspec.DecodeError):
        return None
    return owner if owner.alive else None


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
    """The home's key, created if missing: whole or not at all, readable by its owner only. Needs the lock."""
    key = read_key(home)
    if key is not None:
        return key
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


def _try_lock(descriptor: int) -> bool:
    try:
        if sys.platform == "win32":
            os.lseek(descriptor, _LOCKED_BYTE, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
            os.lseek(descriptor, 0, os.SEEK_SET)
        else:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    return True


def _is(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except OSError:
        return False
