"""Image tokens: numbers that stand for an image's embeddings in a sequence of tokens.

A vision model reads an image as embeddings in the place of tokens. To everything that compares, counts and stores
sequences they are tokens with negative numbers: a number contains which image it is of (``image_number``) and which of
its embeddings it is, so two sequences begin alike only where they show the same image, and the same image has the same
tokens in each process.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

_INDEX_BITS = 16
_NUMBER_BITS = 40
MOST_EMBEDDINGS = 1 << _INDEX_BITS
"""Of one image. The largest that usual models make of one are some thousands."""


def image_number(identity: str) -> int:
    """The number of an image that is read by one projector; ``identity`` names both."""
    return int.from_bytes(hashlib.sha256(identity.encode()).digest()[: _NUMBER_BITS // 8], "big")


def image_token(number: int, index: int) -> int:
    """The token of an image's embedding ``index``, counted from 0."""
    return -1 - (number << _INDEX_BITS | index)


def number_of(token: int) -> int:
    """The number of the image that an image token is of."""
    return (-1 - token) >> _INDEX_BITS


def index_of(token: int) -> int:
    """Which of its image's embeddings an image token is."""
    return (-1 - token) & (MOST_EMBEDDINGS - 1)


def image_numbers(tokens: Iterable[int]) -> list[int]:
    """The numbers of the images in a sequence, each once, in their order."""
    return list(dict.fromkeys(number_of(token) for token in tokens if token < 0))


def text_length(tokens: Sequence[int], start: int, most: int) -> int:
    """How many of the ``most`` tokens from ``start`` on come before the next image token."""
    return next((place - start for place in range(start, start + most) if tokens[place] < 0), most)
