"""Bars of the recipes' means in the window."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRectF, QSize, QSizeF
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from ui.features.evaluation import texts
from ui.features.evaluation.bars_picture import ROW, BarsPicture, describe, draw_slide
from ui.theme.theme import current_theme
from workbench.records.evaluation import ColumnCost, ScorerResult


class MeanBars(QWidget):
    def __init__(self) -> None:
        super().__init__(toolTip=texts.COSTS_HELP)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._names: Sequence[str] = ()
        self._result = ScorerResult(title="", unit="", columns=())
        self._costs: Sequence[ColumnCost] = ()
        current_theme().changed.connect(self.update)

    def show_result(self, names: Sequence[str], result: ScorerResult, costs: Sequence[ColumnCost]) -> None:
        self._names, self._result, self._costs = names, result, costs
        self.setFixedHeight(self.sizeHint().height())
        said = [f"{name} {describe(one, result.unit)}" for name, one in zip(names, result.columns, strict=True)]
        self.setAccessibleName(f"{texts.BARS}, {result.title}: {'; '.join(said)}")
        self.update()

    def draw_for_slide(self, painter: QPainter, size: QSizeF, title: str) -> None:
        """The bars as a picture of its own."""
        draw_slide(painter, size, title, self._names, self._result, self._costs, self.font())

    def sizeHint(self) -> QSize:
        return QSize(600, ROW * max(1, len(self._names)))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        picture = BarsPicture(self._names, self._result, self._costs, current_theme().palette, self.font())
        picture.draw(painter, QRectF(self.rect()))
