"""Saved states of conversations outside the model's memory, so that returning to one needs no computing.

A state is llama.cpp's saved sequence: its cells, as bytes. It is valid for the adapters that it was computed with only,
so they are part of its key. All states together take at most ``capacity`` bytes, and no more than is free; the least
recently used one goes first.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from workbench.engine.keys import Key
from workbench.engine.library import llama
from workbench.engine.machine import read_memory
from workbench.engine.virtual_tokens import restore_sequence

LEFT_FREE = 500_000_000
"""Bytes of the machine's memory that are left free: no plan counts these states."""


@dataclass(eq=False, slots=True)
class State:
    """A saved sequence: ``tokens`` follow the virtual ones of ``key``. ``first`` is the first position that the
    sliding-window layers still had. ``exact`` tokens can be reused where every bit counts."""

    key: Key
    tokens: list[int]
    data: Any
    first: int
    exact: int

    @property
    def size(self) -> int:
        return len(self.data) + 8 * len(self.tokens)


class PrefixStore:
    """The saved states of one model, the most recently used last."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.size = 0
        self._states: list[State] = []

    def __len__(self) -> int:
        return len(self._states)

    def save(self, context: Any, sequence: int, key: Key, tokens: Sequence[int], first: int, exact: int) -> None:
        """Save ``sequence`` of ``context``, if it fits into the store at all."""
        if any(s.key == key and s.first <= first and s.tokens[: len(tokens)] == list(tokens) for s in self._states):
            return  # the same state is there, or a longer one that can be truncated as far
        room = self._room()
        size = llama.llama_state_seq_get_size(context, sequence)
        if not size or not self.would_hold(context, sequence, len(tokens)):
            return
        data = (ctypes.c_uint8 * size)()
        if llama.llama_state_seq_get_data(context, data, size, sequence) != size:
            return
        covered = [s for s in self._states if s.key == key and list(tokens[: len(s.tokens)]) == s.tokens]
        for shorter in covered:
            if first <= shorter.first:
                self._forget(shorter)
        state = State(key, list(tokens), data, first, exact)
        self._states.append(state)
        self.size += state.size
        while self.size > room:
            self._forget(self._states[0])

    def would_hold(self, context: Any, sequence: int, tokens: int) -> bool:
        """Whether a sequence of so many tokens would fit, with everything else removed."""
        return bool(llama.llama_state_seq_get_size(context, sequence) + 8 * tokens <= self._room())

    def _room(self) -> int:
        """What all states may take now."""
        return min(self.capacity, self.size + max(0, read_memory()[1] - LEFT_FREE))

    def find(self, key: Key, usable: Callable[[State], int]) -> tuple[State | None, int]:
        """The state with this key for which ``usable`` is largest, and that number; (None, 0) without one."""
        best: State | None = None
        most = 0
        for state in self._states:
            if state.key == key and (length := usable(state)) > most:
                best, most = state, length
        return best, most

    def restore(self, state: State, context: Any, sequence: int) -> bool:
        """Restore a state into an empty sequence. False when llama.cpp has no room for it."""
        if not restore_sequence(context, sequence, state.data):
            return False
        if state in self._states:  # it may have been evicted meanwhile
            self._states.remove(state)
            self._states.append(state)
        return True

    def clear(self) -> None:
        self._states.clear()
        self.size = 0

    def _forget(self, state: State) -> None:
        self._states.remove(state)
        self.size -= state.size
