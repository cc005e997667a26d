"""How many bytes a C library writes for a structure that it returns: whether its package declares the same layout."""

from __future__ import annotations

import ctypes
import platform
from typing import Any

_ROOM = 4_096
_FILLS = (0x5A, 0xA5)


def written_bytes(native: Any) -> int:
    """The bytes that a function without arguments writes for the large structure that it returns: the caller gives its
    place as a first, hidden argument (x86-64's calling conventions). 0 where it cannot be measured. ``native`` must be
    a function object of its own (``library[name]``), since its declaration is changed."""
    if platform.machine().lower() not in ("x86_64", "amd64"):
        return 0
    native.argtypes, native.restype = [ctypes.c_void_p], ctypes.c_void_p
    last = 0
    for fill in _FILLS:
        room = (ctypes.c_ubyte * _ROOM)(*([fill] * _ROOM))
        native(ctypes.byref(room))
        last = max([last, *(place + 1 for place in range(_ROOM) if room[place] != fill)])
    return last


def fits_declaration(declared: int, written: int) -> bool:
    """Whether a structure of so many declared bytes can be the one of which so many were written: it ends in up to
    seven bytes that nobody writes."""
    return not written or declared - 8 < written <= declared
