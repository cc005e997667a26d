"""The chart of a comparison as a picture: time to the right on a logarithmic axis, quality upwards, with intervals and
the line of those that no other beats in both.

It is drawn on any paint device, in any palette and size: in the window, and into a file for a slide.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from PySide6.QtCore import QLineF, QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QBrush, QColor, QFont, QFontMetricsF, QPainter, QPen, QPolygonF

from ui.components.plot import nice_spacing
from ui.features.ladder import texts
from ui.theme.tokens import LIGHT, Palette
from workbench.records.evaluation import ColumnScore
from workbench.records.ladder import RungReport

TIMES = (1, 2, 5, 10, 30, 60, 120, 300, 600, 1_800, 3_600, 7_200, 18_000, 43_200, 86_400, 172_800, 432_000, 864_000)
"""Seconds that may stand at the axis of times; what is longer goes on by factors of ten."""
_ASIDE, _BEYOND = 0.16, 0.08  # shares of the range that are free at the sides, above and below
_LEAST_DECADES = 1.0
_WRAPPED, _CUT = 0.4, 3.6  # lines that a title may cross before one that is wrapped once more, or cut, is taken
_TITLES = (190, 130, 110, 76)
"""Pixels of a line of a title, at most; the next ones where there is no room. It goes on in further lines, and is cut
only where these are not enough."""
_LINES = 3


@dataclass(frozen=True)
class ChartPoint:
    """A rung on the chart: ``seconds`` for all questions, ``tone`` a token of the palette."""

    name: str
    title: str
    score: ColumnScore
    seconds: float
    tone: str
    enough: bool = False


@dataclass(frozen=True)
class Looks:
    """How large and in which colours it is drawn. ``scale`` 1 is that of the window."""

    palette: Palette
    font: QFont
    scale: float = 1.0

    def text(self, size: float, bold: bool = False) -> QFont:
        font = QFont(self.font)
        font.setPixelSize(round(size * self.scale))
        font.setBold(bold)
        return font


SLIDE = 1.6
"""Scale of a picture that is to be read from the back of a room."""


def points_of(rungs: Sequence[RungReport], questions: int, winner: str) -> list[ChartPoint]:
    """The rungs that have a score, with the time that so many questions take, the fastest first."""
    found = [
        ChartPoint(
            name=rung.offer.name,
            title=rung.offer.title,
            score=rung.score,
            seconds=max(rung.cost.seconds_for(questions), 0.1),
            tone=tone_of(rung),
            enough=rung.offer.name == winner,
        )
        for rung in rungs
        if rung.score is not None and rung.score.n
    ]
    return sorted(found, key=lambda point: (point.seconds, -point.score.value))


def tone_of(rung: RungReport) -> str:
    """The token of a rung's colour."""
    technique = rung.offer.technique
    return technique if technique in texts.TECHNIQUES else "text"


def frontier_of(points: Sequence[ChartPoint]) -> list[ChartPoint]:
    """Those of points in the order of their times that are better than every faster one."""
    best, found = -math.inf, []
    for point in points:
        if point.score.value > best:
            best = point.score.value
            found.append(point)
    return found


