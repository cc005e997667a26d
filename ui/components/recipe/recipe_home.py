"""What a recipe form offers of the home folder, such as models and collections."""

from __future__ import annotations

from PySide6.QtCore import QObject

from ui.bridge import Bridge
from ui.components.known_tools import KnownTools
from ui.components.recipe.known_names import KnownNames
from ui.components.recipe.recipe_panel import RecipePanel
from ui.components.recipe.recipes import ChatAdapters
from workbench.records.recipes import Recipe
from workbench.subjects.documents.calls import CollectionList, ListCollections
from workbench.subjects.machine.calls import ListMethods, MethodList
from workbench.subjects.models.calls import ListModels, ModelList


class RecipeHome(QObject):
    """Keeps a panel that stands by itself informed."""

    def __init__(self, bridge: Bridge, panel: RecipePanel) -> None:
        super().__init__(panel)
        self._panel = panel
        self._models = ModelList(models=())
        self._collections = CollectionList(collections=())
        self.adapters, self.tools = ChatAdapters(bridge, self), KnownTools(bridge, self)
        self.adapters.changed.connect(lambda: panel.set_adapters(self.adapters.fitting))
        self.tools.changed.connect(lambda: panel.agent_form.set_tools(self.tools.tools or ()))
        panel.recipe_shown.connect(self._on_shown)
        self.names = KnownNames(bridge, panel)
        bridge.home.listing(ListMethods()).follow(self._on_methods)
        bridge.home.listing(ListModels()).follow(self._on_models)
        bridge.home.listing(ListCollections()).follow(self._on_collections)

    def _on_shown(self, recipe: Recipe) -> None:
        self.adapters.follow(recipe.model.name)
        self.tools.follow(recipe)

    def _on_methods(self, found: MethodList) -> None:
        self._panel.set_methods(found.methods)

    def _on_models(self, found: ModelList) -> None:
        self._models = found
        self._offer()

    def _on_collections(self, found: CollectionList) -> None:
        self._collections = found
        self._offer()

    def _offer(self) -> None:
        models = tuple(one for one in self._models.models if one.kind != "embedder" and not one.missing)
        self._panel.set_choices(models, self._collections.collections, self._models.default)
