"""Saved agents: the recipes with an agent in the folder of recipes, to be used in a new chat."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QWidget

from ui.bridge import Bridge
from ui.components.agent_wording import describe_agent
from ui.components.basics import Card, PlainButton, QuietButton, Text
from ui.components.layout import ScrolledColumn, column_of, empty_layout, row_of
from ui.components.notices import ConfirmRow, EmptyState
from ui.features import ShellActions
from ui.features.agents import texts
from ui.theme import tokens
from workbench.base.errors import UserError
from workbench.records.methods import Methods
from workbench.records.recipes import Recipe, load_recipe
from workbench.subjects.machine.calls import ListMethods, MethodList
from workbench.subjects.runs.calls import Status

MOST = 200
LARGEST = 1_000_000  # bytes: a recipe is a page of text


class SavedPanel(ScrolledColumn):
    """Read anew whenever it is shown: a file may have come from elsewhere."""

    def __init__(self, bridge: Bridge, shell: ShellActions) -> None:
        super().__init__(tokens.SPACE_4)
        self._shell = shell
        self._folder: Path | None = None
        self._methods: Methods[Any] = Methods()
        self.views: dict[str, SavedView] = {}
        self.empty = EmptyState("agents", texts.NO_SAVED, texts.NO_SAVED_HELP, texts.NEW_CHAT)
        assert self.empty.button is not None
        self.empty.button.clicked.connect(lambda: shell.open_page("chat", new=True, part="agent", field="method"))
        self._list = column_of(gap=tokens.SPACE_3)
        self.column.addWidget(Text(texts.SAVED_HELP, "muted"))
        self.column.addLayout(self._list)
        self.column.addWidget(self.empty)
        bridge.home.listing(ListMethods()).follow(self._on_methods)
        bridge.status_changed.connect(self._on_status)
        if bridge.status is not None:
            self._on_status(bridge.status)

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
            view = self.views[path.name] = SavedView(path, found, self._methods)
            view.used.connect(lambda recipe: self._shell.open_page("chat", new=True, recipe=recipe))
            view.deleted.connect(lambda path=path: self._delete(path))
            self._list.addWidget(view)
        self.empty.setVisible(not self.views)

    def _delete(self, path: Path) -> None:
        try:
            path.unlink()
        except OSError as error:
            self._shell.show_message(texts.NOT_DELETED.format(name=path.name, strerror=error.strerror), "danger")
        self.read()

    def _on_methods(self, found: MethodList) -> None:
        self._methods = Methods(found.methods)
        self.read()

    def _on_status(self, status: Status) -> None:
        folder = Path(status.home) / "recipes"
        if folder != self._folder:
            self._folder = folder
            self.read()


class SavedView(Card):
    """One file."""

    used = Signal(object)
    deleted = Signal()

    def __init__(self, path: Path, found: Recipe | str, methods: Methods[Any]) -> None:
        super().__init__()
        self.title = Text(path.stem, "strong")
        self.body.addWidget(self.title)
        self.lines = [texts.UNREADABLE.format(reason=found)] if isinstance(found, str) else describe(found, methods)
        for line in self.lines:
            self.body.addWidget(Text(line, "attention" if isinstance(found, str) else "muted"))
        self.use_button = PlainButton(texts.USE, "chat", small=True)
        self.delete_button = QuietButton(texts.DELETE, "trash", small=True)
        self.confirm = ConfirmRow(self.delete_button)
        self.confirm.set_question(texts.ASK_DELETE.format(name=path.name), texts.DELETE)
        self.confirm.confirmed.connect(self.deleted)
        self.delete_button.clicked.connect(self.confirm.ask)
        buttons = QWidget()
        row_of(buttons, self.use_button, self.delete_button, None, gap=tokens.SPACE_1)
        self.body.addWidget(buttons)
        self.body.addWidget(self.confirm)
        if isinstance(found, Recipe):
            self.use_button.clicked.connect(lambda: self.used.emit(found))
        else:
            self.use_button.hide()


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
            return f"The file has more than {LARGEST:,} bytes."
        return load_recipe(path)
    except (UserError, OSError) as error:
        return str(error)
