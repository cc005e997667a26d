"""The contents of a GGUF model or adapter: metadata as bytes, tensors by name, weights by rows as numpy arrays.

``reader`` checks each file; here its bytes are only read, so that what does not change can be copied as it is.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import gguf
import numpy as np
from numpy.typing import NDArray

from workbench.base.errors import UserError
from workbench.base.files import open_regular
from workbench.gguf.ggml_types import TYPES_BY_NAME
from workbench.gguf.reader import GGUF, Tensor, read_gguf, read_pieces

Floats = NDArray[np.float32]

BLOCK = 8 << 20

_ARRAY, _UINT32, _INT32 = 9, 4, 5


@dataclass(frozen=True)
class Stored:
    """A tensor and the file that holds it."""

    tensor: Tensor
    path: Path

    def read(self, first: int, count: int) -> Floats:
        """``count`` rows from row ``first`` on as float32, (count, row length). A row is along the first dimension."""
        kind = gguf.GGMLQuantizationType[self.tensor.type]
        row_bytes = self.tensor.bytes * self.tensor.shape[0] // self.tensor.elements
        with open_regular(self.path) as file:
            raw = np.fromfile(file, np.uint8, count * row_bytes, offset=self.tensor.offset + first * row_bytes)
        with np.errstate(all="ignore"):
            values = gguf.quants.dequantize(raw.reshape(count, row_bytes), kind)
        return np.asarray(values, dtype=np.float32).reshape(count, self.tensor.shape[0])

    def blocks(self) -> Iterator[bytes]:
        """Its bytes as they are, ``BLOCK`` at a time."""
        with open_regular(self.path) as file:
            file.seek(self.tensor.offset)
            left = self.tensor.bytes
            while left:
                block = file.read(min(left, BLOCK))
                if not block:
                    raise UserError(f"{self.path} became shorter while it was read.", "Get the model again.")
                left -= len(block)
                yield block


@dataclass(frozen=True)
class Contents:
    """A model of one or more files, or an adapter. ``tensors`` are those of all files in their order."""

    files: tuple[GGUF, ...]
    tensors: dict[str, Stored]

    @property
    def first(self) -> GGUF:
        return self.files[0]

    @property
    def alignment(self) -> int:
        return self.first.number("general.alignment", 32)

    @cached_property
    def entries(self) -> dict[str, bytes]:
        """The metadata of the first file, each entry's bytes by its name."""
        return {key: self._entry(key) for key in self.first.places}

    def whole_numbers(self, key: str) -> list[int] | None:
        """A list of whole numbers of 32 bits in the metadata, of any length; None when there is none."""
        if key not in self.first.places:
            return None
        raw = self._entry(key)
        start = 8 + len(key.encode())
        kind, item = struct.unpack_from("<II", raw, start) if len(raw) >= start + 16 else (0, 0)
        if kind != _ARRAY or item not in (_UINT32, _INT32):
            return None
        return [int(number) for number in np.frombuffer(raw, "<u4" if item == _UINT32 else "<i4", offset=start + 16)]

    def _entry(self, key: str) -> bytes:
        begin, end = self.first.places[key]
        with open_regular(self.first.path) as file:
            file.seek(begin)
            return file.read(end - begin)


def open_model(path: Path) -> Contents:
    """Find everything in a model, of which ``path`` is any file. Raises UserError when it is not sound."""
    return _contents(read_pieces(path))


def open_single(path: Path) -> Contents:
    """Find everything in one file. Raises UserError when it is not sound."""
    return _contents([read_gguf(path)])


def can_unpack(kind: str) -> bool:
    """Whether the installed ``gguf`` can turn a number format into float32."""
    try:
        row = np.zeros((1, TYPES_BY_NAME[kind].bytes), np.uint8)
        gguf.quants.dequantize(row, gguf.GGMLQuantizationType[kind])
    except (KeyError, NotImplementedError):
        return False
    return True


def _contents(files: list[GGUF]) -> Contents:
    tensors = {tensor.name: Stored(tensor, piece.path) for piece in files for tensor in piece.tensors}
    return Contents(tuple(files), tensors)
