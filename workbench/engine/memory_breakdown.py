"""What a context of llama.cpp takes on each device, by llama.cpp's own count.

``llama_get_memory_breakdown`` (llama-ext.h) returns a ``std::map`` from buffer types to bytes. It is exported by the
library that pip builds, under its C++ name, and read here as the two standard libraries lay a map out: a red-black
tree whose nodes hold a key and three sizes. Where the function is missing (Windows) there are no numbers, and the
planner's own estimate is used.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator
from typing import Any

from workbench.engine.library import ggml_function, llama
from workbench.records.fit import MemoryPart

_NAME = "_Z26llama_get_memory_breakdownPK13llama_context"
_MOST_NODES = 256


class _Map(ctypes.Structure):
    """Room for a ``std::map`` of either library: 48 bytes in libstdc++, 24 in libc++. A structure of this size is
    returned in memory that the caller provides, as a class with a destructor is."""

    _fields_ = (("words", ctypes.c_uint64 * 6),)


def can_count() -> bool:
    """Whether this build of llama.cpp tells what it takes."""
    return sys.platform != "win32" and hasattr(llama._lib, _NAME)


def count_memory(context: Any, *, mapped: bool = False) -> tuple[MemoryPart, ...]:
    """The bytes of a context and its model, of each device ("": the processor); () where it cannot be told.

    ``mapped``: of a load without a mapped file, what one with it takes: weights that are repacked for the processor are
    in the mapped file as well.
    """
    if not can_count():
        return ()
    parts: dict[str, list[int]] = {}
    for buffer_type, *sizes in _read_breakdown(context):
        known = parts.setdefault(_device(buffer_type), [0, 0, 0])
        if mapped and not _device(buffer_type) and not _is_host(buffer_type):
            known[0] += sizes[0]
        for place, size in enumerate(sizes):
            known[place] += size
    return tuple(
        MemoryPart(device=device, weights=weights, cache=cache, computing=computing)
        for device, (weights, cache, computing) in sorted(parts.items())
    )


def count_repacked(context: Any) -> int:
    """The bytes of a model's weights that are repacked for the processor, in memory of their own; 0 where it cannot be
    told."""
    if not can_count():
        return 0
    return sum(
        weights
        for buffer_type, weights, *_ in _read_breakdown(context)
        if not _device(buffer_type) and not _is_host(buffer_type)
    )


def _read_breakdown(context: Any) -> list[list[int]]:
    """Buffer type, and bytes of weights, cache and intermediate results in it."""
    function = getattr(llama._lib, _NAME)
    function.argtypes, function.restype = [ctypes.c_void_p], _Map
    return list(_entries(function(context)))


def _entries(found: _Map) -> Iterator[list[int]]:
    """Key, model, context and computing of each node, and frees the nodes."""
    free = llama._lib["_ZdlPv"]
    free.argtypes, free.restype = [ctypes.c_void_p], None
    if sys.platform == "darwin":  # libc++: begin node, root, size; left, right, parent, colour, value
        root, count, left, right, value = found.words[1], found.words[2], 0, 1, 4
    else:  # libstdc++: compare, colour, root, leftmost, rightmost, size; colour, parent, left, right, value
        root, count, left, right, value = found.words[2], found.words[5], 2, 3, 4
    waiting, seen = [root] if root else [], 0
    while waiting:
        seen += 1
        if seen > min(count, _MOST_NODES):
            raise RuntimeError("the map of llama_get_memory_breakdown has another layout")
        address = waiting.pop()
        words = list((ctypes.c_uint64 * 8).from_address(address))
        waiting += [child for child in (words[left], words[right]) if child]
        yield words[value : value + 4]
        free(address)


def _device(buffer_type: int) -> str:
    if _is_host(buffer_type):
        return ""
    device = ggml_function("ggml_backend_buft_get_device", ctypes.c_void_p, ctypes.c_void_p)(buffer_type)
    if not device:
        return ""
    name: bytes = ggml_function("ggml_backend_dev_name", ctypes.c_char_p, ctypes.c_void_p)(device)
    kind = ggml_function("ggml_backend_dev_type", ctypes.c_int, ctypes.c_void_p)(device)
    return name.decode("utf-8", "replace") if kind else ""


def _is_host(buffer_type: int) -> bool:
    return bool(ggml_function("ggml_backend_buft_is_host", ctypes.c_bool, ctypes.c_void_p)(buffer_type))
