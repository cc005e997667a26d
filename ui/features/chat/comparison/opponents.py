"""What an answer can be compared with: the base model, the same recipe sampled again, another model, a saved recipe."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFileDialog, QMenu, QWidget

from ui.bridge import Bridge
from ui.components.basics import without_keys
from ui.components.recipe.recipe_editor import RecipeEditor
from ui.components.recipe.recipes import unresolved, with_model, without_adapters
from ui.components.recipe.saved_recipes import recipe_folder, saved_recipes
from ui.components.wording import in_words
from ui.features import ShellActions
from ui.features.chat import compare_texts as texts
from workbench.base.errors import UserError
from workbench.records.methods import Methods
from workbench.records.recipes import Recipe, draws, load_recipe
from workbench.subjects.models.calls import ListModels, ModelList

MOST = 30
"""Models and saved recipes that are offered by name."""


@dataclass(frozen=True)
class Opponent:
    """The other side of a comparison. ``recipe`` makes it of the recipe that it is compared with."""

    name: str
    title: str
    recipe: Callable[[Recipe], Recipe]
    again: bool = False
    """The same recipe; what draws nothing has to be varied, or both answers would be the same."""


BASE = Opponent("base", texts.WITH_BASE, lambda recipe: without_adapters(unresolved(recipe)))
AGAIN = Opponent("again", texts.WITH_AGAIN, lambda recipe: unresolved(recipe), again=True)


def needs_variation(opponent: Opponent, recipe: Recipe, methods: Methods[Any]) -> bool:
    """Whether the other answer has to be drawn more freely than the recipe says, to be another one at all."""
    return opponent.again and not draws(recipe.decoding, methods.row(recipe.decoding.strategy, "decoding"))


class Opponents(QObject):
    """``chosen`` is what each next question is compared with; None: with nothing."""

    changed = Signal()

    def __init__(self, bridge: Bridge, shell: ShellActions, page: QWidget) -> None:
        super().__init__(page)
        self._bridge, self._shell, self._page = bridge, shell, page
        self._models: tuple[str, ...] = ()
        self.chosen: Opponent | None = None
        bridge.home.listing(ListModels()).follow(self._on_models)

    def choose(self, opponent: Opponent | None) -> None:
        """Compare the next questions with this."""
        if opponent != self.chosen:
            self.chosen = opponent
            self.changed.emit()

    def make_menu(
        self, recipe: Recipe, take: Callable[[Opponent], None], current: Recipe | None = None, off: bool = False
    ) -> QMenu:
        """What ``recipe`` can be compared with. ``current``: another recipe, of the panel at the right; ``off``: also
        with nothing any more."""
        menu = QMenu(self._page)
        if off and self.chosen is not None:
            menu.addAction(texts.WITH_NOTHING).triggered.connect(lambda: self.choose(None))
            menu.addSeparator()
        if any(use.scale for use in recipe.model.adapters):
            self._add(menu, BASE, take)
        if current is not None:
            self._add(menu, Opponent("panel", texts.WITH_PANEL, lambda _: current), take)
        self._add(menu, AGAIN, take)
        models = [name for name in self._models if name != recipe.model.name][:MOST]
        if models:
            inner = menu.addMenu(texts.WITH_MODEL)
            for name in models:
                self._add(inner, _of_model(name), take)
        saved = saved_recipes(self._bridge)[:MOST]
        if saved:
            inner = menu.addMenu(texts.WITH_SAVED)
            for path in saved:
                action = inner.addAction(without_keys(path.stem))
                action.triggered.connect(lambda _=False, path=path: self._take_file(path, take))
        menu.addAction(texts.WITH_EDITED).triggered.connect(lambda: self.begin_edit(recipe, take))
        menu.addAction(texts.WITH_FILE).triggered.connect(lambda: self._choose_file(take))
        return menu

    def begin_edit(self, recipe: Recipe, take: Callable[[Opponent], None]) -> RecipeEditor:
        """Compare with a recipe that is edited from the one at hand."""
        dialog = RecipeEditor(self._bridge, unresolved(recipe), self._page, several=False)

        def chosen(recipes: Sequence[Recipe]) -> None:
            made = recipes[0]
            take(Opponent("edited", made.name or texts.EDITED, lambda _: made))

        dialog.edited.connect(chosen)
        dialog.open()
        return dialog

    def of_file(self, path: Path) -> Opponent | None:
        """The recipe of a file; one that cannot be read is reported."""
        try:
            recipe = load_recipe(path)
        except UserError as error:
            self._shell.show_message(in_words(error), "danger")
            return None
        name = recipe.name or path.stem

        def with_a_model(other: Recipe) -> Recipe:
            return recipe if recipe.model.name else with_model(recipe, other.model.name)

        return Opponent(f"file:{path}", name, with_a_model)

    def _add(self, menu: QMenu, opponent: Opponent, take: Callable[[Opponent], None]) -> None:
        action = menu.addAction(without_keys(opponent.title))
        action.setCheckable(self.chosen is not None and self.chosen.name == opponent.name)
        action.setChecked(action.isCheckable())
        action.triggered.connect(lambda: take(opponent))

    def _take_file(self, path: Path, take: Callable[[Opponent], None]) -> None:
        found = self.of_file(path)
        if found is not None:
            take(found)

    def _choose_file(self, take: Callable[[Opponent], None]) -> None:
        folder = str(recipe_folder(self._bridge) or Path.home())
        path, _ = QFileDialog.getOpenFileName(self._page, texts.OPEN_RECIPE, folder, texts.FILTER_RECIPES)
        if path:
            self._take_file(Path(path), take)

    def _on_models(self, found: ModelList) -> None:
        self._models = tuple(model.name for model in found.models if model.kind == "chat" and not model.missing)


def _of_model(name: str) -> Opponent:
    def recipe(other: Recipe) -> Recipe:
        made = with_model(unresolved(other), name)
        return msgspec.structs.replace(made, model=msgspec.structs.replace(made.model, adapters=()))

    return Opponent(f"model:{name}", name, recipe)
