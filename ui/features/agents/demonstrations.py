"""The tab of demonstrations: programs with tools that the person saved, as examples for similar questions."""

from __future__ import annotations

from datetime import datetime

from PySide6.QtCore import Qt, Signal

from ui.bridge import Bridge
from ui.components.basics import Card, InlineMessage, QuietButton, Text
from ui.components.layout import ScrolledColumn, column_of, empty_layout, row_of
from ui.components.notices import ConfirmRow, EmptyState
from ui.components.wording import describe_count, in_words
from ui.features import ShellActions
from ui.features.agents import texts
from ui.theme import tokens
from workbench.base.catalogue import _
from workbench.records.demonstrations import Demonstration
from workbench.subjects.prompts.calls import DemonstrationList, ListDemonstrations, RemoveDemonstration


class DemonstrationsPage(ScrolledColumn):
    """See ``ui.features`` for what the frame asks of a page. The latest is the first."""

    name, title, icon = "demonstrations", _("Demonstrations"), "plan"

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
