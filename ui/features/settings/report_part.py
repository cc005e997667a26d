"""The report for a question for help: what it holds, and where it was saved."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFileDialog, QWidget

from ui.bridge import Bridge
from ui.components.basics import FoldButton, InlineMessage, PlainButton, Text
from ui.components.layout import column_of, row_of
from ui.components.wording import describe_bytes, in_words
from ui.features.settings import texts
from ui.theme import tokens
from workbench.records.diagnosis import Diagnosis
from workbench.subjects.machine.calls import SavedReport, SaveReport


class ReportPart(QWidget):
    """Saves the report that ``workbench doctor --report`` writes."""

    def __init__(self, bridge: Bridge) -> None:
        super().__init__()
        self._bridge = bridge
        self.save_button = PlainButton(texts.SAVE_REPORT, "export", small=True, clicked=self._on_save)
        self.content = Text(texts.READING, "code")
        self.fold = FoldButton(texts.REPORT_CONTENT, self.content)
        self.message = InlineMessage()
        column_of(
            self, Text(texts.REPORT, "strong"), Text(texts.REPORT_HELP, "small"), self.fold, self.content, self.message,
            row_of(None, self.save_button, None), gap=tokens.SPACE_2,
        )  # fmt: skip

    def show_content(self, found: Diagnosis) -> None:
        self.content.setText(found.text())

    def save_to(self, path: str) -> None:
        path = path if path.lower().endswith(".zip") else f"{path}.zip"
        self.message.show_message(texts.REPORT_SAVING)
        self._bridge.call(SaveReport(path=path), self._on_saved, self._on_failed, self)

    def _on_save(self) -> None:
        path, _ = QFileDialog.getSaveFileName(self, texts.SAVE_REPORT, texts.REPORT_NAME, texts.REPORT_FILES)
        if path:
            self.save_to(path)

    def _on_saved(self, saved: SavedReport) -> None:
        folder = Path(saved.path).parent
        words = texts.REPORT_SAVED.format(path=saved.path, bytes=describe_bytes(saved.bytes))
        self.message.show_message(words, "success", texts.OPEN_FOLDER, lambda: self._open(folder))

    def _on_failed(self, error: Exception) -> None:
        self.message.show_message(in_words(error), "danger")

    def _open(self, folder: Path) -> None:
        if not QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder))):
            self.message.show_message(texts.CANNOT_OPEN.format(folder=folder), "attention")
