"""A table of records in rows of one line each, opened by a click or Enter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QPainter, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
)

from ui.components.paged_table import RowRole
from ui.theme import tokens
from ui.theme.theme import current_theme

_ROW = 46
_NARROWEST = 140
_DESIGNED = 840
"""Pixels for which the first columns' widths are meant; in a wider grid these grow with it."""
Index = QModelIndex | QPersistentModelIndex


class GridView(QTableView):
    """``opened`` sends the row and the number of the column of a cell that was clicked or entered."""

    opened = Signal(object, int)

    def __init__(self, name: str, fixed: Sequence[int], slim: int = 0) -> None:
        """``fixed`` are the widths of the first columns; the others share what these leave. Below ``slim`` pixels only
        the first of them is in sight."""
        super().__init__()
        self.setAccessibleName(name)
        self._fixed, self._slim = fixed, slim
        self.setItemDelegate(RowDelegate(self))
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(_ROW)
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.horizontalHeader().setHighlightSections(False)
        self.setTabKeyNavigation(False)
        self.clicked.connect(self._open)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.show_widths()

    def show_widths(self) -> None:
        """Share the width among the columns as they are now."""
        wide = max(1.0, self.viewport().width() / _DESIGNED)
        header, count = self.horizontalHeader(), self.model().columnCount()
        fixed = [
            max(round(width * wide) if column else width, header.sectionSizeHint(column))
            for column, width in enumerate(self._fixed)
        ]
        slim = self.viewport().width() < self._slim
        taken = sum(width for column, width in enumerate(fixed) if not slim or not column)
        left = self.viewport().width() - taken
        for column in range(count):
            own = count - len(fixed)
            width = fixed[column] if column < len(fixed) else max(_NARROWEST, left // max(1, own))
            header.resizeSection(column, width)
            header.setSectionHidden(column, slim and 0 < column < len(fixed))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._open(self.currentIndex())
        else:
            super().keyPressEvent(event)

    def _open(self, index: QModelIndex) -> None:
        row = index.data(RowRole) if index.isValid() else None
        if row is not None:
            self.opened.emit(row, index.column())


class RowDelegate(QStyledItemDelegate):
    """Draws texts in one line, the first column in a quiet colour."""

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(_NARROWEST, _ROW)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        theme, row = current_theme(), index.data(RowRole)
        area: QRect = option.rect
        painter.save()
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(area, theme.colour("accent_soft"))
        if row is not None:
            self.draw_cell(painter, area.adjusted(tokens.SPACE_2, 0, -tokens.SPACE_2, 0), option, index, row)
        painter.setPen(theme.colour("border"))
        painter.drawLine(area.bottomLeft(), area.bottomRight())
        painter.restore()

    def draw_cell(self, painter: QPainter, inner: QRect, option: Any, index: Index, row: Any) -> None:
        painter.setPen(current_theme().colour("text" if index.column() else "muted"))
        draw_line(painter, inner, str(index.data() or ""))


def draw_line(painter: QPainter, area: QRect, text: str) -> None:
    """A text in one line, cut short where it does not fit."""
    shown = painter.fontMetrics().elidedText(text[:400], Qt.TextElideMode.ElideRight, area.width())
    painter.drawText(area, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, shown)
