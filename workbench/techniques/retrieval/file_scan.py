"""Scans folders before an ingest: compares the files on disk with those that a collection knows. Opens no file."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

import msgspec

from workbench.techniques.retrieval.reading.kinds import find_files
from workbench.techniques.retrieval.snapshot import FileStamp, KnownFile

FAILED_AGAIN_S = 600.0
"""A file that failed less than this ago, and was not modified since, is not tried again: a watched folder with a bad
file would otherwise cost that file's time limit at every change of another."""


class FoundFile(msgspec.Struct, frozen=True):
    """A file below one of the roots, with the collection's record of it."""

    path: Path
    stamp: FileStamp
    known: KnownFile | None

    @property
    def weight(self) -> int:
        """Its weight in an estimate of time: its bytes."""
        return max(1, self.stamp.size)


class FolderScan(msgspec.Struct, frozen=True):
    """The files on disk compared with the collection. ``unreadable`` has a path and a reason each."""

    unchanged: list[FoundFile]
    failed_before: list[FoundFile]
    to_read: list[FoundFile]
    gone: list[KnownFile]
    unreadable: list[tuple[str, str]]


def scan_files(
    roots: Sequence[Path],
    known: dict[str, KnownFile],
    check: Callable[[], None] = lambda: None,
    anew: Collection[str] = (),
) -> FolderScan:
    """Compare the files below the roots with the collection's records, without reading any content.

    The paths of ``anew`` are to be read whatever is known of them. ``check`` is called for every file and may raise to
    stop.
    """
    unreadable: dict[str, str] = {}
    closed: list[str] = []

    def tell(path: Path, reason: str) -> None:
        unreadable[_printable(path)] = reason
        closed.append(str(path))

    found: dict[str, FoundFile] = {}
    for root in roots:
        if not os.path.lexists(root) and _has_documents(root, known):
            if not root.parent.exists():  # a drive or a share that is missing now, rather than a deleted folder
                tell(
                    root,
                    "The file and its folder are missing, such as on a drive that is not connected. Its text is kept.",
                )
            continue  # deleted: the documents below it are dropped
        for path in find_files(root, tell):
            check()
            found.setdefault(str(path), FoundFile(path, _stamp(path), known.get(str(path))))
    gone = [
        document
        for path, document in known.items()
        if path not in found
        and path not in unreadable
        and any(_is_below(path, str(root)) for root in roots)
        and not any(_is_below(path, folder) for folder in closed)
    ]
    scan = FolderScan([], [], [], gone, list(unreadable.items()))
    for file in found.values():
        if file.known is None or file.known.stamp != file.stamp or str(file.path) in anew:
            scan.to_read.append(file)
        elif file.known.failed_at is None:
            scan.unchanged.append(file)
        elif 0 <= time.time() - file.known.failed_at < FAILED_AGAIN_S:
            scan.failed_before.append(file)
        else:
            scan.to_read.append(file)
    return scan


def _stamp(path: Path) -> FileStamp:
    try:
        status = path.stat()
    except OSError:
        return FileStamp(-1, 0, 0)  # reading it gives the reason
    return FileStamp(status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def _is_below(path: str, root: str) -> bool:
    return path == root or path.startswith(root.rstrip(os.sep) + os.sep)


def _has_documents(root: Path, known: dict[str, KnownFile]) -> bool:
    return any(file.failed_at is None and _is_below(file.path, str(root)) for file in known.values())


def _printable(path: Path) -> str:
    return os.fsencode(path).decode("utf-8", "replace")
