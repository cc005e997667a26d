"""Pieces of a request's text as the classifier of roads counts them: parts of words, words and pairs of words, and
pieces of its form, the request with a gap for each word that tells of its subject alone.

Each piece is known by a row of a table of fixed size, its hash (Weinberger et al. 2009, "Feature Hashing for Large
Scale Multitask Learning", arXiv:0902.2206). So a word that was never seen counts by its parts, in any language.
"""

from __future__ import annotations

import math
import re
import zlib
from collections.abc import Collection
from itertools import combinations, pairwise

from workbench.techniques.retrieval.roads.cues import fold

ROWS = 4096
"""Rows of each of the three tables: of parts of words, of words and pairs, and of forms."""
LONGEST_TEXT = 400
"""Characters that are read, from the beginning."""
_SIZES = (2, 3, 4)
_GAP, _FIGURE, _BEGIN, _END = "_", "0", "^", "$"
_APART = 6
"""The most words by which two words of a form are apart that are counted together."""
_TOKEN = re.compile(r"\w+|\?")


def tokens_of(text: str) -> list[str]:
    """The words of a request's beginning, folded, and its question marks."""
    return _TOKEN.findall(fold(text[:LONGEST_TEXT]))


def grams_of(text: str) -> dict[int, float]:
    """The rows of a request's pieces, in [0, 2 ROWS), each with its share: those of each table have the length 1."""
    tokens = tokens_of(text)
    parts = [f" {token} "[at : at + size] for token in tokens for size in _SIZES for at in range(len(token) + 3 - size)]
    words = [*tokens, *(f"{first} {second}" for first, second in pairwise(tokens))]
    return _shares(parts, 0) | _shares(words, ROWS)


def form_of(text: str, known: Collection[str]) -> list[str]:
    """The words of a request that are ``known``, with one gap for the others between two of them: of "Is the Allianz
    quote cheaper than the AXA one?" it keeps "is the _ cheaper than the _ one ?"."""
    form = [_BEGIN]
    for token in tokens_of(text):
        one = token if token in known else _FIGURE if token.isdigit() else _GAP
        if one != _GAP or form[-1] != _GAP:
            form.append(one)
    return [*form, _END]


def form_grams_of(text: str, known: Collection[str]) -> dict[int, float]:
    """The rows of a form's pieces, in [0, ROWS), each with its share: two to four words that follow each other, and
    two that are further apart."""
    form = form_of(text, known)
    pieces = {" ".join(form[at : at + size]) for size in _SIZES for at in range(len(form) + 1 - size)}
    words = [(at, word) for at, word in enumerate(form) if word != _GAP]
    for (at, first), (then, second) in combinations(words, 2):
        if 1 < then - at <= _APART:
            pieces.add(f"{first} .. {second}")
    return _shares(sorted(pieces), 0)


def _shares(pieces: list[str], begin: int) -> dict[int, float]:
    counts: dict[int, int] = {}
    for piece in pieces:
        row = begin + zlib.crc32(piece.encode()) % ROWS
        counts[row] = counts.get(row, 0) + 1
    length = math.sqrt(sum(count * count for count in counts.values()))
    return {row: count / length for row, count in counts.items()}
