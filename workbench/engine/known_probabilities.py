"""The probabilities of texts that were scored, so that texts with the same beginning compute it once.

An evaluation scores many texts that begin alike: the choices after one question, the questions after the same examples.
A token's probability depends on what is before it only. One text waits for another that is being scored when they share
more than is known.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from workbench.api.protocol import RequestContext
from workbench.engine.keys import Key
from workbench.engine.slots import shared_length
from workbench.records.messages import ChosenToken

MOST_ALTERNATIVES = 300_000
"""So many tokens and alternatives are kept, at most 150 bytes each."""

WORTH_WAITING = 32
"""A text waits for another one when it saves more tokens than that."""

_LOOK_S = 0.05


@dataclass(eq=False)
class _Text:
    """``chosen[i]`` is the probability of ``tokens[i + 1]`` after those before it."""

    key: Key
    alternatives: int
    tokens: tuple[int, ...]
    chosen: tuple[ChosenToken, ...] = ()

    @property
    def size(self) -> int:
        return len(self.chosen) * (1 + self.alternatives)


class Scored:
    """A text to be scored: the probabilities of its first tokens are ``known``. Set ``chosen`` to those of all."""

    def __init__(self, known: tuple[ChosenToken, ...]) -> None:
        self.known = known
        self.chosen: tuple[ChosenToken, ...] = ()


class KnownProbabilities:
    """Of one model. Thread-safe."""

    def __init__(self, most: int = MOST_ALTERNATIVES) -> None:
        self._most = most
        self._changed = threading.Condition()  # guards what follows
        self._texts: OrderedDict[int, _Text] = OrderedDict()  # the last used one at the end
        self._under_way: list[_Text] = []
        self._count = 0

    @contextmanager
    def scoring(self, key: Key, alternatives: int, tokens: Sequence[int], context: RequestContext) -> Iterator[Scored]:
        """A text that the block scores with so many alternatives for each token. What is known never includes its last
        token. Raises Cancelled while it waits for another text."""
        mine = _Text(key, alternatives, tuple(tokens))
        with self._changed:
            while True:
                best, shared = self._best(mine)
                if not any(self._shared(mine, other) > shared + WORTH_WAITING for other in self._under_way):
                    break
                self._changed.wait(_LOOK_S)
                context.raise_if_cancelled()
            work = Scored(self._texts[best].chosen[: shared - 1] if best is not None else ())
            if best is not None:
                self._texts.move_to_end(best)
            self._under_way.append(mine)
        try:
            yield work
        finally:
            with self._changed:
                self._under_way.remove(mine)
                mine.chosen = work.chosen
                if mine.chosen:
                    self._keep(mine)
                self._changed.notify_all()

    def _best(self, mine: _Text) -> tuple[int | None, int]:
        """The text that shares most tokens with this one, and how many of them help."""
        number, shared = max(
            ((number, self._shared(mine, text)) for number, text in self._texts.items()),
            key=lambda one: one[1],
            default=(None, 0),
        )
        return (number, shared) if shared > 1 else (None, 0)

    def _shared(self, mine: _Text, other: _Text) -> int:
        if other.key != mine.key or other.alternatives != mine.alternatives:
            return 0
        return min(shared_length(mine.tokens, other.tokens), len(mine.tokens) - 1)

    def _keep(self, text: _Text) -> None:
        self._count += 1
        self._texts[self._count] = text
        while len(self._texts) > 1 and sum(one.size for one in self._texts.values()) > self._most:
            self._texts.popitem(last=False)