class ChartPicture:
    """A chart in ``area``, laid out: ``places`` has the centre of each point by its name."""

    def __init__(self, points: Sequence[ChartPoint], unit: str, questions: int, area: QRectF, looks: Looks) -> None:
        self._points, self._unit, self._questions, self._looks = points, unit, questions, looks
        self._area = area
        scale = looks.scale
        left = QFontMetricsF(looks.text(12)).horizontalAdvance("100 %") + 16 * scale if not unit else 60 * scale
        self._plot = area.adjusted(left, 22 * scale, -14 * scale, -42 * scale)
        self._range = self._find_range()
        self.places = {point.name: self._place(point.seconds, point.score.value) for point in points}
        self.radius = 6.0 * scale

    def draw(self, painter: QPainter) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._draw_axes(painter)
        if not self._points:
            painter.setFont(self._looks.text(14))
            words = painter.boundingRect(self._plot, Qt.AlignmentFlag.AlignCenter, texts.NOTHING_MEASURED)
            aside = 8 * self._looks.scale
            painter.fillRect(words.adjusted(-aside, 0, aside, 0), QColor(self._looks.palette.surface))
            painter.setPen(QColor(self._looks.palette.muted))
            painter.drawText(words, Qt.AlignmentFlag.AlignCenter, texts.NOTHING_MEASURED)
            return
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(QColor(self._looks.palette.edge), 1.5 * self._looks.scale, Qt.PenStyle.DashLine))
        painter.drawPolyline(QPolygonF(self.frontier()))
        for point in self._points:
            self._draw_interval(painter, point)
        for point in self._points:
            self.draw_point(painter, point)
        self._draw_titles(painter)

    def draw_point(self, painter: QPainter, point: ChartPoint) -> None:
        palette, centre = self._looks.palette, self.places[point.name]
        radius = self.radius * (1.25 if point.enough else 1)
        painter.setPen(QPen(QColor(palette.surface), 2 * self._looks.scale))
        painter.setBrush(QBrush(QColor(palette[point.tone])))
        painter.drawEllipse(centre, radius, radius)
        if point.enough:
            painter.setPen(QPen(QColor(palette.accent), 2 * self._looks.scale))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawEllipse(centre, radius + 3.5 * self._looks.scale, radius + 3.5 * self._looks.scale)

    # -- where things are ------------------------------------------------------------------------------

    def _find_range(self) -> QRectF:
        """Logarithms of seconds, and values, the lowest at its top."""
        if not self._points:
            return QRectF(0, 0, 3, 1)
        logs = [math.log10(point.seconds) for point in self._points]
        low, high = min(logs), max(logs)
        spare = max((high - low) * _ASIDE, (_LEAST_DECADES - (high - low)) / 2, 0.08)
        ends = [end for point in self._points for end in (point.score.low, point.score.high)]
        bottom, top = min(ends), max(ends)
        beyond = (top - bottom) * _BEYOND or 0.05
        if self._unit:
            return QRectF(low - spare, bottom - beyond, high - low + 2 * spare, top - bottom + 2 * beyond)
        bottom, top = max(bottom - beyond, -0.02), min(top + beyond, 1.03)
        return QRectF(low - spare, bottom, high - low + 2 * spare, top - bottom)

    def _place(self, seconds: float, value: float) -> QPointF:
        across = (math.log10(seconds) - self._range.left()) / self._range.width()
        up = (value - self._range.top()) / self._range.height()
        return QPointF(self._plot.left() + across * self._plot.width(), self._plot.bottom() - up * self._plot.height())

    def _draw_axes(self, painter: QPainter) -> None:
        palette, scale, plot = self._looks.palette, self._looks.scale, self._plot
        painter.setFont(self._looks.text(12))
        border, muted = QColor(palette.border), QColor(palette.muted)
        spacing = nice_spacing(self._range.height() / max(2.0, plot.height() / (48 * scale)))
        first = math.ceil(self._range.top() / spacing - 1e-9)
        for number in range(first, math.floor(self._range.bottom() / spacing + 1e-9) + 1):
            value = number * spacing
            y = self._place(1.0, value).y()
            painter.setPen(QPen(border, scale))
            painter.drawLine(QLineF(plot.left(), y, plot.right(), y))
            painter.setPen(muted)
            words = texts.amount(value, "") if not self._unit else f"{value:,.4g}"
            where = QRectF(self._area.left(), y - 9 * scale, plot.left() - self._area.left() - 8 * scale, 18 * scale)
            painter.drawText(where, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, words)
        painter.setPen(QPen(QColor(palette.edge), scale))
        painter.drawLine(plot.bottomLeft(), plot.bottomRight())
        used = -math.inf
        for seconds in (*TIMES, *(864_000 * 10**power for power in range(1, 5))):
            x = self._place(seconds, self._range.top()).x()
            words = _time(seconds)
            width = painter.fontMetrics().horizontalAdvance(words)
            if not plot.left() <= x <= plot.right() or x - width / 2 < used:
                continue
            used = x + width / 2 + 18 * scale
            painter.setPen(QPen(QColor(palette.edge), scale))
            painter.drawLine(QLineF(x, plot.bottom(), x, plot.bottom() + 4 * scale))
            painter.setPen(muted)
            where = QRectF(x - 60 * scale, plot.bottom() + 5 * scale, 120 * scale, 16 * scale)
            painter.drawText(where, Qt.AlignmentFlag.AlignCenter, words)
        painter.setPen(muted)
        below = QRectF(plot.left(), self._area.bottom() - 18 * scale, plot.width(), 17 * scale)
        axis = texts.AXIS_COST.format(questions=texts.questions(self._questions))
        painter.drawText(below, Qt.AlignmentFlag.AlignCenter, axis)
        above, quality = self._quality_title()
        painter.drawText(above, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, quality)

    def _quality_title(self) -> tuple[QRectF, str]:
        """What is drawn upwards, and where that is said: above the axis."""
        title = texts.AXIS_VALUE.format(unit=self._unit) if self._unit else texts.AXIS_QUALITY
        width = QFontMetricsF(self._looks.text(12)).horizontalAdvance(title)
        return QRectF(self._area.left(), self._area.top(), width + 4 * self._looks.scale, 17 * self._looks.scale), title

    def frontier(self) -> list[QPointF]:
        """The corners of steps: until the next one, so much quality is to be had."""
        corners: list[QPointF] = []
        for point in frontier_of(self._points):
            place = self.places[point.name]
            if corners:
                corners.append(QPointF(place.x(), corners[-1].y()))
            corners.append(place)
        return [*corners, QPointF(self._plot.right(), corners[-1].y())]

    def _span(self, point: ChartPoint) -> QRectF:
        """Where the interval of a point is drawn."""
        x, scale = self.places[point.name].x(), self._looks.scale
        low, high = (self._place(point.seconds, end).y() for end in (point.score.low, point.score.high))
        return QRectF(x - 4 * scale, high, 8 * scale, low - high)

    def _draw_interval(self, painter: QPainter, point: ChartPoint) -> None:
        span = self._span(point)
        colour = QColor(self._looks.palette[point.tone])
        colour.setAlphaF(0.65)
        painter.setPen(QPen(colour, 1.5 * self._looks.scale))
        painter.drawLine(QLineF(span.center().x(), span.top(), span.center().x(), span.bottom()))
        for end in (span.top(), span.bottom()):
            painter.drawLine(QLineF(span.left(), end, span.right(), end))

    def place_titles(self) -> dict[str, tuple[QRectF, str]]:
        """Where the titles stand by the names of the points, with the lines of each: beside these, where there is room
        and the fewest lines are crossed; those of the frontier choose first. A title that has no room is told by
        pointing at its point; that of the one that is enough always has a place."""
        scale, front = self._looks.scale, {point.name for point in frontier_of(self._points)}
        radius, gap = self.radius + 4 * scale, self.radius + 6 * scale
        taken = [QRectF(at.x() - radius, at.y() - radius, 2 * radius, 2 * radius) for at in self.places.values()]
        taken.append(self._quality_title()[0])
        lines = [self._span(point) for point in self._points]
        lines += [QRectF(a, b).normalized().adjusted(-1, -1, 1, 1) for a, b in pairwise(self.frontier())]
        room = self._plot.adjusted(0, -18 * scale, 12 * scale, 0)
        found = {}
        spans = {point.name: line for point, line in zip(self._points, lines, strict=False)}
        for point in sorted(self._points, key=lambda point: (not point.enough, point.name not in front)):
            others = [span for name, span in spans.items() if name != point.name]
            metrics, at = QFontMetricsF(self._font(point)), self.places[point.name]
            tried: list[tuple[QRectF, str]] = []
            found_free: list[tuple[float, QRectF, str]] = []
            for wrapped, title in enumerate(self._titles(point, metrics)):
                size = metrics.size(0, title) + QSizeF(4 * scale, 0)
                places = [
                    QPointF(at.x() + gap, at.y() - size.height() / 2),
                    QPointF(at.x() - gap - size.width(), at.y() - size.height() / 2),
                    QPointF(at.x() + gap, at.y() - size.height() - gap / 2),
                    QPointF(at.x() + gap, at.y() + gap / 2),
                    QPointF(at.x() - gap - size.width(), at.y() - size.height() - gap / 2),
                    QPointF(at.x() - gap - size.width(), at.y() + gap / 2),
                    QPointF(at.x() - size.width() / 2, at.y() - gap - size.height()),
                    QPointF(at.x() - size.width() / 2, at.y() + gap),
                ]
                boxes = [QRectF(place, size) for place in places]
                tried += [(box, title) for box in boxes]
                shorter = _WRAPPED * wrapped if " ".join(title.split()) == point.title else _CUT
                found_free += [
                    (
                        shorter + sum(map(box.intersects, lines)) + sum(map(between(box, at).intersects, others)),
                        box,
                        title,
                    )
                    for box in boxes
                    if room.contains(box) and not any(box.intersects(one) for one in taken)
                ]
            if not found_free and not point.enough:
                continue
            inside = [one for one in tried if room.contains(one[0])] or tried
            first = min(found_free, key=lambda one: one[0])[1:] if found_free else inside[0]  # of equal ones
            taken.append(first[0])
            found[point.name] = first
        return found

    def _font(self, point: ChartPoint) -> QFont:
        return self._looks.text(12, point.enough)

    def _titles(self, point: ChartPoint, metrics: QFontMetricsF) -> list[str]:
        """The title in lines, the widest ones first; cut only where it has no room in any."""
        found = []
        for widest in _TITLES:
            lines = in_lines(point.title, metrics, widest * self._looks.scale)
            text = "\n".join(lines)
            if len(lines) <= _LINES and text not in found:
                found.append(text)
        cut = metrics.elidedText(point.title, Qt.TextElideMode.ElideRight, _TITLES[-1] * self._looks.scale)
        return [*found, cut] if cut not in found else found

    def _draw_titles(self, painter: QPainter) -> None:
        ground, boxes = QColor(self._looks.palette.surface), self.place_titles()
        ground.setAlphaF(0.9)
        for point in self._points:
            if point.name in boxes:
                box, title = boxes[point.name]
                painter.fillRect(box, ground)
                painter.setFont(self._font(point))
                painter.setPen(QColor(self._looks.palette.text))
                painter.drawText(box, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, title)


