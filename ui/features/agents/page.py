"""The page of agents: the tools there are, what is remembered, demonstrations, and agents that were saved.

Demonstrations: programs with tools that the person saved, as examples for similar questions.

What is remembered: facts with their source and date, added, edited and forgotten.

Saved agents: the recipes with an agent in the folder of recipes, to be used in a new chat.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QLineEdit, QWidget

from ui.bridge import Bridge
from ui.components.agent_wording import describe_agent
from ui.components.basics import Card, InlineMessage, PlainButton, PrimaryButton, QuietButton, Text
from ui.components.layout import ScrolledColumn, column_of, empty_layout, row_of
from ui.components.lists import SearchField
from ui.components.notices import ConfirmRow, EmptyState
from ui.components.sections import SectionedPage
from ui.components.wording import describe_count, in_words
from ui.components.words_editor import WordsEditor
from ui.features import ShellActions
from ui.features.agents import texts
from ui.features.agents.tools_panel import ToolsPanel
from ui.state import Listing
from ui.theme import tokens
from workbench.base.errors import UserError
from workbench.records.agents import FROM_PERSON, Fact
from workbench.records.demonstrations import Demonstration
from workbench.records.methods import Methods
from workbench.records.recipes import Recipe, load_recipe
from workbench.subjects.agents.calls import AddFact, EditFact, FactList, ForgetFact, ListFacts
from workbench.subjects.machine.calls import ListMethods, MethodList
from workbench.subjects.prompts.calls import DemonstrationList, ListDemonstrations, RemoveDemonstration
from workbench.subjects.runs.calls import Status

Section = Literal["tools", "memory", "demonstrations", "saved"]


class AgentsPage(SectionedPage):
    """See ``ui.features`` for what the frame asks of a page."""

    name, title, icon = "agents", "Agents", "agents"

    def __init__(self, bridge: Bridge, shell: ShellActions) -> None:
        super().__init__()
        self.tools = ToolsPanel(bridge, shell)
        self.memory = MemoryPanel(bridge)
        self.demonstrations = DemonstrationsPanel(bridge, shell)
        self.saved = SavedPanel(bridge, shell)
        self.lay_out(
            texts.SECTIONS,
            {
                "tools": (texts.TOOLS, "tool", self.tools),
                "memory": (texts.MEMORY, "memory", self.memory),
                "demonstrations": (texts.DEMONSTRATIONS, "plan", self.demonstrations),
                "saved": (texts.SAVED, "agents", self.saved),
            },
        )

    def open_target(self, section: Section = "tools") -> None:
        """Show a section. Raises KeyError for one that there is not."""
        self.show_section(section)


class DemonstrationsPanel(ScrolledColumn):
    """The latest first."""

    def __init__(self, bridge: Bridge, shell: ShellActions) -> None:
        super().__init__(tokens.SPACE_4)
        self._bridge = bridge
        self.views: dict[str, DemonstrationView] = {}
        self.problem = InlineMessage()
        self.empty = EmptyState("plan", texts.NO_DEMONSTRATIONS, texts.NO_DEMONSTRATIONS_HELP, texts.NEW_CHAT)
        assert self.empty.button is not None
        self.empty.button.clicked.connect(
            lambda: shell.open_page("chat", new=True, part="prompting", field="technique")
        )
        self._list = column_of(gap=tokens.SPACE_3)
        self.column.addWidget(Text(texts.DEMONSTRATIONS_HELP, "muted"))
        self.column.addWidget(self.problem)
        self.column.addLayout(self._list)
        self.column.addWidget(self.empty)
        bridge.home.listing(ListDemonstrations()).follow(self._on_demonstrations)

    def _on_demonstrations(self, found: DemonstrationList) -> None:
        if found.unreadable:
            self.problem.show_message(found.unreadable, "danger")
        else:
            self.problem.hide()
        if [view.demonstration for view in self.views.values()] != list(reversed(found.demonstrations)):
            empty_layout(self._list)
            self.views = {one.id: self._view(one) for one in reversed(found.demonstrations)}
        self.empty.setVisible(not self.views and not found.unreadable)

    def _view(self, demonstration: Demonstration) -> DemonstrationView:
        view = DemonstrationView(demonstration)
        view.removed.connect(lambda: self._remove(demonstration.id))
        self._list.addWidget(view)
        return view

    def _remove(self, demonstration: str) -> None:
        call = RemoveDemonstration(demonstration=demonstration)
        self._bridge.call(
            call, lambda _: self._bridge.home.listing(ListDemonstrations()).refresh(), self._on_failed, self
        )

    def _on_failed(self, error: Exception) -> None:
        self.problem.show_message(in_words(error), "danger")


class DemonstrationView(Card):
    """A question, and the lines of its program."""

    removed = Signal()

    def __init__(self, demonstration: Demonstration) -> None:
        super().__init__(margin=tokens.SPACE_3)
        self.demonstration = demonstration
        selectable = Qt.TextInteractionFlag.TextSelectableByMouse
        self.question = Text(demonstration.question, "strong", textInteractionFlags=selectable)
        self.program = Text(demonstration.program(), "code", textInteractionFlags=selectable)
        self.saved = Text(_describe(demonstration), "small")
        self.remove_button = QuietButton(texts.REMOVE_DEMONSTRATION, "trash", small=True)
        self.remove_button.setAccessibleName(
            texts.REMOVE_DEMONSTRATION_NAME.format(question=demonstration.question[:60])
        )
        self.confirm = ConfirmRow(self.remove_button)
        self.confirm.set_question(texts.ASK_REMOVE_DEMONSTRATION, texts.REMOVE_DEMONSTRATION)
        self.confirm.confirmed.connect(self.removed)
        self.remove_button.clicked.connect(self.confirm.ask)
        for part in (self.question, self.program):
            self.body.addWidget(part)
        self.body.addLayout(row_of(None, (self.saved, 1), self.remove_button, gap=tokens.SPACE_1))
        self.body.addWidget(self.confirm)


def _describe(demonstration: Demonstration) -> str:
    """``3 steps · calculator · saved 3 March 2026``"""
    moment = datetime.fromtimestamp(demonstration.created)
    tools = ", ".join(sorted(demonstration.tools))
    saved = texts.SAVED_ON.format(date=f"{moment.day} {moment:%B %Y}")
    return " · ".join(part for part in (describe_count(len(demonstration.steps), "step"), tools, saved) if part)


MOST = 200
"""So many facts are shown at once; a search finds the others."""


class MemoryPanel(ScrolledColumn):
    """Facts, the latest first, or those that a search has found."""

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(tokens.SPACE_4)
        self._bridge = bridge
        self._listing: Listing[FactList] | None = None
        self.rows: dict[str, FactView] = {}
        self.field = QLineEdit(placeholderText=texts.NEW_FACT, returnPressed=self._on_add)
        self.field.setAccessibleName(texts.NEW_FACT)
        self.field.setMaxLength(500)
        self.add_button = PrimaryButton(texts.REMEMBER, "plus", clicked=self._on_add, enabled=False)
        self.field.textChanged.connect(lambda text: self.add_button.setEnabled(bool(text.strip())))
        self.problem = InlineMessage()
        self.search = SearchField(texts.SEARCH_FACTS, searched=self._on_search)
        self.count = Text("", "small")
        self.empty = EmptyState("memory", texts.NO_FACTS, texts.NO_FACTS_HELP)
        self.nothing = Text(texts.NOT_FOUND, "muted", visible=False)
        self.column.addWidget(Text(texts.MEMORY_HELP, "muted"))
        add = QWidget()
        row_of(add, (self.field, 1), self.add_button, gap=tokens.SPACE_2)
        self.column.addWidget(add)
        self.column.addWidget(self.problem)
        self._found = QWidget()
        row_of(self._found, (self.search, 1), self.count, gap=tokens.SPACE_3)
        self.column.addWidget(self._found)
        self._list = column_of(gap=tokens.SPACE_2)
        self.column.addLayout(self._list)
        self.column.addWidget(self.nothing)
        self.column.addWidget(self.empty)
        self._on_search("")

    # -- what there is -------------------------------------------------------------------------------

    def _on_search(self, words: str) -> None:
        listing = self._bridge.home.listing(ListFacts(search=words))
        if listing is self._listing:
            return
        if self._listing is not None:
            self._listing.leave(self._on_facts)
        self._listing = listing
        listing.follow(self._on_facts)

    def _on_facts(self, found: FactList) -> None:
        searched = self._listing is not None and bool(self._listing.call.search)  # type: ignore[attr-defined]
        before = {id: row.fact for id, row in self.rows.items()}
        facts = found.facts[:MOST]
        if list(before.values()) != list(facts):
            empty_layout(self._list)
            self.rows = {fact.id: self._view(fact) for fact in facts}
        words = texts.COUNT_FOUND if searched else texts.COUNT_FACTS
        self.count.setText(words.format(count=len(found.facts)))
        self._found.setVisible(searched or bool(found.facts))
        self.empty.setVisible(not searched and not found.facts)
        self.nothing.setVisible(searched and not found.facts)

    def _view(self, fact: Fact) -> FactView:
        view = FactView(fact)
        view.edited.connect(lambda text: self._bridge.call(EditFact(fact=fact.id, text=text), self._done, self._failed))
        view.forgotten.connect(lambda: self._bridge.call(ForgetFact(fact=fact.id), self._done, self._failed))
        self._list.addWidget(view)
        return view

    # -- what the person does ------------------------------------------------------------------------

    def _on_add(self) -> None:
        if text := self.field.text().strip():
            self._bridge.call(AddFact(text=text), self._on_added, self._failed, self)

    def _on_added(self, fact: Fact) -> None:
        self.field.clear()
        self._done(fact)

    def _done(self, fact: Fact) -> None:
        self.problem.hide()
        if self._listing is not None:
            self._listing.refresh()

    def _failed(self, error: Exception) -> None:
        self.problem.show_message(in_words(error), "danger")


class FactView(Card):
    """A fact, with its source and date."""

    edited = Signal(str)
    forgotten = Signal()

    def __init__(self, fact: Fact) -> None:
        super().__init__(margin=tokens.SPACE_3)
        self.fact = fact
        self.words = Text(fact.text, textInteractionFlags=Qt.TextInteractionFlag.TextSelectableByMouse)
        self.source = Text(describe_fact(fact), "small")
        self.edit_button = QuietButton(texts.EDIT_FACT, "edit", small=True, clicked=self._on_edit)
        self.edit_button.setAccessibleName(texts.EDIT_FACT_NAME.format(text=fact.text))
        self.forget_button = QuietButton(texts.FORGET_FACT, "trash", small=True)
        self.forget_button.setAccessibleName(texts.FORGET_FACT_NAME.format(text=fact.text))
        self.confirm = ConfirmRow(self.forget_button)
        self.confirm.set_question(texts.ASK_FORGET, texts.FORGET_FACT)
        self.confirm.confirmed.connect(self.forgotten)
        self.forget_button.clicked.connect(self.confirm.ask)
        self.editor = WordsEditor(texts.FACT_TEXT, texts.SAVE_FACT, texts.EDIT_FACT_HELP, (1, 5), enter_takes=True)
        self.editor.taken.connect(self._on_taken)
        self.editor.given_up.connect(self._on_given_up)
        below = row_of(None, (self.source, 1), self.edit_button, self.forget_button, gap=tokens.SPACE_1)
        for part in (self.words, self.editor):
            self.body.addWidget(part)
        self.body.addLayout(below)
        self.body.addWidget(self.confirm)

    def _on_edit(self) -> None:
        self.words.hide()
        self.editor.begin(self.fact.text)

    def _on_given_up(self) -> None:
        self.editor.hide()
        self.words.show()

    def _on_taken(self, text: str) -> None:
        self._on_given_up()
        if text != self.fact.text:
            self.edited.emit(text)


def describe_fact(fact: Fact) -> str:
    """``By you · 3 March 2026``, ``An agent in “Pump” · 3 March 2026, edited 4 March 2026``"""
    source = texts.BY_YOU if fact.source == FROM_PERSON else fact.source[:1].upper() + fact.source[1:]
    date, changed = _date(fact.created), _date(fact.changed)
    words = texts.FACT_FROM if date == changed or not fact.changed else texts.FACT_CHANGED
    return words.format(source=source, date=date, changed=changed)


def _date(seconds: float) -> str:
    moment = datetime.fromtimestamp(seconds)
    return f"{moment.day} {moment:%B %Y}"


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
