"""An answer while it is made, and one that is there, as events."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

from workbench.answering import AnswerRequest, Resolved
from workbench.api import events
from workbench.api.calls import AskResult, StoredMessage
from workbench.api.events import Event
from workbench.api.protocol import RequestContext, error_of, finish
from workbench.core.streams import LiveStream
from workbench.errors import UserError
from workbench.records.messages import Beam, Passage, Usage


class PendingAnswer:
    """An answer that is being made: its request and what there is of it so far."""

    def __init__(
        self, question: StoredMessage, answer: StoredMessage, request: AnswerRequest, resolved: Resolved
    ) -> None:
        self.question = question
        self.answer = answer
        self.request = request
        self.resolved = resolved
        self.context = RequestContext()
        self.stream = LiveStream()
        self.thread: threading.Thread | None = None
        self.saved = time.monotonic()
        self.unsaved = False
        self.query = ""
        self.passages: tuple[Passage, ...] = ()
        self.beams: list[tuple[Beam, ...]] = []
        self._text: list[str] = []
        self._thought: list[str] = []
        self._notices: list[str] = []

    @property
    def text(self) -> str:
        return "".join(self._text)

    def take(self, event: Event) -> None:
        """Keep what of an event belongs to the message."""
        if isinstance(event, events.TextDelta) and event.sequence == 0:
            self._text.append(event.text)
        elif isinstance(event, events.Thought) and event.sequence == 0:
            self._thought.append(event.text)
        elif isinstance(event, events.Retrieved):
            self.query, self.passages = event.query, event.passages
        elif isinstance(event, events.Log) and event.level == "notice":
            self._notices.append(event.text)
        elif isinstance(event, events.BeamStep):
            self.beams.append(event.beams)
            return
        else:
            return
        self.unsaved = True

    def partial(self) -> dict[str, Any]:
        """The message's fields as far as they are known."""
        self.unsaved = False
        return {
            "text": self.text,
            "thought": "".join(self._thought),
            "query": self.query,
            "passages": self.passages,
            "notices": tuple(self._notices),
        }


def replayed(message: StoredMessage) -> Iterator[Event]:
    """A stored answer as the events that its making would have ended in."""
    if message.passages:
        yield events.Retrieved(query=message.query, passages=message.passages)
    if message.thought:
        yield events.Thought(text=message.thought)
    if message.text:
        yield events.TextDelta(text=message.text)
    if message.state == "failed":
        raise UserError(message.error or "The answer failed.")
    if message.state in ("interrupted", "streaming"):  # streaming, and not made here: its end could not be stored
        raise error_of(events.Failed(message="The program was ended in the middle of this answer."))
    result = AskResult(
        answer=message.text,
        sequences=message.sequences,
        citations=message.citations,
        declined=message.declined,
        usage=message.usage or Usage(),
        recipe=message.recipe or AskResult(answer="").recipe,
        chat=message.chat,
        message=message.id,
        query=message.query,
        passages=message.passages,
        notices=message.notices,
    )
    finished = finish(result)
    yield events.Cancelled(result=finished.result) if message.state == "stopped" else finished
