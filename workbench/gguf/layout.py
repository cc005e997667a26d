"""The bytes of a GGUF file: where each metadata entry and each tensor lies, and a file written from such pieces.

Whether a file is sound is checked by ``workbench.gguf.reader`` before; here its bytes are only found, so that what
does not change can be copied as it is.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import gguf
import numpy as np
from numpy.typing import NDArray

from workbench.errors import UserError
from workbench.gguf.ggml_types import TENSOR_TYPES
from workbench.gguf.reader import GGUF, Tensor, read_gguf
from workbench.models.gguf_model import read_pieces

Floats = NDArray[np.float32]

BLOCK = 8 << 20
_NUMBERS = {kind.name: number for number, kind in TENSOR_TYPES.items()}
_SIZES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
_STRING, _ARRAY = 8, 9
_UINT32, _INT32, _FLOAT32 = 4, 5, 6
VERSION = 3


@dataclass(frozen=True)
class Stored:
    """A tensor and where its bytes begin in which file."""

    tensor: Tensor
    path: Path
    offset: int

    def read(self, first: int, count: int) -> Floats:
        """``count`` rows from row ``first`` on as float32, (count, row length). A row is along the first dimension."""
        kind = gguf.GGMLQuantizationType[self.tensor.type]
        row_bytes = self.tensor.bytes * self.tensor.shape[0] // self.tensor.elements
        raw = np.fromfile(self.path, np.uint8, count * row_bytes, offset=self.offset + first * row_bytes)
        with np.errstate(all="ignore"):
            values = gguf.quants.dequantize(raw.reshape(count, row_bytes), kind)
        return np.asarray(values, dtype=np.float32).reshape(count, self.tensor.shape[0])

    def blocks(self) -> Iterator[bytes]:
        """Its bytes as they are, ``BLOCK`` at a time."""
        with self.path.open("rb") as file:
            file.seek(self.offset)
            left = self.tensor.bytes
            while left:
                block = file.read(min(left, BLOCK))
                if not block:
                    raise UserError(f"{self.path} became shorter while it was read.", "Get the model again.")
                left -= len(block)
                yield block


@dataclass(frozen=True)
class Contents:
    """A model of one or more files, or an adapter. ``entries`` are the metadata of the first file, each entry's bytes
    by its name; ``tensors`` are those of all files in their order."""

    files: tuple[GGUF, ...]
    entries: dict[str, bytes]
    tensors: dict[str, Stored]

    @property
    def first(self) -> GGUF:
        return self.files[0]

    @property
    def alignment(self) -> int:
        return self.first.number("general.alignment", 32)


def open_model(path: Path) -> Contents:
    """Find everything in a model, of which ``path`` is any file. Raises UserError when it is not sound."""
    return _contents(read_pieces(path))


def open_single(path: Path) -> Contents:
    """Find everything in one file. Raises UserError when it is not sound."""
    return _contents([read_gguf(path)])


def can_unpack(kind: str) -> bool:
    """Whether the installed ``gguf`` can turn a number format into float32."""
    try:
        row = np.zeros((1, TENSOR_TYPES[_NUMBERS[kind]].bytes), np.uint8)
        gguf.quants.dequantize(row, gguf.GGMLQuantizationType[kind])
    except (KeyError, NotImplementedError):
        return False
    return True


def whole_numbers(contents: Contents, key: str) -> list[int] | None:
    """A list of whole numbers of 32 bits in the metadata, of any length; None when there is none."""
    raw = contents.entries.get(key)
    if raw is None:
        return None
    start = 8 + len(key.encode())
    kind, item = struct.unpack_from("<II", raw, start) if len(raw) >= start + 16 else (0, 0)
    if kind != _ARRAY or item not in (_UINT32, _INT32):
        return None
    return [int(number) for number in np.frombuffer(raw, "<u4" if item == _UINT32 else "<i4", offset=start + 16)]


def text_entry(key: str, value: str) -> bytes:
    return _text(key) + struct.pack("<I", _STRING) + _text(value)


def number_entry(key: str, value: int) -> bytes:
    return _text(key) + struct.pack("<II", _UINT32, value)


def float_entry(key: str, value: float) -> bytes:
    return _text(key) + struct.pack("<If", _FLOAT32, value)


def header(entries: Mapping[str, bytes], tensors: Mapping[str, tuple[tuple[int, ...], str]], alignment: int) -> bytes:
    """All of a file up to its weights. ``tensors``: the shape, in ggml's order, and the type of each by its name.

    The weights follow in this order, each filled with zeros up to a multiple of ``alignment``.
    """
    parts = [b"GGUF", struct.pack("<IQQ", VERSION, len(tensors), len(entries)), *entries.values()]
    offset = 0
    for name, (shape, kind) in tensors.items():
        parts += [_text(name), struct.pack(f"<I{len(shape)}Q", len(shape), *shape)]
        parts.append(struct.pack("<IQ", _NUMBERS[kind], offset))
        offset += padded(size_of(shape, kind), alignment)
    written = b"".join(parts)
    return written + bytes(padded(len(written), alignment) - len(written))


def size_of(shape: tuple[int, ...], kind: str) -> int:
    """The bytes that a tensor takes."""
    block = TENSOR_TYPES[_NUMBERS[kind]]
    return int(np.prod(shape, dtype=np.int64)) // block.block * block.bytes


def padded(size: int, alignment: int) -> int:
    return -(-size // alignment) * alignment


def fill(file: BinaryIO, written: int, alignment: int) -> None:
    """Write the zeros after a tensor of ``written`` bytes."""
    file.write(bytes(padded(written, alignment) - written))


def _contents(files: list[GGUF]) -> Contents:
    tensors: dict[str, Stored] = {}
    entries: dict[str, bytes] = {}
    for number, piece in enumerate(files):
        with piece.path.open("rb") as file:
            found, position = _walk(file, piece)
        if number == 0:
            entries = found
        alignment = piece.number("general.alignment", 32)
        offset = padded(position, alignment)
        for tensor in piece.tensors:
            tensors[tensor.name] = Stored(tensor, piece.path, offset)
            offset += padded(tensor.bytes, alignment)
    return Contents(tuple(files), entries, tensors)


def _walk(file: BinaryIO, piece: GGUF) -> tuple[dict[str, bytes], int]:
    """The bytes of each metadata entry, and where the tensor table ends. The file was checked before."""
    _magic, _version, tensors, count = struct.unpack("<4sIQQ", file.read(24))
    entries: dict[str, bytes] = {}
    for _ in range(count):
        start = file.tell()
        key = file.read(_read(file, "<Q"))
        _skip_value(file, _read(file, "<I"))
        end = file.tell()
        file.seek(start)
        entries[key.decode("utf-8", "replace")] = file.read(end - start)
    for _ in range(tensors):
        file.seek(_read(file, "<Q"), 1)
        file.seek(_read(file, "<I") * 8 + 12, 1)
    return entries, file.tell()


def _skip_value(file: BinaryIO, kind: int) -> None:
    if kind == _STRING:
        file.seek(_read(file, "<Q"), 1)
    elif kind == _ARRAY:
        item = _read(file, "<I")
        count = _read(file, "<Q")
        if item in _SIZES:
            file.seek(_SIZES[item] * count, 1)
        else:
            for _ in range(count):
                _skip_value(file, item)
    else:
        file.seek(_SIZES[kind], 1)


def _read(file: BinaryIO, layout: str) -> Any:
    return struct.unpack(layout, file.read(struct.calcsize(layout)))[0]


def _text(value: str) -> bytes:
    raw = value.encode()
    return struct.pack("<Q", len(raw)) + raw
