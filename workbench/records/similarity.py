"""The passages of a collection and a question as points of a plane, and how the best of them were scored."""

from __future__ import annotations

import msgspec

from workbench.records.messages import Passage


class PlacedPassage(msgspec.Struct, frozen=True, kw_only=True):
    """A passage at ``x``, ``y`` in [-1, 1], the place of its vector. ``similarity`` is its cosine with the question in
    [-1, 1], ``text`` its beginning."""

    title: str
    path: str
    page: int | None
    text: str
    x: float
    y: float
    similarity: float


class ScoredPassage(msgspec.Struct, frozen=True, kw_only=True):
    """One of the best passages, with the place of its point in ``PassageMap.points``. The parts of its score are
    weighted already and at most 1 in sum: ``words`` by BM25, ``meaning`` by the cosine with the question, ``feedback``
    by the cosine with the question's vector after it was moved towards the first hits. The score is ``words`` and
    ``feedback``, unless the version of a document decided; ``rank_before`` is its rank by ``words`` and ``meaning``
    alone, from 1, and ``by_version`` says that the version of its document moved it."""

    passage: Passage
    point: int
    words: float
    meaning: float
    feedback: float
    rank_before: int
    by_version: bool = False


class PassageMap(msgspec.Struct, frozen=True, kw_only=True):
    """``points`` are passages, at most so many as were asked for, of ``passages`` in the collection: those that a
    search looks at, and others for comparison. ``question`` is the place of the question's vector. ``shown`` in [0, 1]
    is the share of the differences between the vectors that the plane shows, ``dimensions`` how many numbers a vector
    has. ``best`` are the hits of the search, the best first, ``vector_weight`` in [0, 1] that of meaning against words.
    """

    points: tuple[PlacedPassage, ...] = ()
    question: tuple[float, float] = (0.0, 0.0)
    best: tuple[ScoredPassage, ...] = ()
    vector_weight: float = 0.0
    shown: float = 0.0
    dimensions: int = 0
    passages: int = 0
