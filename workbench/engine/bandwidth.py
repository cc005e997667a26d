"""The speed of the memory as the processor reads it, which bounds how many tokens a second a model can write."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np

_BYTES = 128 << 20
"""More than any cache holds."""

_ROUNDS = 4


def measure_bandwidth(threads: int) -> float:
    """Bytes per second that ``threads`` threads read together, the best of four rounds (0.1 s)."""
    threads = max(1, threads)
    parts = [np.ones(_BYTES // 4 // threads, dtype=np.float32) for _ in range(threads)]
    read = sum(part.nbytes for part in parts)
    best = 0.0
    with ThreadPoolExecutor(threads) as pool:
        for _ in range(_ROUNDS):
            began = time.perf_counter()
            for _result in pool.map(lambda part: float(np.dot(part, part)), parts):
                pass
            best = max(best, read / max(1e-9, time.perf_counter() - began))
    return best
