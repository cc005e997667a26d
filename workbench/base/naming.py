"""Names that are not taken yet."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import chain, count


def free_name(name: str, taken: Iterable[str] | Callable[[str], object], before_number: str = " ") -> str:
    """The name, or with the first number from 2 on that makes it free: ``Letter 2``. ``taken`` are names, whatever
    their case, or tells whether a name is one."""
    if not callable(taken):
        used = {one.casefold() for one in taken}
        return free_name(name, lambda one: one.casefold() in used, before_number)
    return next(one for one in chain((name,), (f"{name}{before_number}{n}" for n in count(2))) if not taken(one))
