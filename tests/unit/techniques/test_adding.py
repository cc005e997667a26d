"""docs/adding-a-technique.md, carried out in a copy of the program: one module, one row, one test, nothing else."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "adding-a-technique.md"
ROWS = "workbench/techniques/prompting/methods.py"

pytestmark = pytest.mark.slow


def blocks() -> dict[str, str]:
    """The page's Python blocks, by the file that the first line names."""
    found = re.findall(r"```python\n# (\S+)\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    return dict(found)


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program with what the page adds."""
    copy = tmp_path_factory.mktemp("program")
    for name in ("workbench", "ui", "resources", "tests"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", copy)
    (copy / "docs").mkdir()
    files = blocks()
    assert len(files) == 3, "a module, a row and a test"
    for name, text in files.items():
        path = copy / name
        if name == ROWS:
            rows, closing, rest = path.read_text("utf-8").rpartition("\n)\n")
            text = f"{rows}\n{text.rstrip()}{closing}{rest}"
        else:
            assert not path.exists()
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")
    return copy


def run(copy: Path, *argv: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(copy), "QT_QPA_PLATFORM": "offscreen"}
    return subprocess.run([sys.executable, *argv], cwd=copy, env=environment, capture_output=True, text=True)


def test_it_is_in_window_terminal_help_steps_and_docs_and_its_own_test_passes(copy: Path) -> None:
    own = next(name for name in blocks() if name.startswith("tests/"))
    checks = ("tests/ui/added_technique.py", "tests/unit/techniques/test_registry.py")
    table = run(copy, "-m", "workbench.methods")
    (copy / "docs" / "techniques.md").write_text(table.stdout, "utf-8")
    done = run(copy, "-m", "pytest", "-q", "-p", "no:cacheprovider", own, *checks)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_blocks_are_in_the_project_s_style(copy: Path) -> None:
    for command in (["check"], ["format", "--check"]):
        done = run(copy, "-m", "ruff", *command, *blocks())
        assert done.returncode == 0, done.stdout + done.stderr
