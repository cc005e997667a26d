"""New versions: asked for when the button is pressed, after the network was allowed; downloaded, never started."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import QPlainTextEdit, QWidget

from ui.bridge import Bridge, Handle
from ui.components.basics import InlineMessage, PlainButton, ProgressLine, Text
from ui.components.layout import column_of, row_of
from ui.components.wording import describe_bytes, how_far, in_words
from ui.features.settings import texts
from ui.theme import tokens
from workbench.api import events
from workbench.api.events import Event, Progress, Terminal
from workbench.api.protocol import Call, error_of, read_result
from workbench.base.settings import Settings
from workbench.subjects.machine.calls import ChangeSettings, CheckUpdate, DownloadUpdate, GetSettings, Update

MOST_LINES = 8
"""Of the notes; more are scrolled."""


class UpdatePart(QWidget):
    """Without permission the button still asks the core, which says why not, and asks nobody else."""

    def __init__(self, bridge: Bridge) -> None:
        super().__init__()
        self._bridge = bridge
        self._allowed = self._offline = False
        self._asking: Handle | None = None
        self.found: Update | None = None
        self.permission = InlineMessage(closable=False)
        self.message = InlineMessage()
        self.progress = ProgressLine(visible=False)
        self.progress.stop_button.setText(texts.CANCEL)
        self.progress.stop_clicked.connect(self._on_cancel)
        self.check_button = PlainButton(texts.CHECK, "refresh", small=True, clicked=self._on_check)
        self.version = Text("", "body")
        self.notes = QPlainTextEdit(readOnly=True, accessibleName=texts.NOTES)
        self._notes_title = Text(texts.NOTES, "muted")
        self.file = Text("", "body")
        self.place = Text("", "small")
        self.copy_button = PlainButton(texts.COPY_URL, "copy", small=True, clicked=self._on_copy)
        self.download_button = PlainButton(texts.DOWNLOAD, "download", small=True, clicked=self._on_download)
        self._news = QWidget()
        actions = row_of(None, self.download_button, self.copy_button, None, gap=tokens.SPACE_2)
        column_of(
            self._news, self.version, self._notes_title, self.notes, self.file, self.place, actions, gap=tokens.SPACE_2
        )
        self._news.hide()
        column_of(
            self, Text(texts.UPDATES, "strong"), Text(texts.UPDATES_HELP, "small"), self.permission, self._news,
            self.progress, self.message, row_of(None, self.check_button, None), gap=tokens.SPACE_2,
        )  # fmt: skip
        bridge.home.listing(GetSettings()).follow(self._on_settings)

    # -- permission ----------------------------------------------------------------------------------

    def _on_settings(self, settings: Settings) -> None:
        self._offline = settings.general.offline
        self._allowed = settings.network.updates and not self._offline
        if self._allowed:
            self.permission.hide()
        else:
            words = f"{texts.UPDATES_OFF} {texts.OFFLINE_TOO}" if self._offline else texts.UPDATES_OFF
            self.permission.show_message(words, "info", texts.ALLOW, self._on_allow)

    def _on_allow(self) -> None:
        def allowed(settings: Settings) -> None:
            self.message.hide()
            self._bridge.home.listing(GetSettings()).put(settings)

        call = ChangeSettings(values={"network": {"updates": True}, "general": {"offline": False}})
        self._bridge.call(call, allowed, self._complain, self)

    def _complain(self, error: Exception) -> None:
        self.message.show_message(in_words(error), "danger")

    # -- asking --------------------------------------------------------------------------------------

    def _on_check(self) -> None:
        self._news.hide()
        self._ask(CheckUpdate(), texts.CHECKING, self._show)

    def _on_download(self) -> None:
        assert self.found is not None
        self._ask(DownloadUpdate(), texts.DOWNLOADING.format(file=self.found.file), self._show_download)

    def _ask(self, call: Call[Update], words: str, show: Callable[[Update], None]) -> None:
        def progressed(batch: Sequence[Event]) -> None:
            for event in batch:
                if isinstance(event, Progress):
                    share, numbers = how_far(event)
                    self.progress.set_progress(words, share, numbers, event.seconds_left)

        def ended(terminal: Terminal) -> None:
            self._set_asking(None)
            if isinstance(terminal, events.Finished):
                show(read_result(call, terminal.result))
            elif isinstance(terminal, events.Failed):
                self._complain(error_of(terminal))

        self.message.hide()
        self.progress.set_progress(words)
        self._set_asking(self._bridge.stream(call, progressed, ended, self))

    def _set_asking(self, handle: Handle | None) -> None:
        self._asking = handle
        self.progress.setVisible(handle is not None)
        for button in (self.check_button, self.download_button):
            button.setEnabled(handle is None)
            button.setToolTip(self.progress.words if handle is not None else "")

    def _on_cancel(self) -> None:
        if self._asking is not None:
            self.progress.set_progress(texts.CANCELLING)
            self._asking.cancel()

    # -- what was found ------------------------------------------------------------------------------

    def _show(self, update: Update) -> None:
        self.found = update
        if not update.newer:
            self.message.show_message(texts.LATEST.format(current=update.current), "success")
            return
        self.version.setText(
            texts.NEWER.format(version=update.version, published=update.published, current=update.current)
        )
        self.notes.setPlainText(update.notes)
        lines = min(MOST_LINES, len(update.notes.splitlines()) + 1)
        self.notes.setFixedHeight(lines * self.notes.fontMetrics().lineSpacing() + 2 * tokens.SPACE_3)
        for part in (self._notes_title, self.notes):
            part.setVisible(bool(update.notes))
        size = describe_bytes(update.bytes)
        self.file.setText(
            texts.FILE_SIZE.format(file=update.file, bytes=size)
            if update.file
            else texts.NO_FILE.format(current=update.current)
        )
        self.place.setText(texts.PLACE.format(url=update.url))
        for shown in (self.place, self.copy_button):
            shown.setVisible(bool(update.url))
        self.download_button.setVisible(bool(update.file))
        self._news.show()

    def _show_download(self, update: Update) -> None:
        folder = Path(update.path).parent
        words = texts.DOWNLOADED.format(path=update.path, how=update.how).strip()
        self.message.show_message(words, "success", texts.OPEN_FOLDER, lambda: self._open(folder))

    def _on_copy(self) -> None:
        if self.found is not None:
            QGuiApplication.clipboard().setText(self.found.url)

    def _open(self, folder: Path) -> None:
        if not QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder))):
            self.message.show_message(texts.CANNOT_OPEN.format(folder=folder), "attention")
