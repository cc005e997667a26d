"""The settings of how tokens are chosen: presets, strategy, the curve, and the fields that count for the strategy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QSizePolicy, QWidget

from ui.components.basics import PlainButton, Text
from ui.components.choice_box import ChoiceBox, ChoiceList, ChoiceRow
from ui.components.config_form import Form
from ui.components.layout import column_of
from ui.components.recipe import texts
from ui.components.recipe.distribution_chart import DistributionView
from ui.components.recipe.limit_note import LimitNote
from ui.components.recipe.order_list import OrderList
from ui.components.recipe.recipes import DESCRIBED, FormTexts
from ui.components.slide_row import SlideRow
from ui.components.wording import shown_fields_of
from ui.theme import tokens
from workbench.base.catalogue import all_translated, ngettext, translated
from workbench.base.fields import Field
from workbench.records.methods import Methods
from workbench.records.recipes import (
    SAMPLING_ORDER,
    DecodingPart,
    active_fields,
    answers_of,
    draws,
    follows_beams,
    note_on_penalties,
    notes_on,
    preset_of,
    problem_of,
    with_preset,
)

CUSTOM = "custom"
FORMATS = {
    "text": texts.FORMAT_TEXT,
    "json": texts.FORMAT_JSON,
    "json_schema": texts.FORMAT_SCHEMA,
    "regex": texts.FORMAT_REGEX,
    "choice": texts.FORMAT_CHOICE,
    "gbnf": texts.FORMAT_GBNF,
    "quote": texts.FORMAT_QUOTE,
}
_FORMAT_PHRASES = {
    "json": texts.IN_JSON,
    "json_schema": texts.IN_SCHEMA,
    "regex": texts.IN_REGEX,
    "choice": texts.IN_CHOICE,
    "gbnf": texts.IN_GBNF,
    "quote": texts.IN_QUOTE,
}
_SLIDES: dict[str, tuple[float, float, int]] = {
    "temperature": (0, 2, 40),
    "top_k": (0, 100, 100),
    "top_p": (0.01, 1, 99),
    "min_p": (0, 0.5, 100),
    "typical_p": (0.01, 1, 99),
    "repetition_penalty": (1, 2, 50),
    "n": (1, 8, 7),
    "num_beams": (1, 16, 15),
    "length_penalty": (-2, 3, 50),
    "penalty_alpha": (0, 1, 50),
    "contrastive_k": (1, 16, 15),
}
_HEADINGS = {
    "repetition": texts.GROUP_REPETITION,
    "answers": texts.GROUP_ANSWERS,
    "format": texts.FORM_OF_ANSWER,
    "speed": texts.GROUP_SPEED,
}
"""Titles of the groups of fields that several strategies have; those of one strategy stand first, without a title."""
_CUSTOM_HELP = texts.CUSTOM_HELP
_STEP_TITLES = {"penalties": texts.PENALTIES, "dry": "DRY", "xtc": texts.EXCLUDE_TOP}


class DecodingForm(QWidget):
    """``changed`` sends the whole new part after each edit of the person."""

    changed = Signal(object)
    format_wanted = Signal()
    """The form of the answer is to be edited."""

    def __init__(self) -> None:
        super().__init__()
        self._part = DecodingPart()
        self._methods: Methods[Any] = Methods()
        self._problem = ""
        self._texts = FormTexts()
        self.presets = ChoiceRow(texts.PRESETS, (), chosen=self._on_preset)
        self.preset_help = Text("", "small")
        fields = {field.name: field for field in shown_fields_of(DecodingPart)}
        self.strategy = ChoiceList(texts.STRATEGY, (), chosen=lambda name: self._put("strategy", name))
        self.strategy_help = Text(texts.SAMPLING_AT_0, "small", visible=False)
        self.limits, self.format_limits = LimitNote(), LimitNote()
        self.notes = Text("", "attention")
        self.problem = Text("", "error")
        self.distribution = DistributionView()
        self.order = OrderList([(step, _step_title(step, fields)) for step in SAMPLING_ORDER])
        self.order.changed.connect(lambda order: self._put("order", order))
        self.draft_model = ChoiceBox(fields["draft_model"].title, chosen=lambda name: self._put("draft_model", name))
        self.format = ChoiceBox(
            fields["format"].title, [(title, name) for name, title in FORMATS.items()], chosen=self._on_format
        )
        self.format_state = Text("", "small")
        self.format_problem = Text("", "error", visible=False)
        self.edit_format = PlainButton(texts.EDIT_BUTTON, "edit", small=True, accessibleName=texts.EDIT_FORM)
        self.edit_format.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.edit_format.clicked.connect(self.format_wanted)
        rest = [field for field in fields.values() if field.group != "strategy"]
        self.form = Form(rest, narrow=True, headings=_HEADINGS, fold=texts.MORE, make_row=self._make_row)
        self.form.changed.connect(self._put)
        self.fold, self.rows, self.row = self.form.fold, self.form.rows, self.form.row
        strategy = fields["strategy"]
        self.strategy.setAccessibleDescription(strategy.help)
        column_of(
            self,
            _of(self.presets, self.preset_help),
            _titled(strategy.title, self.strategy, self.strategy_help, self.limits, self.notes, self.problem),
            self.distribution,
            self.form,
            gap=tokens.SPACE_4,
        )
        self.set_part(self._part)

    # -- what it shows ---------------------------------------------------------------------------------

    @property
    def part(self) -> DecodingPart:
        return self._part

    def set_methods(self, methods: Methods[Any]) -> None:
        """The presets and strategies that there are."""
        self._methods = methods
        self.presets.set_choices([*((row.name, row.title) for row in methods.of("preset")), (CUSTOM, texts.CUSTOM)])
        rows = methods.of("decoding")
        self.strategy.set_described(
            [(one.name, one.title) for one in rows], {}, {one.name: one.summary for one in rows}
        )
        self.set_part(self._part)

    def set_part(self, part: DecodingPart) -> None:
        """Show a part; nothing is signalled."""
        self._part = part
        self._texts.follow(part.format, part.grammar)
        preset = preset_of(part, self._methods)
        self.presets.show_value(preset.name if preset is not None else CUSTOM)
        self.preset_help.setText(preset.summary if preset is not None else _CUSTOM_HELP)
        strategy = self._methods.row(part.strategy, "decoding")
        self.strategy.show_value(part.strategy)
        by_chance = draws(part, strategy)
        always = "draws" in strategy.traits and not by_chance
        self.strategy_help.setVisible(always)
        notes = "\n".join(
            filter(None, (translated(note_on_penalties(part, strategy)), *all_translated(notes_on(part, strategy))))
        )
        for said, words in ((self.notes, notes), (self.problem, problem_of(part, strategy))):
            said.setText(words)
            said.setVisible(bool(words))
        counting = self._active = active_fields(part, strategy)
        self.form.set_values(part)
        self.form.show_fields(counting)
        self.distribution.setVisible("searches" not in strategy.traits)
        self.distribution.set_decoding(part if by_chance else msgspec.structs.replace(part, temperature=0.0))
        self.order.set_value(part.order)
        self.draft_model.show_value(part.draft_model)
        self.format.show_value(part.format)
        self.format_state.setText(describe_constraint(part) if "grammar" in counting else "")
        for widget in (self.format_state, self.edit_format):
            widget.setVisible("grammar" in counting)
        self._show_problem()

    def set_models(self, names: Sequence[str]) -> None:
        """The models that can guess ahead."""
        self.draft_model.set_choices([(texts.CHOOSE, ""), *((name, name) for name in names)])
        self.draft_model.show_value(self._part.draft_model)

    def set_problem(self, problem: str) -> None:
        """Why the form of the answer cannot be used; "" when it can."""
        self._problem = problem
        self._show_problem()

    # -- what it is made of ----------------------------------------------------------------------------

    def _make_row(self, field: Field) -> QWidget | None:
        if field.name in _SLIDES:
            return SlideRow(field, *_SLIDES[field.name])
        if field.name == "order":
            return _titled(field.title, self.order, Text(texts.ORDER_HELP.format(help=field.shown_help), "small"))
        if field.name == "draft_model":
            return _titled(field.title, self.draft_model, Text(field.shown_help, "small"))
        if field.name == "format":
            self.format.setAccessibleDescription(field.shown_help)
            return _of(
                self.format,
                Text(field.shown_help, "small"),
                self.format_limits,
                self.format_state,
                self.format_problem,
                self.edit_format,
            )
        if field.name == "grammar":
            row = QWidget()  # it is edited in the editor; format's row shows its state
            row.setFixedHeight(0)
            return row
        return None

    # -- edits -------------------------------------------------------------------------------------------

    def _put(self, name: str, value: Any) -> None:
        self._send(msgspec.structs.replace(self._part, **{name: value}))

    def _send(self, part: DecodingPart) -> None:
        if part != self._part:
            self.set_part(part)
            self.changed.emit(part)

    def _on_preset(self, name: str) -> None:
        if name != CUSTOM:
            self._send(with_preset(self._part, self._methods.row(name, "preset")))
            return
        first = self.rows["temperature" if "temperature" in self._active else "repetition_penalty"]
        if isinstance(first, SlideRow):
            first.slider.setFocus(Qt.FocusReason.OtherFocusReason)

    def _on_format(self, name: str) -> None:
        grammar = self._texts.text_for(name, self._part.grammar)
        self._send(msgspec.structs.replace(self._part, format=name, grammar=grammar))
        if name in DESCRIBED and not self._part.grammar.strip():
            self.format_wanted.emit()

    def _show_problem(self) -> None:
        problem = self._problem if self._part.format != "text" else ""
        self.format_problem.setText(texts.UNUSABLE.format(problem=problem) if problem else "")
        self.format_problem.setVisible(bool(problem))


def describe_constraint(part: DecodingPart) -> str:
    """How large the description of the form is: ``12 lines``, ``3 choices``."""
    lines = [line for line in part.grammar.splitlines() if line.strip()]
    if not lines:
        return texts.NOTHING_WRITTEN
    if part.format == "choice":
        return (
            ", ".join(lines)
            if len(lines) <= 4
            else texts.AND_MORE.format(names=", ".join(lines[:3]), value=len(lines) - 3)
        )
    if len(lines) == 1:
        return lines[0] if len(lines[0]) <= 60 else f"{lines[0][:60]}…"
    return texts.COUNT_LINES.format(count=len(lines))


def describe_decoding(part: DecodingPart, methods: Methods[Any]) -> str:
    """The part in a phrase: ``Precise``, ``Beam search, 4 beams``, ``Creative, 3 answers, JSON by schema``."""
    strategy, preset = methods.row(part.strategy, "decoding"), preset_of(part, methods)
    active = active_fields(part, strategy)
    if follows_beams(part, strategy):
        said = [
            strategy.title,
            ngettext("{count} beam", "{count} beams", part.num_beams).format(count=part.num_beams),
        ]
    elif preset is not None:
        said = [preset.title]
    elif "temperature" in active:
        said = [texts.CUSTOM, texts.TEMPERATURE.format(temperature=part.temperature)]
    else:
        said = [strategy.title]
    if answers_of(part, strategy) > 1:
        said.append(texts.COUNT_ANSWERS.format(n=part.n))
    if part.format != "text" and "free text" not in strategy.traits:
        said.append(_FORMAT_PHRASES[part.format])
    return ", ".join(said)


def _step_title(step: str, fields: dict[str, Field]) -> str:
    return _STEP_TITLES.get(step) or fields[step].title


def _titled(title: str, *parts: QWidget) -> QWidget:
    return _of(Text(title, "strong"), *parts)


def _of(*parts: QWidget) -> QWidget:
    box = QWidget()
    column_of(box, *parts, gap=tokens.SPACE_1)
    return box
