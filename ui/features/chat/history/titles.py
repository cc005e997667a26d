"""How the rows of the history are drawn: a title in at most two lines, every row as high as its lines."""

from __future__ import annotations

import math

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QSize, Qt
from PySide6.QtGui import QFont, QFontMetrics, QFontMetricsF, QPainter, QTextLayout
from PySide6.QtWidgets import QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from ui.features.chat.history.chat_rows import HistoryModel
from ui.theme import tokens

LINE_END = "\u2028"
_BORDER = 1  # px, of the stylesheet's rows
_Index = QModelIndex | QPersistentModelIndex


class TitleDelegate(QStyledItemDelegate):
    """What is in a folder stands further to the right. Where a title has no room, its tooltip tells it whole."""

    def __init__(self, view: QListView) -> None:
        super().__init__(view)
        self._view = view

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        moved = QStyleOptionViewItem(option)
        moved.rect = option.rect.adjusted(self._indent(index), 0, 0, 0)
        super().paint(painter, moved, index)

    def initStyleOption(self, option: QStyleOptionViewItem, index: _Index) -> None:
        super().initStyleOption(option, index)
        option.text = two_lines(option.text, option.font, self._room(option, index))

    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:
        shown = QStyleOptionViewItem(option)
        self.initStyleOption(shown, index)
        lines = shown.text.count(LINE_END) + 1
        words = math.ceil(lines * QFontMetricsF(shown.font).lineSpacing()) + 1  # Qt leaves a line out that has no room
        return QSize(0, max(words, self._icon(shown)) + 2 * (tokens.SPACE_2 + _BORDER))

    def updateEditorGeometry(self, editor: QWidget, option: QStyleOptionViewItem, index: _Index) -> None:
        """The field lies on the whole height of its row, behind the icon."""
        super().updateEditorGeometry(editor, option, index)
        row = option.rect
        place = editor.geometry().adjusted(self._indent(index), 0, 0, 0)
        editor.setGeometry(place.left(), row.top(), place.width(), row.height())

    def _room(self, option: QStyleOptionViewItem, index: _Index) -> int:
        """Pixels that a line of the title may be wide."""
        margin = self._view.style().pixelMetric(QStyle.PixelMetric.PM_FocusFrameHMargin, None, self._view) + 1
        icon = self._icon(option)
        around = 2 * (tokens.SPACE_2 + _BORDER + margin) + (icon + 2 * margin if icon else 0)
        return self._view.viewport().width() - self._indent(index) - around

    def _icon(self, option: QStyleOptionViewItem) -> int:
        has_icon = option.features & QStyleOptionViewItem.ViewItemFeature.HasDecoration
        return option.decorationSize.width() if has_icon else 0

    def _indent(self, index: _Index) -> int:
        model = index.model()
        return tokens.SPACE_4 if isinstance(model, HistoryModel) and model.is_inside(index) else 0


def two_lines(text: str, font: QFont, width: int) -> str:
    """The text with the end of its first line marked, and its second line cut where more would follow."""
    layout = QTextLayout(text, font)
    layout.beginLayout()
    line = layout.createLine()
    if line.isValid():
        line.setLineWidth(max(1, width))
    layout.endLayout()
    end = line.textLength() if line.isValid() else len(text)
    if end >= len(text):
        return text
    rest = QFontMetrics(font).elidedText(text[end:].strip(), Qt.TextElideMode.ElideRight, max(1, width))
    return f"{text[:end].rstrip()}{LINE_END}{rest}"
