"""From an empty home to the first result of *What pays*, by somebody who knows the texts on the screen alone.

Over a real core with the starter model; six clicks, and a limit of ten minutes for the machine.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest
from PySide6.QtWidgets import QAbstractButton, QApplication, QComboBox, QLabel, QWidget
from pytestqt.qtbot import QtBot

from ui.main import open_window
from ui.shell import Shell
from workbench.base.paths import Home

pytestmark = [pytest.mark.slow, pytest.mark.process, pytest.mark.nightly, pytest.mark.timeout(1_500)]
W = TypeVar("W", bound=QWidget)
PATIENCE_MS = 120_000
CLICKS = 6


class Person:
    """Reads the window and clicks."""

    def __init__(self, window: Shell, qtbot: QtBot) -> None:
        self.clicks = 0
        self._window, self._qtbot = window, qtbot

    def click(self, words: str) -> None:
        """Press what says this, as soon as it can be pressed."""
        self._when(lambda: self._button(words)).click()
        self.clicks += 1

    def choose(self, words: str) -> None:
        """Open the list that has this, and choose it."""
        box = self._when(lambda: next((one for one in self._seen(QComboBox) if one.findText(words) >= 0), None))
        box.setCurrentIndex(box.findText(words))
        box.activated.emit(box.currentIndex())
        self.clicks += 2

    def reads(self, words: str) -> bool:
        return any(words in label.text() for label in self._seen(QLabel))

    def _button(self, words: str) -> QAbstractButton | None:
        return next((one for one in self._seen(QAbstractButton) if one.isEnabled() and one.text() == words), None)

    def _seen(self, kind: type[W]) -> list[W]:
        return [one for one in self._window.findChildren(kind) if one.isVisible()]

    def _when(self, find: Callable[[], W | None]) -> W:
        self._qtbot.waitUntil(lambda: find() is not None, timeout=PATIENCE_MS)
        found = find()
        assert found is not None
        return found


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path, qapp: QApplication) -> Iterator[Shell]:
    window = open_window(Home(tmp_path / "home"))
    window.resize(1280, 800)
    yield window
    window.close()
    window.deleteLater()


def test_the_first_ladder_is_six_clicks_away(window: Shell, qtbot: QtBot) -> None:
    person = Person(window, qtbot)
    began = time.monotonic()
    person.click("Use the starter model, 98 MB")
    person.click("Measure")
    person.click("Questions on the sample documents")
    person.choose("At most 10 minutes")
    person.click("Start")
    assert person.clicks == CLICKS
    qtbot.waitUntil(lambda: person.reads("Now: "), timeout=PATIENCE_MS)
    qtbot.waitUntil(lambda: not person.reads("Now: ") and person.reads("Difference"), timeout=1_200_000)
    titles = [one.text() for one in window.findChildren(QLabel) if one.isVisible() and one.property("role") == "title"]
    sys.stdout.write(f"{time.monotonic() - began:.0f} s: {titles[-1]}\n")
    assert "%" in titles[-1]
    assert person.reads("Worse") or person.reads("Not worse") or person.reads("Open")
