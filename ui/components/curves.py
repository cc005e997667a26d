"""Curves over the steps of a training, drawn with pyqtgraph.

Importing this loads pyqtgraph and numpy: pages import it when they first draw. A chart takes no mouse and no keys; its
last values stand as words in its legend.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyqtgraph as pg  # type: ignore[import-untyped]
from PySide6.QtCore import QPointF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QWheelEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from ui import texts
from ui.components.basics import ElidedLabel, Text
from ui.components.layout import FlowLayout, column_of, row_of
from ui.theme import tokens
from ui.theme.theme import current_theme
from ui.theme.tokens import mixed

SMOOTHED_FROM = 60
"""Points from which on a noisy curve is drawn as its running mean, with the single points thin behind it."""

SERIES_TOKENS = ("accent", "finetuning", "agents", "decoding", "prompting", "preference", "retrieval", "muted")
_BELOW = 38
"""Height of the numbers below a plot, in px."""
_STYLES = (Qt.PenStyle.SolidLine, Qt.PenStyle.DashLine, Qt.PenStyle.DotLine)
_WIDTH = 2


@dataclass(frozen=True)
class Series:
    """One curve: its words in the legend, the token of its colour, its points. ``dots`` marks the single points,
    ``smooth`` lets a long one be drawn as its running mean. ``style`` tells apart curves of one colour: 0, 1, 2."""

    name: str
    token: str
    steps: Sequence[int]
    values: Sequence[float]
    dots: bool = False
    smooth: bool = False
    style: int = 0


class CurveChart(QWidget):
    """A titled chart with a legend above it. ``unit`` stands behind the last values in the legend; without ``legend``
    the curves are named elsewhere (see ``Swatch``). ``from_zero``: the axis begins at 0.
    ``height`` is that of the plot alone, ``help`` says what is drawn."""

    def __init__(
        self,
        title: str,
        unit: str = "",
        height: int = 150,
        legend: bool = True,
        from_zero: bool = False,
        help: str = "",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._title = title
        self._unit = unit
        self._series: tuple[Series, ...] = ()
        self.heading = Text(title, "strong")
        self.legend = _Legend()
        self.plot = _Plot(from_zero)
        self.plot.setFixedHeight(height + _BELOW)
        self.nothing = Text(texts.NOTHING_MEASURED, "small", self.plot, wordWrap=False)
        self.nothing.move(tokens.SPACE_6 + tokens.SPACE_5, tokens.SPACE_3)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        column = column_of(self, self.heading, gap=tokens.SPACE_1)
        if legend:
            column.addWidget(self.legend)
        else:
            self.legend.setParent(self)
            self.legend.hide()
        column.addStretch(1)  # beside a chart with more lines, the plots have one height
        column.addWidget(self.plot)
        self.setToolTip(help)
        self.setAccessibleDescription(help)
        current_theme().changed.connect(self._draw)
        self._draw()

    @property
    def series(self) -> tuple[Series, ...]:
        return self._series

    def show_series(self, series: Sequence[Series]) -> None:
        """Draw these instead of what was there."""
        self._series = tuple(series)
        self._draw()

    def _draw(self) -> None:
        palette = current_theme().palette
        self.plot.look(palette.surface, palette.muted, palette.border)
        lines: list[_Line] = []
        for one in self._series:
            style = _STYLES[one.style % len(_STYLES)]
            steps, values = np.asarray(one.steps, float), np.asarray(one.values, float)
            if one.smooth and len(values) >= SMOOTHED_FROM:
                lines.append(_Line(steps, values, mixed(palette[one.token], palette.surface, 0.35), 1, style, False))
                values = running_mean(values)
            dots = one.dots or len(values) == 1
            lines.append(_Line(steps, values, palette[one.token], 2, style, dots))
        self.plot.draw_lines(lines)
        self.nothing.setVisible(not any(len(one.values) for one in self._series))
        self.legend.show_series(self._series, self._unit)
        last = [(one.name, describe_value(one.values[-1])) for one in self._series if one.values]
        said = ", ".join(f"{name} {value} {self._unit}".strip() for name, value in last)
        self.setAccessibleName(f"{self._title}: {said or 'nothing measured yet'}")


@dataclass(frozen=True)
class _Line:
    steps: Any
    values: Any
    colour: str
    width: int
    style: Qt.PenStyle
    dots: bool


class _Plot(pg.PlotWidget):  # type: ignore[misc]
    """A plot in the theme's colours that lets the page scroll over it."""

    def __init__(self, from_zero: bool) -> None:
        box = pg.ViewBox(enableMenu=False)  # building menus that nobody opens takes a quarter of the time
        super().__init__(viewBox=box, enableMenu=False, axisItems={"left": _Axis("left"), "bottom": _Axis("bottom")})
        self._from_zero = from_zero
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setMenuEnabled(False)
        self.setMouseEnabled(False, False)
        self.hideButtons()
        self.setFrameShape(self.Shape.NoFrame)
        item = self.getPlotItem()
        item.setContentsMargins(0, 4, 8, 0)
        item.showGrid(x=False, y=True, alpha=0.6)
        item.getAxis("left").setWidth(50)
        item.getAxis("bottom").setHeight(_BELOW)
        item.getAxis("bottom").setLabel("step")
        self._items: list[Any] = []

    def look(self, background: str, words: str, lines: str) -> None:
        """Take on these colours."""
        self.setBackground(background)
        font = self.font()
        font.setPixelSize(11)
        for side in ("left", "bottom"):
            axis = self.getPlotItem().getAxis(side)
            axis.setPen(QColor(lines))
            axis.setTextPen(QColor(words))
            axis.setTickFont(font)
            axis.label.setFont(font)
            axis.setStyle(tickTextOffset=6)
            axis.setZValue(-1)  # the grid behind the curves

    def draw_lines(self, lines: Sequence[_Line]) -> None:
        """Show these; the items of what was drawn before are used again."""
        item = self.getPlotItem()
        while len(self._items) > len(lines):
            item.removeItem(self._items.pop())
        while len(self._items) < len(lines):
            made = pg.PlotDataItem(antialias=True)
            item.addItem(made)
            self._items.append(made)
        for drawn, line in zip(self._items, lines, strict=True):
            drawn.setPen(pg.mkPen(line.colour, width=line.width, style=line.style))
            drawn.setSymbol("o" if line.dots else None)
            drawn.setSymbolSize(6)
            drawn.setSymbolBrush(line.colour)
            drawn.setSymbolPen(None)
            drawn.setData(*thinned(line.steps, line.values))
        measured = any(len(line.values) for line in lines)
        for side in ("left", "bottom"):  # no numbers at the axes that nobody measured
            item.getAxis(side).setStyle(showValues=measured)
        highest = max((float(line.values.max()) for line in lines if len(line.values)), default=0.0)
        if self._from_zero and highest > 0:
            item.setYRange(0, highest * 1.05, padding=0)

    def sizeHint(self) -> QSize:
        return QSize(160, 120)

    def minimumSizeHint(self) -> QSize:
        return QSize(100, 80)

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()


