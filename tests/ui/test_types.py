"""mypy's plugin for PySide6: keywords of constructors that the objects have, and those that they do not."""

from __future__ import annotations

from pathlib import Path

import pytest

api = pytest.importorskip("mypy.api")
pytestmark = pytest.mark.slow
PROGRAM = """
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QLineEdit, QWidget

def on() -> None: ...

QTimer(interval=3, timeout=on)
QWidget(fixedHeight=3, toolTip="a")
QLineEdit("words", textEdited=on)
QTimer(timeuot=on)
QLineEdit(wordWrap=True)
"""


def test_unknown_keywords_alone_are_errors(tmp_path: Path) -> None:
    config = Path(__file__).parents[2] / "pyproject.toml"
    program = tmp_path / "program.py"
    program.write_text(PROGRAM, "utf-8")
    said, problems, _ = api.run(["--config-file", str(config), "--cache-dir", str(tmp_path), str(program)])
    assert not problems
    found = [line for line in said.splitlines() if "Unexpected keyword" in line]
    assert [line.split('"')[1] for line in found] == ["timeuot", "wordWrap"], said
