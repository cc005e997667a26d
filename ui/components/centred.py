"""A place in a wide column whose content keeps to the width of reading, in the middle."""

from __future__ import annotations

from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from ui.theme import tokens


class Centred(QWidget):
    """Puts widgets under each other, none wider than ``set_most`` says, at first ``READING_WIDTH``."""

    def __init__(self, *parts: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._inner = QWidget()
        self._inner.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        column = QVBoxLayout(self._inner)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(tokens.SPACE_2)
        for part in parts:
            column.addWidget(part)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addStretch(1)
        row.addWidget(self._inner, 1000)
        row.addStretch(1)
        self.set_most(tokens.READING_WIDTH)

    def set_most(self, width: int) -> None:
        """The most px that the content may be wide."""
        self._inner.setMaximumWidth(width)
