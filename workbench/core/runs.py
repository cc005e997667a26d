"""Runs: the queue of long work, its event files and its index. So far the only kind of run is an ingest.

A run belongs to the core: it goes on when its client leaves, and one that the core's end interrupted is taken up
at the next start.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec

from workbench import events
from workbench.calls import (
    Collection,
    FollowRun,
    GetRun,
    ListRuns,
    ResumeRun,
    RunList,
    RunRecord,
    StopRun,
)
from workbench.core.changes import Changes
from workbench.core.embedding import Embedding
from workbench.core.run_log import RunLog, read_run
from workbench.core.streams import Handlers, at_once
from workbench.errors import Cancelled, UserError, WorkerDied
from workbench.events import Event
from workbench.paths import Home
from workbench.protocol import RequestContext, failure_of
from workbench.settings import DocumentSettings
from workbench.storage.collections import CollectionRegistry
from workbench.storage.runs import RunStore
from workbench.techniques.retrieval.protocol import Ingest, ReadLimits

TELL_EVERY_S = 0.3
COUNT_EVERY_S = 3.0

_log = logging.getLogger(__name__)


class Runs:
    """All runs of a home: those that are open, one ingest at a time for each collection, and those that were."""

    def __init__(
        self,
        home: Home,
        store: RunStore,
        registry: CollectionRegistry,
        embedding: Embedding,
        changes: Changes,
        settings: Callable[[], DocumentSettings],
    ) -> None:
        self._home = home
        self._store = store
        self._registry = registry
        self._embedding = embedding
        self._changes = changes
        self._settings = settings
        self._lock = threading.RLock()  # guards what follows, and the order of changes to the index
        self._open: dict[str, _OpenRun] = {}
        self._closing = False

    def handlers(self) -> Handlers:
        return {
            ListRuns: at_once(self.list_runs),
            GetRun: at_once(lambda call: self.get(call.run)),
            FollowRun: self.follow,
            StopRun: at_once(lambda call: self.stop(call.run)),
            ResumeRun: at_once(lambda call: self.resume(call.run)),
        }

    # -- the life of the core ---------------------------------------------------------------------

    def recover(self) -> None:
        """Take up what an earlier core left: what was queued or running goes on."""
        for run in self._store.list_in("running"):
            self._store.update(run.id, state="interrupted")
        for run in self._store.list_in("queued", "interrupted"):
            try:
                self._enqueue(run)
            except (OSError, UserError):  # its collection is gone, or the disk is full
                _log.exception("The run %s could not be taken up", run.id)

    def close(self, timeout_s: float = 10.0) -> None:
        """Interrupt what runs; the next core takes it up."""
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
        with self._lock:
            return bool(self._open)

    # -- calls ------------------------------------------------------------------------------------

    def list_runs(self, call: ListRuns) -> RunList:
        return RunList(runs=tuple(self._with_progress(run) for run in self._store.list_runs(call.limit)))

    def list_open(self) -> tuple[RunRecord, ...]:
        return tuple(self._with_progress(run) for run in self._store.list_in("queued", "running"))

    def get(self, run: str) -> RunRecord:
        return self._with_progress(self._store.get(run))

    def add_ingest(self, collection: Collection, paths: Sequence[str]) -> RunRecord:
        """Queue an ingest; one of the same paths that waits already is returned instead."""
        config = {"collection": collection.id, "paths": list(paths)}
        with self._lock:
            for waiting in self._store.list_in("queued"):
                if waiting.config == config and waiting.id in self._open:
                    return waiting
            run = self._store.add("ingest", collection.name, config)
            try:
                folder = self._home.run(run.id)
                folder.mkdir(parents=True)
                described = msgspec.json.encode({"kind": run.kind, **config})
                (folder / "config.json").write_bytes(msgspec.json.format(described))
                return self._enqueue(run)
            except (OSError, UserError) as error:
                reason = f"The run's folder could not be written: {error}"
                with contextlib.suppress(UserError):  # a full disk: the next core finds it queued and tries again
                    self._store.update(run.id, state="failed", ended=time.time(), message=reason)
                raise UserError(reason, "Free some space and add the documents again.") from error

    def stop(self, run: str) -> RunRecord:
        """Ask a run to stop; one that has ended stays as it is."""
        with self._lock:
            opened = self._open.get(run)
            if opened is not None:
                opened.context.cancel()
                if opened.thread is None:
                    del self._open[run]
                    self._end(opened, events.Cancelled())
        return self.get(run)

    def stop_all_of(self, collection: str, timeout_s: float = 60.0) -> None:
        """Stop the runs of a collection and wait until they have ended."""
        with self._lock:
            concerned = [run for run in self._open.values() if run.collection == collection]
            for run in concerned:
                self.stop(run.id)
        for run in concerned:
            if run.thread is not None:
                run.thread.join(timeout_s)

    def resume(self, run: str) -> RunRecord:
        """Queue a run again that was stopped, failed or was interrupted. Raises UserError for a finished one."""
        with self._lock:
            record = self._store.get(run)
            if run in self._open:
                return self.get(run)
            if record.state == "finished":
                raise UserError(f"The run {run} has finished.", "Start a new one.")
            return self._enqueue(record)

    def resume_interrupted(self) -> None:
        """Take up the ingests that a worker's death interrupted."""
        for run in self._store.list_in("interrupted"):
            with contextlib.suppress(UserError):
                self.resume(run.id)

    def follow(self, call: FollowRun, context: RequestContext) -> Iterator[Event]:
        """A run's events from its file, then live. Cancelling the call ends the following, not the run."""
        record = self._store.get(call.run)
        with self._lock:
            opened = self._open.get(call.run)
        if opened is not None:
            ended = yield from opened.log.follow(call.after, context)
        else:
            ended = yield from read_run(self._home.run(call.run), call.after)
        if context.cancelled:
            yield events.Cancelled()
        elif ended is not None:
            yield ended
        else:
            yield _terminal_of(self._store.get(record.id))

    # -- the queue --------------------------------------------------------------------------------

    def _enqueue(self, run: RunRecord) -> RunRecord:
        collection = self._registry.get(run.config["collection"])
        with self._lock:
            queued = self._store.update(
                run.id, state="queued", ended=None, progress=None, stage="", seconds_left=None, message=""
            )
            folder = self._home.run(run.id)
            opened = _OpenRun(run.id, collection.id, tuple(run.config["paths"]), RunLog(folder))
            opened.log.append(events.Log(text=f"Queued: {run.title}"))
            self._open[run.id] = opened
        self._changes.publish("run", run.id)
        self._dispatch()
        return queued

    def _dispatch(self) -> None:
        """Start the runs whose turn it is."""
        with self._lock:
            if self._closing:
                return
            working = {run.collection for run in self._open.values() if run.thread is not None}
            for run in self._open.values():
                if run.thread is None and run.collection not in working:
                    working.add(run.collection)
                    run.thread = threading.Thread(target=self._work, args=(run,), name=f"run-{run.id}", daemon=True)
                    run.thread.start()

    def _work(self, run: _OpenRun) -> None:
        ended: Event
        began = time.time()
        try:
            self._store.update(run.id, state="running")
            self._changes.publish("run", run.id)
            ended = self._ingest(run)
            if isinstance(ended, events.Finished):
                self._registry.set_read(run.collection, run.paths, began)
        except Exception as error:  # noqa: BLE001 - whatever happened is how the run ended
            ended = failure_of(error, traceback.format_exc())
        with self._lock:
            self._open.pop(run.id, None)
            self._end(run, ended)
        self._dispatch()

    def _ingest(self, run: _OpenRun) -> Event:
        """Do the work; returns its terminal event."""
        collection = self._registry.get(run.collection)
        settings = self._settings()
        call = Ingest(
            file=str(self._embedding.file(collection)),
            collection=collection.id,
            embedder=self._embedding.embedder(run.context, run.log.append),
            paths=run.paths,
            limits=ReadLimits(
                seconds=settings.read_seconds,
                memory_mb=settings.read_memory_mb,
                largest_file_mb=settings.largest_file_mb,
            ),
        )
        told = counted = time.monotonic()
        for event in self._embedding.host.stream(call, run.context):
            if isinstance(event, events.TERMINAL):
                if self._embedding.host.state == "ready":
                    self._count(collection)
                return event
            run.log.append(event)
            now = time.monotonic()
            if isinstance(event, events.Progress):
                run.progress = event
                if now - told >= TELL_EVERY_S:
                    told = now
                    self._changes.publish("run", run.id)
            if now - counted >= COUNT_EVERY_S:
                counted = now
                self._count(collection)
        raise RuntimeError("the ingest ended without a terminal event")

    def _count(self, collection: Collection) -> None:
        try:
            state = self._embedding.state(collection)
        except (WorkerDied, Cancelled):
            return  # the ingest's own stream says so
        self._registry.set_counts(
            collection.id,
            documents=state.documents,
            failed=state.failed,
            chunks=state.chunks,
            bytes=state.bytes,
            revision=state.revision,
        )
        self._changes.publish("collection", collection.id)

    def _end(self, run: _OpenRun, ended: Event) -> None:
        """Write how a run ended: into its file first, so that the index never says more than the file."""
        fields: dict[str, Any] = {"ended": time.time(), "stage": "", "seconds_left": None}
        if run.progress is not None:
            fields["progress"] = _share(run.progress)
        try:
            if isinstance(ended, events.Cancelled) and (self._closing or not run.context.cancelled):
                fields["state"] = "interrupted"  # nobody stopped it: the core or its worker left
            else:
                fields.update(_outcome(ended))
                run.log.append(ended)
            self._store.update(run.id, **fields)
        except UserError:  # the disk is full: the index goes on saying "running", and the next core takes it up
            _log.exception("How the run %s ended could not be stored", run.id)
        finally:
            run.log.close()
        self._changes.publish("run", run.id)

    def _with_progress(self, run: RunRecord) -> RunRecord:
        with self._lock:
            opened = self._open.get(run.id)
        if opened is None or opened.progress is None or run.state != "running":
            return run
        now = opened.progress
        return msgspec.structs.replace(
            run, progress=_share(now), stage=now.stage, seconds_left=now.seconds_left, message=now.detail
        )


