"""The settings of a training, made from its parts: those that fit the method, the advanced ones folded away and
made only when they are unfolded.

What is left to the program (0 or auto) says beside it what the plan has chosen.
"""

from __future__ import annotations

from typing import Any

import msgspec
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLineEdit, QSizePolicy, QVBoxLayout, QWidget

from ui.components.basics import Line, LinkButton, Text
from ui.components.config_form import FieldRow, describe_value
from ui.theme import tokens
from ui.theme.theme import set_icon
from workbench.fields import Field, fields_of
from workbench.records.training import ALPHAS, PARTS, RANKS, TrainingConfig, WeightsMethod

LEFT_OUT = {"weights.method"}
_GROUPS: dict[str, tuple[WeightsMethod, ...]] = {
    "low-rank": tuple(RANKS),
    "alpha": ALPHAS,
    "targets": (*RANKS, "oft"),
    "rotations": ("oft",),
    "selection": ("layers",),
    "soft prompts": ("prompt", "p-tuning", "prefix"),
}
_SECTIONS = (
    ("weights", "Trainable weights"),
    ("optimiser", "Optimiser"),
    ("data", "Data"),
    ("evaluation", "Evaluation"),
)


class TrainingSettings(QWidget):
    """``changed`` sends the whole config, as it is with the edited field."""

    changed = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._config = TrainingConfig()
        self._chosen: TrainingConfig | None = None
        self.rows: dict[str, FieldRow] = {}
        self.name = QLineEdit()
        self.name.setAccessibleName("Name of what is trained")
        self.name.editingFinished.connect(self._on_named)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(tokens.SPACE_4)
        naming = QVBoxLayout()
        naming.setSpacing(tokens.SPACE_1)
        naming.addWidget(Text("Name", "strong"))
        words = "What it is called in the list of adapters; empty takes a name from model and examples."
        naming.addWidget(Text(words, "small"))
        naming.addWidget(self.name)
        column.addLayout(naming)
        self._build_sections(column, advanced=False)
        self.fold = LinkButton("Advanced")
        set_icon(self.fold, "chevron-right", "accent", 16)
        self.fold.setCheckable(True)
        self.fold.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.fold.toggled.connect(self._on_fold)
        column.addWidget(self.fold)
        self._advanced = QWidget()
        self._advanced.hide()
        column.addWidget(self._advanced)
        self.show_config(self._config, None)

    def show_config(self, config: TrainingConfig, chosen: TrainingConfig | None) -> None:
        """Show a config; ``chosen`` is the plan's, with everything filled in."""
        self._config, self._chosen = config, chosen
        if not self.name.hasFocus():
            self.name.setText(config.name)
        self.name.setPlaceholderText(chosen.name if chosen is not None and chosen.name else "chosen by the program")
        for name, row in self.rows.items():
            value = value_of(config, name)
            row.set_value(value)
            planned = value_of(chosen, name) if chosen is not None else value
            row.set_note("" if planned == value else f"chosen: {describe_value(row.field, planned)}")
            methods = _GROUPS.get(row.field.group)
            row.setVisible(methods is None or config.weights.method in methods)

    def _build_sections(self, column: QVBoxLayout, advanced: bool) -> None:
        for part, title in _SECTIONS:
            wanted = [
                field
                for field in fields_of(PARTS[part])
                if field.advanced is advanced and f"{part}.{field.name}" not in LEFT_OUT
            ]
            if not wanted:
                continue
            column.addWidget(Line())
            column.addWidget(Text(title, "heading"))
            for field in wanted:
                self._add_row(column, f"{part}.{field.name}", field)

    def _add_row(self, column: QVBoxLayout, name: str, field: Field) -> None:
        row = self.rows[name] = FieldRow(field)
        row.changed.connect(lambda _, value: self._on_edited(name, value))
        column.addWidget(row)

    def _on_edited(self, name: str, value: Any) -> None:
        self.changed.emit(with_value(self._config, name, value))

    def _on_named(self) -> None:
        name = self.name.text().strip()
        if name != self._config.name:
            self.changed.emit(msgspec.structs.replace(self._config, name=name))

    def _build_advanced(self) -> None:
        below = QVBoxLayout(self._advanced)
        below.setContentsMargins(0, 0, 0, 0)
        below.setSpacing(tokens.SPACE_4)
        self._build_sections(below, advanced=True)
        for field in fields_of(TrainingConfig):
            self._add_row(below, field.name, field)
        self.show_config(self._config, self._chosen)

    def _on_fold(self, open: bool) -> None:
        if open and self._advanced.layout() is None:
            self._build_advanced()
        self._advanced.setVisible(open)
        set_icon(self.fold, "chevron-down" if open else "chevron-right", "accent", 16)


def value_of(config: TrainingConfig, name: str) -> Any:
    """The value of ``part.field`` or of a field of the config itself."""
    part, _, field = name.rpartition(".")
    return getattr(getattr(config, part) if part else config, field)


def with_value(config: TrainingConfig, name: str, value: Any) -> TrainingConfig:
    """The config with ``part.field`` or a field of its own set to a value of its type."""
    part, _, field = name.rpartition(".")
    if not part:
        return msgspec.structs.replace(config, **{field: value})
    changed = msgspec.structs.replace(getattr(config, part), **{field: value})
    return msgspec.structs.replace(config, **{part: changed})
