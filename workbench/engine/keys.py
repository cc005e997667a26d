"""The key of a set of adapters. Results computed with one set are never reused for another.

A key identifies the files in their present state and the scales: a replaced file is another adapter. It also counts the
virtual tokens that the set puts before every text: they take room in the context, and only the memory of a decode
context (``slots``) sees them.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from workbench.base.errors import UserError
from workbench.engine.inference_calls import LoraUse
from workbench.gguf.reader import read_gguf
from workbench.gguf.virtual_tokens import check_scale, check_single, count_virtual_tokens


class AdapterKey(NamedTuple):
    """One adapter of a set: the state of its file when it was requested (``file_state``), its scale, and the number of
    positions that it takes before the text (0 for a LoRA)."""

    path: str
    changed_ns: int
    size: int
    scale: float
    virtual_tokens: int = 0


Key = tuple[AdapterKey, ...]


def make_key(adapters: Sequence[LoraUse]) -> Key:
    """The key of a set of adapters; adapters with scale 0 have no effect and are left out.

    Raises UserError when a file is missing or damaged, for a set with two soft prompts or prefixes, and for one of
    these with another strength than 1.
    """
    found = []
    for adapter in adapters:
        if adapter.scale == 0:
            continue
        changed_ns, size = file_state(adapter.path)
        count = _count(adapter.path, changed_ns, size)
        if count:
            check_scale(adapter.path, adapter.scale)
        found.append(AdapterKey(adapter.path, changed_ns, size, adapter.scale, count))
    check_single([adapter.path for adapter in found if adapter.virtual_tokens])
    return tuple(sorted(found))


def file_state(path: str) -> tuple[int, int]:
    """An adapter file's modification time (nanoseconds) and size. Raises UserError when it is missing."""
    try:
        stat = os.stat(path)
    except OSError as error:
        raise UserError(
            f"The adapter file {path} is missing.", "Remove the adapter from the recipe, or import it again."
        ) from error
    # a replacement can have the same modification time
    return max(stat.st_mtime_ns, stat.st_ctime_ns), stat.st_size


def virtual_tokens(key: Key) -> int:
    """Number of positions that a set takes before every text."""
    return sum(adapter.virtual_tokens for adapter in key)


@functools.lru_cache(maxsize=256)
def _count(path: str, changed_ns: int, size: int) -> int:
    return count_virtual_tokens(read_gguf(Path(path)))
