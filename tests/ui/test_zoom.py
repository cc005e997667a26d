"""The zoom of the whole window: by the keys, kept in the settings, with the place that the window has on the screen."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from tests.ui.fake_front import FakeFront
from ui import texts
from ui.bridge import Bridge
from ui.components.basics import InlineMessage
from ui.shell import Shell
from ui.theme.theme import Theme
from ui.zoom import current_zoom, scale_from_the_start

CONTROL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def shell(qtbot: QtBot, theme: Theme, front: FakeFront, tmp_path: Path) -> Iterator[Shell]:
    shell = Shell(Bridge(front), tmp_path / "window.ini")
    shell.resize(1200, 750)
    shell.show()
    shell.start("documents")
    qtbot.waitUntil(lambda: shell.current_page == "documents")
    shell.activateWindow()
    qtbot.waitUntil(shell.isActiveWindow)
    yield shell
    press(qtbot, shell, Qt.Key.Key_0)
    qtbot.waitUntil(lambda: current_zoom() == 100)
    shell.close()
    shell.deleteLater()


def press(qtbot: QtBot, shell: Shell, key: Qt.Key) -> None:
    qtbot.waitUntil(shell.isActiveWindow)  # a window that was scaled anew may be activated a little later
    QTest.keyClick(shell, key, CONTROL)


def zoom(front: FakeFront) -> int:
    return front.home.settings.general.zoom


def test_the_keys_zoom_texts_and_distances_alike(qtbot: QtBot, shell: Shell, front: FakeFront) -> None:
    assert current_zoom() == 100
    before, focus = shell.size(), QApplication.focusWidget()
    for step in (110, 125):
        press(qtbot, shell, Qt.Key.Key_Plus)
        qtbot.waitUntil(lambda step=step: current_zoom() == step and zoom(front) == step)
    assert shell.devicePixelRatioF() == pytest.approx(1.25)
    assert abs(shell.width() * 1.25 - before.width()) < 2
    assert abs(shell.height() * 1.25 - before.height()) < 2
    assert shell.grab().width() == pytest.approx(before.width(), abs=2)
    qtbot.waitUntil(lambda: QApplication.focusWidget() is focus)
    press(qtbot, shell, Qt.Key.Key_Minus)
    qtbot.waitUntil(lambda: zoom(front) == 110)
    press(qtbot, shell, Qt.Key.Key_0)
    qtbot.waitUntil(lambda: zoom(front) == 100 and shell.size() == before)


def test_the_setting_zooms_and_a_screen_without_room_is_said(qtbot: QtBot, shell: Shell, front: FakeFront) -> None:
    room = shell.screen().availableGeometry()
    general = msgspec.structs.replace(front.home.settings.general, zoom=150)
    front.home.settings = msgspec.structs.replace(front.home.settings, general=general)
    front.announce("settings")
    qtbot.waitUntil(lambda: current_zoom() == 150)
    shell._zoom._least = room.size() / 1.5  # as large as the screen is at this zoom
    press(qtbot, shell, Qt.Key.Key_Plus)
    said = [message.text for message in shell.findChildren(InlineMessage) if message.isVisible()]
    assert texts.ZOOM_NO_ROOM.format(percent=150) in said
    assert zoom(front) == 150


def test_the_next_start_begins_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QT_SCALE_FACTOR", "2")
    monkeypatch.delenv("LLM_WORKBENCH_SYSTEM_SCALE", raising=False)
    assert current_zoom() == 100
    scale_from_the_start(125)
    assert os.environ["QT_SCALE_FACTOR"] == "2.5"
    assert current_zoom() == 125
    scale_from_the_start(100)
    assert os.environ["QT_SCALE_FACTOR"] == "2.0"
    monkeypatch.delenv("LLM_WORKBENCH_SYSTEM_SCALE")
