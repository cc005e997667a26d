"""This machine: what it has, what models compute on and why, runtime packs, new versions, and a report.

The report for a question for help: what it holds, and where it was saved.

New versions: asked for when the button is pressed, after the network was allowed; downloaded, never started.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import QFileDialog, QPlainTextEdit, QWidget

from ui.bridge import Bridge, Handle
from ui.components.basics import Card, FoldButton, InlineMessage, Line, PlainButton, ProgressLine, Text
from ui.components.layout import column_of, row_of
from ui.components.wording import describe_bytes, how_far, in_words
from ui.features.settings import texts
from ui.features.settings.facts import Facts
from ui.features.settings.packs_part import PacksPart
from ui.features.settings.training_part import TrainingPart
from ui.theme import tokens
from workbench.api import events
from workbench.api.events import Event, Progress, Terminal
from workbench.api.protocol import Call, error_of, read_result
from workbench.base.catalogue import _, translated
from workbench.base.settings import Settings
from workbench.records.diagnosis import DOCUMENTS, ENGINE, LIBRARY, NO_PACK, OFFICE, RECOGNITION, VARIANT, Diagnosis
from workbench.records.models import Device, Machine
from workbench.subjects.machine.calls import (
    ChangeSettings,
    CheckUpdate,
    Diagnose,
    DownloadUpdate,
    GetMachine,
    GetRuntime,
    GetSettings,
    RuntimeState,
    SavedReport,
    SaveReport,
    Update,
)


class MachineCard(Card):
    """Call ``refresh`` when it comes into sight: what is free, and what computes, change by themselves."""

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(margin=tokens.SPACE_5)
        self._bridge = bridge
        self._asking = False
        self._choice = ""
        self.reason = Text(texts.READING, "body")
        self.problems = Text("", "attention", visible=False)
        self.facts = Facts(
            texts.PROCESSOR, texts.VARIANT, texts.MEMORY, texts.GRAPHICS, texts.FREE_DISK, texts.ENGINE,
            texts.TEXT_RECOGNITION, texts.OLD_OFFICE, unknown=texts.READING,
            wrapped=(texts.PROCESSOR, texts.VARIANT, texts.GRAPHICS, texts.TEXT_RECOGNITION, texts.OLD_OFFICE),
        )  # fmt: skip
        self.packs, self.updates, self.report = PacksPart(bridge), UpdatePart(bridge), ReportPart(bridge)
        self.training = TrainingPart(bridge)
        self.body.setSpacing(tokens.SPACE_3)
        parts = (
            Text(texts.MACHINE, "heading"), Text(texts.MACHINE_HELP, "muted"), self.reason, self.facts, self.problems,
            Line(), self.packs, Line(), self.training, Line(), self.updates, Line(), self.report,
        )  # fmt: skip
        for part in parts:
            self.body.addWidget(part)
        bridge.home.listing(GetMachine()).follow(self._on_machine)
        bridge.home.listing(GetRuntime()).follow(self._on_runtime)

    def part(self, field: str) -> QWidget:
        """The button of a part: pack, training, update or report; "" for the first. Raises KeyError."""
        buttons = {"pack": self.packs.install_button, "update": self.updates.check_button}
        if field == "training":
            return self.training.setup.set_up_button
        return {**buttons, "": self.packs.install_button, "report": self.report.save_button}[field]

    def refresh(self) -> None:
        self._bridge.home.listing(GetMachine()).refresh()
        self._bridge.home.listing(GetRuntime()).refresh()
        self._diagnose()

    def _diagnose(self) -> None:
        if not self._asking:
            self._asking = True
            self._bridge.call(Diagnose(), self._on_diagnosis, self._on_failed, self)

    def _on_diagnosis(self, found: Diagnosis) -> None:
        self._asking = False
        self.facts.set_value(texts.VARIANT, translated(found.fact(ENGINE, VARIANT)) or texts.UNKNOWN)
        self.facts.set_value(texts.ENGINE, found.fact(ENGINE, LIBRARY) or texts.UNKNOWN)
        self.facts.set_value(texts.TEXT_RECOGNITION, found.fact(DOCUMENTS, RECOGNITION) or texts.UNKNOWN)
        self.facts.set_value(texts.OLD_OFFICE, found.fact(DOCUMENTS, OFFICE) or texts.UNKNOWN)
        repeated, _place, _rest = _(NO_PACK).partition("{")
        self._show_problems("\n".join(one for one in found.problems if not one.startswith(repeated)))
        self.report.show_content(found)

    def _on_failed(self, error: Exception) -> None:
        self._asking = False
        for name in (texts.VARIANT, texts.ENGINE, texts.TEXT_RECOGNITION, texts.OLD_OFFICE):
            self.facts.set_value(name, texts.UNKNOWN)
        self._show_problems(texts.CANNOT_DIAGNOSE.format(problem=in_words(error)))

    def _show_problems(self, problems: str) -> None:
        self.problems.setText(problems)
        self.problems.setVisible(bool(problems))

    def _on_runtime(self, state: RuntimeState) -> None:
        self.reason.setText(state.choice.reason)
        if self._choice and self._choice != state.choice.reason and self.isVisible():
            self.refresh()  # another library sees other devices
        self._choice = state.choice.reason

    def _on_machine(self, machine: Machine) -> None:
        graphics = [_described(device) for device in machine.devices if device.kind != "cpu"]
        free = texts.FREE_MEMORY.format(
            bytes=describe_bytes(machine.memory_bytes), bytes2=describe_bytes(machine.memory_free_bytes)
        )
        cores = texts.CORES.format(processor=machine.processor, cores=machine.cores)
        self.facts.set_value(texts.PROCESSOR, cores)
        self.facts.set_value(texts.MEMORY, free)
        self.facts.set_value(texts.GRAPHICS, "; ".join(graphics) or texts.NO_GRAPHICS)
        self.facts.set_value(texts.FREE_DISK, describe_bytes(machine.disk_free_bytes))


def _described(device: Device) -> str:
    name = device.description or device.name
    if not device.memory_bytes:
        return name
    return texts.GPU_MEMORY.format(name=name, bytes=describe_bytes(device.memory_bytes))


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
