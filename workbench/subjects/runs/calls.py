"""Runs: long work, of any client."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from workbench.api.protocol import Call
from workbench.base.catalogue import Shown
from workbench.base.fields import about


class WorkerState(msgspec.Struct, frozen=True, kw_only=True):
    """One worker process, as the status bar shows it. ``memory_bytes`` is its resident memory."""

    name: str
    state: Literal["stopped", "starting", "ready", "dead"]
    pid: int = 0
    memory_bytes: int = 0
    detail: Shown = ""


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """The present state of the core. ``model`` is the name of the loaded model, empty without one."""

    home: str
    version: str
    model: str = ""
    context_tokens: int = 0
    device: str = ""
    memory_bytes: int = 0
    workers: tuple[WorkerState, ...] = ()
    runs: tuple[RunRecord, ...] = ()


class GetStatus(Call[Status], frozen=True, kw_only=True, tag="status"):
    """The present state of the core."""


class Subscribe(Call[None], frozen=True, kw_only=True, tag="subscribe"):
    """A stream of ``Changed`` events until it is cancelled."""

    made_by = ("window", "A command shows what it asked for and ends; it has no lists to keep fresh.")


class RunRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A run in the index. ``progress`` is in [0, 1], None while unknown. ``paused``: it is running, but computes
    nothing until it is resumed. ``resumable``: it has stopped and can continue where it was. ``kind`` is the name of a
    kind that a subject has registered, or that of a newer program's run. ``unreadable`` says why its config or its
    result cannot be read (so does ``message``): its events can be shown, but it cannot be resumed."""

    id: str
    kind: str
    title: Shown
    state: Literal["queued", "running", "finished", "failed", "cancelled", "interrupted"]
    created: float
    ended: float | None = None
    progress: float | None = None
    stage: Shown = ""
    seconds_left: float | None = None
    message: Shown = ""
    config: dict[str, Any] = {}
    result: dict[str, Any] = {}
    paused: bool = False
    resumable: bool = False
    unreadable: Shown = ""


class RunList(msgspec.Struct, frozen=True, kw_only=True):
    runs: tuple[RunRecord, ...]


class ListRuns(Call[RunList], frozen=True, kw_only=True, tag="runs.list"):
    """Runs, the latest first."""

    changed_by = ("run",)
    limit: Annotated[int, about(ge=1), "number of runs"] = 100


class GetRun(Call[RunRecord], frozen=True, kw_only=True, tag="runs.get"):
    run: str


class FollowRun(Call[dict[str, Any]], frozen=True, kw_only=True, tag="runs.follow"):
    """A run's events with ``seq > after``, from its file, then live until its terminal event."""

    run: str
    after: int = 0


class StopRun(Call[RunRecord], frozen=True, kw_only=True, tag="runs.stop"):
    """Ask a run to stop. Finished parts stay."""

    run: str


class ResumeRun(Call[RunRecord], frozen=True, kw_only=True, tag="runs.resume"):
    """Continue a paused run, or resume a stopped, failed or interrupted one."""

    run: str


class PauseRun(Call[RunRecord], frozen=True, kw_only=True, tag="runs.pause"):
    """Pause a running training, exam, evaluation or search for a prompt until it is resumed; its memory stays. Raises
    UserError for other runs."""

    run: str


class RemoveRun(Call[None], frozen=True, kw_only=True, tag="runs.remove"):
    """Delete an ended run, with its folder: events and checkpoints. Its results stay."""

    run: str
