"""A question before something is destroyed: what goes, the button that does it, and Keep."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from ui.components.basics import DangerButton, PlainButton, Text
from ui.theme import tokens


class ConfirmRow(QWidget):
    """Hidden until it asks. Keep has the keyboard then; kept, the keyboard goes back to ``asker``."""

    confirmed = Signal()

    def __init__(self, asker: QWidget, space_above: int = 0, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._asker = asker
        self._question = Text("")
        self.confirm_button = DangerButton("")
        self.keep_button = PlainButton("Keep")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, space_above, 0, 0)
        row.setSpacing(tokens.SPACE_2)
        row.addWidget(self._question, 1)
        for button in (self.confirm_button, self.keep_button):
            button.setProperty("small", True)
            row.addWidget(button)
        self.confirm_button.clicked.connect(self._on_confirmed)
        self.keep_button.clicked.connect(self._on_kept)
        self.hide()

    def set_question(self, question: str, action: str) -> None:
        """What is asked, and what the button that does it says."""
        self._question.setText(question)
        self.confirm_button.setText(action)

    def ask(self) -> None:
        self.show()
        self.keep_button.setFocus(Qt.FocusReason.OtherFocusReason)

    def _on_kept(self) -> None:
        self.hide()
        self._asker.setFocus(Qt.FocusReason.OtherFocusReason)

    def _on_confirmed(self) -> None:
        self.hide()
        self.confirmed.emit()
