"""What the tints of an answer's tokens mean."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from ui.features.chat.probability import STEP_WORDS, tints
from ui.theme import tokens
from ui.theme.theme import current_theme


class TokenLegend(QWidget):
    """What the tints mean."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFixedHeight(tokens.ICON_SIZE)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("The stronger the tint, the less probable the token; underlined: not the first choice")
        self.setToolTip(
            "How probable the model found each token, at temperature 1 and without penalties. "
            "A dotted line is under tokens that were not its first choice."
        )
        current_theme().changed.connect(self.update)

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = current_theme()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        font = QFont(self.font())
        font.setPixelSize(tokens.TEXT_SMALL)
        painter.setFont(font)
        metrics = painter.fontMetrics()
        shades = tints(theme.palette, theme.is_dark)
        x = 0.0
        for words, shade in zip(STEP_WORDS, shades, strict=True):
            width = metrics.horizontalAdvance(words) + 2 * tokens.SPACE_2
            if x + width > self.width():
                break
            box = QRectF(x + 0.5, 1.5, width - 1, self.height() - 3)
            painter.setPen(QPen(theme.colour("border"), 1))
            painter.setBrush(QColor(shade))
            painter.drawRoundedRect(box, 3, 3)
            painter.setPen(theme.colour("text"))
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, words)
            x += width + tokens.SPACE_1
        words = "not the first choice"
        width = metrics.horizontalAdvance(words) + 2 * tokens.SPACE_2
        if x + width <= self.width():
            painter.setPen(theme.colour("muted"))
            box = QRectF(x, 1, width, self.height() - 3)
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, words)
            painter.setPen(QPen(theme.colour("decoding"), 1.5, Qt.PenStyle.DotLine))
            y = box.bottom()
            painter.drawLine(QPointF(box.left() + tokens.SPACE_2, y), QPointF(box.right() - tokens.SPACE_2, y))
        painter.end()
