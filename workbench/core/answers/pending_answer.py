"""An answer that is being generated, and the conversation that it answers."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

from workbench.answering import AnswerRequest, Resolved
from workbench.api.calls import StoredMessage
from workbench.api.events import Event
from workbench.api.protocol import RequestContext
from workbench.core.streams import LiveStream
from workbench.records.answer_state import AnswerState
from workbench.records.messages import Message


class PendingAnswer:
    """An answer that is being generated: its request, its ``state`` so far and the ``stream`` that clients follow.

    ``unsaved``: the stored message is behind, which was ``saved`` at that time (monotonic seconds).
    """

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
        self.state = AnswerState()

    def take(self, event: Event) -> None:
        self.unsaved = self.state.apply(event) or self.unsaved


def conversation_of(branch: Sequence[StoredMessage]) -> tuple[Message, ...]:
    """The messages of a branch as a model sees them. An answer without text is left out with its question, and with the
    tool calls and results between them."""
    messages: list[Message] = []
    for message in branch:
        if message.role != "assistant" or message.text.strip() or message.parts:
            messages.append(message.as_message())
            continue
        while messages and (messages[-1].role != "assistant" or messages[-1].tool_calls):
            messages.pop()
    return tuple(messages)
