"""Settings of retrieval beyond a recipe's ``RetrievalPart``.

The defaults were chosen on the data of docs/benchmarks.md; each is in the middle of a range in which the results hardly
change.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta


class ChunkConfig(msgspec.Struct, frozen=True, kw_only=True):
    """How documents are split into chunks."""

    tokens: Annotated[
        int,
        Meta(
            ge=32,
            le=8192,
            title="Chunk size",
            description="Maximum tokens per chunk, counted by the embedding model.",
            extra={"unit": "tokens"},
        ),
    ] = 254


class SearchConfig(msgspec.Struct, frozen=True, kw_only=True):
    """How the word scores and the vector scores are fused into one ranking."""

    pool: Annotated[
        int,
        Meta(
            ge=10,
            le=1000,
            title="Candidates",
            description="Candidates per side (words and vectors).",
            extra={"unit": "chunks", "advanced": True},
        ),
    ] = 60
    known_weight: Annotated[
        float,
        Meta(
            ge=0,
            le=1,
            title="Vector weight",
            description="Weight of vector scores against word scores where the embedding model knows the language.",
            extra={"advanced": True},
        ),
    ] = 0.7
    unknown_weight: Annotated[
        float,
        Meta(
            ge=0,
            le=1,
            title="Vector weight, unknown language",
            description="The same where the embedding model was not trained on the language.",
            extra={"advanced": True},
        ),
    ] = 0.3
    unknown_fluency: Annotated[
        float,
        Meta(
            ge=0,
            le=1,
            title="Unknown below",
            description="A language is unknown when the embedding model has fewer than this share of its words whole.",
            extra={"advanced": True},
        ),
    ] = 0.5
    known_fluency: Annotated[
        float,
        Meta(
            ge=0,
            le=1,
            title="Known above",
            description="A language is known when the embedding model has more than this share of its words whole.",
            extra={"advanced": True},
        ),
    ] = 0.8
    feedback: Annotated[
        float,
        Meta(
            ge=0,
            le=2,
            title="Feedback",
            description="How far the query vector moves towards the first hits before the second vector search.",
            extra={"advanced": True},
        ),
    ] = 0.5
    feedback_hits: Annotated[
        int,
        Meta(
            ge=1,
            le=50,
            title="Feedback hits",
            description="Number of first hits that the query vector moves towards.",
            extra={"unit": "chunks", "advanced": True},
        ),
    ] = 5

    def vector_weight(self, fluency: float) -> float:
        """The vector weight in [0, 1] for an embedder's ``fluency`` (see ``embedding.measure_fluency``)."""
        span = max(self.known_fluency - self.unknown_fluency, 1e-9)
        share = min(1.0, max(0.0, (fluency - self.unknown_fluency) / span))
        return self.unknown_weight + share * (self.known_weight - self.unknown_weight)


DEFAULT_CHUNKS = ChunkConfig()
DEFAULT_SEARCH = SearchConfig()
