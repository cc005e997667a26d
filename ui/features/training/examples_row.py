"""The field of the examples that a training is evaluated on: a set of the home, or a file, chosen from one list."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtWidgets import QFileDialog

from ui.components.choice_box import ChoiceBox
from ui.components.config_form import Control, FieldRow, ValueRow
from ui.features.training import texts
from workbench.base.fields import Field

EVALUATION = "data.evaluation_path"
_A_FILE = "?"  # no name of a set and no path


class ExamplesRow(FieldRow):
    """The list ends with an entry that opens the dialog for files."""

    def __init__(self, field: Field) -> None:
        self._sets: tuple[str, ...] = ()
        super().__init__(field, False, self._make)

    def offer(self, sets: Sequence[str]) -> None:
        """The sets of the home, by name."""
        self._sets = tuple(sets)
        self._show_path(self.value)

    def _make(self, row: ValueRow) -> Control:
        box = self._box = ChoiceBox(row.field.title, (), chosen=self._on_chosen)
        return Control(box, self._show_path, lambda: box.value, lambda value: False)

    def _show_path(self, path: str) -> None:
        choices = [(texts.EVALUATED_ON_SPLIT, ""), *((name, name) for name in self._sets)]
        if path and path not in self._sets:
            choices.append((Path(path).name, path))
        self._box.set_choices([*choices, (texts.CHOOSE_A_FILE, _A_FILE)])
        self._box.show_value(path)
        self._box.setToolTip(path)

    def _on_chosen(self, value: str) -> None:
        if value == _A_FILE:
            value, _ = QFileDialog.getOpenFileName(self, texts.CHOOSE_EXAMPLES, "", texts.FILTER_EXAMPLES)
            value = value or self.value
        self._show_path(value)
        self.commit(value)
