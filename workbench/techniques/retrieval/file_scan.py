"""Scans folders before an ingest: compares the files on disk with those that a collection knows. Opens a file only to
see whether it is a known one under another name."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

import msgspec

from workbench.base.files import SpecialFile, open_regular
from workbench.reading.kinds import find_files, kind_of
from workbench.techniques.retrieval.snapshot import UNFINISHED_NS, FileStamp, KnownFile

FAILED_AGAIN_S = 600.0
"""A file that failed less than this ago, and was not modified since, is not tried again: a watched folder with a bad
file would otherwise cost that file's time limit at every change of another."""


LARGEST_COMPARED = 8 * 2**20
"""Bytes of a file that is read again to see whether it has changed."""

OUTSIDE = (
    "The link leads out of the folder that was added and was not followed. Add the place that it leads to if it is to "
    "be read."
)


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
    """The files on disk compared with the collection. ``unreadable`` has a path and a reason each. ``renamed`` are new
    files with the content of documents whose own files are gone: these are not among the others."""

    unchanged: list[FoundFile]
    failed_before: list[FoundFile]
    to_read: list[FoundFile]
    gone: list[KnownFile]
    unreadable: list[tuple[str, str]]
    renamed: list[tuple[FoundFile, KnownFile]]


def scan_files(
    roots: Sequence[Path],
    known: dict[str, KnownFile],
    check: Callable[[], None] = lambda: None,
    anew: Collection[str] = (),
    *,
    pictures: bool = True,
    missing: str = "",
    left_out: Collection[str] = (),
) -> FolderScan:
    """Compare the files below the roots with the collection's records.

    The paths of ``anew`` are to be read whatever is known of them. ``check`` is called for every file and may raise to
    stop. Without ``pictures`` those in folders are passed over, unless they were read before; ``missing`` then says of
    the folder why, "": nothing is said.
    """
    unreadable: dict[str, str] = {}
    outside: dict[str, str] = {}
    closed: list[str] = []

    def tell(path: Path, reason: str) -> None:
        unreadable[_printable(path)] = reason
        closed.append(str(path))

    def tell_outside(path: Path) -> None:
        outside[_printable(path)] = OUTSIDE

    found: dict[str, FoundFile] = {}
    for root in roots:
        if not os.path.lexists(root) and _has_documents(root, known):
            if not root.parent.exists():  # a drive or a share that is missing now, rather than a deleted folder
                tell(
                    root,
                    "The file and its folder are missing, such as on a drive that is not connected. Its text is kept.",
                )
            continue  # deleted: the documents below it are dropped
        passed_over = 0
        for path in find_files(root, tell, tell_outside):
            check()
            if str(path) in left_out and path != root:
                continue
            if not pictures and path != root and kind_of(path) == "picture" and str(path) not in known:
                passed_over += 1
                continue
            found.setdefault(str(path), FoundFile(path, _stamp(path), known.get(str(path))))
        if passed_over and missing:
            are = "A picture was" if passed_over == 1 else f"{passed_over:,} pictures were"
            outside[_printable(root)] = f"{are} not read: {missing}"
    gone = [
        document
        for path, document in known.items()
        if path not in found
        and path not in unreadable
        and not (path in outside and document.failed_at is not None)  # told before
        and any(_is_below(path, str(root)) for root in roots)
        and not any(_is_below(path, folder) for folder in closed)
    ]
    scan = FolderScan([], [], [], gone, [*unreadable.items(), *outside.items()], [])
    for file in found.values():
        if file.known is None or file.known.stamp != file.stamp or str(file.path) in anew:
            scan.to_read.append(file)
        elif file.known.failed_at is None:
            scan.unchanged.append(file)
        elif 0 <= time.time() - file.known.failed_at < FAILED_AGAIN_S:
            scan.failed_before.append(file)
        else:
            scan.to_read.append(file)
    _find_renamed(scan, [*gone, *(one for path, one in known.items() if _has_left(path, found, roots))], check)
    return scan


def _has_left(path: str, found: Mapping[str, FoundFile], roots: Sequence[Path]) -> bool:
    """Whether the file of a document outside of the roots is gone while the folder that it was in is there."""
    if path in found or any(_is_below(path, str(root)) for root in roots):
        return False
    return not os.path.lexists(path) and os.path.isdir(os.path.dirname(path))


def _find_renamed(scan: FolderScan, gone: Sequence[KnownFile], check: Callable[[], None]) -> None:
    """Move the new files that are gone documents under another name into ``scan.renamed``. A file is read only where
    one that is gone had its size."""
    by_size: dict[int, list[KnownFile]] = {}
    for document in gone:
        if document.failed_at is None and not document.unfinished:
            by_size.setdefault(document.stamp.size, []).append(document)
    new = [file for file in scan.to_read if file.known is None and file.stamp.size in by_size]
    for file in new:
        digest = file_digest(file.path, check)
        same = [
            one for one in by_size[file.stamp.size] if one.hash == digest and kind_of(one.path) == kind_of(file.path)
        ]
        if same:
            document = max(same, key=lambda one: os.path.basename(one.path) == file.path.name)
            by_size[file.stamp.size].remove(document)
            scan.renamed.append((file, document))
    files = {str(file.path) for file, _ in scan.renamed}
    documents = {document.id for _, document in scan.renamed}
    scan.to_read[:] = [file for file in scan.to_read if str(file.path) not in files]
    scan.gone[:] = [document for document in scan.gone if document.id not in documents]


def is_changed(path: str, size: int, mtime_ns: int, digest: str) -> bool:
    """Whether a file is no longer as it was read, or no longer there. Where only its time differs, a small one is
    compared by its SHA-256; a large one counts as changed."""
    if size < 0 or mtime_ns == UNFINISHED_NS:
        return False
    now = _stamp(Path(path))
    if now.size != size:
        return True
    return now.mtime_ns != mtime_ns and (size > LARGEST_COMPARED or file_digest(Path(path), lambda: None) != digest)


def differs(path: str, digest: str) -> bool:
    """Whether a file has another SHA-256 than the one that was read, or is no longer there; a large one is not looked
    into."""
    try:
        size = os.stat(path).st_size
    except OSError:
        return True
    return size <= LARGEST_COMPARED and file_digest(Path(path), lambda: None) != digest


def file_digest(path: Path, check: Callable[[], None]) -> str:
    """The SHA-256 of a file, "" where it cannot be read: reading it as a document gives the reason."""
    digest = hashlib.sha256()
    try:
        with open_regular(path) as opened:
            while block := opened.read(1 << 20):
                check()
                digest.update(block)
    except (OSError, SpecialFile):
        return ""
    return digest.hexdigest()


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
