"""Token ids of texts, without the library that makes them: see ``json_tokens``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class Tokens(Protocol):
    """Makes token ids of texts. ``size``: the number of ids; ``special``: how many tokens are put around a text;
    ``unknown``: the id of what the vocabulary does not have."""

    @property
    def size(self) -> int: ...

    @property
    def special(self) -> int: ...

    @property
    def unknown(self) -> int | None: ...

    def ids(self, text: str, longest: int) -> list[int]:
        """With the special tokens, of which and of the text's there are at most ``longest``: its end is cut off."""

    def plain_ids(self, text: str) -> Sequence[int]:
        """All of the text and no special tokens."""

    def decode(self, ids: Sequence[int]) -> str:
        """The text of ids, without special tokens."""
