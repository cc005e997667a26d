"""Fields for numbers, with their text as far from the edge as that of other fields."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QDoubleSpinBox, QSpinBox

from ui.components.basics import set_up
from ui.theme import tokens


class NumberBox(QSpinBox):
    """A whole number. (Qt's style sheets do not reach the text of a spin box.)"""

    def __init__(self, **properties: Any) -> None:
        super().__init__()
        self.lineEdit().setTextMargins(tokens.SPACE_3, 0, 0, 0)
        set_up(self, properties)

    def sizeHint(self) -> QSize:
        return super().sizeHint() + QSize(tokens.SPACE_3, 0)


class AmountBox(QDoubleSpinBox):
    """A number with decimals."""

    def __init__(self, **properties: Any) -> None:
        super().__init__()
        self.lineEdit().setTextMargins(tokens.SPACE_3, 0, 0, 0)
        set_up(self, properties)

    def sizeHint(self) -> QSize:
        return super().sizeHint() + QSize(tokens.SPACE_3, 0)