def between(box: QRectF, place: QPointF) -> QRectF:
    """The ground between a title and its point; none where the title stands above or below it."""
    if place.x() > box.right():
        return QRectF(QPointF(box.right(), box.top()), QPointF(place.x(), box.bottom()))
    if place.x() < box.left():
        return QRectF(QPointF(place.x(), box.top()), box.bottomLeft())
    return QRectF()


def in_lines(title: str, metrics: QFontMetricsF, widest: float) -> list[str]:
    """A title in lines that are no wider, where its words are not."""
    lines: list[str] = []
    for word in title.replace(" + ", " +\N{NO-BREAK SPACE}").split(" "):
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and metrics.horizontalAdvance(longer) <= widest:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def _time(seconds: float) -> str:
    """A round time at the axis: ``30 s``, ``5 min``, ``2 h``, ``10 d``."""
    for unit, words in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= unit:
            return f"{seconds / unit:,.0f} {words}"
    return f"{seconds:g} s"


def draw_slide(
    painter: QPainter, size: QSizeF, sentence: str, points: Sequence[ChartPoint], unit: str, questions: int, font: QFont
) -> None:
    """The chart with its sentence above and its colours explained below, in the light theme and large."""
    looks, margin = Looks(LIGHT, font, SLIDE), 28.0 * SLIDE
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.fillRect(QRectF(QPointF(), size), QColor(LIGHT.surface))
    inside = QRectF(QPointF(), size).adjusted(margin, margin * 0.8, -margin, -margin * 0.7)
    painter.setPen(QColor(LIGHT.text))
    painter.setFont(looks.text(20, True))
    wraps = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap
    taken = painter.boundingRect(inside, int(wraps), sentence) if sentence else QRectF(inside.topLeft(), QSizeF(0, 0))
    painter.drawText(inside, int(wraps), sentence)
    legend = 26 * SLIDE
    chart = QRectF(inside.left(), taken.bottom() + 18 * SLIDE, inside.width(), 0)
    chart.setBottom(inside.bottom() - legend)
    ChartPicture(points, unit, questions, chart, looks).draw(painter)
    painter.setFont(looks.text(13))
    x, y = inside.left(), inside.bottom() - 9 * SLIDE
    for name, title in texts.TECHNIQUES.items():
        if not any(point.tone == name for point in points):
            continue
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(LIGHT[name]))
        painter.drawEllipse(QPointF(x + 5 * SLIDE, y), 5 * SLIDE, 5 * SLIDE)
        painter.setPen(QColor(LIGHT.text))
        width = painter.fontMetrics().horizontalAdvance(title)
        where = QRectF(x + 15 * SLIDE, y - 12 * SLIDE, width + 4, 24 * SLIDE)
        painter.drawText(where, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, title)
        x += 15 * SLIDE + width + 22 * SLIDE
