"""How this program is installed: by an installer, with a Python of its own, or by pip or from a checkout.

An installer's tree is ``ROOT/{bin,python,installation.json}``. It can be moved and be read-only; nothing in it names
its own place.
"""

from __future__ import annotations

import functools
import importlib.util
import sys
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Literal

import msgspec

from workbench.base.stored import Stored, Unreadable


def base_release() -> str:
    """The llama.cpp that the program came with: a release of llama-cpp-python holds the source of one commit, and a
    pack's library must be of the same. (The commit that ggml reports is that of the repository in which it was
    built.)"""
    return release_name(metadata.version("llama-cpp-python"))


def has_image_library() -> bool:
    """Whether llama.cpp's library for images (``mtmd``) came with the program; it is not loaded here."""
    spec = importlib.util.find_spec("llama_cpp")
    return spec is not None and spec.origin is not None and any((Path(spec.origin).parent / "lib").glob("*mtmd*"))


def release_name(version: str) -> str:
    """A release of llama-cpp-python by its name, as in ``base_release``."""
    return f"llama-cpp-python {version}"


Kind = Literal["deb", "run", "windows", "macos", "folder"]

FILE = "installation.json"
FOREIGN_VARIABLES = (
    "PYTHONPATH",
    "PYTHONHOME",
    "PYTHONSTARTUP",
    "PYTHONINSPECT",
    "PYTHONOPTIMIZE",
    "PYTHONPLATLIBDIR",
    "PYTHONEXECUTABLE",
    "PYTHONUSERBASE",
    "PYTHONPYCACHEPREFIX",
    "PYTHONWARNINGS",
    "PYTHONBREAKPOINT",
    "QT_PLUGIN_PATH",
    "QT_QPA_PLATFORM_PLUGIN_PATH",
    "GGML_BACKEND_PATH",
    "LLAMA_CPP_LIB_PATH",
)
"""Variables with which another Python, Qt or ggml would be mixed into ours. The launchers unset the same ones."""


class Installation(msgspec.Struct, frozen=True, kw_only=True):
    """``llama_cpp`` is the commit, or the release, of llama.cpp that the tree's libraries were built from;
    ``platform`` such as "linux-x86_64". ``root`` is where the tree is now, and is not stored."""

    kind: Kind
    version: str
    platform: str
    llama_cpp: str = ""
    python: str = ""
    source: str = ""
    root: str = ""


STORED: Stored[Installation] = Stored("description of this installation", Installation)


@functools.cache
def installation() -> Installation | None:
    """The installer's tree that this process runs from; None for pip and checkouts."""
    return find_installation(Path(sys.prefix))


def find_installation(prefix: Path) -> Installation | None:
    """As ``installation``, for a Python whose ``sys.prefix`` is given: ``ROOT/python``, or within an app bundle."""
    for root in (prefix.parent, prefix.parent.parent):
        found = STORED.load(root / FILE)
        if found is None or isinstance(found, Unreadable):
            continue
        return msgspec.structs.replace(found, root=str(root))
    return None


def without_foreign(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment without what would mix other installations into this one, and without the user's own packages."""
    cleaned = {name: value for name, value in environment.items() if name not in FOREIGN_VARIABLES}
    return {**cleaned, "PYTHONNOUSERSITE": "1"}
