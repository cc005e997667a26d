"""Pieces of a request's text as the classifier of roads counts them: parts of words, words and pairs of words.

Each piece is known by a row of a table of fixed size, its hash (Weinberger et al. 2009, "Feature Hashing for Large
Scale Multitask Learning", arXiv:0902.2206). So a word that was never seen counts by its parts, in any language.
"""

from __future__ import annotations

import math
import re
import zlib
from itertools import pairwise

from workbench.techniques.retrieval.roads.cues import fold

ROWS = 4096
"""Rows of each of the two tables: the first is of parts of words, the second of words and pairs."""
LONGEST_TEXT = 400
"""Characters that are read, from the beginning."""
_SIZES = (2, 3, 4)
_TOKEN = re.compile(r"\w+|\?")


def grams_of(text: str) -> dict[int, float]:
    """The rows of a request's pieces, in [0, 2 ROWS), each with its share: those of each table have the length 1."""
    tokens = _TOKEN.findall(fold(text[:LONGEST_TEXT]))
    parts = [f" {token} "[at : at + size] for token in tokens for size in _SIZES for at in range(len(token) + 3 - size)]
    words = [*tokens, *(f"{first} {second}" for first, second in pairwise(tokens))]
    return _shares(parts, 0) | _shares(words, ROWS)


def _shares(pieces: list[str], begin: int) -> dict[int, float]:
    counts: dict[int, int] = {}
    for piece in pieces:
        row = begin + zlib.crc32(piece.encode()) % ROWS
        counts[row] = counts.get(row, 0) + 1
    length = math.sqrt(sum(count * count for count in counts.values()))
    return {row: count / length for row, count in counts.items()}
