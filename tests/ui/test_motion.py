"""Nothing moves by itself where a person wants that."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QProgressBar
from pytestqt.qtbot import QtBot

from ui.components.basics import ProgressLine
from ui.theme.theme import Theme


def test_reduced_motion_stops_what_moves_by_itself(qtbot: QtBot, theme: Theme) -> None:
    progress = ProgressLine()
    qtbot.addWidget(progress)
    bar = progress.findChild(QProgressBar)
    assert bar is not None
    flash = QApplication.cursorFlashTime()
    progress.set_progress("Reading")
    assert bar.maximum() == 0, "it moves"
    theme.reduce_motion(True)
    progress.set_progress("Reading")
    assert bar.maximum() > 0
    assert QApplication.cursorFlashTime() == 0
    assert not any(QApplication.isEffectEnabled(effect) for effect in Qt.UIEffect)
    theme.reduce_motion(False)
    assert QApplication.cursorFlashTime() == flash
    progress.set_progress("Reading")
    assert bar.maximum() == 0
