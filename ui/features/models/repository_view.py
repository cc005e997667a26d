"""One repository of the hub: its files with their fit on this machine, and its model card."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath

import msgspec
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from ui.bridge import Bridge, Handle
from ui.components.basics import Card, Chip, ElidedLabel, InlineMessage, LinkButton, PlainButton, Text
from ui.components.layout import FlowLayout, ScrolledColumn, column_of, row_of
from ui.components.markdown_view import MarkdownView
from ui.components.wording import describe_bytes, describe_parameters, in_words
from ui.features.models import hub_texts as texts
from ui.features.models.fit_badge import FitBadge
from ui.theme import tokens
from workbench.api import events
from workbench.api.events import Terminal
from workbench.api.protocol import error_of
from workbench.records.fit import Fit
from workbench.records.hub import HubCard, HubFile, HubFiles, HubModel
from workbench.subjects.models.calls import DownloadModel, FitHubFile, ListHubFiles, ListModels, ModelList, ReadHubCard
from workbench.subjects.runs.calls import RunRecord

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
