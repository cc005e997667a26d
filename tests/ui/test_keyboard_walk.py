"""From an empty home to a cited answer with keys alone, by somebody who knows what the tree of accessible objects says:
over a real core with the starter model."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible, QAccessibleInterface, QGuiApplication, QWindow
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QWidget
from pytestqt.qtbot import QtBot

from tests.ui.person import PATIENCE_MS
from ui import texts
from ui.features.welcome.page import SAMPLES
from ui.main import open_window
from ui.shell import Shell
from workbench.base.paths import Home

pytestmark = [pytest.mark.slow, pytest.mark.process, pytest.mark.nightly, pytest.mark.timeout(600)]
MOST_TABS = 200


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path, qapp: QApplication) -> Iterator[Shell]:
    window = open_window(Home(tmp_path / "home"))
    window.resize(1280, 800)
    window.activateWindow()
    yield window
    window.close()
    window.deleteLater()


class Listener:
    """Hears what has the keyboard, and presses keys."""

    def __init__(self, window: Shell, qtbot: QtBot) -> None:
        self.nameless: set[str] = set()
        self.heard: list[str] = []
        self._window, self._qtbot = window, qtbot

    def press(self, key: Qt.Key, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
        QTest.keyClick(self._active(), key, modifier)
        self._hear()

    def type(self, words: str) -> None:
        for letter in words:
            QTest.keyClick(self._active(), letter)

    def here(self) -> QAccessibleInterface | None:
        widget = QApplication.focusWidget()
        return QAccessible.queryAccessibleInterface(widget) if widget is not None else None

    def go_to(self, wanted: str, whole: bool = True) -> None:
        """Press Tab until an object of this name has the keyboard, as soon as there is one."""
        until = time.monotonic() + PATIENCE_MS / 1000
        while time.monotonic() < until:
            for _ in range(MOST_TABS):
                found = self.here()
                name = found.text(QAccessible.Text.Name) if found is not None else ""
                fits = name == wanted if whole else name.startswith(wanted)
                if found is not None and fits and not found.state().disabled:
                    return
                self.press(Qt.Key.Key_Tab)
            self._qtbot.wait(200)
        raise AssertionError(f"{wanted} is not reached by Tab: {self.heard[-40:]}")

    def reads(self, words: str) -> bool:
        """Whether an object in sight tells these words, as its name, its text or its description."""
        return any(words in one for one in self.told())

    def told(self) -> Iterator[str]:
        for one in objects(QAccessible.queryAccessibleInterface(self._window)):
            yield one.text(QAccessible.Text.Name)
            yield one.text(QAccessible.Text.Description)
            text = one.textInterface()
            if text is not None:
                yield text.text(0, text.characterCount())

    def waits(self, there: Callable[[], bool]) -> None:
        self._qtbot.waitUntil(there, timeout=PATIENCE_MS)

    def _active(self) -> QWindow:
        """The window that has the keyboard; this platform gives it to none when a dialog closes."""
        if QGuiApplication.focusWindow() is None:
            self._window.activateWindow()
            self._qtbot.waitUntil(lambda: QGuiApplication.focusWindow() is not None, timeout=PATIENCE_MS)
        window = QGuiApplication.focusWindow()
        assert window is not None
        return window

    def _hear(self) -> None:
        found = self.here()
        if found is None:
            return
        name = found.text(QAccessible.Text.Name)
        self.heard.append(name)
        if not name and found.textInterface() is None:
            self.nameless.add(type(QApplication.focusWidget()).__name__)


def objects(root: QAccessibleInterface) -> Iterator[QAccessibleInterface]:
    """What is in sight below an object."""
    for number in range(root.childCount()):
        child = root.child(number)
        if child is not None and child.isValid() and not child.state().invisible:
            yield child
            yield from objects(child)


def test_keys_and_the_names_of_objects_lead_to_a_cited_answer(window: Shell, qtbot: QtBot, tmp_path: Path) -> None:
    folder = tmp_path / "Pump papers"
    shutil.copytree(SAMPLES, folder)
    person = Listener(window, qtbot)
    for step in ("I want answers from my documents", "Use the starter model, 98 MB", "Choose a folder…"):
        person.go_to(step)
        person.press(Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: bool(dialog_of(window)), timeout=PATIENCE_MS)
    person.type(str(folder))
    person.press(Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: not dialog_of(window), timeout=PATIENCE_MS)
    person.go_to("Ask a question")
    person.press(Qt.Key.Key_Space)
    person.waits(lambda: person.reads("Asking Pump papers"))
    person.go_to("Question")
    person.type("How long is the warranty on a new pump?")
    person.press(Qt.Key.Key_Return)
    person.waits(lambda: person.reads("Sources ("))
    assert person.reads("36 months")
    person.go_to("Source [1] ", whole=False)
    person.press(Qt.Key.Key_Return)
    marked = texts.MARKED_PASSAGE.format(text="").strip()
    person.waits(lambda: any(words.startswith(marked) and "36 months" in words for words in person.told()))
    for wanted in (texts.FIND_IN_SOURCE, texts.PRINT_SOURCE, texts.OPEN_ORIGINAL, texts.CLOSE_DOCUMENT):
        person.go_to(wanted)
    person.press(Qt.Key.Key_Return)
    person.waits(lambda: not any(words.startswith(marked) for words in person.told()))
    assert person.nameless == set()
    unnamed = [
        type(one.object()).__name__
        for one in objects(QAccessible.queryAccessibleInterface(window))
        if one.state().focusable and not one.text(QAccessible.Text.Name) and one.textInterface() is None
    ]
    assert unnamed == []


def dialog_of(window: Shell) -> list[QWidget]:
    return [one for one in window.findChildren(QFileDialog) if one.isVisible()]
