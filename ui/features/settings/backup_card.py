"""Backups: writing one, and restoring the data from one, each a run that is followed here."""

from __future__ import annotations

import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import msgspec
from PySide6.QtCore import QStandardPaths, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QCheckBox, QFileDialog

from ui.bridge import Bridge
from ui.components.basics import Card, InlineMessage, PlainButton, ProgressLine, Text
from ui.components.layout import row_of
from ui.components.run_follower import RunFollower, RunFollowers
from ui.components.wording import describe_bytes, describe_count, how_far, in_words
from ui.features.settings import backup_texts as texts
from ui.features.settings import texts as page_texts
from ui.features.settings.backup_contents import describe_missing
from ui.features.settings.restore_dialog import RestoreDialog
from ui.theme import tokens
from workbench.api import events
from workbench.api.events import Progress, Terminal
from workbench.api.protocol import error_of
from workbench.base.launching import child_environment, python_command
from workbench.records.backup import BackupWritten, Restored
from workbench.subjects.backup.calls import BackUp
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
