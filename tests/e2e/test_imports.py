"""The window and the terminal start light: what is heavy is loaded only by the workers."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("torch", "transformers", "llama_cpp", "sentence_transformers", "pypdfium2", "tokenizers")


@pytest.mark.parametrize(
    ("module", "forbidden"),
    [
        ("ui.main", (*HEAVY, "apsw", "numpy")),
        ("ui.shell", (*HEAVY, "apsw")),
        ("workbench.cli", (*HEAVY, "PySide6", "apsw", "numpy")),
        ("workbench.api.client", (*HEAVY, "PySide6", "apsw", "numpy")),
        ("workbench.app", (*HEAVY, "PySide6")),
    ],
)
def test_importing_loads_nothing_heavy(module: str, forbidden: tuple[str, ...]) -> None:
    code = f"import sys, {module}; print(*sorted(set({forbidden!r}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
