"""A share with its interval on a line from 0 to 1, with a mark at one half."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from ui.theme.theme import current_theme

_HEIGHT = 22
_DOT = 5.0


class IntervalBar(QWidget):
    """``show_interval`` with shares in [0, 1]; None shows an empty line. The words beside it say the same."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setAccessibleName(name)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(_HEIGHT)
        self._interval: tuple[float, float, float] | None = None
        self._tone = "muted"
        current_theme().changed.connect(self.update)

    def show_interval(self, interval: tuple[float, float, float] | None, tone: str = "accent", words: str = "") -> None:
        """The lower bound, the value and the upper bound."""
        self._interval, self._tone = interval, tone
        self.setAccessibleDescription(words)
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(220, _HEIGHT)

    def paintEvent(self, event: QPaintEvent) -> None:
        theme, middle = current_theme(), _HEIGHT / 2
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        left, width = _DOT, self.width() - 2 * _DOT

        def at(share: float) -> float:
            return left + width * min(max(share, 0.0), 1.0)

        painter.setPen(QPen(theme.colour("border"), 2))
        painter.drawLine(int(left), int(middle), int(left + width), int(middle))
        painter.setPen(QPen(theme.colour("edge"), 1, Qt.PenStyle.DashLine))
        painter.drawLine(int(at(0.5)), 2, int(at(0.5)), _HEIGHT - 2)
        if self._interval is None:
            return
        low, value, high = self._interval
        colour = theme.colour(self._tone)
        painter.setPen(QPen(colour, 4, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
        painter.drawLine(int(at(low)), int(middle), int(at(high)), int(middle))
        painter.setPen(QPen(theme.colour("surface"), 2))
        painter.setBrush(colour)
        painter.drawEllipse(QRectF(at(value) - _DOT, middle - _DOT, 2 * _DOT, 2 * _DOT))
