"""Imports a model, by reference or as a copy in the home folder, and removes it.

A copy is written beside its place, flushed to the disk, read back and compared, and only then renamed: whatever
happens, there is a complete model or none.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import secrets
import shutil
import uuid
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import msgspec
import psutil

from workbench.api.events import Progress
from workbench.api.protocol import RequestContext
from workbench.base.durability import flush_folder, flush_to_disk, no_room
from workbench.base.errors import UserError
from workbench.base.files import open_regular
from workbench.base.paths import free_bytes
from workbench.gguf.inspection import inspect_path
from workbench.gguf.names import clean_name, file_safe, unique_name
from workbench.gguf.projectors import find_projector
from workbench.records.models import ModelRecord
from workbench.subjects.models.checksums import BLOCK, Checksums

Report = Callable[[Progress], None]
SPARE_BYTES = 64 * 1024 * 1024
"""Space that a copy leaves free on the disk."""

_DISK_FULL = {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}
_UNFINISHED = re.compile(r"\.unfinished-(\d+)-[0-9a-f]{12}")


def import_model(
    path: Path,
    folder: Path,
    checksums: Checksums,
    *,
    taken: Collection[str] = (),
    name: str = "",
    copy: bool = False,
    context: RequestContext | None = None,
    report: Report | None = None,
) -> ModelRecord:
    """The catalogue's record of the model at ``path``: by reference, or copied into ``folder`` first.

    ``taken`` are the names in the catalogue. Without ``name`` one is made from the model's metadata and made unique.
    ``report`` gets the progress in bytes. Raises UserError when the model is damaged, the name is taken, or the disk is
    full (before writing, where that can be known); errors.Cancelled when the request was cancelled. Nothing incomplete
    is left.
    """
    details = inspect_path(path)
    record = details.model
    if record.kind != "embedder" and record.format == "gguf":
        record = msgspec.structs.replace(record, projector=find_projector(details))
    wanted = clean_name(name)
    if name and not wanted:
        raise UserError("The model's name is empty.")
    if wanted.casefold() in {t.casefold() for t in taken}:
        raise UserError(f"There is already a model named {wanted!r}.", "Choose another name.")
    record = msgspec.structs.replace(
        record,
        name=wanted or unique_name(record.name, taken, record.quantization),
        sha256=checksums.known(record.files),
    )
    if copy:
        return copy_model(record, folder, checksums, context=context, report=report)
    return record


def copy_model(
    record: ModelRecord,
    folder: Path,
    checksums: Checksums,
    *,
    context: RequestContext | None = None,
    report: Report | None = None,
) -> ModelRecord:
    """Copy a model's files into a new folder of their own below ``folder``; returns the record of the copy."""
    source = Path(record.path)
    root = source if source.is_dir() else source.parent
    projector = Path(record.projector) if record.projector else None
    total = record.bytes + (projector.stat().st_size if projector is not None else 0)
    every = [*map(Path, record.files), *([projector] if projector is not None else [])]
    with new_folder(folder, record.name, total, "import the model without a copy") as (beside, place):
        copier = _Copier(total, context or RequestContext(), report)
        sums: dict[str, str] = {}
        for file in every:
            relative = file.relative_to(root)
            target = beside / relative
            target.parent.mkdir(parents=True, exist_ok=True)
            sums[str(place / relative)] = copier.copy(file, target)
        for file in every:
            relative = file.relative_to(root)
            copier.check(file, beside / relative, sums[str(place / relative)])
    for copied, sha256 in sums.items():
        checksums.remember(Path(copied), sha256)
    copied_projector = str(place / projector.relative_to(root)) if projector is not None else ""
    files = tuple(file for file in sums if file != copied_projector)
    return msgspec.structs.replace(
        record,
        path=str(place if source.is_dir() else place / source.name),
        files=files,
        projector=copied_projector,
        owned=True,
        sha256=checksums.known(files),
    )


