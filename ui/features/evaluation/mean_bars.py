"""Bars of the recipes' means, each with its interval, its number in words, and what an answer cost."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QLineF, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QFont, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from ui.features.evaluation import texts
from ui.theme import tokens
from ui.theme.theme import current_theme
from workbench.records.evaluation import ColumnCost, ColumnScore, ScorerResult

_ROW = 30
_NAME, _NUMBERS, _COST = 170, 150, 190
_BAR = 16


class MeanBars(QWidget):
    """Of a share the bar's whole length is 100 %; of another value, the highest end of an interval."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, toolTip=texts.COSTS_HELP)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._names: Sequence[str] = ()
        self._result = ScorerResult(title="", unit="", columns=())
        self._costs: Sequence[ColumnCost] = ()
        current_theme().changed.connect(self.update)

    def show_result(self, names: Sequence[str], result: ScorerResult, costs: Sequence[ColumnCost]) -> None:
        self._names, self._result, self._costs = names, result, costs
        self.setFixedHeight(self.sizeHint().height())
        said = [f"{name} {self._numbers(one)}" for name, one in zip(names, result.columns, strict=True)]
        self.setAccessibleName(f"{texts.BARS}, {result.title}: {'; '.join(said)}")
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(600, _ROW * max(1, len(self._names)))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        shows_cost = self.width() > 720
        unit = self._result.unit
        ends = [one.high for one in self._result.columns if one is not None]
        most = (max(ends, default=1.0) if unit else 1.0) or 1.0
        track = self.width() - _NAME - _NUMBERS - (_COST if shows_cost else 0)
        for place, (name, one) in enumerate(zip(self._names, self._result.columns, strict=True)):
            top = place * _ROW
            self._draw_text(painter, QRect(0, top, _NAME - tokens.SPACE_2, _ROW), name, "text")
            bar = QRectF(_NAME, top + (_ROW - _BAR) / 2, track, _BAR)
            self._draw_bar(painter, bar, one, most)
            numbers = QRect(_NAME + track + tokens.SPACE_3, top, _NUMBERS - tokens.SPACE_3, _ROW)
            self._draw_text(painter, numbers, self._numbers(one), "text" if one is not None else "muted")
            if shows_cost and place < len(self._costs) and self._costs[place].answers:
                cost = self._costs[place]
                said = texts.COSTS.format(prompt=cost.prompt_tokens, new=cost.new_tokens, seconds=cost.seconds)
                area = QRect(self.width() - _COST + tokens.SPACE_3, top, _COST - tokens.SPACE_3, _ROW)
                self._draw_text(painter, area, said, "muted", small=True)

    def _draw_bar(self, painter: QPainter, bar: QRectF, one: ColumnScore | None, most: float) -> None:
        theme = current_theme()
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.colour("sunken"))
        painter.drawRoundedRect(bar, 4, 4)
        if one is None:
            return
        x = [bar.left() + bar.width() * min(1.0, max(0.0, part / most)) for part in (one.value, one.low, one.high)]
        painter.setBrush(theme.colour("accent"))
        painter.drawRoundedRect(QRectF(bar.left(), bar.top(), max(2.0, x[0] - bar.left()), bar.height()), 4, 4)
        middle = bar.center().y()
        for colour, width in (("surface", 4.5), ("text", 1.5)):  # seen on the bar and beside it
            painter.setPen(QPen(theme.colour(colour), width))
            painter.drawLine(QLineF(QPointF(x[1], middle), QPointF(x[2], middle)))
            for end in x[1:]:
                painter.drawLine(QLineF(QPointF(end, middle - 4), QPointF(end, middle + 4)))

    def _numbers(self, one: ColumnScore | None) -> str:
        if one is None:
            return texts.NOTHING_SCORED
        unit = self._result.unit
        return f"{texts.amount(one.value, unit)} {texts.describe_interval(one.low, one.high, unit)}"

    def _draw_text(self, painter: QPainter, area: QRect, text: str, token: str, small: bool = False) -> None:
        font = QFont(self.font())
        font.setPixelSize(tokens.TEXT_SMALL if small else tokens.TEXT_BODY)
        painter.setFont(font)
        painter.setPen(current_theme().colour(token))
        shown = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, area.width())
        painter.drawText(area, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, shown)
