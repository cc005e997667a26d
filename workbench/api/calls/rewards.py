"""Rewards of answers: what a reward model, a rule or a judge gives to texts at hand."""

from __future__ import annotations

import msgspec

from workbench.api.protocol import Call
from workbench.records.messages import Message


class AnswerToScore(msgspec.Struct, frozen=True, kw_only=True):
    """An answer to the last message of ``prompt``; ``expected`` are accepted answers, () where none are known."""

    prompt: tuple[Message, ...]
    answer: str
    expected: tuple[str, ...] = ()


class ScoredAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The weighted sum of an answer's rewards, and each reward by its title, before its weight."""

    value: float
    parts: dict[str, float]


class ScoreAnswers(Call[tuple[ScoredAnswer, ...]], frozen=True, kw_only=True, tag="rewards.score"):
    """Score answers by the weighted sum of ``rewards``, one per line: the name of a reward, its settings and its
    weight, such as "reward-model adapter=taste" or "letter-share letters=e weight=2". Raises UserError for a line that
    is wrong."""

    rewards: tuple[str, ...]
    answers: tuple[AnswerToScore, ...]
