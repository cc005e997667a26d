"""How many threads the engine computes with, from what other programs leave of the processor.

llama.cpp's threads wait for each other hundreds of times a token. When another program takes one of their cores, all
wait for the one without: 130 tokens a second become 1 to 20 on two cores, where one thread alone makes 50 to 80. So
for each core that others are busy on, one thread less. The count can change the last bits of the logits, so it stays
as it is where a person has set it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import NamedTuple

import psutil

INTERVAL_S = 0.4
_BUSY = ("user", "nice", "system", "irq", "softirq", "steal", "interrupt", "dpc")


class Reading(NamedTuple):
    """Seconds: the time, what all programs have used of the cores that this one may use, what this one has."""

    at: float
    everyone: float
    own: float


def read_processor() -> Reading:
    usable = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else None
    everyone = sum(
        getattr(times, field, 0.0)
        for number, times in enumerate(psutil.cpu_times(percpu=True))
        if usable is None or number in usable
        for field in _BUSY
    )
    own = psutil.Process().cpu_times()
    return Reading(time.monotonic(), everyone, own.user + own.system)


class ThreadCount:
    """Call ``begin`` when there is something to compute again, and ``now`` before each computation."""

    def __init__(self, threads: int, read: Callable[[], Reading] = read_processor) -> None:
        self._most = threads
        self._threads = threads
        self._read = read
        self._last = read()

    def begin(self) -> None:
        """Look from now on: what others did meanwhile, a search for the passages say, is over."""
        self._last = self._read()

    def now(self) -> int:
        if time.monotonic() - self._last.at >= INTERVAL_S:
            reading = self._read()
            self._threads = threads_beside(self._most, self._last, reading)
            self._last = reading
        return self._threads


def threads_beside(most: int, before: Reading, after: Reading) -> int:
    """``most`` threads, less one for each core that other programs were busy on between two readings."""
    others = (after.everyone - before.everyone) - (after.own - before.own)
    busy_cores = max(0.0, others / (after.at - before.at))
    return max(1, most - round(busy_cores))
