"""Which documents the answer may lean on."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta


class RetrievalPart(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which documents the answer may lean on, and how much of them is shown to the model."""

    collection: Annotated[
        str, Meta(title="Documents", description="Name of the collection that questions are answered from.")
    ] = ""
    passages: Annotated[
        int,
        Meta(
            ge=0,
            le=50,
            title="Passages",
            description="How many passages the model is shown; 0 lets the model's size decide "
            "(more context hurts a small model).",
        ),
    ] = 0
    token_budget: Annotated[
        int,
        Meta(
            ge=0,
            title="Room for passages",
            description="How much of the context passages may take; 0 takes half of it.",
            extra={"unit": "tokens"},
        ),
    ] = 0
    decline: Annotated[
        bool,
        Meta(
            title="Say when it is not there",
            description="Answer that the documents do not hold it rather than guess.",
        ),
    ] = True
    revision: int = 0
