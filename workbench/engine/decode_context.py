"""A decode context: one llama.cpp context, in which jobs with the same adapters are computed together, step by step.

A step is one batch: one token of every generating branch and a slice of every waiting prompt. ``slots`` knows what the
context's memory holds and what of it can be reused. A job is admitted when all the cells that it may need are free, or
held by idle sequences.

A deterministic model's decode context computes one job at a time, prompts in slices that begin and end at multiples of
``EXACT_SLICE``: other tokens in the same batch change the last bits of a token's logits. That of an encoder-decoder
model computes one job at a time too, since it holds one encoded text.
"""

from __future__ import annotations

import ctypes
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from workbench.base.errors import UserError
from workbench.engine.background_share import BackgroundShare
from workbench.engine.batch import ABORTED, Batch, EmbeddingBatch, check
from workbench.engine.encoder_decoder import encode, encoded_length
from workbench.engine.image_tokens import index_of, number_of, text_length
from workbench.engine.jobs import Branch, Job, Logits
from workbench.engine.keys import Key
from workbench.engine.library import llama, logits_function
from workbench.engine.loading import Model
from workbench.engine.memory_formulas import BATCH_TOKENS
from workbench.engine.parameters import MAX_OUTPUTS
from workbench.engine.prefixes import PrefixStore
from workbench.engine.slots import EXACT_SLICE, Slots
from workbench.engine.virtual_tokens import VirtualPrefix
from workbench.gguf.reader import Tensor

SHARED_SLICE = 64
"""Prompt tokens per step while other jobs wait for their next token."""

ROWS_BEHIND_A_PROMPT = 2
"""Tokens of background jobs in a step that computes a person's prompt, which is so much larger."""

PROMPT_ROWS = 4
"""Prompt tokens of background jobs for each token that they may generate in a person's step."""

MOST_STEPS_BEHIND = 40
"""After so many of people's steps without background work a few background tokens are computed regardless of their
cost: while prompts follow each other that is not measured, and background jobs would wait without end."""

ABORTABLE_TOKENS = 16
"""Batches of at least so many tokens can be aborted. The check costs a call back into Python per operation."""

PRODUCT_OPERATIONS = 16e9
"""Of the largest product of matrices in a step: a batch is aborted between two products, and this one takes half a
second where other programs leave two cores a third of their time."""


def prompt_slice(tensors: Iterable[Tensor]) -> int:
    """The prompt tokens of one step of a model with these ``tensors``, a power of two from 64 to ``BATCH_TOKENS``.

    A large model gets fewer, so that it can be stopped at once and tells how far it is. The output layer counts for
    nothing, since it computes few positions.
    """
    largest = max(
        (one.shape[0] * one.shape[1] for one in tensors if one.name.startswith("blk.") and len(one.shape) > 1),
        default=1,
    )
    tokens = BATCH_TOKENS
    while tokens > SHARED_SLICE and 2 * largest * tokens > PRODUCT_OPERATIONS:
        tokens //= 2
    return tokens


