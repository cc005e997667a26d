"""The note above a page that something did not work, or that the window crashed, with the details to copy."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import QWidget

from ui import texts
from ui.components.basics import InlineMessage, PlainButton
from ui.components.layout import row_of
from ui.faults import Fault, details_of
from ui.theme import tokens

_MOST = 200
"""Characters of a fault that are shown."""


class FaultNote(InlineMessage):
    """It takes a place of its own: what the person works on stays in sight."""

    def __init__(self, logs: Path) -> None:
        super().__init__()
        self.setProperty("place", "banner")
        self._logs = logs
        self._trace = ""
        self.copy_button = PlainButton(texts.COPY_DETAILS, "copy", small=True, clicked=self._on_copy)
        self.log_button = PlainButton(texts.SHOW_LOG, "folder", small=True, clicked=self._on_log)
        buttons = QWidget()
        row_of(buttons, self.copy_button, self.log_button, gap=tokens.SPACE_2)
        self._row.addWidget(buttons, 0, 2)

    def show_fault(self, fault: Fault) -> None:
        """Say what did not work, and how often."""
        summary = fault.summary if len(fault.summary) <= _MOST else f"{fault.summary[: _MOST - 1]}…"
        words = texts.FAULT_SEEN if fault.count == 1 else texts.FAULT_SEEN_AGAIN
        self._say(words.format(summary=summary, count=fault.count), "danger", fault.trace)

    def show_crash(self, trace: str) -> None:
        """Say that the window crashed when it was open before."""
        self._say(texts.CRASHED, "attention", trace)

    def _say(self, words: str, kind: str, trace: str) -> None:
        self._trace = trace
        self.copy_button.setText(texts.COPY_DETAILS)
        self.show_message(words, kind)

    def _on_copy(self) -> None:
        QGuiApplication.clipboard().setText(details_of(self._trace))
        self.copy_button.setText(texts.COPIED)

    def _on_log(self) -> None:
        if not QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._logs))):
            self.show_message(texts.LOG_AT.format(folder=self._logs), "attention")
