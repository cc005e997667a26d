"""Choosing one of several: from a list that folds out, or from buttons side by side."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QComboBox, QSizePolicy, QWidget

from ui.components.basics import PlainButton, set_property
from ui.components.layout import FlowLayout
from ui.theme import tokens


class ChoiceBox(QComboBox):
    """A combo box that a wheel over it scrolls past, unless it is in use."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        """``name`` is said by screen readers."""
        super().__init__(parent)
        self.setAccessibleName(name)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()


class ChoiceRow(QWidget):
    """``chosen`` sends the name of what was clicked. The row does not switch by itself: it shows what it is told."""

    chosen = Signal(str)

    def __init__(self, name: str, choices: Sequence[tuple[str, str]], parent: QWidget | None = None) -> None:
        """``choices`` are names and titles."""
        super().__init__(parent)
        self.setAccessibleName(name)
        self.buttons: dict[str, PlainButton] = {}
        row = FlowLayout(self, tokens.SPACE_1)
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        for choice, title in choices:
            button = self.buttons[choice] = PlainButton(title)
            button.setCheckable(True)
            button.setProperty("small", True)
            button.setProperty("kind", "choice")
            button.clicked.connect(lambda _=False, choice=choice: self._on_clicked(choice))
            row.addWidget(button)
        self._value = ""

    @property
    def value(self) -> str:
        return self._value

    def show_value(self, value: str) -> None:
        self._value = value
        for choice, button in self.buttons.items():
            button.setChecked(choice == value)
            button.setAccessibleDescription("chosen" if choice == value else "")
            set_property(button, "on", choice == value)

    def _on_clicked(self, choice: str) -> None:
        self.show_value(self._value)
        self.chosen.emit(choice)
