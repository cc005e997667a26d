"""The engine: one thread that owns a model's context and computes all requests, step by step.

A step computes one token of every sequence that generates and a slice of every prompt that waits, in one batch. A
sequence has a slot of the model's memory; when it ends, its tokens stay there, and the next request that begins like
them goes on from what they have in common. All slots share one memory of ``context_tokens`` cells: a request is let
in when what it can come to need is free, and what lies idle gives way.
"""

from __future__ import annotations

import ctypes
import queue
import sys
import threading
import traceback
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any

import numpy as np

from workbench.engine.fitting import BATCH_TOKENS
from workbench.engine.jobs import Job
from workbench.engine.library import llama
from workbench.engine.loading import MAX_OUTPUTS, Model
from workbench.engine.sampler import Logits
from workbench.engine.threads import ThreadCount
from workbench.errors import UserError
from workbench.protocol import RequestContext

SHARED_SLICE = 64
"""How much of a prompt is computed in a step in which others wait for their next token."""

ABORTABLE_TOKENS = 16
"""Batches from this size on can be stopped half-way. Asking costs a call back into Python for every operation."""

_DONE, _NO_ROOM, _ABORTED = 0, 1, 2


class Slot:
    """A sequence of the model's memory; ``tokens`` are in it."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.tokens: list[int] = []
        self.job: Job | None = None
        self.used = 0


class Engine:
    """Computes jobs with one model. ``submit`` may be called from any thread."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self._arrived: queue.SimpleQueue[Job | Callable[[], None] | None] = queue.SimpleQueue()
        self._waiting: deque[Job] = deque()
        self._slots = [Slot(number) for number in range(model.slots)]
        self._clock = 0
        self._closing = False
        self._batch = Batch(BATCH_TOKENS)
        self._row_type = ctypes.c_float * model.vocabulary.size
        self._abort = llama.ggml_abort_callback(self._should_abort)
        self._no_abort = llama.ggml_abort_callback()
        self._threads = model.info.threads
        self._thread_count = None if model.threads_are_set else ThreadCount(self._threads)
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)
        self._thread.start()

    def submit(self, job: Job) -> Job:
        """Have a job computed; its ``events()`` tell what comes of it."""
        self._arrived.put(job)
        return job

    def warm_up(self, request: RequestContext) -> None:
        """Compute a first token; see ``Model.warm_up``.

        On the engine's own thread: OpenMP keeps a team of threads for every thread that computes, and once there are
        more of them than cores it lets all sleep instead of spin, which makes each token a tenth slower.
        """
        done: Future[None] = Future()

        def work() -> None:
            try:
                self.model.warm_up(request)
                done.set_result(None)
            except Exception as error:  # noqa: BLE001 - raised where it was asked for
                done.set_exception(error)

        self._arrived.put(work)
        done.result()

    def close(self) -> None:
        """End what is in flight as cancelled, then free the model."""
        self._closing = True
        self._arrived.put(None)
        self._thread.join()
        self._batch.close()
        self.model.close()

    # -- on the engine's thread -----------------------------------------------------------------------

    @np.errstate(over="ignore")  # for LogProbabilities
    def _run(self) -> None:
        while self._take_arrivals():
            try:
                self._drop_cancelled()
                self._admit()
                self._step()
                self._stream_alone()
            except Exception as error:  # noqa: BLE001 - the requests in flight fail, the engine goes on
                sys.stderr.write(traceback.format_exc())
                self._fail_all(error)
        for job in [*self._jobs(), *self._waiting]:
            job.cancel()

    def _jobs(self) -> list[Job]:
        return [slot.job for slot in self._slots if slot.job is not None]

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
        for slot in self._slots:
            if slot.job is not None and slot.job.cancelled:
                slot.job.cancel()
                slot.job = None
        if any(job.cancelled for job in self._waiting):
            for job in self._waiting:
                if job.cancelled:
                    job.cancel()
            self._waiting = deque(job for job in self._waiting if not job.done)

    def _admit(self) -> None:
        """Let waiting jobs in, in their order, as long as there is a slot and memory for them."""
        while self._waiting:
            job = self._waiting[0]
            total = self.model.context_tokens
            if job.room > total:
                self._waiting.popleft().fail(
                    UserError(
                        f"This takes {job.room:,} tokens and the model's context has {total:,}.",
                        "Shorten it, or set a longer context.",
                    )
                )
                continue
            free = [slot for slot in self._slots if slot.job is None]
            if not free or sum(active.room for active in self._jobs()) + job.room > total:
                return
            self._waiting.popleft()
            slot = self._choose_slot(free, job)
            slot.job = job
            self._clock += 1
            slot.used = self._clock
            self._inherit(slot, job)
            self._make_room()
            job.cached = self._place(slot, job)

    def _choose_slot(self, free: Sequence[Slot], job: Job) -> Slot:
        """The slot that the job can go on from without losing more than it takes over; else an empty one, or the
        one unused for longest."""
        shared = {slot.number: _shared_length(slot.tokens, job.tokens) for slot in free}
        best = max(free, key=lambda slot: shared[slot.number])
        if shared[best.number] > len(best.tokens) // 2:
            return best
        return min(free, key=lambda slot: (len(slot.tokens) > 0, slot.used))

    def _inherit(self, slot: Slot, job: Job) -> None:
        """Copy a common beginning from another slot that has more of it. The cells are shared, not computed again."""
        shared = {other.number: _shared_length(other.tokens, job.tokens) for other in self._slots}
        donor = max(self._slots, key=lambda other: shared[other.number])
        keep = self._usable(donor, min(shared[donor.number], job.keepable))
        if donor is slot or keep <= shared[slot.number]:
            return
        self._clear(slot)
        llama.llama_memory_seq_cp(self.model.memory, donor.number, slot.number, 0, keep)
        slot.tokens = job.tokens[:keep]

    def _make_room(self) -> None:
        """Clear idle slots, the one unused for longest first, until all that active jobs may need is free."""
        needed = sum(job.room for job in self._jobs())
        idle = sorted((slot for slot in self._slots if slot.job is None), key=lambda slot: slot.used)
        for slot in idle:
            if needed + sum(len(other.tokens) for other in idle) <= self.model.context_tokens:
                return
            self._clear(slot)

    def _place(self, slot: Slot, job: Job) -> int:
        """Leave in the slot what it has in common with the job's tokens; returns how many tokens that is."""
        keep = min(_shared_length(slot.tokens, job.tokens), job.keepable)
        keep = self._usable(slot, keep)
        if keep < len(slot.tokens):
            if not keep or not llama.llama_memory_seq_rm(self.model.memory, slot.number, keep, -1):
                self._clear(slot)
                return 0
            del slot.tokens[keep:]
        return keep

    def _usable(self, slot: Slot, keep: int) -> int:
        """``keep``, or 0 when the memory no longer has what the token after it has to see."""
        if not self.model.rewindable:
            return keep if keep == len(slot.tokens) else 0
        first = llama.llama_memory_seq_pos_min(self.model.memory, slot.number)
        last = llama.llama_memory_seq_pos_max(self.model.memory, slot.number)
        window = self.model.window
        if last + 1 != len(slot.tokens) or first > (max(0, keep - window) if window else 0):
            return 0
        return keep

    def _clear(self, slot: Slot) -> None:
        llama.llama_memory_seq_rm(self.model.memory, slot.number, -1, -1)
        slot.tokens.clear()

    def _step(self) -> None:
        active = [slot for slot in self._slots if slot.job is not None]
        if not active:
            return
        batch = self._batch
        batch.clear()
        shares = self._fill(active)
        self._adapt_threads()
        abortable = batch.size >= ABORTABLE_TOKENS
        if abortable:
            llama.llama_set_abort_callback(self.model.context, self._abort, None)
        status = llama.llama_decode(self.model.context, batch.struct)
        if abortable:
            llama.llama_set_abort_callback(self.model.context, self._no_abort, None)
        if status == _ABORTED:
            self._restore(active)
            return
        _check(status)
        for slot, first, count in shares:
            self._deliver(slot, first, count)

    def _stream_alone(self) -> None:
        """Go on with the only answer under way until something else is to be done.

        What ``_step`` does for one token of one sequence, without the bookkeeping for several: that would take as
        long as three hundredths of a small model's token.
        """
        active = [slot for slot in self._slots if slot.job is not None]
        if len(active) != 1 or self._waiting or _missing(active[0]) != 1:
            return
        slot, context, batch = active[0], self.model.context, self._batch
        job = slot.job
        assert job is not None
        if job.wanted_from > len(slot.tokens):
            return
        batch.clear()
        batch.add(slot.number, job.tokens, len(slot.tokens), 1, job.wanted_from)
        while self._arrived.empty() and not job.cancelled:
            self._adapt_threads()
            _check(llama.llama_decode(context, batch.struct))
            slot.tokens.append(job.tokens[-1])
            job.take(context, 0, self._logits(0))
            if job.done or _missing(slot) != 1:
                self._settle(slot)
                return
            batch.move(job.tokens[-1], len(slot.tokens))

    def _adapt_threads(self) -> None:
        threads = self._threads if self._thread_count is None else self._thread_count.now()
        if threads != self._threads:
            llama.llama_set_n_threads(self.model.context, threads, threads)
            self._threads = threads

    def _fill(self, active: Sequence[Slot]) -> list[tuple[Slot, int, int]]:
        """Put each sequence's next tokens into the batch; returns (slot, its first row, number of rows)."""
        shares = []
        room, outputs = BATCH_TOKENS, MAX_OUTPUTS
        someone_streams = any(_missing(slot) == 1 for slot in active)
        # sequences that generate go first: theirs is one token each
        for slot in sorted(active, key=_missing) if len(active) > 1 else active:
            job, position = slot.job, len(slot.tokens)
            assert job is not None
            count = min(_missing(slot), room)
            if someone_streams:
                count = min(count, SHARED_SLICE)
            # no more tokens than there is room for their logits
            count = min(count, max(0, job.wanted_from - position) + outputs)
            if not count:
                continue
            first = self._batch.add(slot.number, job.tokens, position, count, job.wanted_from)
            room -= count
            outputs -= max(0, position + count - max(position, job.wanted_from))
            shares.append((slot, first, count))
        return shares

    def _deliver(self, slot: Slot, first: int, count: int) -> None:
        """After a step: note what is in memory now, and hand the job its logits."""
        job = slot.job
        assert job is not None
        position = len(slot.tokens)
        slot.tokens += job.tokens[position : position + count]
        for row in range(first + max(0, job.wanted_from - position), first + count):
            job.take(self.model.context, row, self._logits(row))
            if job.done:
                break
        self._settle(slot)

    def _settle(self, slot: Slot) -> None:
        """After a job got its logits: what comes next of it, if anything."""
        job = slot.job
        assert job is not None
        if not job.done and not _missing(slot) and job.advance():
            self._place(slot, job)
        if job.done:
            slot.job = None

    def _logits(self, row: int) -> Logits:
        """The last batch's row in llama.cpp's own memory, which the next batch overwrites."""
        pointer = llama.llama_get_logits_ith(self.model.context, row)
        memory: Any = self._row_type.from_address(ctypes.addressof(pointer.contents))
        logits: Logits = np.frombuffer(memory, np.float32)
        return logits

    def _should_abort(self, _user_data: Any) -> bool:
        return self._closing or any(slot.job is not None and slot.job.cancelled for slot in self._slots)

    def _restore(self, active: Sequence[Slot]) -> None:
        """After a step that was stopped half-way: take back out what it left in memory."""
        for slot in active:
            if not llama.llama_memory_seq_rm(self.model.memory, slot.number, len(slot.tokens), -1):
                self._clear(slot)

    def _fail_all(self, error: Exception) -> None:
        """Fail what is in flight; nothing that is in memory is trusted any more."""
        for slot in self._slots:
            job, slot.job = slot.job, None
            slot.tokens.clear()
            if job is not None and not job.done:
                job.fail(error)
        llama.llama_memory_clear(self.model.memory, True)


