"""The recipes of an evaluation that is being set up: each with its name, model and instructions, and the whole of it
in a dialog."""

from __future__ import annotations

import itertools
import re
from collections.abc import Container, Sequence
from pathlib import Path

import msgspec
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFileDialog, QLineEdit, QMenu, QPlainTextEdit, QWidget

from ui.bridge import Bridge
from ui.components.basics import Card, InlineMessage, PlainButton, QuietButton, Text, without_keys
from ui.components.choice_box import ChoiceBox
from ui.components.layout import column_of, row_of
from ui.components.recipe import texts as recipe_texts
from ui.components.recipe.recipe_editor import RecipeEditor
from ui.components.recipe.saved_recipes import saved_recipes
from ui.components.wording import in_words
from ui.features.evaluation import texts
from ui.theme import tokens
from workbench.base.errors import UserError
from workbench.records.models import ModelRecord
from workbench.records.prompts import PromptRecord, find_version, source_of, with_true_sources, with_version
from workbench.records.recipes import DecodingPart, ModelPart, Recipe, load_recipe
from workbench.records.recipes.parts import DEFAULT_TECHNIQUE
from workbench.subjects.chats.calls import Chat, ChatRecord, GetChat
from workbench.subjects.prompts.calls import GetPrompt, ListPrompts, PromptDetails, PromptList

MOST_CHATS = MOST_VERSIONS = 12


