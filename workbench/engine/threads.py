"""The number of threads to compute with, from the load of other programs.

llama.cpp's threads wait for each other hundreds of times per token. When another program takes one of their cores, all
wait for the one without: 130 tokens per second become 1 to 20 on two cores, where one thread alone makes 50 to 80. So
one thread less for each core that others use. The count can change the last bits of the logits, so a count that a
person has set is kept.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import NamedTuple

import psutil

INTERVAL_S = 0.4
_BUSY = ("user", "nice", "system", "irq", "softirq", "steal", "interrupt", "dpc")


class ProcessorTimes(NamedTuple):
    """Seconds: the time, the processor time of all programs on the cores available to this one, and its own."""

    at: float
    everyone: float
    own: float


def read_processor() -> ProcessorTimes:
    usable = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else None
    everyone = sum(
        getattr(times, field, 0.0)
        for number, times in enumerate(psutil.cpu_times(percpu=True))
        if usable is None or number in usable
        for field in _BUSY
    )
    own = psutil.Process().cpu_times()
    return ProcessorTimes(time.monotonic(), everyone, own.user + own.system)


class ThreadCount:
    """Call ``begin`` when there is something to compute again, and ``now`` before each computation."""

    def __init__(self, threads: int, read: Callable[[], ProcessorTimes] = read_processor) -> None:
        self._most = threads
        self._threads = threads
        self._read = read
        self._last = read()

    def begin(self) -> None:
        """Measure from now on: earlier load, such as the search for passages, is over."""
        self._last = self._read()

    def now(self) -> int:
        if time.monotonic() - self._last.at >= INTERVAL_S:
            reading = self._read()
            self._threads = free_threads(self._most, self._last, reading)
            self._last = reading
        return self._threads


def free_threads(most: int, before: ProcessorTimes, after: ProcessorTimes) -> int:
    """``most`` threads, less one for each core that other programs used between two readings."""
    others = (after.everyone - before.everyone) - (after.own - before.own)
    busy_cores = max(0.0, others / (after.at - before.at))
    return max(1, most - round(busy_cores))