class Batch:
    """llama.cpp's batch, filled and reused. ``size`` tokens are in it."""

    def __init__(self, room: int) -> None:
        self.struct: Any = llama.llama_batch_init(room, 0, 1)
        self.size = 0
        # a field of a ctypes structure is a new object each time that it is read
        self._token, self._pos, self._logits = self.struct.token, self.struct.pos, self.struct.logits
        self._sequence = [self.struct.seq_id[row] for row in range(room)]
        for row in range(room):
            self.struct.n_seq_id[row] = 1

    def clear(self) -> None:
        self.size = self.struct.n_tokens = 0

    def add(self, sequence: int, tokens: Sequence[int], position: int, count: int, wanted_from: int) -> int:
        """Add ``tokens[position : position + count]`` at their positions; returns the first one's row."""
        first = self.size
        for row in range(first, first + count):
            self._token[row] = tokens[position]
            self._pos[row] = position
            self._sequence[row][0] = sequence
            self._logits[row] = position >= wanted_from
            position += 1
        self.size = self.struct.n_tokens = first + count
        return first

    def move(self, token: int, position: int) -> None:
        """Make the batch's only token another one of the same sequence."""
        self._token[0] = token
        self._pos[0] = position

    def close(self) -> None:
        llama.llama_batch_free(self.struct)


def _check(status: int) -> None:
    if status != _DONE:
        reason = "there was no room in its memory" if status == _NO_ROOM else f"llama.cpp's code {status}"
        raise RuntimeError(f"the model could not compute: {reason}")


def _missing(slot: Slot) -> int:
    """How many of its job's tokens are not in a slot's memory yet."""
    assert slot.job is not None
    return len(slot.job.tokens) - len(slot.tokens)


def _shared_length(a: Sequence[int], b: Sequence[int]) -> int:
    """How many tokens two sequences have in common at their beginning."""
    for index, (one, other) in enumerate(zip(a, b, strict=False)):
        if one != other:
            return index
    return min(len(a), len(b))
