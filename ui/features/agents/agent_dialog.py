"""The dialog in which an agent is made or changed: its name, model, instructions, documents, and how it works."""

from __future__ import annotations

from pathlib import Path

import msgspec
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLineEdit, QPlainTextEdit, QWidget

from ui.bridge import Bridge
from ui.components.basics import Text
from ui.components.choice_box import ChoiceBox
from ui.components.dialog import Dialog, LabelledField
from ui.components.known_tools import KnownTools
from ui.components.layout import column_of
from ui.components.recipe.agent_form import AgentForm
from ui.components.recipe.saved_recipes import recipe_folder, saved_recipes
from ui.components.wording import describe_parameters, in_words
from ui.features.agents import texts
from ui.theme import tokens
from workbench.base.errors import UserError
from workbench.base.naming import checked_name
from workbench.records.methods import Methods
from workbench.records.models import ModelRecord
from workbench.records.recipes import AgentPart, Recipe, RetrievalPart, save_recipe
from workbench.subjects.documents.calls import CollectionList, ListCollections
from workbench.subjects.machine.calls import ListMethods, MethodList
from workbench.subjects.models.calls import ListModels, ModelList

_USES_TOOLS = 3_000_000_000
"""Parameters from which on models mostly call tools as they should."""
_FORBIDDEN = '/\\:*?"<>|'


