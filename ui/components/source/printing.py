"""Prints what a source shows, or saves it as a PDF file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path, PurePath

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFileDialog, QMenu, QWidget

from ui import texts
from ui.components.basics import IconButton
from ui.theme.theme import current_theme

Made = Callable[[str, str], None]
"""Takes the pages as HTML, and their title."""


class SourcePrinting(QObject):
    """``button`` offers to print and to save. ``make`` is called for the pages; ``said`` sends what to say of a saved
    file, with the kind of the note."""

    said = Signal(str, str)

    def __init__(self, make: Callable[[Made], None], parent: QWidget) -> None:
        super().__init__(parent)
        self._make = make
        self._window = parent
        self.button = IconButton("print", texts.PRINT_SOURCE, clicked=self._on_pressed)

    def make_menu(self) -> QMenu:
        menu = QMenu(self.button)
        icon = current_theme().icon
        menu.addAction(icon("print"), texts.PRINT, self.show_preview)
        menu.addAction(icon("file"), texts.SAVE_PDF, self.choose)
        return menu

    def show_preview(self) -> None:
        """Show the pages, and print them from there."""

        def made(html: str, title: str) -> None:
            from ui.components.printing import PrintPreview  # slow to import, and seldom needed

            PrintPreview(html, title, self._window.window()).open()

        self._make(made)

    def choose(self) -> None:
        """Ask for the file, and write it."""

        def made(html: str, title: str) -> None:
            path, _ = QFileDialog.getSaveFileName(
                self._window, texts.SAVE_PDF_TITLE, f"{PurePath(title).stem}.pdf", texts.PDF_FILES
            )
            if path:
                self.write(html, Path(path) if path.lower().endswith(".pdf") else Path(path + ".pdf"), title)

        self._make(made)

    def write(self, html: str, path: Path, title: str) -> None:
        from ui.components.printing import PdfWriting

        writing = PdfWriting(self)
        writing.written.connect(lambda written: self.said.emit(texts.PDF_SAVED.format(path=written), "success"))
        writing.failed.connect(lambda why: self.said.emit(texts.PDF_FAILED.format(path=path, reason=why), "danger"))
        writing.write(html, path, title)

    def _on_pressed(self) -> None:
        menu = self.make_menu()
        menu.popup(self.button.mapToGlobal(self.button.rect().bottomLeft()))
