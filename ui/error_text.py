"""What went wrong, said to a person."""

from __future__ import annotations

from workbench.errors import FaultElsewhere, UserError


def in_words(error: Exception) -> str:
    """One or two sentences; never the traceback of a fault of ours, never nothing."""
    if isinstance(error, UserError):
        return f"{error.message} {error.hint}".strip()
    if isinstance(error, FaultElsewhere):
        return f"Something went wrong inside the program: {error.message}"
    return str(error).splitlines()[0] if str(error) else type(error).__name__
