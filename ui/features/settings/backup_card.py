"""Backups: writing one, and restoring the data from one, each a run that is followed here.

Restoring a backup: what it holds, and where the data is to go.
"""

from __future__ import annotations

import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import msgspec
from PySide6.QtCore import QStandardPaths, QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QButtonGroup, QCheckBox, QFileDialog, QLineEdit, QRadioButton, QWidget

from ui.bridge import Bridge
from ui.components.basics import Card, InlineMessage, PlainButton, ProgressLine, Text
from ui.components.call_dialog import CallDialog
from ui.components.layout import column_of, row_of
from ui.components.run_follower import RunFollower, RunFollowers
from ui.components.wording import describe_bytes, describe_count, how_far, in_words
from ui.features.settings import backup_texts as texts
from ui.features.settings import texts as page_texts
from ui.features.settings.backup_contents import describe_missing
from ui.theme import tokens
from workbench.api import events
from workbench.api.events import Progress, Terminal
from workbench.api.protocol import error_of
from workbench.base.launching import child_environment, python_command
from workbench.records.backup import BackupSummary, BackupWritten, Restored
from workbench.subjects.backup.calls import BackUp, InspectBackup, RestoreBackup
from workbench.subjects.runs.calls import RunRecord


class BackupCard(Card):
    def __init__(self, bridge: Bridge) -> None:
        super().__init__(margin=tokens.SPACE_5)
        self._bridge = bridge
        self.without_downloads = QCheckBox(texts.WITHOUT_DOWNLOADS, toolTip=texts.WITHOUT_DOWNLOADS_HELP)
        self.back_up_button = PlainButton(texts.BACK_UP, "export", small=True, clicked=self._on_back_up)
        self.restore_button = PlainButton(texts.RESTORE, "folder", small=True, clicked=self._on_restore)
        self.progress = ProgressLine(visible=False)
        self.progress.stop_clicked.connect(self._on_stop)
        self.message = InlineMessage()
        self._follower: RunFollower | None = None
        self._runs = RunFollowers(bridge, ("backup", "restore"), self)
        self._runs.began.connect(self._on_began)
        self._runs.ended.connect(self._on_ended)
        self.body.setSpacing(tokens.SPACE_3)
        for part in (
            Text(texts.BACKUP, "heading"), Text(texts.BACKUP_HELP, "muted"), self.without_downloads, self.progress,
            self.message,
        ):  # fmt: skip
            self.body.addWidget(part)
        self.body.addLayout(row_of(None, self.back_up_button, self.restore_button, None, gap=tokens.SPACE_2))
        self._runs.find()

    def part(self, field: str) -> PlainButton:
        """The button of a part: backup or restore. Raises KeyError."""
        return {"": self.back_up_button, "backup": self.back_up_button, "restore": self.restore_button}[field]

    def back_up_to(self, path: str) -> None:
        path = path if path.lower().endswith(".zip") else f"{path}.zip"
        call = BackUp(path=path, without_downloads=self.without_downloads.isChecked())
        self._bridge.call(call, self._runs.follow, self._complain, self)

    def restore_from(self, path: str) -> RestoreDialog:
        dialog = RestoreDialog(self._bridge, path, self.window())
        dialog.begun.connect(self._runs.follow)
        dialog.open()
        return dialog

    # -- what happens --------------------------------------------------------------------------------

    def _on_back_up(self) -> None:
        folder = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DocumentsLocation)
        name = texts.BACKUP_NAME.format(date=time.strftime("%Y-%m-%d"))
        path, _ = QFileDialog.getSaveFileName(self, texts.BACK_UP, str(Path(folder) / name), texts.BACKUP_FILES)
        if path:
            self.back_up_to(path)

    def _on_restore(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, texts.RESTORE, "", texts.BACKUP_FILES)
        if path:
            self.restore_from(path)

    def _on_began(self, follower: RunFollower) -> None:
        self._follower = follower
        follower.progressed.connect(partial(self._on_progress, follower))
        self.message.hide()
        self.progress.set_progress(self._words(follower.run))
        self.progress.show()
        self._show_state()

    def _on_progress(self, follower: RunFollower, progress: Progress) -> None:
        share, numbers = how_far(progress)
        self.progress.set_progress(self._words(follower.run), share, numbers, progress.seconds_left)

    def _on_stop(self) -> None:
        if self._follower is not None:
            self._follower.stop()

    def _on_ended(self, follower: RunFollower) -> None:
        self._follower = None
        self.progress.hide()
        self._show_state()
        assert follower.terminal is not None
        self._tell(follower.run, follower.terminal)

    def _tell(self, run: RunRecord, ended: Terminal) -> None:
        if isinstance(ended, events.Cancelled):
            self.message.show_message(texts.STOPPED)
        elif isinstance(ended, events.Failed):
            self._complain(error_of(ended))
        elif run.kind == "backup":
            self._tell_written(msgspec.convert(ended.result, BackupWritten))
        else:
            self._tell_restored(msgspec.convert(ended.result, Restored), in_place=not run.config.get("folder"))

    def _tell_written(self, written: BackupWritten) -> None:
        files = describe_count(written.summary.files, "file")
        words = texts.WRITTEN.format(path=written.path, size=describe_bytes(written.size), files=files)
        folder = Path(written.path).parent
        self.message.show_message(
            f"{words} {describe_missing(written.summary)}".strip(), "success", page_texts.OPEN_FOLDER,
            partial(self._open_folder, folder),
        )  # fmt: skip

    def _tell_restored(self, restored: Restored, in_place: bool) -> None:
        words = texts.RESTORED_IN_PLACE if in_place else texts.RESTORED_IN_FOLDER.format(home=restored.home)
        if restored.unwatched:
            words += " " + texts.UNWATCHED.format(folders=", ".join(restored.unwatched))
        if in_place:
            self.message.show_message(words, "success", texts.RESTART, self._restart)
        else:
            self.message.show_message(words, "success", texts.OPEN_RESTORED, partial(self._show_home, restored.home))

    def _restart(self) -> None:
        """The next window finds the restored data: this one's core leaves with it."""
        status = self._bridge.status
        if status is not None and self._open_window(status.home):
            self.window().close()

    def _show_home(self, home: str) -> None:
        self._open_window(home)

    def _open_window(self, home: str) -> bool:
        argument = f"--home={home}"
        command = python_command("ui.main", argument, argument)
        command = list(dict.fromkeys(command))  # a frozen program gets its one argument once
        try:
            nowhere = subprocess.DEVNULL
            subprocess.Popen(
                command, stdin=nowhere, stdout=nowhere, stderr=nowhere, env=child_environment(),
                start_new_session=sys.platform != "win32",
            )  # fmt: skip
        except OSError as error:
            self.message.show_message(texts.CANNOT_START.format(problem=error.strerror or error), "danger")
            return False
        return True

    def _open_folder(self, folder: Path) -> None:
        if not QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder))):
            self.message.show_message(page_texts.CANNOT_OPEN.format(folder=folder), "attention")

    def _complain(self, error: Exception) -> None:
        self.message.show_message(in_words(error), "danger")

    def _words(self, run: RunRecord) -> str:
        return texts.BACKING_UP if run.kind == "backup" else texts.RESTORING

    def _show_state(self) -> None:
        for button in (self.back_up_button, self.restore_button):
            button.setEnabled(self._follower is None)
            button.setToolTip("" if self._follower is None else texts.BUSY)


