"""A part of the recipe in the panel beside the conversation."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QPushButton, QWidget

from ui.components.basics import ElidedLabel, IconLabel, Text
from ui.components.layout import column_of, row_of
from ui.components.recipe import texts
from ui.theme import tokens
from ui.theme.theme import set_icon, set_property

_PHRASE = 80  # characters


class RecipeCard(QFrame):
    """One part: its name and its state in a phrase; opened, the sentence that explains it and its settings."""

    toggled = Signal(bool)
    """It was opened or closed."""

    def __init__(self, title: str, explanation: str) -> None:
        super().__init__()
        self.setProperty("role", "card")
        self._title = title
        self.head = QPushButton()
        self.head.setAutoDefault(True)  # Enter presses it
        self.head.setProperty("kind", "nav")
        self.head.setCursor(Qt.CursorShape.PointingHandCursor)
        self._name = name = Text(title, "strong", wordWrap=False)
        name.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._arrow = IconLabel("chevron-right", "muted")
        self._arrow.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._state = ElidedLabel("", "muted", alignment=Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._state.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        row_of(
            self.head,
            self._arrow,
            name,
            (self._state, 1),
            gap=tokens.SPACE_2,
            margins=(tokens.SPACE_3, 0, tokens.SPACE_2, 0),
        )
        self._below = Text("", "muted")  # a phrase that does not fit beside the name
        self._below.setContentsMargins(tokens.SPACE_3 + tokens.ICON_SIZE + tokens.SPACE_2, 0, tokens.SPACE_3, 8)
        self._below.hide()
        self._words = self._instead = ""
        self._body = QWidget()
        self.inside = column_of(
            self._body,
            Text(explanation, "muted"),
            gap=tokens.SPACE_3,
            margins=(tokens.SPACE_3, tokens.SPACE_1, tokens.SPACE_3, tokens.SPACE_3),
        )
        self._body.hide()
        self.head.clicked.connect(lambda: self.open(not self.opened))
        column_of(self, self.head, self._below, self._body, gap=0, margins=1)
        self.set_state("")

    @property
    def state(self) -> str:
        return self._instead or self._words

    def set_state(self, words: str) -> None:
        self._words = words
        self._place_state()
        self._name_head()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place_state()

    def _place_state(self) -> None:
        """Beside the name, or, where that has no room, below it; what is longer than a phrase is shortened."""
        taken = tokens.SPACE_3 + tokens.ICON_SIZE + self._name.sizeHint().width() + 3 * tokens.SPACE_2 + 4
        room = self.width() - 2 - taken
        wide = self._state.fontMetrics().horizontalAdvance(self.state) > room
        below = wide and len(self.state) <= _PHRASE
        self._below.setText(self.state if below else "")
        self._below.setVisible(below)
        self._state.set_full_text("" if below else self.state)
        self.head.setToolTip(self.state if wide and not below else "")

    def grey(self, words: str) -> None:
        """The part cannot be had now; ``words`` stand for its state. "": it can."""
        self._instead = words
        set_property(self._name, "role", "muted" if words else "strong")
        self._place_state()
        self._name_head()

    @property
    def opened(self) -> bool:
        return self._body.isVisibleTo(self)

    def open(self, opened: bool = True) -> None:
        self._body.setVisible(opened)
        set_icon(self._arrow, "chevron-down" if opened else "chevron-right", "muted")
        self._name_head()
        self.toggled.emit(opened)

    def _name_head(self) -> None:
        self.head.setAccessibleName(f"{self._title}: {self.state}, {texts.OPENED if self.opened else texts.CLOSED}")
