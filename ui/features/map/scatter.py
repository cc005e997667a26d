"""Passages and a question as points: the more alike a passage is to the question, the larger and the stronger its
point; lines lead from the question to the best ones."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, QSizeF, Qt, Signal
from PySide6.QtGui import QColor, QFontMetricsF, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from ui.features.map import texts
from ui.theme import tokens
from ui.theme.theme import current_theme
from workbench.records.similarity import PassageMap, PlacedPassage

_MARGIN = 26
_POINT, _QUESTION = 7, 9
"""Half of what the best points and the question take, in px."""
_NEAR = 12.0
"""So near to a point, in px, the mouse is over it."""


class Scatter(QWidget):
    """``pointed`` sends the number of the point that the mouse or the keyboard is on, -1 for none. The arrow keys go
    through the best passages."""

    pointed = Signal(int)
    pressed = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName(texts.SCATTER)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.map = PassageMap()
        self.current = -1
        current_theme().changed.connect(self.update)

    def show_map(self, found: PassageMap) -> None:
        self.map = found
        self._point_at(-1)
        self.update()

    def place_of(self, number: int) -> QPointF:
        """Where a point is drawn."""
        point = self.map.points[number]
        return self._place(point.x, point.y)

    def sizeHint(self) -> QSize:
        return QSize(520, 420)

    def minimumSizeHint(self) -> QSize:
        return QSize(280, 240)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        at, nearest, distance = event.position(), -1, _NEAR
        for number in range(len(self.map.points)):
            away = at - self.place_of(number)
            length = (away.x() ** 2 + away.y() ** 2) ** 0.5
            if length < distance:
                nearest, distance = number, length
        self._point_at(nearest)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.mouseMoveEvent(event)
        if self.current >= 0:
            self.pressed.emit(self.current)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {Qt.Key.Key_Right: 1, Qt.Key.Key_Down: 1, Qt.Key.Key_Left: -1, Qt.Key.Key_Up: -1}
        best = [one.point for one in self.map.best]
        key = Qt.Key(event.key())
        if best and key in steps:
            at = best.index(self.current) if self.current in best else (-1 if steps[key] > 0 else len(best))
            self._point_at(best[min(max(at + steps[key], 0), len(best) - 1)])
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.current >= 0:
            self.pressed.emit(self.current)
        else:
            super().keyPressEvent(event)

    def _point_at(self, number: int) -> None:
        if number != self.current:
            self.current = number
            words = describe_point(self.map.points[number]) if number >= 0 else ""
            self.setAccessibleDescription(words)
            self.setCursor(Qt.CursorShape.PointingHandCursor if number >= 0 else Qt.CursorShape.ArrowCursor)
            self.pointed.emit(number)
            self.update()

    def _place(self, x: float, y: float) -> QPointF:
        width, height = self.width() - 2 * _MARGIN, self.height() - 2 * _MARGIN
        return QPointF(_MARGIN + (x + 1) / 2 * width, _MARGIN + (1 - y) / 2 * height)

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = current_theme()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(theme.colour("border"), 1))
        painter.setBrush(theme.colour("surface"))
        area = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        painter.drawRoundedRect(area, tokens.RADIUS_CONTROL, tokens.RADIUS_CONTROL)
        if not self.map.points:
            return
        hue, question = theme.colour("retrieval"), self._place(*self.map.question)
        for one in self.map.best:
            painter.setPen(QPen(_mixed(hue, 150), 1.2))
            painter.drawLine(question, self.place_of(one.point))
        highest = max(max(point.similarity for point in self.map.points), 1e-6)
        lowest = min(point.similarity for point in self.map.points)
        for number, point in reversed(list(enumerate(self.map.points))):
            share = (point.similarity - lowest) / max(highest - lowest, 1e-6)
            radius = 3.0 + 4.0 * share
            painter.setBrush(_mixed(hue, int(50 + 205 * share)))
            chosen = number == self.current
            painter.setPen(QPen(theme.colour("accent"), 2.5) if chosen else QPen(theme.colour("surface"), 1))
            painter.drawEllipse(self.place_of(number), radius + 2 * chosen, radius + 2 * chosen)
        self._paint_question(painter, question)
        self._paint_ranks(painter)

    def _paint_question(self, painter: QPainter, at: QPointF) -> None:
        theme = current_theme()
        painter.setBrush(theme.colour("accent"))
        painter.setPen(QPen(theme.colour("surface"), 2))
        painter.drawRect(QRectF(at.x() - 7, at.y() - 7, 14, 14))
        font = self.font()
        font.setPixelSize(tokens.TEXT_SMALL)
        font.setBold(True)
        painter.setFont(font)
        width = painter.fontMetrics().horizontalAdvance(texts.YOUR_QUESTION) + 10
        left = at.x() + 12 if at.x() + 12 + width < self.width() else at.x() - 12 - width
        box = QRectF(left, at.y() - 10, width, 20)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.colour("accent_soft"))
        painter.drawRoundedRect(box, 6, 6)
        painter.setPen(theme.colour("text"))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, texts.YOUR_QUESTION)

    def _paint_ranks(self, painter: QPainter) -> None:
        font = self.font()
        font.setPixelSize(11)
        font.setBold(True)
        painter.setFont(font)
        painter.setPen(current_theme().colour("text"))
        for rank, box in self.place_ranks(QFontMetricsF(font)).items():
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, str(rank))

    def place_ranks(self, metrics: QFontMetricsF) -> dict[int, QRectF]:
        """Where the ranks of the best passages stand: around their points, where neither another one of these nor its
        rank is. One that has no room beside others that are as alike is told by the list and by pointing."""
        points = [self.place_of(one.point) for one in self.map.best]
        taken = [QRectF(at.x() - _POINT, at.y() - _POINT, 2 * _POINT, 2 * _POINT) for at in points]
        question = self._place(*self.map.question)
        taken.append(QRectF(question.x() - _QUESTION, question.y() - _QUESTION, 2 * _QUESTION, 2 * _QUESTION))
        found = {}
        for rank, at in enumerate(points, 1):
            size = QSizeF(metrics.horizontalAdvance(str(rank)) + 2, 13)
            across, up = _POINT + 1 + size.width() / 2, _POINT + 1 + size.height() / 2
            for x, y in ((1, -1), (-1, -1), (1, 1), (-1, 1), (0, -1), (0, 1), (1, 0), (-1, 0)):
                centre = QPointF(at.x() + x * across, at.y() + y * up)
                box = QRectF(centre - QPointF(size.width() / 2, size.height() / 2), size)
                if not any(box.intersects(one) for one in taken):
                    taken.append(box)
                    found[rank] = box
                    break
        return found


def describe_point(point: PlacedPassage) -> str:
    page = texts.PAGE.format(page=point.page) if point.page else ""
    return texts.POINT.format(title=point.title, page=page, similarity=point.similarity)


def _mixed(colour: QColor, alpha: int) -> QColor:
    return QColor(colour.red(), colour.green(), colour.blue(), alpha)
