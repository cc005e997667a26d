"""What the passages of a collection have in common in each language: their mean vector, and how far they spread.

To an embedder for many languages, a text is similar to all texts of its own language, whatever they say: of a mixed
collection, a German question finds German passages first. What a passage has in common with the others of its language
is subtracted before cosines are compared. And the similarities to a question spread further among the texts of its own
language than among others: those of each language are divided by their standard deviation.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from workbench.techniques.retrieval.embedding import Vectors
from workbench.techniques.retrieval.snapshot import Snapshot

SAMPLE = 300
"""So many passages of each language stand for all."""
SHRINKING = 10
"""What is known of all languages counts like so many passages: that of a few passages would be what they say."""


class _Known(NamedTuple):
    """``samples``: vectors of passages of each language, shape (passages, dimensions); ``means``: their mean."""

    revision: int
    samples: dict[str, Vectors]
    means: dict[str, Vectors]


class LanguageMeans:
    """The means and spreads of the latest revision of a collection. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: _Known | None = None

    def of(self, snapshot: Snapshot, numbers: Sequence[int]) -> Vectors:
        """For each of these chunks the mean vector of its language: shape (len(numbers), dimensions)."""
        means = self._latest(snapshot).means
        return np.stack([means[language] for language in snapshot.chunk_languages(numbers)])

    def spreads(self, snapshot: Snapshot, numbers: Sequence[int], query: Vectors) -> Vectors:
        """For each of these chunks how far the similarities of ``query`` to the passages of its language spread,
        against all passages: shape (len(numbers),), about 1."""
        known = self._latest(snapshot)
        deviations = {code: sample @ query - known.means[code] @ query for code, sample in known.samples.items()}
        every = max(1e-6, float(np.concatenate(list(deviations.values())).std()))
        spreads = {
            code: (len(one) * float(one.std()) / every + SHRINKING) / (len(one) + SHRINKING)
            for code, one in deviations.items()
        }
        return np.array([spreads[code] for code in snapshot.chunk_languages(numbers)], dtype=np.float32)

    def _latest(self, snapshot: Snapshot) -> _Known:
        with self._lock:
            if self._known is None or self._known.revision != snapshot.revision:
                self._known = _read(snapshot)
            return self._known


def _read(snapshot: Snapshot) -> _Known:
    samples: dict[str, Vectors] = {}
    for language, numbers in snapshot.chunks_by_language().items():
        sample = numbers[:: -(-len(numbers) // SAMPLE)]
        samples[language] = np.stack(list(snapshot.vectors(sample).values()))
    sums = {code: sample.sum(axis=0) for code, sample in samples.items()}
    mean = sum(sums.values()) / sum(len(sample) for sample in samples.values())
    means = {
        code: ((total + SHRINKING * mean) / (len(samples[code]) + SHRINKING)).astype(np.float32)
        for code, total in sums.items()
    }
    return _Known(snapshot.revision, samples, means)
