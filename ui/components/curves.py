"""Curves over the steps of a training. A chart takes no mouse and no keys; its last values stand as words in its
legend."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from ui import texts
from ui.components.basics import ElidedLabel, Text
from ui.components.layout import FlowLayout, column_of, row_of
from ui.components.plot import BELOW, Line, Plot, running_mean
from ui.theme import tokens
from ui.theme.theme import current_theme
from ui.theme.tokens import mixed

SMOOTHED_FROM = 60
"""Points from which on a noisy curve is drawn as its running mean, with the single points thin behind it."""

SERIES_TOKENS = ("accent", "finetuning", "agents", "decoding", "prompting", "preference", "retrieval", "muted")
_STYLES = (Qt.PenStyle.SolidLine, Qt.PenStyle.DashLine, Qt.PenStyle.DotLine)


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
    ) -> None:
        super().__init__()
        self._title = title
        self._unit = unit
        self._series: tuple[Series, ...] = ()
        self.heading = Text(title, "strong")
        self.legend = _Legend()
        self.plot = Plot(from_zero)
        self.plot.setFixedHeight(height + BELOW)
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
        lines: list[Line] = []
        for one in self._series:
            style = _STYLES[one.style % len(_STYLES)]
            steps, values = one.steps, one.values
            if one.smooth and len(values) >= SMOOTHED_FROM:
                lines.append(Line(steps, values, mixed(palette[one.token], palette.surface, 0.35), 1, style, False))
                values = running_mean(values)
            dots = one.dots or len(values) == 1
            lines.append(Line(steps, values, palette[one.token], 2, style, dots))
        self.plot.draw_lines(lines)
        self.nothing.setVisible(not any(len(one.values) for one in self._series))
        self.legend.show_series(self._series, self._unit)
        last = [(one.name, describe_value(one.values[-1])) for one in self._series if one.values]
        said = ", ".join(f"{name} {value} {self._unit}".strip() for name, value in last)
        self.setAccessibleName(f"{self._title}: {said or texts.NOTHING_MEASURED_YET}")


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


def describe_value(value: float) -> str:
    """Two to four digits that say something: ``1,240``, ``24.5``, ``3.21``, ``0.423``, ``0.00054``, ``2e-5``."""
    if not value:
        return "0"
    if abs(value) >= 10:
        return f"{value:,.0f}" if abs(value) >= 100 or value == round(value) else f"{value:.1f}"
    if abs(value) >= 0.01:
        return f"{value:.2f}" if abs(value) >= 1 else f"{value:.3f}"
    return f"{value:.2g}".replace("e-0", "e-")
