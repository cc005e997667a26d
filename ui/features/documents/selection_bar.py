"""What can be done with several files that are chosen in the list."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame

from ui.components.basics import PlainButton, QuietButton, Text
from ui.components.layout import row_of
from ui.features.documents import texts
from ui.theme import tokens
from workbench.records.documents import Document


class SelectionBar(QFrame):
    """Shown while several files are chosen."""

    ask_wanted = Signal()
    compare_wanted = Signal()
    read_wanted = Signal()
    remove_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.words = Text("", "strong", wordWrap=False)
        self.ask = PlainButton(texts.ASK_CHOSEN, "chat", small=True, clicked=self.ask_wanted)
        self.compare = PlainButton(texts.COMPARE_THESE, "evaluate", small=True, clicked=self.compare_wanted)
        self.read = QuietButton(texts.READ_THESE, "refresh", small=True, clicked=self.read_wanted)
        self.remove = QuietButton(texts.REMOVE_THESE, "trash", small=True, clicked=self.remove_wanted)
        self.ask.setToolTip(texts.ASK_CHOSEN_HELP)
        row_of(
            self, self.words, None, self.ask, self.compare, self.read, self.remove,
            gap=tokens.SPACE_2, margins=(0, tokens.SPACE_1),
        )  # fmt: skip
        self.hide()

    def show_documents(self, documents: Sequence[Document]) -> None:
        """Offer what these files can be used for; no files hide the bar."""
        self.setVisible(bool(documents))
        self.words.setText(texts.FILES_CHOSEN.format(count=len(documents)))
        readable = [one for one in documents if one.state != "failed"]
        self.ask.setEnabled(bool(readable))
        can_compare = len(documents) == len(readable) == 2
        self.compare.setEnabled(can_compare)
        self.compare.setToolTip(texts.COMPARE_HELP if can_compare else texts.COMPARE_NEEDS_TWO)
