"""A Markdown table as a widget. While it grows, only its new rows are laid down."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from PySide6.QtCore import Qt
from PySide6.QtGui import (
    QBrush,
    QColor,
    QTextBlockFormat,
    QTextCursor,
    QTextFrameFormat,
    QTextLength,
    QTextTable,
    QTextTableFormat,
)
from PySide6.QtWidgets import QWidget

from ui.components.markdown_blocks import Leaf, Span
from ui.components.prose import Prose
from ui.theme import tokens

_ALIGN = {"right": Qt.AlignmentFlag.AlignRight, "center": Qt.AlignmentFlag.AlignHCenter}


class TableView(Prose):
    """One table, its cells selectable text with links and citations."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._leaf = Leaf("table")
        self._table: QTextTable | None = None

    def restart(self) -> None:
        super().restart()
        self._leaf, self._table = Leaf("table"), None

    def show_table(self, leaf: Leaf, numbers: Collection[int]) -> None:
        """Show the table; rows that stand there already are left alone."""
        edit = QTextCursor(self.document())
        edit.beginEditBlock()  # one layout for all cells
        rows = len(leaf.rows)
        known = len(self._leaf.rows)
        if self._table is None or rows < known or leaf.rows[: known - 1] != self._leaf.rows[: known - 1]:
            self.restart()
            self._table = self._begin(rows, max(len(row) for row in leaf.rows))
            first = 0
        else:
            first = known if leaf.rows[known - 1] == self._leaf.rows[known - 1] else known - 1
            if rows > known:
                self._table.appendRows(rows - known)
        for number in range(first, rows):
            for column, spans in enumerate(leaf.rows[number][: self._table.columns()]):
                self._fill(self._table, number, column, spans, leaf, numbers)
        edit.endEditBlock()
        self._leaf = leaf
        self.fit()

    def _begin(self, rows: int, columns: int) -> QTextTable:
        style = QTextTableFormat()
        style.setBorder(1)
        style.setBorderCollapse(True)
        style.setBorderStyle(QTextFrameFormat.BorderStyle.BorderStyle_Solid)
        style.setBorderBrush(QBrush(QColor(self._formats.palette.border)))
        style.setCellPadding(tokens.SPACE_2)
        style.setCellSpacing(0)
        style.setHeaderRowCount(1)
        style.setWidth(QTextLength())
        cursor = QTextCursor(self.document())
        table = cursor.insertTable(rows, columns, style)
        cursor.movePosition(QTextCursor.MoveOperation.End)  # Qt keeps a line behind a table: make it flat
        flat = QTextBlockFormat()
        flat.setLineHeight(1, QTextBlockFormat.LineHeightTypes.FixedHeight.value)
        cursor.setBlockFormat(flat)
        return table

    def _fill(
        self, table: QTextTable, row: int, column: int, spans: tuple[Span, ...], leaf: Leaf, numbers: Collection[int]
    ) -> None:
        cell = table.cellAt(row, column)
        cursor = cell.firstCursorPosition()
        cursor.setPosition(cell.lastCursorPosition().position(), QTextCursor.MoveMode.KeepAnchor)
        cursor.removeSelectedText()
        style = QTextBlockFormat()
        align = leaf.align[column] if column < len(leaf.align) else ""
        style.setAlignment(_ALIGN.get(align, Qt.AlignmentFlag.AlignLeft))
        cursor.setBlockFormat(style)
        for span in spans:
            self._insert(cursor, span if row else replace(span, bold=True), numbers)
