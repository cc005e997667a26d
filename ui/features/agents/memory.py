"""The tab of the memory: facts with their source and date, added, edited and forgotten."""

from __future__ import annotations

from datetime import datetime

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QLineEdit, QWidget

from ui.bridge import Bridge
from ui.components.basics import Card, InlineMessage, PrimaryButton, QuietButton, Text
from ui.components.layout import ScrolledColumn, column_of, empty_layout, row_of
from ui.components.lists import SearchField
from ui.components.notices import ConfirmRow, EmptyState
from ui.components.wording import in_words
from ui.components.words_editor import WordsEditor
from ui.features import ShellActions
from ui.features.agents import texts
from ui.state import Listing
from ui.theme import tokens
from workbench.base.catalogue import _
from workbench.records.agents import FROM_PERSON, Fact
from workbench.subjects.agents.calls import AddFact, EditFact, FactList, ForgetFact, ListFacts

MOST = 200
"""So many facts are shown at once; a search finds the others."""


class MemoryPage(ScrolledColumn):
    """See ``ui.features`` for what the frame asks of a page. Facts, the latest first, or those that a search has
    found."""

    name, title, icon = "memory", _("Memory"), "memory"

    def __init__(self, bridge: Bridge, shell: ShellActions) -> None:
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
