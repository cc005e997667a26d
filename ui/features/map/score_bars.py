"""The scores of the best passages as bars: the part of the words, that of the meaning, and both together."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QEnterEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from ui.components.basics import ColourKey, ElidedLabel, Text
from ui.components.layout import column_of, empty_layout, row_of
from ui.features.map import texts
from ui.theme import tokens
from ui.theme.theme import current_theme
from workbench.records.similarity import PassageMap, ScoredPassage

WORDS, MEANING = "prompting", "retrieval"
"""The hues of the two parts."""


class ScoreBars(QWidget):
    """``pointed`` sends the point of the passage that the mouse is on, -1 for none; ``pressed`` that of a press."""

    pointed = Signal(int)
    pressed = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[_Row] = []
        self._help = Text("", "small")
        key = row_of(
            None, ColourKey(WORDS), Text(texts.WORDS, "small"), ColourKey(MEANING), Text(texts.MEANING, "small"), None,
            gap=tokens.SPACE_2,
        )  # fmt: skip
        self._rows = column_of(gap=tokens.SPACE_2)
        self._note = Text(texts.RERANKED, "small")
        column_of(self, Text(texts.BARS, "heading"), key, self._rows, self._help, self._note, gap=tokens.SPACE_2)

    def show_map(self, found: PassageMap) -> None:
        empty_layout(self._rows)
        self.rows = [_Row(rank, one) for rank, one in enumerate(found.best, 1)]
        for row in self.rows:
            row.pointed.connect(self.pointed)
            row.pressed.connect(self.pressed)
            self._rows.addWidget(row)
        self._help.setText(texts.BARS_HELP.format(weight=found.vector_weight))
        self._note.setVisible(any(one.feedback != one.meaning for one in found.best))


class _Row(QWidget):
    """One passage: its place, its document, the bar, and where a second look has moved it."""

    pointed = Signal(int)
    pressed = Signal(int)

    def __init__(self, rank: int, one: ScoredPassage) -> None:
        super().__init__()
        self._one = one
        title = f"{one.passage.title}{texts.PAGE.format(page=one.passage.page) if one.passage.page else ''}"
        self.setAccessibleName(
            texts.BAR.format(
                rank=rank, title=title, words=one.words, meaning=one.feedback, score=one.words + one.feedback
            )
        )
        number = Text(str(rank), "strong", wordWrap=False)
        number.setFixedWidth(18)
        head = row_of(None, number, (ElidedLabel(title), 1), Text(f"{one.passage.score:.2f}", "small", wordWrap=False))
        column = column_of(self, head, _Bar(one), gap=2)
        self.note = _note_of(rank, one)
        if self.note:
            column.addWidget(Text(self.note, "small"))

    def enterEvent(self, event: QEnterEvent) -> None:
        self.pointed.emit(self._one.point)

    def leaveEvent(self, event: object) -> None:
        self.pointed.emit(-1)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.pressed.emit(self._one.point)


class _Bar(QWidget):
    def __init__(self, one: ScoredPassage) -> None:
        super().__init__()
        self._parts = ((WORDS, one.words), (MEANING, one.feedback))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        current_theme().changed.connect(self.update)

    def sizeHint(self) -> QSize:
        return QSize(200, 10)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter, theme = QPainter(self), current_theme()
        area = QRectF(self.rect())
        painter.fillRect(area, theme.colour("sunken"))
        left = 0.0
        for hue, share in self._parts:
            width = max(0.0, min(share, 1.0)) * area.width()
            painter.fillRect(QRectF(left, 0, width, area.height()), theme.colour(hue))
            left += width
        painter.setPen(Qt.PenStyle.NoPen)


def _note_of(rank: int, one: ScoredPassage) -> str:
    """Why a passage is where it is, where a second look has moved it; "" otherwise."""
    if one.by_version:
        return texts.BY_VERSION
    if one.rank_before > rank:
        return texts.MOVED_UP.format(before=one.rank_before, rank=rank)
    return texts.MOVED_DOWN.format(before=one.rank_before) if one.rank_before < rank else ""
