"""The note below an answer that a person has edited, with the original text."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QWidget

from ui.components.basics import Card, Chip, LinkButton, PlainButton, Text
from ui.components.layout import column_of, row_of
from ui.features.chat import texts
from ui.theme import tokens
from workbench.records.answers import StoredMessage


class EditedNote(QWidget):
    """Says that the text is the person's; what the model had said is one click away, and can be restored."""

    restore_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        mark = Chip(texts.EDITED, "accent")
        self.original_button = LinkButton(texts.SHOW_ORIGINAL)
        self._card = Card(margin=tokens.SPACE_3)
        self.original_button.clicked.connect(lambda: self._open(self._card.isHidden()))
        self.original = Text("", "reading", textInteractionFlags=Qt.TextInteractionFlag.TextSelectableByMouse)
        self.restore = PlainButton(texts.RESTORE_ORIGINAL, small=True, clicked=self.restore_wanted)
        self._card.body.addWidget(Text(texts.ORIGINAL, "small"))
        self._card.body.addWidget(self.original)
        self._card.body.addWidget(self.restore, 0, Qt.AlignmentFlag.AlignLeft)
        self._card.hide()
        row = row_of(None, mark, self.original_button, None, gap=tokens.SPACE_2)
        column_of(self, row, self._card, gap=tokens.SPACE_2)
        self.hide()

    def show_message(self, message: StoredMessage) -> None:
        self.setVisible(message.original is not None)
        self.original.setText(message.original or "")
        if message.original is None:
            self._open(False)

    def _open(self, opened: bool) -> None:
        self._card.setVisible(opened)
        self.original_button.setText(texts.HIDE_ORIGINAL if opened else texts.SHOW_ORIGINAL)
