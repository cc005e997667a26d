"""All scores of an evaluation at once: a row for each scorer, a column for each recipe, each mean with its interval."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QWidget

from ui.components.basics import ElidedLabel, Text
from ui.features.evaluation import texts
from ui.theme import tokens
from workbench.records.evaluation import ScorerResult

MOST_RECIPES = 4
"""With more columns the means would not be read."""
_TOP = Qt.AlignmentFlag.AlignTop


class ScoreTable(QWidget):
    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, accessibleName=texts.ALL_SCORES)
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(tokens.SPACE_4)
        self._grid.setVerticalSpacing(tokens.SPACE_1)
        self.cells: dict[tuple[str, str], str] = {}

    def show_results(self, names: Sequence[str], results: Sequence[ScorerResult]) -> None:
        while (item := self._grid.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.deleteLater()
        self.cells = {}
        for column, name in enumerate(names, 1):
            self._grid.setColumnStretch(column, 1)
            self._grid.addWidget(ElidedLabel(name, "muted"), 0, column)
        for line, result in enumerate(results, 1):
            self._grid.addWidget(Text(result.title, "body", wordWrap=False), line, 0, _TOP)
            for column, (name, one) in enumerate(zip(names, result.columns, strict=True), 1):
                mean = texts.amount(one.value, result.unit) if one is not None else texts.NOTHING_SCORED
                interval = texts.describe_interval(one.low, one.high, result.unit) if one is not None else ""
                of = texts.OF_ANSWERS.format(n=one.n) if one is not None else ""
                self.cells[result.title, name] = said = " ".join(filter(None, (mean, interval)))
                cell = Text(said, "body", wordWrap=False, toolTip=of)
                cell.setAccessibleName(f"{result.title}, {name}: {said} {of}")
                self._grid.addWidget(cell, line, column, _TOP)
