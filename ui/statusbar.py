"""The line at the bottom: the loaded model with its device and memory, what may leave the machine, and the work that is
under way, with Stop."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QProgressBar, QPushButton, QWidget

from ui import texts
from ui.bridge import Bridge
from ui.components.basics import QuietButton
from ui.components.layout import row_of
from ui.components.run_follower import ACTIVE
from ui.components.wording import describe_bytes, describe_count, describe_seconds
from ui.theme import tokens
from ui.theme.theme import current_theme, set_icon
from workbench.base.settings import Settings
from workbench.subjects.runs.calls import RunRecord, Status, StopRun


class StatusBar(QFrame):
    """``runs_wanted``: open the drawer of runs; ``models_wanted``: the page with the models; ``network_wanted``:
    say what may leave this machine."""

    runs_wanted = Signal()
    models_wanted = Signal()
    network_wanted = Signal(str)

    def __init__(self, bridge: Bridge) -> None:
        super().__init__()
        self.setProperty("role", "statusbar")
        self.setFixedHeight(36)
        self.setAccessibleName(texts.STATUS)
        self._bridge = bridge
        self._runs: tuple[RunRecord, ...] = ()
        row = row_of(self, gap=tokens.SPACE_2, margins=(tokens.SPACE_2, 0))
        self._model = self._button(texts.STARTING, "models", texts.MODEL_HELP)
        self._network = self._button(texts.NETWORK_OFF, "shield", texts.NETWORK_OFF_WORDS)
        self._run_button = self._button("", "clock", texts.RUNS_HELP)
        self._run_button.setCheckable(False)
        self._bar = QProgressBar(textVisible=False)
        self._bar.setFixedWidth(120)
        self._stop = self._button(texts.STOP, "stop", texts.STOP_HELP)
        # two halves of one width, whatever they hold: what stands between them stays where it is
        row.addWidget(_half(self._model, None), 1)
        row.addWidget(self._network)
        row.addWidget(_half(None, self._run_button, self._bar, self._stop), 1)
        self._show_runs(())
        self._model.clicked.connect(self.models_wanted)
        self._network.clicked.connect(lambda: self.network_wanted.emit(self._network.toolTip()))
        self._run_button.clicked.connect(self.runs_wanted)
        self._stop.clicked.connect(self._on_stop)
        bridge.status_changed.connect(self._on_status)
        bridge.connected_changed.connect(self._on_connected)

    def show_network(self, settings: Settings) -> None:
        """Say whether anything may leave this machine, and what. "Offline" is said of the switch of that name alone."""
        on = [use for name, use in texts.NETWORK_USES.items() if getattr(settings.network, name)]
        if settings.server.enabled and settings.server.shared:
            on.append(texts.NETWORK_SERVED)
        if settings.general.offline:
            on, word, words = [], texts.OFFLINE, texts.OFFLINE_WORDS
        elif on:
            word, words = texts.NETWORK_ON, texts.NETWORK_ON_WORDS.format(uses=", ".join(on))
        else:
            word, words = texts.NETWORK_OFF, texts.NETWORK_OFF_WORDS
        self._network.setText(word)
        self._network.setToolTip(words)
        self._network.setAccessibleDescription(words)
        set_icon(self._network, "globe" if on else "shield", "attention" if on else "muted", 16)

    def focus_runs(self) -> None:
        """Put the keyboard back on the button that opened the drawer."""
        self._run_button.setFocus(Qt.FocusReason.OtherFocusReason)

    @staticmethod
    def _button(text: str, icon: str, tip: str) -> QPushButton:
        button = QuietButton(text, small=True, toolTip=tip, accessibleDescription=tip)
        set_icon(button, icon, "muted", 16)
        return button

    def _on_connected(self, connected: bool) -> None:
        if not connected:
            self._model.setText(texts.NOT_CONNECTED)
            self._show_runs(())

    def _on_status(self, status: Status) -> None:
        if status.model:
            parts = [status.model, status.device, describe_bytes(status.memory_bytes)]
            self._model.setText(" · ".join(part for part in parts if part))
        else:
            self._model.setText(texts.NO_MODEL)
        self._show_runs(tuple(run for run in status.runs if run.state in ACTIVE))

    def _show_runs(self, runs: tuple[RunRecord, ...]) -> None:
        self._runs = runs
        for widget in (self._bar, self._stop):
            widget.setVisible(bool(runs))
        if not runs:
            self._run_button.setText(texts.NOTHING_RUNNING)
            return
        known = [run.progress for run in runs if run.progress is not None]
        share = sum(known) / len(known) if known else None
        left = [run.seconds_left for run in runs if run.seconds_left is not None]
        title, stage = describe_count(len(runs), "run"), ""
        if len(runs) == 1:
            title, stage = runs[0].title, runs[0].stage
        words: list[str] = []
        if share is not None:
            words.append(f"{stage} {share:.0%}".strip())  # a share is that of the stage
        still = all(run.paused for run in runs)
        if still:
            words.append("paused")
        elif left:
            words.append(texts.TIME_LEFT.format(seconds=describe_seconds(max(left))))
        tail = "".join(f" · {part}" for part in words)
        self._run_button.setText(_shortened(title, max(12, 52 - len(tail))) + tail)  # how far it is is never cut off
        self._stop.setText(texts.STOP if len(runs) == 1 else texts.STOP_ALL)
        moves = share is None and not still and not current_theme().reduced_motion  # what is paused does not move
        self._bar.setRange(0, 0 if moves else 1000)
        self._bar.setValue(round(1000 * (share or 0)))
        self._bar.setAccessibleName(title + tail)

    def _on_stop(self) -> None:
        for run in self._runs:
            self._bridge.call(StopRun(run=run.id), self._on_stopped, owner=self)

    def _on_stopped(self, run: RunRecord) -> None:
        self._bridge.refresh_status()


def _half(*parts: QWidget | None) -> QWidget:
    """Parts beside each other; None is the room that is left over."""
    half = QWidget()
    row = row_of(half, gap=tokens.SPACE_2)
    for part in parts:
        if part is None:
            row.addStretch(1)
        else:
            row.addWidget(part)
    return half


def _shortened(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"
