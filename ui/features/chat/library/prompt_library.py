"""The library of prompts, opened from the recipe: what is used of it, and what is saved into it."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from PySide6.QtCore import QObject, QPoint
from PySide6.QtWidgets import QMenu, QWidget

from ui.bridge import Bridge
from ui.components.recipe.recipe_panel import RecipePanel
from ui.features import ShellActions
from ui.features.chat import texts
from ui.features.chat.library.library_dialog import LibraryDialog
from ui.features.chat.library.save_dialog import SaveDialog
from workbench.records.prompts import PromptRecord, PromptVersion, source_of, with_version
from workbench.records.recipes import PromptKind, Recipe
from workbench.subjects.prompts.calls import (
    SavedPrompt,
)


class PromptLibrary(QObject):
    """Opens the dialogs from the recipe's panel; ``put`` asks with a recipe from now on."""

    def __init__(
        self, bridge: Bridge, shell: ShellActions, panel: RecipePanel, put: Callable[[Recipe], None], page: QWidget
    ) -> None:
        super().__init__(page)
        self._bridge, self._shell, self._panel, self._put, self._page = bridge, shell, panel, put, page
        panel.prompt_form.library_button.clicked.connect(self.open)
        panel.prompt_form.save_button.clicked.connect(self._on_save)

    def open(self) -> LibraryDialog:
        dialog = LibraryDialog(self._bridge, self._page)
        dialog.used.connect(self._on_used)
        dialog.open()
        return dialog

    def save(self, kind: PromptKind) -> SaveDialog:
        dialog = SaveDialog(self._bridge, self._panel.recipe.prompting, kind, self._page)
        dialog.saved.connect(self._on_saved)
        dialog.open()
        return dialog

    def make_menu(self) -> QMenu:
        menu = QMenu(self._page)
        menu.addAction(texts.SAVE_PROMPT_MENU, lambda: self.save("prompt"))
        menu.addAction(texts.SAVE_PRESET_MENU, lambda: self.save("reasoning"))
        return menu

    def _on_save(self) -> None:
        button = self._panel.prompt_form.save_button
        self.make_menu().popup(button.mapToGlobal(QPoint(0, button.height())))

    def _on_used(self, record: PromptRecord, version: PromptVersion) -> None:
        recipe = self._panel.recipe
        part = with_version(recipe.prompting, version.content, source_of(record, version))
        self._put(msgspec.structs.replace(recipe, prompting=part))

    def _on_saved(self, saved: SavedPrompt) -> None:
        record, version = saved.prompt, saved.prompt.head
        self._on_used(record, version)
        said = texts.VERSION_SAVED if saved.added else texts.VERSION_KNOWN
        self._shell.show_message(said.format(name=record.name, number=version.number), "success")
