"""The positions of tokens in their sequence, for models that number those of an image in two dimensions (M-RoPE).

Wang et al. 2024, "Qwen2-VL" (arXiv:2409.12191): the embeddings of an image share one position in time and have a row
and a column each; the text after it goes on behind the longer of its sides. So an image takes fewer positions than
embeddings. In other models a token's position is its index.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from workbench.engine.image_tokens import number_of


class Positions:
    """Those of one loaded model. It knows each image that takes fewer positions than embeddings, by its number."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[int, int]] = {}

    def add(self, number: int, embeddings: int, positions: int) -> None:
        """An image of so many ``embeddings``, which follow each other, takes so many ``positions``."""
        self._known[number] = embeddings, positions

    def lost(self, tokens: Sequence[int], index: int) -> int:
        """How many positions ``tokens[index]`` is before its index. Within an image it is the image's first one."""
        lost = 0
        for embeddings, positions, held in self._images(tokens, index):
            whole, part = divmod(held, embeddings)
            lost += whole * (embeddings - positions) + part
        return lost

    def whole(self, tokens: Sequence[int], length: int) -> int:
        """The greatest length up to ``length`` to which a sequence can be truncated: not within an image, whose
        embeddings share their position in time."""
        return length - sum(held % embeddings for embeddings, _, held in self._images(tokens, length))

    def has_images(self, tokens: Sequence[int]) -> bool:
        return bool(self._images(tokens, len(tokens)))

    def _images(self, tokens: Sequence[int], length: int) -> list[tuple[int, int, int]]:
        """Of each image among the first tokens its embeddings, its positions, and how many of its tokens there are."""
        if not self._known or not length or min(first := tokens[:length]) >= 0:
            return []
        counts = Counter(number_of(token) for token in first if token < 0)
        return [(*self._known[number], held) for number, held in counts.items() if number in self._known]
