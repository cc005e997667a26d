"""The classifier of roads: how likely each road is for a request, by its cues and the vector of its question.

A multinomial logistic regression over the cues (``cues.py``) and, for the embedding models that it was fitted for, the
vector. Fitted by ``benchmarks/fit_router.py``, which writes the weights into resources; figures: docs/benchmarks.md.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from functools import cache

import msgspec

from workbench.base.paths import RESOURCES
from workbench.base.stored import Stored, Unreadable
from workbench.records.outcomes import Road
from workbench.techniques.retrieval.roads.cues import NAMES, cues_of

FILE = RESOURCES / "roads.json"
CUE_SCALE = 0.7
"""The value of a cue that a request has; a vector has the length 1."""


class Weights(msgspec.Struct, frozen=True, kw_only=True):
    """The weights for one embedding model, known by its ``fingerprint`` and named for people; without vectors both are
    "". ``cues`` has shape (cues, roads), ``vector`` (dimensions, roads), ``mean`` (dimensions,), ``bias`` (roads,): all
    float32, little-endian. ``mean`` is taken off a vector, which is then brought to the length 1."""

    embedder: str = ""
    fingerprint: str = ""
    cues: bytes
    bias: bytes
    mean: bytes = b""
    vector: bytes = b""


class Fitted(msgspec.Struct, frozen=True, kw_only=True):
    """The classifier as it is stored. ``roads`` and ``cues`` are those of the columns and rows."""

    roads: tuple[Road, ...]
    cues: tuple[str, ...]
    models: tuple[Weights, ...]


FITTED = Stored("road classifier", Fitted)


def likelihoods(text: str, vector: Sequence[float] = (), fingerprint: str = "") -> dict[Road, float]:
    """How likely each road is, the likeliest first; they add up to 1. ``vector`` is that of the request as a question,
    of length 1, by the embedding model of the ``fingerprint``; a model that is not known counts as none. A millisecond.
    """
    roads, models = _fitted()
    model = models.get(fingerprint) or models[""]
    scores = list(model.bias)
    for value, row in zip(cues_of(text), model.cues, strict=True):
        if value:
            scores = [score + CUE_SCALE * value * weight for score, weight in zip(scores, row, strict=True)]
    if len(vector) == len(model.mean):
        centred = [value - mean for value, mean in zip(vector, model.mean, strict=True)]
        length = math.sqrt(math.fsum(value * value for value in centred)) or 1.0
        for value, row in zip(centred, model.vector, strict=True):
            scores = [score + value / length * weight for score, weight in zip(scores, row, strict=True)]
    top = max(scores)
    shares = [math.exp(score - top) for score in scores]
    total = math.fsum(shares)
    found = {road: share / total for road, share in zip(roads, shares, strict=True)}
    return dict(sorted(found.items(), key=lambda pair: -pair[1]))


class _Model(msgspec.Struct, frozen=True):
    cues: list[tuple[float, ...]]
    bias: tuple[float, ...]
    mean: tuple[float, ...]
    vector: list[tuple[float, ...]]


@cache
def _fitted() -> tuple[tuple[Road, ...], dict[str, _Model]]:
    """The roads of the columns, and the models by their fingerprints."""
    fitted = FITTED.load(FILE)
    if fitted is None or isinstance(fitted, Unreadable):
        raise RuntimeError(f"{FILE} is missing or damaged: {fitted}")
    if fitted.cues != NAMES:
        raise RuntimeError(f"{FILE} was fitted for other cues: run benchmarks/fit_router.py")
    width = len(fitted.roads)
    models = {
        one.fingerprint: _Model(
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
