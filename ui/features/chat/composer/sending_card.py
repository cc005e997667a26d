"""The permission to send passages to another machine, asked where the question is: above the composer.

It asks for nothing itself: what the person decides is signalled.
"""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QWidget

from ui.components.basics import IconButton, IconLabel, PlainButton, Text, without_keys
from ui.components.layout import FlowLayout, column_of, row_of
from ui.features.chat import endpoint_texts as texts
from ui.theme import tokens
from ui.theme.theme import set_property
from workbench.api.events import Sending
from workbench.base.catalogue import translated
from workbench.records.origins import ATTACHED, TITLES

_NAME = 40  # characters


class SendingCard(QFrame):
    """``decided`` sends whether passages may be sent. The keyboard stays where it is, so that Enter allows nothing."""

    decided = Signal(bool)
    closed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "message")
        self.words = Text("")
        self.help = Text(texts.ASKED_ONCE, "small")
        self.error = Text("", "error", visible=False)
        self.allow = PlainButton("", "check", small=True, clicked=lambda: self.decided.emit(True))
        self.refuse = PlainButton(texts.REFUSE, "close", small=True, clicked=lambda: self.decided.emit(False))
        self.close_button = IconButton("close", texts.CLOSE, clicked=self.closed)
        buttons = QWidget()
        row = FlowLayout(buttons, tokens.SPACE_2)
        row.addWidget(self.allow)
        row.addWidget(self.refuse)
        top = Qt.AlignmentFlag.AlignTop
        inside = column_of(None, self.words, self.help, buttons, self.error, gap=tokens.SPACE_2)
        row_of(
            self, (IconLabel("shield", "attention"), 0, top), (inside, 1), (self.close_button, 0, top),
            gap=tokens.SPACE_3, margins=(tokens.SPACE_3, tokens.SPACE_3, tokens.SPACE_2, tokens.SPACE_3),
        )  # fmt: skip
        set_property(self, "kind", "attention")
        self.hide()

    def ask(self, words: str, sending: Sending) -> None:
        """``words`` say what would be sent where. What was refused before can only be allowed."""
        self.words.setText(words)
        self.setAccessibleName(words)
        name = name_of(sending)
        short = name if len(name) <= _NAME else f"{name[: _NAME - 1]}…"
        self.allow.setText(without_keys(texts.ALLOW.format(collection=short)))
        self.allow.setAccessibleName(texts.ALLOW.format(collection=name))
        self.refuse.setVisible(not sending.refused)
        self.set_error("")
        self.set_busy(False)
        self.show()

    def set_busy(self, busy: bool) -> None:
        """Whether a decision is being stored."""
        for button in (self.allow, self.refuse):
            button.setEnabled(not busy)

    def set_error(self, words: str) -> None:
        self.error.setText(words)
        self.error.setVisible(bool(words))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.closed.emit()
        else:
            super().keyPressEvent(event)


def name_of(sending: Sending) -> str:
    """A collection's name, or what else is to be sent in words."""
    words = TITLES.get(sending.collection or ATTACHED)
    return translated(words) if words else sending.collection
