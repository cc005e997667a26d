"""Self-consistency: several reasonings are drawn, and the answer that most of them reach wins.

Wang et al. 2022, "Self-Consistency Improves Chain of Thought Reasoning in Language Models" (arXiv:2203.11171). Samples
share the prompt. They are drawn in the smallest groups that could decide the vote, so that none is drawn in vain.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Annotated

import msgspec

from workbench.api.events import Event
from workbench.base.fields import about
from workbench.engine.inference_calls import Generated
from workbench.records.messages import Message
from workbench.records.recipes import DEFAULT_STRATEGY
from workbench.techniques.budget import Budget, Exhausted
from workbench.techniques.context import AnswerContext
from workbench.techniques.prompting.extraction import (
    RESERVE,
    Extraction,
    Reasoned,
    answer_of,
    extraction_of,
    reason_ask,
    too_small,
)


class Options(Reasoned, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many reasonings vote, and how freely they are drawn."""

    samples: Annotated[int, about("Samples", ge=2, le=16), "At most this many reasonings are sampled and vote."] = 8
    temperature: Annotated[
        float,
        about("Temperature", gt=0, le=2),
        "The reasonings are more varied at a higher temperature. At 0, all would be the same.",
    ] = 0.7


_NUMBER = re.compile(r"-?[\d./]+")
_SHOWN, _LISTED = 40, 3
"""Characters of an answer, and answers, that a note shows."""


@dataclass(frozen=True)
class Sample:
    """One vote: the extracted ``answer``, by what it means (``key``: a number, a letter, some words), and the reasoning
    that it is from."""

    answer: str
    key: str
    reasoning: Generated
    extracted: Generated

    @property
    def shown(self) -> str:
        """The answer in a note or a table: a number, a short answer as it is, a long one by what it means, cut."""
        text = " ".join(self.answer.split())
        text = self.key if len(text) > _SHOWN or _NUMBER.fullmatch(self.key) else text
        return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"


@dataclass(frozen=True)
class Vote:
    """The counted votes: each answer's samples, most votes first. Of equals the one with the more probable reasoning
    leads."""

    groups: tuple[tuple[Sample, ...], ...]

    @property
    def agreement(self) -> float:
        """The share of the votes that the leader has."""
        total = sum(map(len, self.groups))
        return len(self.groups[0]) / total if total else 0.0

    @property
    def tied(self) -> tuple[str, ...]:
        """The answers that have as many votes as the leader, the leader first; () without a tie."""
        if not self.groups:
            return ()
        most = [group[0].shown for group in self.groups if len(group) == len(self.groups[0])]
        return tuple(most) if len(most) > 1 else ()

    def describe(self) -> str:
        total = sum(map(len, self.groups))
        return "\n".join(f"{group[0].shown}: {len(group)} of {total}" for group in self.groups)


def count(samples: Sequence[Sample]) -> Vote:
    """The votes of the samples that have an answer."""
    groups: dict[str, list[Sample]] = {}
    for one in samples:
        if one.key:
            groups.setdefault(one.key, []).append(one)

    def strength(group: list[Sample]) -> tuple[int, float]:
        return len(group), max(_probability(one.reasoning) for one in group)

    ranked = sorted(groups.values(), key=strength, reverse=True)
    return Vote(tuple(tuple(sorted(group, key=lambda one: -_probability(one.reasoning))) for group in ranked))


def next_group(vote: Vote, left: int) -> int:
    """The smallest number of further votes after which the leader could not be overtaken any more; 0 when it cannot
    now. ``left`` votes may follow."""
    counts = [len(group) for group in vote.groups[:2]]
    lead = (counts[0] if counts else 0) - (counts[1] if len(counts) > 1 else 0)
    return 0 if lead > left else min(left, (left - lead) // 2 + 1)


def run(messages: tuple[Message, ...], options: Options, context: AnswerContext) -> Generator[Event, None, Generated]:
    """Draw, extract, vote; the answer's thought is the most probable reasoning that reached it."""
    budget = Budget(options, context)
    extraction = extraction_of(options, messages, context.decoding)
    extraction = msgspec.structs.replace(
        extraction,
        reasoning=msgspec.structs.replace(
            extraction.reasoning, strategy=DEFAULT_STRATEGY, temperature=options.temperature
        ),
    )
    samples: list[Sample] = []
    drawn = 0
    first: Generated | None = None
    with too_small():
        try:
            while wave := next_group(count(samples), options.samples - drawn):
                reasonings = yield from _reason(messages, options, extraction, budget, drawn, wave)
                first = first or next(iter(reasonings), None)
                drawn += wave
                samples += yield from _extract(messages, reasonings, extraction, budget)
        except Exhausted as spent:
            if first is None:
                raise
            yield from context.note(budget.describe(spent.what))
    vote = count(samples)
    step = context.step("vote", "Count the votes")
    yield step.started
    yield step.finished(vote.describe(), score=vote.agreement)
    if not vote.groups:
        text = first.text if first is not None else ""
        return answer_of(text, "", Generated(text=text))
    if vote.tied:
        votes, total = len(vote.groups[0]), sum(map(len, vote.groups))
        listed = ", ".join(vote.tied[:_LISTED]) + (", …" if len(vote.tied) > _LISTED else "")
        equal = f"{votes} of {total} votes each: {listed}"
        yield from context.note(f"The vote is tied, {equal}. The answer is the one with the most probable reasoning.")
    best = vote.groups[0][0]
    return answer_of(best.answer, best.reasoning.text, best.extracted)


def _reason(
    messages: Sequence[Message], options: Options, extraction: Extraction, budget: Budget, drawn: int, wave: int
) -> Generator[Event, None, list[Generated]]:
    asks = [reason_ask(messages, options, extraction, f"Sample {drawn + number + 1}") for number in range(wave)]
    made = yield from budget.generate(asks, reserve=RESERVE * len(asks))
    return [one for one in made if one.finish != "cancelled"]


def _extract(
    messages: Sequence[Message], reasonings: Sequence[Generated], extraction: Extraction, budget: Budget
) -> Generator[Event, None, list[Sample]]:
    if not reasonings:
        return []
    made = yield from budget.generate([extraction.ask(messages, one.text) for one in reasonings], counts=False)
    found = []
    for reasoning, one in zip(reasonings, made, strict=False):
        if one.finish != "cancelled":
            answer = extraction.read(one.text, reasoning.text)
            found.append(Sample(answer, extraction.key(answer), reasoning, one))
    return found


def _probability(generated: Generated) -> float:
    return generated.mean_logprob if generated.mean_logprob is not None else float("-inf")