@contextmanager
def new_folder(folder: Path, name: str, needed_bytes: int, otherwise: str = "") -> Iterator[tuple[Path, Path]]:
    """A new folder below ``folder`` that gets its name only on success.

    Gives the place to write to and the final place. Raises UserError when the disk has not ``needed_bytes`` and some to
    spare, or fills up meanwhile; ``otherwise`` is what a person can do then.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        remove_unfinished(folder)
        if free_bytes(folder) < needed_bytes + SPARE_BYTES:
            raise no_room(repr(name), folder, needed_bytes, SPARE_BYTES, otherwise)
        beside = folder / f".unfinished-{os.getpid()}-{uuid.uuid4().hex[:12]}"
        place = _free_place(folder, file_safe(name))
        beside.mkdir()
        try:
            yield beside, place
            flush_folder(beside)
            beside.rename(place)
            flush_folder(folder)
        except BaseException:
            shutil.rmtree(beside, ignore_errors=True)
            raise
    except OSError as error:
        if error.errno in _DISK_FULL:
            raise no_room(repr(name), folder, needed_bytes, SPARE_BYTES, otherwise) from error
        raise UserError(
            f"{name!r} cannot be written to {folder}: {error.strerror or error}.", "Check the folder and its disk."
        ) from error


def remove_unfinished(folder: Path) -> None:
    """Delete incomplete copies of processes that died. Several homes may keep their models in one folder."""
    for path in folder.glob(".unfinished-*"):
        match = _UNFINISHED.fullmatch(path.name)
        if match and not _is_alive(int(match[1])):
            path.unlink(missing_ok=True) if path.is_file() else shutil.rmtree(path, ignore_errors=True)


def _is_alive(pid: int) -> bool:
    try:
        return psutil.pid_exists(pid)
    except OverflowError:  # no process has such a number
        return False


def own_place(record: ModelRecord, folder: Path) -> Path | None:
    """The file or folder directly below ``folder`` that holds a model's files, where the program made them."""
    if not record.owned or not record.path:
        return None
    path = Path(record.path)
    try:
        top = folder / path.relative_to(folder).parts[0]
    except (ValueError, IndexError):
        return None
    return None if ".." in path.parts or top.is_symlink() else top


def move_place(top: Path, to: Path, name: str) -> None:
    """Rename the files of a model within their folder: they are either here or there. Raises UserError."""
    try:
        top.rename(to)
        flush_folder(to.parent)
    except OSError as error:
        raise UserError(
            f"The files of {name!r} in {top} cannot be moved: {error.strerror or error}.",
            "Close the programs that use them and try again.",
        ) from error


def delete_place(top: Path, name: str) -> None:
    """Delete the files of a model, of which nothing is left that looks whole, also after a kill. Raises UserError."""
    going = top.with_name(f".unfinished-{os.getpid()}-{secrets.token_hex(6)}")
    move_place(top, going, name)
    try:
        shutil.rmtree(going) if going.is_dir() else going.unlink()
    except OSError as error:
        raise UserError(
            f"The files of {name!r} in {going} cannot be deleted: {error.strerror or error}.",
            "Close the programs that use them; they are deleted at the next start.",
        ) from error


class _Copier:
    """Copies and compares files, and reports the overall progress. Copying is one half of the work."""

    def __init__(self, total: int, context: RequestContext, report: Report | None) -> None:
        self._total = total
        self._context = context
        self._report = report
        self._done = 0

    def copy(self, source: Path, target: Path) -> str:
        """Copy one file; returns the SHA-256 of the bytes read."""
        digest = hashlib.sha256()
        try:
            reading = open_regular(source)
        except OSError as error:
            raise UserError(f"{source} cannot be read: {error.strerror or error}.") from error
        with reading, target.open("wb") as writing:
            while block := self._read(source, reading):
                digest.update(block)
                writing.write(block)
                self._advance("copying", len(block))
            flush_to_disk(writing)
        return digest.hexdigest()

    def check(self, source: Path, target: Path, sha256: str) -> None:
        """Read a copy back; raises UserError when it differs from the bytes read from ``source``."""
        digest = hashlib.sha256()
        with target.open("rb") as reading:
            while block := self._read(target, reading):
                digest.update(block)
                self._advance("checking", len(block))
        if digest.hexdigest() != sha256 or target.stat().st_size != source.stat().st_size:
            raise UserError(
                f"The copy of {source} differs from the original.",
                "The disk may be failing, or the file changed during the copy: try again.",
            )

    def _read(self, path: Path, file: BinaryIO) -> bytes:
        self._context.raise_if_cancelled()
        try:
            return file.read(BLOCK)
        except OSError as error:
            raise UserError(f"{path} cannot be read: {error.strerror or error}.") from error

    def _advance(self, stage: str, count: int) -> None:
        self._done += count
        if self._report is not None:
            self._report(Progress(stage=stage, done=self._done, total=2 * self._total, unit="bytes"))


def _free_place(folder: Path, name: str) -> Path:
    place, number = folder / name, 2
    while place.exists():
        place, number = folder / f"{name}-{number}", number + 1
    return place
