"""A scrolled page of one column: no wider than what reads well, at the top when there is little in it."""

from __future__ import annotations

from PySide6.QtCore import QMargins, Qt
from PySide6.QtWidgets import QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from ui.components.basics import set_property
from ui.theme import tokens

WIDTH = 860
"""Pixels of a column of cards; one of running text is ``tokens.READING_WIDTH``."""

MARGINS = QMargins(tokens.SPACE_5, tokens.SPACE_4, tokens.SPACE_5, tokens.SPACE_5)


class ScrolledColumn(QScrollArea):
    """``column`` takes what the page is made of; it stands on the left, or ``centred`` in a wide window."""

    def __init__(
        self,
        spacing: int,
        *,
        width: int = WIDTH,
        margins: QMargins = MARGINS,
        centred: bool = False,
    ) -> None:
        super().__init__()
        self.setWidgetResizable(True)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        if centred:  # its place is always kept: else the column moves by half of it when it comes
            self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
            self.verticalScrollBar().rangeChanged.connect(self._on_range)
            self._on_range(0, 0)
        inside = QWidget()
        inside.setProperty("role", "page")
        row = QHBoxLayout(inside)
        row.setContentsMargins(margins)
        holder = QWidget()
        holder.setMaximumWidth(width)
        self.column = QVBoxLayout(holder)
        self.column.setContentsMargins(0, 0, 0, 0)
        self.column.setSpacing(spacing)
        if centred:
            row.addStretch(1)
        row.addWidget(holder, 12, Qt.AlignmentFlag.AlignTop)
        row.addStretch(1 if centred else 0)
        self.setWidget(inside)

    def _on_range(self, least: int, most: int) -> None:
        set_property(self.verticalScrollBar(), "idle", most == 0)
