"""What torch says where memory runs out, as one exception. Importing this loads nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def translate_out_of_memory() -> Iterator[None]:
    """Want of memory is a MemoryError, whatever torch calls it: the core, which knows the plan, says what to lower."""
    try:
        yield
    except RuntimeError as error:
        # torch 2.13 has no type of its own for the processor's memory
        said = "can't allocate memory" in str(error) or "not enough memory" in str(error)
        if said or type(error).__name__ == "OutOfMemoryError":
            raise MemoryError(str(error)) from error
        raise
