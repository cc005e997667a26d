"""Follows one training and puts its story together; tells that something changed at most five times a second."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QObject, QTimer, Signal

from ui.bridge import Bridge, Handle
from ui.features.training.state import TrainingState
from workbench.api import events
from workbench.api.calls import FollowRun, RunRecord
from workbench.api.events import Event, Terminal
from workbench.api.protocol import error_of
from workbench.errors import WorkerDied

TELL_MS = 200


class TrainingWatch(QObject):
    """Watching starts at once, from the run's first event, and does not keep the run alive."""

    changed = Signal()
    ended = Signal()

    def __init__(self, bridge: Bridge, run: RunRecord, parent: QObject) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self.run = run
        self.story = TrainingState()
        self._timer = QTimer(self, singleShot=True, interval=TELL_MS)
        self._timer.timeout.connect(self.changed)
        self._handle = self._follow()
        bridge.connected_changed.connect(self._on_connected)

    def update_run(self, run: RunRecord) -> None:
        """The run's record has changed: one that goes on again is followed again."""
        was, self.run = self.run, run
        under_way = run.state in ("queued", "running")
        if under_way and self._handle.ended and (was.state != run.state or self.story.ended is None):
            self.story.go_on()
            self._handle = self._follow()
        if run != was:
            self._tell()

    def leave(self) -> None:
        """Watch no longer; the run goes on."""
        self._timer.stop()
        self._handle.cancel()
        self.deleteLater()

    def _on_connected(self, connected: bool) -> None:
        if connected:
            self.update_run(self.run)

    def _follow(self) -> Handle:
        call = FollowRun(run=self.run.id, after=self.story.seen)
        return self._bridge.stream(call, self._on_events, self._on_end, self)

    def _tell(self) -> None:
        if not self._timer.isActive():
            self._timer.start()

    def _on_events(self, batch: Sequence[Event]) -> None:
        self.story.tell(batch)
        self._tell()

    def _on_end(self, terminal: Terminal) -> None:
        error = None if isinstance(terminal, events.Finished) else error_of(terminal)
        if isinstance(error, WorkerDied) and error.worker == "core":
            return  # not the run has ended: the frame says so, and the run is followed again with the next core
        self.story.end(terminal)
        self._timer.stop()
        self.changed.emit()
        self.ended.emit()
