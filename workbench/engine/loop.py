"""The engine: one thread that owns a model's contexts and computes all requests, step by step.

Jobs wait in a queue, people's before those of the background, each in the order of their coming. A job is computed in
a lane, a context that has the job's adapters on it; lanes with something to do take turns. There are at most
``MAX_LANES``, so that recipes that differ only in their adapters answer side by side, and one more for somebody whom
the background would keep waiting; an idle lane changes its adapters in no time.
"""

from __future__ import annotations

import contextlib
import queue
import sys
import threading
import traceback
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

import numpy as np

from workbench.engine.adapters import Adapters
from workbench.engine.jobs import Job
from workbench.engine.keys import Key, virtual_tokens
from workbench.engine.decode_context import BACKGROUND_TURN, Lane
from workbench.engine.loading import Model
from workbench.engine.prefixes import PrefixStore
from workbench.engine.threads import ThreadCount
from workbench.errors import UserError
from workbench.api.protocol import RequestContext

MAX_LANES = 2

_T = TypeVar("_T")


class Engine:
    """Computes jobs with one model. ``submit`` and ``ask`` may be called from any thread."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self._arrived: queue.SimpleQueue[Job | Callable[[], None] | None] = queue.SimpleQueue()
        self._waiting: deque[Job] = deque()
        self._store = PrefixStore(model.prefix_cache_bytes)
        self._adapters = Adapters(model.pointer, model.name, model.info.architecture, model.tensors, model.windowed)
        self._all_lanes = False
        self._closing = False
        self._door = threading.Lock()
        self._turn = 0
        self._threads = model.info.threads
        self._thread_count = None if model.threads_are_set else ThreadCount(self._threads)
        self._lanes = [Lane(model, model.first_context, self._store, self._should_abort)]
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)
        self._thread.start()

    @property
    def threads(self) -> int:
        """With how many threads to compute now."""
        return self._threads if self._thread_count is None else self._thread_count.now()

    def submit(self, job: Job) -> Job:
        """Have a job computed; its ``events()`` tell what comes of it. Once the engine is closed it is cancelled."""
        if not self._send(job):
            job.cancel()
        return job

    def ask(self, work: Callable[[], _T]) -> _T:
        """Do something on the engine's thread between two steps.

        OpenMP keeps a team of threads for every thread that computes, and once there are more of them than cores it
        lets all sleep instead of spin, which makes each token a tenth slower: so nobody else computes. Raises
        RuntimeError once the engine is closed.
        """
        done: Future[_T] = Future()

        def run() -> None:
            try:
                done.set_result(work())
            except BaseException as error:  # noqa: BLE001 - raised where it was asked for
                done.set_exception(error)

        if not self._send(run):
            raise RuntimeError("the engine is closed")
        return done.result()

    def _send(self, work: Job | Callable[[], None]) -> bool:
        """False when the engine no longer takes anything: nothing comes after what ends it."""
        with self._door:
            if not self._closing:
                self._arrived.put(work)
            return not self._closing

    def warm_up(self, request: RequestContext) -> None:
        """Compute a first token; see ``Model.warm_up``."""
        self.ask(lambda: self.model.warm_up(self.model.first_context, request))

    def forget(self) -> None:
        """Forget all conversations that are not being answered: what comes next is computed from the beginning."""

        def clear() -> None:
            self._store.clear()
            for lane in self._lanes:
                lane.slots.forget()

        self.ask(clear)

    def close(self) -> None:
        """End what is in flight as cancelled, then free the model."""
        with self._door:
            self._closing = True
            self._arrived.put(None)
        self._thread.join()
        for lane in self._lanes:
            lane.close()
        self.model.close()

    # -- on the engine's thread -----------------------------------------------------------------------

    @np.errstate(over="ignore")  # for LogProbabilities
    def _run(self) -> None:
        while True:
            try:
                if not self._take_arrivals():
                    break
                self._drop_cancelled()
                self._admit_waiting()
                self._step()
            except Exception as error:  # noqa: BLE001 - the requests in flight fail, the engine goes on
                sys.stderr.write(traceback.format_exc())
                self._fail_all(error)
        for job in [*self._jobs(), *self._waiting]:
            job.cancel()

    def _jobs(self) -> list[Job]:
        return [job for lane in self._lanes for job in lane.jobs]

    def _take_arrivals(self) -> bool:
        """Wait for work if there is none. False when the engine is to end."""
        idle = not self._waiting and not self._jobs()
        while idle or not self._arrived.empty():
            job = self._arrived.get()
            if job is None:
                return False
            if not isinstance(job, Job):
                job()
                continue
            self._waiting.append(job)
            if idle and self._thread_count is not None:
                self._thread_count.begin()
            idle = False
        return True

    def _drop_cancelled(self) -> None:
        for lane in self._lanes:
            for job in list(lane.jobs):
                if job.cancelled and not job.done:
                    job.cancel()
                if job.done:
                    lane.dismiss(job)
        if any(job.cancelled for job in self._waiting):
            for job in self._waiting:
                if job.cancelled:
                    job.cancel()
            self._waiting = deque(job for job in self._waiting if not job.done)

    def _admit_waiting(self) -> None:
        """Let waiting jobs in, in their order, as long as there is a lane with room; nobody overtakes."""
        for behind in (False, True):
            for job in [job for job in self._waiting if job.background is behind]:
                if not self._admit(job):
                    return
                self._waiting.remove(job)

    def _admit(self, job: Job) -> bool:
        """False when the job has to wait. One that can never be let in fails."""
        problem = self._problem(job)
        if problem is not None:
            job.fail(problem)
            return True
        lane = self._choose_lane(job)
        if lane is None:
            return False
        try:
            if lane.key != job.key:
                self._put_on(lane, job.key)
            for other in self._lanes:
                if other is not lane:
                    other.slots.hand_over(job, lane.shared_with(job))
            lane.admit(job)
        except Exception as error:  # noqa: BLE001 - it is this job's, not everybody's
            if not isinstance(error, UserError):
                sys.stderr.write(traceback.format_exc())
            if not job.done:
                job.fail(error)
            if job in lane.jobs:
                lane.dismiss(job)
        return True

    def _problem(self, job: Job) -> UserError | None:
        total = self.model.context_tokens
        if job.cells > total:
            before = virtual_tokens(job.key)
            added = f", with the {before:,} that an adapter puts before it," if before else ""
            return UserError(
                f"This takes {job.cells:,} tokens{added} and the model's context has {total:,}.",
                "Shorten it, or set a longer context.",
            )
        most = self.model.sequences if self.model.shares else 1
        if job.width > most:
            return UserError(
                f"This follows {job.width} sequences at once, and as the model is loaded there can be {most}.",
                "Ask for fewer at once, or set a shorter context, so that the memory suffices for more.",
            )
        return None

    def _choose_lane(self, job: Job) -> Lane | None:
        """One with the job's adapters and room; else the idle one that has most of its prompt; else a new one."""
        behind = [lane for lane in self._lanes if any(other.background for other in lane.jobs)]
        if self.model.deterministic and job.background and behind:
            return None
        same = [lane for lane in self._lanes if lane.key == job.key]
        fitting = [lane for lane in same if lane.has_room(job)]
        if fitting:
            return max(fitting, key=lambda lane: (bool(lane.jobs), lane.shared_with(job)))
        idle = [lane for lane in self._lanes if not lane.jobs]
        if idle:
            return max(idle, key=lambda lane: lane.shared_with(job))
        # what is done in the background must not be what somebody waits for
        obstructed = not job.background and all(lane in behind for lane in same)
        most = MAX_LANES + (obstructed and len(behind) == len(self._lanes))
        wanted = self.model.deterministic or obstructed or not same
        return self._new_lane() if wanted and len(self._lanes) < most else None

    def _new_lane(self) -> Lane | None:
        if self._all_lanes:
            return None
        try:
            context = self.model.make_context()
        except UserError:  # no memory for another one: what is there has to do
            self._all_lanes = True
            return None
        lane = Lane(self.model, context, self._store, self._should_abort)
        self._lanes.append(lane)
        return lane

    def _put_on(self, lane: Lane, key: Key) -> None:
        self._adapters.load(key)
        try:
            lane.use(key, self._adapters.set_on(lane.context, key))
        except BaseException:  # some may be on
            lane.use((), self._adapters.set_on(lane.context, ()))
            raise
        self._adapters.forget_unused([other.key for other in self._lanes])

    def _step(self) -> None:
        busy = [lane for lane in self._lanes if lane.jobs]
        self._turn += 1
        awaited = [lane for lane in busy if any(not job.background for job in lane.jobs)]
        for lane in busy:
            if awaited and lane not in awaited and self._turn % BACKGROUND_TURN:
                continue
            try:
                self._adapt_threads(lane)
                lane.step()
                if len(busy) == 1 and not self._waiting:
                    lane.stream_alone(lambda lane=lane: self._goes_on(lane))  # type: ignore[misc]
            except Exception as error:  # noqa: BLE001 - this lane's requests fail, the others go on
                sys.stderr.write(traceback.format_exc())
                lane.fail_all(error)
            for job in [job for job in lane.jobs if job.done]:
                lane.dismiss(job)

    def _goes_on(self, lane: Lane) -> bool:
        """Asked before each token of an answer that is alone."""
        self._adapt_threads(lane)
        return self._arrived.empty()

    def _adapt_threads(self, lane: Lane) -> None:
        if self._thread_count is not None:
            lane.set_threads(self.threads)

    def _should_abort(self) -> bool:
        return self._closing or any(job.cancelled for job in self._jobs())

    def _fail_all(self, error: Exception) -> None:
        for lane in self._lanes:
            with contextlib.suppress(Exception):
                lane.fail_all(error)
