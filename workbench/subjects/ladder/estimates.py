"""What rungs will take on this machine: answers from the tokens and times of answers that were made here, trainings
from their plans.

Four answers are generated side by side, so an answer takes a quarter of the time between its question and its end.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import msgspec

from workbench.records.ladder import RungEstimate, TaskKind
from workbench.subjects.evaluation.runs import TOGETHER
from workbench.subjects.ladder.rung import Rung

TOKEN_CHARACTERS = 4.0
TEMPLATE_TOKENS = 25
WRITTEN: dict[TaskKind, int] = {"choice": 14, "number": 40, "short": 24, "documents": 40, "text": 160}
"""Tokens of a plain answer before any was seen."""
_LEAST_S = 0.02
_BYTES_PER_S = 9e9
"""Weights that are read for a token, before a speed was measured."""


class Point(msgspec.Struct, frozen=True):
    """Answers that were made here: means of tokens read and written, seconds an answer, and how many they were."""

    read: float
    written: float
    seconds: float
    answers: int


class Speed(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds for a token that is read, for one that is written, and for an answer beside these."""

    read_s: float
    written_s: float
    answer_s: float = 0.05
    measured: bool = False

    def seconds(self, read: float, written: float) -> float:
        return max(_LEAST_S, self.answer_s + read * self.read_s + written * self.written_s)


def assumed_speed(model_bytes: int) -> Speed:
    """Before anything was measured: memory is read once for each token that is written, and a token of a prompt takes
    a fifth of that."""
    written = max(model_bytes, 50_000_000) / _BYTES_PER_S
    return Speed(read_s=written / 5, written_s=written)


def measured_speed(points: Iterable[Point], assumed: Speed) -> Speed:
    """The speed that explains the points best, by least squares of relative errors about the ``assumed`` one, which
    counts as one point: with few points the ratio of reading and writing stays as assumed."""
    found = [one for one in points if one.answers and one.seconds > 0]
    if not found:
        return assumed
    ratios = [one.seconds / assumed.seconds(one.read, one.written) for one in found]
    weights = [math.sqrt(one.answers) for one in found]
    log = sum(w * math.log(r) for w, r in zip(weights, ratios, strict=True)) / sum(weights)
    best, factor = assumed, math.exp(log)
    start = Speed(
        read_s=assumed.read_s * factor, written_s=assumed.written_s * factor, answer_s=assumed.answer_s * factor,
        measured=True,
    )  # fmt: skip
    best, least = start, math.inf
    grid = (0.25, 0.4, 0.63, 1.0, 1.6, 2.5, 4.0)
    for a in grid:
        for b in grid:
            tried = msgspec.structs.replace(start, read_s=start.read_s * a, written_s=start.written_s * b)
            error = sum(
                w * math.log(one.seconds / tried.seconds(one.read, one.written)) ** 2
                for w, one in zip(weights, found, strict=True)
            )
            error += 0.1 * (math.log(a) ** 2 + math.log(b) ** 2)
            if error < least:
                best, least = tried, error
    return best


def answering(
    rung: Rung, speed: Speed, read: float, written: float, questions: int, known: Point | None = None
) -> RungEstimate:
    """The answers of a rung to so many questions, where a plain answer reads and writes so many tokens; ``known`` is
    what answers of this rung have taken here."""
    if known is not None:
        return RungEstimate(
            answering_s=questions * known.seconds, tokens=round(questions * (known.read + known.written)),
            measured=True,
        )  # fmt: skip
    read = read * rung.read + rung.adds_read
    written = written * rung.written + rung.adds_written
    return RungEstimate(
        answering_s=questions * speed.seconds(read, written), tokens=round(questions * (read + written)),
        measured=speed.measured,
    )  # fmt: skip


def plain_tokens(texts: Sequence[str], task: TaskKind, longest: int) -> tuple[float, float]:
    """Tokens that a plain answer to questions of these texts reads and writes."""
    read = TEMPLATE_TOKENS + sum(map(len, texts)) / max(1, len(texts)) / TOKEN_CHARACTERS
    return read, max(WRITTEN[task], min(longest / TOKEN_CHARACTERS, 256))


def per_answer(seconds: float) -> float:
    """Seconds an answer, of answers that took so long each side by side."""
    return seconds / TOGETHER
