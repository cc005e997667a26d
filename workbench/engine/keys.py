"""What a set of adapters is known by. What was computed with one set is never taken for another's.

A key names the files as they are now and the scales, so that a file that was replaced is another adapter. It also says
how many virtual tokens the set puts before every text: they take room in the context, and nobody but the memory of a
decode context (``slots``) ever sees them.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from workbench.engine.inference_calls import LoraUse
from workbench.errors import UserError
from workbench.gguf.reader import read_gguf
from workbench.gguf.virtual_tokens import check_scale, check_single, count_virtual_tokens


class AdapterKey(NamedTuple):
    """One adapter of a set: its file as it was when asked for (``file_state``), how strongly it counts, and how many
    positions before the text it takes (0 for a LoRA)."""

    path: str
    changed_ns: int
    size: int
    scale: float
    virtual_tokens: int = 0


Key = tuple[AdapterKey, ...]


def make_key(adapters: Sequence[LoraUse]) -> Key:
    """What a set of adapters is known by; those with scale 0 do nothing and are left out.

    Raises UserError when a file is gone or not sound, and for a set with two soft prompts or prefixes, or with one
    of another strength than 1.
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
    """When an adapter's file changed last (nanoseconds), and its size. Raises UserError when it is gone."""
    try:
        stat = os.stat(path)
    except OSError as error:
        raise UserError(f"The adapter {path} is not there any more.", "Take it out of the recipe.") from error
    # one that is put in its place can be of the same time of writing
    return max(stat.st_mtime_ns, stat.st_ctime_ns), stat.st_size


def virtual_tokens(key: Key) -> int:
    """How many positions before every text a set takes."""
    return sum(adapter.virtual_tokens for adapter in key)


@functools.lru_cache(maxsize=256)
def _count(path: str, changed_ns: int, size: int) -> int:
    return count_virtual_tokens(read_gguf(Path(path)))
