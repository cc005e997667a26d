"""*Set up training*: what a feature needs that is not installed, what it takes, and the button that installs it.

It stands wherever such a feature is, and goes away once the packages are there, whoever has set them up.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QFileDialog, QWidget

from ui import texts
from ui.bridge import Bridge, Handle
from ui.components.basics import Card, InlineMessage, PlainButton, PrimaryButton, ProgressLine, QuietButton, Text
from ui.components.choice_box import ChoiceBox
from ui.components.layout import row_of
from ui.components.run_follower import RunFollower, RunFollowers
from ui.components.wording import describe_bytes, describe_count, how_far, in_words
from ui.theme import tokens
from workbench.api import events
from workbench.api.events import Event, Progress, Terminal
from workbench.api.protocol import error_of, read_result
from workbench.base.catalogue import localised, translated
from workbench.base.settings import Settings
from workbench.records.training_packages import TrainingOffer, TrainingPackages
from workbench.subjects.machine.calls import (
    ChangeSettings,
    GetSettings,
    GetTrainingPackages,
    OfferTrainingPackages,
    SetUpTraining,
)
from workbench.subjects.runs.calls import RunRecord

KIND = "training-packages"
Computer = Literal["auto", "cpu", "cuda"]


class TrainingSetupCard(Card):
    """``what`` is the sentence that says what is needed and for what. Hidden while that is not known, or installed."""

    changed = Signal(object)
    """The state of the packages (``TrainingPackages``), as it is now."""

    def __init__(self, bridge: Bridge, what: str) -> None:
        super().__init__(margin=tokens.SPACE_4)
        self._bridge = bridge
        self._asking: Handle | None = None
        self._follower: RunFollower | None = None
        self._allowed = self._offline = False
        self._source = ""
        self.state: TrainingPackages | None = None
        self.words = Text(what, "body")
        self.needs = Text(texts.SET_UP_SIZE, "small")
        self.computer = ChoiceBox(
            texts.SET_UP_COMPUTER,
            [(texts.SET_UP_AUTO, "auto"), (texts.SET_UP_CPU, "cpu"), (texts.SET_UP_CUDA, "cuda")],
            characters=19,
        )
        self.set_up_button = PrimaryButton(texts.SET_UP_TRAINING, "download", clicked=lambda: self.ask(""))
        self.folder_button = PlainButton(texts.SET_UP_FOLDER, "folder", clicked=self._on_folder)
        self.pack_button = PlainButton(texts.SET_UP_PACK, "file", clicked=self._on_pack)
        self.install_button = PrimaryButton(texts.SET_UP_INSTALL, "download", clicked=self._on_install)
        self.cancel_button = QuietButton(texts.CANCEL, clicked=self._on_declined)
        self.permission = InlineMessage(closable=False)
        self.message = InlineMessage()
        self.progress = ProgressLine(visible=False)
        self.progress.stop_clicked.connect(self._on_stop)
        self.body.setSpacing(tokens.SPACE_2)
        for part in (self.words, self.needs, self.permission, self.progress, self.message):
            self.body.addWidget(part)
        actions = (
            self.set_up_button, self.folder_button, self.pack_button, self.computer, self.install_button,
            self.cancel_button,
        )  # fmt: skip
        self.body.addLayout(row_of(None, *actions, None, gap=tokens.SPACE_2))
        self.hide()
        self._runs = RunFollowers(bridge, (KIND,), self)
        self._runs.began.connect(self._on_began)
        self._runs.ended.connect(self._on_ended)
        self._show_parts()
        bridge.home.listing(GetSettings()).follow(self._on_settings)
        self._runs.find()
        # once it has a parent: shown without one, it would be a window of its own
        QTimer.singleShot(0, self, lambda: bridge.home.listing(GetTrainingPackages()).follow(self._on_state))

    # -- what is asked -------------------------------------------------------------------------------

    def ask(self, source: str) -> None:
        """Find out what a set-up from ``source`` takes ("": the package index), and offer it."""
        self._source = source
        self.message.hide()
        if not source and not self._allowed:
            words = f"{texts.SET_UP_OFF} {texts.SET_UP_OFFLINE_TOO}" if self._offline else texts.SET_UP_OFF
            self.permission.show_message(words, "info", texts.SET_UP_ALLOW, self._on_allow)
            return
        computer: Computer = self.computer.value  # type: ignore[assignment]
        call = OfferTrainingPackages(source=source, computer=computer)

        def progressed(batch: Sequence[Event]) -> None:
            for event in batch:
                if isinstance(event, Progress):
                    self.progress.set_progress(texts.SET_UP_ASKING.format(stage=translated(event.stage)))

        def ended(terminal: Terminal) -> None:
            self._set_asking(None)
            if isinstance(terminal, events.Finished):
                self._show_offer(localised(read_result(call, terminal.result)))
            elif isinstance(terminal, events.Failed):
                self._complain(error_of(terminal))

        self.progress.set_progress(texts.SET_UP_ASKING.format(stage="…"))
        self._set_asking(self._bridge.stream(call, progressed, ended, self))

    def _set_asking(self, handle: Handle | None) -> None:
        self._asking = handle
        self._show_parts()

    def _on_folder(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, texts.SET_UP_FOLDER)
        if folder:
            self.ask(folder)

    def _on_pack(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, texts.SET_UP_PACK, "", texts.SET_UP_PACK_FILES)
        if path:
            self.ask(path)

    def _on_allow(self) -> None:
        def allowed(settings: Settings) -> None:
            self._bridge.home.listing(GetSettings()).put(settings)
            self.ask("")

        call = ChangeSettings(values={"network": {"packages": True}, "general": {"offline": False}})
        self._bridge.call(call, allowed, self._complain, self)

    def _on_settings(self, settings: Settings) -> None:
        self._offline = settings.general.offline
        self._allowed = settings.network.packages and not self._offline
        if self._allowed:
            self.permission.hide()

    # -- what is offered -----------------------------------------------------------------------------

    def _show_offer(self, offer: TrainingOffer) -> None:
        disk, free = describe_bytes(offer.disk_bytes), describe_bytes(offer.free_bytes)
        if offer.download_bytes:
            words = texts.SET_UP_OFFER.format(
                packages=describe_count(len(offer.packages), "package"), bytes=describe_bytes(offer.download_bytes),
                host=offer.host, disk=disk, free=free,
            )  # fmt: skip
        else:
            words = texts.SET_UP_OFFER_HERE.format(disk=disk, free=free)
        self.message.show_message(f"{offer.why} {words}".strip())
        self._show_parts(offered=True)
        self.install_button.setFocus()

    def _on_install(self) -> None:
        computer: Computer = self.computer.value  # type: ignore[assignment]
        self.message.hide()
        self._show_parts()
        self._bridge.call(SetUpTraining(source=self._source, computer=computer), self._on_started, self._complain, self)

    def _on_declined(self) -> None:
        self.message.hide()
        self._show_parts()

    def _on_started(self, run: RunRecord) -> None:
        self._runs.follow(run)

    # -- the run -------------------------------------------------------------------------------------

    def _on_began(self, follower: RunFollower) -> None:
        self._follower = follower
        follower.progressed.connect(self._on_progress)
        self.message.hide()
        self.progress.set_progress(texts.SET_UP_RUNS)
        self._show_parts()

    def _on_progress(self, progress: Progress) -> None:
        share, numbers = how_far(progress)
        words = texts.SET_UP_STAGE.format(stage=translated(progress.stage))
        self.progress.set_progress(words, share, numbers, progress.seconds_left)

    def _on_stop(self) -> None:
        self.progress.set_progress(texts.SET_UP_STOPPING)
        if self._follower is not None:
            self._follower.stop()
        elif self._asking is not None:
            self._asking.cancel()

    def _on_ended(self, follower: RunFollower) -> None:
        self._follower = None
        self._show_parts()
        if isinstance(follower.terminal, events.Failed):
            self._complain(error_of(follower.terminal))
        elif isinstance(follower.terminal, events.Cancelled):
            self.message.show_message(texts.SET_UP_STOPPED)
        self._bridge.home.listing(GetTrainingPackages()).refresh()

    # -- what is shown -------------------------------------------------------------------------------

    def _on_state(self, state: TrainingPackages) -> None:
        self.state = state
        self.needs.setText(f"{state.problem} {texts.SET_UP_SIZE}".strip())
        self.setVisible(not state.ready)
        self.changed.emit(state)

    def _show_parts(self, offered: bool = False) -> None:
        busy = self._asking is not None or self._follower is not None
        self.progress.setVisible(busy)
        beginning: tuple[QWidget, ...] = (self.set_up_button, self.folder_button, self.pack_button, self.computer)
        for part in beginning:
            part.setVisible(not busy and not offered)
        for button in (self.install_button, self.cancel_button):
            button.setVisible(offered and not busy)

    def _complain(self, error: Exception) -> None:
        self.message.show_message(in_words(error), "danger")
        self._show_parts()
