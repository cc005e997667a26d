"""The Models page: models as cards; loading, inspecting, importing and removing them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from PySide6.QtCore import Qt
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QStackedWidget, QWidget

from ui.bridge import Bridge, Handle
from ui.components.basics import PlainButton, Text
from ui.components.layout import ScrolledColumn, column_of
from ui.components.notices import EmptyState, TakesFiles
from ui.components.run_follower import RunFollower, RunFollowers
from ui.components.sections import SectionedPage
from ui.components.wording import describe_bytes, describe_count, in_words
from ui.features import ShellActions, offer_undo
from ui.features.models import endpoint_texts, hub_texts, texts
from ui.features.models.endpoint_panel import EndpointPanel
from ui.features.models.hub_panel import HubPanel
from ui.features.models.image_encoder import add_image_encoder
from ui.features.models.local_panel import LocalModelsPanel
from ui.features.models.model_card import ModelCard
from ui.features.models.model_import import ImportPanel
from ui.features.models.quantize_dialog import QuantizeDialog
from ui.features.models.recommended_panel import RecommendedPanel
from ui.features.models.speed_dialog import SpeedDialog
from ui.theme import tokens
from workbench.api import events
from workbench.api.events import Event, Terminal
from workbench.api.protocol import error_of
from workbench.base.catalogue import _, translated
from workbench.base.errors import Cancelled
from workbench.records.fit import Fit
from workbench.records.models import ModelDetails, ModelRecord
from workbench.records.recipes import ModelPart, Recipe
from workbench.subjects.evaluation.calls import ExamineModel
from workbench.subjects.models.calls import (
    FitModel,
    ImportModel,
    InspectModel,
    ListModels,
    LoadModel,
    ModelList,
    RegisterStarter,
    RemoveModel,
    SetDefaultModel,
    UnloadModel,
)
from workbench.subjects.runs.calls import Status

Section = Literal["here", "recommended", "hub", "endpoints", "leaderboard"]


class ModelsPage(TakesFiles, SectionedPage):
    """All models that are on this machine's catalogue."""

    name, title, icon = "models", _("Models"), "models"

    def __init__(self, bridge: Bridge, shell: ShellActions) -> None:
        super().__init__()
        self._bridge = bridge
        self._shell = shell
        self._cards: dict[str, ModelCard] = {}
        self._wanted = ""
        self._importing: Handle | None = None
        self.setAcceptDrops(True)
        self._build()
        bridge.status_changed.connect(self._on_status)
        self._exams = RunFollowers(bridge, ("exam",), self)
        self._exams.began.connect(self._show_exam)
        self._exams.ended.connect(self._on_exam_ended)
        self._models = bridge.home.listing(ListModels())
        self._models.follow(self._on_models)
        self._exams.find()

    def open_target(self, model: str = "", add: bool = False, section: Section = "here", path: str = "") -> None:
        """Show a model by name, the import panel (with the file ``path``), or a section; the leaderboard is a page of
        its own. Raises KeyError for a name that there is not."""
        if section == "leaderboard":
            self._shell.open_page("leaderboard")
            return
        self.show_section(section)
        if add or path:
            self._open_import()
        if path:
            self._import.set_path(path)
            self._import.import_button.setFocus(Qt.FocusReason.OtherFocusReason)
        if model:
            self._wanted = model
            self._show_wanted()

    def header(self) -> QWidget:
        """The button that stands beside the page's title."""
        self._add = PlainButton(texts.IMPORT_MODEL, "plus", clicked=self._open_import)
        return self._add

    @property
    def cards(self) -> dict[str, ModelCard]:
        return dict(self._cards)

    @property
    def import_panel(self) -> ImportPanel:
        return self._import

    @property
    def empty_state(self) -> EmptyState:
        return self._empty

    @property
    def starter_problem(self) -> str:
        """Why the starter could not be registered, as the empty page says it."""
        return self._starter_error.text()

    # -- building ------------------------------------------------------------------------------------

    def _build(self) -> None:
        self._area = ScrolledColumn(tokens.SPACE_3)
        column = self._area.column
        self._summary = Text("", "muted")
        self._import = ImportPanel()
        self._import.hide()
        self._import.chosen.connect(self._on_import)
        self._import.stopped.connect(self._on_import_stopped)
        column.addWidget(self._import)
        column.addWidget(self._summary)
        self._list = column_of(gap=tokens.SPACE_3)
        column.addLayout(self._list)
        self.local = LocalModelsPanel(self._bridge)
        self.local.added.connect(self._on_added)
        column.addWidget(self.local)
        self._empty = EmptyState("models", texts.NO_MODEL, texts.NO_MODEL_HELP, texts.USE_STARTER)
        assert self._empty.button is not None
        self._empty.button.clicked.connect(self._on_starter)
        self._other = PlainButton(texts.IMPORT_MODEL, "plus", clicked=self._open_import)
        self._empty.add_action(self._other)
        self._look = PlainButton(hub_texts.LOOK_FOR, "folder", clicked=self._on_look)
        self._empty.add_action(self._look)
        self._find = PlainButton(hub_texts.RECOMMENDED, "download", clicked=lambda: self.show_section("recommended"))
        self._empty.add_action(self._find)
        self._starter_error = Text("", "error", alignment=Qt.AlignmentFlag.AlignCenter, minimumWidth=480, visible=False)
        self._empty.add_action(self._starter_error)
        self._stack = QStackedWidget()
        self._stack.addWidget(self._area)
        self._stack.addWidget(self._empty)
        self.recommended = RecommendedPanel(self._bridge)
        self.recommended.wanted.connect(self._on_ask)
        self.hub = HubPanel(self._bridge, self._shell)
        self.endpoints = EndpointPanel(self._bridge)
        self.lay_out(
            hub_texts.SECTIONS,
            {
                "here": (hub_texts.ON_MACHINE, "models", self._stack),
                "recommended": (hub_texts.RECOMMENDED, "download", self.recommended),
                "hub": (hub_texts.HUB, "search", self.hub),
                "endpoints": (endpoint_texts.ENDPOINTS, "globe", self.endpoints),
            },
        )

    def show_section(self, name: str) -> None:
        super().show_section(name)
        if name == "hub":
            self.hub.begin()
        elif name == "endpoints":
            self.endpoints.begin()

    # -- what happens --------------------------------------------------------------------------------

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._models.refresh()  # a file may have been moved away meanwhile, and no event reports that

    def _on_models(self, found: ModelList) -> None:
        names = [model.name for model in found.models]
        able = [model.name for model in found.models if model.kind == "chat" and not model.missing]
        used = found.default or next(iter(able), "")  # none was chosen: the one that was added first
        for gone in set(self._cards) - set(names):
            self._cards.pop(gone).deleteLater()
        for place, model in enumerate(sorted(found.models, key=_order)):
            card = self._cards.get(model.name)
            if card is None:
                card = self._make_card(model)
            card.show_model(model)
            card.set_default(model.name == used)
            self._list.insertWidget(place, card)
        size = describe_bytes(sum(model.bytes for model in found.models))
        self._summary.setText(texts.COUNT_ON_DISK.format(count=describe_count(len(names), "model"), size=size))
        self._summary.setVisible(bool(names))
        assert self._empty.button is not None
        self._empty.button.setVisible(not found.starter_hint)
        if found.starter_hint and not names:
            self._starter_error.setText(texts.STARTER_NOT_INSTALLED.format(starter_hint=found.starter_hint))
        self._starter_error.setVisible(bool(found.starter_hint))
        self._show_stack()
        if self._bridge.status is not None:
            self._on_status(self._bridge.status)
        self._show_wanted()

    def _make_card(self, model: ModelRecord) -> ModelCard:
        card = self._cards[model.name] = ModelCard(model)
        card.load_wanted.connect(self._on_load)
        card.unload_wanted.connect(self._on_unload)
        card.details_wanted.connect(self._on_details)
        card.remove_wanted.connect(self._on_remove)
        card.default_wanted.connect(self._on_default)
        card.exam_wanted.connect(self._on_exam)
        card.fit_wanted.connect(self._on_fit)
        card.load_anyway_wanted.connect(lambda name: self._on_load(name, anyway=True))
        card.quantize_wanted.connect(self._on_quantize)
        card.menu_shown.connect(lambda menu: add_image_encoder(menu, card, self._bridge))
        card.speed_wanted.connect(lambda name: SpeedDialog(self._bridge, self._cards[name].model, self).open())
        for exam in self._exams.open.values():
            self._show_exam(exam)
        return card

    def _show_stack(self) -> None:
        empty = not self._cards and self._import.isHidden() and not self.local.looked
        self._stack.setCurrentWidget(self._empty if empty else self._area)

    def _show_wanted(self) -> None:
        card = self._cards.get(self._wanted)
        if card is None:
            return
        for other in self._cards.values():
            other.set_selected(other is card)
        self._area.ensureWidgetVisible(card)
        card.setFocus(Qt.FocusReason.OtherFocusReason)
        self._wanted = ""

    def _on_status(self, status: Status) -> None:
        for name, card in self._cards.items():
            card.set_loaded(name == status.model)

    def _on_load(self, name: str, anyway: bool = False) -> None:
        card = self._cards[name]

        def ended(terminal: Terminal) -> None:
            card.end_loading()
            if isinstance(terminal, events.Failed):
                self._explain_refusal(card, in_words(error_of(terminal)), anyway)
            self._bridge.refresh_status()

        def progressed(batch: Sequence[Event]) -> None:
            for event in batch:
                if isinstance(event, events.Progress):
                    card.show_loading(event.done / event.total if event.total else None)

        card.show_loading(None)
        handle = self._bridge.stream(LoadModel(name=name, anyway=anyway), progressed, ended, card)
        card.set_stop(handle.cancel)

    def _explain_refusal(self, card: ModelCard, words: str, anyway: bool) -> None:
        """Say why a model was not loaded; where that is its size, it can be loaded anyway."""
        card.show_problem(words)

        def shown(fit: Fit) -> None:
            if fit.verdict == "too big":
                card.show_refused(words)

        if not anyway:
            self._bridge.call(FitModel(name=card.model.name), shown, lambda error: None, card)

    def _on_fit(self, name: str) -> None:
        card = self._cards[name]
        card.fit.show_waiting(hub_texts.CHECKING)

        def failed(error: Exception) -> None:
            card.fit.hide()
            card.show_problem(in_words(error))

        self._bridge.call(FitModel(name=name), lambda fit: card.fit.show_fit(fit, details=True), failed, card)

    def _on_unload(self, name: str) -> None:
        self._bridge.call(UnloadModel(), self._on_unloaded, owner=self)

    def _on_unloaded(self, status: Status) -> None:
        self._on_status(status)
        self._bridge.refresh_status()

    def _on_default(self, name: str) -> None:
        card = self._cards[name]
        call = SetDefaultModel(name=name)
        self._bridge.call(call, self._models.put, lambda error: card.show_problem(in_words(error)), card)

    def _on_details(self, name: str) -> None:
        card = self._cards[name]

        def shown(details: ModelDetails) -> None:
            card.show_details(details)

        self._bridge.call(InspectModel(name=name), shown, lambda error: card.show_problem(in_words(error)), card)

    def _on_remove(self, name: str) -> None:
        card = self._cards[name]
        self._bridge.call(
            RemoveModel(name=name), self._on_removed, lambda error: card.show_problem(in_words(error)), card
        )

    def _on_removed(self, model: ModelRecord) -> None:
        if model.unreadable:
            self._shell.show_message(texts.REMOVED.format(name=model.name), "info")
        else:
            offer_undo(self._bridge, self._shell, model.name, model.name, self)
        self._models.refresh()

    def _on_quantize(self, name: str) -> None:
        dialog = QuantizeDialog(self._bridge, self._cards[name].model, self)
        dialog.made.connect(self._on_added)
        dialog.open()

    # -- exams ---------------------------------------------------------------------------------------

    def _on_exam(self, name: str) -> None:
        card = self._cards[name]
        self._bridge.call(
            ExamineModel(name=name), self._exams.follow, lambda error: card.show_problem(in_words(error)), card
        )

    def _show_exam(self, exam: RunFollower) -> None:
        card = self._cards.get(str(exam.run.config.get("model")))
        if card is not None and exam.terminal is None:
            card.follow_exam(exam)

    def _on_exam_ended(self, exam: RunFollower) -> None:
        card = self._cards.get(str(exam.run.config.get("model")))
        if card is not None:
            card.follow_exam(None)
            if isinstance(exam.terminal, events.Failed):
                card.show_problem(in_words(error_of(exam.terminal)))

    # -- adding --------------------------------------------------------------------------------------

    def _open_import(self) -> None:
        self.show_section("here")
        self._import.open()
        self._show_stack()
        self._area.verticalScrollBar().setValue(0)

    def _on_look(self) -> None:
        self.local.look()
        self._show_stack()

    def _on_ask(self, name: str) -> None:
        self._shell.open_page("chat", recipe=Recipe(model=ModelPart(name=name)))

    def _on_added(self, name: str) -> None:
        self._wanted = name
        self._models.refresh()

    def _on_import(self, path: str, copy: bool) -> None:
        def progressed(batch: Sequence[Event]) -> None:
            for event in batch:
                if isinstance(event, events.Progress):
                    self._import.show_progress(
                        translated(event.stage), event.done / event.total if event.total else None
                    )

        def ended(terminal: Terminal) -> None:
            self._importing = None
            if isinstance(terminal, events.Finished):
                self._import.close_panel()
                self._wanted = str((terminal.result or {}).get("name", ""))
                self._models.refresh()
            else:
                error = error_of(terminal)
                self._import.show_problem("" if isinstance(error, Cancelled) else in_words(error))

        self._import.show_progress(texts.READING_MODEL, None)
        self._importing = self._bridge.stream(ImportModel(path=path, copy=copy), progressed, ended, self)

    def _on_import_stopped(self) -> None:
        if self._importing is not None:
            self._importing.cancel()

    def _on_starter(self) -> None:
        assert self._empty.button is not None
        self._empty.button.setEnabled(False)
        self._empty.button.setText(texts.PREPARING_STARTER)
        self._starter_error.hide()
        self._bridge.call(RegisterStarter(), self._on_starter_ready, self._on_starter_failed, self)

    def _on_starter_ready(self, found: ModelList) -> None:
        self._reset_starter()
        self._models.refresh()

    def _on_starter_failed(self, error: Exception) -> None:
        self._reset_starter()
        self._starter_error.setText(in_words(error))
        self._starter_error.show()

    def _reset_starter(self) -> None:
        assert self._empty.button is not None
        self._empty.button.setEnabled(True)
        self._empty.button.setText(texts.USE_STARTER)

    def show_drop(self, over: bool) -> None:
        if over:
            self._open_import()
        self._import.set_over(over)

    def take_files(self, paths: list[str]) -> None:
        self._import.set_path(paths[0])


def _order(model: ModelRecord) -> tuple[int, str]:
    return ("chat", "base", "embedder").index(model.kind), model.name.lower()
