"""Imports an adapter: a GGUF LoRA, or a PEFT folder, which is converted for a model."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFileDialog, QLineEdit, QWidget

from ui.bridge import Bridge
from ui.components import adapter_texts as texts
from ui.components.basics import ElidedLabel, PlainButton
from ui.components.call_dialog import StreamDialog
from ui.components.choice_box import ChoiceBox
from ui.components.dialog import LabelledField
from ui.components.layout import row_of
from ui.components.wording import stage_of
from workbench.api.events import Progress
from workbench.records.training import AdapterRecord
from workbench.subjects.adapters.calls import ImportAdapter
from workbench.subjects.models.calls import ListModels, ModelList


class ImportDialog(StreamDialog):
    """``imported`` sends the adapter's name."""

    imported = Signal(str)

    def __init__(self, bridge: Bridge, parent: QWidget | None = None, path: str = "") -> None:
        super().__init__(bridge, texts.IMPORT_ADAPTER, texts.IMPORT_HELP, texts.IMPORT, parent)
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
        self.inside.addWidget(LabelledField(texts.ADAPTER, "", row))
        self.inside.addWidget(LabelledField(texts.BASE_MODEL, texts.BASE_MODEL_HELP, self.model))
        self.inside.addWidget(LabelledField(texts.NAME, texts.NAME_HELP, self.name))
        self.inside.addStretch(1)
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

    def missing(self) -> str:
        if not self._path:
            return texts.CHOOSE_FIRST
        return "" if self.model.count() else texts.NO_MODEL

    def make_call(self) -> ImportAdapter:
        return ImportAdapter(path=self._path, model=self.model.value, name=self.name.text().strip())

    def words_of(self, progress: Progress | None) -> str:
        return texts.READING_ADAPTER if progress is None else stage_of(progress) or texts.IMPORTING_STAGE

    def take_result(self, made: AdapterRecord) -> None:
        self.imported.emit(made.name)
        self.accept()
