"""The engine: one thread that owns a model's contexts and computes all requests, step by step.

Jobs wait in a queue, people's before background ones, each in the order of arrival. A job is computed in a decode
context that has the job's adapters; busy decode contexts take turns. There are at most ``MAX_DECODE_CONTEXTS``, so that
recipes with different adapters answer side by side, and one more for a person whom background work would delay; an idle
decode context switches its adapters in milliseconds.

A job whose prompt begins as one that is being computed waits for that beginning and goes on from it, so that prompts
that arrive together compute what they share once (Zheng et al. 2023, SGLang, arXiv:2312.07104).
"""

from __future__ import annotations

import contextlib
import queue
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from functools import partial
from itertools import islice
from typing import Any, TypeVar

import numpy as np

from workbench.api.protocol import RequestContext
from workbench.base.errors import ContextExceeded, UserError
from workbench.engine.background_share import BackgroundShare
from workbench.engine.decode_context import DecodeContext
from workbench.engine.jobs import Job
from workbench.engine.keys import Key, virtual_tokens
from workbench.engine.loaded_adapters import Adapters
from workbench.engine.loading import Model
from workbench.engine.prefixes import PrefixStore
from workbench.engine.slots import shared_length
from workbench.engine.threads import ThreadCount

MAX_DECODE_CONTEXTS = 2

WORTH_WAITING = 32
"""Jobs wait for another one's prompt when that saves more tokens than this in all: waiting costs one more step."""
COUNTED_WAITING = 64
"""So many waiting jobs are looked at for what they save together."""

_T = TypeVar("_T")