class _Axis(pg.AxisItem):  # type: ignore[misc]
    """Ticks in words that people read: 2,000 and 0.00002, no powers of ten apart from the axis."""

    def __init__(self, side: str) -> None:
        super().__init__(side, maxTickLength=-4)
        self.enableAutoSIPrefix(False)

    def tickSpacing(self, low: float, high: float, size: float) -> list[tuple[float, float]]:
        """One level of ticks at 1, 2 or 5 times a power of ten, with room for their words; whole steps below."""
        upright = self.orientation == "left"
        spacing = nice_spacing((high - low) / max(1.0, size / (28 if upright else 84)))
        return [(spacing if upright else max(1.0, spacing), 0.0)]

    def tickStrings(self, values: Sequence[float], scale: float, spacing: float) -> list[str]:
        if self.orientation == "bottom":
            return [f"{value:,.0f}" if value >= 0 else "" for value in values]
        return [describe_tick(value, spacing) for value in values]


class _Legend(QWidget):
    """The legend: each colour with its name and last value, on as many lines as they need."""

    def __init__(self) -> None:
        super().__init__()
        self._flow = FlowLayout(self, tokens.SPACE_1)
        self._entries: list[_Entry] = []
        self.setMinimumHeight(18)

    def show_series(self, series: Sequence[Series], unit: str) -> None:
        while len(self._entries) > len(series):
            entry = self._entries.pop()
            self._flow.removeWidget(entry)
            entry.hide()
            entry.deleteLater()
        while len(self._entries) < len(series):
            self._entries.append(_Entry())
            self._flow.addWidget(self._entries[-1])
        for entry, one in zip(self._entries, series, strict=True):
            last = f"{describe_value(one.values[-1])} {unit}".strip() if one.values else ""
            entry.show_line(one, f"{one.name} {last}".strip())


