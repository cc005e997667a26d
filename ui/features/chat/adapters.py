"""The adapters that a chat can be answered with: those that fit its model, as they come and go."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from PySide6.QtCore import QObject, Signal

from ui.bridge import Bridge
from ui.features.adapters.texts import find_problem
from ui.features.chat.recipes import with_model
from workbench.api.calls import ListAdapters
from workbench.records.recipes import AdapterUse, Recipe
from workbench.records.training import AdapterList, AdapterRecord


class ChatAdapters(QObject):
    """``changed`` is sent when another list is known for the model that is followed."""

    changed = Signal()

    def __init__(self, bridge: Bridge, parent: QObject) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._model = ""
        self._fitting: tuple[AdapterRecord, ...] | None = None  # None: not known yet
        bridge.changed.connect(self._on_changed)
        bridge.connected_changed.connect(lambda connected: self._load() if connected else None)

    @property
    def fitting(self) -> tuple[AdapterRecord, ...]:
        """What fits the model, failed ones included, the latest first."""
        return self._fitting or ()

    def follow(self, model: str) -> None:
        """Know the adapters of this model from now on."""
        if model != self._model:
            self._model, self._fitting = model, None
            self._load()

    def problem(self, recipe: Recipe) -> tuple[str, str]:
        """The first adapter of the recipe that cannot be used, and why; empty words while all can or none is known."""
        if self._fitting is None or recipe.model.name != self._model:
            return "", ""
        known = {record.name: record for record in self._fitting}
        return find_problem(recipe.model.adapters, known, recipe.model.name)

    def find(self, name: str, take: Callable[[AdapterRecord | None], None]) -> None:
        """Look an adapter up by its name, whichever model it is for."""

        def look(found: AdapterList) -> None:
            take(next((record for record in found.adapters if record.name == name), None))

        self._bridge.call(ListAdapters(), look, owner=self)

    def _load(self) -> None:
        model = self._model
        if not model:
            return

        def take(found: AdapterList) -> None:
            if model == self._model and found.adapters != self._fitting:
                self._fitting = found.adapters
                self.changed.emit()

        self._bridge.call(ListAdapters(model=model), take, lambda error: None, self)

    def _on_changed(self, kind: str, id: str) -> None:
        if kind in ("adapter", "model"):
            self._load()


def with_adapter(recipe: Recipe, record: AdapterRecord) -> Recipe:
    """The recipe with an adapter on over its base at full strength, or with the model that it was merged into."""
    if record.kind == "merged":
        return with_model(recipe, record.model)
    on = with_model(recipe, record.base) if record.base else recipe  # a file without a card names no base
    uses = (AdapterUse(name=record.name),)
    return msgspec.structs.replace(on, model=msgspec.structs.replace(on.model, adapters=uses))


def without_adapters(recipe: Recipe) -> Recipe:
    """The recipe as the base model answers it."""
    return msgspec.structs.replace(recipe, model=msgspec.structs.replace(recipe.model, adapters=()))
