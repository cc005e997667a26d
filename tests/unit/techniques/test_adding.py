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
    """What a page adds: its Python blocks, by the file that the first line names, and the copy that has them."""

    blocks: dict[str, str]
    checks: tuple[str, ...]
    copy: Path

    def run(self, *argv: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "PYTHONPATH": str(self.copy), "QT_QPA_PLATFORM": "offscreen"}
        return subprocess.run([sys.executable, *argv], cwd=self.copy, env=environment, capture_output=True, text=True)


PAGES = {  # the most files that it may touch, and what is checked beside its own test
    "adding-a-technique.md": (3, ("tests/ui/added_technique.py",)),
    "adding-a-tool.md": (4, ("tests/e2e/added_tool.py", "tests/unit/tools")),
}


@pytest.fixture(scope="module", params=PAGES)
def added(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Added:
    """The program with what a page adds."""
    most, checks = PAGES[request.param]
    page = (ROOT / "docs" / request.param).read_text("utf-8")
    blocks: dict[str, str] = dict(re.findall(r"```python\n# (\S+)\n(.*?)```", page, re.DOTALL))
    assert 0 < len(blocks) <= most
    assert any(name.startswith("tests/") for name in blocks)
    copy = tmp_path_factory.mktemp("program")
    for name in ("workbench", "ui", "resources", "tests"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", copy)
    (copy / "docs").mkdir()
    for name, text in blocks.items():
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
    return Added(blocks, checks, copy)


def test_it_is_wherever_a_person_looks_for_it_and_its_own_test_passes(added: Added) -> None:
    own = next(name for name in added.blocks if name.startswith("tests/"))
    table = added.run("-m", "workbench.methods")
    (added.copy / "docs" / "techniques.md").write_text(table.stdout, "utf-8")
    checks = (own, *added.checks, "tests/unit/techniques/test_registry.py")
    done = added.run("-m", "pytest", "-q", "-p", "no:cacheprovider", *checks)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_blocks_are_in_the_project_s_style(added: Added) -> None:
    for command in (["check"], ["format", "--check"]):
        done = added.run("-m", "ruff", *command, *added.blocks)
        assert done.returncode == 0, done.stdout + done.stderr
