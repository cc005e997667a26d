"""A model's stream, as the techniques need it: passed on piece by piece, edited on the way, stopped on request."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar, cast

import msgspec

from workbench.api import events
from workbench.api.calls import AskResult
from workbench.api.events import Event, StepFinished
from workbench.api.protocol import error_of, finish
from workbench.engine.inference_calls import Generated, GeneratedSequence
from workbench.records.messages import Candidate, Message
from workbench.records.recipes import DecodingPart
from workbench.records.trace import TokenIds
from workbench.techniques.context import AnswerContext, Step


class Editor(Protocol):
    """Changes a text while it streams. What ``feed`` and ``end`` return, joined, is the edited text.

    ``cut_short`` tells that the text stops in the middle: at its longest, or because it was stopped.
    """

    def feed(self, piece: str) -> str: ...

    def end(self, cut_short: bool = False) -> str: ...


class Unchanged:
    """The editor that leaves a text as it is."""

    def feed(self, piece: str) -> str:
        return piece

    def end(self, cut_short: bool = False) -> str:
        return ""


E = TypeVar("E", bound=Editor)


@dataclass(frozen=True)
class Edited(Generic[E]):
    """A finished generation with its texts as they were edited, and the editor of each of its ``sequences``."""

    generated: Generated
    editors: tuple[E, ...]


def generate(
    context: AnswerContext,
    messages: Sequence[Message],
    decoding: DecodingPart,
    *,
    title: str = "Answer",
    notices: list[str] | None = None,
    quiet: bool = False,
) -> Generator[Event, None, Generated]:
    """Stream an answer; returns what was generated. As ``edit``, without an editor, in a step called ``title``."""
    step = context.step("generation", title, writes_answer=not quiet)
    stream = context.model.generate(messages, decoding)
    edited = yield from edit(stream, Unchanged, step, notices=notices, quiet=quiet)
    return edited.generated


def edit(
    stream: Iterator[Event],
    editor: Callable[[], E],
    step: Step,
    *,
    notices: list[str] | None = None,
    quiet: bool = False,
) -> Generator[Event, None, Edited[E]]:
    """Pass on a model's stream, the text of each of its sequences edited by an ``editor`` of its own.

    A cancelled request ends with ``finish="cancelled"`` and the texts so far: the model heeds it within a token.
    The text of a sequence that did not stream (a beam's) is passed on at the end. It is the work of ``step``, whose end
    has its usage and token ids; text and thoughts are the answer's, or with ``quiet`` those of the step alone. Notices
    of the engine are collected in ``notices``. Raises the exception that a failed generation means.
    """
    yield step.started
    inner = step.id if quiet else ""
    under_way: dict[int, _UnderWay[E]] = {}
    generated: Generated | None = None
    stopped = False
    with closing(cast("Generator[Event, None, None]", stream)):
        for event in stream:
            if isinstance(event, events.TextDelta):
                if event.sequence not in under_way:
                    under_way[event.sequence] = _UnderWay(editor())
                if piece := under_way[event.sequence].feed(event.text):
                    yield events.TextDelta(text=piece, sequence=event.sequence, step=inner)
            elif isinstance(event, events.Thought):
                yield msgspec.structs.replace(event, step=inner)
            elif isinstance(event, (events.Finished, events.Cancelled)):
                stopped = isinstance(event, events.Cancelled)
                generated = msgspec.convert(event.result, Generated) if event.result is not None else None
                break
            elif isinstance(event, events.Failed):
                raise error_of(event)
            elif isinstance(event, events.Log) and event.level == "notice" and notices is not None:
                if event.text not in notices:  # each section of a document would be told of it
                    notices.append(event.text)
                    yield event
            elif isinstance(event, events.BeamStep | events.Progress):
                yield msgspec.structs.replace(event, step=step.id)
            else:
                yield event
    sequences = generated.sequences if generated is not None else ()
    if not sequences:
        sequences = _told(generated, under_way)
    ended: list[tuple[GeneratedSequence, E]] = []
    for place, sequence in enumerate(sequences):
        number = _stream_of(sequence, place, under_way)
        one = under_way.pop(number, None) or _UnderWay(editor())
        pieces = [] if one.raw else [one.feed(sequence.text)]
        pieces.append(one.end(cut_short=stopped or sequence.finish in ("length", "cancelled")))
        last = "".join(pieces)
        if last:
            yield events.TextDelta(text=last, sequence=number, step=inner)
        ended.append((msgspec.structs.replace(sequence, text="".join(one.edited)), one.editor))
    first = ended[0][0]
    yield _finished(step, generated, sequences)
    generated = msgspec.structs.replace(
        generated or Generated(text=""),
        text=first.text,
        finish="cancelled" if stopped else first.finish,
        sequences=tuple(sequence for sequence, _ in ended),
    )
    return Edited(generated, tuple(made for _, made in ended))


def _finished(step: Step, generated: Generated | None, sequences: Sequence[GeneratedSequence]) -> StepFinished:
    """The end of a generation: its text as the model wrote it, its mean log-probability, usage and token ids."""
    first, tokens = sequences[0], None
    if generated is not None and generated.prompt and generated.sequences:
        tokens = TokenIds(prompt=generated.prompt, sequences=tuple(one.tokens for one in generated.sequences))
    usage = generated.usage if generated is not None else None
    return step.finished(first.text, score=first.mean_logprob, usage=usage, tokens=tokens)


class _UnderWay(Generic[E]):
    """One sequence while it streams. ``raw`` is what the model said, ``edited`` what became of it."""

    def __init__(self, editor: E) -> None:
        self.editor = editor
        self.raw = ""
        self.edited: list[str] = []

    def feed(self, piece: str) -> str:
        self.raw += piece
        self.edited.append(self.editor.feed(piece))
        return self.edited[-1]

    def end(self, *, cut_short: bool) -> str:
        self.edited.append(self.editor.end(cut_short=cut_short))
        return self.edited[-1]


def _told(generated: Generated | None, under_way: dict[int, _UnderWay[E]]) -> tuple[GeneratedSequence, ...]:
    """The sequences of a generation that does not name them: as they streamed."""
    if generated is not None:
        return (
            GeneratedSequence(
                text=generated.text,
                thought=generated.thought,
                finish=generated.finish,
                mean_logprob=generated.mean_logprob,
                score=generated.mean_logprob,
            ),
        )
    told = [GeneratedSequence(text=one.raw, finish="cancelled") for _, one in sorted(under_way.items())]
    return tuple(told) or (GeneratedSequence(text="", finish="cancelled"),)


def _stream_of(sequence: GeneratedSequence, place: int, under_way: dict[int, _UnderWay[E]]) -> int:
    """The number under which a sequence streamed: several may have been put into another order at their end."""
    if place in under_way and under_way[place].raw == sequence.text:
        return place
    return next((number for number, one in under_way.items() if one.raw == sequence.text), place)


def answered(generated: Generated) -> tuple[Candidate, ...]:
    """All that was answered at once, in its order."""
    return tuple(
        Candidate(
            text=sequence.text,
            score=sequence.score,
            finish=sequence.finish,
            thought=sequence.thought,
            tokens=len(sequence.tokens),
        )
        for sequence in generated.sequences
    ) or (Candidate(text=generated.text, score=generated.mean_logprob, finish=generated.finish),)


def ending(result: AskResult, generated: Generated) -> events.Terminal:
    """The terminal event of an answer: Finished, or Cancelled with the answer as far as it came."""
    finished = finish(result)
    return events.Cancelled(result=finished.result) if generated.finish == "cancelled" else finished
