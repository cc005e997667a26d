"""The processes of a training: each computes its share of a step, then gradients are summed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import distributed

BUCKET_BYTES = 32 << 20


@dataclass(frozen=True)
class Ranks:
    """This process is number ``rank`` of ``count``. Of one alone nothing is exchanged. Every method is called by all
    of them, in the same order."""

    rank: int = 0
    count: int = 1

    @property
    def leads(self) -> bool:
        return self.rank == 0

    def add_up(self, tensors: Iterable[Any]) -> None:
        """Replace each tensor by the sum over all processes; in place, in buckets."""
        if self.count == 1:
            return
        bucket: list[Any] = []
        size = 0
        for tensor in tensors:
            if bucket and (size >= BUCKET_BYTES or tensor.dtype != bucket[0].dtype):
                _add_up(bucket)
                bucket, size = [], 0
            bucket.append(tensor)
            size += tensor.numel() * tensor.element_size()
        if bucket:
            _add_up(bucket)

    def from_leader(self, values: Sequence[float]) -> list[float]:
        """The numbers as process 0 has them."""
        if self.count == 1:
            return list(values)
        device = "cuda" if distributed.get_backend() == "nccl" else "cpu"
        tensor = torch.tensor(list(values), dtype=torch.float64, device=device)
        distributed.broadcast(tensor, src=0)
        return [float(value) for value in tensor.tolist()]

    def gather(self, value: Any) -> list[Any]:
        """Everyone's value; of our own processes, on this machine or others that were started with it."""
        if self.count == 1:
            return [value]
        found: list[Any] = [None] * self.count
        distributed.all_gather_object(found, value)
        return found

    def assert_differing(self, shard: Sequence[int]) -> None:
        """Raises RuntimeError unless every process has a share of its own."""
        shards = self.gather(tuple(shard))
        places = [place for one in shards for place in one]
        if len(places) != len(set(places)):
            raise RuntimeError(f"the processes do not have shares of their own: {shards}")


def _add_up(bucket: list[Any]) -> None:
    flat = torch.cat([tensor.reshape(-1) for tensor in bucket])
    distributed.all_reduce(flat)
    start = 0
    for tensor in bucket:
        tensor.copy_(flat[start : start + tensor.numel()].view_as(tensor))
        start += tensor.numel()
