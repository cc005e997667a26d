"""The scorers of an evaluation: chosen from the registry's rows, each with its settings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QMenu, QWidget

from ui.components.basics import Card, IconButton, PlainButton, Text
from ui.components.choice_box import ChoiceBox
from ui.components.config_form import Form
from ui.components.dialog import LabelledField
from ui.components.layout import column_of, row_of
from ui.features.evaluation import texts
from ui.theme import tokens
from workbench.records.evaluation import ScorerUse
from workbench.records.methods import MethodInfo, Methods
from workbench.records.models import ModelRecord
from workbench.records.recipes import ModelPart, Recipe


class ScorerList(QWidget):
    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._methods: Methods[MethodInfo] = Methods()
        self._models: tuple[str, ...] = ()
        self._default = ""
        self.rows: list[ScorerRow] = []
        self._column = column_of(None, gap=tokens.SPACE_2)
        self.add_button = PlainButton(texts.ADD_SCORER, "plus", small=True)
        self._menu = QMenu(self.add_button)
        self._menu.setToolTipsVisible(True)
        self.add_button.setMenu(self._menu)
        column_of(self, self._column, row_of(None, self.add_button, None), gap=tokens.SPACE_2)

    @property
    def uses(self) -> tuple[ScorerUse, ...]:
        return tuple(row.use for row in self.rows)

    def set_models(self, models: Sequence[ModelRecord], default: str) -> None:
        """The models that can judge."""
        self._models = tuple(model.name for model in models if model.kind == "chat" and not model.missing)
        self._default = default or next(iter(self._models), "")
        for row in self.rows:
            row.show_models(self._models, self._default)

    def set_methods(self, methods: Methods[MethodInfo]) -> None:
        self._methods = methods
        self._menu.clear()
        for method in methods.of("scorer"):
            action = self._menu.addAction(method.title)
            action.setToolTip(f"{method.summary} {method.cost}".strip())
            action.triggered.connect(lambda _=False, name=method.name: self.add(ScorerUse(name=name)))

    def show_uses(self, uses: Sequence[ScorerUse]) -> None:
        """Show these in place of what was there."""
        for row in self.rows:
            row.hide()
            row.deleteLater()
        self.rows = []
        for use in uses:
            self.add(use)
        self.changed.emit()

    def add(self, use: ScorerUse) -> None:
        row = ScorerRow(use, self._methods.row(use.name, "scorer"))
        row.show_models(self._models, self._default)
        row.remove_button.clicked.connect(lambda: self._on_remove(row))
        self.rows.append(row)
        self._column.addWidget(row)
        self.changed.emit()

    def _on_remove(self, row: ScorerRow) -> None:
        self.rows.remove(row)
        row.hide()
        row.deleteLater()
        self.changed.emit()


class ScorerRow(Card):
    def __init__(self, use: ScorerUse, method: MethodInfo) -> None:
        super().__init__(margin=tokens.SPACE_3)
        self._use = use
        self._options = dict(use.options)
        self.remove_button = IconButton("close", texts.REMOVE_SCORER.format(name=method.title))
        words = column_of(
            None, Text(method.title, "strong"), Text(f"{method.summary} {method.cost}".strip(), "small"), gap=0
        )
        self.body.addLayout(row_of(None, (words, 1), self.remove_button, gap=tokens.SPACE_2))
        self.judge: ChoiceBox | None = None
        if "judges" in method.traits:
            self.judge = ChoiceBox(texts.JUDGE_MODEL, (), 24)
            self.body.addWidget(LabelledField(texts.JUDGE_MODEL, "", self.judge))
        if method.fields:
            self.form = Form(method.fields, narrow=True)
            self.form.set_values(self._options)
            self.form.changed.connect(self._on_option)
            self.body.addWidget(self.form)

    @property
    def use(self) -> ScorerUse:
        use = msgspec.structs.replace(self._use, options=self._options)
        if self.judge is None or not self.judge.value:
            return use
        return msgspec.structs.replace(use, recipe=Recipe(model=ModelPart(name=self.judge.value)))

    def show_models(self, models: Sequence[str], default: str) -> None:
        if self.judge is not None:
            chosen = self.judge.value or default
            self.judge.set_choices([(name, name) for name in models])
            if chosen in models:
                self.judge.show_value(chosen)

    def _on_option(self, name: str, value: Any) -> None:
        self._options[name] = msgspec.to_builtins(value)
        self.form.set_values(self._options)
