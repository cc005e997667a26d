"""The whole page as a place to drop files, shown while something is dragged over it."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QVBoxLayout, QWidget

from ui.components.basics import IconLabel, Text
from ui.theme import tokens


class DropCover(QFrame):
    """Lies over its parent. It takes no mouse events: the parent handles the drop."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._parent = parent
        self.setProperty("role", "drop")
        self.setProperty("over", True)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.words = Text("", "title")
        self.words.setAlignment(Qt.AlignmentFlag.AlignCenter)
        column = QVBoxLayout(self)
        column.addStretch(1)
        column.addWidget(IconLabel("upload", "accent", 32), 0, Qt.AlignmentFlag.AlignHCenter)
        column.addWidget(self.words)
        column.addStretch(1)
        self.hide()

    def cover(self, words: str) -> None:
        """Show it over the whole parent."""
        gap = tokens.SPACE_3
        self.words.setText(words)
        self.setGeometry(self._parent.rect().adjusted(gap, gap, -gap, -gap))
        self.raise_()
        self.show()
