"""What a person thinks of an answer: good or bad, and what it should have been. Training sets are made of that."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QWidget

from ui.components.basics import Card, Chip, IconButton, LinkButton, PlainButton, QuietButton, Text
from ui.components.layout import column_of, row_of
from ui.features.chat import texts
from ui.theme import tokens
from ui.theme.theme import set_icon
from workbench.records.answers import StoredMessage

_SIZE = 28  # px, as high as the small buttons beside


class FeedbackButtons(QWidget):
    """Thumb up, thumb down, Edit. They show what is stored, not what was clicked."""

    rated = Signal(int)
    edit_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rating = 0
        self.up = IconButton("thumb-up", texts.GOOD_ANSWER)
        self.down = IconButton("thumb-down", texts.BAD_ANSWER)
        for button, rating in ((self.up, 1), (self.down, -1)):
            button.setCheckable(True)
            button.setFixedSize(_SIZE, _SIZE)
            button.clicked.connect(lambda _=False, rating=rating: self._on_clicked(rating))
        self.edit = QuietButton(
            texts.EDIT_BUTTON,
            "edit",
            small=True,
            accessibleName=texts.EDIT_ANSWER,
            toolTip=texts.EDIT_ANSWER_HELP,
            clicked=self.edit_wanted,
        )
        row = row_of(self, gap=tokens.SPACE_1)
        for part in (self.up, self.down, self.edit):
            row.addWidget(part)
        self.show_rating(0)

    def show_rating(self, rating: int) -> None:
        self._rating = rating
        for button, mine, icon, words in ((self.up, 1, "thumb-up", "good"), (self.down, -1, "thumb-down", "bad")):
            on = rating == mine
            button.setChecked(on)
            set_icon(button, icon, "accent" if on else "muted", 16)
            name = texts.RATED.format(words=words) if on else texts.RATE.format(words=words)
            button.setAccessibleName(name)
            use = texts.RATE_HELP if mine == 1 and not on else ""
            button.setToolTip(f"{name}.{use}")

    def _on_clicked(self, rating: int) -> None:
        wanted = 0 if rating == self._rating else rating
        self.show_rating(self._rating)
        self.rated.emit(wanted)


class EditedNote(QWidget):
    """Says that the text is the person's; what the model had said is one click away, and can be restored."""

    restore_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
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
