"""Presets: which of them a decoding part has, and what they say."""

from __future__ import annotations

from typing import Any

import msgspec

from workbench.fields import fields_of
from workbench.records.recipes.decoding import DecodingPart

PRESETS: dict[str, dict[str, Any]] = {
    "precise": {"temperature": 0.0},
    "balanced": {"temperature": 0.7, "top_p": 0.9, "min_p": 0.05},
    "creative": {"temperature": 1.1, "top_k": 0, "top_p": 1.0, "min_p": 0.05},
}
"""Ways to choose tokens that go by a name; what they don't say of sampling and repetition is at its default."""

_PRESET_GROUPS = ("strategy", "sampling", "repetition")


def with_preset(part: DecodingPart, name: str) -> DecodingPart:
    """The part with a preset in the place of all that it said of sampling and repetition. Raises KeyError."""
    default = DecodingPart()
    groups = {f.name: f.group for f in fields_of(DecodingPart)}
    values = {f: getattr(default, f) for f, group in groups.items() if group in _PRESET_GROUPS}
    return msgspec.structs.replace(part, **values | PRESETS[name])


def preset_of(part: DecodingPart) -> str | None:
    """The name of the preset that the part has; greedy search is what ``precise`` comes to. None for none."""
    if part.strategy == "greedy":
        part = msgspec.structs.replace(part, strategy="sampling", temperature=0.0)
    return next((name for name in PRESETS if with_preset(part, name) == part), None)
