"""A question in the conversation. It can be edited: the edited one becomes a branch beside it."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPlainTextEdit, QVBoxLayout, QWidget

from ui.theme import tokens
from ui.widgets.basics import IconButton, PlainButton, PrimaryButton, Text
from ui.widgets.siblings import SiblingSwitch
from workbench.calls import StoredMessage

_SHOWN = 4_000  # characters: a pasted book is not laid out again and again


class QuestionView(QWidget):
    """One question of the person."""

    edited = Signal(str, str)
    """The message's id and the new words."""
    sibling_wanted = Signal(str)

    def __init__(self, message: StoredMessage, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.message_id = message.id
        self._words = ""
        self._text = Text("", "reading")
        self._text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._bubble = QFrame()
        self._bubble.setProperty("role", "sunken")
        inside = QVBoxLayout(self._bubble)
        inside.setContentsMargins(tokens.SPACE_4, tokens.SPACE_3, tokens.SPACE_4, tokens.SPACE_3)
        inside.addWidget(self._text)
        self.edit_button = IconButton("edit", "Edit this question and ask again")
        self.edit_button.clicked.connect(self.begin_edit)
        self.siblings = SiblingSwitch("question")
        self.siblings.chosen.connect(self.sibling_wanted)
        beside = QHBoxLayout()
        beside.setContentsMargins(0, 0, 0, 0)
        beside.setSpacing(tokens.SPACE_1)
        beside.addWidget(self._bubble, 1)
        beside.addWidget(self.edit_button, 0, Qt.AlignmentFlag.AlignTop)
        self.editor = _Editor()
        self.editor.confirmed.connect(self._on_confirmed)
        self.editor.given_up.connect(self.end_edit)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, tokens.SPACE_2, 0, tokens.SPACE_2)
        column.setSpacing(tokens.SPACE_1)
        column.addLayout(beside)
        column.addWidget(self.editor)
        column.addWidget(self.siblings, 0, Qt.AlignmentFlag.AlignLeft)
        self.show_message(message)

    def show_message(self, message: StoredMessage, siblings: tuple[str, ...] = ()) -> None:
        self.message_id = message.id
        if message.text != self._words:
            self._words = message.text
            rest = len(message.text) - _SHOWN
            shown = message.text if rest <= 0 else f"{message.text[:_SHOWN]}…\n\n({rest:,} more characters)"
            self._text.setText(shown)
            self._bubble.setAccessibleName(f"You asked: {message.text[:300]}")
        if siblings:
            self.siblings.show_siblings(siblings, message.id)

    def begin_edit(self) -> None:
        self._bubble.hide()
        self.edit_button.hide()
        self.editor.begin(self._words)

    def end_edit(self) -> None:
        self.editor.hide()
        self._bubble.show()
        self.edit_button.show()
        self.edit_button.setFocus()

    def _on_confirmed(self, text: str) -> None:
        self.end_edit()
        self.edited.emit(self.message_id, text)


class _Editor(QWidget):
    """The words in a field, with Ask again and Cancel."""

    confirmed = Signal(str)
    given_up = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.field = _Field()
        self.field.setAccessibleName("Edit the question")
        self.field.confirmed.connect(self._on_confirm)
        self.field.given_up.connect(self.given_up)
        self.ask_button = PrimaryButton("Ask again")
        self.ask_button.clicked.connect(self._on_confirm)
        cancel = PlainButton("Cancel")
        cancel.clicked.connect(self.given_up)
        row = QHBoxLayout()
        row.addWidget(Text("The first version stays; switch between them with the arrows.", "small"), 1)
        row.addWidget(cancel)
        row.addWidget(self.ask_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(tokens.SPACE_2)
        column.addWidget(self.field)
        column.addLayout(row)
        self.hide()

    def begin(self, text: str) -> None:
        self.field.setPlainText(text)
        lines = min(8, max(2, text.count("\n") + 1 + len(text) // 90))
        self.field.setFixedHeight(lines * self.field.fontMetrics().lineSpacing() + 28)
        self.show()
        self.field.setFocus()
        self.field.selectAll()

    def _on_confirm(self) -> None:
        text = self.field.toPlainText().strip()
        if text:
            self.confirmed.emit(text)


class _Field(QPlainTextEdit):
    confirmed = Signal()
    given_up = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not shift:
            self.confirmed.emit()
        elif event.key() == Qt.Key.Key_Escape:
            self.given_up.emit()
        else:
            super().keyPressEvent(event)
