"""Files dropped on the chat: the offer to add them to its documents, and how far their reading is."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from ui.bridge import Bridge
from ui.components.basics import InlineMessage, ProgressLine
from ui.components.layout import column_of
from ui.components.run_follower import IngestFollower
from ui.components.wording import describe_count
from ui.features.chat import texts
from workbench.api.calls import AddDocuments, RunRecord


class Intake(QWidget):
    """Hidden until something was dropped."""

    documents_wanted = Signal()

    def __init__(self, bridge: Bridge, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._collection = ""
        self._reading: IngestFollower | None = None
        self.message = InlineMessage()
        self.progress = ProgressLine(stop_clicked=self._on_stop, visible=False)
        column_of(self, self.message, self.progress)

    def set_collection(self, name: str) -> None:
        """The collection that this chat's answers lean on; empty for none."""
        self._collection = name

    def offer(self, paths: Sequence[str]) -> None:
        """Ask whether the files are to be added."""
        what = describe_count(len(paths), texts.FILE_OR_FOLDER, texts.FILES_AND_FOLDERS)
        if not self._collection:
            self.message.show_message(texts.NO_COLLECTION, "info", texts.OPEN_DOCUMENTS, self.documents_wanted.emit)
            return
        self.message.show_message(
            texts.ASK_ADD.format(what=what, _collection=self._collection),
            "info",
            texts.ADD,
            lambda: self._add(tuple(paths)),
        )
        self.message.action_button.setFocus()

    def _add(self, paths: tuple[str, ...]) -> None:
        self.message.hide()
        call = AddDocuments(collection=self._collection, paths=paths)
        self._bridge.call(call, self._on_run, self._on_error, self)

    def _on_error(self, error: Exception) -> None:
        self.message.show_message(str(error), "danger")

    def _on_run(self, run: RunRecord) -> None:
        if self._reading is not None:
            self._reading.leave()
        self._reading = IngestFollower(self._bridge, run, self)
        self._reading.told.connect(self._on_progress)
        self._reading.ended.connect(self._on_ended)
        self._on_progress()
        self.progress.show()

    def _on_progress(self) -> None:
        run = self._reading
        if run is not None:
            self.progress.set_progress(run.words, run.share, run.numbers, run.progress.seconds_left)

    def _on_ended(self) -> None:
        run = self._reading
        self.progress.hide()
        if run is not None:
            kind = "attention" if run.failed or not run.result else "success"
            self.message.show_message(run.outcome, kind, texts.SHOW if run.failed else "", self.documents_wanted.emit)

    def _on_stop(self) -> None:
        if self._reading is not None:
            self._reading.stop()
