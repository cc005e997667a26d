"""The state of an answer, as the reduction of its events: the same for an answer that is live, stored or replayed.

The core keeps an AnswerState while it answers and stores its fields and trace; the window keeps one and shows it;
``replay`` turns a stored answer back into events. This module does no input or output.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Literal

import msgspec

from workbench.api import events
from workbench.api.events import Event, StepFinished, StepStarted
from workbench.api.protocol import finish
from workbench.records.agents import Approval
from workbench.records.answers import AskResult, StoredMessage
from workbench.records.messages import (
    Beam,
    Candidate,
    Citation,
    Finish,
    Part,
    Passage,
    Usage,
    Verification,
    total_usage,
)
from workbench.records.outcomes import Outcome, Reason, Road
from workbench.records.recipes import Recipe
from workbench.records.trace import Trace, TraceStep

State = Literal["streaming", "done", "stopped", "failed", "interrupted", "waiting"]

_STARTED = ("kind", "parent", "title", "input", "writes_answer")
_FINISHED = ("score", "usage", "error", "seconds", "tokens")
_GROWING = ("query", "passages", "notices", "citations", "verification")
_RESULT = (
    "sequences",
    "citations",
    "declined",
    "outcome",
    "reasons",
    "road",
    "roads",
    "query",
    "passages",
    "notices",
    "parts",
    "verification",
    "waiting",
    "tainted",
)
"""Fields of the same name and meaning: of TraceStep and the events of a step; of AnswerState, StoredMessage and
AskResult, of which some are known while the answer is written."""


class _Text:
    """A text that grows by pieces. Reading joins them once, so that both adding and reading stay linear."""

    def __init__(self) -> None:
        self._pieces: list[str] = []

    def add(self, piece: str) -> None:
        self._pieces.append(piece)

    def __str__(self) -> str:
        if len(self._pieces) > 1:
            self._pieces = ["".join(self._pieces)]
        return self._pieces[0] if self._pieces else ""


class _Step:
    """A step so far."""

    def __init__(self, started: StepStarted) -> None:
        self.started = started
        self.finished: StepFinished | None = None
        self.text = _Text()
        self.thought = _Text()
        self.query = ""
        self.passages: tuple[Passage, ...] = ()
        self.beams: list[tuple[Beam, ...]] = []
        self._record: tuple[bool, TraceStep] | None = None

    def changed(self) -> _Step:
        """The step, to which something is added now."""
        self._record = None
        return self

    def record(self, ended: bool) -> TraceStep:
        """The step as a value, the same one until it changes; ``ended``: the answer has ended, so that an open step was
        stopped."""
        if self._record is None or self._record[0] != ended:
            self._record = ended, self._as_value(ended)
        return self._record[1]

    def _as_value(self, ended: bool) -> TraceStep:
        began, end = self.started, self.finished
        state: Literal["running", "done", "failed", "stopped"] = "stopped" if ended else "running"
        if end is not None:
            state = "failed" if end.error else "done"
        return TraceStep(
            id=began.step,
            output=end.output if end is not None and end.output else str(self.text),
            thought=str(self.thought),
            state=state,
            query=self.query,
            passages=self.passages,
            beams=tuple(self.beams),
            **_shared(began, _STARTED),
            **(_shared(end, _FINISHED) if end is not None else {}),
        )


class AnswerState:
    """An answer as far as its events have been applied. Applying an event costs no more than the event is long."""

    def __init__(self) -> None:
        self.state: State = "streaming"
        self.error = ""
        self.query = ""
        self.passages: tuple[Passage, ...] = ()
        self.citations: tuple[Citation, ...] = ()
        self.declined = False
        self.outcome: Outcome | None = None
        self.reasons: tuple[Reason, ...] = ()
        self.road: Road | None = None
        self.roads: tuple[Road, ...] = ()
        self.verification: Verification | None = None
        self.waiting: Approval | None = None
        self.tainted = False
        self.notices: tuple[str, ...] = ()
        self.parts: tuple[Part, ...] = ()
        self.recipe: Recipe | None = None
        self._texts: dict[int, _Text] = {}
        self._thoughts: dict[int, _Text] = {}
        self._steps: dict[str, _Step] = {}
        self.finish: Finish | None = None
        self._sequences: tuple[Candidate, ...] = ()
        self._usage: Usage | None = None
        self._answer: str | None = None  # the text of the terminal event
        self._trace: Trace | None = None

    @classmethod
    def of(cls, stream: Iterable[Event]) -> AnswerState:
        """The state after some events."""
        state = cls()
        for event in stream:
            state.apply(event)
        return state

    # -- reading ----------------------------------------------------------------------------------

    @property
    def text(self) -> str:
        return self._answer if self._answer is not None else self.sequence_text(0)

    @property
    def thought(self) -> str:
        streamed = str(self._thoughts.get(0, ""))  # the best sequence need not be the one that streamed as the first
        return next((one.thought for one in self._sequences if one.text == self._answer), streamed)

    @property
    def streamed_sequences(self) -> int:
        """The number of sequences up to the last one with streamed text."""
        return max(self._texts, default=-1) + 1

    def sequence_text(self, sequence: int) -> str:
        """The streamed text of one sequence."""
        return str(self._texts.get(sequence, ""))

    @property
    def sequences(self) -> tuple[Candidate, ...]:
        """The answers that were made at once; () when there is only one."""
        if self._answer is None and self.streamed_sequences > 1:
            return tuple(
                Candidate(text=self.sequence_text(n), thought=str(self._thoughts.get(n, "")), finish="cancelled")
                for n in range(self.streamed_sequences)
            )
        return self._sequences

    @property
    def usage(self) -> Usage | None:
        """The usage of all generations."""
        if self._usage is not None:
            return self._usage
        return total_usage(
            step.finished.usage
            for step in self._steps.values()
            if step.finished is not None and step.finished.usage is not None
        )

    @property
    def beams(self) -> tuple[tuple[Beam, ...], ...]:
        """The beam search of the step that writes the answer."""
        return next((tuple(s.beams) for s in self._steps.values() if s.started.writes_answer and s.beams), ())

    def writes_answer(self, step: str) -> bool:
        return step in self._steps and self._steps[step].started.writes_answer

    def kind(self, step: str) -> str:
        """The kind of a step, "" for one that has not begun."""
        return self._steps[step].started.kind if step in self._steps else ""

    def step(self, step: str) -> TraceStep:
        """One step as it is now."""
        return self._steps[step].record(self.state != "streaming")

    def trace(self, *, ended: bool = False) -> Trace:
        """The steps as they are now; with ``ended``, as they are when nothing follows."""
        if not self._steps and self._trace is not None:
            return self._trace
        ended = ended or self.state != "streaming"
        return Trace(steps=tuple(step.record(ended) for step in self._steps.values()))

    def fields(self) -> dict[str, Any]:
        """The fields of StoredMessage as far as they are known."""
        known = {"text": self.text, "thought": self.thought, **_shared(self, _GROWING)}
        if self.state == "streaming":
            return known
        trace = self.trace()
        known.update(
            _shared(self, _RESULT),
            state=self.state,
            error=self.error,
            finish=self.finish,
            usage=self.usage,
            steps=len(trace.steps),
            traced=trace.tokens is not None,
        )
        if self.recipe is not None:
            known["recipe"] = self.recipe
        return known

    def message(self, message: StoredMessage) -> StoredMessage:
        """``message`` with these fields."""
        return msgspec.structs.replace(message, **self.fields())

    def result(self) -> AskResult:
        """The state as the result of a request that ends now."""
        return AskResult(
            answer=self.text, usage=self.usage or Usage(), trace=self.trace(ended=True), **_shared(self, _RESULT)
        )

    # -- events -----------------------------------------------------------------------------------

    def apply(self, event: Event) -> bool:
        """Take in an event. Returns whether a field of the message has changed."""
        if self.state != "streaming":
            return False
        if isinstance(event, events.TextDelta | events.Thought):
            return self._add_text(event)
        if isinstance(event, events.Retrieved):
            return self._add_passages(event)
        if isinstance(event, events.Verified):
            return self._add_verified(event)
        if isinstance(event, events.BeamStep):
            if event.step in self._steps:
                self._steps[event.step].changed().beams.append(event.beams)
        elif isinstance(event, StepStarted):
            self._steps.setdefault(event.step, _Step(event))
        elif isinstance(event, StepFinished):
            if event.step in self._steps and self._steps[event.step].finished is None:
                self._steps[event.step].changed().finished = event
        elif isinstance(event, events.Log):
            if event.level == "notice":
                self.notices = (*self.notices, event.text)
                return True
        elif isinstance(event, events.TERMINAL):
            self._end(event)
            return True
        return False

    def _add_text(self, event: events.TextDelta | events.Thought) -> bool:
        is_text = isinstance(event, events.TextDelta)
        if event.step:
            step = self._steps.get(event.step)
            if step is not None and event.sequence == 0:
                step.changed()
                (step.text if is_text else step.thought).add(event.text)
            return False
        (self._texts if is_text else self._thoughts).setdefault(event.sequence, _Text()).add(event.text)
        return True

    def _add_passages(self, event: events.Retrieved) -> bool:
        step = self._steps.get(event.step)
        if step is not None:
            step.changed()
            step.query, step.passages = event.query, event.passages
            if step.started.parent:
                return False
        elif event.step:
            return False
        self.query, self.passages = event.query, event.passages
        return True

    def _add_verified(self, event: events.Verified) -> bool:
        known = self.verification or Verification()
        self.verification = Verification(
            statements=(*known.statements, *event.statements), quoted=max(known.quoted, event.quoted)
        )
        cited = {citation.n: citation for citation in (*self.citations, *event.citations)}
        self.citations = tuple(cited[n] for n in sorted(cited))
        return True

    def _end(self, terminal: events.Terminal) -> None:
        if isinstance(terminal, events.Failed):
            self.state = "failed"
            hint = terminal.hint if terminal.reason == "user" else ""
            self.error = f"{terminal.message} {hint}".strip()
            return
        self.state = "done"
        if isinstance(terminal, events.Cancelled):
            self.state = "interrupted" if terminal.interrupted else "stopped"
            if terminal.result is None:
                return
        result = msgspec.convert(terminal.result, AskResult)
        if isinstance(terminal, events.Finished) and result.waiting is not None:
            self.state, self.waiting = "waiting", result.waiting
        self._answer = result.answer
        self._sequences = result.sequences if len(result.sequences) > 1 else ()
        self.finish = result.sequences[0].finish if len(result.sequences) == 1 else None
        self._usage = result.usage if result.usage != Usage() else None
        self._trace = result.trace
        self.citations, self.declined = result.citations, result.declined
        self.outcome, self.reasons = result.outcome, result.reasons
        self.road, self.roads = result.road, result.roads
        self.query = result.query or self.query
        self.passages = result.passages or self.passages
        self.notices, self.parts, self.recipe = result.notices, result.parts, result.recipe
        self.verification, self.tainted = result.verification, result.tainted


def with_trace(stream: Iterable[Event]) -> Iterator[Event]:
    """Pass on an answer's events; its result gets the trace and the usage of all its generations."""
    state = AnswerState()
    for event in stream:
        if isinstance(event, events.Finished | events.Cancelled) and event.result is not None:
            result = msgspec.convert(event.result, AskResult)
            result = msgspec.structs.replace(result, trace=state.trace(ended=True), usage=state.usage or result.usage)
            event = msgspec.structs.replace(event, result=finish(result).result)
        state.apply(event)
        yield event


