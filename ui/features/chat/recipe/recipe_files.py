"""Recipes as files: the one that is on is saved, one is opened, and that of an answer is taken up again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
from PySide6.QtCore import QObject, QPoint
from PySide6.QtWidgets import QFileDialog, QMenu, QWidget

from ui.bridge import Bridge
from ui.components.recipe.recipe_panel import RecipePanel
from ui.components.recipe.recipes import unresolved
from ui.components.wording import in_words
from ui.features import ShellActions
from ui.features.chat import texts
from ui.features.chat.session import ChatSession
from ui.theme.theme import current_theme
from workbench.base.errors import UserError
from workbench.records.recipes import Recipe, load_recipe, save_recipe, without_attachments


class RecipeFiles(QObject):
    """``put`` asks with a recipe from now on."""

    def __init__(
        self,
        bridge: Bridge,
        shell: ShellActions,
        session: ChatSession,
        panel: RecipePanel,
        put: Callable[[Recipe], None],
        page: QWidget,
    ) -> None:
        super().__init__(page)
        self._bridge, self._shell, self._session, self._panel = bridge, shell, session, panel
        self._put, self._page = put, page
        panel.menu_button.clicked.connect(self._on_menu)
        panel.save_button.clicked.connect(self._on_save)

    def make_menu(self) -> QMenu:
        menu, icon = QMenu(self._page), current_theme().icon
        menu.addAction(icon("download"), texts.SAVE_RECIPE_MENU, self._on_save)
        menu.addAction(icon("folder"), texts.OPEN_RECIPE_MENU, self._on_open)
        take = menu.addAction(icon("chat"), texts.TAKE_RECIPE_MENU, self.take_last)
        take.setEnabled(self._last() is not None)
        return menu

    def save_to(self, path: Path) -> None:
        """Write the recipe that is on, without the files attached to the chat, and say so."""
        try:
            save_recipe(path, msgspec.structs.replace(without_attachments(self._panel.recipe), name=path.stem))
        except OSError as error:
            self._shell.show_message(texts.NOT_WRITTEN.format(path=path, strerror=error.strerror), "danger")
        else:
            self._shell.show_message(texts.RECIPE_SAVED.format(path=path), "success")

    def open_from(self, path: Path) -> None:
        """Ask with the recipe of a file; one that cannot be read is told."""
        try:
            self._put(load_recipe(path))
        except UserError as error:
            self._shell.show_message(in_words(error), "danger")

    def take_last(self) -> None:
        """Ask with the recipe that made the last answer, but for its seed and what was looked up for it."""
        if (made := self._last()) is not None:
            self._put(unresolved(made))
            self._shell.show_message(texts.RECIPE_TAKEN, "info")

    def _last(self) -> Recipe | None:
        path = self._session.chat.branches.path()
        return next((one.recipe for one in reversed(path) if one.role == "assistant" and one.recipe is not None), None)

    @property
    def _folder(self) -> Path:
        status = self._bridge.status
        return Path(status.home) / "recipes" if status is not None else Path.home()

    def _on_menu(self) -> None:
        button = self._panel.menu_button
        self.make_menu().popup(button.mapToGlobal(QPoint(0, button.height())))

    def _on_save(self) -> None:
        start = str(self._folder / texts.RECIPE_FILE)
        path, _ = QFileDialog.getSaveFileName(self._page, texts.SAVE_RECIPE, start, texts.FILTER_RECIPES)
        if path:
            self.save_to(Path(path))

    def _on_open(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self._page, texts.OPEN_RECIPE, str(self._folder), texts.FILTER_RECIPES)
        if path:
            self.open_from(Path(path))
