"""Fields of a recipe that name things of the home, chosen from lists: a question set, questions of it, saved recipes.

What a recipe names and the home lacks stays in its list, marked.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QListWidget, QListWidgetItem

from ui.components.choice_box import ChoiceBox
from ui.components.config_form import Control, FieldRow, ValueRow
from ui.components.recipe import texts
from workbench.base.fields import Field

_HEIGHT = 150


class NamedRow(FieldRow):
    """One name of those that are offered, or none."""

    def __init__(self, field: Field) -> None:
        self._offered: tuple[str, ...] = ()
        super().__init__(field, True, self._make)

    def offer(self, names: Sequence[str]) -> None:
        self._offered = tuple(names)
        self.set_value(self.value)

    def _make(self, row: ValueRow) -> Control:
        box = self._box = ChoiceBox(row.field.title, (), chosen=row.commit)
        return Control(box, self._show_name, lambda: box.value, lambda value: False)

    def _show_name(self, name: str) -> None:
        choices = [(texts.NOTHING_CHOSEN, ""), *((one, one) for one in self._offered)]
        if name and name not in self._offered:
            choices.append((texts.NOT_THERE.format(name=name) if self._offered else name, name))
        self._box.set_choices(choices)
        self._box.show_value(name)


class TicksRow(FieldRow):
    """Several of the values that are offered, ticked in a list, each with what a person reads of it. The text
    ``empty`` stands in place of a list without values."""

    def __init__(self, field: Field, empty: str = "") -> None:
        self._empty = empty
        self._offered: tuple[tuple[str, str], ...] = ()
        self._filling = False
        super().__init__(field, True, self._make)

    def offer(self, named: Sequence[tuple[str, str]]) -> None:
        """Pairs of title and value."""
        self._offered = tuple(named)
        self.set_value(self.value)

    def set_value(self, value: Any) -> None:
        super().set_value(value)
        if self._empty:
            self.list.setVisible(bool(self.list.count()))
            self.set_note("" if self.list.count() else self._empty)

    def _make(self, row: ValueRow) -> Control:
        self.list = QListWidget()
        self.list.setFixedHeight(_HEIGHT)
        self.list.setWordWrap(True)
        self.list.setResizeMode(QListWidget.ResizeMode.Adjust)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.itemChanged.connect(self._on_ticked)
        return Control(self.list, self._show_ticks, lambda: self._ticked, lambda value: False)

    @property
    def _ticked(self) -> tuple[str, ...]:
        items = (self.list.item(row) for row in range(self.list.count()))
        return tuple(
            str(item.data(Qt.ItemDataRole.UserRole)) for item in items if item.checkState() == Qt.CheckState.Checked
        )

    def _show_ticks(self, values: Sequence[str]) -> None:
        known = {value for _, value in self._offered}
        lacking = [
            (texts.NOT_THERE.format(name=value) if self._offered else value, value)
            for value in values
            if value not in known
        ]
        self._filling = True
        self.list.clear()
        for title, value in (*self._offered, *lacking):
            item = QListWidgetItem(title)
            item.setToolTip(title)
            item.setData(Qt.ItemDataRole.UserRole, value)
            item.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsUserCheckable)
            item.setCheckState(Qt.CheckState.Checked if value in values else Qt.CheckState.Unchecked)
            self.list.addItem(item)
        self._filling = False

    def _on_ticked(self) -> None:
        if not self._filling:
            self.commit(self._ticked)
