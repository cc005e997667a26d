"""Dequantises GGUF blocks, by ggml's own code where it is installed, else by ``gguf``'s in numpy.

ggml's library is opened by itself: neither llama.cpp nor a backend is started for it.
"""

from __future__ import annotations

import ctypes
import functools
import importlib.util
import itertools
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import gguf
import numpy as np
from numpy.typing import NDArray

from workbench.gguf.ggml_types import TENSOR_TYPES, TYPE_NUMBERS

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]
Unpack = Callable[[Bytes, Floats], None]
"""Turn whole rows of blocks, (rows, bytes of a row), into numbers, (rows, row length); both are contiguous."""

_WORTH_SHARING = 1 << 17  # numbers, below which handing them to a second thread takes longer than unpacking them


class _Traits(ctypes.Structure):
    """ggml.h's ``ggml_type_traits``."""

    _fields_ = [
        ("type_name", ctypes.c_char_p),
        ("blck_size", ctypes.c_int64),
        ("blck_size_interleave", ctypes.c_int64),
        ("type_size", ctypes.c_size_t),
        ("is_quantized", ctypes.c_bool),
        ("to_float", ctypes.c_void_p),
        ("from_float_ref", ctypes.c_void_p),
    ]


_ToFloat = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64)


def row_bytes(kind: str, length: int) -> int:
    """The bytes of ``length`` numbers in the format ``kind``."""
    block = TENSOR_TYPES[TYPE_NUMBERS[kind]]
    return length // block.block * block.bytes


def unpack(kind: str, blocks: Bytes, into: Floats, threads: int = 1) -> None:
    """Unpack rows of blocks of the format ``kind``; many of them on ``threads`` threads."""
    function = _unpacker(kind)
    rows = len(into)
    if threads < 2 or rows < 2 or into.size < _WORTH_SHARING:
        function(blocks, into)
        return
    bounds = [rows * part // threads for part in range(threads + 1)]
    parts = [(blocks[first:end], into[first:end]) for first, end in itertools.pairwise(bounds) if first < end]
    waiting = [_pool(threads).submit(function, *part) for part in parts[1:]]
    function(*parts[0])
    for one in waiting:
        one.result()


@functools.cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix="unpack")


@functools.cache
def _unpacker(kind: str) -> Unpack:
    if kind == "F32":
        return _copy
    if kind == "F16":
        return _halves
    traits = _traits(kind)
    if traits is None or not traits.to_float:
        return functools.partial(_by_gguf, gguf.GGMLQuantizationType[kind])
    return functools.partial(_by_ggml, _ToFloat(traits.to_float))


def _copy(blocks: Bytes, into: Floats) -> None:
    into[:] = blocks.view(np.float32)


def _halves(blocks: Bytes, into: Floats) -> None:
    """By torch, which takes a tenth of ggml's or numpy's time for it."""
    import torch

    # as memory of its own: torch warns of a file's that cannot be written
    own = (ctypes.c_uint8 * blocks.nbytes).from_address(blocks.ctypes.data)
    torch.from_numpy(into).copy_(torch.frombuffer(own, dtype=torch.float16).view(into.shape))


def _by_ggml(function: Any, blocks: Bytes, into: Floats) -> None:
    function(blocks.ctypes.data, into.ctypes.data, into.size)


def _by_gguf(kind: gguf.GGMLQuantizationType, blocks: Bytes, into: Floats) -> None:
    with np.errstate(all="ignore"):
        into[:] = gguf.quants.dequantize(blocks, kind)


def _traits(kind: str) -> _Traits | None:
    library = _library()
    block = TENSOR_TYPES[TYPE_NUMBERS[kind]]
    if library is None:
        return None
    found: _Traits = library.ggml_get_type_traits(TYPE_NUMBERS[kind]).contents
    # a ggml that lays the structure out otherwise is not trusted
    return found if (found.blck_size, found.type_size) == (block.block, block.bytes) else None


@functools.cache
def _library() -> Any:
    """ggml's base library as llama-cpp-python brings it, None where it is not found or not as expected."""
    spec = importlib.util.find_spec("llama_cpp")
    if spec is None or spec.origin is None:
        return None
    folder = Path(os.environ.get("LLAMA_CPP_LIB_PATH") or Path(spec.origin).parent / "lib")
    for name in ("libggml-base.so", "libggml-base.dylib", "ggml-base.dll", "libggml-base.dll"):
        if (folder / name).exists():
            try:
                library = ctypes.CDLL(str(folder / name))
                library.ggml_get_type_traits.argtypes = [ctypes.c_int]
                library.ggml_get_type_traits.restype = ctypes.POINTER(_Traits)
            except (OSError, AttributeError):
                return None
            return library
    return None
