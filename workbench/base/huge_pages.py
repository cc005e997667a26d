"""Memory in pages of 2 MB, which Linux finds faster than pages of 4 kB: matters where all weights are read for a token.

https://docs.kernel.org/admin-guide/mm/transhuge.html and, for the variable of the GNU C library,
https://sourceware.org/glibc/manual/latest/html_node/Memory-Allocation-Tunables.html.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

_VARIABLE, _TUNABLE = "GLIBC_TUNABLES", "glibc.malloc.hugetlb"
_SETTING = f"{_TUNABLE}=1"
_SYSTEM = Path("/sys/kernel/mm/transparent_hugepage/enabled")


def ask_for_huge_pages() -> dict[str, str]:
    """The variable with which a process is started that is to allocate in such pages; other systems ignore it. Where
    the person has chosen other pages it stays as it is."""
    inherited = os.environ.get(_VARIABLE, "")
    settings = [setting for setting in inherited.split(":") if setting and setting != _SETTING]
    if any(setting.startswith(f"{_TUNABLE}=") for setting in settings):
        return {_VARIABLE: inherited}
    return {_VARIABLE: ":".join([*settings, _SETTING])}


def has_huge_pages() -> bool:
    """Whether large allocations of this process lie in such pages, where enough are free."""
    with contextlib.suppress(OSError):
        allowed = _SYSTEM.read_text()
        return "[always]" in allowed or ("[madvise]" in allowed and _SETTING in os.environ.get(_VARIABLE, ""))
    return False
