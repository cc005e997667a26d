"""SHA-256 of model files, computed once per state of a file and cached by path, size and modification time."""

from __future__ import annotations

import contextlib
import hashlib
import os
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from workbench.api.protocol import RequestContext
from workbench.base.errors import UserError
from workbench.base.files import open_regular

BLOCK = 4 * 1024 * 1024


class _Entry(msgspec.Struct, frozen=True):
    size: int
    mtime_ns: int
    sha256: str


class Checksums:
    """A cache of checksums in one small JSON file. Thread-safe."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._entries: dict[str, _Entry] = {}
        # an unreadable cache is computed again
        with contextlib.suppress(OSError, msgspec.DecodeError, UnicodeDecodeError):
            self._entries = msgspec.json.decode(path.read_bytes(), type=dict[str, _Entry])

    def known(self, files: Sequence[str]) -> str:
        """The checksum of a model's files when all of them are cached and unchanged, else empty."""
        sums = [self._remembered(Path(f)) for f in files]
        return _combined(sums) if all(sums) else ""

    def compute(
        self,
        files: Sequence[str],
        context: RequestContext | None = None,
        report: Callable[[int, int], None] | None = None,
    ) -> str:
        """The checksum of a model's files, in hexadecimal. For one file it is the file's own SHA-256; for several, the
        SHA-256 of their checksums, one per line, in the order of ``files``.

        ``report`` gets the bytes done and in all. Raises UserError when a file cannot be read and errors.Cancelled when
        the request was cancelled.
        """
        total = sum(_size(Path(f)) for f in files)
        sums = []
        done = 0
        for file in files:
            path = Path(file)
            found = self._remembered(path)
            if not found:
                found = self._hash(path, done, total, context, report)
            sums.append(found)
            done += _size(path)
            if report is not None:
                report(done, total)
        return _combined(sums)

    def remember(self, path: Path, sha256: str) -> None:
        """Cache a checksum that was computed elsewhere, such as while copying."""
        state = path.stat()
        with self._lock:
            self._entries[str(path)] = _Entry(state.st_size, state.st_mtime_ns, sha256)
            self._save()

    def _remembered(self, path: Path) -> str:
        with self._lock:
            entry = self._entries.get(str(path))
        if entry is None:
            return ""
        try:
            state = path.stat()
        except OSError:
            return ""
        return entry.sha256 if (state.st_size, state.st_mtime_ns) == (entry.size, entry.mtime_ns) else ""

    def _hash(
        self,
        path: Path,
        done: int,
        total: int,
        context: RequestContext | None,
        report: Callable[[int, int], None] | None,
    ) -> str:
        digest = hashlib.sha256()
        try:
            before = path.stat()
            with open_regular(path) as file:
                while block := file.read(BLOCK):
                    if context is not None:
                        context.raise_if_cancelled()
                    digest.update(block)
                    done += len(block)
                    if report is not None:
                        report(done, total)
            after = path.stat()
        except OSError as error:
            raise UserError(f"{path} cannot be read: {error.strerror or error}.") from error
        sha256 = digest.hexdigest()
        if (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns):
            self.remember(path, sha256)
        return sha256

    def _save(self) -> None:
        beside = self._path.with_name(self._path.name + ".new")
        with contextlib.suppress(OSError):  # the next start computes it again
            beside.write_bytes(msgspec.json.encode(self._entries))
            os.replace(beside, self._path)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror or error}.") from error


def _combined(sums: Sequence[str]) -> str:
    if len(sums) == 1:
        return sums[0]
    return hashlib.sha256("\n".join(sums).encode()).hexdigest()
