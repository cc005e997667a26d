"""The models that the program recommends: which fit this machine, what each is good for, and the download."""

from __future__ import annotations

from pathlib import PurePath

from PySide6.QtCore import Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QWidget

from ui.bridge import Bridge
from ui.components.basics import Card, Chip, InlineMessage, PlainButton, PrimaryButton, Text
from ui.components.downloads import Downloads
from ui.components.layout import FlowLayout, ScrolledColumn, column_of, empty_layout, row_of
from ui.components.wording import describe_bytes, in_words
from ui.features.models import hub_texts as texts
from ui.theme import tokens
from workbench.base.settings import Settings
from workbench.subjects.machine.calls import ChangeSettings, GetMachine, GetSettings
from workbench.subjects.models.calls import (
    DownloadModel,
    ListModels,
    ListRecommended,
    ModelList,
    RecommendedModel,
    RecommendedModels,
)
from workbench.subjects.runs.calls import RunRecord


class RecommendedPanel(ScrolledColumn):
    """Known before a network is allowed. ``wanted`` carries the name of a downloaded model that the person wants to
    ask."""

    wanted = Signal(str)

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(tokens.SPACE_3)
        self._bridge = bridge
        self._settings = Settings()
        self._found: RecommendedModels | None = None
        self._here: frozenset[str] = frozenset()
        self.rows: dict[str, RecommendedRow] = {}
        self.machine = Text("", "muted")
        self.message = InlineMessage()
        self.downloads = Downloads(bridge)
        self.downloads.wanted.connect(self.wanted)
        self._list = column_of(gap=tokens.SPACE_3)
        self.checked = Text("", "small")
        for part in (self.machine, self.message, self.downloads):
            self.column.addWidget(part)
        self.column.addLayout(self._list)
        self.column.addWidget(self.checked)
        bridge.home.listing(GetSettings()).follow(self._on_settings)
        bridge.home.listing(ListModels()).follow(self._on_models)
        bridge.home.listing(GetMachine()).follow(lambda machine: self._show())

    def showEvent(self, event: QShowEvent) -> None:
        """What fits is asked anew: the free disk changes by itself."""
        super().showEvent(event)
        self._bridge.call(ListRecommended(), self._on_found, self._complain, self)

    # -- what there is -------------------------------------------------------------------------------

    def _on_settings(self, settings: Settings) -> None:
        self._settings = settings

    def _on_models(self, found: ModelList) -> None:
        self._here = frozenset(PurePath(model.path).name for model in found.models if not model.missing)
        self._show()

    def _on_found(self, found: RecommendedModels) -> None:
        if found != self._found:
            self._found = found
            self._show()

    def _show(self) -> None:
        found = self._found
        if found is None:
            return
        empty_layout(self._list)
        self.rows = {}
        machine = self._bridge.home.listing(GetMachine()).value
        memory = describe_bytes(machine.memory_bytes) if machine is not None else ""
        self.machine.setText(texts.RECOMMENDED_FOR.format(memory=memory) if memory else texts.RECOMMENDED_HELP)
        for model in sorted(found.models, key=lambda one: one.file != found.best):
            row = self.rows[model.file] = RecommendedRow(model, model.file == found.best, model.file in self._here)
            row.download_button.clicked.connect(lambda _=False, model=model: self._on_download(model))
            self._list.addWidget(row)
        self.checked.setText(texts.RECOMMENDED_CHECKED.format(date=found.checked))

    # -- download ------------------------------------------------------------------------------------

    def _on_download(self, model: RecommendedModel) -> None:
        network, offline = self._settings.network, self._settings.general.offline
        if network.hub and not offline:
            self._download(model)
            return
        words = texts.ALLOW_DOWNLOAD.format(
            title=model.title,
            bytes=describe_bytes(model.bytes),
            host=network.hub_address.partition("://")[2].strip("/"),
        )
        if offline:
            words = f"{words} {texts.OFFLINE_TOO}"
        self.message.show_message(words, "info", texts.ALLOW_AND_DOWNLOAD, lambda: self._allow(model))
        self.verticalScrollBar().setValue(0)
        self.message.action_button.setFocus()

    def _allow(self, model: RecommendedModel) -> None:
        def allowed(settings: Settings) -> None:
            self._bridge.home.listing(GetSettings()).put(settings)
            self._download(model)

        call = ChangeSettings(values={"network": {"hub": True}, "general": {"offline": False}})
        self._bridge.call(call, allowed, self._complain, self)

    def _download(self, model: RecommendedModel) -> None:
        def began(run: RunRecord) -> None:
            self.message.hide()
            self.downloads.follow(run)
            self.verticalScrollBar().setValue(0)

        call = DownloadModel(repository=model.repository, file=model.file)
        self._bridge.call(call, began, self._complain, self)

    def _complain(self, error: Exception) -> None:
        self.message.show_message(in_words(error), "danger")
        self.verticalScrollBar().setValue(0)


class RecommendedRow(Card):
    """A model with what it is good for. One that does not fit is grey and says why."""

    def __init__(self, model: RecommendedModel, best: bool, here: bool) -> None:
        super().__init__(margin=tokens.SPACE_3)
        self.model = model
        fits = not model.problem
        head = QWidget()
        flow = FlowLayout(head, tokens.SPACE_2)
        flow.addWidget(Text(model.title, "strong" if fits else "muted", wordWrap=False))
        flow.addWidget(Chip(describe_bytes(model.bytes)))
        if best:
            flow.addWidget(Chip(texts.SUITS_BEST, "success"))
        if here:
            flow.addWidget(Chip(texts.IS_HERE, "accent"))
        if model.slow:
            flow.addWidget(Chip(texts.SLOW_HERE, "attention", toolTip=texts.SLOW_HERE_HELP))
        facts = texts.RECOMMENDED_FACTS.format(
            languages=model.languages,
            context=model.context_tokens,
            licence=model.licence.capitalize(),
            repository=model.repository,
        )
        self.problem = Text(model.problem, "muted", visible=not fits)
        words = column_of(
            None, head, Text(model.purpose, "body" if fits else "muted"), Text(facts, "small"), self.problem, gap=4
        )
        self.download_button = (PrimaryButton if best and not here else PlainButton)(texts.DOWNLOAD, "download")
        self.download_button.setAccessibleName(texts.DOWNLOAD_NAMED.format(name=model.title))
        reason = texts.IS_HERE_HELP if here else model.problem
        self.download_button.setEnabled(not reason)
        self.download_button.setToolTip(reason)
        self.body.addLayout(row_of(None, (words, 1), self.download_button, gap=tokens.SPACE_3))
