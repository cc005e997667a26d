"""The choice of a tool by log-probability, corrected for what a small model would choose anyway.

A name is likely or not whatever was asked: so each is compared with its log-probability after a question without
content (contextual calibration, Zhao et al. 2021, arXiv:2102.09690). Words of the question that are in the name of a
tool count for it: a small model hardly sees them. The three weights were chosen on questions of the Berkeley Function
Calling Leaderboard (docs/benchmarks.md).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from workbench.records.messages import Message

NEUTRAL = Message("user", "Hello, how are you?")

WORD = 2.0
"""Nats for each word of the question in a tool's name, of two at most."""

MOST_WORDS = 2
ANSWERING = 0.5
"""How much the calibrated log-probability of answering without a tool counts."""

RESERVE = 1.5
"""Nats by which a tool has to be better than answering, before one was called."""

_COMMON = frozenset(
    {"get", "set", "find", "list", "make", "calc", "calculate", "compute", "show", "fetch", "search", "all", "data"}
    | {"and", "for", "the", "from", "with"}
)
_STEM = 5


def words_of(text: str) -> set[str]:
    """The words of a name or a question, shortened, without those that say nothing."""
    spaced = re.sub(r"([a-z])([A-Z])", r"\1 \2", text).casefold().replace("_", " ")
    return {word[:_STEM] for word in re.findall(r"[^\W\d]{3,}", spaced) if word not in _COMMON}


def best_of(
    names: Sequence[str],
    logprobs: Sequence[float],
    neutral: Sequence[float],
    *,
    answering: str,
    question: str,
    called: bool,
) -> int:
    """The place of the name to choose, one of which may be ``answering``. ``logprobs`` are theirs, ``neutral`` those
    after a question without content. ``called``: a result is there already, and words say nothing any more."""
    asked = words_of(question)

    def value(place: int) -> float:
        gain = logprobs[place] - neutral[place]
        if names[place] == answering:
            return gain if called else ANSWERING * gain + RESERVE
        return gain if called else gain + WORD * min(MOST_WORDS, len(asked & words_of(names[place])))

    return max(range(len(names)), key=value)
