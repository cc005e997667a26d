"""Where the words of a text come from: the spans of it that also stand in other texts."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence

SHORTEST_RUN = 3
"""Words in a row that are a copy; Chinese, Japanese and Korean characters count as a word each."""

_WORD = re.compile(
    r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]"
    r"|[^\W_\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+(?:[-'._@:/+%&=?#~][^\W_\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+)*"
)


def find_copies(text: str, sources: Sequence[str]) -> list[tuple[int, int]]:
    """The spans (start, end) of ``text``, in order and apart, whose words stand in the same order in one of the
    sources, case and space aside: of three words and more, of one that is an address, a name or a number (``telling``),
    and of fewer when they are the whole text."""
    words = [(found.start(), found.end(), found[0].casefold()) for found in _WORD.finditer(text)]
    if not words:
        return []
    marked = [False] * len(words)
    for source in sources:
        known = [found[0].casefold() for found in _WORD.finditer(source)]
        places: dict[str, list[int]] = defaultdict(list)
        for place, word in enumerate(known):
            places[word].append(place)
        at = 0
        while at < len(words):
            length = max((_run(words, at, known, place) for place in places.get(words[at][2], ())), default=0)
            run = words[at : at + length]
            if length >= SHORTEST_RUN or length == len(words):
                marked[at : at + length] = [True] * length
            else:
                for offset, (start, end, _) in enumerate(run):
                    marked[at + offset] = marked[at + offset] or telling(text[start:end], first=at + offset == 0)
            at += max(length, 1)
    spans: list[tuple[int, int]] = []
    for place, (start, end, _) in enumerate(words):
        if not marked[place]:
            continue
        if spans and place and marked[place - 1]:
            spans[-1] = spans[-1][0], end
        else:
            spans.append((start, end))
    return spans


def telling(word: str, *, first: bool = False) -> bool:
    """Whether a single word says where it comes from: an address or a path, a figure, or a name, which begins with a
    capital letter in the middle of a text."""
    if len(word) < 2:
        return False
    if any(not letter.isalnum() for letter in word) or any(letter.isdigit() for letter in word):
        return True
    return word[0].isupper() and not first


def _run(words: Sequence[tuple[int, int, str]], at: int, known: Sequence[str], place: int) -> int:
    """The number of words from ``at`` that stand in ``known`` from ``place``."""
    length = 0
    while at + length < len(words) and place + length < len(known) and words[at + length][2] == known[place + length]:
        length += 1
    return length
