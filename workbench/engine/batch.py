"""llama.cpp's batch of tokens, and what computing one can come to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from workbench.engine.library import llama

DONE, NO_ROOM, ABORTED = 0, 1, 2
"""What ``llama_decode`` returns; everything else is a failure."""


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

    def add(
        self, sequence: int, tokens: Sequence[int], start: int, count: int, wanted_from: int, before: int = 0
    ) -> int:
        """Add ``tokens[start : start + count]``, whose sequence has ``before`` others in front of them; those from
        ``wanted_from`` on with logits. Returns the first one's row."""
        first = self.size
        for row in range(first, first + count):
            self._token[row] = tokens[start]
            self._pos[row] = before + start
            self._sequence[row][0] = sequence
            self._logits[row] = start >= wanted_from
            start += 1
        self.size = self.struct.n_tokens = first + count
        return first

    def move(self, token: int, position: int) -> None:
        """Make the batch's only token another one of the same sequence."""
        self._token[0] = token
        self._pos[0] = position

    def close(self) -> None:
        llama.llama_batch_free(self.struct)


def check(status: int) -> None:
    """Raises RuntimeError for what ``llama_decode`` returned, unless it is DONE."""
    if status != DONE:
        reason = "there was no room in its memory" if status == NO_ROOM else f"llama.cpp's code {status}"
        raise RuntimeError(f"the model could not compute: {reason}")
