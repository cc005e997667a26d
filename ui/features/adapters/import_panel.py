"""Imports an adapter: a GGUF LoRA, or a PEFT folder, which is converted for a model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFileDialog, QLineEdit, QWidget

from ui.bridge import Bridge, Handle
from ui.components import adapter_texts as texts
from ui.components.basics import ElidedLabel, InlineMessage, PlainButton, ProgressLine
from ui.components.choice_box import ChoiceBox
from ui.components.dialog import Dialog, LabelledField
from ui.components.layout import row_of
from ui.components.wording import how_far, in_words
from workbench.api import events
from workbench.api.events import Event, Terminal
from workbench.api.protocol import error_of, read_result
from workbench.base.errors import Cancelled
from workbench.subjects.adapters.calls import ImportAdapter
from workbench.subjects.models.calls import ListModels, ModelList


class ImportDialog(Dialog):
    """``imported`` sends the adapter's name."""

    imported = Signal(str)

    def __init__(self, bridge: Bridge, parent: QWidget | None = None, path: str = "") -> None:
        super().__init__(texts.IMPORT_ADAPTER, texts.IMPORT_HELP, texts.IMPORT, parent)
        self._bridge = bridge
        self._handle: Handle | None = None
        self._path = ""
        self.file_button = PlainButton(texts.CHOOSE_FILE, "file")
        self.folder_button = PlainButton(texts.CHOOSE_FOLDER, "folder")
        for button in (self.file_button, self.folder_button):
            button.setAutoDefault(False)
        self.file_button.clicked.connect(lambda: self._choose(QFileDialog.FileMode.ExistingFile))
        self.folder_button.clicked.connect(lambda: self._choose(QFileDialog.FileMode.Directory))
        self.chosen = ElidedLabel("", "muted")
        row = row_of(None, self.file_button, self.folder_button, (self.chosen, 1))
        self.model = ChoiceBox(texts.BASE_MODEL)
        self.name = QLineEdit(placeholderText=texts.NAME_OF_FILE)
        self.problem = InlineMessage()
        self.progress = ProgressLine(stop_clicked=self._on_stop, visible=False)
        self.inside.addWidget(LabelledField(texts.ADAPTER, "", row))
        self.inside.addWidget(LabelledField(texts.BASE_MODEL, texts.BASE_MODEL_HELP, self.model))
        self.inside.addWidget(LabelledField(texts.NAME, texts.NAME_HELP, self.name))
        self.below.addWidget(self.problem)
        self.below.addWidget(self.progress)
        self.inside.addStretch(1)
        self.go.clicked.connect(self._on_go)
        self.resize(600, 470)
        self.set_path(path)
        bridge.home.listing(ListModels()).follow(self._on_models)

    def set_path(self, path: str) -> None:
        self._path = path
        self.chosen.set_full_text(Path(path).name if path else texts.NOTHING_CHOSEN)
        self.chosen.setToolTip(path)
        self._show_state()

    def _choose(self, mode: QFileDialog.FileMode) -> None:
        dialog = QFileDialog(self, texts.CHOOSE_ADAPTER)
        dialog.setFileMode(mode)
        if mode == QFileDialog.FileMode.ExistingFile:
            dialog.setNameFilters([texts.FILTER_GGUF, texts.FILTER_ALL])
        dialog.fileSelected.connect(self.set_path)
        dialog.open()

    def _on_models(self, found: ModelList) -> None:
        models = [m.name for m in found.models if m.kind in ("chat", "base") and not m.missing]
        self.model.set_choices([(name, name) for name in models])
        self._show_state()

    def _show_state(self) -> None:
        running = self._handle is not None
        why = (
            texts.CHOOSE_FIRST
            if not self._path
            else texts.NO_MODEL
            if not (self.model.count())
            else texts.IMPORTING
            if running
            else ""
        )
        self.go.setEnabled(not why)
        self.go.setToolTip(why)

    def _on_go(self) -> None:
        call = ImportAdapter(path=self._path, model=self.model.value, name=self.name.text().strip())

        def take(batch: Sequence[Event]) -> None:
            for event in batch:
                if isinstance(event, events.Progress):
                    share, _ = how_far(event)
                    self.progress.set_progress(event.stage.capitalize() or texts.IMPORTING_STAGE, share)

        def end(terminal: Terminal) -> None:
            self._handle = None
            self.progress.hide()
            if isinstance(terminal, events.Finished):
                self.imported.emit(read_result(call, terminal.result).name)
                self.accept()
                return
            error = error_of(terminal)
            if not isinstance(error, Cancelled):
                self.problem.show_message(in_words(error), "danger")
            self._show_state()

        self.problem.hide()
        self.progress.show()
        self.progress.set_progress(texts.READING_ADAPTER, None)
        self._handle = self._bridge.stream(call, take, end, self)
        self._show_state()

    def _on_stop(self) -> None:
        if self._handle is not None:
            self._handle.cancel()
