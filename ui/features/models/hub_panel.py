"""Finding models on the hub: permission first, then search and filters, repositories at the left, one at the right."""

from __future__ import annotations

from typing import cast

import msgspec
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QStackedWidget, QWidget

from ui.bridge import Bridge, Handle
from ui.components.basics import Card, Chip, ElidedLabel, InlineMessage, LinkButton, Text
from ui.components.choice_box import ChoiceBox
from ui.components.downloads import Downloads
from ui.components.layout import MARGINS, FlowLayout, ScrolledColumn, column_of, empty_layout, row_of
from ui.components.lists import SearchField
from ui.components.notices import EmptyState
from ui.components.wording import describe_count, describe_parameters, in_words
from ui.features import ShellActions
from ui.features.models import hub_texts as texts
from ui.features.models.repository_view import RepositoryView
from ui.features.models.token_row import TokenRow
from ui.theme import tokens
from workbench.api import events
from workbench.api.events import Terminal
from workbench.api.protocol import error_of
from workbench.base.settings import Settings
from workbench.records.hub import HubFilters, HubModel, Sorting
from workbench.records.recipes import ModelPart, Recipe
from workbench.subjects.machine.calls import ChangeSettings, GetSettings
from workbench.subjects.models.calls import HubModels, SearchHub

LIST_WIDTH = 400


class HubPanel(QWidget):
    def __init__(self, bridge: Bridge, shell: ShellActions) -> None:
        super().__init__()
        self._bridge, self._shell = bridge, shell
        self._searching: Handle | None = None
        self._allowed = False
        self._looked = False
        self.rows: dict[str, FoundRow] = {}
        self.permission = InlineMessage(closable=False)
        self.downloads = Downloads(bridge)
        self.downloads.wanted.connect(self._on_ask)
        self.token = TokenRow(bridge)
        self._body = self._build()
        place = self._place = Text("", "small")
        top = QWidget()
        column_of(
            top, self.permission, self.downloads, gap=tokens.SPACE_2,
            margins=(MARGINS.left(), tokens.SPACE_3, MARGINS.right(), 0),
        )  # fmt: skip
        self._off = EmptyState("globe", texts.OFF_TITLE, texts.OFF_HELP)
        self._off.hide()
        column_of(self, top, (self._body, 1), (self._off, 1), gap=0)
        self._left.column.addWidget(place)
        bridge.home.listing(GetSettings()).follow(self._on_settings)

    def _build(self) -> QWidget:
        self.search = SearchField(texts.SEARCH)
        self.search.searched.connect(lambda words: self.start_search())
        self.sort = ChoiceBox(texts.SORT, texts.SORTS, 14)
        self.size_choice = ChoiceBox(texts.SIZE, texts.SIZES, 14)
        self.task = ChoiceBox(texts.TASKS_NAME, texts.TASKS, 14)
        self.licence = ChoiceBox(texts.LICENCE, texts.LICENCES, 14)
        self.access = ChoiceBox(texts.ACCESS, texts.ACCESSES, 14)
        filters = QWidget()
        flow = FlowLayout(filters)
        for choice in (self.sort, self.size_choice, self.task, self.licence, self.access):
            choice.chosen.connect(lambda _: self.start_search())
            flow.addWidget(choice)
        self.state = Text("", "small")
        self._list = column_of(gap=tokens.SPACE_2)
        self._left = ScrolledColumn(tokens.SPACE_3, width=LIST_WIDTH)
        for part in (self.search, filters, self.state):
            self._left.column.addWidget(part)
        self._left.column.addLayout(self._list)
        self._left.column.addWidget(self.token)
        self._left.setFixedWidth(LIST_WIDTH + 2 * tokens.SPACE_5)
        self._right = QStackedWidget()
        self._right.addWidget(EmptyState("models", texts.CHOOSE, texts.CHOOSE_HELP))
        self.repository: RepositoryView | None = None
        body = QWidget()
        row_of(body, self._left, (self._right, 1), gap=0)
        return body

    # -- permission ----------------------------------------------------------------------------------

    def _on_settings(self, settings: Settings) -> None:
        host = settings.network.hub_address.partition("://")[2].strip("/")
        self._allowed = settings.network.hub and not settings.general.offline
        self._place.setText(texts.HUB_PLACE.format(host=host))
        self._body.setVisible(self._allowed)
        self._off.setVisible(not self._allowed)
        if self._allowed:
            self.permission.hide()
            if self.isVisible() and not self._looked:
                self.start_search()
        else:
            words = texts.OFF.format(host=host)
            offline = settings.general.offline
            self.permission.show_message(
                f"{words} {texts.OFFLINE_TOO}" if offline else words, "info", texts.ALLOW, self._on_allow
            )

    def _on_allow(self) -> None:
        call = ChangeSettings(values={"network": {"hub": True}, "general": {"offline": False}})

        def refused(error: Exception) -> None:
            self.permission.show_message(in_words(error), "danger", texts.ALLOW, self._on_allow)

        self._bridge.call(call, self._bridge.home.listing(GetSettings()).put, refused, self)

    def begin(self) -> None:
        """The panel comes into sight: search, where that is allowed, and let the person type."""
        if self._allowed and not self._looked:
            self.start_search()
        (self.search if self._allowed else self.permission.action_button).setFocus(Qt.FocusReason.OtherFocusReason)

    # -- searching -----------------------------------------------------------------------------------

    @property
    def filters(self) -> HubFilters:
        least, _, most = self.size_choice.value.partition("-")
        return HubFilters(
            sort=cast(Sorting, self.sort.value),
            task=self.task.value,
            licence=self.licence.value,
            least_parameters=int(least or 0) * 1_000_000_000,
            most_parameters=int(most or 0) * 1_000_000_000,
            gated=False if self.access.value == "open" else None,
        )

    def start_search(self) -> None:
        """Search with the words and filters as they are."""
        if not self._allowed:
            return
        self._looked = True
        if self._searching is not None:
            self._searching.cancel()
        self.state.setText(texts.SEARCHING)
        call = SearchHub(words=self.search.text().strip(), filters=self.filters)

        def ended(terminal: Terminal) -> None:
            if isinstance(terminal, events.Finished):
                self._show(msgspec.convert(terminal.result, HubModels))
            elif isinstance(terminal, events.Failed):
                self.state.setText(in_words(error_of(terminal)))

        self._searching = self._bridge.stream(call, lambda batch: None, ended, self)

    def _show(self, found: HubModels) -> None:
        empty_layout(self._list)
        self.rows = {}
        for model in found.models:
            row = self.rows[model.repository] = FoundRow(model)
            row.chosen.connect(self.open_repository)
            self._list.addWidget(row)
        count = describe_count(len(found.models), "repository", "repositories")
        self.state.setText(texts.COUNT_FOUND.format(count=count) if found.models else texts.NOTHING_FOUND)
        if self.repository is not None and self.repository.model.repository in self.rows:
            self.rows[self.repository.model.repository].set_selected(True)

    def open_repository(self, name: str) -> None:
        """Show a repository that was found."""
        for row in self.rows.values():
            row.set_selected(row.model.repository == name)
        if self.repository is not None:
            self.repository.leave()
            self._right.removeWidget(self.repository)
            self.repository.deleteLater()
        self.repository = RepositoryView(self._bridge, self.rows[name].model)
        self.repository.begun.connect(self.downloads.follow)
        self._right.addWidget(self.repository)
        self._right.setCurrentWidget(self.repository)

    def _on_ask(self, model: str) -> None:
        self._shell.open_page("chat", recipe=Recipe(model=ModelPart(name=model)))


