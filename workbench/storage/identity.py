"""Names of records: short, unique without asking anybody, and in the order of their making."""

from __future__ import annotations

import secrets
import time


def new_id() -> str:
    """20 hexadecimal digits: microseconds since the epoch (13 until the year 2112), then 28 random bits."""
    return f"{time.time_ns() // 1000:013x}{secrets.randbits(28):07x}"
