"""The second search: for each of the best hits, search again with the question and the names that the hit adds.

A question that needs two passages often names only the first of them; the first one names the second ("the film was
shot in Leland" -> its title -> its director). A passage that the second search finds counts as much as the hit that led
to it times its own share of the best: both scores are shares of their search's best hit, so that what the first search
has found stays in front where it is better. Iterated retrieval without training: compare Xiong et al. 2021, "Answering
Complex Open-Domain Questions with Multi-Hop Dense Retrieval" (arXiv:2009.12756), whose beam multiplies the scores of
the hops as well. ``benchmarks/multihop.py`` measures the gain; chaining over names that passages share, alone, gained
less, and personalised PageRank over them cost the first hit.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import msgspec

from workbench.records.documents import SearchResult
from workbench.records.messages import Passage

BEST_HITS = 3
"""So many hits are followed; five find no more."""

DISCOUNT = 0.95
"""Of a passage that only the second search finds. From 1.0 on it displaces first hits."""

MOST_NAMES = 40
"""Names of a hit that are searched for."""

_WORD = re.compile(r"[^\W_][\w'’-]*")

Search = Callable[[str, int], SearchResult]


def added_names(question: str, text: str) -> list[str]:
    """The capitalised words and the figures of a text that a question lacks, each once, in their order."""
    asked = {word.casefold() for word in _WORD.findall(question)}
    return [
        word
        for word in dict.fromkeys(_WORD.findall(text))
        if len(word) > 1 and (word[0].isupper() or word[0].isdigit()) and word.casefold() not in asked
    ]


def search_further(question: str, first: Sequence[Passage], search: Search, limit: int) -> tuple[Passage, ...]:
    """The hits of a first search for the question with those of second searches, the best first, at most ``limit``.

    One search for each of the three best hits. Scores are shares of the best hit's, in [0, 1].
    """
    best = first[0].score if first else 0.0
    if best <= 0:
        return tuple(first[:limit])
    found = {_place(hit): msgspec.structs.replace(hit, score=hit.score / best) for hit in first}
    for hit in first[:BEST_HITS]:
        names = added_names(question, hit.text)[:MOST_NAMES]
        if not names:
            continue
        more = [one for one in search(f"{question} {' '.join(names)}", limit).hits if _place(one) != _place(hit)]
        for one in more if more and more[0].score > 0 else ():
            score = DISCOUNT * hit.score / best * one.score / more[0].score
            known = found.get(_place(one))
            if known is None or known.score < score:
                found[_place(one)] = msgspec.structs.replace(known or one, score=score)
    return tuple(sorted(found.values(), key=lambda hit: -hit.score)[:limit])


def _place(passage: Passage) -> tuple[str, int]:
    return passage.document, passage.start
