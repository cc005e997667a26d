"""The retrieval part of a recipe: the documents of an answer."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from workbench.fields import about

Mode = Literal["automatic", "own-words", "quoted", "quoted-first"]


class RetrievalPart(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The collection for an answer, and how much of it the model sees."""

    collection: Annotated[str, about("Documents"), "Name of the collection for answers."] = ""
    passages: Annotated[
        int,
        about("Passages", ge=0, le=50),
        ("Number of passages for the model; 0 chooses by the model's size (more context hurts a small model)."),
    ] = 0
    token_budget: Annotated[
        int,
        about("Passage budget", ge=0, unit="tokens"),
        "Maximum tokens of passages in the context; 0 takes half of it.",
    ] = 0
    decline: Annotated[
        bool, about("Abstain"), "Say so when the documents do not hold the answer, instead of guessing."
    ] = True
    mode: Annotated[
        Mode,
        about("Answer"),
        ("In the model's own words, or as sentences quoted from the passages; automatic quotes for a small model."),
    ] = "automatic"
    revision: int = 0
