"""Offscreen Qt, a fake core and the bridge to it."""

from __future__ import annotations

import gc
import os
from pathlib import Path

# a screen that the window fits on: the offscreen platform's own is 800 x 800
os.environ["QT_QPA_PLATFORM"] = f"offscreen:configfile={Path(__file__).with_name('screen.json')}"

from collections.abc import Iterator
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QComboBox, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from tests.ui.fake_front import FakeFront
from tests.ui.fake_home import FakeHome, furnished_home
from ui.bridge import Bridge
from ui.features import Action
from ui.theme.theme import Theme, current_theme
from workbench.records.models import Machine
from workbench.subjects.machine.calls import GetMachine

PATIENCE_MS = 60_000
"""How long a test waits for what has to happen. It costs nothing where it does, and no machine is that slow."""

for _wait in (QtBot.waitUntil, QtBot.waitSignal, QtBot.waitSignals):
    _wait.__kwdefaults__["timeout"] = PATIENCE_MS


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The offscreen platform warns of what it has no window manager for, such as a window's smallest size."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.qt_log_ignore("^This plugin does not support", extend=True))


def choose(box: QComboBox, title: str) -> None:
    """Choose from a list as a person does."""
    index = box.findText(title)
    assert index >= 0, title
    box.setCurrentIndex(index)
    box.activated.emit(index)


def press(button: QPushButton) -> None:
    """Click on it, as far as a person can."""
    assert button.isVisibleTo(button.window())
    assert button.isEnabled()
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


class RecordingShell:
    """The frame's actions for a page that is tested alone: it writes down what the page asked for."""

    def __init__(self) -> None:
        self.opened: list[tuple[str, dict[str, Any]]] = []
        self.messages: list[tuple[str, str, Action | None]] = []

    @property
    def theme(self) -> Theme:
        return current_theme()

    def open_page(self, name: str, **target: Any) -> None:
        self.opened.append((name, target))

    def show_message(self, text: str, kind: str, action: Action | None = None) -> None:
        self.messages.append((text, kind, action))

    def take_back_message(self, text: str) -> None:
        self.messages = [message for message in self.messages if message[0] != text]


@pytest.fixture(scope="package", autouse=True)
def _all_garbage() -> Iterator[None]:
    """Nothing of Qt's is left for a collection on another thread, in the tests that follow."""
    yield
    gc.collect()


@pytest.fixture(autouse=True)
def _garbage(_all_garbage: None) -> Iterator[None]:
    """As in the program, garbage is collected on the GUI thread alone; here, after each test."""
    gc.disable()
    yield
    gc.collect(1)
    gc.enable()


@pytest.fixture(autouse=True)
def _dressed(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test shows alone has the looks that it would have from the window around it."""
    add = QtBot.addWidget

    def add_dressed(self: QtBot, widget: QWidget, **more: Any) -> None:
        if not widget.styleSheet():
            current_theme().dress(widget)
        add(self, widget, **more)

    monkeypatch.setattr(QtBot, "addWidget", add_dressed)


@pytest.fixture
def theme(qapp: QApplication) -> Theme:
    """The application's theme, light."""
    theme = current_theme()
    theme.choose("light")
    return theme


@pytest.fixture
def home() -> FakeHome:
    """A furnished home; a test that wants an empty one overrides this fixture or changes it."""
    return furnished_home()


@pytest.fixture
def front(home: FakeHome) -> Iterator[FakeFront]:
    front = FakeFront(home)
    yield front
    front.close()


@pytest.fixture
def bridge(theme: Theme, front: FakeFront) -> Iterator[Bridge]:
    """A bridge to the fake front that already watches it."""
    bridge = Bridge(front)
    bridge.start()
    yield bridge
    bridge.close()
    bridge.deleteLater()


@pytest.fixture
def shell(theme: Theme) -> RecordingShell:
    return RecordingShell()


def settle(bridge: Bridge, qtbot: QtBot) -> None:
    """Wait until the answers to all calls so far have been shown, and the answers to the calls that these led to."""
    for _ in range(3):
        answers: list[Machine] = []
        bridge.call(GetMachine(), answers.append)
        qtbot.waitUntil(lambda answers=answers: bool(answers))
    QApplication.processEvents()
