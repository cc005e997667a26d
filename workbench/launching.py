"""How this program starts itself again as another process: from a checkout, an installation or a frozen build."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def python_command(module: str, frozen_flag: str, argument: str, interpreter: str | None = None) -> list[str]:
    """The command line of ``python -m module argument``; a frozen build has no Python to be found, so it starts
    its own executable with ``frozen_flag argument`` instead."""
    if interpreter is None and is_frozen():
        return [sys.executable, frozen_flag, argument]
    # -P: a file in the current folder must not stand in for a module of ours
    return [interpreter or sys.executable, "-P", "-m", module, argument]


def import_path() -> dict[str, str]:
    """The environment that lets a child import this ``workbench`` when it runs from a checkout not installed."""
    root = Path(__file__).parents[1]
    if root.name in ("site-packages", "dist-packages") or is_frozen():
        return {}
    before = os.environ.get("PYTHONPATH")
    return {"PYTHONPATH": os.pathsep.join([str(root), before] if before else [str(root)])}


def is_frozen() -> bool:
    return bool(getattr(sys, "frozen", False))
