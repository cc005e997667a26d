"""A lane: one context of the model, in which jobs with the same adapters are computed together, step by step.

A step computes one token of every branch that generates and a slice of every prompt that waits, in one batch. A
branch has a sequence of the lane's memory, its slot; when it ends, its tokens stay there, and the next job that begins
like them goes on from what they have in common. All sequences share one memory of ``context_tokens`` cells: a job is
let in when what it can come to need is free, and what lies idle gives way, into the store of saved states.

In a deterministic model a lane computes one job at a time, prompts in slices that begin and end at multiples of
``EXACT_SLICE``, and only what was computed so is reused: where a token's cell lies, and what stands beside it in a
batch, changes the last bits of its logits.
"""

from __future__ import annotations

import ctypes
import sys
import traceback
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from workbench.engine.batch import ABORTED, Batch, check
from workbench.engine.fitting import BATCH_TOKENS
from workbench.engine.jobs import Branch, Job, Logits
from workbench.engine.library import llama
from workbench.engine.loading import MAX_OUTPUTS, Model
from workbench.engine.prefixes import PrefixStore, State
from workbench.errors import UserError

SHARED_SLICE = 64
"""How much of a prompt is computed in a step in which others wait for their next token."""

BACKGROUND_ROWS = 2
"""How many tokens of background jobs are computed in a step in which somebody waits for an answer."""

EXACT_SLICE = 256
PARKED_CELLS = 512
"""So many cells of idle conversations may lie in memory beside an active one: they slow it down."""

GIVEN_UP = 5
"""A conversation that another one goes on from is saved first when more than one in so many of its tokens go."""

ABORTABLE_TOKENS = 16
"""Batches from this size on can be stopped half-way. Asking costs a call back into Python for every operation."""


class Slot:
    """A sequence of the lane's memory. Without a ``branch`` it is idle, and ``tokens``, computed with the adapters
    ``key``, are in it."""

    __slots__ = ("branch", "exact", "job", "key", "number", "tokens", "used")

    def __init__(self, number: int) -> None:
        self.number = number
        self.tokens: list[int] = []
        self.key: object = ()
        self.exact = 0
        self.branch: Branch | None = None
        self.job: Job | None = None
        self.used = 0

    @property
    def held(self) -> list[int]:
        """The tokens that are in memory."""
        return self.tokens if self.branch is None else self.branch.tokens[: self.branch.computed]


