"""A document's text with the borders of its chunks in the margin and, where wanted, one passage marked."""

from __future__ import annotations

import bisect
from collections.abc import Sequence

from PySide6.QtCore import QPoint, QPointF, QRect, QRectF, QSize, Qt, QTimer
from PySide6.QtGui import (
    QColor,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QTextBlock,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
)
from PySide6.QtWidgets import QFrame, QPlainTextDocumentLayout, QPlainTextEdit, QTextEdit, QWidget

from ui import texts
from ui.theme import tokens
from ui.theme.theme import current_theme
from workbench.records.documents import Chunk

_MARGIN = 36
_LINE_HEIGHT = 1.5  # in sizes of the font
_PIECE = 60_000  # characters put in at a time: a book does not hold up the window


class TextView(QPlainTextEdit):
    """Read-only text. Offsets are those of Python strings; Qt counts some characters twice."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        document = QTextDocument(self)
        document.setDocumentLayout(_Spaced(document))
        self.setDocument(document)
        self.setReadOnly(True)
        self.setUndoRedoEnabled(False)
        self.setAccessibleName(texts.DOCUMENT_TEXT)
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setStyleSheet(
            f"QPlainTextEdit {{ font-size: {current_theme().reading_size}px; border: none; padding: 0; }}"
        )
        self.document().setDocumentMargin(tokens.SPACE_3)
        self._text = ""
        self._filled = 0
        self._wide: list[int] = []  # offsets of characters that Qt counts twice
        self._chunks: Sequence[Chunk] = ()
        self._starts: list[int] = []
        self._passage: tuple[int, int] | None = None
        self._span = (0, 0)
        self._more: tuple[tuple[int, int], ...] = ()
        self._revealed = -1  # where the scroll bar was put to show the passage
        self._margin = _Margin(self)
        self.setViewportMargins(_MARGIN, 0, 0, 0)
        self._filler = QTimer(self, interval=0, timeout=self._on_fill)
        self.updateRequest.connect(self._on_update)
        current_theme().changed.connect(self._mark)

    @property
    def passage(self) -> tuple[int, int] | None:
        """The marked passage's offsets."""
        return self._passage

    def show_text(self, text: str, chunks: Sequence[Chunk] = ()) -> None:
        """Show a text. A long one comes in over several turns of the event loop."""
        self._text, self._filled = text, 0
        self._wide = [] if text.isascii() else [i for i, character in enumerate(text) if ord(character) > 0xFFFF]
        self._chunks = chunks
        self._starts = [chunk.start for chunk in chunks]
        self._passage = None
        self.clear()
        self._on_fill()

    def show_passage(
        self, start: int, end: int, span: tuple[int, int] = (0, 0), more: tuple[tuple[int, int], ...] = ()
    ) -> None:
        """Mark ``text[start:end]`` and bring it into sight; the ``span`` of it is underlined. ``more`` places are
        marked as well."""
        self._passage, self._span, self._more = (start, end), span, more
        if self._filled >= min(end, len(self._text)):
            self._reveal()

    def position_of(self, offset: int) -> int:
        """Qt's position of an offset into the text."""
        return offset + bisect.bisect_left(self._wide, offset)

    def offset_of(self, position: int) -> int:
        """The offset into the text of Qt's position."""
        offset = position - bisect.bisect_left(self._wide, position)
        while self.position_of(offset) > position:
            offset -= 1
        while self.position_of(offset) < position:
            offset += 1
        return offset

    def _on_fill(self) -> None:
        piece = self._text[self._filled : self._filled + _PIECE]
        if self._filled + len(piece) < len(self._text):
            self._filler.start()
        else:
            self._filler.stop()
        if not piece:
            return
        cursor = QTextCursor(self.document())
        cursor.movePosition(QTextCursor.MoveOperation.End)
        cursor.insertText(piece)
        before, self._filled = self._filled, self._filled + len(piece)
        if self._passage is not None and before < self._passage[1] <= self._filled:
            QTimer.singleShot(0, self, self._reveal)

    def _reveal(self) -> None:
        if self._passage is None:
            return
        self._mark()
        cursor = self.textCursor()
        cursor.setPosition(self.position_of(self._passage[0]))
        self.setTextCursor(cursor)
        top = self.cursorRect(cursor).top()
        lines = (top - self.viewport().height() // 4) // line_step(self.fontMetrics().height())
        self.verticalScrollBar().setValue(self.verticalScrollBar().value() + lines)
        self._revealed = self.verticalScrollBar().value()

    def _mark(self) -> None:
        selections: list[QTextEdit.ExtraSelection] = []
        if self._passage is not None:
            for start, end in (*self._more, self._passage, self._span):
                selection = QTextEdit.ExtraSelection()
                cursor = QTextCursor(self.document())
                cursor.setPosition(self.position_of(min(start, self._filled)))
                cursor.setPosition(self.position_of(min(end, self._filled)), QTextCursor.MoveMode.KeepAnchor)
                style = QTextCharFormat()
                style.setBackground(current_theme().colour("mark"))
                style.setForeground(current_theme().colour("on_mark"))
                style.setFontUnderline((start, end) == self._span)
                selection.cursor, selection.format = cursor, style
                selections += [selection] if end > start else []
        self.setExtraSelections(selections)

    # -- the margin ----------------------------------------------------------------------------------

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        area = self.contentsRect()
        self._margin.setGeometry(QRect(area.left(), area.top(), _MARGIN, area.height()))
        if self._passage is not None and self.verticalScrollBar().value() == self._revealed:
            QTimer.singleShot(0, self, self._reveal)  # the lines broke anew: the passage has moved

    def _on_update(self, area: QRect, dy: int) -> None:
        if dy:
            self._margin.scroll(0, dy)
        self._margin.update()

    def visible_chunks(self) -> list[tuple[int, int, int]]:
        """The chunks in sight: number from 1, and the y of their first and last line in the viewport."""
        if not self._chunks:
            return []
        height = self.viewport().height()
        first = self.offset_of(self.cursorForPosition(QPoint(0, 0)).position())
        last = self.offset_of(self.cursorForPosition(QPoint(self.viewport().width(), height)).position())
        found = []
        for number in range(max(0, bisect.bisect_right(self._starts, first) - 1), len(self._chunks)):
            chunk = self._chunks[number]
            if chunk.start > last:
                break
            top = self._y(chunk.start, first, last, above=-8)
            bottom = self._y(max(chunk.start, chunk.end - 1), first, last, above=-8, bottom=True)
            found.append((number + 1, top, bottom))
        return found

    def _y(self, offset: int, first: int, last: int, above: int, bottom: bool = False) -> int:
        if offset < first:
            return above
        if offset > last:
            return self.viewport().height() - above
        cursor = QTextCursor(self.document())
        cursor.setPosition(min(self.position_of(offset), max(0, self.document().characterCount() - 1)))
        area = self.cursorRect(cursor)
        return area.bottom() if bottom else area.top()


def line_step(height: float) -> int:
    """From one line to the next, in px, where the font's own lines are ``height`` high."""
    return round(max(height, _LINE_HEIGHT * current_theme().reading_size))


class _Spaced(QPlainTextDocumentLayout):
    """A plain text's layout with the lines of reading text, which QPlainTextEdit does not have.

    The lines of a block are moved apart when it is first looked at: as lazy as the layout itself is.
    """

    def blockBoundingRect(self, block: QTextBlock) -> QRectF:
        area = super().blockBoundingRect(block)
        layout = block.layout()
        count = layout.lineCount()
        if not count or not block.isVisible():
            return area
        height = layout.lineAt(0).height()
        step = line_step(height)
        above = (step - height) / 2
        if layout.lineAt(0).y() != above:
            for number in range(count):
                line = layout.lineAt(number)
                line.setPosition(QPointF(line.x(), above + number * step))
        return QRectF(area.x(), area.y(), area.width(), count * step)


class _Margin(QWidget):
    """Brackets beside the chunks, with their numbers."""

    def __init__(self, view: TextView) -> None:
        super().__init__(view)
        self._view = view
        self.setToolTip(texts.CHUNKS)

    def sizeHint(self) -> QSize:
        return QSize(_MARGIN, 0)

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = current_theme()
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.colour("sunken"))
        font = self.font()
        font.setPixelSize(10)
        painter.setFont(font)
        line, words = QColor(theme.colour("edge")), theme.colour("muted")
        x = _MARGIN - 8
        for number, top, bottom in self._view.visible_chunks():
            painter.setPen(line)
            painter.drawLine(x, top + 2, x, bottom - 1)
            painter.drawLine(x, top + 2, x + 4, top + 2)
            painter.drawLine(x, bottom - 1, x + 4, bottom - 1)
            painter.setPen(words)
            place = QRect(0, max(top, 2), x - 3, 16)
            painter.drawText(place, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, str(number))
        painter.end()
