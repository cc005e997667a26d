"""What a kind of run is, and a run while it is open. The queue (``runs``) knows no more of any kind than this."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, Protocol

from workbench.api import events
from workbench.api.calls import RunRecord
from workbench.api.events import Event
from workbench.api.protocol import RequestContext
from workbench.core.runs.log import RunLog
from workbench.errors import UserError
from workbench.records.stored import Stored

TELL_EVERY_S = 0.3


class OpenRun:
    """A run that is queued (``thread`` None) or running. Its record is that of when it was queued."""

    def __init__(self, record: RunRecord, concurrency_group: str, log: RunLog, changed: Callable[[str], None]) -> None:
        self.id = record.id
        self.record = record
        self.concurrency_group = concurrency_group
        self.log = log
        self.context = RequestContext()
        self.thread: threading.Thread | None = None
        self.progress: events.Progress | None = None
        self.reached: events.Progress | None = None  # of the whole, where it goes by steps
        self.paused = False
        self._changed = changed
        self._told = 0.0

    def tell(self, event: Event) -> None:
        """Write an event to the run's file, for all who follow it. Raises UserError when the disk is full."""
        self.log.append(event)
        if isinstance(event, events.Progress):
            self.progress = event
            if event.unit == "steps":
                self.reached = event
            now = time.monotonic()
            if now - self._told >= TELL_EVERY_S:
                self._told = now
                self._changed(self.id)


class RunKind(Protocol):
    """How runs of one kind are worked through."""

    @property
    def config(self) -> Stored[Any]:
        """How its configs are stored."""

    @property
    def result(self) -> Stored[Any]:
        """How its results are stored."""

    @property
    def auto_resume(self) -> bool:
        """Whether a run that the core's end or a worker's death interrupted is taken up without being asked for."""

    @property
    def resumable(self) -> bool:
        """Whether a run that stopped can go on where it was; else it begins anew."""

    def concurrency_group(self, run: RunRecord) -> str:
        """Runs of one concurrency group run one after the other. Raises UserError when the run's subject has gone."""

    def work(self, run: OpenRun) -> Event:
        """Do all of it, telling events on the way; returns the terminal event. What it raises is how the run ended.
        ``run.context`` is cancelled when the run is to stop, and when the core leaves."""

    def set_paused(self, run: OpenRun, paused: bool) -> None:
        """Have the run wait, or go on. Raises UserError where that cannot be."""


FILES: Stored[dict[str, Any]] = Stored("result of this run", dict[str, Any])
"""The result of a kind that writes files: what they are called and where they are."""


def refuse_pause(run: OpenRun) -> None:
    """For the kinds that cannot wait."""
    raise UserError(f"{run.record.title!r} cannot be paused.", "Only trainings can; stop it instead.")
