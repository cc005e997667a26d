"""Counts with their noun in the singular or the plural."""

from __future__ import annotations


def counted(count: int, one: str, many: str = "") -> str:
    """``1 file``, ``1,204 files``; ``many`` is the plural where it is more than an s."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"