class _Entry(QWidget):
    """One line of a chart in its legend."""

    def __init__(self) -> None:
        super().__init__()
        self.swatch, self.label = Swatch(), ElidedLabel("", "small")
        row_of(self, self.swatch, (self.label, 1), gap=tokens.SPACE_1)
        self.setFixedHeight(18)

    def show_line(self, series: Series, words: str) -> None:
        self.swatch.show_line(series.token, series.style)
        if words != self.label.full_text:
            self.label.set_full_text(words)
            self.label.updateGeometry()


class Swatch(QWidget):
    """A short piece of a curve's line, for its name to stand beside."""

    def __init__(self, token: str = "accent", style: int = 0) -> None:
        super().__init__()
        self.setFixedSize(16, 16)
        self._token, self._style = token, style

    def show_line(self, token: str, style: int) -> None:
        self._token, self._style = token, style
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setPen(QPen(current_theme().colour(self._token), 2, _STYLES[self._style % len(_STYLES)]))
        middle = self.height() / 2
        painter.drawLine(QPointF(0, middle), QPointF(self.width() - 4, middle))
        painter.end()


def thinned(steps: Any, values: Any, pieces: int = 500) -> tuple[Any, Any]:
    """The lowest and the highest point of each of about so many pieces: it looks the same and is drawn at once.
    (pyqtgraph's own way keeps five points a pixel, which takes half a second to paint.)"""
    count = len(values)
    if count <= 2 * pieces:
        return steps, values
    width = -(-count // pieces)
    whole = count // width * width
    parts = values[:whole].reshape(-1, width)
    first = np.arange(0, whole, width)
    kept = np.unique(np.concatenate((first + parts.argmin(1), first + parts.argmax(1), [0, count - 1])))
    return steps[kept], values[kept]


def running_mean(values: Any) -> Any:
    """The mean of each value and those around it, over about a thirtieth of all; as many values as there were."""
    width = max(3, len(values) // 30) | 1
    sums = np.cumsum(np.concatenate(([0.0], values)))
    places = np.arange(len(values))
    reach = np.minimum(np.minimum(places, len(values) - 1 - places), width // 2)
    return (sums[places + reach + 1] - sums[places - reach]) / (2 * reach + 1)


def nice_spacing(least: float) -> float:
    """The smallest 1, 2 or 5 times a power of ten that is not below ``least``."""
    if not least > 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(least))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= least * (1 - 1e-9))


def describe_value(value: float) -> str:
    """Two to four digits that say something: ``1,240``, ``24.5``, ``3.21``, ``0.423``, ``0.00054``, ``2e-5``."""
    if not value:
        return "0"
    if abs(value) >= 10:
        return f"{value:,.0f}" if abs(value) >= 100 or value == round(value) else f"{value:.1f}"
    if abs(value) >= 0.01:
        return f"{value:.2f}" if abs(value) >= 1 else f"{value:.3f}"
    return f"{value:.2g}".replace("e-0", "e-")


def describe_tick(value: float, spacing: float) -> str:
    """A tick's number with as many digits as tell it from the next one."""
    if abs(value) < spacing / 1000:
        return "0"
    if spacing < 0.0005:
        return f"{value:.1e}".replace("e-0", "e-").replace(".0e", "e")
    digits = max(0, -math.floor(math.log10(spacing) + 1e-9)) if spacing > 0 else 0
    return f"{value:,.{digits}f}"
