"""The settings of a training, made from its parts: those that fit the method, the advanced ones folded away and
made only when they are unfolded.

A field that is left to the program says what the plan has chosen.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLineEdit, QWidget

from ui.components.basics import Text
from ui.components.config_form import FieldRow, Form
from ui.components.layout import column_of, empty_layout
from ui.components.reward_list import make_reward_row, offer_to
from ui.components.wording import shown_fields_of
from ui.features.training import texts
from ui.features.training.examples_row import EVALUATION, ExamplesRow
from ui.texts import AUTO_VALUE
from ui.theme import tokens
from workbench.base.fields import Field
from workbench.records.methods import Methods
from workbench.records.training import PARTS, TrainingConfig

LEFT_OUT = {"weights.method"}
_TRAINER = "trainer"
_SECTIONS = {
    "weights": texts.SECTION_WEIGHTS,
    "optimiser": texts.SECTION_OPTIMISER,
    "data": texts.SECTION_DATA,
    "evaluation": texts.SECTION_EVALUATION,
    "": texts.SECTION_RUN,
}


class TrainingSettings(QWidget):
    """``changed`` sends the whole config, as it is with the edited field."""

    changed = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._config = TrainingConfig()
        self._chosen: TrainingConfig | None = None
        self._not_by_trl = ""
        self.name = QLineEdit(accessibleName=texts.RESULT_NAME, editingFinished=self._on_named)
        words = texts.RESULT_NAME_HELP
        self._methods: Methods[Any] = Methods()
        self._objective = ""
        self._offered: tuple[Sequence[str], Sequence[str]] = ((), ())
        self._own: Form | None = None  # the settings that only the objective has
        self._place = column_of(gap=0)
        self._groups: dict[str, str] = {}  # of the fields by their names
        self._sets: tuple[str, ...] = ()
        self.form = Form(self._fields(), headings=_SECTIONS, make_row=self._make_general)
        self.form.changed.connect(lambda name, value: self.changed.emit(with_value(self._config, name, value)))
        self.form.fold.toggled.connect(lambda _: self.show_config(self._config, self._chosen, self._not_by_trl))
        self.fold = self.form.fold
        naming = column_of(None, Text(texts.NAME, "strong"), Text(words, "small"), self.name, gap=tokens.SPACE_1)
        column_of(self, naming, self._place, self.form, gap=tokens.SPACE_4)
        self.show_config(self._config, None)

    def show_config(self, config: TrainingConfig, chosen: TrainingConfig | None, not_by_trl: str = "") -> None:
        """Show a config; ``chosen`` is the plan's, with everything filled in. ``not_by_trl``: why TRL cannot train
        it."""
        self._not_by_trl = not_by_trl
        self._config, self._chosen = config, chosen
        if not self.name.hasFocus():
            self.name.setText(config.name)
        named = chosen.name if chosen is not None else ""
        self.name.setPlaceholderText(AUTO_VALUE.format(value=named) if named else texts.AUTO_NAME)
        self._show_objective(config)
        values = {name: value_of(config, name) for name in self._groups}
        self.form.set_values(values)
        read = self._methods.row(config.weights.method, "weights").groups
        of_some = {group for row in self._methods.of("weights") for group in row.groups}
        self.form.show_fields([name for name, group in self._groups.items() if group in read or group not in of_some])
        for name, row in self.form.rows.items():
            planned = value_of(chosen, name) if chosen is not None else values[name]
            if isinstance(row, FieldRow):
                row.set_chosen(None if planned == values[name] else planned)
        self.form.grey({_TRAINER: not_by_trl if config.trainer == "workbench" else ""})  # one that is set can be reset

    @property
    def rows(self) -> dict[str, QWidget]:
        """The rows of ``part.field``; of advanced ones once they were unfolded."""
        own = self._own.rows if self._own is not None else {}
        return {**{f"objective.{name}": row for name, row in own.items()}, **self.form.rows}

    def set_methods(self, methods: Methods[Any]) -> None:
        """The objectives and weights methods whose settings these are."""
        self._methods, self._objective = methods, ""
        self.show_config(self._config, self._chosen, self._not_by_trl)

    def _show_objective(self, config: TrainingConfig) -> None:
        name = config.objective.name
        if name != self._objective:
            self._objective = name
            empty_layout(self._place)
            self._own = Form(self._methods.row(name, "objective").fields, make_row=self._make_row)
            self._own.changed.connect(self._on_option)
            self._own.fold.toggled.connect(lambda _: self._note_options())
            self._place.addWidget(self._own)
        if self._own is not None:
            self._own.set_values(config.objective.options)
        self._note_options()

    def _note_options(self) -> None:
        """Show what the plan has chosen for options that were left to it."""
        asked, chosen = self._config.objective, self._chosen.objective if self._chosen is not None else None
        for name, row in (self._own.rows if self._own is not None else {}).items():
            if isinstance(row, FieldRow):
                value = asked.options.get(name, row.field.default)
                planned = chosen.options.get(name, value) if chosen is not None and chosen.name == asked.name else value
                row.set_chosen(None if planned == value else planned)

    def _make_row(self, field: Field) -> QWidget | None:
        """Rewards are chosen and weighed, not written."""
        row = make_reward_row(field, self._methods)
        offer_to([row] if row is not None else (), *self._offered)
        return row

    def offer(self, reward_models: Sequence[str], recipes: Sequence[str]) -> None:
        """The reward models and saved recipes that rewards can name."""
        self._offered = (reward_models, recipes)
        offer_to(self._own.rows.values() if self._own is not None else (), *self._offered)

    def offer_sets(self, sets: Sequence[str]) -> None:
        """The sets of the home that a training can be evaluated on."""
        self._sets = tuple(sets)
        row = self.form.rows.get(EVALUATION)
        if isinstance(row, ExamplesRow):
            row.offer(self._sets)

    def _make_general(self, field: Field) -> QWidget | None:
        if field.name != EVALUATION:
            return None
        row = ExamplesRow(field)
        row.offer(self._sets)
        return row

    def _on_option(self, name: str, value: Any) -> None:
        options = {**self._config.objective.options, name: value}
        objective = msgspec.structs.replace(self._config.objective, options=options)
        self.changed.emit(msgspec.structs.replace(self._config, objective=objective))

    def _fields(self) -> list[Field]:
        """The fields of the parts under ``part.field``, then the config's own."""
        found = []
        for part in _SECTIONS:
            for field in shown_fields_of(PARTS[part] if part else TrainingConfig):
                name = f"{part}.{field.name}" if part else field.name
                if name not in LEFT_OUT:
                    self._groups[name] = field.group
                    advanced = field.advanced or not part
                    found.append(msgspec.structs.replace(field, name=name, group=part, advanced=advanced))
        return found

    def _on_named(self) -> None:
        name = self.name.text().strip()
        if name != self._config.name:
            self.changed.emit(msgspec.structs.replace(self._config, name=name))


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
