"""Translates torch's out-of-memory errors into one exception. Importing this loads nothing."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def translate_out_of_memory() -> Iterator[None]:
    """Want of memory is a MemoryError, whatever torch calls it: the core, which knows the plan, says what to lower."""
    try:
        yield
    except RuntimeError as error:
        torch = sys.modules.get("torch")
        of_gpu = torch is not None and isinstance(error, torch.cuda.OutOfMemoryError)
        # torch 2.13 has no type of its own for the processor's memory: c10/core/impl/alloc_cpu.cpp
        if of_gpu or "DefaultCPUAllocator" in str(error):
            raise MemoryError(str(error)) from error
        raise