class RecipeList(QWidget):
    """``changed`` is sent when a recipe came, went or has other values."""

    changed = Signal()

    def __init__(self, bridge: Bridge) -> None:
        super().__init__()
        self._bridge = bridge
        self._prompts: tuple[PromptRecord, ...] = ()
        self._default = ""
        self._models: tuple[str, ...] = ()
        self._chats: tuple[ChatRecord, ...] = ()
        self.rows: list[RecipeRow] = []
        self._column = column_of(None, gap=tokens.SPACE_2)
        self.add_button = PlainButton(texts.ADD_RECIPE, "plus", small=True)
        self._menu = QMenu(self.add_button)
        self._menu.aboutToShow.connect(self._fill_menu)
        self.add_button.setMenu(self._menu)
        self.message = InlineMessage()
        column_of(self, self._column, row_of(None, self.add_button, None), self.message, gap=tokens.SPACE_2)
        bridge.home.listing(ListPrompts()).follow(self._on_prompts)

    @property
    def recipes(self) -> tuple[Recipe, ...]:
        return tuple(row.recipe for row in self.rows)

    def set_choices(self, models: Sequence[ModelRecord], chats: Sequence[ChatRecord], default: str) -> None:
        """Take the models and chats that recipes are made of. The first time, one of the default model."""
        self._models = tuple(model.name for model in models if model.kind == "chat" and not model.missing)
        self._chats = tuple(chat for chat in chats if chat.head is not None and not chat.unreadable)[:MOST_CHATS]
        for row in self.rows:
            row.model.set_choices([(name, name) for name in self._models])
        self._default = default or next(iter(self._models), "")
        if not self.rows and self._default:
            self.add(of_model(self._default))

    def add(self, recipe: Recipe) -> RecipeRow:
        row = RecipeRow(recipe, self._models)
        row.changed.connect(self.changed)
        row.remove_button.clicked.connect(lambda: self._on_remove(row))
        row.copy_button.clicked.connect(lambda: self._on_copy(row))
        row.edit_button.clicked.connect(lambda: self.begin_edit(row))
        self.rows.append(row)
        self._column.addWidget(row)
        self.changed.emit()
        return row

    def begin_edit(self, row: RecipeRow) -> RecipeEditor:
        """Edit the whole recipe of a row; several values put further rows below it."""
        dialog = RecipeEditor(self._bridge, row.recipe, self)
        dialog.edited.connect(lambda recipes: self._on_edited(row, recipes))
        dialog.open()
        return dialog

    def _on_edited(self, row: RecipeRow, recipes: Sequence[Recipe]) -> None:
        row.put(recipes[0])
        for recipe in recipes[1:]:
            self.add(recipe)

    def add_file(self, path: str) -> None:
        try:
            recipe = load_recipe(Path(path))
        except UserError as error:
            self.message.show_message(in_words(error), "danger")
            return
        self.add(msgspec.structs.replace(recipe, name=recipe.name or Path(path).stem))

    def add_prompt(self, name: str, version: str = "") -> None:
        """A recipe of the default model with a version of the library, the latest one unless it is named."""

        def add(found: PromptDetails) -> None:
            try:
                chosen = find_version(found.prompt.name, found.versions, version)
                if chosen.unreadable:
                    raise UserError(chosen.unreadable)
            except UserError as error:
                self._on_refused(error)
                return
            recipe = of_model(self._default)
            name = texts.OF_VERSION.format(name=found.prompt.name, number=chosen.number)
            prompting = with_version(recipe.prompting, chosen.content, source_of(found.prompt, chosen))
            self.add(msgspec.structs.replace(recipe, name=name, prompting=prompting))

        self._bridge.call(GetPrompt(prompt=name), add, self._on_refused, self)

    def _on_prompts(self, found: PromptList) -> None:
        self._prompts = found.prompts

    def _on_refused(self, error: Exception) -> None:
        self.message.show_message(in_words(error), "danger")

    def _fill_menu(self) -> None:
        self._menu.clear()
        for name in self._models:
            action = self._menu.addAction(f"{texts.FROM_MODEL}: {name}")
            action.triggered.connect(lambda _=False, name=name: self.add(of_model(name)))
        chats = self._menu.addMenu(texts.FROM_CHAT)
        chats.setEnabled(bool(self._chats))
        for chat in self._chats:
            chats.addAction(chat.title[:60]).triggered.connect(lambda _=False, chat=chat: self._add_chat(chat))
        self._fill_prompts(self._menu.addMenu(texts.FROM_LIBRARY))
        saved = self._menu.addMenu(texts.FROM_SAVED)
        paths = saved_recipes(self._bridge)
        saved.setEnabled(bool(paths))
        for path in paths:
            action = saved.addAction(without_keys(path.stem))
            action.triggered.connect(lambda _=False, path=path: self.add_file(str(path)))
        self._menu.addAction(texts.FROM_RECIPE_FILE).triggered.connect(self._choose_file)

    def _fill_prompts(self, menu: QMenu) -> None:
        """The entries of the library; those of several versions are menus of these."""
        readable = [one for one in self._prompts if not one.unreadable]
        menu.setEnabled(bool(readable))
        for one in readable:
            if one.head.number == 1:
                menu.addAction(one.name).triggered.connect(lambda _=False, name=one.name: self.add_prompt(name))
                continue
            versions = menu.addMenu(one.name)
            for number in range(one.head.number, max(0, one.head.number - MOST_VERSIONS), -1):
                latest = number == one.head.number
                text = (texts.LATEST_VERSION if latest else texts.VERSION).format(number=number)
                action = versions.addAction(text)
                action.triggered.connect(
                    lambda _=False, name=one.name, number=str(number): self.add_prompt(name, number)
                )

    def _add_chat(self, chat: ChatRecord) -> None:
        def add(found: Chat) -> None:
            if found.chat.recipe is not None:
                self.add(msgspec.structs.replace(found.chat.recipe, name=found.chat.title[:40]))

        self._bridge.call(GetChat(chat=chat.id), add, self._on_refused, self)

    def _choose_file(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, texts.FROM_RECIPE_FILE, "", texts.RECIPE_FILES)
        if path:
            self.add_file(path)

    def _on_copy(self, row: RecipeRow) -> None:
        recipe = row.recipe
        name = copy_name(recipe.name, {one.name for one in self.recipes})
        self.add(msgspec.structs.replace(recipe, name=name)).name.setFocus()

    def _on_remove(self, row: RecipeRow) -> None:
        self.rows.remove(row)
        row.hide()
        row.deleteLater()
        self.changed.emit()


def copy_name(name: str, taken: Container[str]) -> str:
    """The name of a copy: ``Brief 2``, and ``Brief 3`` where that is taken or is what is copied."""
    stem = re.sub(r" \d+$", "", name)
    return next(
        made for number in itertools.count(2) if (made := texts.COPY_OF.format(name=stem, number=number)) not in taken
    )


