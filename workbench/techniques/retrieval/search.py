"""Hybrid search: chunks ranked by words and by vectors together.

Each side gives its best chunks: BM25 over words (Robertson and Zaragoza 2009), cosine over vectors. Both scores are
divided by the best of their side and added with weights (a convex combination: Bruch, Gai and Ingber 2023, "An analysis
of fusion functions for hybrid retrieval"; it keeps how much better one hit is than the next, which rank fusion throws
away). The vector weight depends on how well the embedder knows the words of the question and of the texts, so that an
English embedder does not spoil the search in Chinese texts. Then the query vector is moved towards those of the best
hits, and searched with once more (pseudo-relevance feedback: Rocchio 1971).

In a collection of several languages an embedder for many languages finds passages in the question's own language first,
and words find no others. There each language gives its own best chunks, and a few places are kept for those that are
the best of their language by meaning.

``benchmarks/retrieval.py`` measures the gain of each of these.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from workbench.records.documents import SearchResult
from workbench.records.messages import FoundBy
from workbench.techniques.embedding_calls import TermStatistics
from workbench.techniques.retrieval.config import DEFAULT_SEARCH, SearchConfig
from workbench.techniques.retrieval.embedding import Embedder, EmbeddingQueue, Vectors, measure_fluency
from workbench.techniques.retrieval.index import CollectionIndex, embedder_differs
from workbench.techniques.retrieval.passages import passages_of_chunks
from workbench.techniques.retrieval.snapshot import Snapshot
from workbench.techniques.retrieval.versions import Versions
from workbench.text.language import Terms, is_unspaced, match_expression, pairs_of, query_terms, split_words

LARGEST_QUERY_CHARACTERS = 8_000

RELATED = 0.4
"""A version is about a question where its best passage has this share of the score of another version's best one."""
BELOW = 0.95
"""The best passage of a version that is not asked for has this share of the score of the other's best one at most."""

RESERVED_OF_LANGUAGE, MOST_RESERVED = 2, 4
"""In a collection of several languages, so many hits of each are the best of it by meaning, and so many of all take
the last places of the hits; at most a third of them."""

LEAST_COSINE = 0.3
"""Where no chunk is more similar to the question than this, the vectors have found nothing, and the best of them must
not count like a hit: words decide, without feedback. Of the questions of XQuAD-en 2 % have no chunk above it."""


def search(
    index: CollectionIndex,
    queue: EmbeddingQueue,
    embedder_folder: Path,
    collection: str,
    query: str,
    limit: int = 10,
    config: SearchConfig = DEFAULT_SEARCH,
    paths: Sequence[str] | None = None,
) -> SearchResult:
    """The chunks that match a question best, with ``paths`` of these documents only. Raises UserError when the
    collection was made with another embedder."""
    query = query[:LARGEST_QUERY_CHARACTERS].strip()
    with index.reading() as snapshot:
        if not query or limit < 1 or snapshot.fact("embedder") is None:
            return SearchResult(hits=(), revision=snapshot.revision)
    embedder = queue.embedder(embedder_folder)
    vector = queue.embed_query(embedder_folder, query)
    searched = queue.embed_query(embedder_folder, query, search=True)
    with index.reading() as snapshot:
        if snapshot.fact("embedder") != embedder.fingerprint:
            raise embedder_differs(index.path)
        pool = rank_candidates(index, snapshot, embedder, query, searched, max(config.pool, limit), config, paths)
        if pool is None:
            return SearchResult(hits=(), revision=snapshot.revision)
        best = pool.best(limit)
        chunks = snapshot.chunks([pool.numbers[i] for i in best])
        revision = snapshot.revision
    found_by = _label(pool.by_words, pool.by_meaning, max(20, 2 * limit))
    similarities = pool.vectors @ vector
    hits = tuple(
        msgspec.structs.replace(
            passage,
            score=float(pool.scores[i]),
            similarity=float(similarities[i]),
            found_by=found_by[chunk.number],
            superseded_by=pool.versions.newest(chunk.path),
        )
        for i, chunk, passage in zip(best, chunks, passages_of_chunks(chunks, collection), strict=True)
    )
    return SearchResult(hits=hits, revision=revision)