class _OpenRun:
    """A run that is queued (``thread`` None) or running."""

    def __init__(self, id: str, collection: str, paths: tuple[str, ...], log: RunLog) -> None:
        self.id = id
        self.collection = collection
        self.paths = paths
        self.log = log
        self.context = RequestContext()
        self.thread: threading.Thread | None = None
        self.progress: events.Progress | None = None


def _share(progress: events.Progress) -> float | None:
    return min(1.0, progress.done / progress.total) if progress.total else None


def _outcome(ended: Event) -> dict[str, Any]:
    if isinstance(ended, events.Finished):
        return {"state": "finished", "progress": 1.0, "result": ended.result or {}, "message": ""}
    if isinstance(ended, events.Failed):
        # what the environment took away is taken up again; what the person or we did wrong is not
        state = "interrupted" if ended.reason == "worker" else "failed"
        text = f"{ended.message} {ended.hint}".strip() if ended.reason == "user" else ended.message
        return {"state": state, "message": text}
    assert isinstance(ended, events.Cancelled)
    return {"state": "cancelled", "result": ended.result or {}, "message": ""}


def _terminal_of(run: RunRecord) -> Event:
    """How a run ended whose file does not say it: the program was ended in the middle of it."""
    if run.state == "finished":
        return events.Finished(result=run.result)
    if run.state == "cancelled":
        return events.Cancelled(result=run.result)
    return events.Failed(message="The run was interrupted.", hint="Resume it to go on.", reason="user")
