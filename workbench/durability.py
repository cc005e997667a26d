"""What was written, made to outlast a loss of power: a file's content, and the names in a folder."""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO


def flush_to_disk(file: IO[bytes]) -> None:
    """Return when what was written to ``file`` is on the disk."""
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
