"""Orphaned workers: when its core dies, a worker saves a checkpoint before it leaves, and until then no other process
may write to the run's folder."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

import msgspec
import psutil

from workbench.api import events
from workbench.api.events import Event
from workbench.api.protocol import RequestContext
from workbench.base.launching import process_mark

FILE = "worker.json"
LOOK_S = 0.1


class _Worker(msgspec.Struct, frozen=True):
    """A process, identified by more than its id, which can be reused."""

    pid: int
    mark: str


def note_worker(folder: Path, pid: int) -> None:
    """Record that this process works in a run's folder."""
    with contextlib.suppress(psutil.NoSuchProcess):  # it died at once, which its stream reports
        worker = _Worker(pid, process_mark(pid))
        (folder / FILE).write_bytes(msgspec.json.encode(worker))


def wait_for_earlier(folder: Path, context: RequestContext, report: Callable[[Event], None]) -> None:
    """Return once no other process works in the folder. Raises errors.Cancelled when the request was cancelled."""
    try:
        worker = msgspec.json.decode((folder / FILE).read_bytes(), type=_Worker)
    except (OSError, ValueError):
        return
    if _works(worker):
        report(events.Progress(stage="waiting for the previous worker to save its checkpoint"))
    while _works(worker):
        if context.wait_cancelled(LOOK_S):
            context.raise_if_cancelled()


def _works(worker: _Worker) -> bool:
    try:
        return process_mark(worker.pid) == worker.mark and psutil.Process(worker.pid).status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False
