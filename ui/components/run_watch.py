"""A run as a page or a dialog shows it: how far it is, what it makes, how it ended."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QObject, Signal

from ui.bridge import Bridge, Handle
from workbench.api import events
from workbench.api.calls import FollowRun, RunRecord, StopRun
from workbench.api.events import Event, Terminal


class RunWatch(QObject):
    """Follows one run from its first event. Watching starts at once and does not keep the run alive."""

    progressed = Signal(object)
    """The latest Progress of a batch."""
    made = Signal(object)
    """An Artifact, in order."""
    ended = Signal(object)
    """The terminal event."""

    def __init__(self, bridge: Bridge, run: RunRecord, parent: QObject) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self.run = run
        handle = bridge.stream(FollowRun(run=run.id), self._on_events, self._on_end, self)
        self._handle: Handle = handle
        self.destroyed.connect(lambda: handle.cancel())  # with its page or dialog, say

    def stop(self) -> None:
        """Stop the run; what it did stays done."""
        self._bridge.call(StopRun(run=self.run.id), lambda _: None, owner=self)

    def leave(self) -> None:
        """Watch no longer; the run goes on."""
        self._handle.cancel()
        self.deleteLater()

    def _on_events(self, batch: Sequence[Event]) -> None:
        latest: events.Progress | None = None
        for event in batch:
            if isinstance(event, events.Progress):
                latest = event
            elif isinstance(event, events.Artifact):
                self.made.emit(event)
        if latest is not None:
            self.progressed.emit(latest)

    def _on_end(self, terminal: Terminal) -> None:
        self.ended.emit(terminal)
