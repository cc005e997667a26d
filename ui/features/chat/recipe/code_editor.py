"""A place to write code: monospace, with line numbers, colours, and the line that a problem is in marked."""

from __future__ import annotations

from PySide6.QtCore import QRect, QRectF, QSize, Qt, QTimer
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPaintEvent, QResizeEvent, QTextCursor, QTextFormat
from PySide6.QtWidgets import QPlainTextEdit, QTextEdit, QWidget

from ui.components.highlighting import Highlighter
from ui.theme import tokens
from ui.theme.theme import current_theme, set_property

_COLOUR_MS = 60
_INDENT = "  "


class CodeEditor(QPlainTextEdit):
    """Enter keeps the indentation. Tab goes on to the next control, so that the keyboard is not caught here."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setProperty("role", "code")
        self.setAccessibleName(name)
        self.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.setTabChangesFocus(True)
        self.problem_line: int | None = None
        self._language = ""
        self._highlighter = Highlighter(self.document(), self)
        self._colour = QTimer(self, singleShot=True, interval=_COLOUR_MS, timeout=self._on_colour)
        self._numbers = _LineNumbers(self)
        self.blockCountChanged.connect(lambda _: self._make_room())
        self.updateRequest.connect(self._on_update_request)
        self.textChanged.connect(self._colour.start)
        current_theme().changed.connect(self._on_theme)
        self._make_room()

    def set_language(self, language: str) -> None:
        """The lexer's name for what is written here; "" for none."""
        if language != self._language:
            self._language = language
            self._on_colour()

    def replace_all(self, text: str) -> None:
        """Put other text here, in a way that the person can undo."""
        cursor = self.textCursor()
        cursor.select(QTextCursor.SelectionType.Document)
        cursor.insertText(text)

    def mark_problem(self, there_is: bool, line: int | None = None) -> None:
        """Mark the text as one that cannot be used, and its line (from 1) where that is known."""
        set_property(self, "invalid", there_is)
        self.problem_line = line if there_is else None
        marks = []
        block = self.document().findBlockByNumber((line or 0) - 1) if self.problem_line else None
        if block is not None and block.isValid():
            mark = QTextEdit.ExtraSelection()
            cursor = QTextCursor(block)
            mark.cursor = cursor
            mark.format.setBackground(current_theme().colour("danger_soft"))
            mark.format.setProperty(QTextFormat.Property.FullWidthSelection, True)
            marks.append(mark)
        self.setExtraSelections(marks)
        self._numbers.update()

    def numbers_width(self) -> int:
        digits = max(2, len(str(self.blockCount())))
        return self.fontMetrics().horizontalAdvance("0") * digits + 2 * tokens.SPACE_2

    def paint_numbers(self, event: QPaintEvent) -> None:
        palette = current_theme().palette
        painter = QPainter(self._numbers)
        painter.fillRect(event.rect(), QColor(palette.sunken))
        painter.setFont(self.font())
        block = self.firstVisibleBlock()
        while block.isValid():
            area = self.blockBoundingGeometry(block).translated(self.contentOffset())
            if area.top() > event.rect().bottom():
                break
            wrong = block.blockNumber() + 1 == self.problem_line
            painter.setPen(QColor(palette.danger if wrong else palette.muted))
            where = QRectF(0, area.top(), self._numbers.width() - tokens.SPACE_2, area.height())
            # at the top: the last block is higher than its line
            painter.drawText(
                where, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignTop, str(block.blockNumber() + 1)
            )
            block = block.next()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            before = self.textCursor().block().text()[: self.textCursor().positionInBlock()]
            indent = before[: len(before) - len(before.lstrip())]
            deeper = _INDENT if before.rstrip().endswith(("{", "[")) else ""
            self.textCursor().insertText(f"\n{indent}{deeper}")
            self.ensureCursorVisible()
            return
        super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place_numbers()

    def _place_numbers(self) -> None:
        inside = self.viewport().geometry()
        width = self.numbers_width()
        self._numbers.setGeometry(QRect(inside.left() - width, inside.top(), width, inside.height()))

    def _make_room(self) -> None:
        self.setViewportMargins(self.numbers_width(), 0, 0, 0)
        self._place_numbers()

    def _on_update_request(self, area: QRect, dy: int) -> None:
        self._numbers.update()

    def _on_colour(self) -> None:
        if self._language:
            self._highlighter.run(self._language)
            return
        self._highlighter.stop()
        block = self.document().firstBlock()
        while block.isValid():
            block.layout().clearFormats()
            block = block.next()
        self.document().markContentsDirty(0, self.document().characterCount())

    def _on_theme(self) -> None:
        self._on_colour()
        self.mark_problem(bool(self.property("invalid")), self.problem_line)


class _LineNumbers(QWidget):
    def __init__(self, editor: CodeEditor) -> None:
        super().__init__(editor)
        self._editor = editor

    def sizeHint(self) -> QSize:
        return QSize(self._editor.numbers_width(), 0)

    def paintEvent(self, event: QPaintEvent) -> None:
        self._editor.paint_numbers(event)
