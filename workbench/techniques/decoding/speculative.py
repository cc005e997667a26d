"""Speculative decoding: propose several draft tokens and verify them in one computation.

The model computes the draft tokens together with the last token; each one that equals the model's own choice saves a
computation. The answer is the same, sampled or greedy: each token is chosen from the model's own distribution
(Leviathan et al. 2023, "Fast Inference from Transformers via Speculative Decoding", arXiv:2211.17192).

Draft tokens come from the prompt and the answer so far (prompt lookup: Saxena 2023,
github.com/apoorvumang/prompt-lookup-decoding; Yang et al. 2023, "Inference with Reference", arXiv:2304.04487), or from
a smaller model with the same vocabulary. Their number follows from the recent acceptance rate and the time that
computations of so many tokens take; where drafting does not pay, none are proposed.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Protocol

from workbench.engine.image_tokens import text_length

NGRAM = 3
"""Minimum number of matching last tokens for a draft."""

_SHORTEST_NGRAM = 2
_MEMORY = 0.87
"""Weight of the old estimate with each new observation."""

_LONG_MATCHES = (4, 8)
"""From so many matching tokens on, a match is of the second and of the third quality."""

_FIRST_ESTIMATES = (0.3, 0.6, 0.85)
"""Acceptance rate of each of the three qualities before anything is known of this answer."""

_TRY_AGAIN = 24
"""After so many tokens without drafts, a draft model is tried again."""

_WORTH = 1.05
"""Drafts are made when they promise at least so many times the speed."""


class Drafter(Protocol):
    """A source of draft tokens."""

    costs_time: bool
    """Whether proposing takes a good part of a computation."""

    kind: int
    """Quality of the last draft: 0, 1 or 2 (the best)."""

    def begin(self, tokens: Sequence[int]) -> None: ...

    def propose(self, tokens: Sequence[int], most: int) -> list[int]: ...

    def close(self) -> None: ...


class NgramDrafter:
    """Proposes the tokens that followed an earlier occurrence of the last few tokens."""

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
                found = list(tokens[place : place + most])
                return found[: text_length(found, 0, len(found))]
        return []

    def close(self) -> None:
        self._places.clear()

    def _kind_of(self, tokens: Sequence[int], place: int, size: int) -> int:
        """The number of tokens before ``place`` that match the end."""
        longest = _LONG_MATCHES[-1]
        while size < longest and size < place and tokens[place - size - 1] == tokens[-size - 1]:
            size += 1
        return sum(size >= length for length in _LONG_MATCHES)

    def _learn(self, tokens: Sequence[int]) -> None:
        """Index the tokens by what precedes them, except the last one: nothing follows it yet."""
        for end in range(max(self._read, _SHORTEST_NGRAM), len(tokens)):
            for size in range(_SHORTEST_NGRAM, NGRAM + 1):
                if end >= size:
                    self._places[tuple(tokens[end - size : end])] = end
        self._read = len(tokens)


class DraftLength:
    """The number of draft tokens that pays, from the acceptance rate and the time of computations of so many rows."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._right = list(_FIRST_ESTIMATES)
        self._seconds: dict[int, float] = {}

    def count(self, kind: int) -> int:
        """The number of draft tokens of a quality to propose now; 0 when drafting does not pay."""
        best, most = 0, _WORTH
        right = self._right[kind]
        for count in range(1, self._most + 1):
            gain = sum(right**n for n in range(count + 1)) / self._cost(count + 1)
            if gain > most * 1.01:
                best, most = count, gain
        return best

    def see(self, kind: int, drafted: int, right: int) -> None:
        """``right`` of ``drafted`` were accepted, in order; the one after them, if any, was rejected."""
        share = self._right[kind]
        for _ in range(right):
            share = _MEMORY * share + (1 - _MEMORY)
        if right < drafted:
            share = _MEMORY * share
        self._right[kind] = min(share, 0.98)

    def time(self, rows: int, seconds: float) -> None:
        """Record the time of a computation of ``rows`` tokens. Outliers, due to other work, count little."""
        known = self._seconds.get(rows)
        if known is None:
            # the first one of a size is slower: its buffers are set up
            known = seconds if rows == 1 else min(seconds, self._seconds.get(1, seconds) * _usual_cost(rows))
        self._seconds[rows] = _MEMORY * known + (1 - _MEMORY) * min(seconds, 2 * known)

    def _cost(self, rows: int) -> float:
        """The time of a computation of ``rows`` relative to that of a single row."""
        one, measured = self._seconds.get(1), self._seconds.get(rows)
        if one is None or measured is None:
            return _usual_cost(rows)
        return measured / one


def _usual_cost(rows: int) -> float:
    """On a processor an additional row costs a little less than half of the first; measurements correct this."""
    return 1 + 0.45 * (rows - 1)


class Speculation:
    """Draft tokens for one answer. ``drafted`` were proposed so far, ``accepted`` of them were right.

    With ``always`` at least one draft token is computed beside each token: a deterministic model computes every token
    in batches of 2 to ``most + 1`` rows, whose results are the same to the last bit, while a single row's differ.
    """

    def __init__(self, drafter: Drafter | None, most: int, *, always: bool = False) -> None:
        self.drafted = self.accepted = 0
        self._drafter = drafter
        self._most = most
        self._always = always
        self._pace = DraftLength(most)
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
        """Draft tokens after ``tokens``, at most ``room``."""
        now = time.perf_counter()
        if self._rows:
            self._pace.time(self._rows, now - self._asked_at)
        self._asked_at = now
        draft = self._draft(tokens, room)
        self._rows = 1 + len(draft)
        return draft

    def learn(self, drafted: int, right: int) -> None:
        """``right`` of the last ``drafted`` draft tokens were accepted."""
        if self._padded:
            return
        self.drafted += drafted
        self.accepted += right
        self._pace.see(self._kind, drafted, right)

    def close(self) -> None:
        if self._drafter is not None:
            self._drafter.close()

    def _draft(self, tokens: Sequence[int], room: int) -> list[int]:
        if self._shadow is not None:  # a draft that was not computed still shows the quality of drafts
            self._pace.see(self._kind, 1, int(self._shadow == tokens[-1]))
            self._shadow = None
        self._padded = False
        draft = self._ask(tokens, min(self._most, room))
        if self._always and not draft and room > 0:
            self._padded = True
            return [tokens[-1]]
        return draft

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
        draft = drafter.propose(tokens, room)
        if not draft:
            return []
        self._kind = drafter.kind
        count = max(self._pace.count(self._kind), int(self._always))
        if not count:
            self._shadow = draft[0]
        return draft[:count]
