"""Chats of other programs: the choice of their export, and what came of it."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QFileDialog, QWidget

from ui import texts
from ui.bridge import Bridge
from ui.components.wording import describe_count, in_words
from workbench.subjects.chats.calls import ImportChats, Imported

Tell = Callable[[str, str], None]
"""Shows a sentence; its kind is info, success or danger."""


class ChatImport(QObject):
    """Imports what the person chooses. ``tell`` shows what came of it."""

    def __init__(self, bridge: Bridge, tell: Tell, window: QWidget) -> None:
        super().__init__(window)
        self._bridge = bridge
        self._tell = tell
        self._window = window

    def choose_file(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self._window, texts.IMPORT_CHATS, "", texts.IMPORT_FILES)
        self.import_from(path)

    def choose_folder(self) -> None:
        self.import_from(QFileDialog.getExistingDirectory(self._window, texts.IMPORT_CHATS))

    def import_from(self, path: str) -> None:
        if path:
            self._tell(texts.IMPORTING_CHATS.format(path=path), "info")
            self._bridge.call(ImportChats(path=path), self._on_imported, self._on_refused, self)

    def _on_imported(self, done: Imported) -> None:
        self._tell(describe_import(done), "success")

    def _on_refused(self, error: Exception) -> None:
        self._tell(in_words(error), "danger")


def describe_import(done: Imported) -> str:
    """What was imported, and what was not."""
    chats, messages = describe_count(len(done.chats), "chat"), describe_count(done.messages, "message")
    said = [texts.IMPORTED_CHATS.format(chats=chats, program=done.program, messages=messages)]
    if done.known:
        said.append(texts.IMPORTED_BEFORE.format(chats=describe_count(done.known, "chat")))
    if done.left_out:
        said.append(texts.IMPORT_LEFT_OUT.format(messages=describe_count(done.left_out, "message")))
    return " ".join(said)
