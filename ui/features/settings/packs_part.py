"""Runtime packs: installed from a file and tried, used or not and why, removed.

Runtime packs that can be downloaded: asked for when the button is pressed, after the network was allowed.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from pathlib import Path
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFileDialog, QWidget

from ui.bridge import Bridge, Handle
from ui.components.basics import Chip, ElidedLabel, InlineMessage, PlainButton, ProgressLine, QuietButton, Text, Tone
from ui.components.layout import column_of, empty_layout, row_of
from ui.components.notices import ConfirmRow
from ui.components.wording import describe_bytes, how_far, in_words
from ui.features.settings import texts
from ui.features.settings.offers_part import OfferRow, OffersPart
from ui.theme import tokens
from workbench.api import events
from workbench.api.events import Event, Progress, Terminal
from workbench.api.protocol import Call, error_of, read_result
from workbench.base.catalogue import translated
from workbench.records.runtime import BACKENDS, PackFileOffer, PackManifest, RuntimeChoice
from workbench.subjects.machine.calls import (
    DownloadPack,
    FindPacks,
    GetRuntime,
    InstallPack,
    PackOffers,
    RemovePack,
    RuntimeState,
    TryPack,
    UseProcessor,
)


class PacksPart(QWidget):
    """One pack is tried at a time."""

    def __init__(self, bridge: Bridge) -> None:
        super().__init__()
        self._bridge = bridge
        self._state = RuntimeState()
        self._trying: Handle | None = None
        self.rows: dict[str, PackRow] = {}
        self.install_button = PlainButton(texts.INSTALL_PACK, "plus", small=True, clicked=self._on_install)
        self.processor_button = PlainButton(texts.USE_PROCESSOR, "processor", small=True, clicked=self._on_processor)
        self.progress = ProgressLine(visible=False)
        self.progress.stop_button.setText(texts.CANCEL)
        self.progress.stop_clicked.connect(self.cancel)
        self.message = InlineMessage()
        self._rows = column_of(gap=tokens.SPACE_3)
        self.offers = PackOffersPart(bridge)
        self.offers.wanted.connect(lambda name: self._try(DownloadPack(name=name), name))
        actions = row_of(
            None, self.install_button, self.offers.find_button, self.processor_button, None, gap=tokens.SPACE_2
        )
        column_of(
            self, Text(texts.PACKS, "strong"), Text(texts.PACKS_HELP, "small"), self._rows, self.offers, self.progress,
            self.message, actions, gap=tokens.SPACE_2,
        )  # fmt: skip
        self.processor_button.hide()
        bridge.home.listing(GetRuntime()).follow(self._on_state)

    @property
    def busy(self) -> bool:
        return self._trying is not None

    def install(self, path: str) -> None:
        """Install a pack from a file and try it."""
        self._try(InstallPack(path=path), Path(path).name)

    def cancel(self) -> None:
        if self._trying is not None:
            self.progress.set_progress(texts.CANCELLING)
            self._trying.cancel()

    # -- what is shown -------------------------------------------------------------------------------

    def _on_state(self, state: RuntimeState) -> None:
        if state != self._state:
            self._state = state
            self.rows.clear()
            empty_layout(self._rows)
            for pack in state.packs:
                row = self.rows[pack.name] = PackRow(pack, state.choice)
                row.trial_wanted.connect(lambda name: self._try(TryPack(name=name), name))
                row.removal_wanted.connect(self._remove)
                self._rows.addWidget(row)
        self._show_busy()

    def _show_busy(self) -> None:
        self.progress.setVisible(self.busy)
        self.processor_button.setVisible(bool(self._state.choice.pack or self._state.choice.torch))
        row_buttons = [button for row in self.rows.values() for button in (row.try_button, row.remove_button)]
        if self.busy:
            for row in self.rows.values():
                row.confirm.hide()
        self.offers.show_installed({pack.name for pack in self._state.packs})
        own = (self.install_button, self.offers.find_button, self.processor_button)
        for button in (*own, *self.offers.buttons, *row_buttons):
            button.setEnabled(not self.busy)
            button.setToolTip(texts.PACK_BUSY if self.busy else _HELP.get(button.text(), ""))

    def _complain(self, error: Exception) -> None:
        self.message.show_message(in_words(error), "danger")

    # -- what is done --------------------------------------------------------------------------------

    def _on_install(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, texts.INSTALL_PACK, "", texts.PACK_FILES)
        if path:
            self.install(path)

    def _try(self, call: Call[RuntimeState], name: str) -> None:
        before = self._state.choice.trials

        def progressed(batch: Sequence[Event]) -> None:
            for event in batch:
                if isinstance(event, Progress):
                    share, numbers = how_far(event)
                    words = texts.TRYING.format(name=name, stage=translated(event.stage))
                    self.progress.set_progress(words, share, numbers, event.seconds_left)

        def ended(terminal: Terminal) -> None:
            self._trying = None
            self._show_busy()
            if isinstance(terminal, events.Finished):
                state = read_result(call, terminal.result)
                self._bridge.home.listing(GetRuntime()).put(state)
                self._show_trial(state.choice, before)
                return
            if isinstance(terminal, events.Cancelled):
                self.message.show_message(texts.TRIAL_CANCELLED.format(name=name, reason=self._state.choice.reason))
            else:
                self._complain(error_of(terminal))
            self._bridge.home.listing(GetRuntime()).refresh()  # it may be installed all the same

        self.message.hide()
        self.progress.set_progress(texts.TRYING.format(name=name, stage=texts.READING.rstrip("…").lower()))
        self._trying = self._bridge.stream(call, progressed, ended, self)
        self._show_busy()

    def _show_trial(self, choice: RuntimeChoice, before: dict[str, Any]) -> None:
        tried = [name for name, trial in choice.trials.items() if trial != before.get(name)]
        failed = [name for name in tried if choice.trials[name].problem]
        if failed:
            self.message.show_message(texts.TRIAL_FAILED.format(name=failed[0]), "attention")
        else:
            self.message.show_message(choice.torch_reason if choice.torch in tried else choice.reason, "success")

    def _on_processor(self) -> None:
        self.message.hide()
        self._bridge.call(UseProcessor(), self._bridge.home.listing(GetRuntime()).put, self._complain, self)

    def _remove(self, name: str) -> None:
        def removed(state: RuntimeState) -> None:
            self._bridge.home.listing(GetRuntime()).put(state)
            self.message.show_message(texts.REMOVED.format(name=name), "success")

        self._bridge.call(RemovePack(name=name), removed, self._complain, self)


class PackRow(QWidget):
    """A pack, whether it is used and why. Both signals carry its name."""

    trial_wanted = Signal(str)
    removal_wanted = Signal(str)

    def __init__(self, pack: PackManifest, choice: RuntimeChoice) -> None:
        super().__init__()
        state, tone, self.words = _judged(pack.name, choice)
        self.chip = Chip(state, tone)
        trial = texts.TRY if pack.name not in choice.trials else texts.TRY_AGAIN
        self.try_button = QuietButton(trial, "restart", small=True)
        self.try_button.clicked.connect(lambda: self.trial_wanted.emit(pack.name))
        self.remove_button = QuietButton(texts.REMOVE, "trash", small=True)
        self.confirm = ConfirmRow(self.remove_button)
        self.confirm.set_question(texts.REMOVE_QUESTION.format(name=pack.name), texts.REMOVE_NOW)
        self.confirm.confirmed.connect(lambda: self.removal_wanted.emit(pack.name))
        self.remove_button.clicked.connect(self.confirm.ask)
        name = ElidedLabel(pack.name, "body")
        name.setSizePolicy(name.sizePolicy().Policy.Maximum, name.sizePolicy().Policy.Fixed)
        top = row_of(None, name, self.chip, None, self.try_button, self.remove_button, gap=tokens.SPACE_2)
        facts = texts.PACK_FACTS.format(backend=translated(BACKENDS[pack.backend]), base=pack.base)
        column_of(self, top, Text(f"{facts}\n{self.words}".strip(), "small"), self.confirm, gap=tokens.SPACE_1)


def _judged(name: str, choice: RuntimeChoice) -> tuple[str, Tone, str]:
    """State, tone, and why."""
    trial, used = choice.trials.get(name), name in (choice.pack, choice.torch)
    if trial is None:
        return (texts.IN_USE, "success", "") if used else (texts.NOT_TRIED, "plain", "")
    if trial.problem:
        return texts.NOT_USED, "attention", trial.problem
    if trial.speed:
        speeds = texts.SPEEDS.format(speed=trial.speed, device=trial.device, processor=trial.processor_speed)
    else:
        speeds = texts.TORCH_ON.format(device=trial.device)
    return (texts.IN_USE, "success", speeds) if used else (texts.WORKS, "plain", speeds)


_HELP = {
    texts.USE_PROCESSOR: texts.USE_PROCESSOR_HELP,
    texts.FIND_PACKS: texts.FIND_PACKS_HELP,
    texts.TRY: texts.TRY_HELP,
    texts.TRY_AGAIN: texts.TRY_HELP,
}


class PackOffersPart(OffersPart):
    """Runtime packs of the release; ``wanted`` carries the name of one to download."""

    ALLOWS, OFF, ASKING, FIND = "updates", texts.PACKS_OFF, texts.ASKING_PACKS, texts.FIND_PACKS

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(bridge)
        self._installed: Set[str] = frozenset()
        self._offers: tuple[PackFileOffer, ...] = ()

    def show_installed(self, names: Set[str]) -> None:
        """Packs of these names are here already."""
        if names != self._installed:
            self._installed = frozenset(names)
            self._show()

    def _find(self) -> Call[PackOffers]:
        return FindPacks()

    def _on_found(self, found: PackOffers) -> None:
        self._offers = found.packs
        self._show()
        if not self.rows:
            self._say(texts.NO_PACKS)

    def _show(self) -> None:
        self._show_rows(
            OfferRow(
                one.name,
                texts.PACK_OFFER.format(backend=translated(BACKENDS[one.backend]), bytes=describe_bytes(one.bytes)),
                texts.DOWNLOAD, texts.DOWNLOAD_PACK.format(name=one.name),
            )
            for one in self._offers
            if one.name not in self._installed
        )  # fmt: skip
