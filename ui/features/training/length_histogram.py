"""A histogram of example lengths, with the limit at which examples are truncated."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from ui.features.training import texts
from ui.theme.theme import current_theme
from ui.theme.tokens import mixed
from workbench.records.training import LengthBin

_PLOT = 64
_LABELS = 18


class LengthHistogram(QWidget):
    """Painted bars; what they say stands in the accessible name too."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._bins: tuple[LengthBin, ...] = ()
        self._cut = 0
        self.setFixedHeight(_PLOT + _LABELS)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_lengths(self, bins: Sequence[LengthBin], cut: int) -> None:
        """``cut`` is the length in tokens at which examples are cut; 0: they are not."""
        self._bins, self._cut = tuple(bins), cut
        self.setVisible(bool(bins))
        words = "; ".join(texts.HISTOGRAM_BIN.format(count=one.count, low=one.low, value=one.high - 1) for one in bins)
        self.setAccessibleName(texts.HISTOGRAM.format(words=words))
        self.setToolTip(texts.HISTOGRAM_HELP.format(replace=words.replace("; ", chr(10))) if bins else "")
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        if not self._bins:
            return
        palette = current_theme().palette
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        font = self.font()
        font.setPixelSize(11)
        painter.setFont(font)
        low, high = self._bins[0].low, max(self._bins[-1].high, self._bins[0].low + 1)
        most = max(one.count for one in self._bins) or 1
        cut = low < self._cut < high

        def place(length: int) -> float:
            return self.width() * (length - low) / (high - low)

        for one in self._bins:
            left, right = place(one.low), place(one.high)
            height = (_PLOT - 14) * one.count / most
            if not one.count:
                continue
            beyond = cut and one.low >= self._cut
            colour = mixed(palette.attention if beyond else palette.accent, palette.surface, 0.5)
            tall = max(2.0, height)
            painter.fillRect(QRectF(left + 1, _PLOT - tall, right - left - 2, tall), QColor(colour))
        painter.setPen(QColor(palette.edge))
        painter.drawLine(QPointF(0, _PLOT), QPointF(self.width(), _PLOT))
        painter.setPen(QColor(palette.muted))
        area = QRectF(0, _PLOT, self.width(), _LABELS)
        painter.drawText(area, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, f"{low:,}")
        painter.drawText(
            area, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, texts.COUNT_TOKENS.format(high=high)
        )
        if cut:
            x = place(self._cut)
            painter.setPen(QPen(QColor(palette.attention), 1.5, Qt.PenStyle.DashLine))
            painter.drawLine(QPointF(x, 0), QPointF(x, _PLOT))
            words = texts.CUT_AT.format(_cut=self._cut)
            wide = painter.fontMetrics().horizontalAdvance(words)
            painter.drawText(QPointF(x + 4 if x + wide + 8 < self.width() else x - wide - 4, 10), words)
        painter.end()
