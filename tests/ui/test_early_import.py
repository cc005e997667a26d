"""What pages are made of is imported on the GUI thread, one module in a turn of the event loop."""

from __future__ import annotations

import subprocess
import sys
import threading
import types
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

import ui
from ui.early_import import EarlyImport
from ui.features import PAGES

ONE_BY_ONE = """
import importlib, sys
import ui.shell
from ui.early_import import modules_of

def ours():
    return {name for name in sys.modules if name.partition(".")[0] in ("ui", "workbench")}

most, imported, before = 0, [], ours()
for name in modules_of(sys.argv[1], set(sys.modules)):
    if name:
        importlib.import_module(name)
        imported.append(name)
    most, before = max(most, len(ours() - before)), ours()
print(most, len(imported), imported[-1])
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A package within the program's own, of a module that imports another, and one that cannot be imported."""
    for name, text in {
        "one": "import threading\nfrom workbench.imported_early import two\nTHREAD = threading.current_thread()",
        "two": "",
        "broken": "import nothing_of_that_name",
    }.items():
        (tmp_path / f"{name}.py").write_text(text)
    name = "workbench.imported_early"
    module = types.ModuleType(name)
    module.__path__ = [str(tmp_path)]
    monkeypatch.setitem(sys.modules, name, module)
    yield name
    for part in ("one", "two", "broken"):
        sys.modules.pop(f"{name}.{part}", None)


@pytest.mark.parametrize("module", [entry.entry.partition(":")[0] for entry in PAGES])
def test_a_page_is_imported_module_by_module(module: str) -> None:
    done = subprocess.run([sys.executable, "-c", ONE_BY_ONE, module], capture_output=True, text=True, check=True)
    most, count, last = done.stdout.split()
    assert (most, last) == ("1", module)
    assert int(count) > 5


def test_it_imports_on_the_gui_thread_and_then_says_so(qtbot: QtBot, package: str) -> None:
    parent = QObject()
    there: list[bool] = []
    EarlyImport(f"{package}.one", lambda: there.append(True), parent)
    assert f"{package}.one" not in sys.modules  # in later turns
    qtbot.waitUntil(lambda: bool(there))
    assert sys.modules[f"{package}.one"].THREAD is threading.main_thread()
    assert f"{package}.two" in sys.modules


def test_what_cannot_be_imported_is_left_to_whoever_needs_it(qtbot: QtBot, package: str) -> None:
    parent = QObject()
    there: list[bool] = []
    EarlyImport(f"{package}.broken", lambda: there.append(True), parent)
    qtbot.waitUntil(lambda: bool(there))
    assert f"{package}.broken" not in sys.modules


def test_the_window_makes_no_thread() -> None:
    """A class that makes a Qt type crashes the program where it is made on another thread than Qt's."""
    folder = Path(ui.__file__).parent
    for file in folder.rglob("*.py"):
        assert "Thread(" not in file.read_text("utf-8"), file
