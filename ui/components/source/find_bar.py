"""The bar with which words are found in a document that is shown."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QLineEdit, QWidget

from ui import texts
from ui.components.basics import IconButton, Text
from ui.components.layout import row_of
from ui.theme import tokens


class FindBar(QWidget):
    """``searched`` sends the words a moment after the last key; ``stepped`` 1 for the next match, -1 for the one
    before; ``closed`` is sent when it goes. Enter, Shift with Enter and F3 step, Escape closes."""

    searched = Signal(str)
    stepped = Signal(int)
    closed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.field = QLineEdit(
            placeholderText=texts.FIND_IN_SOURCE, accessibleName=texts.FIND_IN_SOURCE, clearButtonEnabled=True
        )
        self.count = Text("", "small", wordWrap=False)
        self.before = IconButton("chevron-up", texts.MATCH_BEFORE, clicked=lambda: self.stepped.emit(-1))
        self.after = IconButton("chevron-down", texts.MATCH_AFTER, clicked=lambda: self.stepped.emit(1))
        self.close_button = IconButton("close", texts.CLOSE_FIND, clicked=self.close_bar)
        self._timer = QTimer(self, singleShot=True, interval=150, timeout=self._on_search)
        self.field.textChanged.connect(lambda: self._timer.start())
        row_of(
            self, (self.field, 1), self.count, self.before, self.after, self.close_button,
            gap=tokens.SPACE_1, margins=(0, 0),
        )  # fmt: skip
        self.show_count(0, -1)
        self.hide()

    def open_bar(self) -> None:
        """Show it with the keyboard in its field; what was typed before is selected."""
        self.show()
        self.field.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.field.selectAll()
        if self.field.text():
            self._on_search()

    def close_bar(self) -> None:
        self._timer.stop()
        self.hide()
        self.closed.emit()

    def show_count(self, count: int, current: int) -> None:
        """How many matches there are, and which of them is shown, from 0."""
        if not self.field.text().strip():
            self.count.setText("")
        elif not count:
            self.count.setText(texts.NO_MATCH)
        else:
            self.count.setText(texts.MATCH_OF.format(number=current + 1, count=count))
        for button in (self.before, self.after):
            button.setEnabled(count > 0)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        backwards = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        if event.key() == Qt.Key.Key_Escape:
            self.close_bar()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_F3):
            if self._timer.isActive():
                self._timer.stop()
                self._on_search()
            else:
                self.stepped.emit(-1 if backwards else 1)
        else:
            super().keyPressEvent(event)

    def _on_search(self) -> None:
        self.searched.emit(self.field.text())
