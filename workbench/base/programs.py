"""Programs of the machine that are no part of this one: where they are. Starts none of them."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

_MACOS = ("/opt/homebrew/bin", "/usr/local/bin", "/opt/local/bin")
"""A program that was started from the desktop of macOS does not have these in its PATH."""


def find_program(names: Sequence[str], windows: Sequence[str] = (), macos: Sequence[str] = ()) -> Path | None:
    """The first of ``names`` on PATH, or at one of the usual places: ``windows`` are below the folders of programs,
    such as ``Tesseract-OCR/tesseract.exe``, ``macos`` whole paths. The current folder is not looked at."""
    for name in names:
        found = shutil.which(name)
        if found is not None and Path(found).parent.resolve() != Path.cwd():
            return Path(found).absolute()
    places: list[Path] = []
    if sys.platform == "win32":
        roots = [
            os.environ[name] for name in ("ProgramW6432", "ProgramFiles", "ProgramFiles(x86)") if name in os.environ
        ]
        if "LOCALAPPDATA" in os.environ:
            roots.append(os.path.join(os.environ["LOCALAPPDATA"], "Programs"))
        places = [Path(root) / place for root in roots for place in windows]
    elif sys.platform == "darwin":
        places = [*map(Path, macos), *(Path(folder) / name for folder in _MACOS for name in names)]
    return next((place for place in places if place.is_file() and os.access(place, os.X_OK)), None)
