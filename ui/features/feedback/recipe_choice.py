"""A recipe by one choice: a model, a model with an adapter, or a saved recipe."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
from PySide6.QtCore import Signal

from ui.bridge import Bridge
from ui.components.choice_box import ChoiceBox
from ui.features.feedback import texts
from workbench.base.errors import UserError
from workbench.records.models import ModelRecord
from workbench.records.recipes import AdapterUse, DecodingPart, ModelPart, Recipe, load_recipe
from workbench.records.training import AdapterList, AdapterRecord
from workbench.subjects.adapters.calls import ListAdapters
from workbench.subjects.models.calls import ListModels, ModelList

_MOST = 50
SAME = "same"
TEMPERATURE = 0.9
"""Answers of one recipe are drawn, so that they differ."""


class RecipeChoice(ChoiceBox):
    """``recipe`` is None while there is nothing to choose, and where ``SAME`` is chosen."""

    known = Signal()
    """The choices are known, or have changed."""

    def __init__(self, bridge: Bridge, name: str, with_same: bool = False) -> None:
        super().__init__(name, (), 26)
        self._bridge = bridge
        self._with_same = with_same
        self._models: Sequence[ModelRecord] = ()
        self._default = ""
        self._adapters: Sequence[AdapterRecord] = ()
        self._recipes: dict[str, Recipe] = {}
        bridge.home.listing(ListModels()).follow(self._on_models)
        bridge.home.listing(ListAdapters()).follow(self._on_adapters)

    @property
    def recipe(self) -> Recipe | None:
        return self._recipes.get(self.value)

    def choose_adapter(self, name: str) -> str:
        """Choose a model with this adapter, where it is there. Returns the model's name."""
        value = f"adapter:{name}"
        if value not in self._recipes:
            return ""
        self.show_value(value)
        return self._recipes[value].model.name

    def choose_model(self, name: str) -> None:
        """Choose a model without adapters, where it is there."""
        if f"model:{name}" in self._recipes:
            self.show_value(f"model:{name}")

    def choose_other(self, value: str) -> None:
        """Choose the first recipe that is not this one, where there is one."""
        other = next((one for one in self._recipes if one != value), "")
        if other:
            self.show_value(other)

    def _on_models(self, found: ModelList) -> None:
        self._models = [one for one in found.models if one.kind in ("chat", "base") and not one.missing]
        self._models = sorted(self._models, key=lambda one: (one.name != found.default, one.kind != "chat"))
        self._offer()

    def _on_adapters(self, found: AdapterList) -> None:
        self._adapters = [one for one in found.adapters if one.state in ("ready", "checking") and one.kind != "merged"]
        self._offer()

    def _offer(self) -> None:
        named: list[tuple[str, str, Recipe | None]] = []
        if self._with_same:
            named.append((texts.SAME_AGAIN, SAME, None))
        for model in self._models:
            named.append((model.name, f"model:{model.name}", drawn(model.name)))
        models = {model.name for model in self._models}
        for one in self._adapters:
            if one.base in models:
                title = texts.OF_ADAPTER.format(model=one.base, adapter=one.name)
                named.append((title, f"adapter:{one.name}", drawn(one.base, one.name)))
        named += self._saved()
        self._recipes = {value: recipe for _, value, recipe in named if recipe is not None}
        self.set_choices([(title, value) for title, value, _ in named])
        self.known.emit()

    def _saved(self) -> list[tuple[str, str, Recipe | None]]:
        status = self._bridge.status
        if status is None:
            return []
        found: list[tuple[str, str, Recipe | None]] = []
        for path in sorted((Path(status.home) / "recipes").glob("*.toml"))[:_MOST]:
            try:
                recipe = load_recipe(path)
            except UserError:
                continue  # the page of recipes says why
            name = recipe.name or path.stem
            title = texts.OF_FILE.format(name=name)
            found.append((title, f"file:{path}", msgspec.structs.replace(recipe, name=name)))
        return found


def drawn(model: str, adapter: str = "", tokens: int = 128) -> Recipe:
    """A recipe whose answers are drawn, with an adapter if one is named."""
    uses = (AdapterUse(name=adapter),) if adapter else ()
    name = texts.OF_ADAPTER.format(model=model, adapter=adapter) if adapter else model
    decoding = DecodingPart(temperature=TEMPERATURE, max_tokens=tokens)
    return Recipe(name=name, model=ModelPart(name=model, adapters=uses), decoding=decoding)