class Lane:
    """Computes jobs that share ``key``, their adapters. Everything is called on the engine's thread."""

    def __init__(self, model: Model, context: Any, store: PrefixStore, should_abort: Callable[[], bool]) -> None:
        self.model = model
        self.context = context
        self.memory: Any = llama.llama_get_memory(context)
        self.key: object = ()
        self.jobs: list[Job] = []
        self.threads: int = llama.llama_n_threads(context)
        self._store = store
        self._slots = [Slot(number) for number in range(model.sequences)]
        self._clock = 0
        self._turn = 0
        self._batch = Batch(BATCH_TOKENS)
        self._row_type = ctypes.c_float * model.vocabulary.size
        self._state_type = ctypes.c_float * model.width
        self._abort = llama.ggml_abort_callback(lambda _user_data: should_abort())
        self._no_abort = llama.ggml_abort_callback()

    def close(self) -> None:
        self._batch.close()
        llama.llama_free(self.context)

    def set_threads(self, threads: int) -> None:
        if threads != self.threads:
            llama.llama_set_n_threads(self.context, threads, threads)
            self.threads = threads

    @property
    def cells_used(self) -> int:
        """How many cells its sequences hold at most, shared ones counted for each."""
        return sum(len(slot.held) for slot in self._slots)

    # -- letting jobs in and out ----------------------------------------------------------------------

    def has_room(self, job: Job) -> bool:
        """Whether the job can be let in now, if its adapters are the lane's."""
        if self.model.deterministic and self.jobs:
            return False
        room = sum(active.room for active in self.jobs) + job.room
        width = sum(active.width for active in self.jobs) + job.width
        if job.background and self.jobs:
            behind = [active for active in self.jobs if active.background]
            if 2 * (sum(b.room for b in behind) + job.room) > self.model.context_tokens:
                return False
            if 2 * (sum(b.width for b in behind) + job.width) > len(self._slots):
                return False
        return room <= self.model.context_tokens and width <= len(self._slots)

    def admit(self, job: Job) -> None:
        """Give the job its first branch, with as much of its prompt as is in memory or in the store."""
        self.jobs.append(job)
        slot = self._place(job)
        branch = Branch(slot.number, list(job.prompt), len(slot.tokens), job.wanted_from)
        slot.key = self.key
        self._take_slot(slot, branch, job)
        job.cached = branch.computed
        job.memory = self
        job.begin()

    def shared_with(self, job: Job) -> int:
        """How many tokens of its prompt the lane's memory could spare the job."""
        return max(self._usable(slot, job) for slot in self._slots)

    def hand_over(self, job: Job, more_than: int) -> None:
        """Move an idle conversation that the job begins like into the store, for another lane to take it."""
        best = max(
            (slot for slot in self._slots if slot.branch is None),
            key=lambda slot: self._usable(slot, job),
            default=None,
        )
        if best is not None and self._usable(best, job) > more_than:
            self._park(best)

    def forget(self) -> None:
        """Forget what lies idle."""
        for slot in self._slots:
            if slot.branch is None:
                self._clear(slot)

    def dismiss(self, job: Job) -> None:
        """Take a job's branches out; the first one's tokens stay for who begins like it."""
        self.jobs.remove(job)
        for number, branch in enumerate(job.branches):
            slot = self._slots[branch.number]
            exact = min(job.wanted_from, branch.computed) // EXACT_SLICE * EXACT_SLICE
            held = slot.held
            slot.branch = slot.job = None
            slot.tokens, slot.exact = held, exact
            if number or job.needs_states:
                self._clear(slot)
        job.branches.clear()

    def fail_all(self, error: Exception) -> None:
        """Fail what is in flight; nothing that is in memory is trusted any more."""
        for job in list(self.jobs):
            if not job.done:
                job.fail(error)
            job.branches.clear()
        self.jobs.clear()
        for slot in self._slots:
            slot.branch = slot.job = None
            slot.tokens = []
        llama.llama_memory_clear(self.memory, True)

    # -- what jobs may do (jobs.Memory) ---------------------------------------------------------------

    def fork(self, branch: Branch) -> Branch:
        slot = self._free_slot()
        job = self._slots[branch.number].job
        assert job is not None
        assert not branch.missing
        llama.llama_memory_seq_cp(self.memory, branch.number, slot.number, -1, -1)
        child = Branch(slot.number, list(branch.tokens), branch.computed, branch.wanted_from)
        slot.key = self.key
        self._take_slot(slot, child, job)
        return child

    def drop(self, branch: Branch) -> None:
        slot = self._slots[branch.number]
        assert slot.job is not None
        slot.job.branches.remove(branch)
        slot.branch = slot.job = None
        self._clear(slot)

    def rewind(self, branch: Branch, length: int) -> None:
        held = branch.computed
        del branch.tokens[length:]
        if held <= length:
            return
        first = llama.llama_memory_seq_pos_min(self.memory, branch.number)
        if self._reachable(length, held, first) and llama.llama_memory_seq_rm(self.memory, branch.number, length, -1):
            branch.computed = length
        else:
            llama.llama_memory_seq_rm(self.memory, branch.number, -1, -1)
            branch.computed = 0

    def states(self, row: int) -> Logits:
        pointer = llama.llama_get_embeddings_ith(self.context, row)
        memory: Any = self._state_type.from_address(ctypes.addressof(pointer.contents))
        state: Logits = np.frombuffer(memory, np.float32)
        return state

    # -- computing --------------------------------------------------------------------------------------

    def step(self) -> None:
        """Compute the next tokens of the jobs, and hand them their logits."""
        with_states = [job for job in self.jobs if job.needs_states]
        others = [job for job in self.jobs if not job.needs_states]
        if others:
            self._compute(others)
        for job in with_states:
            if not job.done:
                llama.llama_set_embeddings(self.context, True)
                try:
                    self._compute([job])
                finally:
                    llama.llama_set_embeddings(self.context, False)

    def stream_alone(self, go_on: Callable[[], bool]) -> None:
        """Go on with the lane's only branch, if there is one and it generates, as long as ``go_on`` says.

        What ``step`` does for one token of one sequence, without the bookkeeping for several: that would take as
        long as three hundredths of a small model's token.
        """
        if len(self.jobs) != 1 or len(self.jobs[0].branches) != 1 or self.jobs[0].needs_states:
            return
        job = self.jobs[0]
        branch, context, batch = job.branches[0], self.context, self._batch
        if job.done or branch.missing != 1 or branch.wanted_from > branch.computed:
            return
        batch.clear()
        batch.add(branch.number, branch.tokens, branch.computed, 1, branch.wanted_from)
        while go_on() and not job.cancelled:
            check(llama.llama_decode(context, batch.struct))
            branch.computed += 1
            job.take(branch, context, 0, self._logits(0))
            if job.done:
                return
            if branch.missing != 1:
                self._settle(job)
                return
            batch.move(branch.tokens[-1], branch.computed)

    def _compute(self, jobs: Sequence[Job]) -> None:
        batch = self._batch
        batch.clear()
        shares = self._fill(jobs)
        if not shares:
            return
        abortable = batch.size >= ABORTABLE_TOKENS
        if abortable:
            llama.llama_set_abort_callback(self.context, self._abort, None)
        status = llama.llama_decode(self.context, batch.struct)
        if abortable:
            llama.llama_set_abort_callback(self.context, self._no_abort, None)
        if status == ABORTED:
            self._take_back(shares)
            return
        check(status)
        for _, branch, _, count in shares:
            branch.computed += count
        for job, branch, first, count in shares:
            start = branch.computed - count
            try:
                for row in range(first + max(0, branch.wanted_from - start), first + count):
                    if job.done:
                        break
                    job.take(branch, self.context, row, self._logits(row))
            except Exception as error:  # noqa: BLE001 - it is this job's, not everybody's
                self._fail(job, error)
        for job in {id(share[0]): share[0] for share in shares}.values():
            self._settle(job)

    def _fill(self, jobs: Sequence[Job]) -> list[tuple[Job, Branch, int, int]]:
        """Put the next tokens of each branch into the batch; returns (job, branch, first row, number of rows)."""
        shares = []
        room, outputs = BATCH_TOKENS, MAX_OUTPUTS
        waiting = [(job, branch) for job in jobs for branch in job.branches if branch.missing]
        someone_waits = any(not job.background for job, _ in waiting)
        someone_streams = any(branch.computed >= branch.wanted_from for _, branch in waiting)
        spare = BACKGROUND_ROWS if someone_waits else room
        slices = SHARED_SLICE if someone_streams and len(waiting) > 1 else room
        slices_behind = SHARED_SLICE // 2 if someone_waits else room
        self._turn += 1
        if len(waiting) > 1 and not self.model.deterministic:
            # who generates goes first: theirs is a token each; those of the background take turns
            count, turn = len(self._slots), self._turn
            waiting.sort(key=lambda w: (w[0].background, w[1].missing, (w[1].number + turn) % count))
        for job, branch in waiting:
            position = branch.computed
            generates = position >= branch.wanted_from
            count = min(branch.missing, room)
            if not generates:
                count = min(count, slices)
            if job.background:
                count = min(count, spare if generates else slices_behind)
            if self.model.deterministic and not generates:
                count = min(count, EXACT_SLICE - position % EXACT_SLICE)
            # no more tokens than there is room for their logits
            count = min(count, max(0, branch.wanted_from - position) + outputs)
            if job.needs_states:
                count = min(count, outputs)
            if count <= 0:
                continue
            first = self._batch.add(branch.number, branch.tokens, position, count, branch.wanted_from)
            room -= count
            if not generates:
                slices -= count
            if job.background and generates:
                spare -= count
            elif job.background:
                slices_behind -= count
            outputs -= max(0, position + count - max(position, branch.wanted_from))
            shares.append((job, branch, first, count))
        return shares

    def _settle(self, job: Job) -> None:
        if job.done or any(branch.missing for branch in job.branches):
            return
        try:
            job.settle()
        except Exception as error:  # noqa: BLE001 - it is this job's, not everybody's
            self._fail(job, error)

    def _fail(self, job: Job, error: Exception) -> None:
        """Fail one job; what it left in memory is not trusted."""
        if not isinstance(error, UserError):
            sys.stderr.write("".join(traceback.format_exception(error)))
        if not job.done:
            job.fail(error)
        for branch in job.branches:
            slot = self._slots[branch.number]
            slot.branch = slot.job = None
            self._clear(slot)
        job.branches.clear()

    def _take_back(self, shares: Sequence[tuple[Job, Branch, int, int]]) -> None:
        """After a step that was stopped half-way: take back out what it left in memory."""
        for _, branch, _, _ in shares:
            if not llama.llama_memory_seq_rm(self.memory, branch.number, branch.computed, -1):
                # it cannot go back: all is computed again, and what was handed over is not handed over again
                branch.wanted_from = max(branch.wanted_from, branch.computed)
                llama.llama_memory_seq_rm(self.memory, branch.number, -1, -1)
                branch.computed = 0

    def _logits(self, row: int) -> Logits:
        """The last batch's row in llama.cpp's own memory, which the next batch overwrites."""
        pointer = llama.llama_get_logits_ith(self.context, row)
        memory: Any = self._row_type.from_address(ctypes.addressof(pointer.contents))
        logits: Logits = np.frombuffer(memory, np.float32)
        return logits

    # -- the memory -------------------------------------------------------------------------------------

    def _take_slot(self, slot: Slot, branch: Branch, job: Job) -> None:
        slot.branch, slot.job, slot.tokens = branch, job, []
        self._clock += 1
        slot.used = self._clock
        job.branches.append(branch)

    def _place(self, job: Job) -> Slot:
        """An idle slot for the job that holds what can be reused of its prompt, and nothing else."""
        best = max(self._slots, key=lambda slot: self._usable(slot, job))
        keep = self._usable(best, job)
        state, saved = self._store.find(job.key, lambda state: self._usable_of(state, job))
        if state is not None and saved > keep:
            slot = self._free_slot()
            self._make_room(slot)
            if self._store.restore(state, self.context, slot.number):
                slot.tokens, slot.key, slot.exact = list(state.tokens), self.key, state.exact
                self._cut(slot, saved)
                return slot
            best, keep = slot, 0
        alone = all(slot is best or slot.branch is not None for slot in self._slots)
        if best.branch is None and keep and (keep > len(best.tokens) // 2 or alone or not self.model.shares):
            slot = best
            held = slot.exact if self.model.deterministic else len(slot.tokens)
            if GIVEN_UP * (held - keep) > held:  # somebody may come back to it
                self._save(slot)
        else:
            slot = self._free_slot(but=best if keep else None)
            if keep and self.model.shares:
                llama.llama_memory_seq_cp(self.memory, best.number, slot.number, 0, keep)
                slot.tokens = job.prompt[:keep]
        self._cut(slot, keep)
        self._make_room(slot)
        return slot

    def _usable(self, slot: Slot, job: Job) -> int:
        """How many tokens of the job's prompt can be taken from a slot; 0 where the memory no longer has what the
        next token has to see."""
        if slot.key != job.key or not slot.held:
            return 0
        held = slot.held
        keep = min(shared_length(held, job.prompt), job.wanted_from)
        if not keep:
            return 0
        if self.model.deterministic:
            if slot.branch is not None:
                return 0
            keep = min(keep, slot.exact) // EXACT_SLICE * EXACT_SLICE
        last = llama.llama_memory_seq_pos_max(self.memory, slot.number)
        if last + 1 != len(held):
            return 0
        first = llama.llama_memory_seq_pos_min(self.memory, slot.number)
        return self._reachable(keep, len(held), first)

    def _usable_of(self, state: State, job: Job) -> int:
        keep = min(shared_length(state.tokens, job.prompt), job.wanted_from)
        if self.model.deterministic:
            keep = min(keep, state.exact) // EXACT_SLICE * EXACT_SLICE
        return self._reachable(keep, len(state.tokens), state.first)

    def _reachable(self, keep: int, length: int, first: int) -> int:
        """``keep``, or 0 when a sequence of ``length`` tokens whose sliding windows begin at ``first`` cannot go back
        to it."""
        if not self.model.rewindable:
            return keep if keep == length else 0
        window = self.model.window
        return 0 if first > (max(0, keep - window) if window else 0) else keep

    def _cut(self, slot: Slot, keep: int) -> None:
        """Leave a slot's first ``keep`` tokens in memory."""
        if keep < len(slot.tokens):
            if not keep or not llama.llama_memory_seq_rm(self.memory, slot.number, keep, -1):
                self._clear(slot)
            else:
                del slot.tokens[keep:]
        slot.exact = min(slot.exact, len(slot.tokens))

    def _make_room(self, kept: Slot) -> None:
        """Move idle conversations out, the one unused for longest first: until all that active jobs may need is free,
        and few enough lie beside them."""
        needed = sum(job.room for job in self.jobs)
        idle = sorted(
            (slot for slot in self._slots if slot.branch is None and slot.tokens and slot is not kept),
            key=lambda slot: slot.used,
        )
        most = 0 if self.model.deterministic else min(PARKED_CELLS, self.model.context_tokens - needed)
        for slot in idle:
            if sum(len(other.tokens) for other in idle) <= most:
                return
            self._park(slot)

    def _free_slot(self, but: Slot | None = None) -> Slot:
        """A sequence that nobody uses, emptied."""
        idle = [slot for slot in self._slots if slot.branch is None]
        if len(idle) > 1:
            idle = [slot for slot in idle if slot is not but]
        slot = min(idle, key=lambda slot: (len(slot.tokens) > 0, slot.used))
        if slot.tokens:
            self._park(slot)
        return slot

    def _park(self, slot: Slot) -> None:
        """Move an idle conversation into the store."""
        self._save(slot)
        self._clear(slot)

    def _save(self, slot: Slot) -> None:
        """Keep an idle conversation in the store as well."""
        if self.model.deterministic:
            self._cut(slot, slot.exact)
        if len(slot.tokens) >= self.model.worth_saving:
            first = llama.llama_memory_seq_pos_min(self.memory, slot.number)
            self._store.save(self.context, slot.number, slot.key, slot.tokens, max(0, first), slot.exact)

    def _clear(self, slot: Slot) -> None:
        llama.llama_memory_seq_rm(self.memory, slot.number, -1, -1)
        slot.tokens, slot.exact = [], 0


def shared_length(a: Sequence[int], b: Sequence[int]) -> int:
    """How many tokens two sequences have in common at their beginning."""
    for index, (one, other) in enumerate(zip(a, b, strict=False)):
        if one != other:
            return index
    return min(len(a), len(b))
