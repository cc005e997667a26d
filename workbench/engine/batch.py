"""llama.cpp's token batch, and the status codes of computing one."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.engine.library import llama

DONE, NO_ROOM, ABORTED = 0, 1, 2
"""Status codes of ``llama_decode``; every other value is a failure."""


class Batch:
    """llama.cpp's batch, reused between steps. ``size`` tokens are in it."""

    def __init__(self, room: int) -> None:
        self.struct: Any = llama.llama_batch_init(room, 0, 1)
        self.size = 0
        # reading a field of a ctypes structure creates a new object each time
        self._token, self._pos, self._logits = self.struct.token, self.struct.pos, self.struct.logits
        self._sequence = [self.struct.seq_id[row] for row in range(room)]
        for row in range(room):
            self.struct.n_seq_id[row] = 1

    def clear(self) -> None:
        self.size = self.struct.n_tokens = 0

    def add(
        self, sequence: int, tokens: Sequence[int], start: int, count: int, logits_from: int, before: int = 0
    ) -> int:
        """Add ``tokens[start : start + count]`` of a sequence that has ``before`` tokens in front of its text; request
        logits for those from ``logits_from`` on. Returns the row of the first one."""
        first = self.size
        for row in range(first, first + count):
            self._token[row] = tokens[start]
            self._pos[row] = before + start
            self._sequence[row][0] = sequence
            self._logits[row] = start >= logits_from
            start += 1
        self.size = self.struct.n_tokens = first + count
        return first

    def move(self, token: int, position: int) -> None:
        """Replace the batch's only token by another one of the same sequence."""
        self._token[0] = token
        self._pos[0] = position

    def close(self) -> None:
        llama.llama_batch_free(self.struct)


class EmbeddingBatch:
    """llama.cpp's batch of embeddings of ``width`` in the place of tokens, of one sequence."""

    def __init__(self, room: int, width: int) -> None:
        self.struct: Any = llama.llama_batch_init(room, width, 1)
        # a copy: what ctypes reads of a field changes with it. llama.cpp frees its own
        self._own = type(self.struct.pos)(self.struct.pos.contents)
        self._places = (ctypes.c_int32 * (4 * room))()

    def set(
        self,
        sequence: int,
        rows: npt.NDArray[np.float32],
        position: int,
        logits_from: int,
        places: npt.NDArray[np.int32] | None = None,
    ) -> None:
        """Fill the batch with ``rows``, shape (count, width), at ``position`` and the ones after it, or at ``places``,
        shape (4, count), where positions have several dimensions; request logits for rows from ``logits_from`` on."""
        rows = np.ascontiguousarray(rows, np.float32)
        ctypes.memmove(self.struct.embd, rows.ctypes.data, rows.nbytes)
        self.struct.n_tokens = len(rows)
        if places is not None:
            ctypes.memmove(self._places, np.ascontiguousarray(places, np.int32).ctypes.data, places.size * 4)
        self.struct.pos = self._own if places is None else ctypes.cast(self._places, type(self._own))
        for row in range(len(rows)):
            if places is None:
                self.struct.pos[row] = position + row
            self.struct.n_seq_id[row] = 1
            self.struct.seq_id[row][0] = sequence
            self.struct.logits[row] = row >= logits_from

    def close(self) -> None:
        self.struct.pos = self._own
        llama.llama_batch_free(self.struct)


def check(status: int) -> None:
    """Raises RuntimeError for every status of ``llama_decode`` except DONE."""
    if status != DONE:
        reason = "the model's memory is full" if status == NO_ROOM else f"llama.cpp status {status}"
        raise RuntimeError(f"llama.cpp could not compute the batch: {reason}")
