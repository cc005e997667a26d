"""A field for words that a person changes: a message, a step, a fact, an answer."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QPlainTextEdit, QWidget

from ui import texts
from ui.components.basics import PlainButton, PrimaryButton, Text
from ui.components.layout import column_of, row_of
from ui.theme import tokens

_CHARACTERS = 85  # about as many stand in a line


class WordsEditor(QWidget):
    """A field with the button that takes what was written, and Cancel. Esc gives up; where ``enter_takes``, Enter
    takes it and Shift+Enter breaks. Nothing is taken that has no words. The field is between ``lines`` high."""

    taken = Signal(str)
    given_up = Signal()

    def __init__(self, name: str, action: str, note: str, lines: tuple[int, int], enter_takes: bool = False) -> None:
        super().__init__()
        self._fewest, self._most = lines
        self.field = _Field(enter_takes)
        self.field.setAccessibleName(name)
        self.field.taken.connect(self._on_taken)
        self.field.given_up.connect(self.given_up)
        self.take_button = PrimaryButton(action, clicked=self._on_taken)
        cancel = PlainButton(texts.CANCEL, clicked=self.given_up)
        row = row_of(None, (Text(note, "small"), 1), cancel, self.take_button)
        column_of(self, self.field, row, gap=tokens.SPACE_2)
        self.hide()

    def begin(self, text: str) -> None:
        self.field.setPlainText(text)
        lines = min(self._most, max(self._fewest, text.count("\n") + 1 + len(text) // _CHARACTERS))
        self.field.setFixedHeight(lines * self.field.fontMetrics().lineSpacing() + 28)
        self.show()
        self.field.setFocus(Qt.FocusReason.OtherFocusReason)

    def _on_taken(self) -> None:
        text = self.field.toPlainText().strip()
        if text:
            self.taken.emit(text)


class _Field(QPlainTextEdit):
    taken = Signal()
    given_up = Signal()

    def __init__(self, enter_takes: bool) -> None:
        super().__init__()
        self._enter_takes = enter_takes
        self.setTabChangesFocus(True)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if event.key() == Qt.Key.Key_Escape:
            self.given_up.emit()
        elif self._enter_takes and enter and not event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self.taken.emit()
        else:
            super().keyPressEvent(event)
