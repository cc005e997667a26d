"""The fading edge of a scrolled form is there while more follows below, and takes no clicks."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QScrollArea, QWidget
from pytestqt.qtbot import QtBot

from ui.components.edge_fade import EdgeFade
from ui.theme.theme import Theme


def test_the_edge_fades_while_more_follows(qtbot: QtBot, theme: Theme) -> None:
    area = QScrollArea(widgetResizable=True)
    qtbot.addWidget(area)
    inside = QWidget()
    inside.setMinimumHeight(900)
    area.setWidget(inside)
    fade = EdgeFade(area)
    area.resize(300, 200)
    area.show()
    assert fade.isVisible()
    assert fade.geometry().bottom() == area.viewport().geometry().bottom()
    assert fade.testAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
    bar = area.verticalScrollBar()
    bar.setValue(bar.maximum())
    assert not fade.isVisible()
    bar.setValue(0)
    assert fade.isVisible()
    inside.setMinimumHeight(50)
    qtbot.waitUntil(lambda: not fade.isVisible())
