"""Finding models on the hub: permission first, then search and filters, repositories at the left, one at the right.

The hub's access token: entered once, never shown again.

One repository of the hub: its files with their fit on this machine, and its model card.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath
from typing import cast

import msgspec
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QLineEdit, QStackedWidget, QWidget

from ui.bridge import Bridge, Handle
from ui.components.basics import (
    Card,
    Chip,
    ElidedLabel,
    FoldButton,
    InlineMessage,
    LinkButton,
    PlainButton,
    QuietButton,
    Text,
)
from ui.components.choice_box import ChoiceBox
from ui.components.downloads import Downloads
from ui.components.layout import MARGINS, FlowLayout, ScrolledColumn, column_of, empty_layout, row_of
from ui.components.lists import SearchField
from ui.components.markdown_view import MarkdownView
from ui.components.notices import EmptyState
from ui.components.wording import describe_bytes, describe_count, describe_parameters, in_words
from ui.features import ShellActions
from ui.features.models import hub_texts as texts
from ui.features.models.fit_badge import FitBadge
from ui.theme import tokens
from workbench.api import events
from workbench.api.events import Terminal
from workbench.api.protocol import error_of
from workbench.base.settings import Settings
from workbench.records.fit import Fit
from workbench.records.hub import HubCard, HubFile, HubFiles, HubFilters, HubModel, Sorting
from workbench.records.recipes import ModelPart, Recipe
from workbench.subjects.machine.calls import ChangeSettings, GetSettings
from workbench.subjects.models.calls import (
    DownloadModel,
    FitHubFile,
    GetHubAccount,
    HubAccount,
    HubModels,
    ListHubFiles,
    ListModels,
    ModelList,
    ReadHubCard,
    SearchHub,
    SetHubToken,
)
from workbench.subjects.runs.calls import RunRecord

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


class TokenRow(QWidget):
    def __init__(self, bridge: Bridge) -> None:
        super().__init__()
        self._bridge = bridge
        self.state = Text(texts.TOKEN_NONE, "small")
        self.field = QLineEdit(echoMode=QLineEdit.EchoMode.Password)
        self.field.setAccessibleName(texts.TOKEN_FIELD)
        self.field.setPlaceholderText("hf_…")
        self.save_button = PlainButton(texts.SAVE_TOKEN, small=True, clicked=self._on_save)
        self.forget_button = QuietButton(texts.FORGET_TOKEN, "trash", small=True, clicked=self._on_forget)
        self.field.returnPressed.connect(self._on_save)
        self.field.textChanged.connect(lambda text: self.save_button.setEnabled(bool(text.strip())))
        self.save_button.setEnabled(False)
        inside = QWidget()
        row = row_of(None, (self.field, 1), self.save_button, self.forget_button, gap=tokens.SPACE_2)
        column_of(inside, Text(texts.TOKEN_HELP, "small"), row, self.state, gap=tokens.SPACE_1)
        self.fold = FoldButton(texts.TOKEN, inside)
        column_of(self, self.fold, inside, gap=tokens.SPACE_1)
        bridge.call(GetHubAccount(), self._on_account, owner=self)

    def _on_save(self) -> None:
        token = self.field.text().strip()
        if token:
            self.field.clear()
            self._bridge.call(SetHubToken(token=token), self._on_account, self._on_refused, self)

    def _on_forget(self) -> None:
        self._bridge.call(SetHubToken(token=""), self._on_account, self._on_refused, self)

    def _on_account(self, account: HubAccount) -> None:
        known = texts.TOKEN_KEPT if account.kept else texts.TOKEN_SESSION
        self.state.setText(known if account.has_token else texts.TOKEN_NONE)
        self.forget_button.setVisible(account.has_token)

    def _on_refused(self, error: Exception) -> None:
        self.state.setText(in_words(error))


CHECKED_AT_ONCE = 6
"""So many files are checked automatically, one after the other: each costs a header of some MB."""

SHOWN_CARD = 3_000


class RepositoryView(ScrolledColumn):
    begun = Signal(object)
    """The run of a download that was begun."""

    def __init__(self, bridge: Bridge, model: HubModel) -> None:
        super().__init__(tokens.SPACE_3, width=760)
        self._bridge = bridge
        self.model = model
        self.files: dict[str, FileRow] = {}
        self._waiting: list[str] = []
        self._handle: Handle | None = None
        self._left = False
        self.problem = InlineMessage(closable=False)
        self.state = Text(texts.LOOKING_UP.format(repository=model.repository), "muted")
        chips = QWidget()
        flow = FlowLayout(chips)
        facts = [
            describe_parameters(model.parameters) if model.parameters else "",
            model.architecture,
            model.task.replace("-", " "),
        ]
        for fact in facts:
            if fact:
                flow.addWidget(Chip(fact))
        flow.addWidget(Chip(model.licence or texts.NO_LICENCE, "plain" if model.licence else "attention"))
        if model.gated:
            flow.addWidget(Chip(texts.GATED, "attention"))
        self.column.addWidget(ElidedLabel(model.repository, "title"))
        self.column.addWidget(chips)
        if model.gated:
            self.column.addWidget(Text(texts.GATED_HELP, "attention"))
        self.column.addWidget(self.problem)
        self.column.addWidget(self.state)
        self._files = column_of(gap=tokens.SPACE_2)
        self.column.addLayout(self._files)
        self._card = column_of(gap=tokens.SPACE_2)
        self.column.addLayout(self._card)
        self.column.addStretch(1)
        bridge.call(ListHubFiles(repository=model.repository), self._on_files, self._on_refused, self)
        bridge.call(ReadHubCard(repository=model.repository), self._on_card, lambda error: None, self)

    def leave(self) -> None:
        """Another repository is shown: what is being read of this one is not needed."""
        self._left = True
        if self._handle is not None:
            self._handle.cancel()

    def _on_refused(self, error: Exception) -> None:
        self.state.hide()
        self.problem.show_message(in_words(error), "danger")

    def _on_files(self, found: HubFiles) -> None:
        self.state.setVisible(not found.files)
        self.state.setText(texts.NO_FILES)
        if not found.files:
            return
        self._files.addWidget(Text(texts.FILES, "heading"))
        self._files.addWidget(Text(texts.FILES_HELP, "muted"))
        for file in found.files:
            row = self.files[file.name] = FileRow(file)
            row.fit_wanted.connect(self._on_fit_wanted)
            row.download_wanted.connect(self._on_download)
            self._files.addWidget(row)
        self._bridge.home.listing(ListModels()).once(self._on_models, self)
        self._waiting = [file.name for file in found.files[:CHECKED_AT_ONCE]]
        self._check_next()

    def _on_models(self, found: ModelList) -> None:
        here = {PurePath(path).name for model in found.models for path in model.files or (model.path,)}
        for name, row in self.files.items():
            row.here.setVisible(name in here)

    # -- fit -----------------------------------------------------------------------------------------

    def _on_fit_wanted(self, name: str) -> None:
        self._waiting.append(name)
        self._check_next()

    def _check_next(self) -> None:
        if self._left or self._handle is not None or not self._waiting:
            return
        name = self._waiting.pop(0)
        row = self.files[name]
        row.show_checking()

        def ended(terminal: Terminal) -> None:
            self._handle = None
            if isinstance(terminal, events.Finished):
                row.show_fit(msgspec.convert(terminal.result, Fit))
            elif isinstance(terminal, events.Failed):
                row.show_unknown(in_words(error_of(terminal)))
            self._check_next()

        call = FitHubFile(repository=self.model.repository, file=name)
        self._handle = self._bridge.stream(call, lambda batch: None, ended, self)

    # -- download ------------------------------------------------------------------------------------

    def _on_download(self, name: str) -> None:
        row = self.files[name]

        def began(run: RunRecord) -> None:
            row.download_button.setEnabled(True)
            self.begun.emit(run)

        def refused(error: Exception) -> None:
            row.download_button.setEnabled(True)
            self.problem.show_message(in_words(error), "danger")

        row.download_button.setEnabled(False)
        self.problem.hide()
        self._bridge.call(DownloadModel(repository=self.model.repository, file=name), began, refused, self)

    # -- card ----------------------------------------------------------------------------------------

    def _on_card(self, card: HubCard) -> None:
        if card.results:
            self._card.addWidget(Text(texts.RESULTS, "heading"))
            self._card.addWidget(Text(texts.RESULTS_HELP, "small"))
            self._card.addWidget(Text("\n".join(_result_lines(card.results)), "body"))
        self._card.addWidget(Text(texts.CARD, "heading"))
        if not card.text:
            self._card.addWidget(Text(texts.NO_CARD, "muted"))
            return
        self.card_view = MarkdownView()
        short = _beginning(card.text)
        self.card_view.set_text(short)
        self._card.addWidget(self.card_view)
        if short != card.text:
            more = LinkButton(texts.MORE_CARD)

            def show_all() -> None:
                self.card_view.set_text(card.text)
                more.hide()

            more.clicked.connect(show_all)
            self._card.addWidget(more)


class FileRow(Card):
    """One model of a repository; its button downloads it, whatever the badge says."""

    fit_wanted = Signal(str)
    download_wanted = Signal(str)

    def __init__(self, file: HubFile) -> None:
        super().__init__(margin=tokens.SPACE_3)
        self.file = file
        self.body.setSpacing(tokens.SPACE_1)
        self.badge = FitBadge()
        self.fit_button = LinkButton(texts.CHECK_FIT, toolTip=texts.CHECK_FIT_HELP)
        self.fit_button.setAccessibleName(f"{texts.CHECK_FIT}: {file.name}")
        self.fit_button.clicked.connect(self._on_fit)
        self.download_button = PlainButton(texts.DOWNLOAD, "download", small=True)
        self.download_button.setAccessibleName(texts.DOWNLOAD_NAME.format(name=file.name))
        self.download_button.clicked.connect(lambda: self.download_wanted.emit(file.name))
        self.here = Chip(texts.DOWNLOADED, "success", visible=False)
        facts = [describe_bytes(file.bytes), texts.PARTS.format(count=len(file.parts)) if len(file.parts) > 1 else ""]
        title = row_of(
            None,
            Text(file.quantization or "GGUF", "strong"),
            Text(" · ".join(one for one in facts if one), "body"),
            (ElidedLabel(file.name, "small"), 1),
            self.here,
            self.download_button,
            gap=tokens.SPACE_3,
        )
        self.body.addLayout(title)
        self.body.addWidget(self.badge)
        self.body.addWidget(self.fit_button)

    def show_checking(self) -> None:
        self.fit_button.hide()
        self.badge.show_waiting(texts.CHECKING)

    def show_fit(self, fit: Fit) -> None:
        self.badge.show_fit(fit)

    def show_unknown(self, why: str) -> None:
        self.badge.show_fit(Fit(verdict="unknown", reason=why))
        self.fit_button.show()

    def _on_fit(self) -> None:
        self.fit_button.hide()
        self.fit_wanted.emit(self.file.name)


def _result_lines(results: Sequence[tuple[str, str, str]]) -> list[str]:
    return [f"{benchmark}, {metric}: {value}" for benchmark, metric, value in results[:20]]


def _beginning(text: str) -> str:
    """The card's first part, ended at a paragraph."""
    if len(text) <= SHOWN_CARD + 500:
        return text
    return text[: text.rfind("\n\n", 0, SHOWN_CARD) if "\n\n" in text[:SHOWN_CARD] else SHOWN_CARD]
