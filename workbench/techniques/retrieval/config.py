"""Settings of retrieval beyond a recipe's ``RetrievalPart``.

The defaults were chosen on the data of docs/benchmarks.md; each is in the middle of a range in which the results hardly
change.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from workbench.base.fields import about


class ChunkConfig(msgspec.Struct, frozen=True, kw_only=True):
    """How documents are split into chunks."""

    tokens: Annotated[
        int,
        about("Chunk size", ge=32, le=8192, unit="tokens"),
        "A chunk has at most this number of tokens, counted by the embedding model.",
    ] = 254


class SearchConfig(msgspec.Struct, frozen=True, kw_only=True):
    """How the word scores and the vector scores are fused into one ranking."""

    pool: Annotated[
        int,
        about("Candidates", ge=10, le=1000, unit="chunks", advanced=True),
        "The search by words and the search by vectors give this number of candidates each.",
    ] = 60
    known_weight: Annotated[
        float,
        about("Vector weight", ge=0, le=1, advanced=True),
        "Vector scores are weighted by this against word scores where the embedding model knows the language.",
    ] = 0.7
    unknown_weight: Annotated[
        float,
        about("Vector weight, unknown language", ge=0, le=1, advanced=True),
        "Vector scores are weighted by this against word scores where the embedding model was not trained on the "
        "language.",
    ] = 0.3
    unknown_fluency: Annotated[
        float,
        about("Unknown below", ge=0, le=1, advanced=True),
        "A language is unknown when the embedding model has fewer than this share of its words whole.",
    ] = 0.5
    known_fluency: Annotated[
        float,
        about("Known above", ge=0, le=1, advanced=True),
        "A language is known when the embedding model has more than this share of its words whole.",
    ] = 0.8
    context_weight: Annotated[
        float,
        about("Context weight", ge=0, le=10, advanced=True),
        "The words of a passage's context (title, headings, column names) are weighted by this against those of its "
        "text.",
    ] = 0.5
    feedback: Annotated[
        float,
        about("Feedback", ge=0, le=2, advanced=True),
        "The query vector moves this far towards the first hits before the second vector search.",
    ] = 0.5
    feedback_hits: Annotated[
        int,
        about("Feedback hits", ge=1, le=50, unit="chunks", advanced=True),
        "The query vector moves towards this number of first hits.",
    ] = 5

    def vector_weight(self, fluency: float) -> float:
        """The vector weight in [0, 1] for an embedder's ``fluency`` (see ``embedding.measure_fluency``)."""
        span = max(self.known_fluency - self.unknown_fluency, 1e-9)
        share = min(1.0, max(0.0, (fluency - self.unknown_fluency) / span))
        return self.unknown_weight + share * (self.known_weight - self.unknown_weight)


DEFAULT_CHUNKS = ChunkConfig()
DEFAULT_SEARCH = SearchConfig()
WITHOUT_RERANKING = SearchConfig(feedback=0.0)
