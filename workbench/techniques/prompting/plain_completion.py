"""Completion: the text of the question goes on, without a chat template."""

from __future__ import annotations

from collections.abc import Generator

import msgspec

from workbench.api.events import Event
from workbench.engine.inference_calls import Generated
from workbench.records.messages import Message
from workbench.techniques.context import AnswerContext


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A completion has no settings."""


def run(messages: tuple[Message, ...], options: Options, context: AnswerContext) -> Generator[Event, None, Generated]:
    """The answer is what the model writes behind the text."""
    return (yield from context.generate(messages, plain=True))