def replay(message: StoredMessage, trace: Trace | None) -> Iterator[Event]:
    """A stored answer as events that lead to the same state.

    An answer in state ``streaming`` that nobody makes any more was interrupted: its end could not be stored.
    """
    trace = trace if trace is not None else Trace()
    for step in trace.steps:
        yield from replay_step(step)
    if message.query or message.passages or any(step.query or step.passages for step in trace.steps):
        yield events.Retrieved(query=message.query, passages=message.passages)
    for notice in message.notices:
        yield events.Log(text=notice, level="notice")
    for number, one in enumerate(message.sequences or (Candidate(text=message.text, thought=message.thought),)):
        if one.thought:
            yield events.Thought(text=one.thought, sequence=number)
        yield events.TextDelta(text=one.text, sequence=number)
    checked = message.verification
    if checked is not None or message.citations:
        statements, quoted = (checked.statements, checked.quoted) if checked is not None else ((), 0)
        yield events.Verified(statements=statements, citations=message.citations, quoted=quoted)
    if message.state == "failed":
        yield events.Failed(message=message.error or "The answer failed.")
        return
    said = AskResult(
        answer=message.text,
        usage=message.usage or Usage(),
        recipe=message.recipe or Recipe(),
        chat=message.chat,
        message=message.id,
        trace=trace,
        **_shared(message, _RESULT),
    )
    if message.finish is not None and not message.sequences:
        single = Candidate(text=message.text, thought=message.thought, finish=message.finish)
        said = msgspec.structs.replace(said, sequences=(single,))
    result = finish(said)
    if message.state in ("done", "waiting"):
        yield result
    else:
        yield events.Cancelled(result=result.result, interrupted=message.state != "stopped")


def replay_step(step: TraceStep) -> Iterator[Event]:
    """One step as events; one without an end stays open."""
    yield StepStarted(step=step.id, **_shared(step, _STARTED))
    if step.thought:
        yield events.Thought(text=step.thought, step=step.id)
    if step.query or step.passages:
        yield events.Retrieved(query=step.query, passages=step.passages, step=step.id)
    for number, beams in enumerate(step.beams):
        yield events.BeamStep(number=number, beams=beams, step=step.id)
    if step.state in ("running", "stopped"):
        yield events.TextDelta(text=step.output, step=step.id)
        return
    yield StepFinished(step=step.id, output=step.output, **_shared(step, _FINISHED))


def _shared(value: object, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: getattr(value, name) for name in names}
