"""Lines over the steps of a training, drawn in the theme's colours, with an axis at the left and one below.

It takes no mouse and no keys. What the lines mean is its owner's business.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF, QTransform
from PySide6.QtWidgets import QWidget

from ui import texts
from ui.theme.theme import current_theme

BELOW = 38
"""Height of the numbers below a plot, in px."""
_LEFT, _TOP, _RIGHT = 50, 4, 8  # px around the lines
_TICK = 4
_DOT = 3.0  # px, its radius
_SPARE = 0.05
"""Share of the range that is left free over and below the lines, and at their sides."""


@dataclass(frozen=True)
class Line:
    """Points in the order of their steps; ``dots`` marks the single ones."""

    steps: Sequence[float]
    values: Sequence[float]
    colour: str
    width: int
    style: Qt.PenStyle
    dots: bool


class Plot(QWidget):
    """``from_zero``: the axis of values begins at 0."""

    def __init__(self, from_zero: bool) -> None:
        super().__init__()
        self._from_zero = from_zero
        self._lines: list[tuple[Line, QPolygonF]] = []
        self._range = QRectF()

    def draw_lines(self, lines: Sequence[Line]) -> None:
        """Show these instead of what was there."""
        self._lines = [(line, _points(line)) for line in lines]
        self._range = _range([points for _, points in self._lines], self._from_zero)
        self.update()

    def ticks(self, upright: bool) -> list[tuple[float, str]]:
        """The numbers at the axis of values (``upright``) or of steps, and their words; none where nothing was
        measured."""
        if self._range.isNull():
            return []
        low, high, pixels = (
            (self._range.top(), self._range.bottom(), self._area().height() / 28)
            if upright
            else (self._range.left(), self._range.right(), self._area().width() / 84)
        )
        spacing = nice_spacing((high - low) / max(1.0, pixels))
        if not upright:
            spacing = max(1.0, spacing)  # whole steps
        first, last = math.ceil(low / spacing - 1e-9), math.floor(high / spacing + 1e-9)
        found = [number * spacing for number in range(first, last + 1)]
        if upright:
            return [(value, describe_tick(value, spacing)) for value in found]
        return [(value, f"{value:,.0f}") for value in found if value >= 0]

    def sizeHint(self) -> QSize:
        return QSize(160, 120)

    def minimumSizeHint(self) -> QSize:
        return QSize(100, 80)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        font = self.font()
        font.setPixelSize(11)
        painter.setFont(font)
        area = self._area()
        place = QTransform()
        if not self._range.isNull():  # values grow upwards, pixels downwards
            across, up = area.width() / self._range.width(), area.height() / self._range.height()
            place = QTransform(
                across, 0, 0, -up,
                area.left() - self._range.left() * across, area.bottom() + self._range.top() * up,
            )  # fmt: skip
        self._paint_axes(painter, area, place)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setClipRect(area.adjusted(-_DOT, -_DOT, _DOT, _DOT))
        for line, points in self._lines:
            drawn = place.map(points)
            painter.setPen(QPen(QColor(line.colour), line.width, line.style))
            painter.drawPolyline(drawn)
            if line.dots:
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(QColor(line.colour))
                for number in range(drawn.size()):
                    painter.drawEllipse(drawn.at(number), _DOT, _DOT)

    def _area(self) -> QRectF:
        """Where the lines are drawn."""
        return QRectF(self.rect()).adjusted(_LEFT, _TOP, -_RIGHT, -BELOW)

    def _paint_axes(self, painter: QPainter, area: QRectF, place: QTransform) -> None:
        palette = current_theme().palette
        edge, words, centre = QColor(palette.border), QColor(palette.muted), Qt.AlignmentFlag.AlignCenter
        painter.setPen(edge)
        painter.drawLine(area.topLeft(), area.bottomLeft())
        painter.drawLine(area.bottomLeft(), area.bottomRight())
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        for value, text in self.ticks(True):
            y = round(place.map(QPointF(0, value)).y())
            painter.setPen(edge)
            painter.drawLine(QPointF(area.left() - _TICK, y), QPointF(area.right(), y))
            painter.setPen(words)
            painter.drawText(QRectF(0, y - 8, area.left() - _TICK - 2, 16), right, text)
        for value, text in self.ticks(False):
            x = round(place.map(QPointF(value, 0)).x())
            painter.setPen(edge)
            painter.drawLine(QPointF(x, area.bottom()), QPointF(x, area.bottom() + _TICK))
            painter.setPen(words)
            painter.drawText(QRectF(x - 42, area.bottom() + _TICK + 1, 84, 16), centre, text)
        painter.setPen(words)
        where = QRectF(area.left(), self.height() - 17, area.width(), 16)
        painter.drawText(where, centre, texts.STEP_AXIS)


def _points(line: Line) -> QPolygonF:
    pairs = [pair for pair in zip(line.steps, line.values, strict=True) if math.isfinite(pair[1])]
    steps, values = thinned([step for step, _ in pairs], [value for _, value in pairs])
    return QPolygonF([QPointF(step, value) for step, value in zip(steps, values, strict=True)])


def _range(lines: Sequence[QPolygonF], from_zero: bool) -> QRectF:
    """What is shown, in steps and values, the lowest value at its top; nothing without points."""
    measured = [line.boundingRect() for line in lines if not line.isEmpty()]
    if not measured:
        return QRectF()
    left, right = min(one.left() for one in measured), max(one.right() for one in measured)
    low, high = min(one.top() for one in measured), max(one.bottom() for one in measured)
    aside = (right - left) * _SPARE or 1.0
    beyond = (high - low) * _SPARE or abs(high) * 0.5 or 0.5
    bottom = 0.0 if from_zero and high > 0 else low - beyond
    top = high * (1 + _SPARE) if from_zero and high > 0 else high + beyond
    return QRectF(QPointF(left - aside, bottom), QPointF(right + aside, top))


def thinned(
    steps: Sequence[float], values: Sequence[float], pieces: int = 500
) -> tuple[Sequence[float], Sequence[float]]:
    """The lowest and the highest point of each of about so many pieces: it looks the same and is drawn at once."""
    count = len(values)
    if count <= 2 * pieces:
        return steps, values
    width = -(-count // pieces)
    kept = {0, count - 1}
    for first in range(0, count - width + 1, width):
        part = values[first : first + width]
        kept |= {first + part.index(min(part)), first + part.index(max(part))}
    places = sorted(kept)
    return [steps[place] for place in places], [values[place] for place in places]


def running_mean(values: Sequence[float]) -> list[float]:
    """The mean of each value and those around it, over about a thirtieth of all; as many values as there were."""
    count = len(values)
    most = (max(3, count // 30) | 1) // 2
    sums = list(accumulate(values, initial=0.0))
    means = []
    for place in range(count):
        reach = min(place, count - 1 - place, most)
        means.append((sums[place + reach + 1] - sums[place - reach]) / (2 * reach + 1))
    return means


def nice_spacing(least: float) -> float:
    """The smallest 1, 2 or 5 times a power of ten that is not below ``least``."""
    if not least > 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(least))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= least * (1 - 1e-9))


def describe_tick(value: float, spacing: float) -> str:
    """A tick's number with as many digits as tell it from the next one."""
    if abs(value) < spacing / 1000:
        return "0"
    if spacing < 0.0005:
        return f"{value:.1e}".replace("e-0", "e-").replace(".0e", "e")
    digits = max(0, -math.floor(math.log10(spacing) + 1e-9)) if spacing > 0 else 0
    return f"{value:,.{digits}f}"
