"""The kinds of runs, and a run while it is open. The queue knows no more of a kind than this."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, ClassVar, Protocol

from workbench.api import events
from workbench.api.events import Event
from workbench.api.protocol import RequestContext
from workbench.base.errors import UserError
from workbench.base.stored import Stored
from workbench.subjects.runs.calls import RunRecord
from workbench.subjects.runs.log import RunLog

TELL_EVERY_S = 0.3
WHOLE_MACHINE = "training"
"""The concurrency group of what takes a machine's memory for itself."""


class OpenRun:
    """A queued (``thread`` None) or running run. ``record`` is from the time of queueing."""

    def __init__(self, record: RunRecord, concurrency_group: str, log: RunLog, changed: Callable[[str], None]) -> None:
        self.id = record.id
        self.record = record
        self.concurrency_group = concurrency_group
        self.log = log
        self.context = RequestContext()
        self.thread: threading.Thread | None = None
        self.progress: events.Progress | None = None
        self.reached: events.Progress | None = None  # of the whole, for runs with steps
        self.paused = False
        self._changed = changed
        self._told = 0.0

    def emit(self, event: Event) -> None:
        """Write an event to the run's file, for all followers. Raises UserError when the disk is full."""
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
    """Performs the runs of one kind. ``config`` and ``result`` are the types of its stored values."""

    config: ClassVar[Stored[Any]]
    result: ClassVar[Stored[Any]]
    auto_resume: ClassVar[bool] = False
    """Whether a run that the end of the core or a worker's death interrupted resumes automatically."""
    resumable: ClassVar[bool] = False
    """Whether a stopped run can continue where it was; otherwise it starts again."""
    holds_core: ClassVar[bool] = True
    """Whether the core stays for it when its last client has left."""

    def concurrency_group(self, run: RunRecord) -> str:
        """Runs of one concurrency group run one after the other. Raises UserError when the run's subject is missing."""
        return WHOLE_MACHINE

    def problem(self, run: RunRecord) -> str:
        """Why this version cannot perform the run, such as a method that it does not know; "" where it can."""
        return ""

    def work(self, run: OpenRun) -> Event:
        """Perform the run and write its events; returns the terminal event. An exception becomes the run's end.
        ``run.context`` is cancelled when the run has to stop, and when the core leaves."""

    def set_paused(self, run: OpenRun, paused: bool) -> None:
        """Pause or continue the run. Raises UserError where that is impossible, as for most kinds."""
        raise UserError(
            f"{run.record.title!r} cannot be paused.", "Trainings, exams and evaluations can be; stop it instead."
        )


FILES: Stored[dict[str, Any]] = Stored("result of this run", dict[str, Any])
"""The result of a kind that writes files: their names and paths."""