class Sides(NamedTuple):
    """The weighted parts of the scores of n candidates, (n,) each: ``words``, ``meaning``, and ``feedback``, which is
    ``meaning`` after the query vector was moved towards the first hits. A score is ``words`` and ``feedback``."""

    words: NDArray[np.float64]
    meaning: NDArray[np.float64]
    feedback: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Candidates:
    """The chunks that one side of a search has found: their ``numbers`` (n), ``vectors`` (n, dimensions), the parts of
    their scores, and ``scores`` (n,) after versions were preferred. ``by_words`` and ``by_meaning`` are the numbers
    that each side found, the best first. ``reserved``: the places of the best of each language by meaning, the best
    first. ``vector_weight`` is that of meaning."""

    numbers: list[int]
    vectors: Vectors
    sides: Sides
    scores: NDArray[np.float64]
    versions: Versions
    by_words: list[int]
    by_meaning: list[int]
    reserved: list[int]
    vector_weight: float

    def best(self, limit: int) -> list[int]:
        """The places of the best ones, the best first, and at the end of the best ones in other languages."""
        order = [int(i) for i in np.argsort(-self.scores, kind="stable")]
        most = min(MOST_RESERVED, limit // 3)
        kept = order[: limit - most] if self.reserved else order
        others = [i for i in self.reserved if i not in kept][:most]
        return list(dict.fromkeys([*order[: limit - len(others)], *others]))[:limit]


def rank_candidates(
    index: CollectionIndex,
    snapshot: Snapshot,
    embedder: Embedder,
    query: str,
    vector: Vectors,
    pool: int,
    config: SearchConfig,
    paths: Sequence[str] | None = None,
) -> Candidates | None:
    """The candidates of a search with the ``vector`` (dimensions,) of its query, at most ``pool`` of each side; None
    where neither side finds any."""
    by_words = dict(snapshot.find_words(query_terms(query, snapshot.languages()), pool, config.context_weight, paths))
    # where unrelated texts are as similar as some related ones, they are so by their languages
    narrow = embedder.unrelated > LEAST_COSINE
    by_meaning = snapshot.find_nearest(vector, pool, paths)
    languages = snapshot.languages() if narrow else []
    if len(languages) > 1:
        for language in languages:
            by_meaning |= snapshot.find_nearest(vector, pool // 2, paths, language)
    found = by_meaning | snapshot.vectors(number for number in by_words if number not in by_meaning)
    if not found:
        return None
    numbers = list(found)
    vectors = np.stack([found[number] for number in numbers])
    words = np.array([by_words.get(number, 0.0) for number in numbers])
    fluency = (measure_fluency(embedder.tokens, [query]) + snapshot.mean_fluency(numbers)) / 2
    means = index.language_means.of(snapshot, numbers) if narrow else None
    spreads = index.language_means.spreads(snapshot, numbers, vector) if narrow else None
    weight = config.vector_weight(fluency)
    sides = score_sides(words, vectors, vector, weight, config, embedder.unrelated, means, spreads)
    scores = sides.words + sides.feedback
    versions = index.versions(snapshot)
    if versions:
        scores = prefer_versions(scores, snapshot.chunk_paths(numbers), versions, query)
    reserved = best_of_languages(snapshot.chunk_languages(numbers), sides.meaning) if len(languages) > 1 else []
    return Candidates(numbers, vectors, sides, scores, versions, list(by_words), list(by_meaning), reserved, weight)


def best_of_languages(languages: Sequence[str], meaning: NDArray[np.float64]) -> list[int]:
    """The places of the candidates that are the best of their language by ``meaning`` (n,), the best first."""
    taken: Counter[str] = Counter()
    found = []
    for place in np.argsort(-meaning, kind="stable"):
        taken[languages[place]] += 1
        if taken[languages[place]] <= RESERVED_OF_LANGUAGE and meaning[place] > 0:
            found.append(int(place))
    return found


def fuse(
    words: NDArray[np.float64],
    vectors: Vectors,
    query: Vectors,
    weight: float,
    config: SearchConfig,
    unrelated: float = 0.0,
    means: Vectors | None = None,
) -> NDArray[np.float64]:
    """Scores in [0, 1] of n candidates: the sum of their sides, of which ``score_sides`` takes the same."""
    sides = score_sides(words, vectors, query, weight, config, unrelated, means)
    return sides.words + sides.feedback


def score_sides(
    words: NDArray[np.float64],
    vectors: Vectors,
    query: Vectors,
    weight: float,
    config: SearchConfig,
    unrelated: float = 0.0,
    means: Vectors | None = None,
    spreads: Vectors | None = None,
) -> Sides:
    """The parts of the scores of n candidates: ``words`` (n,) BM25, ``vectors`` (n, dimensions), ``query``
    (dimensions,).

    ``weight`` in [0, 1] is the vector weight. ``unrelated``: the embedder's cosine of unrelated texts. Where all
    cosines lie in a narrow band, which moves with the languages of question and texts, ``means`` are the mean vectors
    of the candidates' languages, (n, dimensions): cosines are counted from those with them, and divided by ``spreads``,
    (n,), those of the languages.
    """
    least = LEAST_COSINE if means is None else LEAST_COSINE * (1 - unrelated)

    def similar(to: Vectors) -> NDArray[np.floating]:
        if means is None:
            return vectors @ to
        above: NDArray[np.floating] = vectors @ to - means @ to
        return above if spreads is None else above / spreads

    worded = (1 - weight) * _normalised(words)
    meant = weight * _normalised(similar(query), least)
    if not config.feedback or float(similar(query).max(initial=0.0)) < least:
        return Sides(worded, meant, meant)
    best = np.argsort(-(worded + meant), kind="stable")[: config.feedback_hits]
    moved = query + config.feedback * vectors[best].mean(axis=0)
    moved /= max(float(np.linalg.norm(moved)), 1e-9)
    return Sides(worded, meant, weight * _normalised(similar(moved)))


def prefer_versions(
    scores: NDArray[np.float64], paths: Sequence[str], versions: Versions, question: str
) -> NDArray[np.float64]:
    """The scores (n,) of candidates, which are of the documents ``paths``: where the version that a question asks for
    is about it at all, its best passage gets the score of the best one of all versions, and the others come below."""
    best: dict[str, float] = {}
    for path, score in zip(paths, scores, strict=True):
        best[path] = max(best.get(path, 0.0), float(score))
    asked: dict[str, str] = {}
    highest: dict[str, float] = {}
    for path, score in best.items():
        preferred = versions.preferred(path, question)
        if preferred not in ("", path) and best.get(preferred, 0.0) > RELATED * score > 0:
            asked[path] = preferred
            highest[preferred] = max(highest.get(preferred, best[preferred]), score)
    factors = {path: score / best[path] for path, score in highest.items()}
    factors |= {path: min(1.0, BELOW * highest[preferred] / best[path]) for path, preferred in asked.items()}
    return np.array([score * factors.get(path, 1.0) for path, score in zip(paths, scores, strict=True)])


def count_terms(index: CollectionIndex, query: str) -> TermStatistics:
    """The number of chunks in which each word of a question occurs, in any form that the index knows.

    In scripts without spaces it is each pair of characters.
    """
    with index.reading() as snapshot:
        languages = snapshot.languages()
        kept = query_terms(query[:LARGEST_QUERY_CHARACTERS], languages)
        counts: dict[str, int] = {}
        spoken = split_words(query[:LARGEST_QUERY_CHARACTERS])
        units = [unit for word in spoken for unit in (pairs_of(word) if is_unspaced(word) else [word])]
        for word in dict.fromkeys(units):
            one = query_terms(word, languages)
            shared = Terms(
                tuple(w for w in one.words if w in kept.words), tuple(t for t in one.terms if t in kept.terms)
            )
            if shared:
                counts[word] = snapshot.count_matches(match_expression(shared))
        return TermStatistics(chunks=snapshot.state().chunks, terms=counts)


def _normalised(scores: NDArray[np.floating], least: float = 0.0) -> NDArray[np.float64]:
    """Non-negative scores as shares of the highest, or of ``least`` where none is that high."""
    clipped = np.clip(scores.astype(np.float64), 0.0, None)
    highest = max(least, float(clipped.max(initial=0.0)))
    return clipped / highest if highest > 0 else clipped


def _label(by_words: list[int], by_meaning: list[int], depth: int) -> dict[int, FoundBy]:
    """The side that finds a chunk without the other, among its first ``depth``."""
    words, meaning = set(by_words[:depth]), set(by_meaning[:depth])
    found: dict[int, FoundBy] = {}
    for number in (*by_words, *by_meaning):
        # beyond that depth on both sides: the side that has it at all
        in_words = number in words or (number not in meaning and number in by_words)
        in_meaning = number in meaning or (number not in words and number in by_meaning)
        found[number] = "both" if in_words and in_meaning else "words" if in_words else "meaning"
    return found
