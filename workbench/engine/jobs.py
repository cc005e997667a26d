"""Jobs: what the engine's loop computes. A job is one request with one or more token sequences (branches).

A job names the tokens that must be in the model's memory and the position from which it needs logits; the loop computes
them, together with other jobs', and hands the logits over row by row. Jobs know nothing of batches and contexts.
"""

from __future__ import annotations

import queue
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from workbench.api.events import TERMINAL, Event
from workbench.api.protocol import RequestContext
from workbench.base.errors import Cancelled
from workbench.engine.keys import Key, virtual_tokens
from workbench.engine.vision import NO_IMAGES, ReadImage

Logits = npt.NDArray[np.float32]


@dataclass(eq=False, slots=True)
class Branch:
    """One sequence of a job: ``tokens`` must be in the model's memory; the first ``computed`` of them are.

    Logits are needed after each token from position ``logits_from`` on. A job appends to ``tokens``; everything else
    changes through its ``Memory``. A step ends at position ``fork_at``, where jobs that wait for it begin; 0: nowhere.
    ``turn`` is the number of the step that computed tokens of it last.
    """

    number: int
    tokens: list[int]
    computed: int
    logits_from: int
    fork_at: int = 0
    turn: int = 0

    @property
    def missing(self) -> int:
        return len(self.tokens) - self.computed


class Memory(Protocol):
    """The operations on branches, for use within ``begin``, ``take`` and ``settle`` only."""

    def fork(self, branch: Branch) -> Branch:
        """A new branch with the same tokens, which shares the computed cells. All tokens must be computed."""

    def drop(self, branch: Branch) -> None:
        """Discard a branch."""

    def rewind(self, branch: Branch, length: int) -> None:
        """Truncate a branch to its first ``length`` tokens. Where the model's memory cannot be truncated, they are
        computed again: set ``logits_from`` to say whose logits are still needed."""

    def states(self, row: int) -> Logits:
        """The last layer's output (after its norm) for a row of the last batch, shape (width,); for jobs with
        ``needs_states`` only. It is in llama.cpp's own memory: the next batch overwrites it."""


class Job(ABC):
    """One request.

    Its first branch begins with ``prompt``; logits are needed from position ``logits_from`` on. ``room`` is the maximum
    number of tokens, ``width`` that of sequences. ``key`` is the set of adapters; with the virtual tokens that they put
    before the text the job takes ``cells`` of the model's memory. Jobs never see those: positions count from the text's
    first token. ``background`` jobs yield to others. ``cached`` is the number of prompt tokens found in memory;
    ``borrowed`` of them are cells of ``lender``, another job at work. The first ``kept`` branches stay in memory when
    the job is done, so that an answer can be continued. ``images`` are those of the image tokens in ``prompt``, by
    their numbers, with their embeddings; they are set before the job is submitted.
    """

    needs_states = False
    kept = 1

    def __init__(
        self,
        prompt: Sequence[int],
        logits_from: int,
        room: int,
        context: RequestContext,
        *,
        width: int = 1,
        key: Key = (),
        background: bool = False,
    ) -> None:
        self.prompt = list(prompt)
        self.logits_from = logits_from
        self.room = room
        self.width = width
        self.key = key
        self.cells = room + virtual_tokens(key)
        self.background = background
        self.cached = 0
        self.borrowed = 0
        self.lender: Job | None = None
        self.images: Mapping[int, ReadImage] = NO_IMAGES
        self.done = False
        self.branches: list[Branch] = []  # owned by the loop
        self.memory: Memory  # set by the loop before ``begin``
        self._context = context
        self._outbox: queue.SimpleQueue[Event | BaseException] = queue.SimpleQueue()
        self._send: Callable[[Event | BaseException], None] = self._outbox.put

    @property
    def cancelled(self) -> bool:
        return self._context.cancelled

    def events(self) -> Iterator[Event]:
        """The job's events, ending in one terminal event. Raises the exception that made the job fail."""
        while True:
            item = self._outbox.get()
            if isinstance(item, BaseException):
                raise item
            yield item
            if isinstance(item, TERMINAL):
                return

    def send_to(self, receiver: Callable[[Event | BaseException], None]) -> None:
        """Have the events, the last of them terminal, or the exception, received by someone else than ``events``.
        For use before the job is submitted."""
        self._send = receiver

    def begin(self) -> None:  # noqa: B027 - most jobs have nothing to do
        """Called once, on admission: ``branches[0]`` holds the prompt, of which ``cached`` tokens are computed."""

    def report_reading(self, branch: Branch) -> None:  # noqa: B027 - most jobs say nothing of it
        """Called on admission and after each part of the prompt, until all of it is computed."""

    @abstractmethod
    def take(self, branch: Branch, context: Any, row: int, logits: Logits) -> None:
        """Logits of shape (vocabulary,) after the next requested token of a branch: ``row`` of ``context``'s last
        batch.

        They are in llama.cpp's own memory, may be modified, and are overwritten by the next batch. A branch that
        continues gets its next tokens here or in ``settle``.
        """

    def settle(self) -> None:
        """Called after a step when no branch has tokens left to compute and the job is not done: with all logits of the
        step known, it may fork, drop and append."""
        raise RuntimeError(f"{type(self).__name__} has nothing more to compute and is not done")

    def cancel(self) -> None:
        """End the job as cancelled."""
        self._end(Cancelled())

    def fail(self, error: BaseException) -> None:
        """End the job with an exception."""
        self._end(error)

    def release(self) -> None:  # noqa: B027 - most jobs hold nothing
        """Free the job's llama.cpp objects."""

    def _put(self, event: Event) -> None:
        self._send(event)

    def _end(self, last: Event | BaseException) -> None:
        self.done = True
        self.release()
        self._send(last)
