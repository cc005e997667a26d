"""An answer that is being generated: its state so far, for as many views as show it, also while none does."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QObject, Signal

from ui.components.wording import describe_seconds, stage_of
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
    ended = Signal()

    def __init__(self, message: str, chat: str, recipe: Recipe, parent: QObject) -> None:
        super().__init__(parent)
        self.message = message
        self.chat = chat
        self.state = AnswerState()
        self.beams = BeamTree()
        self.waiting = texts.STARTING
        self._recipe = recipe

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

    def _say(self, words: str) -> None:
        if words != self.waiting:
            self.waiting = words
            self.waiting_changed.emit(words)

    def outcome(self, message: StoredMessage, terminal: events.Terminal) -> StoredMessage:
        """``message`` as it is after its end, as the core has stored it."""
        self.state.apply(terminal)
        self.steps_changed.emit(self.state.trace())
        return self.state.message(message)


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
