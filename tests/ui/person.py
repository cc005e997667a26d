"""Somebody who knows the texts on the screen alone, and counts the clicks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QComboBox,
    QDialog,
    QFileDialog,
    QLabel,
    QLineEdit,
    QTabBar,
    QWidget,
)
from pytestqt.qtbot import QtBot

from ui.main import open_window
from ui.shell import Shell
from workbench.base.paths import Home

W = TypeVar("W", bound=QWidget)
PATIENCE_MS = 120_000


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path, qapp: QApplication) -> Iterator[Shell]:
    """Over a core of its own, with an empty home."""
    window = open_window(Home(tmp_path / "home"))
    window.resize(1280, 800)
    yield window
    window.close()
    window.deleteLater()


class Person:
    """Reads the window and clicks."""

    def __init__(self, window: Shell, qtbot: QtBot) -> None:
        self.clicks = 0
        self._window, self._qtbot = window, qtbot

    def click(self, words: str, last: bool = False) -> None:
        """Press what says this, a tab or a button, as soon as it can be pressed: the first of several, or the last."""
        self._qtbot.waitUntil(lambda: bool(self._button(words, last) or self._tab(words)), timeout=PATIENCE_MS)
        button, tab = self._button(words, last), self._tab(words)
        if button is not None:
            button.click()
        elif tab is not None:
            tab[0].setCurrentIndex(tab[1])
        self.clicks += 1

    def fill(self, name: str, words: str) -> None:
        """Type into the field of this name, and leave it by Tab: Return would press the dialog's button as well."""
        field = self._when(lambda: next((one for one in self.seen(QLineEdit) if one.accessibleName() == name), None))
        field.setFocus()
        field.selectAll()
        QTest.keyClicks(field, words)
        QTest.keyClick(field, Qt.Key.Key_Tab)

    def choose(self, words: str) -> None:
        """Open the list that has this, and choose it."""
        box = self._when(lambda: next((one for one in self.seen(QComboBox) if one.findText(words) >= 0), None))
        box.setCurrentIndex(box.findText(words))
        box.activated.emit(box.currentIndex())
        self.clicks += 2

    def pick(self, path: str) -> None:
        """Name a folder in the dialog that asks for one, and take it."""
        dialog = self._when(lambda: next(iter(self.seen(QFileDialog)), None))
        field = dialog.findChild(QLineEdit, "fileNameEdit")
        assert field is not None
        field.setText(path)
        dialog.accept()
        self.clicks += 1

    def type(self, words: str) -> None:
        """Type where the keyboard is, and press Enter."""
        field = self._when(self._window.focusWidget)
        QTest.keyClicks(field, words)
        QTest.keyClick(field, Qt.Key.Key_Return)

    def sees(self, words: str) -> bool:
        """Whether there is something to press whose text has these words."""
        return any(words in one.text() for one in self.seen(QAbstractButton))

    def choices(self) -> set[str]:
        """The texts of all that can be pressed."""
        return {one.text() for one in self.seen(QAbstractButton)}

    def reads(self, words: str) -> bool:
        return any(words in label.text() for label in self.seen(QLabel))

    def waits_for(self, words: str, timeout: int = PATIENCE_MS) -> None:
        self._qtbot.waitUntil(lambda: self.reads(words), timeout=timeout)

    def seen(self, kind: type[W]) -> list[W]:
        """What is in sight, in the dialog that is open or else in the window."""
        dialogs = [one for one in self._window.findChildren(QDialog) if one.isVisible()]
        inside = [one for one in dialogs[-1].findChildren(kind) if one.isVisible()] if dialogs else []
        own = [one for one in dialogs if isinstance(one, kind)]
        return own or inside or [one for one in self._window.findChildren(kind) if one.isVisible()]

    def _button(self, words: str, last: bool = False) -> QAbstractButton | None:
        found = [one for one in self.seen(QAbstractButton) if one.isEnabled() and one.text() == words]
        return found[-1 if last else 0] if found else None

    def _tab(self, words: str) -> tuple[QTabBar, int] | None:
        bars = ((bar, place) for bar in self.seen(QTabBar) for place in range(bar.count()))
        return next(((bar, place) for bar, place in bars if bar.tabText(place) == words), None)

    def _when(self, find: Callable[[], W | None]) -> W:
        self._qtbot.waitUntil(lambda: find() is not None, timeout=PATIENCE_MS)
        found = find()
        assert found is not None
        return found