class AgentDialog(Dialog):
    """``saved`` sends the file. What a recipe has beside the fields here, such as its decoding, stays."""

    saved = Signal(object)

    def __init__(self, bridge: Bridge, recipe: Recipe | None, path: Path | None, parent: QWidget) -> None:
        title = texts.NEW_TITLE if path is None else texts.EDIT_TITLE.format(name=path.stem)
        super().__init__(title, "", texts.SAVE_AGENT, parent, 560)
        self._bridge, self._path = bridge, path
        self._models: dict[str, ModelRecord] = {}
        self._default = ""
        self._recipe = recipe if recipe is not None else Recipe(agent=AgentPart())
        self.name = QLineEdit(path.stem if path is not None else "", placeholderText=texts.AGENT_NAME_EXAMPLE)
        self.model = ChoiceBox(texts.AGENT_MODEL, [(texts.DEFAULT_MODEL, "")])
        self.small = Text("", "attention", visible=False)
        self.instructions = QPlainTextEdit(self._recipe.prompting.instructions)
        self.instructions.setTabChangesFocus(True)
        self.instructions.setFixedHeight(84)
        self.documents = ChoiceBox(texts.AGENT_DOCUMENTS, [(texts.NO_DOCUMENTS, "")])
        self.form = AgentForm()
        self.form.switch.hide()
        self.form.tools_link.hide()
        self.problem = Text("", "error", visible=False)
        self.inside.addWidget(LabelledField(texts.AGENT_NAME, texts.AGENT_NAME_HELP, self.name))
        chosen = column_of(None, self.model, self.small, gap=tokens.SPACE_1)
        self.inside.addWidget(LabelledField(texts.AGENT_MODEL, texts.AGENT_MODEL_HELP, chosen))
        self.inside.addWidget(LabelledField(texts.AGENT_TASKS, texts.AGENT_TASKS_HELP, self.instructions))
        self.inside.addWidget(LabelledField(texts.AGENT_DOCUMENTS, texts.AGENT_DOCUMENTS_HELP, self.documents))
        self.inside.addWidget(self.form)
        self.below.addWidget(self.problem)
        self.form.set_part(self._recipe.agent)
        self._tools = KnownTools(bridge, self)
        self._tools.changed.connect(lambda: self.form.set_tools(self._tools.tools or ()))
        self.form.changed.connect(lambda part: self._follow_tools())
        self.model.chosen.connect(lambda name: self._warn_of_small())
        self.documents.chosen.connect(lambda name: self._follow_tools())
        self.name.textChanged.connect(lambda text: self._show_state())
        self.go.clicked.connect(self._on_save)
        bridge.home.listing(ListMethods()).follow(self._on_methods)
        bridge.home.listing(ListModels()).follow(self._on_models)
        bridge.home.listing(ListCollections()).follow(self._on_collections)
        self.form.set_recipes([path.stem for path in saved_recipes(bridge)])
        self._follow_tools()
        self._show_state()
        self.resize(620, 720)

    @property
    def recipe(self) -> Recipe:
        """The recipe as it is written now."""
        replace = msgspec.structs.replace
        made = replace(
            self._recipe,
            name=self.name.text().strip(),
            agent=self.form.part or AgentPart(),
            model=replace(self._recipe.model, name=self.model.value),
            prompting=replace(self._recipe.prompting, instructions=self.instructions.toPlainText().strip()),
        )
        return replace(made, retrieval=self._retrieval())

    def _retrieval(self) -> RetrievalPart | None:
        """How the chosen collection is searched: as before where it is the one of before."""
        name, before = self.documents.value, self._recipe.retrieval
        if before is not None and before.collection == name:
            return before
        return RetrievalPart(collection=name) if name else None

    def _on_methods(self, found: MethodList) -> None:
        self.form.set_methods(Methods(found.methods))

    def _on_models(self, found: ModelList) -> None:
        self._models = {one.name: one for one in found.models if one.kind == "chat" and not one.missing}
        self._default = found.default or next(iter(self._models), "")
        before = self.model.value or self._recipe.model.name
        default = texts.NAMED_DEFAULT_MODEL.format(name=self._default) if self._default else texts.DEFAULT_MODEL
        self.model.set_choices([(default, ""), *((name, name) for name in self._models)])
        self.model.show_value(before)
        self._warn_of_small()

    def _warn_of_small(self) -> None:
        """Say so where the chosen model is smaller than those that use tools well."""
        model = self._models.get(self.model.value or self._default)
        small = model is not None and 0 < model.parameters < _USES_TOOLS
        if model is not None and small:
            size = describe_parameters(model.parameters)
            self.small.setText(texts.SMALL_MODEL.format(name=model.name, parameters=size))
        self.small.setVisible(small)

    def _on_collections(self, found: CollectionList) -> None:
        part = self._recipe.retrieval
        before = self.documents.value or (part.collection if part is not None else "")
        names = [collection.name for collection in found.collections]
        self.documents.set_choices([(texts.NO_DOCUMENTS, ""), *((name, name) for name in names)])
        self.documents.show_value(before)
        self._follow_tools()

    def _follow_tools(self) -> None:
        """Read the tools as they are for the agent that is written: what they lack depends on it."""
        self._tools.follow(self.recipe)

    def _problem_of_name(self) -> str:
        name = self.name.text().strip()
        if not name:
            return texts.NAME_MISSING
        try:
            name = checked_name(name, texts.AN_AGENT, without=_FORBIDDEN)
        except UserError as error:
            return in_words(error)
        folder = recipe_folder(self._bridge)
        file = folder / f"{name}.toml" if folder is not None else None
        taken = file is not None and file != self._path and file.exists()
        return texts.NAME_TAKEN.format(name=name) if taken else ""

    def _show_state(self) -> None:
        problem = self._problem_of_name()
        self.go.setEnabled(not problem)
        self.say_missing(problem if not self.name.text().strip() else "")
        self.go.setToolTip(problem)
        self.problem.setText(problem)
        self.problem.setVisible(bool(problem and self.name.text().strip()))

    def _on_save(self) -> None:
        folder = recipe_folder(self._bridge)
        if folder is None:
            return
        path = folder / f"{self.recipe.name}.toml"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            save_recipe(path, self.recipe)
            if self._path is not None and self._path != path:
                self._path.unlink(missing_ok=True)
        except OSError as error:
            self.problem.setText(texts.NOT_SAVED.format(strerror=error.strerror))
            self.problem.show()
            return
        self.saved.emit(path)
        self.accept()
