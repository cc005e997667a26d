"""How examples come into a training that is put together: chosen, dropped, or built into a set."""

from __future__ import annotations

import importlib
import os

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFileDialog, QWidget

from ui.bridge import Bridge
from ui.features.training.setup import TrainSetup

_KINDS = "Examples (*.jsonl *.json *.csv *.tsv *.parquet *.arrow *.txt *.md);;All files (*)"


class TrainIntake(QObject):
    """``built``: there is a new set, and the training takes it. Dialogs open over ``page``."""

    built = Signal()

    def __init__(self, bridge: Bridge, setup: TrainSetup, page: QWidget) -> None:
        super().__init__(page)
        self._bridge = bridge
        self._setup = setup
        self._page = page
        setup.file_wanted.connect(self._on_file_wanted)
        setup.folder_wanted.connect(self._on_folder_wanted)
        setup.new_set_wanted.connect(self._on_new_set_wanted)

    def offer(self, paths: list[str]) -> None:
        """Take the first of what was dropped, and say so where it was more."""
        if len(paths) > 1:
            words = f"A training takes one file or one folder: this is {os.path.basename(paths[0])}."
            if len({os.path.dirname(path) for path in paths}) == 1:
                words += " Drop the folder to take all of its files."
            self._setup.message.show_message(words, "info")
        self._setup.choose_data(paths[0])

    def _on_file_wanted(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self._page, "Choose examples", "", _KINDS)
        if path:
            self._setup.choose_data(path)

    def _on_folder_wanted(self) -> None:
        path = QFileDialog.getExistingDirectory(self._page, "Choose a folder of examples")
        if path:
            self._setup.choose_data(path)

    def _on_new_set_wanted(self) -> None:
        dialog = importlib.import_module("ui.features.training.set_builder").SetBuilder(self._bridge, self._page)
        dialog.built.connect(self._on_built)
        dialog.open()

    def _on_built(self, name: str) -> None:
        self.built.emit()
        self._setup.choose_data(name)
