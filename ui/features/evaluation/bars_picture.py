"""Bars of the recipes' means, each with its interval, its number in words, and what an answer cost: drawn on any paint
device, in any palette and size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QLineF, QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPen

from ui.features.evaluation import texts
from ui.theme import tokens
from ui.theme.tokens import LIGHT, Palette
from workbench.records.evaluation import ColumnCost, ColumnScore, ScorerResult

ROW = 30
_NAME, _NUMBERS, _COST, _BAR = 170, 150, 190, 16
_SLIDE = 1.6
"""Scale of a picture that is to be read from the back of a room."""
_MOST_ON_SLIDE = 16


@dataclass(frozen=True)
class BarsPicture:
    """Of a share a bar's whole length is 100 %; of another value, the highest end of an interval. ``scale`` 1 is that
    of the window."""

    names: Sequence[str]
    result: ScorerResult
    costs: Sequence[ColumnCost]
    palette: Palette
    font: QFont
    scale: float = 1.0

    def draw(self, painter: QPainter, area: QRectF) -> None:
        """A row for each recipe, from the top of the area."""
        unit, scale = self.result.unit, self.scale
        ends = [one.high for one in self.result.columns if one is not None]
        most = (max(ends, default=1.0) if unit else 1.0) or 1.0
        shows_cost = area.width() > 720 * scale
        named = _NAME * scale * (1 if scale == 1 else 1.4)
        track = area.width() - named - (_NUMBERS + (_COST if shows_cost else 0)) * scale
        for place, (name, one) in enumerate(zip(self.names, self.result.columns, strict=True)):
            top, height = area.top() + place * ROW * scale, ROW * scale
            x = area.left()
            self._write(painter, QRectF(x, top, named - tokens.SPACE_2 * scale, height), name, "text")
            bar = QRectF(x + named, top + (ROW - _BAR) / 2 * scale, track, _BAR * scale)
            self._draw_bar(painter, bar, one, most)
            gap = tokens.SPACE_3 * scale
            numbers = QRectF(bar.right() + gap, top, _NUMBERS * scale - gap, height)
            self._write(painter, numbers, describe(one, unit), "text" if one is not None else "muted")
            if shows_cost and place < len(self.costs) and self.costs[place].answers:
                cost = self.costs[place]
                said = texts.COSTS.format(prompt=cost.prompt_tokens, new=cost.new_tokens, seconds=cost.seconds)
                where = QRectF(area.right() - _COST * scale + gap, top, _COST * scale - gap, height)
                self._write(painter, where, said, "muted", small=True)

    def _draw_bar(self, painter: QPainter, bar: QRectF, one: ColumnScore | None, most: float) -> None:
        scale = self.scale
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(self.palette.sunken))
        painter.drawRoundedRect(bar, 4 * scale, 4 * scale)
        if one is None:
            return
        x = [bar.left() + bar.width() * min(1.0, max(0.0, part / most)) for part in (one.value, one.low, one.high)]
        painter.setBrush(QColor(self.palette.accent))
        filled = QRectF(bar.left(), bar.top(), max(2.0, x[0] - bar.left()), bar.height())
        painter.drawRoundedRect(filled, 4 * scale, 4 * scale)
        middle = bar.center().y()
        for token, width in (("surface", 4.5), ("text", 1.5)):  # seen on the bar and beside it
            painter.setPen(QPen(QColor(self.palette[token]), width * scale))
            painter.drawLine(QLineF(QPointF(x[1], middle), QPointF(x[2], middle)))
            for end in x[1:]:
                painter.drawLine(QLineF(QPointF(end, middle - 4 * scale), QPointF(end, middle + 4 * scale)))

    def _write(self, painter: QPainter, area: QRectF, text: str, token: str, small: bool = False) -> None:
        font = QFont(self.font)
        font.setPixelSize(round((tokens.TEXT_SMALL if small else tokens.TEXT_BODY) * self.scale))
        painter.setFont(font)
        painter.setPen(QColor(self.palette[token]))
        shown = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, int(area.width()))
        painter.drawText(area, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, shown)


def describe(one: ColumnScore | None, unit: str) -> str:
    """A mean with its interval."""
    if one is None:
        return texts.NOTHING_SCORED
    return f"{texts.amount(one.value, unit)} {texts.describe_interval(one.low, one.high, unit)}"


def slide_height(recipes: int) -> int:
    """Pixels of a picture of so many recipes, with its title and sentence."""
    return round((2 * 28 + 130 + ROW * min(recipes, _MOST_ON_SLIDE)) * _SLIDE)


def draw_slide(
    painter: QPainter,
    size: QSizeF,
    title: str,
    names: Sequence[str],
    result: ScorerResult,
    costs: Sequence[ColumnCost],
    font: QFont,
) -> None:
    """The bars in the light theme and large, with the title and the sentence above them; of many recipes the best."""
    kept = sorted(sorted(range(len(names)), key=lambda place: _rank(result, place))[:_MOST_ON_SLIDE])
    shown = ScorerResult(
        title=result.title, unit=result.unit, columns=tuple(result.columns[place] for place in kept), fewer=result.fewer
    )
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.fillRect(QRectF(QPointF(), size), QColor(LIGHT.surface))
    margin = 28.0 * _SLIDE
    inside = QRectF(QPointF(), size).adjusted(margin, margin, -margin, -margin)
    wraps = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap)
    for words, pixels, bold in ((title, 20, True), ("\n".join(result.sentences), 15, False)):
        if not words:
            continue
        face = QFont(font)
        face.setPixelSize(round(pixels * _SLIDE))
        face.setBold(bold)
        painter.setFont(face)
        painter.setPen(QColor(LIGHT.text))
        taken = painter.boundingRect(inside, wraps, words)
        painter.drawText(inside, wraps, words)
        inside.setTop(taken.bottom() + 14 * _SLIDE)
    these = [costs[place] for place in kept if place < len(costs)]
    BarsPicture([names[place] for place in kept], shown, these, LIGHT, font, _SLIDE).draw(painter, inside)


def _rank(result: ScorerResult, place: int) -> float:
    one = result.columns[place]
    if one is None:
        return float("inf")
    return one.value if result.fewer else -one.value
