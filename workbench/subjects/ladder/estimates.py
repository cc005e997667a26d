"""What rungs will take on this machine: answers from a few that are made before the start, or from the tokens and times
of others that were made here; trainings from their plans.

Four answers are generated side by side, so an answer takes a quarter of the time between its question and its end.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from statistics import geometric_mean

import msgspec

from workbench.records.endpoints import Endpoint
from workbench.records.ladder import RungEstimate, RungNote, TaskKind
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
    """Answers that were made here: means of tokens read and written, seconds an answer, and how many they were;
    ``cached`` of the tokens read had been computed for an answer before, so that they took no time."""

    read: float
    written: float
    seconds: float
    answers: int
    cached: float = 0.0


class Speed(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds for a token that is read and was not computed before, for one that is written, and for an answer beside
    these."""

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
    ratios = [one.seconds / assumed.seconds(one.read - one.cached, one.written) for one in found]
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
                w * math.log(one.seconds / tried.seconds(one.read - one.cached, one.written)) ** 2
                for w, one in zip(weights, found, strict=True)
            )
            error += 0.1 * (math.log(a) ** 2 + math.log(b) ** 2)
            if error < least:
                best, least = tried, error
    return best


def answering(
    rung: Rung,
    speed: Speed,
    read: float,
    written: float,
    questions: int,
    known: Point | None = None,
    raced: int = 0,
    endpoint: Endpoint | None = None,
    cached: float = 0.0,
) -> RungEstimate:
    """The answers of a rung to so many questions, and to those ``raced``, where a plain answer reads and writes so many
    tokens, of which ``cached`` were computed for an answer before; ``known`` is what answers of this rung have taken
    here."""
    if known is None:
        read = read * rung.read + rung.adds_read
        written = written * rung.written + rung.adds_written
        known = Point(read, written, speed.seconds(max(0.0, read - cached), written), 0)
    return RungEstimate(
        racing_s=raced * known.seconds,
        answering_s=questions * known.seconds,
        tokens=round((questions + raced) * (known.read + known.written)),
        price=(questions + raced) * price_of(endpoint, known.read, known.written),
        measured=bool(known.answers) or speed.measured,
    )


def combined(plain: RungEstimate, techniques: Sequence[Sequence[RungEstimate]]) -> RungEstimate:
    """The held-out answers of one rung of each of the ``techniques`` joined. Which of them will be the best is not
    known, nor whether one is better than the plain answer, so that it is joined at all: a technique makes an answer as
    many times as long as the geometric mean of its rungs and of none. Nothing is prepared for it."""
    share = plain.answering_s / (plain.answering_s + plain.racing_s) if plain.answering_s else 1.0
    # the tokens of rungs that are prepared are those of their training
    answering = [[one for one in rungs if not one.preparing_s] for rungs in techniques]
    return RungEstimate(
        answering_s=_joined(plain.answering_s, [[one.answering_s for one in rungs] for rungs in techniques]),
        tokens=round(share * _joined(plain.tokens, [[one.tokens for one in rungs] for rungs in answering])),
        price=share * _joined(plain.price, [[one.price for one in rungs] for rungs in answering]),
        memory_bytes=max((one.memory_bytes for rungs in techniques for one in rungs), default=0),
        measured=plain.measured,
    )


def _joined(plain: float, techniques: Sequence[Sequence[float]]) -> float:
    """The ``plain`` value times that of each technique against it, in the geometric mean of its rungs and of none."""
    if not plain:
        return 0.0
    return plain * math.prod(geometric_mean([plain, *filter(None, rungs)]) / plain for rungs in techniques)


def price_of(endpoint: Endpoint | None, read: float, written: float) -> float:
    """The price of an answer; 0 on this machine, and where the endpoint has none."""
    return endpoint.cost(1, 0) * read + endpoint.cost(0, 1) * written if endpoint is not None else 0.0


def renewed(notes: Mapping[str, RungNote], questions: int) -> dict[str, RungEstimate]:
    """The estimates of rungs while their ladder runs: of a rung that has answered tuning questions by these, of another
    one by what all answers so far have taken against their estimates; trainings by those that have ended. There are so
    many held-out ``questions``."""
    answers = _pace((note.racing_s, note.estimate.racing_s) for note in notes.values() if note.raced) or 1.0
    ended = [note for note in notes.values() if note.state == "measured"]
    answers = _pace((note.answering_s, note.estimate.answering_s) for note in ended) or answers
    trained = _pace((note.preparing_s, note.estimate.preparing_s) for note in ended if note.adapter) or answers
    found = {}
    for name, note in notes.items():
        before = note.estimate
        answering = answers * before.answering_s
        if note.raced and note.racing_s:
            answering = questions * note.racing_s / note.raced
        found[name] = msgspec.structs.replace(
            before,
            preparing_s=trained * before.preparing_s,
            racing_s=answers * before.racing_s,
            answering_s=answering,
        )
    return found


def _pace(pairs: Iterable[tuple[float, float]]) -> float:
    """What all have taken against what was estimated; 0 where nothing is known."""
    told = [(took, expected) for took, expected in pairs if took > _LEAST_S and expected > 0]
    return sum(took for took, _ in told) / sum(expected for _, expected in told) if told else 0.0


def plain_tokens(texts: Sequence[str], task: TaskKind, longest: int) -> tuple[float, float]:
    """Tokens that a plain answer to questions of these texts reads and writes."""
    read = TEMPLATE_TOKENS + sum(map(len, texts)) / max(1, len(texts)) / TOKEN_CHARACTERS
    return read, max(WRITTEN[task], min(longest / TOKEN_CHARACTERS, 256))


def written_tokens(answers: Sequence[str]) -> float:
    """Tokens that a model writes which has learnt to answer like these, with the one that ends an answer."""
    return 1 + sum(math.ceil(len(one) / TOKEN_CHARACTERS) for one in answers) / max(1, len(answers))


def per_answer(seconds: float) -> float:
    """Seconds an answer, of answers that took so long each side by side."""
    return seconds / TOGETHER
