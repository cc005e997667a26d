"""Dialogs that send a call: one that waits for its result, one that shows its progress, one that begins a run, and one
that follows the run which it begins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, get_args

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from ui import texts
from ui.bridge import Bridge, Handle
from ui.components.basics import InlineMessage, ProgressLine
from ui.components.cost_note import CostNote
from ui.components.dialog import Dialog
from ui.components.run_follower import RunFollower
from ui.components.wording import how_far, in_words, stage_of
from workbench.api import events
from workbench.api.events import Artifact, Event, Progress, Terminal
from workbench.api.protocol import Call, error_of, read_result
from workbench.base.catalogue import localised
from workbench.base.errors import Cancelled
from workbench.subjects.costs.calls import Costly
from workbench.subjects.runs.calls import RunRecord


class CallDialog(Dialog):
    """``go`` sends ``make_call``; ``take_result`` takes its result. What is refused is said in ``message``, and the
    dialog stays. Subclasses call ``_show_state`` where what ``missing`` looks at has changed, also at first."""

    def __init__(
        self, bridge: Bridge, title: str, explanation: str, action: str, parent: QWidget | None, width: int = 560
    ) -> None:
        super().__init__(title, explanation, action, parent, width)
        self._bridge = bridge
        self._waiting = False
        self.message = InlineMessage(closable=False)
        self.below.addWidget(self.message)
        self.go.clicked.connect(self._on_go)

    def make_call(self) -> Call[Any]:
        raise NotImplementedError

    def take_result(self, result: Any) -> None:
        """The call's result has come."""
        raise NotImplementedError

    def missing(self) -> str:
        """What has to be given first; "" where all is there."""
        return ""

    def _show_state(self) -> None:
        missing = self.missing()
        self.go.setEnabled(not missing and not self._waiting)
        self.say_missing(missing)

    def _on_go(self) -> None:
        self.message.hide()
        self._waiting = True
        self._send(self.make_call())
        self._show_state()

    def _send(self, call: Call[Any]) -> None:
        self._bridge.call(call, self._on_result, self._on_refused, self)

    def _on_result(self, result: Any) -> None:
        self._waiting = False
        self.take_result(result)

    def _on_refused(self, error: Exception) -> None:
        self._waiting = False
        if not isinstance(error, Cancelled):
            self.message.show_message(in_words(error), "danger")
        self._show_state()


class StartDialog(CallDialog):
    """The call begins a run: ``started`` sends it, and the dialog closes. What it costs at endpoints is said before."""

    started = Signal(object)

    def __init__(
        self, bridge: Bridge, title: str, explanation: str, action: str, parent: QWidget | None, width: int = 620
    ) -> None:
        super().__init__(bridge, title, explanation, action, parent, width)
        self.cost = CostNote(bridge)
        self.below.insertWidget(0, self.cost)

    def take_result(self, run: RunRecord) -> None:
        self._bridge.home.runs.put_run(run)
        self.started.emit(run)
        self.accept()

    def _show_state(self) -> None:
        super()._show_state()
        call = None if self.missing() else self.make_call()
        self.cost.ask(call if isinstance(call, get_args(Costly)) else None)


class StreamDialog(CallDialog):
    """The call tells how far it is: a line shows it, with Stop, which closing the dialog does too."""

    def __init__(
        self, bridge: Bridge, title: str, explanation: str, action: str, parent: QWidget | None, width: int = 560
    ) -> None:
        super().__init__(bridge, title, explanation, action, parent, width)
        self._handle: Handle | None = None
        self.progress = ProgressLine(visible=False, stop_clicked=self._on_stop)
        self.below.insertWidget(0, self.progress)
        self.finished.connect(lambda _: self._on_stop())

    def words_of(self, progress: Progress | None) -> str:
        """What it is doing, in words; None before the first progress."""
        raise NotImplementedError

    def _send(self, call: Call[Any]) -> None:
        def progressed(batch: Sequence[Event]) -> None:
            for event in batch:
                if isinstance(event, Progress):
                    share, numbers = how_far(event)
                    self.progress.set_progress(self.words_of(event), share, numbers if event.unit else "")

        def ended(terminal: Terminal) -> None:
            self._handle = None
            self.progress.hide()
            if isinstance(terminal, events.Finished):
                self._on_result(localised(read_result(call, terminal.result)))
            else:
                self._on_refused(error_of(terminal))

        self.progress.set_progress(self.words_of(None))
        self.progress.show()
        self._handle = self._bridge.stream(call, progressed, ended, self)

    def _on_stop(self) -> None:
        if self._handle is not None:
            self._handle.cancel()


class RunDialog(CallDialog):
    """The call begins a run, which the dialog follows: a line shows how far it is, with Stop. The run goes on when the
    dialog is closed."""

    stopped_words = ""

    def __init__(
        self, bridge: Bridge, title: str, explanation: str, action: str, parent: QWidget | None, width: int = 560
    ) -> None:
        super().__init__(bridge, title, explanation, action, parent, width)
        self.watch: RunFollower | None = None
        self.progress = ProgressLine(visible=False, stop_clicked=self._on_stop)
        self.below.insertWidget(0, self.progress)

    def take_end(self, result: dict[str, Any]) -> None:
        """The run has finished."""
        raise NotImplementedError

    def take_made(self, artifact: Artifact) -> None:
        """The run has made something on the way."""

    def words_of(self, progress: Progress) -> str:
        return stage_of(progress)

    def _show_state(self) -> None:
        super()._show_state()
        running, ended = self.watch is not None, self.message.isVisible()
        self.go.setEnabled(self.go.isEnabled() and not running)
        self.leave.setText(texts.RUN_IN_BACKGROUND if running else texts.CLOSE if ended else texts.CANCEL)

    def take_result(self, run: RunRecord) -> None:
        self.watch = RunFollower(self._bridge, run, self)
        self.watch.progressed.connect(self._on_progress)
        self.watch.made.connect(self.take_made)
        self.watch.ended.connect(self._on_ended)
        self.progress.show()
        self.progress.set_progress(texts.WAITING)
        self._show_state()

    def _on_progress(self, progress: Progress) -> None:
        share, numbers = how_far(progress)
        words = self.words_of(progress)
        self.progress.set_progress(words, share, numbers if progress.unit else "", progress.seconds_left)

    def _on_stop(self) -> None:
        if self.watch is not None:
            self.progress.set_progress(texts.STOPPING)
            self.watch.stop()

    def _on_ended(self, terminal: Terminal) -> None:
        self.progress.hide()
        if self.watch is not None:
            self.watch.deleteLater()
            self.watch = None
        if isinstance(terminal, events.Finished):
            self.take_end(terminal.result if isinstance(terminal.result, dict) else {})
        elif isinstance(terminal, events.Cancelled):
            self.message.show_message(self.stopped_words, "info")
        else:
            self.take_failure(error_of(terminal))
        self._show_state()

    def take_failure(self, error: Exception) -> None:
        self.message.show_message(in_words(error), "danger")
