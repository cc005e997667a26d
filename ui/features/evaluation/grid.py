"""The grid: a row a question, a column a recipe, each cell the beginning of an answer with its score."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QRect
from PySide6.QtGui import QFont, QPainter

from ui.components.grid_view import GridView, Index, RowDelegate, draw_line
from ui.components.paged_table import PagedTable
from ui.features.evaluation import texts
from ui.theme import tokens
from ui.theme.theme import current_theme
from workbench.records.evaluation import CellBrief, GridRow, NumberedQuestion

FIXED = 3
"""Columns before those of the recipes."""
RIGHT = 0.5
_WIDTHS = (52, 210, 120)
_SLIM = 560
"""Pixels below which only the number of a question stands before the answers: it is read beside them."""


class GridTable(PagedTable):
    """Rows are ``GridRow``. ``scorer`` is the one whose score colours the cells; ``fewer``: it counts faults."""

    scorer = 0
    fewer = False

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
        return (f"{row.number:,}", texts.SPLITS[row.split], _one_line(question.text), _one_line(question.gold))[column]


class AnswerGrid(GridView):
    """The grid of an evaluation: the columns from ``FIXED`` on are the recipes."""

    def __init__(self, name: str) -> None:
        super().__init__(name, _WIDTHS, _SLIM)
        self.setItemDelegate(_AnswerDelegate(self))


class _AnswerDelegate(RowDelegate):
    """An answer has its score below, on a ground that says whether it is right."""

    def draw_cell(self, painter: QPainter, inner: QRect, option: Any, index: Index, row: GridRow) -> None:
        if index.column() >= FIXED:
            model: Any = index.model()
            self._draw_answer(painter, inner, option, row.cells[index.column() - FIXED], model)
        else:
            painter.setPen(current_theme().colour("muted" if index.column() in (0, FIXED - 1) else "text"))
            draw_line(painter, inner, str(index.data() or ""))

    def _draw_answer(self, painter: QPainter, inner: QRect, option: Any, cell: CellBrief, table: GridTable) -> None:
        theme, area, scorer = current_theme(), option.rect, table.scorer
        if cell.state == "missing" and not cell.scores:
            painter.setPen(theme.colour("muted"))
            draw_line(painter, inner, "…")
            return
        score = cell.scores[scorer] if scorer < len(cell.scores) else None
        tone = "danger" if cell.state == "failed" else "muted"
        if score is not None and 0 <= score <= 1 and cell.state != "failed":
            tone = "success" if (score >= RIGHT) is not table.fewer else "attention"
        if tone != "muted":
            mark = QRect(area.left() + 2, area.top() + 6, 3, area.height() - 12)
            painter.fillRect(mark, theme.colour(tone))
        painter.setPen(theme.colour("danger" if cell.state == "failed" else "text"))
        draw_line(painter, QRect(inner.left() + 2, inner.top() + 4, inner.width() - 2, 20), _one_line(cell.text))
        small = QFont(option.font)
        small.setPixelSize(tokens.TEXT_SMALL)
        painter.setFont(small)
        painter.setPen(theme.colour(tone))
        said = [] if score is None else [f"{score:.2f}".removesuffix(".00")]
        if cell.state == "declined":
            said.append(texts.DECLINED.lower())
        draw_line(painter, QRect(inner.left() + 2, inner.top() + 23, inner.width() - 2, 18), " · ".join(said))


def _one_line(text: str) -> str:
    return " ".join(text.split())
