"""The scripts of ``packaging/``, which is no package: the name is taken by one of PyPI."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "packaging"


def script(name: str) -> ModuleType:
    """A script as a module, by its path without ``.py``."""
    known = f"packaging_scripts_{name.replace('/', '_')}"
    if known in sys.modules:
        return sys.modules[known]
    path = FOLDER / f"{name}.py"
    spec = importlib.util.spec_from_file_location(known, path)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[known] = importlib.util.module_from_spec(spec)
    before = list(sys.path)
    sys.path[:0] = [str(path.parent), str(FOLDER)]
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path[:] = before
    return module
