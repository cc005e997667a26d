"""Pages of docs that add something to the program, carried out in a copy of it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def blocks(page: str) -> list[tuple[str, str, str]]:
    """The page's blocks: the language, the file that the first line names, and the text."""
    text = (ROOT / "docs" / page).read_text("utf-8")
    return re.findall(r"```(python|diff)\n# (\S+)\n(.*?)```", text, re.DOTALL)


def patched(text: str, diff: str) -> str:
    """A text with the hunks of a diff, which ``@@`` divides. Each fits at one place."""
    for hunk in diff.split("@@\n"):
        lines = hunk.splitlines()
        before = "".join(f"{line[1:]}\n" for line in lines if line[:1] != "+")
        after = "".join(f"{line[1:]}\n" for line in lines if line[:1] != "-")
        assert text.count(before) == 1, before
        text = text.replace(before, after)
    return text


def program_with(page: str, copy: Path) -> Path:
    """A copy of the program with what a page adds."""
    for name in ("workbench", "ui", "resources", "tests"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", copy)
    for kind, name, text in blocks(page):
        path = copy / name
        if kind == "python":
            assert not path.exists()
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, "utf-8")
        else:
            path.write_text(patched(path.read_text("utf-8"), text), "utf-8")
    return copy


def run(copy: Path, *argv: str) -> subprocess.CompletedProcess[str]:
    """Python over the copy."""
    environment = {**os.environ, "PYTHONPATH": str(copy)}
    return subprocess.run([sys.executable, *argv], cwd=copy, env=environment, capture_output=True, text=True)
