"""A GGUF file from its pieces: metadata entries, the tensor table, and the zeros between tensors."""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping, Sequence
from typing import BinaryIO

from workbench.gguf.ggml_types import TYPE_NUMBERS, TYPES_BY_NAME
from workbench.gguf.reader import padded

VERSION = 3
_UINT32, _FLOAT32, _BOOL, _STRING, _ARRAY = 4, 6, 7, 8, 9


def text_entry(key: str, value: str) -> bytes:
    return _text(key) + struct.pack("<I", _STRING) + _text(value)


def number_entry(key: str, value: int) -> bytes:
    return _text(key) + struct.pack("<II", _UINT32, value)


def flag_entry(key: str, value: bool) -> bytes:
    return _text(key) + struct.pack("<I?", _BOOL, value)


def float_entry(key: str, value: float) -> bytes:
    return _text(key) + struct.pack("<If", _FLOAT32, value)


def float_array_entry(key: str, values: Sequence[float]) -> bytes:
    return _text(key) + struct.pack(f"<IIQ{len(values)}f", _ARRAY, _FLOAT32, len(values), *values)


def header(entries: Mapping[str, bytes], tensors: Mapping[str, tuple[tuple[int, ...], str]], alignment: int) -> bytes:
    """All of a file up to its weights. ``tensors``: the shape, in ggml's order, and the type of each by its name.

    The weights follow in this order, each filled with zeros up to a multiple of ``alignment``.
    """
    parts = [b"GGUF", struct.pack("<IQQ", VERSION, len(tensors), len(entries)), *entries.values()]
    offset = 0
    for name, (shape, kind) in tensors.items():
        parts += [_text(name), struct.pack(f"<I{len(shape)}Q", len(shape), *shape)]
        parts.append(struct.pack("<IQ", TYPE_NUMBERS[kind], offset))
        offset += padded(size_of(shape, kind), alignment)
    written = b"".join(parts)
    return written + bytes(padded(len(written), alignment) - len(written))


def size_of(shape: tuple[int, ...], kind: str) -> int:
    """The bytes that a tensor takes."""
    block = TYPES_BY_NAME[kind]
    return math.prod(shape) // block.block * block.bytes


def fill(file: BinaryIO, written: int, alignment: int) -> None:
    """Write the zeros after a tensor of ``written`` bytes."""
    file.write(bytes(padded(written, alignment) - written))


def _text(value: str) -> bytes:
    raw = value.encode()
    return struct.pack("<Q", len(raw)) + raw
