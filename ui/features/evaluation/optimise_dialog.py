"""What is asked before the search for a better prompt begins."""

from __future__ import annotations

from typing import Any

import msgspec
from PySide6.QtWidgets import QWidget

from ui.bridge import Bridge
from ui.components.basics import Text
from ui.components.choice_box import ChoiceBox
from ui.components.config_form import Form
from ui.components.dialog import LabelledField
from ui.components.layout import column_of
from ui.features.evaluation import texts
from ui.features.evaluation.dialogs import ScoringDialog
from ui.features.evaluation.recipe_list import RecipeList
from ui.theme import tokens
from workbench.api.protocol import Call
from workbench.records.methods import MethodInfo, Methods
from workbench.records.recipes import ModelPart, Recipe
from workbench.subjects.chats.calls import ChatList, ListChats
from workbench.subjects.evaluation.calls import Optimise, SuggestScorers
from workbench.subjects.machine.calls import MethodList
from workbench.subjects.models.calls import ListModels, ModelList
from workbench.subjects.runs.calls import RunRecord


class OptimiseDialog(ScoringDialog):
    def __init__(self, bridge: Bridge, question_set: str, parent: QWidget | None = None) -> None:
        self._set = question_set
        self._methods: Methods[MethodInfo] = Methods()
        self._options: dict[str, Any] = {}
        self.form: Form | None = None
        self.method = ChoiceBox(texts.METHOD, (), 24, chosen=lambda _: self._on_method())
        self.summary = Text("", "small")
        self.recipes = RecipeList(bridge)
        self.writer = ChoiceBox(texts.WRITER, ((texts.WRITER_SAME, ""),), 24)
        self._settings = QWidget()
        self._place = column_of(self._settings, gap=0)
        super().__init__(bridge, texts.OPTIMISE_TITLE, texts.OPTIMISE_HELP, texts.OPTIMISE_GO, parent)
        self.recipes.changed.connect(self._show_state)
        for field in (
            LabelledField(texts.METHOD, "", column_of(None, self.method, self.summary, gap=tokens.SPACE_1)),
            LabelledField(texts.FIRST_RECIPE, "", self.recipes),
            LabelledField(texts.WRITER, texts.WRITER_HELP, self.writer),
            LabelledField(texts.COMPARED_BY, texts.COMPARED_BY_HELP, self.scorers),
            self._settings,
        ):
            self.inside.addWidget(field)
        self.inside.addStretch(1)
        self.inside.setSpacing(tokens.SPACE_4)
        self.resize(680, 700)
        bridge.home.listing(ListModels()).follow(self._on_choices)
        bridge.home.listing(ListChats()).follow(self._on_choices)
        bridge.call(
            SuggestScorers(question_set=question_set),
            lambda uses: self.scorers.show_uses(uses[:1]),
            self._on_refused,
            self,
        )
        self._on_method()

    def missing(self) -> str:
        if len(self.recipes.rows) != 1:
            return texts.ONE_RECIPE if self.recipes.rows else texts.RECIPE_NEEDED
        return texts.ONE_SCORER if len(self.scorers.rows) > 1 else super().missing()

    def make_call(self) -> Call[RunRecord]:
        return Optimise(
            question_set=self._set,
            recipe=self.recipes.recipes[0],
            method=self.method.value,
            options=self._options,
            scorer=self.scorers.uses[0],
            writer=Recipe(model=ModelPart(name=self.writer.value)) if self.writer.value else None,
        )

    def _on_methods(self, found: MethodList) -> None:
        super()._on_methods(found)
        self._methods = Methods(found.methods)
        self.method.set_choices([(row.title, row.name) for row in self._methods.of("optimiser")])
        if self.form is not None:
            self._on_method()

    def _on_choices(self, _: ModelList | ChatList) -> None:
        models, chats = self._bridge.home.listing(ListModels()).value, self._bridge.home.listing(ListChats()).value
        if models is not None and chats is not None:
            self.recipes.set_choices(models.models, chats.chats, models.default)
            self.scorers.set_models(models.models, models.default)
            names = [model.name for model in models.models if model.kind == "chat" and not model.missing]
            self.writer.set_choices([(texts.WRITER_SAME, ""), *((name, name) for name in names)])
        self._show_state()

    def _on_method(self) -> None:
        """Another method has other settings."""
        row = self._methods.row(self.method.value, "optimiser")
        self.summary.setText(f"{row.summary} {row.cost}".strip())
        self._options = {}
        if self.form is not None:
            self.form.hide()
            self.form.deleteLater()
        self.form = Form(row.fields)
        self.form.set_values({})
        self.form.changed.connect(self._on_option)
        self._place.addWidget(self.form)
        self._show_state()

    def _on_option(self, name: str, value: Any) -> None:
        self._options[name] = msgspec.to_builtins(value)
        assert self.form is not None
        self.form.set_values(self._options)