class RestoreDialog(CallDialog):
    """Begins a run that restores the backup at ``path``; ``begun`` sends it."""

    begun = Signal(object)

    def __init__(self, bridge: Bridge, path: str, parent: QWidget | None) -> None:
        super().__init__(bridge, texts.RESTORE_TITLE, "", texts.RESTORE_NOW, parent)
        self._path = path
        self._readable = False
        self.facts = Text(texts.READING, "body")
        self.not_held = Text("", "small", visible=False)
        self.in_folder = QRadioButton(texts.IN_FOLDER, checked=True)
        self.in_place = QRadioButton(texts.IN_PLACE)
        self._group = QButtonGroup(self)
        for button in (self.in_folder, self.in_place):
            self._group.addButton(button)
        self.folder = QLineEdit(accessibleName=texts.FOLDER)
        self.folder.textChanged.connect(self._show_state)
        self.choose = PlainButton(texts.CHOOSE_FOLDER, "folder", small=True, autoDefault=False, clicked=self._on_choose)
        self.inside.addWidget(self.facts)
        self.inside.addWidget(self.not_held)
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
        self._group.buttonToggled.connect(self._show_state)
        self._show_state()
        bridge.call(InspectBackup(path=path), self._on_summary, self._on_refused, self)

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
        self.not_held.setText(describe_missing(summary))
        self.not_held.setVisible(bool(self.not_held.text()))
        self._show_state()

    def _on_refused(self, error: Exception) -> None:
        self.facts.setVisible(self._readable)
        super()._on_refused(error)

    def missing(self) -> str:
        return "" if self.in_place.isChecked() or self.folder.text().strip() else texts.FOLDER_NEEDED

    def _show_state(self) -> None:
        super()._show_state()
        self.go.setEnabled(self.go.isEnabled() and self._readable)
        self.folder.setEnabled(self.in_folder.isChecked())
        self.choose.setEnabled(self.in_folder.isChecked())

    def _on_choose(self) -> None:
        if path := QFileDialog.getExistingDirectory(self, texts.IN_FOLDER, self.folder.text()):
            self.folder.setText(path)

    def make_call(self) -> RestoreBackup:
        return RestoreBackup(path=self._path, folder=self.folder.text().strip() if self.in_folder.isChecked() else "")

    def take_result(self, run: RunRecord) -> None:
        self.begun.emit(run)
        self.accept()
