"""Folders for files that are not to be kept: in memory where the system offers that, and gone with their process."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
import tempfile
from pathlib import Path

import psutil

_IN_MEMORY = Path("/dev/shm")  # Linux's file system in memory
_LEAST_FREE = 256 << 20


def new_memory_folder(name: str) -> Path:
    """A new folder that only this user can read: in memory on Linux, elsewhere among the temporary files. Those that
    processes which have died have left under the same name are deleted."""
    delete_left(name)
    place = _IN_MEMORY if _has_room(_IN_MEMORY) else Path(tempfile.gettempdir())
    folder = place / f"{name}-{os.getpid()}-{secrets.token_hex(6)}"
    folder.mkdir(mode=0o700)
    return folder


def delete_left(name: str) -> None:
    """Delete the folders of this name that processes which have died have left."""
    for place in (_IN_MEMORY, Path(tempfile.gettempdir())):
        _delete_left_in(place, name)


def _has_room(place: Path) -> bool:
    try:
        return place.is_dir() and os.access(place, os.W_OK) and shutil.disk_usage(place).free >= _LEAST_FREE
    except OSError:
        return False


def _delete_left_in(place: Path, name: str) -> None:
    pattern = re.compile(rf"{re.escape(name)}-(\d+)-[0-9a-f]{{12}}")
    for folder in place.glob(f"{name}-*"):
        found = pattern.fullmatch(folder.name)
        if found is None or psutil.pid_exists(int(found[1])) or folder.is_symlink():
            continue
        with contextlib.suppress(OSError):
            if not hasattr(os, "getuid") or folder.stat().st_uid == os.getuid():
                shutil.rmtree(folder, ignore_errors=True)
