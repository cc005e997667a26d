"""Choosing one of several: from a list that folds out, or from buttons side by side."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QHelpEvent, QStandardItemModel, QWheelEvent
from PySide6.QtWidgets import QComboBox, QMenu, QSizePolicy, QStyle, QStyleOptionComboBox, QToolTip, QWidget

from ui import texts
from ui.components.basics import PlainButton, Text, TextRole, set_up, without_keys
from ui.components.layout import FlowLayout, column_of, row_of
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

    def event(self, event: QEvent) -> bool:
        """A title that is cut is read whole where the mouse rests on it."""
        if event.type() == QEvent.Type.ToolTip and not self.toolTip() and isinstance(event, QHelpEvent):
            QToolTip.showText(event.globalPos(), self.currentText() if self.cuts_title() else "", self)
            return True
        return super().event(event)

    def cuts_title(self) -> bool:
        """Whether there is no room for the whole title of what is chosen."""
        option = QStyleOptionComboBox()
        self.initStyleOption(option)
        control, part = QStyle.ComplexControl.CC_ComboBox, QStyle.SubControl.SC_ComboBoxEditField
        room = self.style().subControlRect(control, option, part, self).width()
        return self.fontMetrics().horizontalAdvance(self.currentText()) > room

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
        self._lay_out()
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self._value = ""
        self._greyed: dict[str, str] = {}
        self._explained: dict[str, str] = {}
        self.set_choices(choices)
        set_up(self, properties)

    def set_choices(self, choices: Sequence[tuple[str, str]]) -> None:
        """Offer other choices, of names and titles."""
        if [(name, button.text()) for name, button in self.buttons.items()] == list(choices):
            return
        self._offer(choices)

    def _offer(self, choices: Sequence[tuple[str, str]]) -> None:
        for button in self.buttons.values():
            button.hide()
            button.deleteLater()
        self.buttons = {}
        for choice, title in choices:
            clicked = partial(self._on_clicked, choice)
            button = self.buttons[choice] = PlainButton(title, checkable=True, small=True, clicked=clicked)
            button.setProperty("kind", "choice")
            self._place(choice, button)
        self.show_value(self._value)
        self.grey(self._greyed)

    def _lay_out(self) -> None:
        self._row = FlowLayout(self, tokens.SPACE_1)

    def _place(self, choice: str, button: PlainButton) -> None:
        self._row.addWidget(button)

    def grey(self, reasons: Mapping[str, str]) -> None:
        """The names that cannot be clicked now, with the reasons; one that is chosen stays so."""
        self._greyed = {name: reason for name, reason in reasons.items() if reason}
        for name, button in self.buttons.items():
            button.setEnabled(name not in self._greyed)
            button.setToolTip(self._greyed.get(name, "") or self._explained.get(name, ""))

    def explain(self, words: Mapping[str, str]) -> None:
        """The sentence of each choice, read where the mouse rests on it."""
        self._explained = dict(words)
        self.grey(self._greyed)

    @property
    def value(self) -> str:
        return self._value

    def show_value(self, value: str) -> None:
        self._value = value
        for choice, button in self.buttons.items():
            button.setChecked(choice == value)
            button.setAccessibleDescription(texts.CHOSEN if choice == value else "")
            set_property(button, "on", choice == value)

    def _on_clicked(self, choice: str, checked: bool = False) -> None:
        self.show_value(self._value)
        self.chosen.emit(choice)


class ChoiceList(ChoiceRow):
    """A row in several lines: the choices of one heading stand below it, and one with words has them below itself, or
    ``beside`` itself where there is room for that."""

    _described: tuple[list[tuple[str, str]], dict[str, str], dict[str, str]]

    def __init__(
        self, name: str, choices: Sequence[tuple[str, str]], *, beside: bool = False, **properties: Any
    ) -> None:
        self._beside = beside
        super().__init__(name, choices, **properties)

    def set_described(
        self, choices: Sequence[tuple[str, str]], headings: Mapping[str, str], words: Mapping[str, str]
    ) -> None:
        """Offer these, of names and titles, with the heading and the words of those that have any."""
        described = (list(choices), dict(headings), dict(words))
        if described != self._described:
            self._described = described
            self._empty()
            self._offer(choices)
            if self._beside:  # the words of all begin at one line
                told = [self.buttons[name] for name in words if name in self.buttons]
                widest = max((button.sizeHint().width() for button in told), default=0)
                for button in told:
                    button.setMinimumWidth(widest)

    def _lay_out(self) -> None:
        self._described = ([], {}, {})
        self._lines: list[FlowLayout] = []
        self._said: list[Text] = []
        self._under = ""
        self._column = column_of(self, gap=tokens.SPACE_1)

    def _empty(self) -> None:
        while self._column.takeAt(0) is not None:
            pass
        for text in self._said:
            text.hide()
            text.deleteLater()
        self._lines, self._said, self._under = [], [], ""

    def _place(self, choice: str, button: PlainButton) -> None:
        _, headings, words = self._described
        heading, about = headings.get(choice, ""), words.get(choice, "")
        begins = not self._lines or bool(about) or heading != self._under
        if heading and heading != self._under:
            self._say(heading, "body")
        self._under = heading
        if about and self._beside:
            self._said.append(Text(about, "small"))
            self._column.addLayout(row_of(None, button, (self._said[-1], 1), gap=tokens.SPACE_3))
            return
        if begins:
            self._lines.append(FlowLayout(spacing=tokens.SPACE_1))
            self._column.addLayout(self._lines[-1])
        self._lines[-1].addWidget(button)
        if about:
            self._say(about)

    def _say(self, words: str, role: TextRole = "small") -> None:
        self._said.append(Text(words, role))
        self._column.addWidget(self._said[-1])
