"""A running ingest as a page shows it: how far it is, which files have ended, how it ended."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath
from typing import Any

from PySide6.QtCore import QObject, Signal

from ui.bridge import Bridge, Handle
from workbench.api import events
from workbench.api.calls import FollowRun, RunRecord, StopRun
from workbench.api.events import Event, Terminal


class IngestWatch(QObject):
    """Follows one run from its first event. Watching starts at once and does not keep the run alive."""

    progressed = Signal()
    files_ended = Signal()
    """Some more files are indexed, unchanged, failed or removed."""
    ended = Signal()

    def __init__(self, bridge: Bridge, run: RunRecord, parent: QObject) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self.run = run
        self.done, self.total = 0, 0
        self.detail = ""
        self.newest = ""
        self.seconds_left: float | None = None
        self.result: dict[str, Any] = {}
        self.failed: list[tuple[str, str]] = []
        self.outcome = ""
        self._handle: Handle = bridge.stream(FollowRun(run=run.id), self._on_events, self._on_end, self)

    @property
    def words(self) -> str:
        """``Reading terms.pdf``"""
        if self.newest:
            return f"Reading {self.newest}"
        return "Getting ready to read…" if self.total else "Looking for files…"

    @property
    def numbers(self) -> str:
        """``12 of 40 files · 310 chunks``"""
        if not self.total:
            return ""
        return " · ".join(part for part in (f"{self.done:,} of {self.total:,} files", self.detail) if part)

    @property
    def share(self) -> float | None:
        return self.done / self.total if self.total else None

    def stop(self) -> None:
        """Stop the run; what it has read stays."""
        self._bridge.call(StopRun(run=self.run.id), lambda _: None, owner=self)

    def leave(self) -> None:
        """Watch no longer; the run goes on."""
        self._handle.cancel()
        self.deleteLater()

    def _on_events(self, batch: Sequence[Event]) -> None:
        ended = False
        for event in batch:
            if isinstance(event, events.Progress):
                self.done, self.total = round(event.done), round(event.total)
                self.detail, self.seconds_left = event.detail, event.seconds_left
            elif isinstance(event, events.Artifact) and event.kind == "document":
                self.newest = PurePath(event.id).name
                ended = True
                if event.result.get("state") == "failed":
                    self.failed.append((event.id, str(event.result.get("reason", ""))))
        self.progressed.emit()
        if ended:
            self.files_ended.emit()

    def _on_end(self, terminal: Terminal) -> None:
        self.outcome = describe_outcome(terminal)
        if isinstance(terminal, events.Finished) and isinstance(terminal.result, dict):
            self.result = terminal.result
        self.ended.emit()


def describe_outcome(terminal: Terminal) -> str:
    """How an ingest ended, in a sentence."""
    if isinstance(terminal, events.Failed):
        return f"Reading stopped: {terminal.message} {terminal.hint}".strip()
    if isinstance(terminal, events.Cancelled):
        return "Stopped. The files read until then stay."
    result = terminal.result if isinstance(terminal.result, dict) else {}
    parts = [f"{_files(result.get('indexed', 0))} read"]
    for key, word in (("unchanged", "unchanged"), ("removed", "removed")):
        if result.get(key):
            parts.append(f"{result[key]:,} {word}")
    if result.get("failed"):
        parts.append(f"{len(result['failed']):,} could not be read")
    return ", ".join(parts) + "."


def _files(count: int) -> str:
    return f"{count:,} file{'' if count == 1 else 's'}"
