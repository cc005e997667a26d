"""What retrieval can be told. ``RetrievalPart`` of a recipe says which collection and how many passages; these say how.

The defaults were chosen on the data of docs/benchmarks.md; each lies in the middle of a range in which the results
hardly change.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta


class ChunkConfig(msgspec.Struct, frozen=True, kw_only=True):
    """How documents are cut into chunks."""

    tokens: Annotated[
        int,
        Meta(
            ge=32,
            le=8192,
            title="Chunk size",
            description="A chunk has at most this many of the embedder's tokens, and never more than it reads.",
            extra={"unit": "tokens"},
        ),
    ] = 254


class SearchConfig(msgspec.Struct, frozen=True, kw_only=True):
    """How words and meaning are brought into one ranking."""

    pool: Annotated[
        int,
        Meta(
            ge=10,
            le=1000,
            title="Candidates",
            description="How many chunks each side, words and meaning, puts forward.",
            extra={"unit": "chunks", "advanced": True},
        ),
    ] = 60
    known_weight: Annotated[
        float,
        Meta(
            ge=0,
            le=1,
            title="Weight of meaning",
            description="How much meaning counts against words where the embedder knows the language.",
            extra={"advanced": True},
        ),
    ] = 0.7
    unknown_weight: Annotated[
        float,
        Meta(
            ge=0,
            le=1,
            title="Weight of meaning, unknown language",
            description="The same where the embedder was not made for the language.",
            extra={"advanced": True},
        ),
    ] = 0.3
    unknown_fluency: Annotated[
        float,
        Meta(
            ge=0,
            le=1,
            title="Unknown below",
            description="A language counts as unknown when the embedder's vocabulary takes less than this share of "
            "its words whole.",
            extra={"advanced": True},
        ),
    ] = 0.5
    known_fluency: Annotated[
        float,
        Meta(
            ge=0,
            le=1,
            title="Known above",
            description="A language counts as known when the embedder's vocabulary takes more than this share whole.",
            extra={"advanced": True},
        ),
    ] = 0.8
    feedback: Annotated[
        float,
        Meta(
            ge=0,
            le=2,
            title="Feedback",
            description="How far the question is moved towards the first hits before meaning is measured again.",
            extra={"advanced": True},
        ),
    ] = 0.5
    feedback_hits: Annotated[
        int,
        Meta(
            ge=1,
            le=50,
            title="Feedback hits",
            description="How many first hits the question is moved towards.",
            extra={"unit": "chunks", "advanced": True},
        ),
    ] = 5

    def weight_of_meaning(self, fluency: float) -> float:
        """The weight of meaning in [0, 1] for an embedder's ``fluency`` (see ``embedding.measure_fluency``)."""
        span = max(self.known_fluency - self.unknown_fluency, 1e-9)
        share = min(1.0, max(0.0, (fluency - self.unknown_fluency) / span))
        return self.unknown_weight + share * (self.known_weight - self.unknown_weight)


DEFAULT_CHUNKS = ChunkConfig()
DEFAULT_SEARCH = SearchConfig()
