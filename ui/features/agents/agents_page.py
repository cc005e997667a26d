"""The tab of agents: the recipes with an agent in the folder of recipes. A new one is made, one is run or changed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QWidget

from ui.bridge import Bridge
from ui.components.agent_wording import describe_agent
from ui.components.basics import Card, PlainButton, PrimaryButton, QuietButton, Text
from ui.components.layout import FlowLayout, ScrolledColumn, column_of, empty_layout, row_of
from ui.components.notices import ConfirmRow, EmptyState
from ui.components.words_editor import WordsEditor
from ui.features import ShellActions, offer_undo
from ui.features.agents import texts
from ui.features.agents.agent_dialog import AgentDialog
from ui.theme import tokens
from workbench.base.catalogue import _
from workbench.base.errors import UserError
from workbench.records.methods import Methods
from workbench.records.recipes import Recipe, load_recipe
from workbench.subjects.machine.calls import ListMethods, MethodList
from workbench.subjects.recipes.calls import RemoveRecipe
from workbench.subjects.runs.calls import Status
from workbench.subjects.trash.calls import TrashEntry

MOST = 200
"""So many files are shown."""
LARGEST = 1_000_000  # bytes: a recipe is a page of text


class AgentsPage(ScrolledColumn):
    """See ``ui.features`` for what the frame asks of a page. The folder is read anew whenever the page is shown: a file
    may have come from elsewhere."""

    name, title, icon = "agents", _("Agents"), "agents"

    def __init__(self, bridge: Bridge, shell: ShellActions) -> None:
        super().__init__(tokens.SPACE_4)
        self._bridge, self._shell = bridge, shell
        self._folder: Path | None = None
        self._methods: Methods[Any] = Methods()
        self.views: dict[str, AgentView] = {}
        self.new_button = PrimaryButton(texts.NEW_AGENT, "plus", clicked=lambda: self.begin())
        self.empty = EmptyState("agents", texts.NO_SAVED, texts.NO_SAVED_HELP)
        self._list = column_of(gap=tokens.SPACE_3)
        head = QWidget()
        row_of(head, (Text(texts.SAVED_HELP, "muted"), 1), self.new_button, gap=tokens.SPACE_3)
        self.column.addWidget(head)
        self.column.addLayout(self._list)
        self.column.addWidget(self.empty)
        bridge.home.listing(ListMethods()).follow(self._on_methods)
        bridge.status_changed.connect(self._on_status)
        bridge.changed.connect(lambda kind, id: self.read() if kind == "recipe" else None)
        if bridge.status is not None:
            self._on_status(bridge.status)

    def open_target(self, new: bool = False) -> None:
        """Begin a new agent."""
        if new:
            self.begin()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.read()

    def read(self) -> None:
        """Show the agents in the folder."""
        paths = sorted(self._folder.glob("*.toml"))[:MOST] if self._folder is not None else []
        empty_layout(self._list)
        self.views = {}
        for path in paths:
            found = _load(path)
            if isinstance(found, Recipe) and found.agent is None:
                continue
            view = self.views[path.name] = AgentView(path, found, self._methods)
            view.run.connect(self._on_run)
            view.used.connect(lambda recipe: self._shell.open_page("chat", new=True, recipe=recipe))
            view.edit_wanted.connect(lambda recipe, path=path: self.begin(recipe, path))
            view.deleted.connect(lambda path=path: self._delete(path))
            self._list.addWidget(view)
        self.empty.setVisible(not self.views)

    def begin(self, recipe: Recipe | None = None, path: Path | None = None) -> AgentDialog:
        """Open the dialog for a new agent, or for that of a file."""
        dialog = AgentDialog(self._bridge, recipe, path, self)
        dialog.saved.connect(self._on_saved)
        dialog.open()
        return dialog

    def _on_saved(self, path: Path) -> None:
        self.read()
        if path.name in self.views:
            self.views[path.name].run_button.setFocus()

    def _on_run(self, recipe: Recipe, task: str) -> None:
        self._shell.open_page("chat", new=True, recipe=recipe, question=task)

    def _delete(self, path: Path) -> None:
        def removed(entry: TrashEntry) -> None:
            self.read()
            offer_undo(self._bridge, self._shell, entry.title, entry.id, self)

        self._bridge.call(RemoveRecipe(recipe=path.stem), removed, owner=self)

    def _on_methods(self, found: MethodList) -> None:
        self._methods = Methods(found.methods)
        self.read()

    def _on_status(self, status: Status) -> None:
        folder = Path(status.home) / "recipes"
        if folder != self._folder:
            self._folder = folder
            self.read()


class AgentView(Card):
    """The agent of one file; ``run`` sends its recipe and the task that it is given."""

    run = Signal(object, str)
    used = Signal(object)
    edit_wanted = Signal(object)
    deleted = Signal()

    def __init__(self, path: Path, found: Recipe | str, methods: Methods[Any]) -> None:
        super().__init__()
        self.title = Text(path.stem, "strong")
        self.body.addWidget(self.title)
        self.lines = [texts.UNREADABLE.format(reason=found)] if isinstance(found, str) else describe(found, methods)
        for line in self.lines:
            self.body.addWidget(Text(line, "attention" if isinstance(found, str) else "muted"))
        self.run_button = PlainButton(texts.RUN, "play", small=True, clicked=self._on_run)
        self.use_button = QuietButton(texts.USE, "chat", small=True)
        self.edit_button = QuietButton(texts.EDIT_AGENT, "edit", small=True)
        self.delete_button = QuietButton(texts.DELETE, "trash", small=True)
        for button, words in (
            (self.run_button, texts.RUN_NAME),
            (self.edit_button, texts.EDIT_AGENT_NAME),
            (self.delete_button, texts.DELETE_NAME),
        ):
            button.setAccessibleName(words.format(name=path.stem))
        self.task = WordsEditor(texts.TASK, texts.START, texts.TASK_HELP, (2, 6), enter_takes=True)
        self.task.given_up.connect(self._on_given_up)
        self.confirm = ConfirmRow(self.delete_button)
        self.confirm.set_question(texts.ASK_DELETE.format(name=path.name), texts.DELETE)
        self.confirm.confirmed.connect(self.deleted)
        self.delete_button.clicked.connect(self.confirm.ask)
        self._buttons = QWidget()
        flow = FlowLayout(self._buttons, tokens.SPACE_1)
        for button in (self.run_button, self.use_button, self.edit_button, self.delete_button):
            flow.addWidget(button)
        for part in (self.task, self._buttons, self.confirm):
            self.body.addWidget(part)
        if isinstance(found, Recipe):
            self.task.taken.connect(lambda words: self.run.emit(found, words))
            self.use_button.clicked.connect(lambda: self.used.emit(found))
            self.edit_button.clicked.connect(lambda: self.edit_wanted.emit(found))
        else:
            for button in (self.run_button, self.use_button, self.edit_button):
                button.hide()

    def _on_run(self) -> None:
        self._buttons.hide()
        self.task.begin("")

    def _on_given_up(self) -> None:
        self.task.hide()
        self._buttons.show()
        self.run_button.setFocus()


def describe(recipe: Recipe, methods: Methods[Any]) -> list[str]:
    """What an agent is made of, in lines."""
    agent, documents = recipe.agent, recipe.retrieval
    assert agent is not None
    titles = ", ".join(methods.row(name, "tool").title for name in agent.tools)
    named = ", ".join((documents.collection, *documents.more)) if documents is not None else ""
    lines = [
        " · ".join(part for part in (recipe.model.name, describe_agent(agent, methods)) if part),
        texts.TOOLS_OF.format(tools=titles) if titles else "",
        texts.DOCUMENTS_OF.format(documents=named) if named else "",
        texts.FOLDER_OF.format(folder=agent.folder) if agent.folder else "",
        texts.MEMORY_OF[agent.memory],
    ]
    return [line for line in lines if line]


def _load(path: Path) -> Recipe | str:
    """The recipe of a file, or why it cannot be read."""
    try:
        if path.stat().st_size > LARGEST:
            return texts.FILE_TOO_LARGE.format(bytes=LARGEST)
        return load_recipe(path)
    except (UserError, OSError) as error:
        return str(error)
