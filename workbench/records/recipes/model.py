"""Which model answers, with what on it."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from workbench.fields import about


class AdapterUse(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A LoRA adapter that is put on the model: the name of one in the home's ``adapters`` folder, or the path of a
    GGUF LoRA file. ``scale`` 0 is the base model. ``sha256`` is filled in when the recipe is resolved."""

    name: str
    scale: Annotated[float, Meta(ge=-10, le=10)] = 1.0
    sha256: str = ""


class ModelPart(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which model answers. ``sha256`` and ``engine`` are filled in when the recipe is resolved."""

    name: Annotated[str, about("Model"), "Name of a model in the catalogue."] = ""
    context_tokens: Annotated[int, about("Context", ge=0, unit="tokens"), "Context length; 0 takes the setting."] = 0
    adapters: tuple[AdapterUse, ...] = ()
    sha256: str = ""
    engine: str = ""
