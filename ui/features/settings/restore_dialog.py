"""Restoring a backup: what it holds, and where the data is to go."""

from __future__ import annotations

import time
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QButtonGroup, QFileDialog, QLineEdit, QRadioButton, QWidget

from ui.bridge import Bridge
from ui.components.basics import InlineMessage, PlainButton, Text
from ui.components.dialog import Dialog
from ui.components.layout import column_of, row_of
from ui.components.wording import describe_bytes, describe_count, in_words
from ui.features.settings import backup_texts as texts
from ui.features.settings.backup_contents import describe_missing
from ui.theme import tokens
from workbench.records.backup import BackupSummary
from workbench.subjects.backup.calls import InspectBackup, RestoreBackup
from workbench.subjects.runs.calls import RunRecord


class RestoreDialog(Dialog):
    """Begins a run that restores the backup at ``path``; ``begun`` sends it."""

    begun = Signal(object)

    def __init__(self, bridge: Bridge, path: str, parent: QWidget | None) -> None:
        super().__init__(texts.RESTORE_TITLE, "", texts.RESTORE_NOW, parent)
        self._bridge, self._path = bridge, path
        self._readable = False
        self.facts = Text(texts.READING, "body")
        self.missing = Text("", "small", visible=False)
        self.in_folder = QRadioButton(texts.IN_FOLDER, checked=True)
        self.in_place = QRadioButton(texts.IN_PLACE)
        self._group = QButtonGroup(self)
        for button in (self.in_folder, self.in_place):
            self._group.addButton(button)
        self.folder = QLineEdit(accessibleName=texts.FOLDER)
        self.folder.textChanged.connect(self._show_state)
        self.choose = PlainButton(texts.CHOOSE_FOLDER, "folder", small=True, autoDefault=False, clicked=self._on_choose)
        self.message = InlineMessage(closable=False)
        self.inside.addWidget(self.facts)
        self.inside.addWidget(self.missing)
        folder_row = row_of(None, self.folder, self.choose, gap=tokens.SPACE_2)
        for button, help, row in (
            (self.in_folder, texts.IN_FOLDER_HELP, folder_row),
            (self.in_place, texts.IN_PLACE_HELP, None),
        ):
            choice = QWidget()
            inner = column_of(choice, button, gap=tokens.SPACE_1)
            below = column_of(
                None, Text(help, "small"), gap=tokens.SPACE_2, margins=(tokens.SPACE_6, 0, 0, tokens.SPACE_2)
            )
            if row is not None:
                below.addLayout(row)
            inner.addLayout(below)
            self.inside.addWidget(choice)
        self.below.addWidget(self.message)
        self._group.buttonToggled.connect(self._show_state)
        self.go.clicked.connect(self._on_go)
        self._show_state()
        bridge.call(InspectBackup(path=path), self._on_summary, self._on_failed, self)

    def _on_summary(self, summary: BackupSummary) -> None:
        self._readable = True
        self.facts.setText(
            texts.RESTORE_FACTS.format(
                name=Path(self._path).name,
                date=time.strftime("%d %B %Y, %H:%M", time.localtime(summary.created)),
                version=summary.version,
                home=summary.home,
                files=describe_count(summary.files, "file"),
                bytes=describe_bytes(summary.bytes),
            )
        )
        self.missing.setText(describe_missing(summary))
        self.missing.setVisible(bool(self.missing.text()))
        self._show_state()

    def _on_failed(self, error: Exception) -> None:
        self.facts.setVisible(self._readable)
        self.message.show_message(in_words(error), "danger")

    def _show_state(self) -> None:
        inside = self.in_folder.isChecked()
        self.folder.setEnabled(inside)
        self.choose.setEnabled(inside)
        named = not inside or bool(self.folder.text().strip())
        self.go.setEnabled(self._readable and named)
        self.go.setToolTip("" if named else texts.FOLDER_NEEDED)

    def _on_choose(self) -> None:
        if path := QFileDialog.getExistingDirectory(self, texts.IN_FOLDER, self.folder.text()):
            self.folder.setText(path)

    def _on_go(self) -> None:
        folder = self.folder.text().strip() if self.in_folder.isChecked() else ""
        self.message.hide()
        self._bridge.call(RestoreBackup(path=self._path, folder=folder), self._on_begun, self._on_failed, self)

    def _on_begun(self, run: RunRecord) -> None:
        self.begun.emit(run)
        self.accept()
