"""Passages and a question as points of a plane: the two directions in which their vectors differ most.

Principal components (Pearson 1901, "On lines and planes of closest fit to systems of points in space"), by a singular
value decomposition of the vectors of at most some hundred passages and the question. A plane shows a part of the
differences only, so distances in it are hints, and the cosine is what the search computes with.
"""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from workbench.records.similarity import PassageMap, PlacedPassage, ScoredPassage
from workbench.techniques.retrieval.config import DEFAULT_SEARCH, SearchConfig
from workbench.techniques.retrieval.embedding import EmbeddingQueue, Vectors
from workbench.techniques.retrieval.index import CollectionIndex, embedder_differs
from workbench.techniques.retrieval.passages import passages_of_chunks
from workbench.techniques.retrieval.search import LARGEST_QUERY_CHARACTERS, rank_candidates

LONGEST_TEXT = 240
"""Characters of a passage that a point keeps."""


def project_passages(
    index: CollectionIndex,
    queue: EmbeddingQueue,
    embedder_folder: Path,
    collection: str,
    query: str,
    limit: int = 8,
    most: int = 240,
    config: SearchConfig = DEFAULT_SEARCH,
) -> PassageMap:
    """At most ``most`` passages and the question in a plane, with the scores of the ``limit`` best. Raises UserError
    when the collection was made with another embedder."""
    query = query[:LARGEST_QUERY_CHARACTERS].strip()
    with index.reading() as snapshot:
        if not query or snapshot.fact("embedder") is None:
            return PassageMap()
    embedder = queue.embedder(embedder_folder)
    vector = queue.embed_query(embedder_folder, query, search=True)
    with index.reading() as snapshot:
        if snapshot.fact("embedder") != embedder.fingerprint:
            raise embedder_differs(index.path)
        pool = rank_candidates(index, snapshot, embedder, query, vector, config.pool, config)
        if pool is None:
            return PassageMap()
        ranked = pool.best(len(pool.numbers))
        kept = ranked[:most]
        known = {pool.numbers[i] for i in kept}
        every = [number for numbers in snapshot.chunks_by_language().values() for number in numbers]
        others = _spread([number for number in every if number not in known], most - len(kept))
        numbers = [pool.numbers[i] for i in kept] + others
        beside = snapshot.vectors(others)
        vectors = np.stack([*(pool.vectors[i] for i in kept), *(beside[number] for number in others)])
        chunks = snapshot.chunks(numbers)
    passages = passages_of_chunks(chunks, collection)
    places, shown = plane_of(np.vstack([vectors, vector]))
    similarities = vectors @ vector
    before = np.argsort(-(pool.sides.words + pool.sides.meaning), kind="stable")
    rank_before = {int(place): rank for rank, place in enumerate(before, 1)}
    fused = pool.sides.words + pool.sides.feedback
    points = tuple(
        PlacedPassage(
            title=passage.title,
            path=passage.path,
            page=passage.page,
            text=passage.text[:LONGEST_TEXT],
            x=float(x),
            y=float(y),
            similarity=float(similarity),
        )
        for passage, (x, y), similarity in zip(passages, places[:-1], similarities, strict=True)
    )
    best = tuple(
        ScoredPassage(
            passage=msgspec.structs.replace(
                passages[point], score=float(pool.scores[i]), similarity=float(similarities[point])
            ),
            point=point,
            words=float(pool.sides.words[i]),
            meaning=float(pool.sides.meaning[i]),
            feedback=float(pool.sides.feedback[i]),
            rank_before=rank_before[i],
            by_version=not np.isclose(pool.scores[i], fused[i]),
        )
        for point, i in enumerate(kept[:limit])
    )
    return PassageMap(
        points=points,
        question=(float(places[-1][0]), float(places[-1][1])),
        best=best,
        vector_weight=pool.vector_weight,
        shown=shown,
        dimensions=int(vector.shape[0]),
        passages=len(every),
    )


def plane_of(vectors: Vectors) -> tuple[NDArray[np.float64], float]:
    """The places (n, 2) in [-1, 1] of ``vectors`` (n, dimensions) in the plane in which they differ most, and the share
    in [0, 1] of their variance that it shows. The same vectors give the same places."""
    centred = np.asarray(vectors, np.float64) - np.mean(vectors, axis=0, dtype=np.float64)
    _, spread, axes = np.linalg.svd(centred, full_matrices=False)
    axes = axes[:2]
    # the sign of an axis is not determined: its largest entry is positive
    axes = axes * np.sign(axes[np.arange(len(axes)), np.argmax(np.abs(axes), axis=1)])[:, None]
    places = np.zeros((len(vectors), 2))
    places[:, : len(axes)] = centred @ axes.T
    total = float(np.sum(spread**2))
    shown = float(np.sum(spread[:2] ** 2)) / total if total > 0 else 1.0
    farthest = float(np.abs(places).max(initial=0.0))
    return places / farthest if farthest > 0 else places, shown


def _spread(numbers: list[int], most: int) -> list[int]:
    """At most ``most`` of the numbers, evenly from first to last."""
    if most <= 0:
        return []
    step = max(1.0, len(numbers) / most)
    return [numbers[int(place * step)] for place in range(min(most, len(numbers)))]
