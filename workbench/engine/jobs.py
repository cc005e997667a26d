"""What the engine's loop computes: a job is one request, with one or more sequences of tokens under way.

A job says which tokens are to be in the model's memory and from which place on it wants logits; the loop computes
them, together with other jobs', and hands the logits over row by row. Jobs know nothing of batches and contexts.
"""

from __future__ import annotations

import queue
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from workbench.api.events import TERMINAL, Event
from workbench.api.protocol import RequestContext
from workbench.engine.keys import Key, virtual_tokens

Logits = npt.NDArray[np.float32]


class Branch:
    """One sequence of a job: ``tokens`` are to be in the model's memory, the first ``computed`` of them are.

    Logits are wanted after each token from place ``wanted_from`` on. A job appends to ``tokens``; everything else is
    changed through its ``Memory``.
    """

    __slots__ = ("computed", "number", "tokens", "wanted_from")

    def __init__(self, number: int, tokens: list[int], computed: int, wanted_from: int) -> None:
        self.number = number
        self.tokens = tokens
        self.computed = computed
        self.wanted_from = wanted_from

    @property
    def missing(self) -> int:
        return len(self.tokens) - self.computed


class Memory(Protocol):
    """What a job may do with its branches, from within ``begin``, ``take`` and ``settle`` only."""

    def fork(self, branch: Branch) -> Branch:
        """Another branch with the same tokens, which shares what is computed of them. All must be computed."""

    def drop(self, branch: Branch) -> None:
        """Forget a branch."""

    def rewind(self, branch: Branch, length: int) -> None:
        """Cut a branch down to its first ``length`` tokens. Where the model's memory cannot go back, they are computed
        again: set ``wanted_from`` to say whose logits are still wanted."""

    def states(self, row: int) -> Logits:
        """The last layer's output (after its norm) for a row of the last batch, shape (width,); for jobs with
        ``needs_states`` only. In llama.cpp's own memory: the next batch overwrites it."""


class Job(ABC):
    """One request.

    ``prompt`` is what its first branch begins with; logits are wanted from place ``wanted_from`` on. ``room`` is how
    many tokens and ``width`` how many sequences it can come to need. ``key`` says which adapters it computes with; with
    the virtual tokens that they put before the text it takes ``cells`` of the model's memory. Jobs never see those:
    places are counted from the text's first token. ``background`` jobs give way to others. ``cached`` is how many of
    the prompt's tokens were in memory. ``kept`` of its branches, the first ones, stay there when it is done,
    for somebody to go on from.
    """

    needs_states = False
    kept = 1

    def __init__(
        self,
        prompt: Sequence[int],
        wanted_from: int,
        room: int,
        context: RequestContext,
        *,
        width: int = 1,
        key: Key = (),
        background: bool = False,
    ) -> None:
        self.prompt = list(prompt)
        self.wanted_from = wanted_from
        self.room = room
        self.width = width
        self.key = key
        self.cells = room + virtual_tokens(key)
        self.background = background
        self.cached = 0
        self.done = False
        self.branches: list[Branch] = []  # kept by the loop
        self.memory: Memory  # set by the loop before ``begin``
        self._context = context
        self._outbox: queue.SimpleQueue[Event | BaseException] = queue.SimpleQueue()

    @property
    def cancelled(self) -> bool:
        return self._context.cancelled

    def events(self) -> Iterator[Event]:
        """What comes of it, for whoever asked, ending in one terminal event. Raises what made it fail."""
        while True:
            item = self._outbox.get()
            if isinstance(item, BaseException):
                raise item
            yield item
            if isinstance(item, TERMINAL):
                return

    def begin(self) -> None:  # noqa: B027 - most jobs have nothing to do
        """Called once, when the job was let in: ``branches[0]`` holds the prompt, of which ``cached`` are computed."""

    @abstractmethod
    def take(self, branch: Branch, context: Any, row: int, logits: Logits) -> None:
        """Logits of shape (vocabulary,) after the next wanted token of a branch: ``row`` of ``context``'s last batch.

        They lie in llama.cpp's own memory, may be changed, and are gone after the next batch. A branch that is to go on
        gets its next tokens here or in ``settle``.
        """

    def settle(self) -> None:
        """Called after a step when nothing is missing in any branch and the job is not done: the time to fork, drop and
        append with all logits of the step known."""
        raise RuntimeError(f"{type(self).__name__} has nothing more to compute and is not done")

    @abstractmethod
    def cancel(self) -> None:
        """End it as cancelled."""

    def fail(self, error: BaseException) -> None:
        """End it with an exception."""
        self._end(error)

    def release(self) -> None:  # noqa: B027 - most jobs hold nothing
        """Free what the job holds of llama.cpp."""

    def _put(self, event: Event) -> None:
        self._outbox.put(event)

    def _end(self, last: Event | BaseException) -> None:
        self.done = True
        self.release()
        self._outbox.put(last)
