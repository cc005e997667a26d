"""An answer while it is written: its texts edited piece by piece, and the result that it ends in."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import msgspec

from workbench.api import events
from workbench.api.events import Event
from workbench.api.protocol import finish
from workbench.base.errors import Cancelled
from workbench.engine.inference_calls import Generated, GeneratedSequence
from workbench.records.answers import AskResult
from workbench.records.messages import UNFINISHED, Candidate
from workbench.text.sentences import split_sentences


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


class WholeSentences(Generic[E]):
    """Passes on what ``inner`` makes of a text sentence by sentence, and drops the last one where it was cut short.
    With ``verbatim`` all is passed on."""

    def __init__(self, inner: E, *, verbatim: bool = False) -> None:
        self.inner = inner
        self._verbatim = verbatim
        self._held = ""
        self._passed = False

    def feed(self, piece: str) -> str:
        self._held += self.inner.feed(piece)
        if self._verbatim:
            return self._pass(len(self._held))
        spans = split_sentences(self._held)
        return self._pass(spans[-1][0]) if len(spans) > 1 else ""

    def end(self, cut_short: bool = False) -> str:
        self._held += self.inner.end(cut_short)
        if cut_short and self._passed and not self._verbatim and not _ENDED.search(self._held):
            return ""
        return self._pass(len(self._held))

    def _pass(self, characters: int) -> str:
        passed, self._held = self._held[:characters], self._held[characters:]
        self._passed = self._passed or bool(passed)
        return passed


_ENDED = re.compile(r"[.!?…。！？][\"'”’»)\]]*(?:\s*\[\d+\])*\s*$")


@dataclass(frozen=True)
class Edited(Generic[E]):
    """A finished generation with its texts as they were edited, and the editor of each of its ``sequences``."""

    generated: Generated
    editors: tuple[E, ...]


def edit(written: Generator[Event, None, Generated], editor: Callable[[], E]) -> Generator[Event, None, Edited[E]]:
    """Pass on what is written as an answer, the text of each of its sequences edited by an ``editor`` of its own.

    ``written`` yields events and returns the generation that is the answer. Text that belongs to no step is the
    answer's. A sequence that did not stream (a beam's, or one that was chosen among quiet generations) is passed on at
    the end. When it was cancelled, what has streamed is the answer; nothing streamed: raises errors.Cancelled.
    """
    under_way: dict[int, _UnderWay[E]] = {}
    with closing(written):
        while True:
            try:
                event = next(written)
            except StopIteration as end:
                generated: Generated = end.value
                break
            except Cancelled:
                if not under_way:
                    raise
                texts = [GeneratedSequence(text=one.raw, finish="cancelled") for _, one in sorted(under_way.items())]
                generated = Generated(text=texts[0].text, finish="cancelled", sequences=tuple(texts))
                break
            if isinstance(event, events.TextDelta) and not event.step:
                if event.sequence not in under_way:
                    under_way[event.sequence] = _UnderWay(editor())
                if piece := under_way[event.sequence].feed(event.text):
                    yield msgspec.structs.replace(event, text=piece)
            else:
                yield event
    stopped = generated.finish == "cancelled"
    sequences = generated.sequences or (GeneratedSequence(text=generated.text, finish=generated.finish),)
    ended: list[tuple[GeneratedSequence, E]] = []
    for place, sequence in enumerate(sequences):
        number = _stream_of(sequence, place, under_way)
        one = under_way.pop(number, None) or _UnderWay(editor())
        pieces = [] if one.raw else [one.feed(sequence.text)]
        pieces.append(one.end(cut_short=stopped or sequence.finish in (*UNFINISHED, "cancelled")))
        last = "".join(pieces)
        if last:
            yield events.TextDelta(text=last, sequence=number)
        ended.append((msgspec.structs.replace(sequence, text="".join(one.edited)), one.editor))
    edited = tuple(sequence for sequence, _ in ended)
    generated = msgspec.structs.replace(generated, text=edited[0].text, sequences=edited)
    return Edited(generated, tuple(made for _, made in ended))


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
