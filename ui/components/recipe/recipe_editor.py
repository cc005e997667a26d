"""The dialog that edits a whole recipe, with the form of the chat's panel; a field can take several values at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLineEdit, QWidget

from ui.bridge import Bridge
from ui.components.basics import IconButton, InlineMessage, LinkButton, Text
from ui.components.choice_box import ChoiceBox
from ui.components.dialog import Dialog, LabelledField
from ui.components.layout import column_of, row_of
from ui.components.recipe import texts
from ui.components.recipe.file_choice import FileChoice
from ui.components.recipe.recipe_home import RecipeHome
from ui.components.recipe.recipe_panel import RecipePanel
from ui.components.recipe.recipes import collections_of
from ui.components.recipe.saved_recipes import recipe_folder
from ui.components.wording import describe_count, in_words, shown_fields_of
from ui.theme import tokens
from workbench.base.errors import UserError
from workbench.base.fields import Field
from workbench.base.naming import checked_name, free_name
from workbench.records.methods import Methods
from workbench.records.recipes import PARTS, Recipe, save_recipe, without_attachments
from workbench.records.recipes.sweep import sweep

_SWEPT = ("model", "prompting", "decoding", "retrieval", "agent")
_NAME_HEIGHT = 72
_FORMS = ("int", "float", "bool", "choice", "str")


class RecipeEditor(Dialog):
    """``edited`` sends the recipes: one, or with ``several`` one for each combination of values."""

    edited = Signal(object)

    def __init__(self, bridge: Bridge, recipe: Recipe, parent: QWidget | None = None, several: bool = True) -> None:
        super().__init__(texts.EDITOR_TITLE, texts.EDITOR_HELP if several else "", texts.EDITOR_GO, parent, 620)
        self._bridge = bridge
        self.name = QLineEdit(recipe.name, accessibleName=texts.EDITOR_NAME, textEdited=lambda _: self._show_state())
        self.panel = RecipePanel()
        self.panel.stand_alone()
        self.panel.files_wanted.connect(self._on_files)
        self.panel.save_button.clicked.connect(self._on_save)
        self.panel.set_recipe(recipe)
        self.panel.recipe_shown.connect(lambda _: self._show_state())
        self.rows: list[ValuesRow] = []
        self._rows = column_of(None, gap=tokens.SPACE_2)
        self.more_button = LinkButton(texts.SEVERAL_VALUES, toolTip=texts.SEVERAL_HELP, clicked=self.add_values)
        self.more_button.setVisible(several)
        self.count = Text("", "small")
        self.message = InlineMessage(visible=False)
        self.name.setCursorPosition(0)
        self.inside.addWidget(LabelledField(texts.EDITOR_NAME, "", self.name))
        self._area.setFixedHeight(_NAME_HEIGHT)
        self._column.insertWidget(self._column.indexOf(self._area) + 1, self.panel, 1)
        self.below.addLayout(self._rows)
        self.below.addLayout(row_of(None, self.more_button, (self.count, 1), gap=tokens.SPACE_3))
        self.below.addWidget(self.message)
        self.go.clicked.connect(self._on_go)
        self.resize(680, 720)
        self._home = RecipeHome(bridge, self.panel)
        self._show_state()

    @property
    def recipes(self) -> tuple[Recipe, ...]:
        """The recipes that the dialog makes. Raises UserError for values that are none."""
        recipe = msgspec.structs.replace(self.panel.recipe, name=self.name.text().strip())
        return sweep(recipe, [row.assignment for row in self.rows], self.panel.methods)

    def add_values(self) -> ValuesRow:
        """Another field with several values."""
        row = ValuesRow(fields_to_sweep(self.panel.recipe, self.panel.methods))
        row.changed.connect(self._show_state)
        row.remove_button.clicked.connect(lambda: self._on_remove(row))
        self.rows.append(row)
        self._rows.addWidget(row)
        row.field.setFocus()
        self._show_state()
        return row

    def _on_remove(self, row: ValuesRow) -> None:
        self.rows.remove(row)
        row.hide()
        row.deleteLater()
        self._show_state()

    def _show_state(self) -> None:
        problem = ""
        try:
            recipes = self.recipes
        except UserError as error:
            recipes, problem = (), in_words(error)
        self.count.setText(problem or (texts.SWEPT.format(count=describe_count(len(recipes), "recipe"))))
        self.count.setVisible(bool(self.rows))
        self.go.setEnabled(not problem)
        self.go.setToolTip(problem)

    def _on_files(self) -> None:
        recipe = self.panel.recipe
        files = recipe.retrieval.files if recipe.retrieval is not None else ()
        dialog = FileChoice(self._bridge, collections_of(recipe), files, self)
        dialog.chosen.connect(self.panel.put_files)
        dialog.open()

    def _on_save(self) -> None:
        """Save the recipe in the home, under its name."""
        folder = recipe_folder(self._bridge)
        if folder is None:
            return
        try:
            name = checked_name(self.name.text() or texts.EDITOR_TITLE, texts.A_RECIPE, without='/\\:*?"<>|')
            taken = {path.stem for path in folder.glob("*.toml")}
            name = free_name(name, taken)
            folder.mkdir(parents=True, exist_ok=True)
            recipe = msgspec.structs.replace(without_attachments(self.panel.recipe), name=name)
            save_recipe(folder / f"{name}.toml", recipe)
        except (UserError, OSError) as error:
            words = in_words(error) if isinstance(error, UserError) else str(error.strerror or error)
            self.message.show_message(words, "danger")
        else:
            self.message.show_message(texts.EDITOR_SAVED.format(name=name), "success")

    def _on_go(self) -> None:
        self.edited.emit(self.recipes)
        self.accept()


class ValuesRow(QWidget):
    """A field with the values that it takes one after the other."""

    changed = Signal()

    def __init__(self, fields: Sequence[tuple[str, str, Field]]) -> None:
        super().__init__()
        self._fields = {name: field for _, name, field in fields}
        self.field = ChoiceBox(texts.SWEPT_FIELD, [(title, name) for title, name, _ in fields], 26)
        self.field.chosen.connect(lambda _: self._on_field())
        self.values = QLineEdit(accessibleName=texts.SWEPT_VALUES, textChanged=lambda _: self.changed.emit())
        self.remove_button = IconButton("close", texts.REMOVE_VALUES)
        row = row_of(None, self.field, (self.values, 1), self.remove_button, gap=tokens.SPACE_2)
        self.setLayout(row)
        self._on_field()

    @property
    def assignment(self) -> str:
        return f"{self.field.value}={self.values.text()}"

    def _on_field(self) -> None:
        field = self._fields[self.field.value]
        known = field.choices or (("true", "false") if field.kind == "bool" else ())
        self.values.setPlaceholderText(", ".join(known[:3]) or texts.VALUES_EXAMPLE)
        self.changed.emit()


def fields_to_sweep(recipe: Recipe, methods: Methods[Any]) -> list[tuple[str, str, Field]]:
    """The fields of a recipe that can take several values: what a person reads, ``part.field``, and the field. Those of
    decoding come first."""
    found: list[tuple[str, str, Field]] = []
    for part in sorted(_SWEPT, key=lambda one: one != "decoding"):
        if getattr(recipe, part) is None and part != "retrieval":
            continue
        for field in shown_fields_of(PARTS[part]):
            if field.kind in _FORMS and not field.multiline and field.title:
                found.append((f"{field.title} ({texts.PART_NAMES[part]})", f"{part}.{field.name}", field))
    technique = methods.row(recipe.prompting.technique, "technique")
    found += [(f"{field.title} ({technique.title})", f"technique.{field.name}", field) for field in technique.fields]
    first = [one for one in found if one[1] == "decoding.temperature"]
    return [*first, *(one for one in found if one not in first)]
