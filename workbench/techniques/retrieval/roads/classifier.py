"""The classifier of roads: how likely each road is for a request, by its cues, its text and the vector of its question.

A multinomial logistic regression over the cues (``cues.py``), the pairs of cues, the pieces of the text and of its
form (``grams.py``) and, for the embedding models that it was fitted for, the vector. Fitted by
``benchmarks/fit_router.py``, which writes the weights into resources; figures: docs/benchmarks.md.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cache
from itertools import combinations

import msgspec

from workbench.base.paths import RESOURCES
from workbench.base.stored import Stored, Unreadable
from workbench.records.outcomes import Road
from workbench.techniques.retrieval.roads.cues import cues_of, names
from workbench.techniques.retrieval.roads.grams import ROWS, form_grams_of, grams_of
from workbench.text.language import detect_question_language

FILE = RESOURCES / "roads.json"
LANGUAGES = ("en", "de", "fr", "es")
TABLES = ("parts", "words", "forms", "pairs")
"""Of the weights that are stored in int8: parts of words, words and pairs of words, forms, pairs of cues."""
CUE_SCALE = 0.7
"""The value of a cue that a request has; a vector has the length 1."""


class Weights(msgspec.Struct, frozen=True, kw_only=True):
    """The weights for one embedding model, known by its ``fingerprint`` and named for people; without vectors both are
    "". ``languages`` are those of the requests that it is for, () for all; the others are read without a vector.
    ``cues`` has shape (cues, roads), ``vector`` (dimensions, roads), ``mean`` (dimensions,), ``bias`` (roads,),
    ``scales`` (``TABLES``, roads): all float32, little-endian; ``tables`` has shape (3 ROWS + pairs of cues, roads), in
    int8, in the order of ``TABLES``, each value times its table's scale. ``mean`` is taken off a vector, which is then
    brought to the length 1."""

    embedder: str = ""
    fingerprint: str = ""
    languages: tuple[str, ...] = ()
    cues: bytes
    tables: bytes
    scales: bytes
    bias: bytes
    mean: bytes = b""
    vector: bytes = b""


class Fitted(msgspec.Struct, frozen=True, kw_only=True):
    """The classifier as it is stored. ``roads`` and ``cues`` are those of the columns and rows, ``words`` those that a
    form keeps. ``tables``: what ``with_tables`` adds up: a constant, and the weights of the road's log odds, of an
    answer, and of how sure it is."""

    roads: tuple[Road, ...]
    cues: tuple[str, ...]
    words: tuple[str, ...]
    tables: tuple[float, float, float, float]
    models: tuple[Weights, ...]


FITTED = Stored("route classifier", Fitted)


def likelihoods(text: str, vector: Sequence[float] = (), fingerprint: str = "") -> dict[Road, float]:
    """How likely each road is, the likeliest first; they add up to 1. ``vector`` is that of the request as a question,
    of length 1, by the embedding model of the ``fingerprint``; a model that is not known, or not fitted for the
    request's language, counts as none. A millisecond.
    """
    roads, words, models = _fitted()
    model = models.get(fingerprint) or models[""]
    if model.languages and detect_question_language(text, LANGUAGES) not in model.languages:
        model = models[""]
    scores = list(model.bias)
    cues = cues_of(text)
    for value, row in zip(cues, model.cues, strict=True):
        if value:
            scores = [score + CUE_SCALE * value * weight for score, weight in zip(scores, row, strict=True)]
    for table, rows in enumerate(_rows_of_tables(text, cues, words)):
        sums = [0.0] * len(roads)
        for at, share in rows.items():
            stored = model.row_of_tables.unpack_from(model.tables, at * model.row_of_tables.size)
            sums = [one + share * weight for one, weight in zip(sums, stored, strict=True)]
        scores = [score + one * scale for score, one, scale in zip(scores, sums, model.scales[table], strict=True)]
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


def pairs_of(cues: Sequence[float]) -> list[int]:
    """The pairs of cues that a request has: the first with the second is 0, with the third 1, the second with the third
    2, and so on."""
    present = [at for at, value in enumerate(cues) if value]
    return [second * (second - 1) // 2 + first for first, second in combinations(present, 2)]


def _rows_of_tables(text: str, cues: Sequence[float], words: Collection[str]) -> Iterator[Mapping[int, float]]:
    """The rows of each of ``TABLES`` that a request has, counted through all of them, with what each counts."""
    grams = grams_of(text)
    yield {row: share for row, share in grams.items() if row < ROWS}
    yield {row: share for row, share in grams.items() if row >= ROWS}
    yield {2 * ROWS + row: share for row, share in form_grams_of(text, words).items()}
    yield {3 * ROWS + pair: 1.0 for pair in pairs_of(cues)}


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
    tables: bytes
    row_of_tables: struct.Struct
    scales: list[tuple[float, ...]]
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
def _fitted() -> tuple[tuple[Road, ...], frozenset[str], dict[str, _Model]]:
    """The roads of the columns, the words that a form keeps, and the models by their fingerprints."""
    fitted = _stored()
    if fitted.cues != names():
        raise RuntimeError(f"{FILE} was fitted for other cues: run benchmarks/fit_router.py")
    width = len(fitted.roads)
    rows = 3 * ROWS + len(fitted.cues) * (len(fitted.cues) - 1) // 2
    if any(len(one.tables) != rows * width for one in fitted.models):
        raise RuntimeError(f"{FILE} was fitted for other pieces of text: run benchmarks/fit_router.py")
    models = {
        one.fingerprint: _Model(
            languages=one.languages,
            tables=one.tables,
            row_of_tables=struct.Struct(f"<{width}b"),
            scales=_rows(one.scales, width),
            cues=_rows(one.cues, width),
            bias=_numbers(one.bias),
            mean=_numbers(one.mean),
            vector=_rows(one.vector, width),
        )
        for one in fitted.models
    }
    return fitted.roads, frozenset(fitted.words), models


def _numbers(raw: bytes) -> tuple[float, ...]:
    return struct.unpack(f"<{len(raw) // 4}f", raw)


def _rows(raw: bytes, width: int) -> list[tuple[float, ...]]:
    numbers = _numbers(raw)
    return [numbers[begin : begin + width] for begin in range(0, len(numbers), width)]
