"""Looks up which of the files that the answers of a chat cite have changed since they were read, and says so there."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer
from PySide6.QtGui import QWindow
from PySide6.QtWidgets import QApplication, QWidget

from ui.bridge import Bridge
from ui.features.chat.conversation.answer_sources import AnswerSources
from workbench.subjects.documents.calls import ChangedFileList, FindChangedFiles

SOON_MS = 400
MOST_FILES = 60


class ChangedSources(QObject):
    """``check`` looks them up soon; so does a return to the window: a person may have changed a file meanwhile."""

    def __init__(self, bridge: Bridge, conversation: QWidget) -> None:
        super().__init__(conversation)
        self._bridge, self._conversation = bridge, conversation
        self._soon = QTimer(self, singleShot=True, interval=SOON_MS, timeout=self._on_due)
        application = QApplication.instance()
        if isinstance(application, QApplication):
            application.focusWindowChanged.connect(self._on_focus)

    def check(self) -> None:
        self._soon.start()

    def _on_focus(self, window: QWindow | None) -> None:
        if window is not None:
            self.check()

    def _on_due(self) -> None:
        cited = {one.path: one.document_hash for shown in self._answers() for one in shown.citations}
        files = tuple((path, digest) for path, digest in cited.items() if digest)[-MOST_FILES:]
        if files:
            self._bridge.call(FindChangedFiles(files=files), self._on_found, owner=self)

    def _on_found(self, found: ChangedFileList) -> None:
        for shown in self._answers():
            shown.show_changed(found.paths)

    def _answers(self) -> list[AnswerSources]:
        return self._conversation.findChildren(AnswerSources)
