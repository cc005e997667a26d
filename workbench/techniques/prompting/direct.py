"""Direct prompting: one generation after the recipe's instructions and the conversation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from workbench.api.calls import AskResult
from workbench.api.events import Event
from workbench.records.messages import Message
from workbench.records.recipes import Recipe
from workbench.techniques.context import AnswerContext
from workbench.techniques.streaming import answered, ending, generate


class Direct(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Direct prompting has no settings."""


def run(conversation: Sequence[Message], recipe: Recipe, context: AnswerContext) -> Iterator[Event]:
    """Answer the conversation's last message. Ends in Finished with an ``AskResult``, or in Cancelled."""
    messages = with_system(recipe.prompting.system, conversation)
    notices: list[str] = []
    generated = yield from generate(context, messages, recipe.decoding, notices=notices)
    result = AskResult(
        answer=generated.text,
        sequences=answered(generated),
        notices=tuple(notices),
    )
    yield ending(result, generated)


def with_system(system: str, conversation: Sequence[Message]) -> tuple[Message, ...]:
    """The conversation with the recipe's instructions before it, where there are any."""
    if not system.strip():
        return tuple(conversation)
    return (Message("system", system.strip()), *(m for m in conversation if m.role != "system"))
