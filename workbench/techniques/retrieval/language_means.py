"""The mean vector of a collection's passages in each language.

To an embedder for many languages, a text is similar to all texts of its own language, whatever they say: of a mixed
collection, a German question finds German passages first. What a passage has in common with the others of its language
is subtracted before cosines are compared.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np

from workbench.techniques.retrieval.embedding import Vectors
from workbench.techniques.retrieval.snapshot import Snapshot

SAMPLE = 300
"""So many passages of each language stand for all."""
SHRINKING = 10
"""The mean of all languages counts like so many passages: that of a few passages would be what they say."""


class LanguageMeans:
    """The means of the latest revision of a collection. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: tuple[int, dict[str, Vectors]] | None = None

    def of(self, snapshot: Snapshot, numbers: Sequence[int]) -> Vectors:
        """For each of these chunks the mean vector of its language: shape (len(numbers), dimensions)."""
        with self._lock:
            if self._known is None or self._known[0] != snapshot.revision:
                self._known = (snapshot.revision, _means(snapshot))
            means = self._known[1]
        return np.stack([means[language] for language in snapshot.chunk_languages(numbers)])


def _means(snapshot: Snapshot) -> dict[str, Vectors]:
    sums: dict[str, tuple[Vectors, int]] = {}
    for language, numbers in snapshot.chunks_by_language().items():
        sample = numbers[:: -(-len(numbers) // SAMPLE)]
        vectors = np.stack(list(snapshot.vectors(sample).values()))
        sums[language] = vectors.sum(axis=0), len(sample)
    mean = sum(total for total, _ in sums.values()) / sum(count for _, count in sums.values())
    return {
        code: ((total + SHRINKING * mean) / (count + SHRINKING)).astype(np.float32)
        for code, (total, count) in sums.items()
    }
