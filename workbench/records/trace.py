"""The trace of an answer."""

from __future__ import annotations

import msgspec


class TokenIds(msgspec.Struct, frozen=True, kw_only=True):
    """The token ids of a generation: the ``prompt``, and each of the generated ``sequences``, best first."""

    prompt: tuple[int, ...]
    sequences: tuple[tuple[int, ...], ...]
