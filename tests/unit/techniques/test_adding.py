"""The pages on adding a technique and a tool, carried out in a copy of the program: these files and nothing else."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[3]
BEFORE = {
    "workbench/techniques/prompting/methods.py": "\n)\n",
    "workbench/techniques/tools/methods.py": "\n)\n",
    "workbench/subjects/agents/tools.py": "\n\n\n@dataclass(frozen=True, eq=False)\nclass AgentTools:",
}
"""What a block stands before in a file that is there already: at its last place."""

pytestmark = pytest.mark.slow


class Added(NamedTuple):
    """What a page adds: the files that its Python blocks name, and the copy that has them."""

    files: list[str]
    checks: tuple[str, ...]
    copy: Path

    def run(self, *argv: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "PYTHONPATH": str(self.copy), "QT_QPA_PLATFORM": "offscreen"}
        return subprocess.run([sys.executable, *argv], cwd=self.copy, env=environment, capture_output=True, text=True)


PAGES: dict[str, tuple[dict[str, int], tuple[str, ...]]] = {
    "adding-a-technique.md": ({"# Adding a technique": 3}, ("tests/ui/added_technique.py",)),
    "adding-a-tool.md": (
        {"## A tool of one function": 3, "## A tool that needs a service": 4},
        ("tests/e2e/added_tool.py", "tests/unit/tools"),
    ),
}
"""Of each page: its additions, by their headings, with the most files that each may touch; and what is checked beside
their own tests."""


@pytest.fixture(scope="module", params=PAGES)
def added(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Added:
    """The program with what a page adds."""
    additions, checks = PAGES[request.param]
    page = (ROOT / "docs" / request.param).read_text("utf-8")
    blocks: list[tuple[str, str]] = []
    for heading, most in additions.items():
        _, found, rest = page.partition(f"{heading}\n")
        assert found
        for other in additions:
            rest = rest.partition(f"\n{other}\n")[0]
        added = re.findall(r"```python\n# (\S+)\n(.*?)```", rest, re.DOTALL)
        assert 0 < len({name for name, _ in added}) <= most
        assert any(name.startswith("tests/") for name, _ in added)
        blocks += added
    copy = tmp_path_factory.mktemp("program")
    for name in ("workbench", "ui", "resources", "tests"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", copy)
    (copy / "docs").mkdir()
    for name, text in blocks:
        path = copy / name
        if name in BEFORE:
            above, place, below = path.read_text("utf-8").rpartition(BEFORE[name])
            assert place
            parted = "\n" if place == "\n)\n" else "\n\n"
            text = f"{above}{parted}{text.rstrip()}{place}{below}"
        else:
            assert not path.exists()
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")
    return Added(sorted({name for name, _ in blocks}), checks, copy)


def test_it_is_wherever_a_person_looks_for_it_and_its_own_test_passes(added: Added) -> None:
    own = [name for name in added.files if name.startswith("tests/")]
    added.run("-m", "workbench.methods", "docs/techniques.md")
    checks = (*own, *added.checks, "tests/unit/techniques/test_registry.py")
    done = added.run("-m", "pytest", "-q", "-p", "no:cacheprovider", *checks)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_blocks_are_in_the_project_s_style(added: Added) -> None:
    for command in (["check"], ["format", "--check"]):
        done = added.run("-m", "ruff", *command, *added.files)
        assert done.returncode == 0, done.stdout + done.stderr
