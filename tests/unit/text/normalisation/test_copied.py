"""What an exported training scores by is whole: its files import the standard library and each other only."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

from workbench.training.export import _copy_scripts


def _imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {one.name for one in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {str(node.module)} | {f"{node.module}.{one.name}" for one in node.names}
    return names


def test_the_copied_files_import_the_standard_library_and_each_other(tmp_path: Path) -> None:
    _copy_scripts(tmp_path, rewarded=True)
    files = sorted((tmp_path / "workbench").rglob("*.py"))
    copied = {".".join(one.relative_to(tmp_path).with_suffix("").parts) for one in files}
    assert {"workbench.text.metrics", "workbench.rewards.values", "workbench.text.normalisation.words"} <= copied
    for file in files:
        for name in _imported(file):
            if name.split(".")[0] == "workbench":
                assert name in copied or name.rpartition(".")[0] in copied or f"{name}.__init__" in copied, (file, name)
            else:
                assert name.split(".")[0] in sys.stdlib_module_names, (file, name)
