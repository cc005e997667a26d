"""What the drawings of trees share, of beams and of thoughts: scrolling, curved edges, and a ring for the keyboard."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, QTimer
from PySide6.QtGui import QFont, QPainter, QPainterPath, QPen, QWheelEvent
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QSizePolicy, QWidget

from ui.theme.theme import current_theme


class TreeArea(QAbstractScrollArea):
    """A painted tree, as high as it makes itself. ``paint_soon`` joins what comes within a frame."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.fonts = (sized(self.font(), 13), sized(self.font(), 13, strong=True))
        self.figures_font = sized(self.font(), 11)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(name)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.viewport().setMouseTracking(True)
        self.paint_soon = QTimer(self, singleShot=True, interval=16, timeout=self.viewport().update)
        current_theme().changed.connect(self.viewport().update)

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        self.viewport().update()

    def sizeHint(self) -> QSize:
        return QSize(600, self.height())

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Sideways it scrolls the tree; up and down the page, unless the tree is taller than its place."""
        sideways = abs(event.angleDelta().x()) > abs(event.angleDelta().y())
        if sideways or event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            bar = self.horizontalScrollBar()
            bar.setValue(bar.value() - (event.angleDelta().x() or event.angleDelta().y()))
            event.accept()
        elif self.verticalScrollBar().maximum():
            super().wheelEvent(event)
        else:
            event.ignore()

    def draw_focus(self, painter: QPainter) -> None:
        """A ring around it while it has the keyboard."""
        if self.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(current_theme().colour("accent"), 2))
            painter.drawRoundedRect(QRectF(self.viewport().rect()).adjusted(1, 1, -1, -1), 4, 4)


def draw_edge(painter: QPainter, start: QRectF, end: QRectF, pen: QPen) -> None:
    """A curve from the right of one box to the left of another."""
    path = QPainterPath(QPointF(start.right(), start.center().y()))
    middle = (start.right() + end.left()) / 2
    path.cubicTo(
        QPointF(middle, start.center().y()),
        QPointF(middle, end.center().y()),
        QPointF(end.left(), end.center().y()),
    )
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(pen)
    painter.drawPath(path)


def sized(font: QFont, pixels: int, strong: bool = False) -> QFont:
    made = QFont(font)
    made.setPixelSize(pixels)
    if strong:
        made.setWeight(QFont.Weight.DemiBold)
    return made
