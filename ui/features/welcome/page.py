"""The welcome page: what the window is for, this machine, a model, some documents, and the first question."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

from PySide6.QtCore import QMargins, Qt, QTimer
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QWidget

from ui.bridge import Bridge
from ui.components.basics import Chip, LinkButton, PlainButton, PrimaryButton, Text
from ui.components.layout import FlowLayout, ScrolledColumn, column_of, empty_layout, row_of
from ui.components.run_follower import RunFollower
from ui.components.wording import describe_bytes, describe_count, in_words, is_small
from ui.features import ShellActions
from ui.features.welcome import texts
from ui.features.welcome.first_steps import DropPlace, FilesRead, PurposeCard, StepCard
from ui.features.welcome.larger_model import LargerModel
from ui.theme import tokens
from workbench.api import events
from workbench.api.events import Terminal
from workbench.api.protocol import error_of
from workbench.base.catalogue import _
from workbench.base.settings import Settings
from workbench.records.documents import SAMPLE_COLLECTION, SAMPLE_FILES, Collection
from workbench.records.local_models import LocalModel
from workbench.records.models import Machine, ModelRecord
from workbench.subjects.documents.calls import AddDocuments, CollectionList, CreateCollection, ListCollections
from workbench.subjects.machine.calls import ChangeSettings, GetMachine, GetSettings, WarmUp
from workbench.subjects.models.calls import (
    FindLocalModels,
    ImportModel,
    ListModels,
    LocalModels,
    ModelList,
    RegisterStarter,
)
from workbench.subjects.runs.calls import RunRecord, Status

_ASKED = "purpose asked"
SAMPLES = Path(__file__).resolve().parents[3] / "resources" / "samples"


class WelcomePage(QWidget):
    """Three steps, each of which shows at once what came of it. It can be left at any time."""

    name, title, icon = "welcome", _("Welcome"), "home"

    def __init__(self, bridge: Bridge, shell: ShellActions) -> None:
        super().__init__()
        self._bridge = bridge
        self._shell = shell
        self._collection: Collection | None = None
        self._run: RunFollower | None = None
        self._has_model = False
        self._asked = False  # whether the person has said what the window is for
        self._warmed_up = False
        self._local_models: tuple[LocalModel, ...] = ()
        self._disk_model: LocalModel | None = None
        self._reading = False
        self._has_sample = False
        self._sample_had_keyboard = False
        self.question_buttons: list[PlainButton] = []
        self._build()
        bridge.status_changed.connect(self._on_status)
        bridge.home.listing(GetMachine()).follow(self._on_machine)
        bridge.home.listing(ListModels()).follow(self._on_models)
        bridge.home.listing(ListCollections()).follow(self._on_collections)
        bridge.home.listing(GetSettings()).follow(self._on_settings)

    def open_target(self) -> None:
        """There is only one thing to see here."""

    def remember(self) -> str:
        """Whether the purpose was asked for: it is asked once."""
        return _ASKED if self._asked else ""

    def recall(self, memory: str) -> None:
        self._asked = self._asked or memory == _ASKED
        self._show_purpose()

    # -- building ------------------------------------------------------------------------------------

    def _build(self) -> None:
        outer = column_of(self)
        margins = QMargins(tokens.SPACE_5, tokens.SPACE_4, tokens.SPACE_5, tokens.SPACE_3)
        self.scrolled = ScrolledColumn(tokens.SPACE_3, width=tokens.READING_WIDTH, margins=margins, centred=True)
        column = self.scrolled.column
        column.addWidget(Text(texts.TITLE, "display"))
        column.addWidget(Text(texts.INTRODUCTION, "muted"))
        machine = QWidget()
        self._machine = FlowLayout(machine)
        self._machine.addWidget(Chip(texts.READING_MACHINE))
        column.addWidget(machine)
        self.purpose = PurposeCard()
        self.purpose.chosen.connect(self._on_purpose)
        self.purpose.hide()
        column.addWidget(self.purpose)
        column.addWidget(self._build_model_step())
        column.addWidget(self._build_documents_step())
        column.addWidget(self._build_question_step())
        self.leave_button = LinkButton(texts.LOOK_AROUND, clicked=lambda: self._shell.open_page("chat"))
        column.addWidget(self.leave_button, 0, Qt.AlignmentFlag.AlignLeft)
        outer.addWidget(self.scrolled)

    def _build_model_step(self) -> StepCard:
        self.model_step = StepCard(1, texts.MODEL_STEP, texts.MODEL_WORDS)
        self.starter_button = PrimaryButton(texts.USE_STARTER, clicked=self._on_starter)
        other = PlainButton(texts.IMPORT_OTHER, "plus", clicked=lambda: self._shell.open_page("models", add=True))
        self.look_button = PlainButton(
            texts.CHECK_AGAIN, clicked=self._bridge.home.listing(ListModels()).refresh, visible=False
        )
        self.larger = LargerModel(self._bridge, self._shell, self)
        row = QWidget()
        flow = FlowLayout(row, tokens.SPACE_2)
        for button in (self.starter_button, self.look_button, other, self.larger.find_button):
            flow.addWidget(button)
        self.model_step.content.addWidget(row)
        for part in self.larger.parts:
            self.model_step.content.addWidget(part)
        self.disk_button = PlainButton("", "models", clicked=self._on_disk_model, visible=False)
        self.model_step.content.addWidget(self.disk_button, 0, Qt.AlignmentFlag.AlignLeft)
        return self.model_step

    def _build_documents_step(self) -> StepCard:
        self.documents_step = StepCard(2, texts.DOCUMENTS_STEP, texts.DOCUMENTS_WORDS)
        self.drop = DropPlace()
        self.drop.dropped.connect(self.add_paths)
        sample = PlainButton(texts.USE_SAMPLE, "documents", toolTip=texts.SAMPLE_HELP, clicked=self._on_sample)
        self.sample_button = sample
        self.files = FilesRead()
        self.files.stop_clicked.connect(self._on_stop)
        self.documents_step.content.addWidget(self.drop)
        row = row_of(None, Text(texts.NO_DOCUMENTS_YET, "muted", wordWrap=False), sample, None)
        self.documents_step.content.addLayout(row)
        self.documents_step.content.addWidget(self.files)
        return self.documents_step

    def _build_question_step(self) -> StepCard:
        self.question_step = StepCard(3, texts.QUESTION_STEP, "")
        self._questions = column_of(gap=tokens.SPACE_2)
        self.question_step.content.addLayout(self._questions)
        self.ask_button = PrimaryButton(texts.ASK_QUESTION, "chat", clicked=self._on_ask)
        row = row_of(None, self.ask_button, None)
        self.question_step.content.addLayout(row)
        self._show_question_step()
        return self.question_step

    # -- what there is -------------------------------------------------------------------------------

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._bridge.home.listing(GetMachine()).refresh()  # how much is free changes by itself
        if not self._warmed_up:  # it takes seconds, in which documents are chosen
            self._warmed_up = True
            self._bridge.call(WarmUp(), lambda result: None, lambda error: None, self)
            self._bridge.call(FindLocalModels(), self._on_local_models, lambda error: None, self)

    def _on_machine(self, machine: Machine) -> None:
        self._show_disk_model()
        graphics = [device.description or device.name for device in machine.devices if device.kind == "gpu"]
        memory = texts.MEMORY.format(
            bytes=describe_bytes(machine.memory_bytes), bytes2=describe_bytes(machine.memory_free_bytes)
        )
        words = [
            describe_count(machine.cores, "processor core"),
            memory,
            graphics[0] if graphics else texts.NO_GRAPHICS,
            texts.FREE_DISK.format(bytes=describe_bytes(machine.disk_free_bytes)),
        ]
        empty_layout(self._machine)
        for word in words:
            self._machine.addWidget(Chip(word))

    def _on_models(self, found: ModelList) -> None:
        chat = next((model for model in found.models if model.kind == "chat" and not model.missing), None)
        self._has_model = chat is not None
        installed = not found.starter_hint
        self.starter_button.setVisible(chat is None and installed)
        self.look_button.setVisible(chat is None and not installed)
        if chat is not None:
            ready = texts.MODEL_READY.format(name=chat.name, bytes=describe_bytes(chat.bytes))
            self.model_step.set_done(f"{ready} {texts.SMALL}" if is_small(chat) else ready)
        elif installed:
            self.model_step.set_words(texts.MODEL_WORDS)
        else:
            self.model_step.set_words(texts.STARTER_NOT_INSTALLED.format(starter_hint=found.starter_hint))
        self._show_disk_model()
        self._show_question_step()

    def _on_collections(self, found: CollectionList) -> None:
        if not found.collections:
            return
        latest = max(found.collections, key=lambda collection: collection.created)
        known = next((c for c in found.collections if self._collection and c.id == self._collection.id), latest)
        self._collection = known
        self._show_sample(any(c.name == SAMPLE_COLLECTION and c.documents >= SAMPLE_FILES for c in found.collections))
        if known.documents and self._run is None:
            self.documents_step.set_done(
                texts.DOCUMENTS_READY.format(count=describe_count(known.documents, "document"), name=known.name)
            )
        self._show_question_step()

    def _on_settings(self, settings: Settings) -> None:
        if settings.general.all_techniques:
            self._asked = True
        self._show_purpose()

    def _show_purpose(self) -> None:
        known = self._bridge.home.listing(GetSettings()).value is not None
        self.purpose.setVisible(known and not self._asked)

    def _on_purpose(self, all: bool) -> None:
        self._asked = True
        had_keyboard = self.purpose.isAncestorOf(self.focusWidget()) if self.focusWidget() is not None else False
        self._show_purpose()
        if had_keyboard:
            self.starter_button.setFocus(Qt.FocusReason.OtherFocusReason)
        call = ChangeSettings(values={"general": {"all_techniques": all}})
        self._bridge.call(call, self._bridge.home.listing(GetSettings()).put, owner=self)

    def _on_status(self, status: Status) -> None:
        running = next((run for run in status.runs if run.kind == "ingest" and run.state == "running"), None)
        if running is not None and self._run is None:
            self._follow(running)

    # -- the steps -----------------------------------------------------------------------------------

    def _on_starter(self) -> None:
        self.model_step.clear_problem()
        self.starter_button.setEnabled(False)
        self.starter_button.setText(texts.PREPARING_STARTER)
        self._bridge.call(RegisterStarter(), self._on_starter_ready, self._on_starter_failed, self)

    def _on_local_models(self, found: LocalModels) -> None:
        self._local_models = tuple(one for one in found.models if not one.known)
        self._show_disk_model()

    def _show_disk_model(self) -> None:
        """Offer the largest model of another program that leaves half of the memory free."""
        machine = self._bridge.home.listing(GetMachine()).value
        room = machine.memory_bytes // 2 if machine is not None else 0
        fitting = [one for one in self._local_models if one.bytes <= room]
        model = self._disk_model = max(fitting, key=lambda one: one.bytes, default=None)
        self.disk_button.setVisible(model is not None and not self._has_model)
        if model is not None:
            size = describe_bytes(model.bytes)
            self.disk_button.setText(texts.FROM_DISK.format(name=model.name, source=model.source, bytes=size))
            self.disk_button.setToolTip(texts.FROM_DISK_HELP.format(path=model.path))

    def _on_disk_model(self) -> None:
        if self._disk_model is None:
            return
        self.model_step.clear_problem()
        self.disk_button.setEnabled(False)
        self._bridge.call(ImportModel(path=self._disk_model.path), self._on_disk_ready, self._on_disk_failed, self)

    def _on_disk_ready(self, model: ModelRecord) -> None:
        self._local_models = ()
        self._show_disk_model()
        self._bridge.home.listing(ListModels()).refresh()

    def _on_disk_failed(self, error: Exception) -> None:
        self.disk_button.setEnabled(True)
        self.model_step.show_problem(in_words(error))

    def _on_starter_ready(self, found: ModelList) -> None:
        self._reset_starter()
        self._bridge.home.listing(ListModels()).refresh()

    def _on_starter_failed(self, error: Exception) -> None:
        self._reset_starter()
        self.model_step.show_problem(in_words(error))

    def _reset_starter(self) -> None:
        self.starter_button.setEnabled(True)
        self.starter_button.setText(texts.USE_STARTER)

    def _on_sample(self) -> None:
        self._sample_had_keyboard = self.sample_button.hasFocus()
        self._add(SAMPLE_COLLECTION, [str(SAMPLES)])

    def add_paths(self, paths: list[str]) -> None:
        """Make a collection named after the first folder, or "My documents", and read the paths into it."""
        folder = next((Path(path).name for path in paths if Path(path).is_dir()), "")
        self._add(folder or texts.MY_DOCUMENTS, paths)

    def _add(self, name: str, paths: list[str]) -> None:
        self.documents_step.clear_problem()
        self._reading = True
        self._show_sample()

        def created(collection: Collection) -> None:
            self._collection = collection
            self.files.begin(texts.READING_INTO.format(name=collection.name))
            watch = all(map(os.path.isdir, paths))
            call = AddDocuments(collection=collection.id, paths=tuple(paths), watch=watch)
            self._bridge.call(call, self._follow, self._on_add_failed, self)

        found = self._bridge.home.listing(ListCollections()).value
        known = next((known for known in found.collections if known.name == name), None) if found is not None else None
        if known is not None:
            created(known)
        else:
            self._bridge.call(CreateCollection(name=name), created, self._on_add_failed, self)

    def _show_sample(self, there: bool | None = None) -> None:
        """The button of the sample, which says why it is off; ``there``: whether all of the sample was read."""
        self._has_sample = self._has_sample if there is None else there
        words, help = texts.USE_SAMPLE, texts.SAMPLE_HELP
        if self._reading:
            help = texts.READING
        elif self._has_sample:
            words, help = texts.SAMPLE_THERE, texts.SAMPLE_READ
        self.sample_button.setEnabled(not self._reading and not self._has_sample)
        self.sample_button.setText(words)
        self.sample_button.setToolTip(help)

    def _on_add_failed(self, error: Exception) -> None:
        self._reading = False
        self._show_sample()
        self.files.end("")
        self.documents_step.show_problem(in_words(error))

    def _follow(self, run: RunRecord) -> None:
        self._run = RunFollower(self._bridge, run, self)
        self._run.arrived.connect(self.files.show_events)
        self._run.ended.connect(self._on_run_ended)
        self._reading = True
        self._show_sample()
        self.files.begin(run.title)

    def _on_run_ended(self, terminal: Terminal) -> None:
        if self._run is not None:
            self._run.deleteLater()
        self._run = None
        self._reading = False
        self._show_sample()
        if isinstance(terminal, events.Failed):
            self.files.end("")
            self.documents_step.show_problem(in_words(error_of(terminal)))
        else:
            self.files.end(texts.STOPPED if isinstance(terminal, events.Cancelled) else "")
        self._bridge.home.listing(ListCollections()).once(self._on_read, self)

    def _on_read(self, found: CollectionList) -> None:
        self._on_collections(found)
        QTimer.singleShot(0, self, self._go_on_to_question)

    def _go_on_to_question(self) -> None:
        inside = self.scrolled.widget()
        if inside is not None and (layout := inside.layout()) is not None:
            layout.activate()  # the files have just been listed above it
        for part in (self.question_step, self.ask_button):
            self.scrolled.ensureWidgetVisible(part, 0, tokens.SPACE_5)
        if self._sample_had_keyboard and self.leave_button.hasFocus() and self.question_buttons:
            self.question_buttons[0].setFocus(Qt.FocusReason.OtherFocusReason)  # not to what leads away
        self._sample_had_keyboard = False

    def _on_stop(self) -> None:
        if self._run is not None:
            self._run.stop()

    def _show_question_step(self) -> None:
        ready = self._collection is not None and self._collection.documents > 0
        sample = ready and self._collection is not None and self._collection.name == SAMPLE_COLLECTION
        if ready and self._has_model:
            words = texts.ANSWERS_CITE_FOR_INSTANCE if sample else texts.ANSWERS_CITE
        else:
            missing = [
                word for word, there in ((texts.A_MODEL, self._has_model), (texts.SOME_DOCUMENTS, ready)) if not there
            ]
            words = texts.NEEDS_FIRST.format(names=texts.AND.join(missing))
        self.question_step.set_words(words)
        self.ask_button.setVisible(ready and self._has_model)
        if bool(self.question_buttons) is (sample and self._has_model):
            return  # the keyboard may be at one of them
        empty_layout(self._questions)
        self.question_buttons = []
        if sample and self._has_model:
            for question in texts.SAMPLE_QUESTIONS:
                button = PlainButton(question, "chat", align="left", clicked=partial(self._ask, question))
                self._questions.addWidget(button)
                self.question_buttons.append(button)

    def _on_ask(self) -> None:
        self._ask("")

    def _ask(self, question: str) -> None:
        assert self._collection is not None
        self._shell.open_page("chat", new=True, collection=self._collection.name, question=question)
