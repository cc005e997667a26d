"""The examples of each step and their micro-batches. Pure: no torch.

A step is ``batch`` examples, drawn without putting back: epoch after epoch in an order that depends on the seed and the
number of the epoch alone, so any step can be computed without those before it. Within a step the examples are sorted
by length and cut into micro-batches of rows of similar length. The loss of a step is the sum over all its trained
tokens over their number; so the micro-batches change nothing but memory and time, and the gradient is that of one
padded batch.
"""

from __future__ import annotations

import functools
import math
import random
from collections.abc import Sequence
from dataclasses import dataclass

MICRO_BATCH_COST_TOKENS = 48
"""What a micro-batch costs beyond its tokens, in tokens: below that, splitting saves less padding than it costs."""


MICRO_BATCH_TOKENS = 1024
"""The tokens of a micro-batch where the config leaves them open."""


@dataclass(frozen=True)
class Schedule:
    """Which examples each step takes, of ``examples`` in all. ``batch`` is at most their number."""

    examples: int
    batch: int
    seed: int = 0

    def step(self, number: int) -> tuple[int, ...]:
        """The places of step ``number`` (from 0) in the list of examples."""
        taken: list[int] = []
        place = number * self.batch
        while len(taken) < self.batch:
            epoch, within = divmod(place, self.examples)
            piece = epoch_order(self.examples, self.seed, epoch)[within : within + self.batch - len(taken)]
            taken += piece
            place += len(piece)
        return tuple(taken)


@functools.lru_cache(maxsize=2)  # each step of an epoch asks for it
def epoch_order(examples: int, seed: int, epoch: int) -> tuple[int, ...]:
    """The order in which an epoch takes the examples, a function of its arguments alone."""
    order = list(range(examples))
    random.Random(f"{seed}/{epoch}").shuffle(order)
    return tuple(order)


def count_steps(examples: int, batch: int, epochs: float, steps: int = 0) -> int:
    """The number of steps of a training: ``steps``, or as many as ``epochs`` need; at least 1."""
    return steps or max(1, math.ceil(round(epochs * examples / min(batch, examples), 6)))


def make_micro_batches(lengths: Sequence[int], micro_batch_tokens: int) -> list[list[int]]:
    """Cut examples of these lengths into micro-batches; gives the places in ``lengths``, the longest first.

    A micro-batch is computed as a rectangle, rows times longest row, of at most ``micro_batch_tokens`` (a longer
    example is one by itself). Of all ways to cut the sorted lengths, the one that costs least, counting padding and
    ``MICRO_BATCH_COST_TOKENS`` for each.
    """
    order = sorted(range(len(lengths)), key=lambda place: (-lengths[place], place))
    best: list[float] = [0.0]  # best[n]: the cost of the first n
    cut: list[int] = [0]
    for end in range(1, len(order) + 1):
        found, start_of = math.inf, end - 1
        for start in range(end - 1, -1, -1):
            tokens = (end - start) * lengths[order[start]]
            if tokens > micro_batch_tokens and end - start > 1:
                break
            cost = best[start] + tokens + MICRO_BATCH_COST_TOKENS
            if cost < found:
                found, start_of = cost, start
        best.append(found)
        cut.append(start_of)
    batches: list[list[int]] = []
    end = len(order)
    while end:
        batches.append(order[cut[end] : end])
        end = cut[end]
    return batches[::-1]


def share_out(lengths: Sequence[int], processes: int) -> list[list[int]]:
    """Share examples of these lengths out to processes, balanced by tokens: the longest first, each to the process that
    has the fewest tokens so far. Gives each process's places, ascending; with few examples some get none."""
    shares: list[list[int]] = [[] for _ in range(processes)]
    loads = [0] * processes
    for place in sorted(range(len(lengths)), key=lambda place: (-lengths[place], place)):
        least = min(range(processes), key=lambda process: (loads[process], process))
        shares[least].append(place)
        loads[least] += lengths[place]
    return [sorted(share) for share in shares]
