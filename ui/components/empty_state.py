"""A place where nothing is yet."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from ui.components.basics import IconLabel, PrimaryButton, Text
from ui.theme import tokens


class EmptyState(QWidget):
    """What stands where nothing is yet: what this place is for and what to do first.

    ``add_action`` puts a widget below; ``button`` is the main action, None when there is none.
    """

    def __init__(self, icon: str, title: str, text: str, action: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(tokens.SPACE_5, tokens.SPACE_6, tokens.SPACE_5, tokens.SPACE_6)
        self._column.setSpacing(tokens.SPACE_3)
        self._column.addStretch(1)
        centre = Qt.AlignmentFlag.AlignHCenter
        self._column.addWidget(IconLabel(icon, "muted", 32), 0, centre)
        heading = Text(title, "title")
        heading.setAlignment(Qt.AlignmentFlag.AlignCenter)
        heading.setWordWrap(True)
        self._column.addWidget(heading)
        words = Text(text, "muted")
        words.setAlignment(Qt.AlignmentFlag.AlignCenter)
        words.setMaximumWidth(520)
        row = QHBoxLayout()  # an aligned label that wraps would be given the height of one line
        row.addStretch(1)
        row.addWidget(words, 8)
        row.addStretch(1)
        self._column.addLayout(row)
        self.button: PrimaryButton | None = None
        if action:
            self.button = PrimaryButton(action)
            self._column.addSpacing(tokens.SPACE_2)
            self._column.addWidget(self.button, 0, centre)
        self._column.addStretch(2)

    def add_action(self, widget: QWidget) -> None:
        self._column.insertWidget(self._column.count() - 1, widget, 0, Qt.AlignmentFlag.AlignHCenter)
