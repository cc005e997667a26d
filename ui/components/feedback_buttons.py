"""The buttons that rate an answer as good or bad. Training sets are made of that."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from ui import texts
from ui.components.basics import IconButton
from ui.components.layout import row_of
from ui.theme import tokens
from ui.theme.theme import set_icon

_SIZE = 28  # px, as high as the small buttons beside


class FeedbackButtons(QWidget):
    """Thumb up, thumb down. They show what is stored, not what was clicked."""

    rated = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self._rating = 0
        self.up = IconButton("thumb-up", texts.GOOD_ANSWER)
        self.down = IconButton("thumb-down", texts.BAD_ANSWER)
        for button, rating in ((self.up, 1), (self.down, -1)):
            button.setCheckable(True)
            button.setFixedSize(_SIZE, _SIZE)
            button.clicked.connect(lambda _=False, rating=rating: self._on_clicked(rating))
        row = row_of(self, gap=tokens.SPACE_1)
        for part in (self.up, self.down):
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
