"""Chats to a file or a printer: one, those of a folder, or all; chats of other programs; and the trash."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QFileDialog, QWidget

from ui.bridge import Bridge
from ui.components.chat_import import ChatImport
from ui.components.trash_dialog import TrashDialog
from ui.components.wording import in_words
from ui.features import ShellActions
from ui.features.chat import texts
from ui.features.chat.history.chat_list import HistoryPanel
from workbench.subjects.chats.calls import ExportChats, Exported, RenderChats

_FORMS: dict[str, Literal["markdown", "html", "docx"]] = {".md": "markdown", ".html": "html", ".docx": "docx"}
FILTERS = {
    "PDF (*.pdf)": ".pdf",
    "Word (*.docx)": ".docx",
    "HTML (*.html)": ".html",
    "Markdown (*.md)": ".md",
}


class ChatExport(QObject):
    def __init__(self, bridge: Bridge, shell: ShellActions, parent: QWidget) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._shell = shell
        self._window = parent
        self.imports = ChatImport(bridge, lambda words, kind: shell.show_message(words, kind), parent)  # type: ignore[arg-type]

    def follow(self, history: HistoryPanel) -> None:
        """Do what the menu of the history asks for."""
        history.export_all_wanted.connect(lambda: self.choose((), texts.ALL_CHATS))
        history.trash_wanted.connect(lambda: TrashDialog(self._bridge, self._window.window()).open())
        history.import_wanted.connect(
            lambda folder: self.imports.choose_folder() if folder else self.imports.choose_file()
        )

    def choose(self, chats: Sequence[str], title: str) -> None:
        """Ask for the file; its name says in which form it is."""
        name = "".join(c if c.isalnum() or c in " -_" else " " for c in title).strip() or "chat"
        path, chosen = QFileDialog.getSaveFileName(
            self._window, texts.EXPORT_CHAT, f"{name}.pdf", ";;".join(FILTERS), next(iter(FILTERS))
        )
        if path:
            suffix = Path(path).suffix.lower()
            known = suffix in FILTERS.values()
            self.write(chats, Path(path) if known else Path(path + FILTERS.get(chosen, ".pdf")), title)

    def write(self, chats: Sequence[str], path: Path, title: str) -> None:
        """Write chats to a file, and say so."""
        form = _FORMS.get(path.suffix.lower())
        if form is None:
            self._bridge.call(
                RenderChats(chats=tuple(chats)), lambda html: self._write_pdf(html, path, title), self._refused, self
            )
            return

        def written(done: Exported) -> None:
            self._say_written(done.path)

        self._bridge.call(ExportChats(path=str(path), form=form, chats=tuple(chats)), written, self._refused, self)

    def show_preview(self, chats: Sequence[str], title: str) -> None:
        """Show the pages, and print them from there."""

        def shown(html: str) -> None:
            from ui.components.printing import PrintPreview  # slow to import, and seldom needed

            PrintPreview(html, title, self._window).open()

        self._bridge.call(RenderChats(chats=tuple(chats)), shown, self._refused, self)

    def _write_pdf(self, html: str, path: Path, title: str) -> None:
        from ui.components.printing import PdfWriting

        writing = PdfWriting(self)
        writing.written.connect(self._say_written)
        writing.failed.connect(
            lambda why: self._shell.show_message(texts.NOT_WRITTEN.format(path=path, strerror=why), "danger")
        )
        writing.write(html, path, title)

    def _say_written(self, path: str) -> None:
        self._shell.show_message(texts.EXPORTED.format(path=path), "success")

    def _refused(self, error: Exception) -> None:
        self._shell.show_message(in_words(error), "danger")
