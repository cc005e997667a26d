"""A draft model: a smaller model with the same vocabulary that proposes draft tokens for the larger one to verify."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from workbench.base.errors import UserError
from workbench.engine.batch import Batch, check
from workbench.engine.library import llama
from workbench.engine.loading import Model
from workbench.engine.memory_formulas import BATCH_TOKENS
from workbench.engine.slots import shared_length
from workbench.engine.vocabulary import Vocabulary

SURE = 0.4
"""A token is proposed only while the draft model gives it at least this probability."""


class DraftModel:
    """Proposes greedily. ``propose`` runs on the engine's thread, while no other model computes.

    One context serves all conversations: the common prefix of two of them is reused, the rest computed. The model is
    freed once it is retired and unused. ``threads`` returns the number of threads to compute with.
    """

    def __init__(self, model: Model, threads: Callable[[], int]) -> None:
        self.model = model
        self._threads_now = threads
        self._threads = model.info.threads
        self._users = 0
        self._retired = False
        self._counting = threading.Lock()
        self._context: Any = model.first_context
        self._memory: Any = llama.llama_get_memory(self._context)
        self._batch = Batch(BATCH_TOKENS)
        self._held: list[int] = []
        self._row_type = ctypes.c_float * model.vocabulary.size

    def use(self) -> DraftUse:
        """A draft source for one answer, which must be closed. Thread-safe."""
        with self._counting:
            self._users += 1
        return DraftUse(self)

    def release(self) -> None:
        """End one use."""
        with self._counting:
            self._users -= 1
            unused = self._retired and not self._users
        if unused:
            self._free()

    def retire(self) -> None:
        """Accept no further uses. Thread-safe."""
        with self._counting:
            unused = not self._retired and not self._users
            self._retired = True
        if unused:
            self._free()

    def propose(self, tokens: Sequence[int], most: int) -> list[int]:
        """Up to ``most`` draft tokens; fewer where the model is unsure."""
        most = min(most, self.model.context_tokens - len(tokens))
        if most < 1:
            return []
        keep = min(shared_length(self._held, tokens), len(tokens) - 1)
        if keep < len(self._held) and not self._truncate(keep):
            llama.llama_memory_clear(self._memory, True)
            keep = 0
        del self._held[keep:]
        if (threads := self._threads_now()) != self._threads:
            llama.llama_set_n_threads(self._context, threads, threads)
            self._threads = threads
        self._compute(tokens)
        draft: list[int] = []
        while True:
            row = self._logits()
            token = int(row.argmax())
            if 1 / float(np.exp(row - row[token]).sum()) < SURE or self.model.vocabulary.ends_generation(token):
                return draft
            draft.append(token)
            if len(draft) == most:
                return draft
            self._compute([*tokens, *draft])

    def _truncate(self, keep: int) -> bool:
        """Truncate the memory to ``keep`` tokens. False when that is impossible; llama.cpp does not report it for
        sliding windows."""
        first, window = llama.llama_memory_seq_pos_min(self._memory, 0), self.model.window
        if window and first > max(0, keep - window):
            return False
        return bool(llama.llama_memory_seq_rm(self._memory, 0, keep, -1))

    def _free(self) -> None:
        self._batch.close()
        llama.llama_free(self._context)
        self.model.close()

    def _compute(self, tokens: Sequence[int]) -> None:
        """Compute the tokens that are not in memory yet."""
        while len(self._held) < len(tokens):
            start = len(self._held)
            count = min(BATCH_TOKENS, len(tokens) - start)
            self._batch.clear()
            self._batch.add(0, tokens, start, count, len(tokens) - 1)
            check(llama.llama_decode(self._context, self._batch.struct))
            self._held += tokens[start : start + count]

    def _logits(self) -> Any:
        pointer = llama.llama_get_logits_ith(self._context, -1)
        memory: Any = self._row_type.from_address(ctypes.addressof(pointer.contents))
        return np.frombuffer(memory, np.float32)


class DraftUse:
    """The draft model as one answer uses it: a ``Drafter``. The model stays loaded until this is closed."""

    costs_time = True
    kind = 2

    def __init__(self, draft: DraftModel) -> None:
        self._draft: DraftModel | None = draft

    def begin(self, tokens: Sequence[int]) -> None:
        """Nothing to do: ``propose`` computes the new tokens of ``tokens``."""

    def propose(self, tokens: Sequence[int], most: int) -> list[int]:
        assert self._draft is not None
        return self._draft.propose(tokens, most)

    def close(self) -> None:
        draft, self._draft = self._draft, None
        if draft is not None:
            draft.release()


def check_vocabularies(large: Vocabulary, small: Vocabulary, name: str) -> None:
    """Raises UserError when tokens of the small model do not mean the same as those of the large one."""
    same = large.size == small.size and all(
        large.piece(token, special=True) == small.piece(token, special=True) for token in range(large.size)
    )
    if not same:
        raise UserError(
            f"{name} has another vocabulary than the model that answers and cannot draft tokens for it.",
            "Choose a smaller model of the same family as the draft model, or set speculation to ngram.",
        )
