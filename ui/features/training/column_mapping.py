"""The role of each column of a data set, chosen by hand if it was not recognised."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QWidget

from ui.components.basics import ElidedLabel, Text
from ui.components.choice_box import ChoiceBox
from ui.components.layout import column_of, empty_layout
from ui.features.training import texts
from ui.theme import tokens
from workbench.records.training import ColumnRole, DataPart, DataReport


class ColumnMapping(QWidget):
    """``changed`` sends the DataPart with the columns as they were chosen, once they make an example. Several columns
    can make the question."""

    changed = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._data = DataPart()
        self._report: DataReport | None = None
        self.boxes: dict[str, ChoiceBox] = {}
        self.words = Text("", "muted")
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(tokens.SPACE_4)
        self._grid.setVerticalSpacing(tokens.SPACE_1)
        self._grid.setColumnStretch(0, 1)
        column_of(self, self.words, self._grid, gap=tokens.SPACE_2)

    def show_columns(self, report: DataReport, data: DataPart) -> None:
        """Show the columns of a set with the roles that ``data`` gives them."""
        self._data = data
        before, self._report = self._report, report
        if before is None or (before.columns, before.roles) != (report.columns, report.roles):
            self._build(report.columns, report.roles)
        for name, box in self.boxes.items():
            box.blockSignals(True)
            box.setCurrentIndex(max(0, box.findData(role_of(name, data))))
            box.blockSignals(False)
        self.words.setText(texts.CHOOSE_ROLES.format(missing=_missing(data, report)).strip())

    def _build(self, columns: Sequence[str], roles: Sequence[ColumnRole]) -> None:
        empty_layout(self._grid)
        self.boxes = {}
        for line, name in enumerate(columns):
            choices = [(texts.NOT_USED, ""), *((role.title, role.name) for role in roles)]
            box = self.boxes[name] = ChoiceBox(texts.ROLE_OF_COLUMN.format(name=name), choices)
            box.setFixedWidth(180)
            box.currentIndexChanged.connect(lambda _, name=name: self._on_chosen(name))
            self._grid.addWidget(ElidedLabel(name, "code"), line, 0)
            self._grid.addWidget(box, line, 1)

    def _on_chosen(self, name: str) -> None:
        if self._report is None:
            return
        chosen = str(self.boxes[name].currentData())
        several = any(role.several for role in self._report.roles if role.name == chosen)
        self._data = with_role(self._data, name, chosen, several)
        self.show_columns(self._report, self._data)
        if not _missing(self._data, self._report):
            self.changed.emit(self._data)


def unmapped(data: DataPart) -> DataPart:
    """The DataPart with no column named by hand."""
    return msgspec.structs.replace(data, columns={})


def role_of(column: str, data: DataPart) -> str:
    """The role that a DataPart gives a column, "" for none."""
    return next((role for role, columns in data.columns.items() if column in columns), "")


def with_role(data: DataPart, column: str, role: str, several: bool) -> DataPart:
    """The DataPart in which a column has this role, beside others that have it or (not ``several``) instead of them."""
    left = {one: tuple(name for name in names if name != column) for one, names in data.columns.items()}
    if role:
        left[role] = (*left.get(role, ()), column) if several else (column,)
    return msgspec.structs.replace(data, columns={one: names for one, names in left.items() if names})


def _missing(data: DataPart, report: DataReport) -> str:
    if any(set(roles) <= data.columns.keys() for roles in report.role_sets):
        return ""
    titles = {role.name: role.title.lower() for role in report.roles}
    sets = [" and ".join(titles.get(role, role) for role in roles) for roles in report.role_sets]
    return texts.NEEDS_COLUMNS.format(names=", or ".join(sets))