class FoundRow(Card):
    """A repository that was found: its name is the way to it."""

    chosen = Signal(str)

    def __init__(self, model: HubModel) -> None:
        super().__init__(margin=tokens.SPACE_3)
        self.model = model
        self.body.setSpacing(tokens.SPACE_1)
        owner, _, name = model.repository.partition("/")
        self.link = LinkButton(_short(name), toolTip=model.repository, accessibleName=model.repository)
        self.link.clicked.connect(lambda: self.chosen.emit(model.repository))
        top = row_of(None, (self.link, 0, Qt.AlignmentFlag.AlignLeft), None, gap=tokens.SPACE_2)
        if model.gated:
            top.addWidget(Chip(texts.GATED, "attention", toolTip=texts.GATED_HELP))
        facts = [
            owner,
            describe_parameters(model.parameters) if model.parameters else "",
            model.architecture,
            model.licence or texts.NO_LICENCE,
        ]
        used = [
            texts.DOWNLOADS.format(count=model.downloads),
            texts.UPDATED.format(date=model.updated) if model.updated else "",
        ]
        self.facts = ElidedLabel(" · ".join(one for one in facts if one), "body")
        self.body.addLayout(top)
        self.body.addWidget(self.facts)
        self.body.addWidget(ElidedLabel(" · ".join(one for one in used if one), "small"))


def _short(name: str, most: int = 40) -> str:
    return name if len(name) <= most else f"{name[: most - 12]}…{name[-11:]}"
