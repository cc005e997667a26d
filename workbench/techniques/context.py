"""What an answering method is handed: a model, perhaps documents, whether to stop, and steps to report."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from workbench import errors
from workbench.api.events import StepFinished, StepStarted
from workbench.backends.backend import ModelBackend
from workbench.records.messages import Usage
from workbench.records.trace import TokenIds
from workbench.techniques.retrieval.embedding_calls import Retriever


class Step:
    """A step of an answer: yield ``started``, do the work, yield ``finished(...)``::

        step = context.step("critic", "Critique the draft", draft)
        yield step.started
        verdict = yield from generate(context.inside(step), messages, decoding, quiet=True)
        yield step.finished(verdict.text, score=grade)

    An exception may leave a step unfinished: it counts as stopped.
    """

    def __init__(self, started: StepStarted) -> None:
        self.started = started
        self._began = time.monotonic()

    @property
    def id(self) -> str:
        return self.started.step

    def finished(
        self,
        output: str = "",
        *,
        score: float | None = None,
        usage: Usage | None = None,
        error: str = "",
        tokens: TokenIds | None = None,
    ) -> StepFinished:
        """Its end; ``usage`` without that of the steps inside it."""
        seconds = time.monotonic() - self._began
        return StepFinished(
            step=self.id, output=output, score=score, usage=usage, error=error, seconds=seconds, tokens=tokens
        )


@dataclass(frozen=True)
class AnswerContext:
    """``retriever`` is the recipe's collection, None without one. ``cancelled`` may be asked at any time.

    A method generates through ``streaming.generate`` or ``edit``, which report each generation as a step.
    """

    model: ModelBackend
    retriever: Retriever | None
    cancelled: Callable[[], bool]
    parent: str = ""
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1), repr=False)

    def step(self, kind: str, title: str, input: str = "", *, writes_answer: bool = False) -> Step:
        """A new step that begins now; its fields are those of ``TraceStep``."""
        name = str(next(self._numbers))
        return Step(
            StepStarted(step=name, parent=self.parent, kind=kind, title=title, input=input, writes_answer=writes_answer)
        )

    def inside(self, step: Step) -> AnswerContext:
        """The same context for work within a step: the steps that it opens are children of that one."""
        return replace(self, parent=step.id)

    def raise_if_cancelled(self) -> None:
        """Raises errors.Cancelled once the request was cancelled."""
        if self.cancelled():
            raise errors.Cancelled
