"""Fields for numbers, with their text as far from the edge as that of other fields."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QAbstractSpinBox, QDoubleSpinBox, QSpinBox

from ui.components.basics import set_up
from ui.theme import tokens


class _Margins(QAbstractSpinBox if TYPE_CHECKING else object):  # type: ignore[misc]
    """Qt's style sheets do not reach the text of a spin box."""

    def __init__(self, **properties: Any) -> None:
        super().__init__()
        self.lineEdit().setTextMargins(tokens.SPACE_3, 0, 0, 0)
        set_up(self, properties)

    def sizeHint(self) -> QSize:
        hint: QSize = super().sizeHint()
        return hint + QSize(tokens.SPACE_3, 0)


class NumberBox(_Margins, QSpinBox):
    """A whole number."""


class AmountBox(_Margins, QDoubleSpinBox):
    """A number with decimals."""
