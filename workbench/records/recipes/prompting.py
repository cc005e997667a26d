"""The prompting part of a recipe: the instructions, and the technique that drives the generations."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from workbench.fields import about

DEFAULT_TECHNIQUE = "direct"


class PromptingPart(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the model reads before the conversation, and how it is asked.

    ``technique`` names a method of the registry; ``options`` are fields of that method's own configuration.
    """

    system: Annotated[str, about("Instructions", multiline=True), "Read by the model before every conversation."] = ""
    technique: Annotated[str, about("Technique"), "How the model is asked: once, or in several generations."] = (
        DEFAULT_TECHNIQUE
    )
    options: dict[str, Any] = {}
