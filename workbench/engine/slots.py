"""The memory of a decode context: the tokens of each sequence, the prefix that the next job can reuse, and eviction.

All sequences of a context share one memory of ``context_tokens`` cells. A branch has a sequence, its slot; when it
ends, its tokens stay there, and the next job with the same beginning continues from the common prefix. Idle sequences
yield to active ones, into the store of saved states.

Adapters may put virtual tokens before the text (``keys``). They are the first cells of every sequence that is computed
with such a set; only this module knows of them, all others count from the text's first token. They are computed once,
and restored as a saved state wherever a sequence begins anew.

Jobs at work lend the beginnings of their sequences: the cells are shared, so they count once.

The first tokens of an encoder-decoder model's prompt are read by its encoder (``encoded`` of them): they count as
computed and have no cells, so the text begins ``before`` the cells by a negative number. Nothing of it is reused.

In a deterministic model only whole slices of ``EXACT_SLICE`` tokens are reused, and no idle sequence stays beside a
job: the position of a token's cell changes the last bits of its logits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from workbench.engine.jobs import Branch, Job
from workbench.engine.keys import Key, virtual_tokens
from workbench.engine.library import llama
from workbench.engine.loading import Model
from workbench.engine.prefixes import PrefixStore, State
from workbench.engine.virtual_tokens import VirtualPrefix

EXACT_SLICE = 256
GIVEN_UP = 5
"""A conversation is saved before another one continues from it when more than one in so many of its tokens would go."""


@dataclass(eq=False, slots=True)
class Slot:
    """A sequence of a context's memory. Without a ``branch`` it is idle and holds ``tokens``, computed with the
    adapters ``key``, after ``before`` virtual ones. An idle slot without tokens is empty. ``spare`` slots hold one of
    several answers: they are evicted first and not saved."""

    number: int
    before: int = 0
    tokens: list[int] = field(default_factory=list)
    key: Key = ()
    exact: int = 0
    branch: Branch | None = None
    job: Job | None = None
    spare: bool = False
    used: int = 0

    @property
    def held(self) -> list[int]:
        """The tokens in memory."""
        return self.tokens if self.branch is None else self.branch.tokens[: self.branch.computed]

    @property
    def cells(self) -> int:
        return self.before + len(self.held)


class Slots:
    """The sequences of one context, whose jobs compute with the adapters ``key``; ``before`` is the number of virtual
    tokens that these put before the text."""

    def __init__(self, model: Model, context: Any, store: PrefixStore) -> None:
        self.model = model
        self.context = context
        self.memory: Any = llama.llama_get_memory(context)
        self.key: Key = ()
        self.before = 0
        self.encoded = 0
        self._beginning: VirtualPrefix | None = None
        self._store = store
        self._lends = model.shares and not model.deterministic
        self._slots = [Slot(number) for number in range(model.sequences)]
        self._clock = 0

    def __len__(self) -> int:
        return len(self._slots)

    def use_encoded(self, tokens: int) -> None:
        """The next job's first tokens have been read by the model's encoder, and take no cells."""
        self.encoded, self.before = tokens, -tokens

    def use(self, key: Key, beginning: VirtualPrefix | None) -> None:
        """Serve jobs with these adapters from now on; every sequence begins with ``beginning``."""
        self.key, self._beginning = key, beginning
        self.before = 0 if beginning is None else beginning.count

    # -- jobs ------------------------------------------------------------------------------------------

    def allocate(self, job: Job, needed: int) -> Branch:
        """The job's first branch, with the part of its prompt that is in memory or in the store. ``needed`` is the
        number of cells that the decode context's jobs, this one included, may need."""
        slot = self._place(job, needed)
        computed = len(slot.tokens)
        if self.encoded:
            computed, slot.before = self.encoded, -self.encoded
        return self._take(slot, Branch(slot.number, list(job.prompt), computed, job.logits_from), job)

    def cached_length(self, job: Job) -> int:
        """Number of prompt tokens of the job that are in memory."""
        return self._usable(self._best(job), job)

    def lendable(self, job: Job) -> int:
        """Number of prompt tokens whose cells a job at work would share with this one, if it were admitted now."""
        best = self._best(job)
        return self._usable(best, job) if best.branch is not None else 0

    def settle_loans(self, job: Job) -> None:
        """A job has ended: of those that share its cells, the one that shares most stands for it from now on."""
        borrowers = {id(s.job): s.job for s in self._slots if s.job is not None and s.job.lender is job}.values()
        first = max(borrowers, key=lambda one: one.borrowed, default=None)
        for one in borrowers:
            if one is first:
                one.lender, one.borrowed = job.lender, min(one.borrowed, job.borrowed)
            else:
                one.lender = first

    def keep_fork(self, branch: Branch) -> None:
        """Save the state of a branch where other jobs begin, if they cannot share its cells."""
        if not self.model.shares and not self.model.positions.has_images(branch.tokens[: branch.computed]):
            first = llama.llama_memory_seq_pos_min(self.memory, branch.number)
            tokens = branch.tokens[: branch.computed]
            self._store.save(self.context, branch.number, self.key, tokens, max(0, first), 0)

    def move_to_store(self, job: Job, more_than: int) -> None:
        """Move an idle conversation that shares the job's beginning into the store, for another decode context."""
        best = max(
            (slot for slot in self._slots if slot.branch is None),
            key=lambda slot: self._usable(slot, job),
            default=None,
        )
        if best is not None and self._usable(best, job) > more_than:
            self._save(best)
            self._clear(best)

    def forget(self) -> None:
        """Forget the idle sequences."""
        for slot in self._slots:
            if slot.branch is None:
                self._clear(slot)

    def release(self, job: Job) -> None:
        """Remove a job's branches; the tokens of its kept branches stay for jobs with the same beginning."""
        for number, branch in enumerate(job.branches):
            slot = self._slots[branch.number]
            exact = min(job.logits_from, branch.computed) // EXACT_SLICE * EXACT_SLICE
            held = slot.held
            slot.branch = slot.job = None
            slot.tokens, slot.exact, slot.spare = held, exact, number > 0
            self._use_now(slot)
            if number >= job.kept or job.needs_states or not held or self.encoded:
                self._clear(slot)
        job.branches.clear()

    def clear(self, job: Job) -> None:
        """Remove a job's branches and discard their memory."""
        for branch in job.branches:
            slot = self._slots[branch.number]
            slot.branch = slot.job = None
            self._clear(slot)
        job.branches.clear()

    def clear_all(self) -> None:
        """Forget everything, active sequences included."""
        for slot in self._slots:
            slot.branch = slot.job = None
            slot.tokens, slot.exact, slot.before = [], 0, 0
        llama.llama_memory_clear(self.memory, True)

    # -- branches ---------------------------------------------------------------------------------------

    def fork(self, branch: Branch) -> Branch:
        assert not branch.missing
        parent = self._slots[branch.number]
        job = parent.job
        assert job is not None
        slot = self._free_slot()
        llama.llama_memory_seq_cp(self.memory, branch.number, slot.number, -1, -1)
        slot.before = parent.before
        return self._take(slot, Branch(slot.number, list(branch.tokens), branch.computed, branch.logits_from), job)

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
        slot = self._slots[branch.number]
        if slot.job is not None:
            slot.job.borrowed = min(slot.job.borrowed, length)
        first = llama.llama_memory_seq_pos_min(self.memory, slot.number)
        if self._reachable(length, held, first, slot.before) and self._remove(slot, length):
            branch.computed = length
        else:
            self._reset(slot)
            branch.computed = 0

    def truncate(self, branch: Branch) -> None:
        """Remove the tokens beyond the computed ones from memory, after an aborted step."""
        slot = self._slots[branch.number]
        if not self._remove(slot, branch.computed):
            # truncation is impossible: everything is computed again, and rows that were handed over are not repeated
            branch.logits_from = max(branch.logits_from, branch.computed)
            self._reset(slot)
            branch.computed = 0

    # -- the memory -------------------------------------------------------------------------------------

    def _take(self, slot: Slot, branch: Branch, job: Job) -> Branch:
        slot.key = self.key
        slot.branch, slot.job, slot.tokens, slot.spare = branch, job, [], False
        self._use_now(slot)
        job.branches.append(branch)
        return branch

    def _use_now(self, slot: Slot) -> None:
        self._clock += 1
        slot.used = self._clock

    def _place(self, job: Job, needed: int) -> Slot:
        """An idle slot that holds the reusable part of the job's prompt and nothing else."""
        slot = None if self.lendable(job) else self._restored(job, needed)
        slot = slot or self._reused(job, needed)
        if not slot.tokens:
            self._reset(slot)
        return slot

    def _restored(self, job: Job, needed: int) -> Slot | None:
        """A slot with a saved state, if one saves the job more tokens than the memory does."""
        state, saved = self._store.find(job.key, lambda state: self._usable_of(state, job))
        if state is None or saved <= self.cached_length(job):
            return None
        slot = self._free_slot()
        self._make_room(slot, needed)
        if not self._store.restore(state, self.context, slot.number):
            return None
        slot.tokens, slot.key, slot.exact, slot.before = list(state.tokens), self.key, state.exact, self.before
        self._cut(slot, saved)
        return slot

    def _reused(self, job: Job, needed: int) -> Slot:
        best = self._best(job)
        keep = self._usable(best, job)
        alone = all(slot is best or slot.branch is not None for slot in self._slots)
        if best.branch is None and keep and (keep > len(best.tokens) // 2 or alone or not self.model.shares):
            slot = best
            held = slot.exact if self.model.deterministic else len(slot.tokens)
            if GIVEN_UP * (held - keep) > held:  # a person may return to it
                self._save(slot)
        else:
            slot = self._free_slot(but=best if keep else None)
            if keep and self.model.shares:
                end = best.before + keep - self.model.positions.lost(job.prompt, keep)
                llama.llama_memory_seq_cp(self.memory, best.number, slot.number, 0, end)
                slot.tokens, slot.before = job.prompt[:keep], best.before
                if best.job is not None:
                    job.lender, job.borrowed = best.job, keep
        self._cut(slot, keep)
        self._make_room(slot, needed)
        return slot

    def _reset(self, slot: Slot) -> None:
        """Leave only the virtual tokens before every text in a slot's sequence."""
        self._clear(slot)
        if self._beginning is not None:
            try:
                self._beginning.put(self.context, slot.number)
            except BaseException:
                self._clear(slot)
                raise
            slot.before = self.before

    def _best(self, job: Job) -> Slot:
        """The slot that holds most of a job's prompt; of equals one at work, whose cells can be shared."""
        return max(self._slots, key=lambda slot: (self._usable(slot, job), slot.branch is not None))

    def _usable(self, slot: Slot, job: Job) -> int:
        """Number of prompt tokens that can be taken from a slot; 0 where the memory has lost what the next token
        attends to."""
        if slot.key != job.key or not slot.held or self.encoded:
            return 0
        if slot.branch is not None and not self._lends:
            return 0
        held = slot.held
        keep = min(shared_length(held, job.prompt), job.logits_from)
        if not keep:
            return 0
        if self.model.deterministic:
            keep = min(keep, slot.exact) // EXACT_SLICE * EXACT_SLICE
        last = llama.llama_memory_seq_pos_max(self.memory, slot.number)
        if last + 1 != slot.before + len(held) - self.model.positions.lost(held, len(held)):
            return 0
        if (whole := self.model.positions.whole(held, keep)) < keep:
            keep = 0 if self.model.deterministic else whole
        first = llama.llama_memory_seq_pos_min(self.memory, slot.number)
        return self._reachable(keep, len(held), first, slot.before)

    def _usable_of(self, state: State, job: Job) -> int:
        keep = min(shared_length(state.tokens, job.prompt), job.logits_from)
        if self.model.deterministic:
            keep = min(keep, state.exact) // EXACT_SLICE * EXACT_SLICE
        return self._reachable(keep, len(state.tokens), state.first, virtual_tokens(state.key))

    def _reachable(self, keep: int, length: int, first: int, before: int) -> int:
        """``keep``, or 0 when a sequence of ``length`` tokens after ``before`` virtual ones cannot be truncated to it:
        its sliding windows begin at position ``first``."""
        if not self.model.rewindable:
            return keep if keep == length else 0
        window = self.model.window
        return 0 if first > (max(0, before + keep - window) if window else 0) else keep

    def _remove(self, slot: Slot, keep: int) -> bool:
        """Truncate a slot's sequence to ``keep`` tokens. False when llama.cpp cannot."""
        tokens, positions = slot.tokens if slot.branch is None else slot.branch.tokens, self.model.positions
        if positions.whole(tokens, keep) < keep:
            return False
        start = slot.before + keep - positions.lost(tokens, keep)
        return bool(llama.llama_memory_seq_rm(self.memory, slot.number, start, -1))

    def _cut(self, slot: Slot, keep: int) -> None:
        """Truncate a slot's memory to its first ``keep`` tokens, or empty it."""
        if keep < len(slot.tokens):
            if not keep or not self._remove(slot, keep):
                self._clear(slot)
            else:
                del slot.tokens[keep:]
        slot.exact = min(slot.exact, len(slot.tokens))

    def _make_room(self, kept: Slot, needed: int) -> None:
        """Evict idle conversations, the least recently used first, until all cells that active jobs may need are free,
        and few enough lie beside them. One that is too large for the store goes only when its cells are needed:
        computing it again takes longer than reading its cells with every token."""
        idle = sorted(
            (slot for slot in self._slots if slot.branch is None and slot.tokens and slot is not kept),
            key=lambda slot: (not slot.spare, slot.used),
        )
        free = 0 if self.model.deterministic else self.model.context_tokens - needed
        for slot in idle:
            cells = sum(other.cells for other in idle)
            if cells <= min(self.model.parked_cells, free):
                return
            if cells > free or slot.spare or self._store.would_hold(self.context, slot.number, len(slot.tokens)):
                self._park(slot)

    def _free_slot(self, but: Slot | None = None) -> Slot:
        """An unused sequence, emptied."""
        idle = [slot for slot in self._slots if slot.branch is None]
        if len(idle) > 1:
            idle = [slot for slot in idle if slot is not but]
        slot = min(idle, key=lambda slot: (len(slot.tokens) > 0, not slot.spare, slot.used))
        if slot.tokens:
            self._park(slot)
        return slot

    def _park(self, slot: Slot) -> None:
        """Move an idle conversation into the store."""
        if not slot.spare:
            self._save(slot)
        self._clear(slot)

    def _save(self, slot: Slot) -> None:
        """Copy an idle conversation into the store."""
        if self.model.deterministic:
            self._cut(slot, slot.exact)
        if len(slot.tokens) >= self.model.worth_saving and not self.model.positions.has_images(slot.tokens):
            first = llama.llama_memory_seq_pos_min(self.memory, slot.number)
            self._store.save(self.context, slot.number, slot.key, slot.tokens, max(0, first), slot.exact)

    def _clear(self, slot: Slot) -> None:
        llama.llama_memory_seq_rm(self.memory, slot.number, -1, -1)
        slot.tokens, slot.exact, slot.before = [], 0, 0


def shared_length(a: Sequence[int], b: Sequence[int]) -> int:
    """Length of the common prefix of two token sequences."""
    for index, (one, other) in enumerate(zip(a, b, strict=False)):
        if one != other:
            return index
    return min(len(a), len(b))
