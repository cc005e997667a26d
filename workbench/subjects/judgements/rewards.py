"""Responses with rewards as judgements: those to one prompt are compared by the difference of their rewards."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import combinations
from typing import Any

from workbench.base.errors import UserError
from workbench.records.judgements import JudgedAnswer, Judgement, Verdict
from workbench.subjects.judgements.formats import Table
from workbench.subjects.judgements.row_parts import answer_in, asked, loaded, number_in
from workbench.training.data.columns import is_turns, value_of
from workbench.training.data.formats import Refusal
from workbench.training.data.rows import Row

MOST_RESPONSES = 20
"""Responses to one prompt of which every two are compared; of more, the first are."""


def judgements_of_rewards(
    rows: Iterable[Row], table: Table, margin: float, refused: list[Refusal]
) -> Iterator[tuple[Judgement, Row]]:
    """Each two responses to a prompt, with the row of the later one. The difference of two rewards has to be above
    ``margin`` for one of them to be preferred; else they tie. Rows that are none are added to ``refused``, among them
    the only response to a prompt."""
    groups: dict[str, list[tuple[Judgement, Row]]] = {}
    for row in rows:
        try:
            for one in _graded(row, table):
                groups.setdefault(one.prompt_key, []).append((one, row))
        except UserError as error:
            refused.append(Refusal(row.source, error.message))
    for group in groups.values():
        if len(group) == 1:
            refused.append(Refusal(group[0][1].source, "it is the only response to its prompt."))
        for (first, _), (second, row) in combinations(group[:MOST_RESPONSES], 2):
            gap = (first.a.score or 0.0) - (second.a.score or 0.0)
            verdict: Verdict = "tie" if abs(gap) <= margin else "a" if gap > 0 else "b"
            if first.a.text.strip() != second.a.text.strip():
                yield Judgement(prompt=first.prompt, a=first.a, b=second.a, verdict=verdict, judge="model"), row


def _graded(row: Row, table: Table) -> Iterator[Judgement]:
    """The responses of a row, one or a list of them, each with its reward."""
    [column] = table.answers
    prompt = asked(row.values, table.prompt)
    response, rewards = value_of(row.values, column), value_of(row.values, table.verdict)
    if isinstance(response, str) and response.lstrip().startswith("["):
        response = loaded(response)
    if isinstance(rewards, str):
        rewards = loaded(rewards)
    if isinstance(response, list) and not is_turns(response):
        if not isinstance(rewards, list) or len(rewards) != len(response):
            raise UserError(f"{table.verdict!r} has not as many numbers as {column!r} has responses.")
        pairs = list(zip(response, rewards, strict=True))
    else:
        pairs = [(response, rewards)]
    for said, reward in pairs:
        text = answer_in(said, column)
        if not text.strip():
            raise UserError(f"{column!r} is empty.")
        yield Judgement(prompt=prompt, a=JudgedAnswer(text=text, score=_reward(reward, table.verdict)), verdict="good")


def _reward(value: Any, column: str) -> float:
    """A reward; of several parts, their mean."""
    parts = list(value.values()) if isinstance(value, Mapping) else value if isinstance(value, list) else [value]
    if not parts:
        raise UserError(f"{column!r} is empty.")
    return sum(number_in(part, column) for part in parts) / len(parts)
