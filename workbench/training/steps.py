"""The steps of a training as a data set of their numbers: which examples each process computes in each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch.utils.data import Dataset

from workbench.records.training import OptimiserPart
from workbench.training.batching import Schedule, count_steps, share_out
from workbench.training.ranks import Ranks
from workbench.training.sequences import TokenSequence, lengths_of


@dataclass(frozen=True)
class Step:
    """One process's share of a step: places of examples. ``weight`` is the sum of the loss weights of the whole step,
    ``tokens`` the number of all its tokens."""

    places: tuple[int, ...]
    weight: int
    tokens: int


class Steps(Dataset):  # type: ignore[misc]  # torch is not followed
    """The steps of a training as a sequence of their numbers. ``weights`` are the loss weights of the examples."""

    def __init__(
        self, train: Sequence[TokenSequence], weights: Sequence[int], part: OptimiserPart, ranks: Ranks
    ) -> None:
        self._ranks = ranks
        examples = len(train)
        batch = min(part.batch_size or default_batch(examples), examples)
        self._schedule = Schedule(examples, batch, part.seed)
        self._count = count_steps(examples, batch, part.epochs, part.max_steps)
        self._lengths = lengths_of(train)
        self._weights = weights

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, number: int) -> Step:
        places = self._schedule.step(number)
        shares = share_out([self._lengths[place] for place in places], self._ranks.count)
        return Step(
            places=tuple(places[place] for place in shares[self._ranks.rank]),
            weight=sum(self._weights[place] for place in places),
            tokens=sum(self._lengths[place] for place in places),
        )


def default_batch(examples: int) -> int:
    """The default batch size."""
    return 8 if examples < 2_000 else 16
