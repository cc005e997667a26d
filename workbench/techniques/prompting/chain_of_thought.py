"""Chain of thought: a reasoning in free text, then the answer, extracted under a constraint.

Kojima et al. 2022, "Large Language Models are Zero-Shot Reasoners" (arXiv:2205.11916); with the recipe's examples as in
Wei et al. 2022, "Chain-of-Thought Prompting Elicits Reasoning in Large Language Models" (arXiv:2201.11903).
"""

from __future__ import annotations

from collections.abc import Generator

from workbench.api import events
from workbench.api.events import Event
from workbench.base.errors import UserError
from workbench.engine.inference_calls import Generated
from workbench.records.messages import Message
from workbench.records.trace import EDITED
from workbench.techniques.budget import Budget
from workbench.techniques.context import AnswerContext
from workbench.techniques.prompting.extraction import (
    RESERVE,
    Reasoned,
    conclude,
    extraction_of,
    reason_ask,
    thinking,
    too_small,
)


class Options(Reasoned, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the reasoning begins and how long it is, and the form of the answer."""


def run(messages: tuple[Message, ...], options: Options, context: AnswerContext) -> Generator[Event, None, Generated]:
    """Reason, which is shown as the answer's thought; then answer in the form of the extraction."""
    budget = Budget(options, context)
    extraction = extraction_of(options, messages, context.decoding)
    reasoning = yield from _earlier_reasoning(context)
    if not reasoning:
        ask = reason_ask(messages, options, extraction, _TITLE)
        with too_small():
            reasoning = (yield from thinking(budget.generate_one(ask, reserve=RESERVE))).text
    return (yield from conclude(messages, reasoning, extraction, budget, context))


def _earlier_reasoning(context: AnswerContext) -> Generator[Event, None, str]:
    """The reasoning of the answer that this one goes on from, as a person edited it; "" for none."""
    steps = [step for step in context.agent.earlier if step.kind == "reasoning" and step.state == "done"]
    chosen = next((step for step in steps if context.agent.edit is None or step.id == context.agent.edit.step), None)
    if chosen is None:
        return ""
    text = context.agent.edit.text.strip() if context.agent.edit is not None else chosen.output
    if not text:
        raise UserError("The reasoning is empty.", "Write a reasoning, or ask again for a new one.")
    step = context.step("reasoning", _TITLE)
    yield step.started
    yield events.TextDelta(text=text, step=step.id)
    yield events.Thought(text=text)
    if context.agent.edit is not None:
        edit = context.inside(step).step("edit", EDITED["edit"])
        yield edit.started
        yield edit.finished("edit")
    yield step.finished(text)
    return text


_TITLE = "Think step by step"
