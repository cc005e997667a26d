"""A model's stream, as the techniques need it: passed on piece by piece, edited on the way, stopped on request."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import closing
from typing import Protocol, cast

import msgspec

from workbench import events
from workbench.calls import AskResult
from workbench.engine.protocol import Generated
from workbench.events import Event
from workbench.messages import Message
from workbench.messages import Sequence as Answered
from workbench.protocol import error_of, finish
from workbench.recipes import DecodingPart
from workbench.techniques.context import AnswerContext


class Editor(Protocol):
    """Changes a text while it streams. What ``feed`` and ``end`` return, joined, is the edited text.

    ``cut_short`` tells that the text stops in the middle: at its longest, or because it was stopped.
    """

    def feed(self, piece: str) -> str: ...

    def end(self, cut_short: bool = False) -> str: ...


def generate(
    context: AnswerContext,
    messages: Sequence[Message],
    decoding: DecodingPart,
    *,
    editor: Editor | None = None,
    notices: list[str] | None = None,
    quiet: bool = False,
) -> Generator[Event, None, Generated]:
    """Stream an answer; returns what was generated, its text being the pieces that streamed.

    A request that is cancelled ends the stream within one piece and returns with ``finish="cancelled"`` and the
    text so far. ``quiet`` keeps text and thoughts to itself. Notices of the engine are collected in ``notices``.
    Raises the exception that a failed generation means.
    """
    text: list[str] = []
    generated: Generated | None = None

    def edited(piece: str) -> list[Event]:
        if piece:
            text.append(piece)
        return [events.TextDelta(text=piece)] if piece and not quiet else []

    stream = cast("Generator[Event, None, None]", context.model.generate(messages, decoding))
    with closing(stream):
        for event in stream:
            if isinstance(event, events.Finished):
                generated = msgspec.convert(event.result, Generated)
                break
            if isinstance(event, events.Failed):
                raise error_of(event)
            if isinstance(event, events.Cancelled) or context.cancelled():
                break
            if isinstance(event, events.TextDelta):
                yield from edited(editor.feed(event.text) if editor else event.text)
            elif isinstance(event, events.Log) and event.level == "notice" and notices is not None:
                notices.append(event.text)
                yield event
            elif not quiet:
                yield event
    if editor is not None:
        yield from edited(editor.end(cut_short=generated is None or generated.finish in ("length", "cancelled")))
    whole = "".join(text)
    if generated is None:
        return Generated(text=whole, finish="cancelled")
    return msgspec.structs.replace(generated, text=whole)


def answered(generated: Generated) -> tuple[Answered, ...]:
    """The one sequence of a generation."""
    return (Answered(text=generated.text, score=generated.mean_logprob, finish=generated.finish),)


def ending(result: AskResult, generated: Generated) -> events.Terminal:
    """The terminal event of an answer: Finished, or Cancelled with the answer as far as it came."""
    finished = finish(result)
    return events.Cancelled(result=finished.result) if generated.finish == "cancelled" else finished
