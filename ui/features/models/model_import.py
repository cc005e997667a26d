"""The panel that adds a model: a place to drop it, and the choice whether its files are copied."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QButtonGroup, QFileDialog, QFrame, QHBoxLayout, QRadioButton

from ui.components.basics import (
    Card,
    ElidedLabel,
    IconButton,
    IconLabel,
    InlineMessage,
    PlainButton,
    PrimaryButton,
    ProgressLine,
    Text,
)
from ui.components.layout import column_of, row_of
from ui.features.models import texts
from ui.theme import tokens
from ui.theme.theme import set_property


class ImportPanel(Card):
    """``chosen`` is sent with a path and whether to copy; ``stopped`` when the person stops the import."""

    chosen = Signal(str, bool)
    stopped = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._path = ""
        self.body.setSpacing(tokens.SPACE_3)
        top = row_of(None, Text(texts.IMPORT_MODEL, "heading"), None)
        self._close = IconButton("close", texts.CLOSE_IMPORT, clicked=self.close_panel)
        top.addWidget(self._close)
        self.body.addLayout(top)
        self.body.addWidget(self._build_drop())
        self.reference = QRadioButton(texts.IMPORT_REFERENCE)
        self.copy = QRadioButton(texts.IMPORT_COPY)
        self.reference.setChecked(True)
        group = QButtonGroup(self)
        for button, words in ((self.reference, texts.IMPORT_REFERENCE_HELP), (self.copy, texts.IMPORT_COPY_HELP)):
            group.addButton(button)
            button.setAccessibleDescription(words)
            column = column_of(None, button, gap=0)
            help = Text(words, "small")
            help.setContentsMargins(28, 0, 0, 0)
            column.addWidget(help)
            self.body.addLayout(column)
        self._problem = InlineMessage()
        self.body.addWidget(self._problem)
        self._progress = ProgressLine(stop_clicked=self.stopped, visible=False)
        self.body.addWidget(self._progress)
        last = QHBoxLayout()
        self._chosen_path = ElidedLabel(texts.NOTHING_CHOSEN, "muted", Qt.TextElideMode.ElideMiddle)
        self.import_button = PrimaryButton(texts.IMPORT, clicked=self._on_import)
        last.addWidget(self._chosen_path, 1)
        last.addWidget(self.import_button)
        self.body.addLayout(last)
        self.set_path("")

    def _build_drop(self) -> QFrame:
        self._drop = QFrame()
        self._drop.setProperty("role", "drop")
        row = row_of(
            self._drop,
            IconLabel("upload", "muted", 24),
            (Text(texts.DROP_MODEL, "body"), 1),
            gap=tokens.SPACE_3,
            margins=tokens.SPACE_4,
        )
        self.file_button = PlainButton(texts.CHOOSE_FILE_BUTTON, "file")
        self.folder_button = PlainButton(texts.CHOOSE_FOLDER_BUTTON, "folder")
        self.file_button.clicked.connect(self._on_choose_file)
        self.folder_button.clicked.connect(self._on_choose_folder)
        row.addWidget(self.file_button)
        row.addWidget(self.folder_button)
        return self._drop

    def open(self) -> None:
        self.show()
        self.file_button.setFocus(Qt.FocusReason.OtherFocusReason)

    def close_panel(self) -> None:
        self.hide()
        self._progress.hide()
        self._problem.hide()
        self.set_path("")

    def set_over(self, over: bool) -> None:
        """Something is being dragged over the page."""
        set_property(self._drop, "over", over)

    def set_path(self, path: str) -> None:
        """Choose a file or folder. While another one is imported it waits."""
        self._path = path
        self._problem.hide()
        self._chosen_path.set_full_text(texts.CHOSEN_PATH.format(path=path) if path else texts.CHOOSE_FIRST)
        set_property(self._chosen_path, "role", "body" if path else "muted")
        if not self._progress.isHidden():
            return
        self.import_button.setEnabled(bool(path))
        self.import_button.setToolTip("" if path else texts.CHOOSE_FIRST)

    def show_progress(self, words: str, share: float | None) -> None:
        self._problem.hide()
        self._progress.show()
        self._progress.set_progress(words.capitalize(), share)
        self.import_button.setEnabled(False)
        self.import_button.setToolTip(texts.IMPORTING)

    def show_problem(self, text: str) -> None:
        """The import has ended without a model; an empty text says nothing (it was stopped)."""
        self._progress.hide()
        self.import_button.setEnabled(bool(self._path))
        self.import_button.setToolTip("" if self._path else texts.CHOOSE_FIRST)
        if text:
            self._problem.show_message(text, "danger")

    @property
    def problem(self) -> str:
        return self._problem.text if not self._problem.isHidden() else ""

    def _on_choose_file(self) -> None:
        self._ask(texts.CHOOSE_FILE, QFileDialog.FileMode.ExistingFile)

    def _on_choose_folder(self) -> None:
        self._ask(texts.CHOOSE_FOLDER, QFileDialog.FileMode.Directory)

    def _ask(self, title: str, mode: QFileDialog.FileMode) -> None:
        dialog = QFileDialog(self, title)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setFileMode(mode)
        if mode == QFileDialog.FileMode.ExistingFile:
            dialog.setNameFilters([texts.FILTER_MODELS, texts.FILTER_ALL])
        dialog.fileSelected.connect(self.set_path)
        dialog.open()

    def _on_import(self) -> None:
        self.chosen.emit(self._path, self.copy.isChecked())
