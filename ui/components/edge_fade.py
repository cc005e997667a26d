"""The fading lower edge of a scrolled form: it says that more follows, and no line of text is cut there."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QRect, Qt
from PySide6.QtGui import QColor, QLinearGradient, QPainter, QPaintEvent
from PySide6.QtWidgets import QScrollArea, QWidget

from ui.theme.theme import current_theme

_HEIGHT = 32  # px
_SOLID = 0.2
"""The share of the height from the bottom up in which nothing is seen."""


class EdgeFade(QWidget):
    """It lies over the lower edge of ``area`` while that can be scrolled further down. ``ground`` names the colour of
    the theme that the area stands on."""

    def __init__(self, area: QScrollArea, ground: str = "window") -> None:
        super().__init__(area)
        self._area, self._ground = area, ground
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        bar = area.verticalScrollBar()
        bar.valueChanged.connect(lambda _: self._follow())
        bar.rangeChanged.connect(lambda low, high: self._follow())
        area.viewport().installEventFilter(self)
        self._follow()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.Resize, QEvent.Type.Show):
            self._follow()
        return False

    def _follow(self) -> None:
        bar, inside = self._area.verticalScrollBar(), self._area.viewport().geometry()
        self.setGeometry(QRect(inside.x(), inside.bottom() + 1 - _HEIGHT, inside.width(), _HEIGHT))
        self.setVisible(bar.value() < bar.maximum())
        self.raise_()

    def paintEvent(self, event: QPaintEvent) -> None:
        ground = QColor(current_theme().palette[self._ground])
        clear = QColor(ground)
        clear.setAlpha(0)
        fade = QLinearGradient(0, 0, 0, self.height())
        fade.setColorAt(0, clear)
        fade.setColorAt(1 - _SOLID, ground)
        fade.setColorAt(1, ground)
        QPainter(self).fillRect(self.rect(), fade)
