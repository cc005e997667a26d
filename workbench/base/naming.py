"""Names that a person gives, and names that are not taken yet."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import chain, count

from workbench.base.errors import UserError


def free_name(name: str, taken: Iterable[str] | Callable[[str], object], before_number: str = " ") -> str:
    """The name, or with the first number from 2 on that makes it free: ``Letter 2``. ``taken`` are names, whatever
    their case, or tells whether a name is one."""
    if not callable(taken):
        used = {one.casefold() for one in taken}
        return free_name(name, lambda one: one.casefold() in used, before_number)
    return next(one for one in chain((name,), (f"{name}{before_number}{n}" for n in count(2))) if not taken(one))


def checked_name(name: str, of: str, longest: int = 80, without: str = "") -> str:
    """The name on one line, as it is stored. Raises UserError for one that is empty, longer or not printable, or holds
    one of the signs ``without``."""
    wanted = " ".join(name.split())
    if not wanted or len(wanted) > longest or not wanted.isprintable() or any(sign in wanted for sign in without):
        signs = f" without {without}" if without else ""
        raise UserError(f"{name!r} is not a valid name of {of}.", f"Use 1 to {longest} characters{signs}.")
    return wanted
