"""Scores before and after a training, and whether the difference is significant."""

from __future__ import annotations

import math
from typing import Any

import msgspec

from workbench.records.training.measured import Measured


class Scores(msgspec.Struct, frozen=True, kw_only=True):
    """The scores of a model on examples. ``loss`` is that of the objective; of a language model the mean negative
    log-probability (natural log) of a trained token, and ``token_accuracy`` the share of them that were the likeliest.
    ``exact_match`` and ``rouge_l`` (F1) are those of ``answers`` generated answers, in [0, 1], None where none were
    generated. ``metrics`` are the objective's own, by name."""

    loss: float
    perplexity: float | None = None
    token_accuracy: float | None = None
    tokens: int = 0
    exact_match: float | None = None
    rouge_l: float | None = None
    answers: int = 0
    metrics: dict[str, float] = {}


class SampleAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A generated answer to a question of the evaluation side, at ``step`` (0: before the training)."""

    step: int
    question: str
    expected: str
    answer: str
    exact: bool = False


class ScoresPair(msgspec.Struct, frozen=True, kw_only=True):
    """The same measured before and after; ``measured`` is on which examples, None where that was not recorded."""

    before: Scores | None = None
    after: Scores | None = None
    measured: Measured | None = None


_NO_SCORES = ("tokens", "answers", "metrics")


def flat(scores: ScoresPair, prefix: str = "") -> dict[str, float]:
    """Scores as flat numbers, ``before_loss``, ``after_exact_match`` and so on: what a terminal prints."""
    found: dict[str, float] = {}
    for side in ("before", "after"):
        one: Any = getattr(scores, side)
        if one is not None:
            plain = {name: getattr(one, name) for name in one.__struct_fields__ if name not in _NO_SCORES}
            plain |= one.metrics
            found |= {f"{prefix}{side}_{name}": value for name, value in plain.items() if value is not None}
    return found


def interval(share: float, count: int) -> tuple[float, float]:
    """The 95 % interval of a share of ``count`` answers, in [0, 1] (Wilson 1927, Probable Inference, JASA 22)."""
    if count <= 0:
        return 0.0, 1.0
    z = 1.959964
    middle = share + z * z / (2 * count)
    half = z * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    scale = 1 + z * z / count
    return max(0.0, (middle - half) / scale), min(1.0, (middle + half) / scale)


def gain(before: float, after: float, count: int) -> tuple[float, float]:
    """The 95 % interval of ``after - before``, two shares of ``count`` answers each (Newcombe 1998, Statistics in
    Medicine 17, method 10). Both answer the same questions, so that the true interval is narrower: what is outside of
    this one is certainly a change. It is a change when 0 is not inside."""
    (low_before, high_before), (low_after, high_after) = interval(before, count), interval(after, count)
    down = math.hypot(after - low_after, high_before - before)
    up = math.hypot(high_after - after, before - low_before)
    return after - before - down, after - before + up
