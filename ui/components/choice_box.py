"""Choosing one of several: from a list that folds out, or from buttons side by side."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QStandardItemModel, QWheelEvent
from PySide6.QtWidgets import QComboBox, QMenu, QSizePolicy, QWidget

from ui import texts
from ui.components.basics import PlainButton, set_up, without_keys
from ui.components.layout import FlowLayout
from ui.theme import tokens
from ui.theme.theme import set_property


class ChoiceBox(QComboBox):
    """A list of named values. A wheel over it scrolls the page: nothing is changed by passing by."""

    chosen = Signal(str)
    """The value that the person chose."""

    def __init__(
        self,
        name: str,
        choices: Iterable[tuple[str, str]] = (),
        characters: int = 8,
        placeholder: str = "",
        **properties: Any,
    ) -> None:
        """``name`` is the text for screen readers; ``choices`` are titles and values. At least ``characters`` of a
        title are in sight."""
        super().__init__()
        self.setAccessibleName(name)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(characters)
        self.setPlaceholderText(placeholder)
        self._choices: list[tuple[str, str]] = []
        self._greyed: dict[str, str] = {}
        self.activated.connect(lambda index: self.chosen.emit(str(self.itemData(index))))
        self.set_choices(choices)
        set_up(self, properties)

    @property
    def value(self) -> str:
        return str(self.currentData() or "")

    def set_choices(self, choices: Iterable[tuple[str, str]]) -> None:
        """Offer these. The value stays as it is while it is among them; else it is the first."""
        before, self._choices = self.value, list(choices)
        self._fill(self._choices)
        self.setCurrentIndex(max(self.findData(before), 0) if self._choices else -1)

    def show_value(self, value: str) -> None:
        """Show a value; one that is not among the choices is shown as gone."""
        known = value in [data for _, data in self._choices]
        gone = [] if known else [(texts.NOT_HERE.format(value=value) if value else texts.CHOOSE, value)]
        self._fill([*self._choices, *gone])
        self.setCurrentIndex(self.findData(value))

    def grey(self, reasons: Mapping[str, str]) -> None:
        """The values that cannot be chosen now, with the reasons; one that is chosen stays so."""
        self._greyed = {value: reason for value, reason in reasons.items() if reason}
        self._show_greyed()

    def make_menu(self, parent: QWidget) -> QMenu:
        """The same choices as a menu, for a chip."""
        menu = QMenu(parent)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for row in range(self.count()):
            action = menu.addAction(without_keys(self.itemText(row)))
            action.setData(str(self.itemData(row)))
            action.setCheckable(True)
            action.setChecked(row == self.currentIndex())
            action.setEnabled(str(self.itemData(row)) not in self._greyed)
        menu.triggered.connect(lambda action: self.chosen.emit(action.data()) if action.data() is not None else None)
        return menu

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()

    def _fill(self, choices: Sequence[tuple[str, str]]) -> None:
        if [(self.itemText(index), self.itemData(index)) for index in range(self.count())] == list(choices):
            return
        self.blockSignals(True)
        self.clear()
        for title, value in choices:
            self.addItem(title, value)
        self.blockSignals(False)
        self._show_greyed()

    def _show_greyed(self) -> None:
        model = self.model()
        if isinstance(model, QStandardItemModel):
            for row in range(self.count()):
                reason = self._greyed.get(str(self.itemData(row)), "")
                model.item(row).setEnabled(not reason)
                model.item(row).setToolTip(reason)


class ChoiceRow(QWidget):
    """``chosen`` sends the name of what was clicked. The row does not switch by itself: it shows what it is told."""

    chosen = Signal(str)

    def __init__(self, name: str, choices: Sequence[tuple[str, str]], **properties: Any) -> None:
        """``choices`` are names and titles."""
        super().__init__(accessibleName=name)
        self.buttons: dict[str, PlainButton] = {}
        self._row = FlowLayout(self, tokens.SPACE_1)
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self._value = ""
        self._greyed: dict[str, str] = {}
        self.set_choices(choices)
        set_up(self, properties)

    def set_choices(self, choices: Sequence[tuple[str, str]]) -> None:
        """Offer other choices, of names and titles."""
        if [(name, button.text()) for name, button in self.buttons.items()] == list(choices):
            return
        for button in self.buttons.values():
            self._row.removeWidget(button)
            button.deleteLater()
        self.buttons = {}
        for choice, title in choices:
            clicked = partial(self._on_clicked, choice)
            button = self.buttons[choice] = PlainButton(title, checkable=True, small=True, clicked=clicked)
            button.setProperty("kind", "choice")
            self._row.addWidget(button)
        self.show_value(self._value)
        self.grey(self._greyed)

    def grey(self, reasons: Mapping[str, str]) -> None:
        """The names that cannot be clicked now, with the reasons; one that is chosen stays so."""
        self._greyed = {name: reason for name, reason in reasons.items() if reason}
        for name, button in self.buttons.items():
            button.setEnabled(name not in self._greyed)
            button.setToolTip(self._greyed.get(name, ""))

    @property
    def value(self) -> str:
        return self._value

    def show_value(self, value: str) -> None:
        self._value = value
        for choice, button in self.buttons.items():
            button.setChecked(choice == value)
            button.setAccessibleDescription("chosen" if choice == value else "")
            set_property(button, "on", choice == value)

    def _on_clicked(self, choice: str, checked: bool = False) -> None:
        self.show_value(self._value)
        self.chosen.emit(choice)
