"""A block of code with its language, a copy button and colours. It grows by whole pieces at its end."""

from __future__ import annotations

import math

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QGuiApplication, QKeyEvent, QResizeEvent, QTextCursor, QTextOption, QWheelEvent
from PySide6.QtWidgets import QFrame, QPlainTextEdit, QWidget

from ui import texts
from ui.components.basics import QuietButton, Text
from ui.components.highlighting import Highlighter
from ui.components.layout import column_of, row_of
from ui.theme import tokens

COLOURED_WHILE_OPEN = 3_000  # characters; longer code gets its colours when it is closed
_COPIED_MS = 1_500
_SCROLL_KEYS = (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown)


class CodeView(QFrame):
    """Shows code as it is; nothing in it is ever run."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "sunken")
        self._language = Text("", "small", wordWrap=False)
        self.copy_button = QuietButton(
            texts.COPY, "copy", small=True, accessibleName=texts.COPY_CODE, clicked=self._on_copy
        )
        self._copied = QTimer(
            self, singleShot=True, interval=_COPIED_MS, timeout=lambda: self.copy_button.setText(texts.COPY)
        )
        self.body = _CodeText(self)
        self._highlighter = Highlighter(self.body.document(), self)
        self._code = ""
        self.copied = ""
        """What Copy gives instead of what is shown, as where a secret is hidden in that; "" for the same."""
        self._word = ""
        self._coloured = ""
        header = row_of(
            None, (self._language, 1), self.copy_button, margins=(tokens.SPACE_3, tokens.SPACE_1, tokens.SPACE_1, 0)
        )
        column_of(self, header, self.body, gap=0, margins=(0, 0, 0, tokens.SPACE_3))

    @property
    def code(self) -> str:
        return self._code

    @property
    def highlighter(self) -> Highlighter:
        return self._highlighter

    def restart(self) -> None:
        self._code = self._word = self._coloured = ""
        self.body.clear()

    def show_code(self, code: str, language: str, closed: bool) -> None:
        """Show the code. What it has in common with what is shown stays untouched."""
        if language != self._word:
            self._word = language
            self._language.setText(language)
        self.body.setAccessibleName(texts.CODE_IN.format(language=language) if language else texts.CODE)
        if code != self._code:
            if code.startswith(self._code):
                self.body.append(code[len(self._code) :])
            else:
                self.body.setPlainText(code)
            self._code = code
            self.body.fit()
        if code == self._coloured:
            return
        new_line = code.count("\n") != self._coloured.count("\n") if len(code) < COLOURED_WHILE_OPEN else False
        if closed or new_line:
            self._coloured = code if closed else code[:-1]
            self._highlighter.run(language)

    def _on_copy(self) -> None:
        QGuiApplication.clipboard().setText(self.copied or self._code)
        self.copy_button.setText(texts.COPIED)
        self._copied.start()


class _CodeText(QPlainTextEdit):
    """The text of a code block: as high as its lines, scrolled sideways when they are long."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setProperty("role", "code")
        self.setReadOnly(True)
        self.setUndoRedoEnabled(False)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.setWordWrapMode(QTextOption.WrapMode.NoWrap)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.setStyleSheet(
            "QPlainTextEdit, QPlainTextEdit:focus { border: none; background: transparent; padding: 0; }"
        )
        self.document().setDocumentMargin(0)
        self.setViewportMargins(tokens.SPACE_3, 0, tokens.SPACE_3, 0)

    def append(self, text: str) -> None:
        cursor = QTextCursor(self.document())
        cursor.movePosition(QTextCursor.MoveOperation.End)
        cursor.insertText(text)

    def fit(self) -> None:
        bar = self.horizontalScrollBar()
        extra = bar.sizeHint().height() if bar.maximum() > 0 else 0
        height = math.ceil(self._lines_height()) + extra + 2
        if height != self.height():
            self.setFixedHeight(height)
            self.verticalScrollBar().setValue(0)

    def _lines_height(self) -> float:
        """As they are laid out: rounded up, and higher where a sign comes from another font."""
        height, block = 0.0, self.document().firstBlock()
        while block.isValid():
            height += self.blockBoundingRect(block).height()
            block = block.next()
        return height

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self.fit()

    def wheelEvent(self, event: QWheelEvent) -> None:
        sideways = abs(event.angleDelta().x()) > abs(event.angleDelta().y())
        if sideways and self.horizontalScrollBar().maximum() > 0:
            super().wheelEvent(event)
        else:
            event.ignore()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in _SCROLL_KEYS:
            event.ignore()
            return
        super().keyPressEvent(event)
