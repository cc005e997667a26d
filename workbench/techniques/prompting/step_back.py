"""Step-back prompting: first the more general question and what is known about it, then the question itself.

Zheng et al. 2023, "Take a Step Back: Evoking Reasoning via Abstraction in Large Language Models" (arXiv:2310.06117).
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Annotated

import msgspec

from workbench.api import events
from workbench.api.events import Event
from workbench.base.fields import about
from workbench.engine.inference_calls import Generated
from workbench.records.messages import Message
from workbench.techniques.budget import Budget, Exhausted
from workbench.techniques.context import AnswerContext, Ask
from workbench.techniques.prompting.extraction import (
    RESERVE,
    Reasoned,
    conclude,
    extraction_of,
    reason_ask,
    thinking,
    too_small,
)

_BACK = (
    "{question}\n\nDo not answer yet. Which more general question, about the principle or the facts behind it, helps "
    "to answer this one? Write only that question."
)
_KNOWN = "{general}\n{principle}\n\nWith that in mind: {question}"
LONGEST_QUESTION = 48


class Options(Reasoned, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long the general answer and the reasoning are, and the form of the answer."""

    principle_tokens: Annotated[
        int,
        about("General answer", ge=16, le=2048, unit="tokens"),
        "The answer to the general question has at most this number of tokens.",
    ] = 160


def run(messages: tuple[Message, ...], options: Options, context: AnswerContext) -> Generator[Event, None, Generated]:
    """Ask for the general question, answer it, reason from both, conclude."""
    budget = Budget(options, context)
    extraction = extraction_of(options, messages, context.decoding)
    *earlier, asked = messages
    short = msgspec.structs.replace(
        extraction.reasoning, max_tokens=LONGEST_QUESTION, stop=(*extraction.reasoning.stop, "\n")
    )
    back = Message("user", _BACK.format(question=asked.content))
    reasoning = shown = ""
    with too_small():
        made = yield from budget.generate_one(
            Ask(messages=(*earlier, back), title="Step back", kind="plan", decoding=short), reserve=RESERVE
        )
    general = made.text.strip() or asked.content
    try:
        known = msgspec.structs.replace(extraction.reasoning, max_tokens=options.principle_tokens)
        asked_first = (*earlier, Message("user", general))
        ask = Ask(messages=asked_first, title=general, kind="reasoning", input=general, decoding=known)
        principle = yield from thinking(budget.generate_one(ask, reserve=RESERVE))
        shown = principle.text
        told = _KNOWN.format(general=general, principle=principle.text.strip(), question=asked.content)
        messages = (*earlier, Message("user", told))
        yield events.Thought(text="\n\n")
        thought = yield from thinking(
            budget.generate_one(reason_ask(messages, options, extraction, "Think step by step"), reserve=RESERVE)
        )
        reasoning = thought.text
        shown = f"{principle.text}\n\n{reasoning}"
    except Exhausted as spent:
        yield from context.note(budget.describe(spent.what))
    return (yield from conclude(messages, reasoning, extraction, budget, context, thought=shown))
