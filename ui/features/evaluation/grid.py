"""The grid: a row a question, a column a recipe, each cell the beginning of an answer with its score."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QSize, Qt, Signal
from PySide6.QtGui import QFont, QKeyEvent, QPainter, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from ui.components.paged_table import PagedTable, RowRole
from ui.features.evaluation import texts
from ui.theme import tokens
from ui.theme.theme import current_theme
from workbench.records.evaluation import CellBrief, GridRow, NumberedQuestion

FIXED = 3
"""Columns before those of the recipes."""
RIGHT = 0.5
_ROW = 46
_WIDTHS = (52, 210, 120)
_NARROWEST = 140
_DESIGNED = 840
"""Pixels for which the first columns' widths are meant; in a wider grid these grow with it."""
_SLIM = 560
"""Pixels below which only the number of a question stands before the answers: it is read beside them."""
_Index = QModelIndex | QPersistentModelIndex


class GridTable(PagedTable):
    """Rows are ``GridRow``. ``scorer`` is the one whose score colours the cells."""

    scorer = 0

    def show_recipes(self, names: Sequence[str]) -> None:
        self.restart((texts.COLUMN_NUMBER, texts.COLUMN_QUESTION, texts.COLUMN_EXPECTED, *names))

    def cell(self, row: GridRow, column: int) -> str:
        if column < FIXED:
            return (f"{row.number:,}", _one_line(row.question), _one_line(row.expected))[column]
        return texts.describe_cell(row.cells[column - FIXED], self.scorer)


class QuestionTable(PagedTable):
    """Rows are ``NumberedQuestion``."""

    def show_set(self, total: int) -> None:
        headers = (texts.COLUMN_NUMBER, texts.COLUMN_SPLIT, texts.COLUMN_QUESTION, texts.COLUMN_EXPECTED)
        self.restart(headers, total)

    def cell(self, row: NumberedQuestion, column: int) -> str:
        question = row.question
        expected = " | ".join(question.expected)
        return (f"{row.number:,}", texts.SPLITS[row.split], _one_line(question.text), _one_line(expected))[column]


class GridView(QTableView):
    """``opened`` sends the row and the number of the recipe (-1: none) of a cell that was clicked or entered."""

    opened = Signal(object, int)

    def __init__(self, name: str, fixed: Sequence[int] = _WIDTHS, parent: QWidget | None = None) -> None:
        """``fixed`` are the widths of the first columns; the others share what these leave."""
        super().__init__(parent)
        self.setAccessibleName(name)
        self._fixed = fixed
        self.setItemDelegate(_Delegate(self))
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
        fixed = [round(width * wide) if column else width for column, width in enumerate(self._fixed)]
        header, count = self.horizontalHeader(), self.model().columnCount()
        slim = isinstance(self.model(), GridTable) and self.viewport().width() < _SLIM
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
        if isinstance(row, GridRow):
            self.opened.emit(row, index.column() - FIXED if index.column() >= FIXED else -1)
        elif row is not None:
            self.opened.emit(row, -1)


class _Delegate(QStyledItemDelegate):
    """Draws texts in one line; an answer has its score below, on a ground that says whether it is right."""

    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:
        return QSize(_NARROWEST, _ROW)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        theme, row = current_theme(), index.data(RowRole)
        area: QRect = option.rect
        painter.save()
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(area, theme.colour("accent_soft"))
        inner = area.adjusted(tokens.SPACE_2, 0, -tokens.SPACE_2, 0)
        if isinstance(row, GridRow) and index.column() >= FIXED:
            model: Any = index.model()
            self._draw_cell(painter, area, inner, option, row.cells[index.column() - FIXED], model.scorer)
        elif row is not None:
            quiet = index.column() == 0 or (isinstance(row, GridRow) and index.column() == FIXED - 1)
            painter.setPen(theme.colour("muted" if quiet else "text"))
            _draw(painter, inner, str(index.data() or ""))
        painter.setPen(theme.colour("border"))
        painter.drawLine(area.bottomLeft(), area.bottomRight())
        painter.restore()

    def _draw_cell(
        self, painter: QPainter, area: QRect, inner: QRect, option: Any, cell: CellBrief, scorer: int
    ) -> None:
        theme = current_theme()
        if cell.state == "missing" and not cell.scores:
            painter.setPen(theme.colour("muted"))
            _draw(painter, inner, "…")
            return
        score = cell.scores[scorer] if scorer < len(cell.scores) else None
        tone = "danger" if cell.state == "failed" else "muted"
        if score is not None and 0 <= score <= 1 and cell.state != "failed":
            tone = "success" if score >= RIGHT else "attention"
        if tone != "muted":
            mark = QRect(area.left() + 2, area.top() + 6, 3, area.height() - 12)
            painter.fillRect(mark, theme.colour(tone))
        painter.setPen(theme.colour("danger" if cell.state == "failed" else "text"))
        _draw(painter, QRect(inner.left() + 2, inner.top() + 4, inner.width() - 2, 20), _one_line(cell.text))
        small = QFont(option.font)
        small.setPixelSize(tokens.TEXT_SMALL)
        painter.setFont(small)
        painter.setPen(theme.colour(tone))
        said = [] if score is None else [f"{score:.2f}".removesuffix(".00")]
        if cell.state == "declined":
            said.append(texts.DECLINED.lower())
        _draw(painter, QRect(inner.left() + 2, inner.top() + 23, inner.width() - 2, 18), " · ".join(said))


def _draw(painter: QPainter, area: QRect, text: str) -> None:
    shown = painter.fontMetrics().elidedText(text[:400], Qt.TextElideMode.ElideRight, area.width())
    painter.drawText(area, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, shown)


def _one_line(text: str) -> str:
    return " ".join(text.split())
