"""Models that other programs have put on this disk."""

from __future__ import annotations

from typing import Literal

import msgspec

Source = Literal["Ollama", "LM Studio", "Hugging Face"]


class LocalModel(msgspec.Struct, frozen=True, kw_only=True):
    """A model of another program: its file, or its folder. ``known`` is its name in the catalogue, "" where it is not
    in it."""

    name: str
    source: Source
    path: str
    bytes: int
    known: str = ""
