"""Which documents the answer may lean on."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from workbench.fields import about

Mode = Literal["automatic", "own words", "quoted", "quoted first"]


class RetrievalPart(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which documents the answer may lean on, and how much of them is shown to the model."""

    collection: Annotated[str, about("Documents"), "Name of the collection that questions are answered from."] = ""
    passages: Annotated[
        int,
        about("Passages", ge=0, le=50),
        "How many passages the model is shown; 0 lets the model's size decide (more context hurts a small model).",
    ] = 0
    token_budget: Annotated[
        int,
        about("Room for passages", ge=0, unit="tokens"),
        "How much of the context passages may take; 0 takes half of it.",
    ] = 0
    decline: Annotated[
        bool, about("Say when it is not there"), "Answer that the documents do not hold it rather than guess."
    ] = True
    mode: Annotated[
        Mode,
        about("Answer"),
        "In the model's own words, or as sentences quoted from the passages; automatic quotes for a small model.",
    ] = "automatic"
    revision: int = 0
