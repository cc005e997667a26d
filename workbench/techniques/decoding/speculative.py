"""Speculation: guess several tokens ahead and check them in one computation.

The model computes the guesses together with the last token; as long as what it chooses is what was guessed, a token is
gained. The answer is the same, whether tokens are drawn or taken greedily: each is chosen by the model's own
distribution (Leviathan et al. 2023, "Fast Inference from Transformers via Speculative Decoding", arXiv:2211.17192).

Guesses come from what stands in the prompt and the answer already (prompt lookup: Saxena 2023,
github.com/apoorvumang/prompt-lookup-decoding; Yang et al. 2023, "Inference with Reference", arXiv:2304.04487), or from
a smaller model of the same vocabulary. How many are worth computing follows from how many were right of late and
from how long computations of so many tokens take; where guessing does not pay, none is made.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Protocol

NGRAM = 3
"""How many last tokens have to be the same for a place to be a guess."""

_SHORTEST_NGRAM = 2
_MEMORY = 0.87
"""How much of what was known remains with each new observation."""

_LONG_MATCHES = (4, 8)
"""From so many equal tokens on a place is a better, and a much better, guess."""

_FIRST_ESTIMATES = (0.3, 0.6, 0.85)
"""Which share of guesses of each of the three kinds is right, before anything is known of this answer."""

_TRY_AGAIN = 24
"""After so many tokens without guesses a model that guesses is tried again."""

_WORTH = 1.05
"""Guesses are made when they promise at least so many times the speed."""


class Drafter(Protocol):
    """Says what may come next."""

    costs_time: bool
    """Whether asking it takes a good part of a computation."""

    kind: int
    """How good its last guesses are: 0, 1 or 2 (the best)."""

    def begin(self, tokens: Sequence[int]) -> None: ...

    def propose(self, tokens: Sequence[int], most: int) -> list[int]: ...

    def close(self) -> None: ...


class NgramDrafter:
    """Guesses that what followed the last few tokens before will follow them again."""

    costs_time = False

    def __init__(self) -> None:
        self.kind = 0
        self._places: dict[tuple[int, ...], int] = {}
        self._read = 0

    def begin(self, tokens: Sequence[int]) -> None:
        self._places.clear()
        self._read = 0
        self._learn(tokens)

    def propose(self, tokens: Sequence[int], most: int) -> list[int]:
        self._learn(tokens)
        for size in range(NGRAM, _SHORTEST_NGRAM - 1, -1):
            place = self._places.get(tuple(tokens[-size:]))
            if place is not None:
                self.kind = self._kind_of(tokens, place, size)
                return list(tokens[place : place + most])
        return []

    def close(self) -> None:
        self._places.clear()

    def _kind_of(self, tokens: Sequence[int], place: int, size: int) -> int:
        """How far back what is before ``place`` is what is at the end."""
        longest = _LONG_MATCHES[-1]
        while size < longest and size < place and tokens[place - size - 1] == tokens[-size - 1]:
            size += 1
        return sum(size >= length for length in _LONG_MATCHES)

    def _learn(self, tokens: Sequence[int]) -> None:
        """Note what follows what, but for the last token: nothing follows it yet."""
        for end in range(max(self._read, _SHORTEST_NGRAM), len(tokens)):
            for size in range(_SHORTEST_NGRAM, NGRAM + 1):
                if end >= size:
                    self._places[tuple(tokens[end - size : end])] = end
        self._read = len(tokens)


class Pace:
    """How many guesses pay: from the share that was right and from what computations of so many rows take."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._right = list(_FIRST_ESTIMATES)
        self._seconds: dict[int, float] = {}

    def count(self, kind: int) -> int:
        """How many guesses of a kind to make now; 0 when they do not pay."""
        best, most = 0, _WORTH
        right = self._right[kind]
        for count in range(1, self._most + 1):
            gain = sum(right**n for n in range(count + 1)) / self._cost(count + 1)
            if gain > most * 1.01:
                best, most = count, gain
        return best

    def see(self, kind: int, guessed: int, right: int) -> None:
        """``right`` of ``guessed`` were right, in order; the one after them, if any, was wrong."""
        share = self._right[kind]
        for _ in range(right):
            share = _MEMORY * share + (1 - _MEMORY)
        if right < guessed:
            share = _MEMORY * share
        self._right[kind] = min(share, 0.98)

    def time(self, rows: int, seconds: float) -> None:
        """A computation of ``rows`` tokens took so long. Outliers, work for others, count little."""
        known = self._seconds.get(rows)
        if known is None:
            # the first one of a size is slower: what it needs is set up
            known = seconds if rows == 1 else min(seconds, self._seconds.get(1, seconds) * _usual_cost(rows))
        self._seconds[rows] = _MEMORY * known + (1 - _MEMORY) * min(seconds, 2 * known)

    def _cost(self, rows: int) -> float:
        """How long a computation of ``rows`` takes beside one of a single row."""
        one, measured = self._seconds.get(1), self._seconds.get(rows)
        if one is None or measured is None:
            return _usual_cost(rows)
        return measured / one


