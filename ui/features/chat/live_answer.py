"""An answer that is being made: what has come so far, for as many views as want it, also while none is there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from PySide6.QtCore import QObject, Signal

from ui.components.wording import describe_seconds
from ui.features.chat.beam_tree import BeamTree
from workbench.api import events
from workbench.api.calls import AskResult, StoredMessage
from workbench.api.events import Event
from workbench.records.messages import Candidate, Passage
from workbench.records.recipes import Recipe


class LiveAnswer(QObject):
    """Takes an answer's events in and tells what is new."""

    text_added = Signal(str, int)
    """A piece of a sequence's text and the sequence's number."""
    thought_added = Signal(str)
    passages_found = Signal(object)
    """A tuple of Passage."""
    noticed = Signal(object)
    """All notices so far."""
    waiting_changed = Signal(str)
    beams_grown = Signal(object)
    """The BeamTree, after the steps of a batch were added."""
    ended = Signal()

    def __init__(self, message: str, chat: str, recipe: Recipe, parent: QObject) -> None:
        super().__init__(parent)
        self.message = message
        self.chat = chat
        self.texts: dict[int, str] = {}
        self.thought = ""
        self.beams = BeamTree()
        self.passages: tuple[Passage, ...] = ()
        self.query = ""
        self.notices: tuple[str, ...] = ()
        self.waiting = "Starting…"
        self._recipe = recipe

    @property
    def text(self) -> str:
        """What the first sequence has said so far."""
        return self.texts.get(0, "")

    def take(self, batch: Sequence[Event]) -> None:
        """The next events, terminal ones excepted."""
        steps = self.beams.steps
        for event in batch:
            if isinstance(event, events.TextDelta):
                self._say("")
                self.texts[event.sequence] = self.texts.get(event.sequence, "") + event.text
                self.text_added.emit(event.text, event.sequence)
            elif isinstance(event, events.Thought):
                self._say("Thinking…")
                if event.sequence == 0:  # of several thoughts the first sequence's is told
                    self.thought += event.text
                    self.thought_added.emit(event.text)
            elif isinstance(event, events.BeamStep):
                self.beams.add(event.beams)
            elif isinstance(event, events.Progress):
                self._say(describe_progress(event, self._recipe))
            elif isinstance(event, events.Retrieved):
                self.passages, self.query = event.passages, event.query
                self._say(_reading(len(event.passages)))
                self.passages_found.emit(self.passages)
            elif isinstance(event, events.Log) and event.level == "notice":
                self.notices = (*self.notices, event.text)
                self.noticed.emit(self.notices)
        if self.beams.steps > steps:
            if not self.texts:
                self._say(f"Searching with beams, step {self.beams.steps:,}…")
            self.beams_grown.emit(self.beams)

    def _say(self, words: str) -> None:
        if words != self.waiting:
            self.waiting = words
            self.waiting_changed.emit(words)

    def outcome(self, message: StoredMessage, terminal: events.Terminal) -> StoredMessage:
        """``message`` as it is after its end; what the core stored comes to the same."""
        so_far: dict[str, Any] = {
            "text": self.text,
            "thought": self.thought,
            "passages": self.passages,
            "query": self.query,
            "notices": self.notices,
        }
        if isinstance(terminal, events.Finished):
            result = msgspec.convert(terminal.result, AskResult)
            return msgspec.structs.replace(
                message,
                state="done",
                text=result.answer,
                thought=self.thought,
                citations=result.citations,
                passages=result.passages,
                query=result.query,
                declined=result.declined,
                notices=result.notices,
                usage=result.usage,
                recipe=result.recipe,
                sequences=result.sequences,
                kept=0,
            )
        if len(self.texts) > 1:
            so_far["sequences"] = tuple(
                Candidate(text=self.texts.get(number, ""), finish="cancelled") for number in range(max(self.texts) + 1)
            )
        if isinstance(terminal, events.Cancelled):
            return msgspec.structs.replace(message, state="stopped", **so_far)
        error = f"{terminal.message} {terminal.hint}".strip() if terminal.reason == "user" else terminal.message
        return msgspec.structs.replace(message, state="failed", error=error, **so_far)


def describe_progress(progress: events.Progress, recipe: Recipe) -> str:
    """What is being waited for, in words: ``Loading SmolLM2… 43%``."""
    share = f" {progress.done / progress.total:.0%}" if progress.total > 0 else ""
    collection = recipe.retrieval.collection if recipe.retrieval is not None else ""
    stage = progress.stage.lower()
    if stage.startswith("load"):
        words = f"Loading {progress.detail or recipe.model.name or 'the model'}…{share}"
    elif stage.startswith("search"):
        words = f"Searching {collection or 'the documents'}…"
    elif stage.startswith("rewrit"):
        words = "Working out what the question refers to…"
    elif progress.unit == "sections":
        words = f"{progress.stage[:1].upper()}{progress.stage[1:]}, {progress.detail}…"
    elif stage.startswith("read"):
        words = f"Reading {progress.detail or 'the passages'}…{share}"
    else:
        words = f"{progress.stage[:1].upper()}{progress.stage[1:]}…{share}"
    if progress.seconds_left is not None and progress.seconds_left > 10:
        words += f" {describe_seconds(progress.seconds_left)} left"
    return words


def _reading(count: int) -> str:
    return "Reading 1 passage…" if count == 1 else f"Reading {count} passages…"
