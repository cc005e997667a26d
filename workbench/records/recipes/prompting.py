"""What the model is told before the conversation."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

DEFAULT_TECHNIQUE = "direct"


class PromptingPart(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the model is told before the conversation."""

    system: Annotated[
        str, Meta(title="Instructions", description="What the model is told before every conversation.")
    ] = ""