class DecodeContext:
    """Computes jobs that share ``key``, their set of adapters. All methods run on the engine's thread. ``share`` says
    how much background work is computed while a person waits."""

    def __init__(
        self,
        model: Model,
        context: Any,
        store: PrefixStore,
        should_abort: Callable[[], bool],
        share: BackgroundShare,
    ) -> None:
        self.model = model
        self.context = context
        self.slots = Slots(model, context, store)
        self.jobs: list[Job] = []
        self.threads: int = llama.llama_n_threads(context)
        self._turn = self._steps_behind = 0
        self._due = False  # background work has waited long enough
        self._share = share
        self._batch = Batch(BATCH_TOKENS)
        self._prompt_slice = prompt_slice(model.tensors.values())
        self._image_batch: EmbeddingBatch | None = None
        self._row_type = ctypes.c_float * model.vocabulary.size
        self._row_address = logits_function()
        self._rows: dict[int, Logits] = {}  # by address: llama.cpp reuses the same places for its rows
        self._state_type = ctypes.c_float * model.width
        self._abort = llama.ggml_abort_callback(lambda _user_data: should_abort())
        self._no_abort = llama.ggml_abort_callback()

    def close(self) -> None:
        self._batch.close()
        if self._image_batch is not None:
            self._image_batch.close()
        llama.llama_free(self.context)

    def set_threads(self, threads: int) -> None:
        if threads != self.threads:
            llama.llama_set_n_threads(self.context, threads, threads)
            self.threads = threads

    @property
    def key(self) -> Key:
        return self.slots.key

    def use(self, key: Key, beginning: VirtualPrefix | None) -> None:
        """Compute with these adapters, which are set on the context, from now on. ``beginning`` are the virtual tokens
        that they put before every text."""
        self.slots.use(key, beginning)

    @property
    def awaited(self) -> bool:
        """Whether a person waits for one of its jobs."""
        return any(not job.background for job in self.jobs)

    @property
    def people(self) -> int:
        """Number of people's tokens in the next step, without those of prompts."""
        branches = (branch for job in self.jobs if not job.background for branch in job.branches)
        return sum(branch.missing for branch in branches if branch.computed >= branch.logits_from)

    def wait_behind(self) -> bool:
        """Count a step of people's work; whether background work here can wait for it to end."""
        self._steps_behind += 1
        return self._steps_behind <= MOST_STEPS_BEHIND

    # -- admission -------------------------------------------------------------------------------------

    def has_room(self, job: Job) -> bool:
        """Whether the job can be admitted now, given that its adapters are those of the decode context."""
        if self.jobs and (self.model.deterministic or self.model.decoder_start is not None):
            return False
        cells = self._cells() + job.cells - self.slots.lendable(job)
        width = sum(active.width for active in self.jobs) + job.width
        if job.background and self.jobs:
            behind = [active for active in self.jobs if active.background]
            if 2 * (sum(b.cells for b in behind) + job.cells) > self.model.context_tokens:
                return False
            if 2 * (sum(b.width for b in behind) + job.width) > len(self.slots):
                return False
        return cells <= self.model.context_tokens and width <= len(self.slots)

    def admit(self, job: Job) -> None:
        """Give the job its first branch, with the part of its prompt that is in memory or in the store. An encoder
        reads its part of the prompt now; a job that is cancelled meanwhile ends."""
        if self.model.decoder_start is not None and not self._encode(job, self.model.decoder_start):
            job.cancel()
            return
        needed = self._cells() + job.cells - self.slots.lendable(job)
        self.jobs.append(job)
        branch = self.slots.allocate(job, needed)
        job.cached = branch.computed - self.slots.encoded
        job.memory = self
        job.begin()
        if branch.computed < branch.logits_from:
            job.report_reading(branch)

    def _encode(self, job: Job, start: int) -> bool:
        """False when the job was cancelled."""
        length = encoded_length(job.prompt, start)
        abort = llama.ggml_abort_callback(lambda _user_data: job.cancelled)
        llama.llama_set_abort_callback(self.context, abort, None)
        status = encode(self.context, job.prompt[:length], len(self.slots))
        llama.llama_set_abort_callback(self.context, self._no_abort, None)
        if status != ABORTED:
            check(status)
        self.slots.use_encoded(length)
        return status != ABORTED

    def cached_length(self, job: Job) -> int:
        """Number of prompt tokens that the decode context's memory holds already."""
        return self.slots.cached_length(job)

    def remove(self, job: Job) -> None:
        """Remove a job's branches; the tokens of the first one stay for jobs with the same prefix."""
        self.jobs.remove(job)
        self.slots.settle_loans(job)
        self.slots.release(job)

    def _cells(self) -> int:
        """Number of cells that the jobs may need: what they share counts once."""
        return sum(job.cells - job.borrowed for job in self.jobs)

    def fail_all(self, error: Exception) -> None:
        """Fail all jobs in flight and discard the memory."""
        for job in list(self.jobs):
            if not job.done:
                job.fail(error)
            job.branches.clear()
        self.jobs.clear()
        self.slots.clear_all()

    # -- operations for jobs (jobs.Memory) -------------------------------------------------------------

    def fork(self, branch: Branch) -> Branch:
        return self.slots.fork(branch)

    def drop(self, branch: Branch) -> None:
        self.slots.drop(branch)

    def rewind(self, branch: Branch, length: int) -> None:
        self.slots.rewind(branch, length)

    def states(self, row: int) -> Logits:
        pointer = llama.llama_get_embeddings_ith(self.context, row)
        memory: Any = self._state_type.from_address(ctypes.addressof(pointer.contents))
        state: Logits = np.frombuffer(memory, np.float32)
        return state

    # -- computing --------------------------------------------------------------------------------------

    def step(self) -> None:
        """Compute the next tokens of the jobs and hand them their logits."""
        others = [job for job in self.jobs if not job.needs_states]
        groups = [others, *([job] for job in self.jobs if job.needs_states)]
        awaited, people = self.awaited, self.people
        self._turn += 1
        if awaited and any(job.background for job in self.jobs):
            self._due = not self.wait_behind()
        else:
            self._due, self._steps_behind = False, 0
        for jobs in groups:
            if not jobs or all(job.done for job in jobs):
                continue
            behind = awaited and all(job.background for job in jobs)
            if behind and not self._due and not self._share.rows(people):
                continue
            began = time.perf_counter()
            mixed = self._compute_group(jobs, people)
            seconds = time.perf_counter() - began
            if behind:
                self._share.spend(people, seconds)
            elif people and mixed is not None:
                (self._share.beside if mixed else self._share.alone)(people, seconds)

    def _compute_group(self, jobs: Sequence[Job], people: int) -> bool | None:
        """Compute the next tokens of jobs of one batch. Whether background work was among them; None where a person's
        prompt was, or nothing was computed."""
        with_states = jobs[0].needs_states
        if with_states:
            llama.llama_set_embeddings(self.context, True)
        try:
            return self._compute(jobs, people)
        finally:
            if with_states:
                llama.llama_set_embeddings(self.context, False)

    def stream_alone(self, may_continue: Callable[[], bool]) -> None:
        """Generate with the only branch of the decode context, token by token, while ``may_continue`` returns True.

        This is ``step`` for one token of one sequence, without the bookkeeping for several, which takes about 3 % of a
        small model's time per token.
        """
        if len(self.jobs) != 1 or len(self.jobs[0].branches) != 1 or self.jobs[0].needs_states:
            return
        job = self.jobs[0]
        branch, context, batch, before = job.branches[0], self.context, self._batch, self.slots.before
        if job.done or branch.missing != 1 or branch.logits_from > branch.computed or branch.tokens[-1] < 0:
            return
        batch.clear()
        before -= self.model.positions.lost(branch.tokens, branch.computed)
        batch.add(branch.number, branch.tokens, branch.computed, 1, branch.logits_from, before)
        while may_continue() and not job.cancelled:
            check(llama.llama_decode(context, batch.struct))
            branch.computed += 1
            try:
                job.take(branch, context, 0, self._logits(0))
            except Exception as error:  # noqa: BLE001 - it is this job's, not that of what lies idle
                self._fail(job, error)
            if job.done:
                return
            if branch.missing != 1:
                self._settle(job)
                return
            batch.move(branch.tokens[-1], before + branch.computed)

    def _compute(self, jobs: Sequence[Job], people: int) -> bool | None:
        for job in jobs:
            if job.images:
                self._read_images(job)
        batch = self._batch
        batch.clear()
        shares = self._fill(jobs, people)
        if not shares:
            return None
        reads = any(not job.background and branch.computed < branch.logits_from for job, branch, _, _ in shares)
        mixed = any(job.background for job, _, _, _ in shares)
        abortable = batch.size >= ABORTABLE_TOKENS
        if abortable:
            llama.llama_set_abort_callback(self.context, self._abort, None)
        status = llama.llama_decode(self.context, batch.struct)
        if abortable:
            llama.llama_set_abort_callback(self.context, self._no_abort, None)
        if status == ABORTED:
            for _, branch, _, _ in shares:
                self.slots.truncate(branch)
            return None
        check(status)
        if mixed:
            self._steps_behind = 0
        self._hand_over(shares)
        return None if reads else mixed

    def _read_images(self, job: Job) -> None:
        """Compute the next embeddings of those branches of a job whose next token is an image's: at most a batch of one
        run, in a batch of its own, since llama.cpp takes either tokens or embeddings. Beside other jobs' tokens, such a
        step has the same share of them as a step of a prompt."""
        if job.background and self.awaited and not self._due:
            return
        others = len(self.jobs) > 1 and any(b.computed >= b.logits_from for j in self.jobs for b in j.branches)
        for branch in list(job.branches):
            if job.done or not branch.missing or branch.tokens[branch.computed] >= 0:
                continue
            token = branch.tokens[branch.computed]
            image, start = job.images[number_of(token)], index_of(token)
            run = image.run_at(start)
            count = run.start + run.count - start
            if run.causal:
                count = min(count, SHARED_SLICE if others else BATCH_TOKENS)
                if self.model.deterministic:
                    count = min(count, EXACT_SLICE - branch.computed % EXACT_SLICE)
            assert image.embeddings is not None
            if self._image_batch is None:
                self._image_batch = EmbeddingBatch(BATCH_TOKENS, image.embeddings.shape[1])
            position = self.slots.before + branch.computed - self.model.positions.lost(branch.tokens, branch.computed)
            self._image_batch.set(
                branch.number, image.embeddings[start : start + count], position,
                max(0, branch.logits_from - branch.computed), run.places_from(position, start - run.start, count),
            )  # fmt: skip
            llama.llama_set_abort_callback(self.context, self._abort, None)
            if not run.causal:
                llama.llama_set_causal_attn(self.context, False)
            status = llama.llama_decode(self.context, self._image_batch.struct)
            if not run.causal:
                llama.llama_set_causal_attn(self.context, True)
            llama.llama_set_abort_callback(self.context, self._no_abort, None)
            if status == ABORTED:
                self.slots.truncate(branch)
                return
            check(status)
            if job.background:
                self._steps_behind = 0
            self._hand_over([(job, branch, 0, count)])

    def _hand_over(self, shares: Sequence[tuple[Job, Branch, int, int]]) -> None:
        """Count the tokens of a batch as computed, and give the jobs the logits that they need."""
        for _, branch, _, count in shares:
            branch.computed += count
            branch.turn = self._turn
        for job, branch, first, count in shares:
            start = branch.computed - count
            if branch.computed == branch.fork_at:
                self.slots.keep_fork(branch)
            if branch.computed < branch.logits_from:
                job.report_reading(branch)
            try:
                for row in range(first + max(0, branch.logits_from - start), first + count):
                    if job.done:
                        break
                    job.take(branch, self.context, row, self._logits(row))
            except Exception as error:  # noqa: BLE001 - it is this job's, not everybody's
                self._fail(job, error)
        for job in {id(share[0]): share[0] for share in shares}.values():
            self._settle(job)

    def _fill(self, jobs: Sequence[Job], people: int) -> list[tuple[Job, Branch, int, int]]:
        """Put the next tokens of each branch into the batch; returns (job, branch, first row, number of rows)."""
        shares = []
        room, outputs = BATCH_TOKENS, MAX_OUTPUTS
        everyone = [(job, branch) for job in self.jobs for branch in job.branches if branch.missing]
        waiting = [(job, branch) for job, branch in everyone if job in jobs]
        awaited = self.awaited
        someone_streams = any(
            branch.computed >= branch.logits_from for job, branch in everyone if not (awaited and job.background)
        )
        slices = SHARED_SLICE if someone_streams and len(everyone) > 1 else self._prompt_slice
        spare = slices_behind = room
        if awaited:
            spare = self._share.rows(people) if people else ROWS_BEHIND_A_PROMPT
            slices_behind = min(SHARED_SLICE // 2, PROMPT_ROWS * spare) if people else 0
            if self._due:
                spare, slices_behind = max(1, spare), SHARED_SLICE // 2
        if len(waiting) > 1 and not self.model.deterministic:
            # generating branches first, one token each; background jobs take turns
            waiting.sort(key=lambda w: (w[0].background, w[1].missing, w[1].turn))
        for job, branch in waiting:
            position = branch.computed
            generates = position >= branch.logits_from
            if job.needs_states:  # it needs logits of prompt tokens as well
                generates = branch.missing == 1
            count = min(branch.missing, room)
            if not generates:
                count = min(count, slices)
            if job.background:
                count = min(count, spare if generates else slices_behind)
            if branch.fork_at > position:
                count = min(count, branch.fork_at - position)
            if self.model.deterministic and not generates:
                count = min(count, EXACT_SLICE - position % EXACT_SLICE)
            # no more tokens than there is room for logits
            count = min(count, max(0, branch.logits_from - position) + outputs)
            if job.needs_states:
                count = min(count, outputs)
            if job.images and count > 0:
                count = text_length(branch.tokens, position, count)
            if count <= 0:
                continue
            before = self.slots.before - self.model.positions.lost(branch.tokens, position)
            first = self._batch.add(branch.number, branch.tokens, position, count, branch.logits_from, before)
            room -= count
            if not generates:
                slices -= count
            if job.background and generates:
                spare -= count
            elif job.background:
                slices_behind -= count
            outputs -= max(0, position + count - max(position, branch.logits_from))
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
        """Fail one job and discard its part of the memory."""
        if not isinstance(error, UserError):
            sys.stderr.write("".join(traceback.format_exception(error)))
        if not job.done:
            job.fail(error)
        self.slots.clear(job)

    def _logits(self, row: int) -> Logits:
        """A row of the last batch in llama.cpp's own memory, which the next batch overwrites."""
        address = self._row_address(self.context, row)
        logits = self._rows.get(address)
        if logits is None:
            if len(self._rows) > MAX_OUTPUTS:  # llama.cpp has moved them
                self._rows.clear()
            memory: Any = self._row_type.from_address(address)
            logits = self._rows[address] = np.frombuffer(memory, np.float32)
        return logits
