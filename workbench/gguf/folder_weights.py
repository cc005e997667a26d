"""The weights of a model in a folder of safetensors, tensor by tensor; and its word vectors, row by row.

Beside the formats of safetensors it reads the blocks of ``folder_blocks``.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.base.errors import UserError
from workbench.base.files import open_regular
from workbench.gguf.folder import weight_files
from workbench.gguf.folder_blocks import BLOCK_BYTES, is_packed, unpacked_width
from workbench.gguf.safetensors import Place, SafetensorsFile

Floats = NDArray[np.float32]

_BYTES = {"F32": 4, "F16": 2, "BF16": 2}


class FolderWeights:
    """The weights in ``folder``, whose config.json is ``config``. Raises UserError when a file is not sound."""

    def __init__(self, folder: Path, config: dict[str, Any]) -> None:
        files = [SafetensorsFile(path) for path in weight_files(folder)]
        self._held = {name: file for file in files for name in file.names()}
        self._packed = is_packed(config)
        self.quantised = bool(config.get("quantization_config")) and not self._packed
        """Packed in a way that is not read here."""

    def names(self) -> set[str]:
        return set(self._held)

    def shape(self, name: str) -> tuple[int, ...]:
        """In numbers, whatever their format."""
        shape = self._held[name].shape(name)
        return (*shape[:-1], unpacked_width(shape[-1])) if self._is_packed(name) else shape

    def read(self, name: str) -> Floats:
        """A tensor as float32, in its shape."""
        file = self._held[name]
        if not self._is_packed(name):
            return file.read(name)
        with self.rows(name) as rows:
            return rows.read(range(rows.words))

    def rows(self, name: str) -> WordVectors:
        """The rows of a matrix, read when they are needed."""
        file = self._held[name]
        return WordVectors(file.path, file.place(name), self._is_packed(name))

    def _is_packed(self, name: str) -> bool:
        return self._packed and self._held[name].place(name).dtype == "U8"


class WordVectors:
    """The rows of a matrix in a file, (words, width). They are read from the file each time: mapped, a vocabulary of
    250,000 words would be counted as this process's memory."""

    def __init__(self, path: Path, place: Place, packed: bool) -> None:
        if len(place.shape) != 2 or not (packed or place.dtype in _BYTES):
            raise UserError(f"{path} has no word vectors that can be read.", "Get the model in another format.")
        self._path, self._place, self._packed = path, place, packed
        self.words = place.shape[0]
        self.width = unpacked_width(place.shape[1]) if packed else place.shape[1]
        self._row_bytes = place.shape[1] if packed else place.shape[1] * _BYTES[place.dtype]
        opened = open_regular(path)
        self._file: io.RawIOBase = opened.detach()

    def __enter__(self) -> WordVectors:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def read(self, rows: Sequence[int]) -> Floats:
        """float32, (len(rows), width). Raises UserError when the file has become shorter, IndexError for a row that it
        does not have."""
        if rows and not 0 <= min(rows) <= max(rows) < self.words:
            raise IndexError(f"{self._path} has {self.words:,} word vectors, and none of number {max(rows):,}")
        raw = bytearray(len(rows) * self._row_bytes)
        view = memoryview(raw)
        for number, row in enumerate(rows):
            self._file.seek(self._place.offset + row * self._row_bytes)
            if self._file.readinto(view[number * self._row_bytes : (number + 1) * self._row_bytes]) != self._row_bytes:
                raise UserError(f"{self._path} became shorter while it was in use.", "Get the model again.")
        stored = np.frombuffer(raw, np.uint8).reshape(len(rows), self._row_bytes)
        if self._packed:
            return _unpack(stored)
        if self._place.dtype == "BF16":
            return (stored.view("<u2").astype(np.uint32) << 16).view(np.float32)
        return stored.view("<f4" if self._place.dtype == "F32" else "<f2").astype(np.float32)

    def close(self) -> None:
        self._file.close()


def _unpack(rows: NDArray[np.uint8]) -> Floats:
    """Rows of Q4_0 blocks, (n, bytes): of each a float16 scale, then 32 numbers of four bits, low halves first."""
    blocks = rows.reshape(len(rows), -1, BLOCK_BYTES)
    scales = blocks[:, :, :2].copy().view("<f2").astype(np.float32)
    halves = blocks[:, :, 2:]
    numbers = np.concatenate([halves & 15, halves >> 4], axis=2).astype(np.float32) - 8
    values: Floats = (numbers * scales).reshape(len(rows), -1)
    return values
