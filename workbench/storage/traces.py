"""Traces: what a model was shown and what it said, as token ids, small enough to be kept with every answer."""

from __future__ import annotations

from typing import Any

import msgspec

from workbench.records.messages import Beam
from workbench.records.stored import Stored


class Trace(msgspec.Struct, frozen=True, kw_only=True):
    """The token ids of a ``prompt`` and of each of an answer's ``sequences``, in the order of the message's own, and
    the steps of its beam search. Which model's tokens they are, with which adapters, is in the message's recipe."""

    prompt: tuple[int, ...]
    sequences: tuple[tuple[int, ...], ...]
    beams: tuple[tuple[Beam, ...], ...] = ()


def _from_1(fields: list[Any]) -> dict[str, Any]:
    """Format 1 was the fields in their order."""
    return dict(zip(("prompt", "sequences", "beams"), fields, strict=False))


TRACE = Stored("record of this answer's tokens", Trace, upgrades={1: _from_1}, packed=True)
"""About two bytes a token."""
