"""Following runs: the events of one, how it ended, and which runs of a kind are running."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QObject, Signal

from ui import texts
from ui.bridge import Bridge, Handle
from ui.components.wording import describe_count, how_far
from workbench.api import events
from workbench.api.events import Event, Terminal
from workbench.api.protocol import error_of
from workbench.base.errors import WorkerDied
from workbench.records.visible import visible_name
from workbench.subjects.runs.calls import FollowRun, RunList, RunRecord, StopRun

ACTIVE = ("queued", "running")


class RunFollower(QObject):
    """Follows one run from its first event, and further where it is resumed or the core was away. Following starts at
    once and does not keep the run alive. ``terminal`` is how it ended, None while it goes on."""

    arrived = Signal(list)
    """Some more events, in order."""
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
        self.terminal: Terminal | None = None
        self._seen = 0
        self._handle: Handle
        self._follow()
        bridge.connected_changed.connect(self._on_connected)

    def update_run(self, run: RunRecord) -> None:
        """The run's record is this now. One that goes on again is followed again."""
        was, self.run = self.run, run
        if run.state in ACTIVE and self._handle.ended and (was.state != run.state or self.terminal is None):
            self.terminal = None
            self._follow()

    def stop(self) -> None:
        """Stop the run; what it did stays done."""
        self._bridge.call(StopRun(run=self.run.id), self._bridge.home.runs.put_run, owner=self)

    def leave(self) -> None:
        """Follow no longer; the run goes on."""
        self._handle.cancel()
        self.deleteLater()

    def _follow(self) -> None:
        call = FollowRun(run=self.run.id, after=self._seen)
        handle = self._handle = self._bridge.stream(call, self._on_events, self._on_end, self)
        self.destroyed.connect(lambda: handle.cancel())  # with its page or dialog, say

    def _on_connected(self, connected: bool) -> None:
        if connected:
            self.update_run(self.run)

    def _on_events(self, batch: Sequence[Event]) -> None:
        latest: events.Progress | None = None
        self._seen = max(self._seen, *(event.seq for event in batch))
        self._take(batch)
        self.arrived.emit(batch)
        for event in batch:
            if isinstance(event, events.Progress):
                latest = event
            elif isinstance(event, events.Artifact):
                self.made.emit(event)
        if latest is not None:
            self.progressed.emit(latest)

    def _on_end(self, terminal: Terminal) -> None:
        error = None if isinstance(terminal, events.Finished) else error_of(terminal)
        if isinstance(error, WorkerDied) and error.worker == "core":
            return  # not the run has ended: the frame says so, and the run is followed again with the next core
        self.terminal = terminal
        self._seen = max(self._seen, terminal.seq)  # if it is followed again, this is not repeated
        self._take_end(terminal)
        self.ended.emit(terminal)

    def _take(self, batch: Sequence[Event]) -> None:
        """For subclasses: take an event."""

    def _take_end(self, terminal: Terminal) -> None:
        """As ``_take``, before ``ended`` is sent."""


class RunFollowers(QObject):
    """Follows every running run of some kinds, each once, whichever client started it."""

    began = Signal(object)
    """What follows a run that has not been followed before."""
    ended = Signal(object)
    """What has followed a run to its end."""

    def __init__(
        self, bridge: Bridge, kinds: tuple[str, ...], parent: QObject, follower: type[RunFollower] = RunFollower
    ) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._kinds = kinds
        self._follower = follower
        self.open: dict[str, Any] = {}
        """What follows each run, by its id."""
        self._ended: set[str] = set()  # runs that have ended, though the list may not say so yet

    def find(self) -> None:
        """Pick up what runs, also what was begun before this window opened, by a terminal, or by a watched folder."""
        self._bridge.home.runs.follow(self._on_runs)

    def follow(self, run: RunRecord) -> None:
        """Follow a run that was just begun or resumed."""
        self._ended.discard(run.id)
        if run.id not in self.open:
            follower = self.open[run.id] = self._follower(self._bridge, run, self)
            follower.ended.connect(lambda _: self._on_ended(follower))
            self.began.emit(follower)

    def _on_runs(self, found: RunList) -> None:
        for run in found.runs:
            if run.kind not in self._kinds:
                continue
            if run.id in self.open:
                self.open[run.id].update_run(run)
            elif run.state not in ACTIVE:
                self._ended.discard(run.id)
            elif run.id not in self._ended:
                self.follow(run)

    def _on_ended(self, follower: RunFollower) -> None:
        self._ended.add(follower.run.id)
        del self.open[follower.run.id]
        self.ended.emit(follower)
        follower.deleteLater()


class IngestFollower(RunFollower):
    """A reading of documents: how far it is, which files have ended, how it ended."""

    def __init__(self, bridge: Bridge, run: RunRecord, parent: QObject) -> None:
        self.progress = events.Progress(stage="")
        self.result: dict[str, Any] = {}
        self.failed: list[tuple[str, str]] = []
        self.parts: list[tuple[str, str]] = []
        """Files of which a part was read before it was stopped, and how much of each."""
        self.outcome = ""
        super().__init__(bridge, run, parent)

    @property
    def words(self) -> str:
        """``Reading terms.pdf, page 3 of 20``"""
        if self.progress.detail:
            return texts.READING.format(newest=self.progress.detail)
        return texts.PREPARING if self.progress.total else texts.SCANNING

    @property
    def numbers(self) -> str:
        """``1.2 MB of 40 MB``"""
        return how_far(self.progress)[1]

    @property
    def share(self) -> float | None:
        return self.progress.done / self.progress.total if self.progress.total else None

    def _take(self, batch: Sequence[Event]) -> None:
        for event in batch:
            if isinstance(event, events.Progress):
                self.progress = event
            elif isinstance(event, events.Artifact) and event.result.get("state") == "failed":
                self.failed.append((event.id, str(event.result.get("reason", ""))))
            elif isinstance(event, events.Artifact) and event.result.get("unfinished"):
                self.parts.append((event.id, str(event.result.get("reason", ""))))

    @property
    def found_nothing(self) -> bool:
        """Whether an ingest ended that had no file to read."""
        return bool(self.result) and not any(map(self.result.get, _COUNTED))

    def _take_end(self, terminal: Terminal) -> None:
        self.outcome = describe_outcome(terminal, self.parts)
        if isinstance(terminal, events.Finished) and isinstance(terminal.result, dict):
            self.result = terminal.result


_COUNTED = ("indexed", "unchanged", "removed", "failed")


def describe_outcome(terminal: Terminal, parts: Sequence[tuple[str, str]] = ()) -> str:
    """The result of an ingest in a sentence; ``parts`` as in ``IngestFollower``."""
    if isinstance(terminal, events.Failed):
        return texts.READING_FAILED.format(message=terminal.message, hint=terminal.hint).strip()
    if isinstance(terminal, events.Cancelled):
        kept = [f"{visible_name(path)}: {reason}" for path, reason in parts]
        return " ".join([texts.READING_STOPPED, *(kept or [texts.NOTHING_KEPT])])
    result = terminal.result if isinstance(terminal.result, dict) else {}
    if not any(map(result.get, _COUNTED)):
        return texts.NOTHING_TO_READ
    counts = [texts.COUNT_READ.format(count=describe_count(result.get("indexed", 0), "file"))]
    for key, word in (("unchanged", "unchanged"), ("removed", "removed")):
        if result.get(key):
            counts.append(f"{result[key]:,} {word}")
    if result.get("failed"):
        counts.append(texts.COUNT_UNREADABLE.format(count=len(result["failed"])))
    return ", ".join(counts) + "."
