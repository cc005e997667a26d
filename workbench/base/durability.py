"""Files that are complete or absent, also after a loss of power: written beside their place, flushed, renamed."""

from __future__ import annotations

import errno
import glob
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

import psutil

from workbench.base.errors import UserError
from workbench.base.paths import free_bytes


def flush_to_disk(file: IO[bytes]) -> None:
    """Return when the data written to ``file`` is on the disk."""
    file.flush()
    os.fsync(file.fileno())


def flush_folder(folder: Path) -> None:
    """Make the names in a folder durable. Windows does that by itself and cannot open folders."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def written_beside(out: Path) -> Iterator[Path]:
    """Gives a path in the folder of ``out`` to write to; afterwards the file takes the place of ``out``.

    Raised through, nothing is left and what was at ``out`` is untouched. The file is named ``.NAME.PID.part``: what a
    killed process left behind of the same file is removed first. Raises UserError when it cannot be written.
    """
    beside = out.with_name(f".{out.name}.{os.getpid()}.part")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        remove_left_behind(out)
        yield beside
        with beside.open("rb+") as file:
            flush_to_disk(file)
        os.replace(beside, out)
        flush_folder(out.parent)
    except OSError as error:
        raise UserError(
            f"{out} cannot be written: {error.strerror or error}.", "Free some space, or choose another folder."
        ) from error
    finally:
        with suppress(OSError):
            beside.unlink()


@contextmanager
def kept_beside(out: Path, what: str) -> Iterator[Path]:
    """Gives a path beside ``out`` for a file that is needed only on the way to it, ``.NAME.WHAT.PID.part``; afterwards
    it is removed. What a killed process left behind is removed with the unfinished file of the same ``out``."""
    out.parent.mkdir(parents=True, exist_ok=True)
    remove_left_behind(out)
    path = out.with_name(f".{out.name}.{what}.{os.getpid()}.part")
    try:
        yield path
    finally:
        with suppress(OSError):
            path.unlink()


@contextmanager
def folder_beside(out: Path, owner: str = "") -> Iterator[Path]:
    """Gives a new folder in that of ``out`` to fill; afterwards it becomes ``out``, which must not be there.

    Raised through, nothing is left. Its name is ``unfinished_folder(out, owner)``: what is there of the same owner is
    its own, left behind, and removed first; without one it is like no other. Raises UserError when ``out`` is there,
    also by then, or cannot be written.
    """
    _refuse_existing(out)
    beside = unfinished_folder(out, owner or uuid.uuid4().hex)
    shutil.rmtree(beside, ignore_errors=True)
    try:
        beside.mkdir(parents=True)
        yield beside
        _refuse_existing(out)  # another process may have been faster
        beside.rename(out)
    except OSError as error:
        if error.errno in (errno.EEXIST, errno.ENOTEMPTY):  # it came between the check and the renaming
            raise _exists(out) from error
        raise UserError(
            f"{out} cannot be written: {error.strerror or error}.", "Free some space, or choose another folder."
        ) from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def unfinished_folder(out: Path, owner: str) -> Path:
    return out.with_name(f".unfinished-{owner}")


def _refuse_existing(out: Path) -> None:
    if out.exists():
        raise _exists(out)


def _exists(out: Path) -> UserError:
    return UserError(f"{out} exists already.", "Choose the name of a new folder.")


def check_room(out: Path, needed: int, kept: int = 0, otherwise: str = "choose another disk") -> None:
    """Raises UserError when the disk of ``out`` has not ``needed`` bytes free, and ``kept`` that stay free.
    ``otherwise`` is what a person can do who cannot free some, "" for nothing."""
    free = free_bytes(out.parent)
    if needed + kept > free:
        raise no_room(out.name, out.parent, needed, kept, otherwise)


def no_room(name: str, folder: Path, needed: int, kept: int, otherwise: str = "choose another disk") -> UserError:
    """The error for what needs more space than there is; the space that the program leaves free is said too."""
    free = free_bytes(folder)
    reserve = f" and {_size(kept)} are kept free" if kept else ""
    missing = f"at least {_size(needed + kept - free)}" if needed + kept > free else "some space"
    return UserError(
        f"{name} needs {_size(max(needed, 1e6))} on the disk of {folder}{reserve}; {_size(free)} are free.",
        f"Free {missing}, or {otherwise}." if otherwise else f"Free {missing} and try again.",
    )


def _size(count: float) -> str:
    return f"{count / 1e9:,.2f} GB" if count >= 1e9 else f"{count / 1e6:,.0f} MB"


def remove_left_behind(out: Path) -> None:
    """Remove what killed processes left of an unfinished ``out``."""
    for part in out.parent.glob(f".{glob.escape(out.name)}.*.part"):
        process = part.name.removesuffix(".part").rpartition(".")[2]
        if not process.isdecimal() or not psutil.pid_exists(int(process)):
            part.unlink(missing_ok=True)
