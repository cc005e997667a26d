"""The dialog that chooses documents: the formats that are read, and all files."""

from __future__ import annotations

from PySide6.QtWidgets import QFileDialog, QWidget

from ui import texts
from workbench.records.document_formats import file_patterns


def choose_documents(parent: QWidget, title: str) -> list[str]:
    """The chosen files; empty when it was cancelled."""
    kinds = f"{texts.DOCUMENT_FILES} ({file_patterns()});;{texts.EVERY_FILE} (*)"
    hidden = QFileDialog.Option.HideNameFilterDetails  # a hundred extensions
    paths, _ = QFileDialog.getOpenFileNames(parent, title, "", kinds, "", hidden)
    return paths
