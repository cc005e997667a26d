"""Judgements as rows of a training set: pairs of a chosen and a rejected answer, or answers that are good or bad.

The rows are TRL's conversational formats. Which judgements give no row, and why, is counted by a sentence.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Literal

import msgspec

from workbench.base.catalogue import Shown
from workbench.records import messages
from workbench.records.judgement_reports import LeftOut
from workbench.records.judgements import JudgedAnswer, Judgement
from workbench.records.messages import Message
from workbench.subjects.judgements.statistics import contradictions_of
from workbench.training.data.preferences import TOKENS, UNFINISHED

RowKind = Literal["pairs", "rated"]

CONFLICTING: Shown = "Another preference for the same answers says the opposite."
TWICE: Shown = "The same pair or rating is there already."
OF_A_VERDICT: Shown = "It comes from a blind test, which measures, so that nothing is learnt from it."
UNREADABLE: Shown = "It cannot be read."
NO_ROW: dict[RowKind, dict[str, Shown]] = {
    "pairs": {
        "tie": "Both answers are equally good.",
        "bad": "Both answers are bad.",
        "good": "It rates one answer.",
        "poor": "It rates one answer.",
        "": "Its answers say the same.",
    },
    "rated": {"": "It prefers one answer to another, and says of neither that it is good."},
}


class TrainingRows(msgspec.Struct, frozen=True, kw_only=True):
    """The rows, the ids of their judgements, and what gave none. ``prompts`` counts different prompts; ``good`` are the
    rated answers that are good."""

    rows: tuple[dict[str, Any], ...]
    ids: tuple[str, ...]
    prompts: int
    good: int = 0
    left_out: tuple[LeftOut, ...] = ()


def training_rows(judgements: Iterable[Judgement], kind: RowKind, *, skip_conflicts: bool = True) -> TrainingRows:
    """The rows of the judgements, in their order. The first one of duplicates is taken, of contradictory ones none,
    unless ``skip_conflicts`` is False."""
    every = list(judgements)
    conflicting = (
        {id for one in contradictions_of([j for j in every if not j.unreadable]) for id in one.ids}
        if skip_conflicts
        else set()
    )
    make: Callable[[Judgement], Iterator[dict[str, Any]]] = _pairs if kind == "pairs" else _rated
    rows: list[dict[str, Any]] = []
    ids: list[str] = []
    prompts: set[str] = set()
    seen: set[bytes] = set()
    left_out: Counter[str] = Counter()
    for one in every:
        reason = _reason(one, conflicting)
        if reason:
            left_out[reason] += 1
            continue
        made = {_key(row): row for row in make(one)}
        fresh = [row for key, row in made.items() if key not in seen]
        seen.update(made)
        if not fresh:
            why = NO_ROW[kind]
            left_out[TWICE if made else why.get(one.verdict, why[""])] += 1
        rows += fresh
        ids += [one.id] * len(fresh)
        prompts.update([one.prompt_key] if fresh else [])
    return TrainingRows(
        rows=tuple(rows),
        ids=tuple(ids),
        prompts=len(prompts),
        good=sum(bool(row.get("label")) for row in rows),
        left_out=tuple(LeftOut(reason=reason, count=count) for reason, count in left_out.most_common()),
    )


def turns(messages: Sequence[Message]) -> list[dict[str, Any]]:
    """Messages as turns of role and content, with their tool calls in the form of OpenAI."""
    return [_turn(message) for message in messages]


def _turn(message: Message) -> dict[str, Any]:
    calls = [{"id": one.id, "function": {"name": one.name, "arguments": one.arguments}} for one in message.tool_calls]
    return {"role": message.role, "content": message.content, **({"tool_calls": calls} if calls else {})}


def _reason(judgement: Judgement, conflicting: set[str]) -> str:
    if judgement.unreadable:
        return UNREADABLE
    if judgement.source == "verdict":
        return OF_A_VERDICT
    return CONFLICTING if judgement.id in conflicting else ""


def _pairs(judgement: Judgement) -> Iterator[dict[str, Any]]:
    for better, worse in judgement.pairs():
        row = {
            "prompt": turns(judgement.prompt),
            "chosen": _said(better),
            "rejected": _said(worse),
            **_drawn("chosen", better),
            **_drawn("rejected", worse),
            "judgement": judgement.id,
        }
        yield row


def _rated(judgement: Judgement) -> Iterator[dict[str, Any]]:
    for answer, good in judgement.ratings():
        yield {
            "prompt": turns(judgement.prompt),
            "completion": _said(answer),
            "label": good,
            **_drawn("completion", answer),
            "judgement": judgement.id,
        }


def _said(answer: JudgedAnswer) -> list[dict[str, Any]]:
    return [{"role": "assistant", "content": answer.text.strip()}]


def _drawn(column: str, answer: JudgedAnswer) -> dict[str, Any]:
    """The tokens that a model sampled, and that it did not come to an end; of an edited answer nothing."""
    if answer.original is not None:
        return {}
    tokens = {f"{column}{TOKENS}": answer.tokens} if answer.tokens else {}
    return {**tokens, f"{column}{UNFINISHED}": True} if answer.finish in messages.UNFINISHED else tokens


def _key(row: dict[str, Any]) -> bytes:
    names = ("prompt", "chosen", "rejected", "completion", "label")
    return msgspec.json.encode({name: row[name] for name in names if name in row})
