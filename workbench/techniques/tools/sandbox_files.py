"""Where the sandbox's interpreter is, and the files that it needs to start. Light: nothing of it is imported."""

from __future__ import annotations

import importlib.util
import os
import sys
import sysconfig
from pathlib import Path

PACKAGE = "pydantic_monty"
_LIBRARIES = ("libc.so.6", "libm.so.6", "libgcc_s.so.1", "libpthread.so.0", "libdl.so.2", "librt.so.1")


def interpreter_file() -> Path | None:
    """The program of the interpreter, installed beside Python's own; None when it, or its library, is missing."""
    if importlib.util.find_spec(PACKAGE) is None:
        return None
    name = "monty.exe" if sys.platform == "win32" else "monty"
    schemes = (sysconfig.get_default_scheme(), f"{os.name}_user")
    folders = [sysconfig.get_path("scripts", scheme) for scheme in schemes if scheme in sysconfig.get_scheme_names()]
    return next((Path(folder, name) for folder in folders if Path(folder, name).is_file()), None)


def library_files() -> tuple[list[Path], list[Path]]:
    """On Linux the system's libraries that the interpreter is linked to, and the loaders that start it, found from
    those that this process has loaded."""
    if sys.platform != "linux":
        return [], []
    maps = [line.split(maxsplit=5) for line in Path("/proc/self/maps").read_text("utf-8", "replace").splitlines()]
    loaded = {Path(parts[5].strip()).resolve() for parts in maps if len(parts) == 6 and parts[5].startswith("/")}
    loaders = {path for path in loaded if path.name.startswith("ld-")}
    folders = {path.parent for path in loaded if path.name.startswith(("libc.so", "libc-", "ld-"))}
    libraries = {(folder / name).resolve() for folder in folders for name in _LIBRARIES if (folder / name).is_file()}
    return sorted(libraries), sorted(loaders)
