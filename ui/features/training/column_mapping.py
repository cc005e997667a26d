"""What each column of a set means, chosen by hand where it was not recognised."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QWidget

from ui.components.basics import ElidedLabel, Text
from ui.components.choice_box import ChoiceBox
from ui.components.layout import column_of, empty_layout
from ui.theme import tokens
from workbench.records.training import DataPart, Objective

ROLES: dict[Objective, tuple[tuple[str, str], ...]] = {
    "sft": (
        ("", "Not used"),
        ("question", "Question"),
        ("answer", "Answer"),
        ("system", "Instructions"),
        ("turns", "Conversation"),
    ),
    "domain": (("", "Not used"), ("text", "Text")),
}


class ColumnMapping(QWidget):
    """``changed`` sends the DataPart with the columns as they were chosen, once they make an example. Several columns
    can make the question."""

    changed = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._data = DataPart()
        self._known: tuple[Objective, tuple[str, ...]] = ("sft", ())
        self.boxes: dict[str, ChoiceBox] = {}
        self.words = Text("", "muted")
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(tokens.SPACE_4)
        self._grid.setVerticalSpacing(tokens.SPACE_1)
        self._grid.setColumnStretch(0, 1)
        column_of(self, self.words, self._grid, gap=tokens.SPACE_2)

    def show_columns(self, columns: Sequence[str], data: DataPart, objective: Objective) -> None:
        """Show these columns with what ``data`` says that they mean."""
        self._data = data
        if (objective, tuple(columns)) != self._known:
            self._known = (objective, tuple(columns))
            self._build(columns, objective)
        for name, box in self.boxes.items():
            box.blockSignals(True)
            box.setCurrentIndex(max(0, box.findData(role_of(name, data))))
            box.blockSignals(False)
        missing = _missing(data, objective)
        self.words.setText(f"Say what the columns mean. {missing}".strip())

    def _build(self, columns: Sequence[str], objective: Objective) -> None:
        empty_layout(self._grid)
        self.boxes = {}
        for line, name in enumerate(columns):
            roles = [(title, role) for role, title in ROLES[objective]]
            box = self.boxes[name] = ChoiceBox(f"What the column {name} means", roles)
            box.setFixedWidth(180)
            box.currentIndexChanged.connect(lambda _, name=name: self._on_chosen(name))
            self._grid.addWidget(ElidedLabel(name, "code"), line, 0)  # type: ignore[arg-type]
            self._grid.addWidget(box, line, 1)

    def _on_chosen(self, name: str) -> None:
        role = str(self.boxes[name].currentData())
        self._data = with_role(self._data, name, role)
        self.show_columns(self._known[1], self._data, self._known[0])
        if not _missing(self._data, self._known[0]):
            self.changed.emit(self._data)


def unmapped(data: DataPart) -> DataPart:
    """The DataPart with no column named by hand."""
    return msgspec.structs.replace(data, turns="", question=(), answer="", system="", text="")


def role_of(column: str, data: DataPart) -> str:
    """What a DataPart says that a column means: a key of the roles, "" for nothing."""
    if column in data.question:
        return "question"
    return next((role for role in ("answer", "system", "turns", "text") if getattr(data, role) == column), "")


def with_role(data: DataPart, column: str, role: str) -> DataPart:
    """The DataPart in which a column means this; only questions may have several columns."""
    kept = tuple(name for name in data.question if name != column)
    changes: dict[str, object] = {"question": (*kept, column) if role == "question" else kept}
    for one in ("answer", "system", "turns", "text"):
        if one == role:
            changes[one] = column
        elif getattr(data, one) == column:
            changes[one] = ""
    return msgspec.structs.replace(data, **changes)


def _missing(data: DataPart, objective: Objective) -> str:
    if objective == "domain":
        return "" if data.text else "One of them is the text."
    if data.turns or (data.question and data.answer):
        return ""
    return "An example needs a question and an answer, or a conversation."
