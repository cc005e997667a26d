"""The house: which way imports run, that the contracts notice a wrong one, and how much the wiring may hold."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PLANTED = {
    "Arrows run down": ("workbench/records/messages.py", "import workbench.engine.library"),
    "Techniques of one level know nothing of each other": (
        "workbench/techniques/decoding/methods.py",
        "import workbench.techniques.prompting.methods",
    ),
    "The window knows values, calls and the client only": ("ui/statusbar.py", "import workbench.storage.database"),
    "The window has layers": ("ui/components/basics.py", "import ui.features.chat.texts"),
    "Pages know no other page": ("ui/features/models/page.py", "import ui.features.welcome.page"),
    "Calls, values and the client are light": ("workbench/subjects/chats/calls.py", "import apsw"),
    "What is not the window imports no Qt": ("workbench/base/paths.py", "import PySide6"),
    "The terminal knows the registry, for its help, and no technique": (
        "workbench/cli/ask.py",
        "import workbench.techniques.composition",
    ),
    "The packages of the extra training are imported where they are needed only": (
        "workbench/reading/text.py",
        "import torch",
    ),
}
"""An import that breaks each contract."""


def contracts(folder: Path) -> dict[str, str]:
    """What import-linter says of each contract: KEPT or BROKEN."""
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as run; run(['--no-cache'])"]
    told = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False).stdout
    lines = [line for line in told.splitlines() if line.endswith((" KEPT", " BROKEN"))]
    return {name: verdict for name, _, verdict in (line.rpartition(" ") for line in lines)}


@pytest.mark.slow
def test_each_contract_notices_an_import_that_breaks_it(tmp_path: Path) -> None:
    names = {name for name, verdict in contracts(ROOT).items() if verdict == "KEPT"}
    assert names == PLANTED.keys()
    for name in ("workbench", "ui"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "tests").mkdir()
    for name in ("pyproject.toml", "tests/import_contracts.py"):
        shutil.copy(ROOT / name, tmp_path / name)
    for file, planted in PLANTED.values():
        path = tmp_path / file
        path.write_text(f"{path.read_text('utf-8')}\n\n{planted}\n", "utf-8")
    assert contracts(tmp_path) == dict.fromkeys(PLANTED, "BROKEN")


def modules() -> dict[str, Path]:
    found = {}
    for top in ("workbench", "ui"):
        for path in (ROOT / top).rglob("*.py"):
            parts = path.relative_to(ROOT).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imported(module: str, tree: ast.AST, known: dict[str, Path]) -> Iterator[str]:
    """The modules that a module imports, at its top or within a function, and not for the type checker alone."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        if isinstance(node, ast.ImportFrom) and node.module is not None:
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                yield whole if whole in known else node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        yield from imported(module, node, known)


@pytest.mark.slow
def test_no_module_imports_itself_by_way_of_others() -> None:
    known = modules()
    arrows = {
        module: {name for name in imported(module, ast.parse(path.read_text("utf-8")), known) if name in known}
        for module, path in known.items()
    }
    left = {module: targets - {module} for module, targets in arrows.items()}
    while free := {module for module, targets in left.items() if not targets & left.keys()}:
        left = {module: targets for module, targets in left.items() if module not in free}
    assert sorted(left) == [], "these stand in a circle, or above one"


def test_the_core_is_wired_where_its_subjects_are() -> None:
    assert len((ROOT / "workbench" / "app.py").read_text("utf-8").splitlines()) <= 160
    assert "ignore_imports" not in (ROOT / "pyproject.toml").read_text("utf-8")
