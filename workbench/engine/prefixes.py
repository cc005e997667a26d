"""States of conversations that are kept outside the model's memory, so that going back to one needs no computing.

A state is what llama.cpp saves of one sequence: its cells, as bytes. It holds for the adapters that it was computed
with and for nothing else, so the adapters are part of what it is found by. All states together take at most
``capacity`` bytes; the one unused for longest goes first.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from typing import Any

from workbench.engine.keys import Key
from workbench.engine.library import llama
from workbench.engine.virtual_tokens import restore_sequence


class State:
    """A saved sequence: ``tokens`` were in memory, after the virtual ones of ``key``. ``first`` is the first position
    that the model's sliding-window layers still had. ``exact`` of them can be reused where every bit counts."""

    __slots__ = ("data", "exact", "first", "key", "tokens")

    def __init__(self, key: Key, tokens: list[int], data: Any, first: int, exact: int) -> None:
        self.key = key
        self.tokens = tokens
        self.data = data
        self.first = first
        self.exact = exact

    @property
    def size(self) -> int:
        return len(self.data) + 8 * len(self.tokens)


class PrefixStore:
    """The saved states of one model, the one used last at the end."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.size = 0
        self._states: list[State] = []

    def __len__(self) -> int:
        return len(self._states)

    def save(self, context: Any, sequence: int, key: Key, tokens: Sequence[int], first: int, exact: int) -> None:
        """Keep what ``sequence`` of ``context`` holds, if the store has room for it at all."""
        if any(s.key == key and s.first <= first and s.tokens[: len(tokens)] == list(tokens) for s in self._states):
            return  # the same is there, or a longer one that can go back as far
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
        while self.size > self.capacity:
            self._forget(self._states[0])

    def would_hold(self, context: Any, sequence: int, tokens: int) -> bool:
        """Whether there is room for a sequence of so many tokens, if everything else goes."""
        return bool(llama.llama_state_seq_get_size(context, sequence) + 8 * tokens <= self.capacity)

    def find(self, key: Key, usable: Callable[[State], int]) -> tuple[State | None, int]:
        """The state with this key of which ``usable`` says most, and what it says; (None, 0) when none is of use."""
        best: State | None = None
        most = 0
        for state in self._states:
            if state.key == key and (length := usable(state)) > most:
                best, most = state, length
        return best, most

    def restore(self, state: State, context: Any, sequence: int) -> bool:
        """Put a state into an empty sequence. False when llama.cpp has no room for it."""
        if not restore_sequence(context, sequence, state.data):
            return False
        if state in self._states:  # it may have had to go meanwhile
            self._states.remove(state)
            self._states.append(state)
        return True

    def clear(self) -> None:
        self._states.clear()
        self.size = 0

    def _forget(self, state: State) -> None:
        self._states.remove(state)
        self.size -= state.size
