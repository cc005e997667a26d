"""Chain of thought: a reasoning in free text, then the answer, extracted under a constraint.

Kojima et al. 2022, "Large Language Models are Zero-Shot Reasoners" (arXiv:2205.11916); with the recipe's examples as in
Wei et al. 2022, "Chain-of-Thought Prompting Elicits Reasoning in Large Language Models" (arXiv:2201.11903).
"""

from __future__ import annotations

from collections.abc import Generator

from workbench.api.events import Event
from workbench.engine.inference_calls import Generated
from workbench.records.messages import Message
from workbench.techniques.context import AnswerContext
from workbench.techniques.prompting.budget import Budget
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
    ask = reason_ask(messages, options, extraction, "Think step by step")
    with too_small():
        made = yield from thinking(budget.generate_one(ask, reserve=RESERVE))
    return (yield from conclude(messages, made.text, extraction, budget, context))
