"""Which of two answers is better: the buttons of a blind choice, and afterwards what was chosen, with Undo."""

from __future__ import annotations

from typing import Literal

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QWidget

from ui import texts
from ui.components.basics import LinkButton, PlainButton, Text
from ui.components.layout import FlowLayout, column_of, row_of
from ui.theme import tokens

Choice = Literal["left", "right", "tie", "bad"]
CHOICES: tuple[tuple[Choice, str, str], ...] = (
    ("left", texts.LEFT_BETTER, "J"),
    ("right", texts.RIGHT_BETTER, "K"),
    ("tie", texts.TIE, "T"),
    ("bad", texts.BOTH_BAD, "B"),
)
"""What can be said of a pair, in words, and the key that says it where answers are judged in a row."""


class VerdictBar(QWidget):
    """``judged`` sends a ``Choice``. ``with_keys`` names the key on each button."""

    judged = Signal(str)
    undo_wanted = Signal()
    names_wanted = Signal()
    """The person wants to know which is which without judging."""

    def __init__(self, with_keys: bool = False) -> None:
        super().__init__()
        self.buttons: dict[str, PlainButton] = {}
        self._row = QWidget()
        flow = FlowLayout(self._row, tokens.SPACE_2)
        for choice, words, key in CHOICES:
            button = PlainButton(f"{words}  ({key})" if with_keys else words, small=True)
            button.setAccessibleName(words)
            button.clicked.connect(lambda _=False, choice=choice: self.judged.emit(choice))
            self.buttons[choice] = button
            flow.addWidget(button)
        self.names_button = LinkButton(texts.SHOW_NAMES, toolTip=texts.SHOW_NAMES_HELP, clicked=self.names_wanted)
        flow.addWidget(self.names_button)
        self.words = Text("", "small")
        self.undo_button = LinkButton(texts.UNDO_VERDICT, clicked=self.undo_wanted)
        said = row_of(None, (self.words, 1), self.undo_button, gap=tokens.SPACE_2)
        column_of(self, self._row, said, gap=tokens.SPACE_1)
        self.show_waiting("")

    def show_waiting(self, words: str) -> None:
        """Nothing can be chosen yet, and why."""
        self._show(False, words, False)

    def show_question(self, words: str = texts.WHICH_BETTER, decided: bool = False) -> None:
        """Ask. Where both are the same (``decided``) neither can be better."""
        self._show(True, words, False)
        for side in ("left", "right"):
            self.buttons[side].setEnabled(not decided)
            self.buttons[side].setToolTip(texts.SAME_TEXTS if decided else "")

    def show_verdict(self, words: str, can_undo: bool = True) -> None:
        """What was chosen."""
        self._show(False, words, can_undo)

    def set_blind(self, blind: bool) -> None:
        """Whether there are names to show."""
        self.names_button.setVisible(blind)

    def _show(self, asks: bool, words: str, undo: bool) -> None:
        had = any(button.hasFocus() for button in self.buttons.values())
        self._row.setVisible(asks)
        self.words.setText(words)
        self.words.setVisible(bool(words))
        self.undo_button.setVisible(undo)
        if had and undo:
            self.undo_button.setFocus(Qt.FocusReason.OtherFocusReason)
