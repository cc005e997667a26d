"""Actions of the Train page: taking in examples; pausing, resuming, stopping, exporting, deleting, trying a run."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFileDialog, QWidget

from ui.bridge import Bridge
from ui.components.wording import in_words
from ui.features import MessageKind, ShellActions
from ui.features.training import texts
from ui.features.training.run_list import delete_words
from workbench.api.protocol import Call
from workbench.records.training import AdapterRecord
from workbench.subjects.runs.calls import PauseRun, RemoveRun, ResumeRun, RunRecord, StopRun
from workbench.subjects.trainings.calls import ExportRun

if TYPE_CHECKING:
    from ui.features.training.run_view import TrainRun
import os

from ui.features.training.setup import TrainSetup

_NO_NAME = r'[/\\:*?"<>|]+'
"""What a folder cannot be called."""


class RunActions(QObject):
    """``shown`` is the run that is looked at and ``made`` what it made, None where there is none."""

    answered = Signal(object)
    """A run, as it is since something was done with it."""
    refused = Signal()
    removed = Signal(str)

    def __init__(
        self,
        bridge: Bridge,
        shell: ShellActions,
        shown: Callable[[], RunRecord | None],
        made: Callable[[], AdapterRecord | None],
        page: QWidget,
    ) -> None:
        super().__init__(page)
        self._bridge = bridge
        self._shell = shell
        self._shown = shown
        self._made = made
        self._page = page
        self._view: TrainRun | None = None

    def serve(self, view: TrainRun) -> None:
        """Do what is asked for in the view of the run, and say there what was refused."""
        self._view = view
        view.pause_wanted.connect(lambda: self._ask(PauseRun))
        view.go_on_wanted.connect(lambda: self._ask(ResumeRun))
        view.resume_wanted.connect(lambda: self._ask(ResumeRun))
        view.stop_wanted.connect(lambda: self._ask(StopRun))
        view.export_wanted.connect(self._on_export)
        view.delete_wanted.connect(self._on_delete_wanted)
        view.try_wanted.connect(self._on_try)
        view.merge_wanted.connect(self._on_merge)
        view.test_wanted.connect(self._on_test)

    def delete(self, run: str) -> None:
        self._bridge.call(RemoveRun(run=run), lambda _: self.removed.emit(run), self._complain, self)

    def export(self, run: str, path: str) -> None:
        """Write a run as a folder that runs elsewhere; ``path`` must not be there yet."""
        self._say(texts.EXPORTING, "info")

        def done(folder: str) -> None:
            self._say(texts.EXPORTED.format(folder=folder), "success")

        self._bridge.call(ExportRun(run=run, path=path), done, self._complain, self)

    def _ask(self, call: Callable[..., Call[RunRecord]]) -> None:
        run = self._shown()
        if run is not None:
            self._bridge.call(call(run=run.id), self.answered.emit, self._complain, self)

    def _say(self, words: str, kind: MessageKind) -> None:
        if self._view is not None and self._shown() is not None:
            self._view.message.show_message(words, kind)
        else:
            self._shell.show_message(words, kind)

    def _complain(self, error: Exception) -> None:
        self._say(in_words(error), "danger")
        self.refused.emit()

    def _on_delete_wanted(self) -> None:
        """Ask beside the button that was pressed."""
        run, view = self._shown(), self._view
        if run is None or view is None:
            return

        def delete() -> None:
            view.message.hide()
            self.delete(run.id)

        view.message.show_message(delete_words(run), "attention", texts.DELETE, delete)
        view.message.action_button.setFocus()

    def _on_export(self) -> None:
        run = self._shown()
        if run is None:
            return
        name = f"{re.sub(_NO_NAME, '-', run.title)}-run"
        path, _ = QFileDialog.getSaveFileName(self._page, texts.EXPORT_FOLDER, name)
        if path:
            self.export(run.id, path)

    def _on_try(self) -> None:
        made = self._made()
        if made is not None:
            self._shell.open_page("chat", adapter=made.name)

    def _on_test(self) -> None:
        made = self._made()
        if made is not None:
            self._shell.open_page("feedback", adapter=made.name)

    def _on_merge(self) -> None:
        made = self._made()
        if made is not None:
            from ui.components.merge_dialog import MergeDialog

            MergeDialog(self._bridge, made, self._page).open()


_KINDS = texts.FILTER_EXAMPLES


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
            words = texts.ONE_FILE.format(basename=os.path.basename(paths[0]))
            if len({os.path.dirname(path) for path in paths}) == 1:
                words += texts.DROP_FOLDER
            self._setup.message.show_message(words, "info")
        self._setup.choose_data(paths[0])

    def _on_file_wanted(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self._page, texts.CHOOSE_EXAMPLES, "", _KINDS)
        if path:
            self._setup.choose_data(path)

    def _on_folder_wanted(self) -> None:
        path = QFileDialog.getExistingDirectory(self._page, texts.CHOOSE_EXAMPLES_FOLDER)
        if path:
            self._setup.choose_data(path)

    def _on_new_set_wanted(self) -> None:
        from ui.components.set_builder.dialog import SetBuilder

        dialog = SetBuilder(self._bridge, self._page)
        dialog.built.connect(self._on_built)
        dialog.open()

    def _on_built(self, name: str) -> None:
        self.built.emit()
        self._setup.choose_data(name)
