"""Measures before and after, as a table."""

from __future__ import annotations

from typing import Literal

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QWidget

from ui.components.basics import Chip, Text
from ui.features.adapters.texts import ScoreRow
from ui.theme import tokens


class ScoreTable(QWidget):
    """Measures in rows: before, after, and by how much they changed."""

    def __init__(self, rows: list[ScoreRow], name: str) -> None:
        super().__init__()
        self.setAccessibleName(name)
        self.lines = [f"{row.name}: {row.before} → {row.after} ({row.change})" for row in rows]
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, tokens.SPACE_1)
        grid.setHorizontalSpacing(tokens.SPACE_4)
        grid.setVerticalSpacing(tokens.SPACE_1)
        grid.setColumnStretch(0, 1)
        for column in (1, 2):
            grid.setColumnMinimumWidth(column, 56)
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        for column, words in enumerate(("Before", "After", "Change"), 1):
            where = right if column < 3 else Qt.AlignmentFlag.AlignCenter
            grid.addWidget(_cell(words, "small"), 0, column, where)
        for line, row in enumerate(rows, 1):
            title = Text(row.name, "body")  # wraps where there is little room
            title.setToolTip(row.help)
            grid.addWidget(title, line, 0)
            grid.addWidget(_cell(row.before, "muted"), line, 1, right)
            grid.addWidget(_cell(row.after, "strong"), line, 2, right)
            chip = Chip(row.change or "–", "plain" if row.better is None else "success" if row.better else "attention")
            chip.setFixedWidth(104)
            chip.setAlignment(Qt.AlignmentFlag.AlignCenter)
            better = "" if row.better is None else ", better" if row.better else ", worse"
            chip.setAccessibleName(f"{row.name} changed by {row.change}{better}" if row.change else "")
            chip.setToolTip(f"{row.help}{' It got better.' if row.better else ''}")
            grid.addWidget(chip, line, 3, right)


def _cell(words: str, role: Literal["body", "small", "muted", "strong"]) -> Text:
    text = Text(words, role)
    text.setWordWrap(False)
    return text
