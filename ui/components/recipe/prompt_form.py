"""The prompting part of a recipe as a form: instructions, the technique, and the settings of that technique."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from ui.components.basics import LinkButton, Text
from ui.components.choice_box import ChoiceBox
from ui.components.config_form import FieldRow, Form
from ui.components.layout import column_of, row_of
from ui.components.recipe import texts
from ui.components.recipe.known_rows import NamedRow, TicksRow
from ui.components.recipe.limit_note import LimitNote
from ui.components.wording import shown_fields_of
from ui.theme import tokens
from workbench.base.fields import Field
from workbench.records.methods import Methods
from workbench.records.prompts import is_unchanged
from workbench.records.recipes import PromptingPart, PromptSource

_REWARD_MODEL = "reward_model"
"""The setting of a technique that names a reward model."""


class PromptForm(QWidget):
    """``changed`` sends the whole new part after each edit of the person.

    The choice of technique is shown where there is one to make; the settings below it are built from the fields of the
    chosen method.
    """

    changed = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._part = PromptingPart()
        self._methods: Methods[Any] = Methods()
        fields = {field.name: field for field in shown_fields_of(PromptingPart)}
        self.instructions = FieldRow(fields["instructions"], narrow=True)
        self.instructions.changed.connect(self._put)
        self.technique = ChoiceBox(
            fields["technique"].title,
            accessibleDescription=fields["technique"].help,
            chosen=lambda name: self._put("technique", name),
        )
        self._sets: tuple[str, ...] = ()
        self._questions: tuple[tuple[str, str], ...] = ()
        self._reward_models: tuple[str, ...] = ()
        advanced = [field for field in fields.values() if field.advanced]
        self.parts = Form(advanced, narrow=True, fold=texts.PROMPT_PARTS, make_row=self._make_row)
        self.parts.changed.connect(self._put)
        self.thinking = FieldRow(fields["thinking"], narrow=True)
        self.thinking.changed.connect(self._put)
        self.summary = Text("", "small")
        self.limits = LimitNote()
        self.notes = Text("", "attention", visible=False)
        self.options: Form | None = None
        self._options_of = ""
        self._choice = QWidget()
        choice = column_of(self._choice, gap=tokens.SPACE_1)
        for widget in (
            Text(fields["technique"].title, "strong"),
            self.technique,
            self.summary,
            self.limits,
            self.notes,
        ):
            choice.addWidget(widget)
        self.library_button = LinkButton(texts.LIBRARY_BUTTON)
        self.save_button = LinkButton(texts.SAVE_TO_LIBRARY)
        self.sources = Text("", "small")
        links = row_of(None, self.library_button, self.save_button, None, gap=tokens.SPACE_4)
        library = column_of(None, links, self.sources, gap=tokens.SPACE_1)
        self._column = column_of(
            self, library, self._choice, self.instructions, self.parts, self.thinking, gap=tokens.SPACE_4
        )
        self.set_part(self._part)

    def set_methods(self, methods: Methods[Any]) -> None:
        """The techniques that there are."""
        self._methods = methods
        self._options_of = ""
        self.set_part(self._part)

    def set_question_sets(self, names: Sequence[str]) -> None:
        """The question sets that examples can be of."""
        self._sets = tuple(names)
        row = self.parts.rows.get("examples")
        if isinstance(row, NamedRow):
            row.offer(self._sets)

    def set_example_questions(self, named: Sequence[tuple[str, str]]) -> None:
        """The questions that fixed examples can be: what a person reads, and their numbers."""
        self._questions = tuple(named)
        row = self.parts.rows.get("example_rows")
        if isinstance(row, TicksRow):
            row.offer(self._questions)

    def set_reward_models(self, names: Sequence[str]) -> None:
        """The reward models that can choose among several answers."""
        self._reward_models = tuple(names)
        row = self.options.rows.get(_REWARD_MODEL) if self.options is not None else None
        if isinstance(row, NamedRow):
            row.offer(self._reward_models)

    def _make_option(self, field: Field) -> FieldRow | None:
        if field.name != _REWARD_MODEL:
            return None
        row = NamedRow(field)
        row.offer(self._reward_models)
        return row

    def _make_row(self, field: Field) -> FieldRow | None:
        if field.name == "examples":
            row = NamedRow(field)
            row.offer(self._sets)
            return row
        if field.name == "example_rows":
            ticks = TicksRow(field)
            ticks.offer(self._questions)
            return ticks
        return None

    def set_part(self, part: PromptingPart) -> None:
        """Show a part; nothing is signalled."""
        self._part = part
        self.sources.setText("\n".join(describe_source(one, not is_unchanged(part, one)) for one in part.sources))
        self.sources.setVisible(bool(part.sources))
        self.instructions.set_value(part.instructions)
        self.parts.set_values(part)
        self.thinking.set_value(part.thinking)
        chosen = self._methods.row(part.technique, "technique")
        rows = self._methods.of("technique")
        if chosen not in rows:
            rows = (*rows, chosen)
        self.technique.set_choices([(row.title, row.name) for row in rows])
        self.technique.show_value(chosen.name)
        self.summary.setText(f"{chosen.summary} {chosen.cost}".strip())
        self._choice.setVisible(len(rows) > 1)
        if self._options_of != part.technique:
            self._options_of = part.technique
            self._build_options(chosen.fields)
        if self.options is not None:
            self.options.set_values(part.options)

    def set_notes(self, notes: Sequence[str]) -> None:
        """Sentences about what has no effect beside the chosen technique."""
        self.notes.setText("\n".join(notes))
        self.notes.setVisible(bool(notes))

    def _build_options(self, fields: tuple[Any, ...]) -> None:
        if self.options is not None:
            self._column.removeWidget(self.options)
            self.options.hide()
            self.options.deleteLater()
        self.options = Form(fields, narrow=True, make_row=self._make_option) if fields else None
        if self.options is not None:
            self.options.changed.connect(self._put_option)
            self._column.insertWidget(self._column.indexOf(self._choice) + 1, self.options)

    def _put(self, name: str, value: Any) -> None:
        options = {} if name == "technique" else self._part.options
        self._send(msgspec.structs.replace(self._part, **{"options": options, name: value}))

    def _put_option(self, name: str, value: Any) -> None:
        self._send(msgspec.structs.replace(self._part, options={**self._part.options, name: value}))

    def _send(self, part: PromptingPart) -> None:
        if part != self._part:
            self.set_part(part)
            self.changed.emit(part)


def describe_source(source: PromptSource, changed: bool = False) -> str:
    """``Letter, version 3``"""
    words = texts.SOURCE_CHANGED if changed else texts.SOURCE_USED
    return words.format(name=source.name, number=source.version)


def describe_prompting(part: PromptingPart, methods: Methods[Any]) -> str:
    """The part in a phrase: the technique, unless it is the first one, and the instructions; ``plain`` without both."""
    chosen = methods.row(part.technique, "technique")
    first = methods.of("technique")[:1]
    said = [] if chosen in first or not first else [chosen.title]
    return ": ".join([*said, *([words] if (words := " ".join(part.instructions.split())) else [])]) or texts.PLAIN
