"""Runs: the queue of long work, its event files and its index.

A run belongs to the core: it continues when its client leaves. The work is done by its kind (``run_kind``); the queue
decides when it begins, records how it ends, and handles the runs that an earlier core left.
"""

from __future__ import annotations

import contextlib
import logging
import shutil
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from workbench.api import events
from workbench.api.events import Event
from workbench.api.protocol import RequestContext, failure_of
from workbench.base.errors import UserError
from workbench.base.naming import free_name
from workbench.base.paths import Home
from workbench.core.change_notifier import ChangeNotifier
from workbench.core.streams import Handlers, unary
from workbench.subjects.runs import calls
from workbench.subjects.runs.kinds import OpenRun, RunKind
from workbench.subjects.runs.log import RunLog, read_run
from workbench.subjects.runs.store import RunStore

LEAVE_S = 60.0
"""Time for running work to end when the core leaves: a training writes a checkpoint."""

_REMOVED = ".removed-"

_log = logging.getLogger(__name__)


class Runs:
    """All runs of a home, open and ended, of ``kinds`` by their names; ``register`` adds some.

    ``on_removal`` is called with a run and its folder before that is deleted.
    """

    def __init__(
        self,
        home: Home,
        store: RunStore,
        changes: ChangeNotifier,
        kinds: Mapping[str, RunKind] | None = None,
        on_removal: Callable[[str, Path], None] = lambda run, folder: None,
    ) -> None:
        self._home = home
        self.on_removal = on_removal
        self._store = store
        self._changes = changes
        self._kinds = dict(kinds or {})
        self._lock = threading.RLock()  # guards what follows, and the order of changes to the index
        self._open: dict[str, OpenRun] = {}
        self._closing = False

    def register(self, kinds: Mapping[str, RunKind]) -> None:
        """Add kinds, before the first run is read or added. Raises ValueError for a name that is taken."""
        if taken := self._kinds.keys() & kinds.keys():
            raise ValueError(f"two kinds of runs are named {sorted(taken)}")
        self._kinds.update(kinds)
        self._store.register({name: (kind.config, kind.result) for name, kind in kinds.items()})

    def handlers(self) -> Handlers:
        return {
            calls.ListRuns: unary(self.list_runs),
            calls.GetRun: unary(lambda call: self.get(call.run)),
            calls.FollowRun: self.follow,
            calls.StopRun: unary(lambda call: self.stop(call.run)),
            calls.PauseRun: unary(lambda call: self.pause(call.run)),
            calls.ResumeRun: unary(lambda call: self.resume(call.run)),
            calls.RemoveRun: unary(lambda call: self.remove(call.run)),
        }

    # -- start and end of the core ---------------------------------------------------------------------

    def recover(self) -> list[calls.RunRecord]:
        """Resume the runs that an earlier core left, of the kinds that resume automatically; mark the others as
        interrupted. Returns the latter."""
        for left in self._home.runs.glob(f"{_REMOVED}*"):
            shutil.rmtree(left, ignore_errors=True)
        for run in self._store.list_in("running"):
            self._store.update(run.id, state="interrupted")
        left_alone: list[calls.RunRecord] = []
        for run in self._store.list_in("queued", "interrupted"):
            if not self._auto_resumes(run):
                left_alone.append(self._store.update(run.id, state="interrupted"))
                continue
            try:
                self._enqueue(run)
            except (OSError, UserError):  # its collection is gone, or the disk is full
                _log.exception("The run %s could not be resumed", run.id)
                with contextlib.suppress(UserError):
                    self._store.update(run.id, state="interrupted")
        return left_alone

    def close(self, timeout_s: float = LEAVE_S) -> None:
        """Interrupt the running runs."""
        with self._lock:
            self._closing = True
            open_runs = list(self._open.values())
        for run in open_runs:
            run.context.cancel()
        deadline = time.monotonic() + timeout_s
        for run in open_runs:
            if run.thread is not None:
                run.thread.join(max(0.0, deadline - time.monotonic()))
            else:
                run.log.close()  # still queued

    @property
    def busy(self) -> bool:
        """Whether a run is open that the core stays for."""
        with self._lock:
            return any(self._kinds[run.record.kind].holds_core for run in self._open.values())

    # -- calls ------------------------------------------------------------------------------------

    def list_runs(self, call: calls.ListRuns) -> calls.RunList:
        return calls.RunList(runs=tuple(self._as_it_is(run) for run in self._store.list_runs(call.limit)))

    def list_open(self) -> tuple[calls.RunRecord, ...]:
        return tuple(
            run for run in map(self._as_it_is, self._store.list_in("queued", "running")) if run.state != "interrupted"
        )

    def get(self, run: str) -> calls.RunRecord:
        return self._as_it_is(self._store.get(run))

    def is_open(self, run: str) -> bool:
        with self._lock:
            return run in self._open

    def folder(self, run: str) -> Path:
        return self._home.run(run)

    def add(
        self,
        kind: str,
        title: str,
        config: Any,
        *,
        once: bool = False,
        prepare: Callable[[Path, RunLog], None] | None = None,
    ) -> calls.RunRecord:
        """Queue a run with its ``config``, a value of the kind's type. With ``once``, a waiting run of the same kind
        and config is returned instead. A title that a run has which has not ended gets a number.

        ``prepare`` writes the run's first files and events before it begins. Raises UserError when the folder cannot be
        written, KeyError for a kind that is none.
        """
        self._kinds[kind]
        plain = msgspec.json.decode(msgspec.json.encode(config))
        plain.pop("call", None)  # the tag of a call
        with self._lock:
            for waiting in self._store.list_in("queued") if once else ():
                if (waiting.kind, waiting.config) == (kind, plain) and waiting.id in self._open:
                    return waiting
            begun = {one.title for one in self._store.list_in("queued", "running")}
            run = self._store.add(kind, free_name(title, begun), plain)
            try:
                folder = self._home.run(run.id)
                folder.mkdir(parents=True)
                described = msgspec.json.encode({"kind": run.kind, **plain})
                (folder / "config.json").write_bytes(msgspec.json.format(described))
                return self._enqueue(run, prepare)
            except (OSError, UserError) as error:
                reason = f"The run's folder could not be written: {error}"
                with contextlib.suppress(UserError):  # a full disk: the next core finds it queued
                    self._store.update(run.id, state="failed", ended=time.time(), message=reason)
                raise UserError(reason, "Free some space and try again.") from error

    def stop(self, run: str, wait_s: float = 0.0) -> calls.RunRecord:
        """Ask a run to stop, and wait so long for its end; an ended run is unchanged."""
        with self._lock:
            opened = self._open.get(run)
            if opened is not None:
                opened.context.cancel()
                if opened.thread is None:
                    del self._open[run]
                    self._end(opened, events.Cancelled())
        if opened is not None and opened.thread is not None and wait_s:
            opened.thread.join(wait_s)
        return self.get(run)

    def stop_concurrency_group(self, concurrency_group: str) -> None:
        """Stop the runs of a concurrency group and wait until they have ended."""
        with self._lock:
            concerned = [run for run in self._open.values() if run.concurrency_group == concurrency_group]
            for run in concerned:
                self.stop(run.id)
        for run in concerned:
            if run.thread is not None:
                run.thread.join(60)

    def pause(self, run: str) -> calls.RunRecord:
        """Raises UserError for a run that is not computing, or whose kind cannot pause."""
        with self._lock:
            opened = self._open.get(run)
        if opened is None or opened.thread is None:
            self._store.get(run)
            raise UserError(
                "The run is not computing, so it cannot be paused.", "Stop it, or wait until it is computing."
            )
        self._set_paused(opened, True)
        return self.get(run)

    def resume(self, run: str) -> calls.RunRecord:
        """Continue a paused run; queue a stopped, failed or interrupted one again. Raises UserError for a finished
        one."""
        with self._lock:
            opened = self._open.get(run)
            record = self._store.get(run)
            if opened is None:
                if record.state == "finished":
                    raise UserError(f"The run {run} has finished.", "Start a new run.")
                try:
                    return self._enqueue(record)
                except OSError as error:
                    raise UserError(
                        f"{record.title!r} cannot be resumed: its folder cannot be written "
                        f"({error.strerror or error}).",
                        "Free some space, or start a new run.",
                    ) from error
        if opened.paused:
            self._set_paused(opened, False)
        return self.get(run)

    def resume_interrupted(self) -> None:
        """Resume the runs that a worker's death interrupted and whose kind resumes automatically."""
        for run in self._store.list_in("interrupted"):
            if self._auto_resumes(run):
                with contextlib.suppress(UserError):
                    self.resume(run.id)

    def remove(self, run: str) -> None:
        """Delete an ended run: its folder, then its row. Raises UserError for an open one."""
        away = self._home.runs / f"{_REMOVED}{run}"
        with self._lock:
            record = self._store.get(run)
            if run in self._open:
                raise UserError(f"{record.title!r} is still running or waiting.", "Stop it first.")
            try:
                self.on_removal(run, self._home.run(run))
                self._home.run(run).rename(away)
            except FileNotFoundError:
                pass
            except OSError as error:
                raise UserError(
                    f"The folder of {record.title!r} cannot be deleted: {error.strerror or error}.",
                    "Close the programs that use its files and try again.",
                ) from error
            self._store.remove(run)
        self._changes.publish("run", run)
        shutil.rmtree(away, ignore_errors=True)  # checkpoints are large; what is left goes when the next core starts

    def follow(self, call: calls.FollowRun, context: RequestContext) -> Iterator[Event]:
        """A run's events from its file, then live. Cancelling the call ends the following, not the run."""
        self._store.get(call.run)  # raises where there is none
        with self._lock:
            opened = self._open.get(call.run)
        if opened is not None:
            ended = yield from opened.log.follow(call.after, context)
        else:
            ended = yield from read_run(self._home.run(call.run), call.after)
            if isinstance(ended, events.Finished | events.Cancelled) and ended.result:
                stored = self._store.get(call.run).result  # read now: the run may have ended since the first look
                ended = msgspec.structs.replace(ended, result=stored or ended.result)  # in today's form
        if context.cancelled:
            yield events.Cancelled()
        elif ended is not None:
            yield ended
        else:
            yield _terminal_of(self._store.get(call.run))

    # -- the queue --------------------------------------------------------------------------------

    def _enqueue(self, run: calls.RunRecord, prepare: Callable[[Path, RunLog], None] | None = None) -> calls.RunRecord:
        if unreadable := self._as_it_is(run).unreadable:
            raise UserError(unreadable, "Start a new run.")
        concurrency_group = self._kinds[run.kind].concurrency_group(run)
        with self._lock:
            queued = self._store.update(
                run.id, state="queued", ended=None, progress=None, stage="", seconds_left=None, message=""
            )
            folder = self._home.run(run.id)
            try:
                opened = OpenRun(queued, concurrency_group, RunLog(folder), lambda id: self._changes.publish("run", id))
                try:
                    if prepare is not None:
                        prepare(folder, opened.log)
                    opened.log.append(events.Log(text=f"Queued: {run.title}"))
                except BaseException:
                    opened.log.close()
                    raise
            except BaseException:
                with contextlib.suppress(UserError):
                    self._store.update(run.id, state=run.state, ended=run.ended, message=run.message)
                raise
            self._open[run.id] = opened
        self._changes.publish("run", run.id)
        self._dispatch()
        return queued

    def _dispatch(self) -> None:
        """Start the runs that are next in line."""
        with self._lock:
            if self._closing:
                return
            working = {run.concurrency_group for run in self._open.values() if run.thread is not None}
            for run in self._open.values():
                if run.thread is None and run.concurrency_group not in working:
                    working.add(run.concurrency_group)
                    run.thread = threading.Thread(target=self._work, args=(run,), name=f"run-{run.id}", daemon=True)
                    run.thread.start()

    def _work(self, run: OpenRun) -> None:
        ended: Event
        try:
            self._store.update(run.id, state="running")
            self._changes.publish("run", run.id)
            ended = self._kinds[run.record.kind].work(run)
        except Exception as error:  # noqa: BLE001 - whatever happened is how the run ended
            ended = failure_of(error, traceback.format_exc())
        try:
            with self._lock:
                self._open.pop(run.id, None)
                self._end(run, ended)
        finally:
            self._dispatch()

    def _set_paused(self, run: OpenRun, paused: bool) -> None:
        self._kinds[run.record.kind].set_paused(run, paused)
        run.paused = paused
        self._changes.publish("run", run.id)

    def _end(self, run: OpenRun, ended: Event) -> None:
        """Record how a run ended: in its file first, so that the index never claims more than the file."""
        fields: dict[str, Any] = {"ended": time.time(), "stage": "", "seconds_left": None}
        if (reached := run.reached or run.progress) is not None:
            fields["progress"] = _share(reached)
        try:
            if isinstance(ended, events.Cancelled) and (self._closing or not run.context.cancelled):
                fields["state"] = "interrupted"  # nobody stopped it: the core or its worker died
            else:
                try:
                    run.log.append(ended)
                    fields.update(_outcome(ended))
                except UserError as error:  # the disk is full: a run without an end in its file can be resumed
                    fields.update(state="interrupted", message=f"{error.message} {error.hint}")
            self._store.update(run.id, **fields)
        except Exception:  # noqa: BLE001 - no room, or the core has left: it is as one that was interrupted
            _log.exception("The end of the run %s could not be stored", run.id)
        finally:
            run.log.close()
        self._changes.publish("run", run.id)

    def _auto_resumes(self, run: calls.RunRecord) -> bool:
        kind = self._kinds.get(run.kind)
        return kind is not None and kind.auto_resume and not run.unreadable

    def _as_it_is(self, run: calls.RunRecord) -> calls.RunRecord:
        """The record with the state that is in memory only."""
        with self._lock:
            opened = self._open.get(run.id)
            if opened is None and run.state in ("queued", "running"):
                run = self._store.get(run.id)  # it ended after it was read
                if run.state in ("queued", "running"):  # its end could not be stored
                    run = msgspec.structs.replace(run, state="interrupted")
        why = f"Runs of the kind {run.kind!r} are unknown to this version of LLM Workbench."
        if run.kind in self._kinds:
            done = run.unreadable or run.state == "finished"
            why = "" if done else self._kinds[run.kind].problem(run)
        if why:
            return msgspec.structs.replace(run, unreadable=why, message=f"{run.message} {why}".strip())
        if opened is None:
            resumable = run.state != "finished" and not run.unreadable and self._kinds[run.kind].resumable
            return msgspec.structs.replace(run, resumable=resumable) if resumable else run
        if run.state != "running":
            return run
        now = opened.progress
        if now is None:
            return msgspec.structs.replace(run, paused=opened.paused)
        return msgspec.structs.replace(
            run,
            progress=_share(now),
            stage=now.stage,
            seconds_left=now.seconds_left,
            message=now.detail,
            paused=opened.paused,
        )


def _share(progress: events.Progress) -> float | None:
    if progress.overall is not None:
        return progress.overall
    return min(1.0, progress.done / progress.total) if progress.total else None


def _outcome(ended: Event) -> dict[str, Any]:
    if isinstance(ended, events.Finished):
        return {"state": "finished", "progress": 1.0, "result": ended.result or {}, "message": ""}
    if isinstance(ended, events.Failed):
        # an interruption by the environment can be resumed; a mistake of the person or a bug of ours cannot
        state = "interrupted" if ended.reason == "worker" else "failed"
        text = f"{ended.message} {ended.hint}".strip() if ended.reason == "user" else ended.message
        return {"state": state, "message": text}
    assert isinstance(ended, events.Cancelled)
    return {"state": "cancelled", "result": ended.result or {}, "message": ""}


def _terminal_of(run: calls.RunRecord) -> Event:
    """The end of a run whose file has none: the program died in the middle of it."""
    if run.state == "finished":
        return events.Finished(result=run.result)
    if run.state == "cancelled":
        return events.Cancelled(result=run.result)
    return events.Failed(message="The run was interrupted.", hint="Resume it to continue.", reason="user")