class RecipeRow(Card):
    changed = Signal()

    def __init__(self, recipe: Recipe, models: Sequence[str]) -> None:
        super().__init__(margin=tokens.SPACE_3)
        self._recipe = recipe
        self.name = QLineEdit(recipe.name, accessibleName=texts.RECIPE_NAME)
        self.model = ChoiceBox(texts.MODEL, [(name, name) for name in models], 18)
        self.model.show_value(recipe.model.name or next(iter(models), ""))
        self.instructions = QPlainTextEdit(recipe.prompting.instructions, accessibleName=texts.INSTRUCTIONS)
        self.instructions.setPlaceholderText(texts.NO_INSTRUCTIONS)
        self.instructions.setTabChangesFocus(True)
        self.instructions.setFixedHeight(58)
        self.edit_button = PlainButton(recipe_texts.EDIT_RECIPE, "edit", small=True)
        self.copy_button = QuietButton(texts.COPY, "copy", small=True)
        self.remove_button = QuietButton(texts.REMOVE, "trash", small=True)
        self.copy_button.setAccessibleName(texts.COPY_RECIPE.format(name=recipe.name))
        self.remove_button.setAccessibleName(texts.REMOVE_RECIPE.format(name=recipe.name))
        self.rest = Text("", "small")
        self.body.setSpacing(tokens.SPACE_2)
        head = row_of(None, gap=tokens.SPACE_3)
        for title, field in ((texts.RECIPE_NAME, self.name), (texts.MODEL, self.model)):
            label = Text(title, "small")
            label.setBuddy(field)
            head.addLayout(column_of(None, label, field, gap=tokens.SPACE_1), 1)
        self.body.addLayout(head)
        label = Text(texts.INSTRUCTIONS, "small")
        label.setBuddy(self.instructions)
        self.body.addLayout(column_of(None, label, self.instructions, gap=tokens.SPACE_1))
        self.body.addWidget(self.rest)
        buttons = (self.edit_button, self.copy_button, self.remove_button)
        self.body.addLayout(row_of(None, *buttons, None, gap=tokens.SPACE_2))
        self.name.textChanged.connect(lambda: self.changed.emit())
        self.model.chosen.connect(lambda: self.changed.emit())
        self.instructions.textChanged.connect(self.changed)
        self.changed.connect(self._show_rest)
        self._show_rest()

    def put(self, recipe: Recipe) -> None:
        """Show another recipe in place of this one."""
        self._recipe = recipe
        self.name.setText(recipe.name)
        self.name.setCursorPosition(0)
        self.model.show_value(recipe.model.name)
        self.instructions.setPlainText(recipe.prompting.instructions)
        self.changed.emit()

    def _show_rest(self) -> None:
        self.rest.setText(describe_recipe(self.recipe))

    @property
    def recipe(self) -> Recipe:
        """As it is edited; adapters stay with the model that they are for."""
        before = self._recipe
        model = before.model
        if self.model.value != model.name:
            model = ModelPart(name=self.model.value, context_tokens=model.context_tokens)
        prompting = msgspec.structs.replace(before.prompting, instructions=self.instructions.toPlainText())
        return msgspec.structs.replace(before, name=self.name.text().strip(), model=model, prompting=prompting)


def of_model(name: str) -> Recipe:
    """A recipe without chance: its answers can be compared and made again."""
    return Recipe(name=name, model=ModelPart(name=name), decoding=DecodingPart(temperature=0.0, max_tokens=256))


def describe_recipe(recipe: Recipe) -> str:
    """The parts of a recipe that the row has no field for."""
    sources = with_true_sources(recipe.prompting).sources
    parts = [texts.SOURCE_OF.format(name=one.name, number=one.version) for one in sources]
    if recipe.prompting.technique != DEFAULT_TECHNIQUE:
        parts.append(recipe.prompting.technique.replace("-", " "))
    if recipe.prompting.examples:
        parts.append(texts.EXAMPLES_OF.format(name=recipe.prompting.examples))
    parts += [texts.DOCUMENTS_OF.format(name=recipe.retrieval.collection)] if recipe.retrieval is not None else []
    parts += [texts.ADAPTER_OF.format(name=use.name) for use in recipe.model.adapters]
    temperature, most = recipe.decoding.temperature, recipe.decoding.max_tokens
    parts.append(texts.TEMPERATURE_OF.format(temperature=temperature) if temperature else texts.WITHOUT_CHANCE)
    parts.append(texts.AT_MOST.format(tokens=most, words=round(0.75 * most)))
    return " · ".join(parts)