def _usual_cost(rows: int) -> float:
    """On a processor a row beside the first costs a little less than half of it; corrected as it is measured."""
    return 1 + 0.45 * (rows - 1)


class Speculation:
    """Guesses for one answer. ``drafted`` were made so far, ``accepted`` of them were right.

    With ``always`` at least one token is computed beside each, right or not: a deterministic model computes every
    token in batches of 2 to ``most + 1`` rows, whose results are the same to the last bit, while a single row's differ.
    """

    def __init__(self, drafter: Drafter | None, most: int, *, always: bool = False) -> None:
        self.drafted = self.accepted = 0
        self._drafter = drafter
        self._most = most
        self._always = always
        self._pace = Pace(most)
        self._shadow: int | None = None
        self._kind = 0
        self._padded = False
        self._idle = 0
        self._asked_at = 0.0
        self._rows = 0

    def begin(self, tokens: Sequence[int]) -> None:
        if self._drafter is not None:
            self._drafter.begin(tokens)

    def propose(self, tokens: Sequence[int], room: int) -> list[int]:
        """Guesses of what follows ``tokens``, at most ``room``."""
        now = time.perf_counter()
        if self._rows:
            self._pace.time(self._rows, now - self._asked_at)
        self._asked_at = now
        guesses = self._guess(tokens, room)
        self._rows = 1 + len(guesses)
        return guesses

    def learn(self, drafted: int, right: int) -> None:
        """``right`` of the last ``drafted`` guesses were right."""
        if self._padded:
            return
        self.drafted += drafted
        self.accepted += right
        self._pace.see(self._kind, drafted, right)

    def close(self) -> None:
        if self._drafter is not None:
            self._drafter.close()

    def _guess(self, tokens: Sequence[int], room: int) -> list[int]:
        if self._shadow is not None:  # a guess that was not computed still shows how good guesses are
            self._pace.see(self._kind, 1, int(self._shadow == tokens[-1]))
            self._shadow = None
        self._padded = False
        guesses = self._ask(tokens, min(self._most, room))
        if self._always and not guesses and room > 0:
            self._padded = True
            return [tokens[-1]]
        return guesses

    def _ask(self, tokens: Sequence[int], room: int) -> list[int]:
        drafter = self._drafter
        if drafter is None or room < 1:
            return []
        if drafter.costs_time:
            count = self._pace.count(drafter.kind)
            if not count:
                self._idle += 1
                if self._idle < _TRY_AGAIN:
                    return []
                self._idle, count = 0, 2
            self._kind = drafter.kind
            return drafter.propose(tokens, min(count, room))
        guesses = drafter.propose(tokens, room)
        if not guesses:
            return []
        self._kind = drafter.kind
        count = max(self._pace.count(self._kind), int(self._always))
        if not count:
            self._shadow = guesses[0]
        return guesses[:count]
