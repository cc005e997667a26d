"""The agreement of two ways to compute a model, accumulated block by block of logits."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from workbench.records.training import Agreement
from workbench.verification.probe_prompts import Prompt

Floats = NDArray[np.float32]

FARTHEST = 1e9
"""The divergence from what is no number: a finite one, since JSON has no other."""


class Pair:
    """The positions at which two models were compared."""

    def __init__(self, first: str, second: str) -> None:
        self.first, self.second = first, second
        self.positions = self.same = 0
        self._divergence = 0.0

    def add(self, first: Floats, second: Floats) -> None:
        """Logits of the same positions, each (positions, vocabulary)."""
        width = min(first.shape[1], second.shape[1])  # one may have rows for tokens that there are none of
        first, second = first[:, :width], second[:, :width]
        self.positions += len(first)
        self.same += int((first.argmax(axis=1) == second.argmax(axis=1)).sum())
        self._divergence += float(_divergence(first, second).sum())

    @property
    def top1(self) -> float:
        return self.same / self.positions if self.positions else 1.0

    def agreement(self, needed: float) -> Agreement:
        """``needed`` is the share in the long run: chance may take two standard deviations of it, since rounding turns
        over likeliest tokens that were nearly level, and how many of them a few prompts hold is luck."""
        needed = max(0.0, needed - 2 * math.sqrt(needed * (1 - needed) / max(1, self.positions)))
        passed = self.same >= needed * self.positions and np.isfinite(self._divergence)
        return Agreement(
            first=self.first,
            second=self.second,
            top1=self.top1,
            kl=max(0.0, self._divergence / max(1, self.positions)) if np.isfinite(self._divergence) else FARTHEST,
            positions=self.positions,
            needed=needed,
            passed=bool(passed),
        )


Source = Callable[[Sequence[int]], Iterator[Floats]]
"""A model: tokens go in, blocks of logits come out, the same positions in each block whatever the model."""

TRAINED, EXACT, REFERENCE = "trained, in torch", "merged in float32, in llama.cpp", "merged in float32"
SERVED, PLAIN, BASE = "as served", "base, in torch", "base, in llama.cpp"


class Comparison:
    """Prompts go through all models that there are, a block of positions at a time.

    ``trained`` and ``plain`` (without what was trained) are torch's; ``exact`` is the merge with all weights in
    float32, ``reference`` that whose other weights are as the base has them; ``served`` and ``base`` are in llama.cpp.
    """

    def __init__(self) -> None:
        self.trained: Source | None = None
        self.plain: Source | None = None
        self.exact: Source | None = None
        self.reference: Source | None = None
        self.served: Source | None = None
        self.base: Source | None = None
        self.pairs: dict[tuple[str, str], Pair] = {}
        self.counts: dict[str, AnswerCounts] = {}

    def compare(self, prompt: Prompt) -> None:
        sources = {
            TRAINED: self.trained,
            EXACT: self.exact,
            REFERENCE: None if self.reference is self.exact else self.reference,
            SERVED: self.served,
            PLAIN: self.plain,
            BASE: self.base,
        }
        running = {name: source(prompt.tokens) for name, source in sources.items() if source is not None}
        counted = [self.counts.setdefault(name, AnswerCounts()) for name in running if name != PLAIN]
        for counts in counted:
            counts.begin()
        start = 0
        while start < len(prompt.tokens):
            blocks = {name: next(source) for name, source in running.items()}
            for name, block in blocks.items():
                if name != PLAIN:
                    self.counts[name].add(prompt, start, block)
            for first, second in self._compared(running):
                self.pairs.setdefault((first, second), Pair(first, second)).add(blocks[first], blocks[second])
            start += len(blocks[SERVED])
        for counts in counted:
            counts.end(prompt)

    @staticmethod
    def _compared(names: Collection[str]) -> Iterator[tuple[str, str]]:
        reference = next(name for name in (REFERENCE, EXACT, TRAINED, BASE) if name in names)
        for first, second in ((TRAINED, EXACT), (reference, SERVED), (PLAIN, BASE)):
            if first in names and second in names:
                yield first, second


class AnswerCounts:
    """The trained tokens that a model predicts correctly, and the prompts with all of them correct."""

    def __init__(self) -> None:
        self.tokens = self.tokens_right = self.prompts = self.prompts_right = 0
        self._wrong = 0

    def begin(self) -> None:
        self._wrong = 0

    def add(self, prompt: Prompt, start: int, logits: Floats) -> None:
        """Logits of the positions from ``start`` on."""
        stop = min(start + len(logits), len(prompt.tokens) - 1)
        likeliest = logits[: stop - start].argmax(axis=1)
        for place in range(start, stop):
            if prompt.trained[place + 1]:
                self.tokens += 1
                right = int(likeliest[place - start]) == prompt.tokens[place + 1]
                self.tokens_right += right
                self._wrong += not right

    def end(self, prompt: Prompt) -> None:
        if any(prompt.trained):
            self.prompts += 1
            self.prompts_right += self._wrong == 0

    def count(self, metric: str) -> tuple[int, int]:
        """How many of how many."""
        return (self.prompts_right, self.prompts) if metric == "exact_match" else (self.tokens_right, self.tokens)


def _divergence(first: Floats, second: Floats) -> Floats:
    """KL(first || second) at each position, in nats."""
    one = first - first.max(axis=1, keepdims=True)
    two = second - second.max(axis=1, keepdims=True)
    weights = np.exp(one)
    total = weights.sum(axis=1)
    difference = np.einsum("ij,ij->i", weights, one - two) / total
    found: Floats = difference - np.log(total) + np.log(np.exp(two).sum(axis=1))
    return found
