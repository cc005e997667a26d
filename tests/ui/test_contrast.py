"""The texts of every page, as drawn, reach a contrast of 4.5 : 1 (WCAG 2.1, 1.4.3) in both themes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QRect
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QAbstractButton, QComboBox, QLabel, QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from tests.ui.conftest import settle
from tests.ui.fake_adapters import furnish_adapters
from tests.ui.fake_front import FakeFront
from tests.ui.fake_ladder import furnish_ladder
from tests.ui.test_accessibility import NAMES, described
from ui.bridge import Bridge
from ui.shell import Shell
from ui.theme.theme import Theme
from ui.theme.tokens import contrast

TEXTS = (QLabel, QAbstractButton, QLineEdit, QComboBox)


@pytest.fixture
def frame(qtbot: QtBot, theme: Theme, front: FakeFront, tmp_path: Path) -> Iterator[Shell]:
    furnish_adapters(front.home)
    furnish_ladder(front.home)
    shell = Shell(Bridge(front), tmp_path / "window.ini")
    shell.resize(1280, 800)
    shell.show()
    shell.start("models")
    qtbot.waitUntil(lambda: shell._bridge.status is not None)
    yield shell
    shell.close()
    shell.deleteLater()


def text_of(widget: QWidget) -> str:
    if isinstance(widget, QComboBox):
        return widget.currentText()
    if isinstance(widget, QLineEdit):
        return widget.text() or widget.placeholderText()
    return widget.text() if isinstance(widget, QLabel | QAbstractButton) else ""


def drawn_contrast(pixels: np.ndarray, part: QRect) -> float:
    """The greatest contrast of a colour within ``part`` to the colour that most of it has, 1 to 21. ``pixels``: rows of
    0xffrrggbb."""
    shown = pixels[part.top() : part.bottom() + 1, part.left() : part.right() + 1]
    colours, counts = np.unique(shown, return_counts=True)
    names = [f"#{int(colour) & 0xFFFFFF:06x}" for colour in colours]
    ground = names[int(counts.argmax())]
    return max(contrast(ground, name) for name in names)


def pixels_of(window: QWidget) -> np.ndarray:
    image = window.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    rows = np.frombuffer(image.constBits(), np.uint32).reshape(image.height(), image.bytesPerLine() // 4)
    return rows[:, : image.width()].copy()


def is_seen(widget: QWidget) -> bool:
    """Whether the whole widget is visible."""
    return widget.visibleRegion().boundingRect() == widget.rect()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", NAMES)
def test_texts_can_be_read(frame: Shell, qtbot: QtBot, theme: Theme, front: FakeFront, name: str, scheme: str) -> None:
    theme.choose("dark" if scheme == "dark" else "light")
    frame.open_page(name)
    settle(frame._bridge, qtbot)
    front.wait_idle()
    pixels = pixels_of(frame)
    shown = [
        widget
        for widget in frame.findChildren(QWidget)
        if isinstance(widget, TEXTS) and widget.isVisible() and widget.isEnabled()
        if text_of(widget).strip() and is_seen(widget)
    ]
    assert shown
    faint = {}
    for widget in shown:
        part = QRect(widget.mapTo(frame, QPoint()), widget.size()).intersected(frame.rect())
        if (value := drawn_contrast(pixels, part)) < 4.5:
            faint[f"{text_of(widget)[:40]!r} {described(widget)}"] = round(value, 2)
    theme.choose("light")
    assert faint == {}
