"""The classifier of roads: how likely each road is for a request, by its cues, its text and the vector of its question.

A multinomial logistic regression over the cues (``cues.py``), the pieces of the text (``grams.py``) and, for the
embedding models that it was fitted for, the vector. Fitted by ``benchmarks/fit_router.py``, which writes the weights
into resources; figures: docs/benchmarks.md.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping, Sequence
from functools import cache

import msgspec

from workbench.base.paths import RESOURCES
from workbench.base.stored import Stored, Unreadable
from workbench.records.outcomes import Road
from workbench.techniques.retrieval.roads.cues import cues_of, names
from workbench.techniques.retrieval.roads.grams import ROWS, grams_of
from workbench.text.language import detect_question_language

FILE = RESOURCES / "roads.json"
LANGUAGES = ("en", "de", "fr", "es")
CUE_SCALE = 0.7
"""The value of a cue that a request has; a vector has the length 1."""


class Weights(msgspec.Struct, frozen=True, kw_only=True):
    """The weights for one embedding model, known by its ``fingerprint`` and named for people; without vectors both are
    "". ``languages`` are those of the requests that it is for, () for all; the others are read without a vector.
    ``cues`` has shape (cues, roads), ``vector`` (dimensions, roads), ``mean`` (dimensions,), ``bias`` (roads,): all
    float32, little-endian; ``grams`` has shape (2 ROWS, roads), in float16. ``mean`` is taken off a vector, which is
    then brought to the length 1."""

    embedder: str = ""
    fingerprint: str = ""
    languages: tuple[str, ...] = ()
    cues: bytes
    grams: bytes
    bias: bytes
    mean: bytes = b""
    vector: bytes = b""


class Fitted(msgspec.Struct, frozen=True, kw_only=True):
    """The classifier as it is stored. ``roads`` and ``cues`` are those of the columns and rows. ``tables``: what
    ``with_tables`` adds up: a constant, and the weights of the road's log odds, of an answer, and of how sure it is."""

    roads: tuple[Road, ...]
    cues: tuple[str, ...]
    tables: tuple[float, float, float, float]
    models: tuple[Weights, ...]


FITTED = Stored("route classifier", Fitted)


def likelihoods(text: str, vector: Sequence[float] = (), fingerprint: str = "") -> dict[Road, float]:
    """How likely each road is, the likeliest first; they add up to 1. ``vector`` is that of the request as a question,
    of length 1, by the embedding model of the ``fingerprint``; a model that is not known, or not fitted for the
    request's language, counts as none. A millisecond.
    """
    roads, models = _fitted()
    model = models.get(fingerprint) or models[""]
    if model.languages and detect_question_language(text, LANGUAGES) not in model.languages:
        model = models[""]
    scores = list(model.bias)
    for value, row in zip(cues_of(text), model.cues, strict=True):
        if value:
            scores = [score + CUE_SCALE * value * weight for score, weight in zip(scores, row, strict=True)]
    for gram, share in grams_of(text).items():
        row = model.row_of_grams.unpack_from(model.grams, gram * model.row_of_grams.size)
        scores = [score + share * weight for score, weight in zip(scores, row, strict=True)]
    if model.mean and len(vector) == len(model.mean):
        centred = [value - mean for value, mean in zip(vector, model.mean, strict=True)]
        length = math.sqrt(math.fsum(value * value for value in centred)) or 1.0
        for value, row in zip(centred, model.vector, strict=True):
            scores = [score + value / length * weight for score, weight in zip(scores, row, strict=True)]
    top = max(scores)
    shares = [math.exp(score - top) for score in scores]
    total = math.fsum(shares)
    found = {road: share / total for road, share in zip(roads, shares, strict=True)}
    return dict(sorted(found.items(), key=lambda pair: -pair[1]))


def with_tables(found: Mapping[Road, float], sure: float | None) -> dict[Road, float]:
    """``found`` after the collection's tables were asked: ``sure`` is how probable it is that the request means the
    query that answers it, None where no table has to do with it."""
    constant, by_odds, by_answer, by_sure = _stored().tables
    odds = constant + by_odds * log_odds(found["table"])
    if sure is not None:
        odds += by_answer + by_sure * sure
    table = 1 / (1 + math.exp(-odds))
    rest = (1 - table) / max(1 - found["table"], 1e-6)
    shares: dict[Road, float] = {road: table if road == "table" else share * rest for road, share in found.items()}
    return dict(sorted(shares.items(), key=lambda pair: -pair[1]))


def log_odds(share: float) -> float:
    """The logarithm of the odds of a probability, which is kept away from 0 and 1."""
    kept = min(max(share, 1e-4), 1 - 1e-4)
    return math.log(kept / (1 - kept))


class _Model(msgspec.Struct, frozen=True):
    languages: tuple[str, ...]
    grams: bytes
    row_of_grams: struct.Struct
    cues: list[tuple[float, ...]]
    bias: tuple[float, ...]
    mean: tuple[float, ...]
    vector: list[tuple[float, ...]]


@cache
def _stored() -> Fitted:
    fitted = FITTED.load(FILE)
    if fitted is None or isinstance(fitted, Unreadable):
        raise RuntimeError(f"{FILE} is missing or damaged: {fitted}")
    return fitted


@cache
def _fitted() -> tuple[tuple[Road, ...], dict[str, _Model]]:
    """The roads of the columns, and the models by their fingerprints."""
    fitted = _stored()
    if fitted.cues != names():
        raise RuntimeError(f"{FILE} was fitted for other cues: run benchmarks/fit_router.py")
    width = len(fitted.roads)
    if any(len(one.grams) != 2 * ROWS * width * 2 for one in fitted.models):
        raise RuntimeError(f"{FILE} was fitted for other pieces of text: run benchmarks/fit_router.py")
    models = {
        one.fingerprint: _Model(
            languages=one.languages,
            grams=one.grams,
            row_of_grams=struct.Struct(f"<{width}e"),
            cues=_rows(one.cues, width),
            bias=_numbers(one.bias),
            mean=_numbers(one.mean),
            vector=_rows(one.vector, width),
        )
        for one in fitted.models
    }
    return fitted.roads, models


def _numbers(raw: bytes) -> tuple[float, ...]:
    return struct.unpack(f"<{len(raw) // 4}f", raw)


def _rows(raw: bytes, width: int) -> list[tuple[float, ...]]:
    numbers = _numbers(raw)
    return [numbers[begin : begin + width] for begin in range(0, len(numbers), width)]
