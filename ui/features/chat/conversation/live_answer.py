"""An answer that is being generated: its state so far, for as many views as show it, also while none does."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from PySide6.QtCore import QObject, Signal

from ui.components.wording import describe_seconds, describe_speed, stage_of
from ui.features.chat import texts
from ui.features.chat.traces.beam_tree import BeamTree
from workbench.api import events
from workbench.api.answer_state import AnswerState
from workbench.api.events import Event
from workbench.base.catalogue import ngettext
from workbench.records.answers import StoredMessage
from workbench.records.messages import Citation, Passage, Verification
from workbench.records.recipes import Recipe


class LiveAnswer(QObject):
    """Applies an answer's events to its ``state`` and signals what is new."""

    text_added = Signal(str, int)
    """A piece of a sequence's text and the sequence's number."""
    thought_added = Signal(str)
    passages_found = Signal(object)
    """A tuple of Passage."""
    verified = Signal(str, object, object)
    """The text so far, the Verification and the tuple of Citation so far, after either of these has grown."""
    noticed = Signal(object)
    """All notices so far."""
    waiting_changed = Signal(str)
    beams_grown = Signal(object)
    """The BeamTree, after the steps of a batch were added."""
    steps_changed = Signal(object)
    """The Trace, after a step began, ended or was added to. At most once per batch."""
    pace_changed = Signal(tuple)
    """How fast it is written and what is left at most, each in words."""
    ended = Signal()

    def __init__(
        self,
        message: str,
        chat: str,
        recipe: Recipe,
        parent: QObject,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(parent)
        self.message = message
        self.chat = chat
        self.state = AnswerState()
        self.beams = BeamTree()
        self.waiting = texts.STARTING
        self.pace: tuple[str, ...] = ()
        self._recipe = recipe
        self._pace = Pace(recipe.decoding.max_tokens, clock)

    @property
    def text(self) -> str:
        """What the first sequence has said so far."""
        return self.state.text

    @property
    def texts(self) -> dict[int, str]:
        """What each sequence has said so far."""
        return {number: self.state.sequence_text(number) for number in range(self.state.streamed_sequences)}

    @property
    def thought(self) -> str:
        return self.state.thought

    @property
    def query(self) -> str:
        return self.state.query

    @property
    def passages(self) -> tuple[Passage, ...]:
        return self.state.passages

    @property
    def notices(self) -> tuple[str, ...]:
        return self.state.notices

    @property
    def trusted(self) -> tuple[Verification | None, tuple[Citation, ...]]:
        """The statements that are verified and the passages that are cited so far."""
        return self.state.verification, self.state.citations

    def take(self, batch: Sequence[Event]) -> None:
        """The next events, terminal ones excepted."""
        steps, passages, notices = self.beams.steps, self.state.passages, self.state.notices
        trusted = self.trusted
        for event in batch:
            self.state.apply(event)
            if isinstance(event, events.TextDelta | events.Thought) and event.tokens and not event.step:
                self._pace.add(event.sequence, event.tokens)
            if isinstance(event, events.Progress):
                self._say(describe_progress(event, self._recipe))
            elif isinstance(event, events.StepStarted):
                if not (event.parent or event.writes_answer or self.state.text):
                    self._say(f"{event.title}…")
            elif isinstance(event, events.TextDelta) and not event.step:
                self._say("")
                self.text_added.emit(event.text, event.sequence)
            elif isinstance(event, events.Thought) and not event.step:
                self._say(texts.REASONING)
                if event.sequence == 0:  # of several thoughts the first sequence's is shown
                    self.thought_added.emit(event.text)
            elif isinstance(event, events.BeamStep) and self.state.writes_answer(event.step):
                self.beams.add(event.beams)
        if self.state.passages != passages:
            self._say(_reading(len(self.state.passages)))
            self.passages_found.emit(self.state.passages)
        if self.trusted != trusted:
            self.verified.emit(self.text, *self.trusted)
        if self.state.notices != notices:
            self.noticed.emit(self.state.notices)
        if self.beams.steps > steps:
            if not self.state.streamed_sequences:
                self._say(texts.SEARCHING_BEAMS.format(steps=self.beams.steps))
            self.beams_grown.emit(self.beams)
        if any(getattr(event, "step", "") for event in batch):
            self.steps_changed.emit(self.state.trace())
        if (pace := self._pace.told()) and pace != self.pace:
            self.pace = pace
            self.pace_changed.emit(pace)

    def _say(self, words: str) -> None:
        if words != self.waiting:
            self.waiting = words
            self.waiting_changed.emit(words)

    def outcome(self, message: StoredMessage, terminal: events.Terminal) -> StoredMessage:
        """``message`` as it is after its end, as the core has stored it."""
        self.state.apply(terminal)
        self.steps_changed.emit(self.state.trace())
        return self.state.message(message)


SHOWN_AFTER_S, SHOWN_EVERY_S = 1.0, 0.5
"""A speed is told after so long, since the first tokens say little, and then no more often than can be read."""


class Pace:
    """How fast an answer is written, in tokens of all its sequences, from its first piece on. ``most`` tokens has each
    sequence at most."""

    def __init__(self, most: int, clock: Callable[[], float]) -> None:
        self._most = most
        self._clock = clock
        self._tokens: dict[int, int] = {}  # of each sequence
        self._uncounted = 0  # what the first piece of each sequence brought: how long it took is not known
        self._began = self._told_at = clock()

    def add(self, sequence: int, tokens: int) -> None:
        if not self._tokens:
            self._began = self._clock()
        if sequence not in self._tokens:
            self._uncounted += tokens
        self._tokens[sequence] = tokens

    def told(self) -> tuple[str, ...]:
        """Speed and what is left at most, in words; () where there is nothing new to say."""
        now = self._clock()
        took, counted = now - self._began, sum(self._tokens.values()) - self._uncounted
        if took < SHOWN_AFTER_S or now - self._told_at < SHOWN_EVERY_S or counted < 1:
            return ()
        self._told_at = now
        speed, left = counted / took, self._most - max(self._tokens.values())
        words = texts.TOKENS_PER_S.format(speed=describe_speed(speed))
        if left < 1:
            return (words,)
        seconds = describe_seconds(left * len(self._tokens) / speed)
        return words, texts.LEFT_AT_MOST.format(left=left, seconds=seconds)


def describe_progress(progress: events.Progress, recipe: Recipe) -> str:
    """What is being waited for, in words: ``Loading SmolLM2… 43%``."""
    share = f" {progress.done / progress.total:.0%}" if progress.total > 0 else ""
    collection = recipe.retrieval.collection if recipe.retrieval is not None else ""
    stage = progress.stage.lower()
    if stage.startswith("load") and progress.done >= progress.total > 0:  # a slow model reads a short one for long
        words = texts.READING.format(value=texts.THE_QUESTION, share="")
    elif stage.startswith("load"):
        words = texts.LOADING.format(value=progress.detail or recipe.model.name or texts.THE_MODEL, share=share)
    elif stage.startswith("search"):
        words = texts.SEARCHING.format(value=collection or texts.THE_DOCUMENTS)
    elif stage.startswith("rewrit"):
        words = texts.REWRITING
    elif progress.unit == "sections":
        words = texts.STAGE.format(stage=stage_of(progress), detail=progress.detail)
    elif progress.unit == "tokens":
        words = texts.READING_TOKENS.format(detail=progress.detail, done=progress.done, total=progress.total)
    elif stage.startswith("read"):
        words = texts.READING.format(value=progress.detail or texts.THE_PASSAGES, share=share)
    else:
        words = f"{stage_of(progress)}…{share}"
    if progress.seconds_left is not None and progress.seconds_left > 10:
        words += texts.TIME_LEFT.format(seconds=describe_seconds(progress.seconds_left))
    return words


def _reading(count: int) -> str:
    return ngettext("Reading {count} passage…", "Reading {count} passages…", count).format(count=count)