class Engine:
    """Computes jobs with one model. ``submit`` and ``ask`` may be called from any thread."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self._arrived: queue.SimpleQueue[tuple[Job, ...] | Callable[[], None] | None] = queue.SimpleQueue()
        self._waiting: deque[Job] = deque()
        self._store = PrefixStore(model.prefix_cache_bytes)
        self._adapters = Adapters(model.pointer, model.name, model.info.architecture, model.tensors, model.windowed)
        self._no_more_contexts = False
        self._closing = False
        self._person_came = False
        self._door = threading.Lock()
        self._share = BackgroundShare()
        self._threads = model.info.threads
        self._thread_count = None if model.threads_are_set else ThreadCount(self._threads)
        self._decode_contexts = [self._decode_context(model.first_context)]
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)
        self._thread.start()

    @property
    def threads(self) -> int:
        """Number of threads to compute with now."""
        return self._threads if self._thread_count is None else self._thread_count.now()

    def submit(self, job: Job) -> Job:
        """Queue a job; its ``events()`` carry the result. After the engine is closed it is cancelled."""
        self.submit_all((job,))
        return job

    def submit_all(self, jobs: Sequence[Job]) -> None:
        """As ``submit``, of several at once: what their prompts share is computed once."""
        if not self._send(tuple(jobs)):
            for job in jobs:
                job.cancel()

    def ask(self, work: Callable[[], _T]) -> _T:
        """Run a function on the engine's thread between two steps.

        OpenMP keeps a team of threads per computing thread; with more teams than cores its threads sleep instead of
        spin, which makes each token a tenth slower: so only this thread computes. Raises RuntimeError once the engine
        is closed.
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

    def _send(self, work: tuple[Job, ...] | Callable[[], None]) -> bool:
        """False when the engine is closed and takes no more work."""
        with self._door:
            if not self._closing:
                self._arrived.put(work)
                if isinstance(work, tuple) and not all(job.background for job in work):
                    self._person_came = True
            return not self._closing

    def warm_up(self, request: RequestContext) -> None:
        """Compute a first token; see ``Model.warm_up``."""
        self.ask(lambda: self.model.warm_up(self.model.first_context, request))

    def forget(self) -> None:
        """Forget all idle conversations, so that later prompts are computed from the beginning, and free the adapters
        that no context has on."""

        def clear() -> None:
            self._store.clear()
            for decode_context in self._decode_contexts:
                decode_context.slots.forget()
            self._adapters.forget_unused([one.key for one in self._decode_contexts], most=0)

        self.ask(clear)

    def close(self) -> None:
        """End the jobs in flight as cancelled, then free the model."""
        with self._door:
            self._closing = True
            self._arrived.put(None)
        self._thread.join()
        for decode_context in self._decode_contexts:
            decode_context.close()
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
        return [job for decode_context in self._decode_contexts for job in decode_context.jobs]

    def _take_arrivals(self) -> bool:
        """Wait for work when there is none. False when the engine has to end."""
        idle = not self._waiting and not self._jobs()
        self._person_came = False
        while idle or not self._arrived.empty():
            arrived = self._arrived.get()
            if arrived is None:
                return False
            if not isinstance(arrived, tuple):
                arrived()
                continue
            self._waiting.extend(arrived)
            if idle and self._thread_count is not None:
                self._thread_count.begin()
            idle = False
        return True

    def _drop_cancelled(self) -> None:
        for decode_context in self._decode_contexts:
            for job in list(decode_context.jobs):
                if job.cancelled and not job.done:
                    job.cancel()
                if job.done:
                    decode_context.remove(job)
        if any(job.cancelled for job in self._waiting):
            for job in self._waiting:
                if job.cancelled:
                    job.cancel()
            self._waiting = deque(job for job in self._waiting if not job.done)

    def _admit_waiting(self) -> None:
        """Admit waiting jobs in their order while there is a decode context with room. No job overtakes another, but
        for those that wait for the beginning of their prompt."""
        for admitted in self._jobs():
            for branch in admitted.branches[:1]:
                branch.fork_at = 0
        for behind in (False, True):
            for job in [job for job in self._waiting if job.background is behind]:
                if self._awaits_prompt(job):
                    continue
                if not self._admit(job):
                    return
                self._waiting.remove(job)

    def _awaits_prompt(self, job: Job) -> bool:
        """Whether a job that is admitted computes the beginning of this one's prompt now: then its next step ends where
        this one begins."""
        # a step ends at fixed places there; nothing is shared here
        if self.model.deterministic or self.model.decoder_start is not None:
            return False
        for decode_context in self._decode_contexts:
            for other in decode_context.jobs if decode_context.key == job.key else ():
                branch = next(iter(other.branches), None)
                if branch is None or branch.computed >= other.logits_from or other.cancelled:
                    continue
                shared = min(shared_length(other.prompt, job.prompt), other.logits_from, job.logits_from)
                if shared <= branch.computed or (other.background and not job.background):
                    continue
                saved = shared - decode_context.cached_length(job)
                if saved > WORTH_WAITING or (saved > 0 and saved * self._count_alike(job, shared) > WORTH_WAITING):
                    branch.fork_at = min(branch.fork_at or shared, shared)
                    return True
        return False

    def _count_alike(self, job: Job, shared: int) -> int:
        """The number of waiting jobs that could share the cells of the first ``shared`` tokens of this one's prompt, at
        least itself."""
        if not self.model.shares:  # a short beginning is not worth being saved and restored
            return 1
        beginning = job.prompt[:shared]
        alike = (
            other.key == job.key and other.prompt[:shared] == beginning
            for other in islice(self._waiting, COUNTED_WAITING)
        )
        return max(1, sum(alike))

    def _admit(self, job: Job) -> bool:
        """False when the job has to wait. A job that can never be admitted fails."""
        problem = self._problem(job)
        if problem is not None:
            job.fail(problem)
            return True
        decode_context = self._choose_decode_context(job)
        if decode_context is None:
            return False
        try:
            if decode_context.key != job.key:
                self._activate(decode_context, job.key)
            for other in self._decode_contexts:
                if other is not decode_context:
                    other.slots.move_to_store(job, decode_context.cached_length(job))
            decode_context.admit(job)
        except Exception as error:  # noqa: BLE001 - it is this job's, not everybody's
            if not isinstance(error, UserError):
                sys.stderr.write(traceback.format_exc())
            if not job.done:
                job.fail(error)
            if job in decode_context.jobs:
                decode_context.remove(job)
        return True

    def _problem(self, job: Job) -> UserError | None:
        total = self.model.context_tokens
        if not job.prompt:  # it would never have anything to compute, nor an end
            return UserError("There is nothing to compute: the text has no tokens.", "Write something first.")
        if job.cells > total:
            before = virtual_tokens(job.key)
            added = f", with {before:,} virtual tokens of an adapter," if before else ""
            return ContextExceeded(
                f"The request needs {job.cells:,} tokens{added} but the model's context has {total:,}.",
                "Shorten the text, or set a longer context.",
                tokens=job.cells,
                context_tokens=total,
            )
        most = self.model.sequences if self.model.shares else 1
        if job.width > most:
            return UserError(
                f"The request needs {job.width} parallel sequences but the loaded model has at most {most}.",
                "Ask for fewer answers or beams, or set a shorter context, which leaves memory for more sequences.",
            )
        return None

    def _choose_decode_context(self, job: Job) -> DecodeContext | None:
        """One with the job's adapters and room; else the idle one that shares most of its prompt; else a new one."""
        behind = [
            decode_context
            for decode_context in self._decode_contexts
            if any(other.background for other in decode_context.jobs)
        ]
        if self.model.deterministic and job.background and behind:
            return None
        same = [decode_context for decode_context in self._decode_contexts if decode_context.key == job.key]
        fitting = [decode_context for decode_context in same if decode_context.has_room(job)]
        if fitting:
            return max(
                fitting, key=lambda decode_context: (bool(decode_context.jobs), decode_context.cached_length(job))
            )
        idle = [decode_context for decode_context in self._decode_contexts if not decode_context.jobs]
        if idle:
            return max(idle, key=lambda decode_context: decode_context.cached_length(job))
        # background work must not be what a person waits for
        obstructed = not job.background and all(decode_context in behind for decode_context in same)
        most = MAX_DECODE_CONTEXTS + (obstructed and len(behind) == len(self._decode_contexts))
        wanted = self.model.deterministic or obstructed or not same
        return self._new_decode_context() if wanted and len(self._decode_contexts) < most else None

    def _new_decode_context(self) -> DecodeContext | None:
        if self._no_more_contexts:
            return None
        try:
            context = self.model.make_context()
        except UserError:  # no memory for another one: the present ones have to do
            self._no_more_contexts = True
            return None
        decode_context = self._decode_context(context)
        self._decode_contexts.append(decode_context)
        return decode_context

    def _decode_context(self, context: Any) -> DecodeContext:
        return DecodeContext(self.model, context, self._store, self._should_abort, self._share)

    def _activate(self, decode_context: DecodeContext, key: Key) -> None:
        self._adapters.load(key)
        try:
            decode_context.use(key, self._adapters.activate(decode_context.context, key))
        except BaseException:  # some adapters may be on
            decode_context.use((), self._adapters.activate(decode_context.context, ()))
            raise
        self._adapters.forget_unused([other.key for other in self._decode_contexts])

    def _step(self) -> None:
        busy = [decode_context for decode_context in self._decode_contexts if decode_context.jobs]
        awaited = [decode_context for decode_context in busy if decode_context.awaited]
        people = max((decode_context.people for decode_context in awaited), default=0)
        for decode_context in busy:
            behind = bool(awaited) and decode_context not in awaited
            if behind and not self._share.rows(people) and decode_context.wait_behind():
                continue
            began = time.perf_counter()
            try:
                self._adapt_threads(decode_context)
                decode_context.step()
                if len(busy) == 1 and not self._waiting:
                    decode_context.stream_alone(partial(self._may_continue, decode_context))
            except Exception as error:  # noqa: BLE001 - this decode context's requests fail, the others go on
                sys.stderr.write(traceback.format_exc())
                decode_context.fail_all(error)
            if behind:
                self._share.spend(people, time.perf_counter() - began)
            for job in [job for job in decode_context.jobs if job.done]:
                decode_context.remove(job)

    def _may_continue(self, decode_context: DecodeContext) -> bool:
        """Called before each token of an answer that is computed alone."""
        self._adapt_threads(decode_context)
        return self._arrived.empty()

    def _adapt_threads(self, decode_context: DecodeContext) -> None:
        if self._thread_count is not None:
            decode_context.set_threads(self.threads)

    def _should_abort(self) -> bool:
        """A person who comes does not wait for a step of background work, which is computed again."""
        if self._person_came and all(job.background for job in self._jobs()):
            return True
        return self._closing or any(job.cancelled for job in self._jobs())

    def _fail_all(self, error: Exception) -> None:
        for decode_context in self._decode_contexts:
            with contextlib.suppress(Exception):
                decode_context.fail_all(error)
