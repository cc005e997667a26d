"""The weights of one safetensors file, tensor by tensor, as numpy arrays; bfloat16 too, which numpy does not have."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from workbench.errors import UserError
from workbench.models.safetensors import read_header

Floats = NDArray[np.float32]

_FORMATS: dict[str, type[np.generic]] = {"F64": np.float64, "F32": np.float32, "F16": np.float16, "BF16": np.uint16}


class _Place(NamedTuple):
    dtype: str
    shape: tuple[int, ...]
    offset: int


class SafetensorsFile:
    """A file whose header was checked. Only the tensor that is asked for is read."""

    def __init__(self, path: Path) -> None:
        """Raises UserError that names the file when it is not sound."""
        read_header(path)
        self.path = path
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            table: dict[str, Any] = json.loads(file.read(length))
        table.pop("__metadata__", None)
        self._places = {
            name: _Place(entry["dtype"], tuple(entry["shape"]), 8 + length + entry["data_offsets"][0])
            for name, entry in table.items()
        }

    def names(self) -> Iterable[str]:
        return self._places.keys()

    def shape(self, name: str) -> tuple[int, ...]:
        return self._places[name].shape

    def read(self, name: str) -> Floats:
        """A tensor as float32, in its shape. Raises UserError for numbers that are not floating point or not finite."""
        shape = self._places[name].shape
        return self._read(name, 0, int(np.prod(shape, dtype=np.int64))).reshape(shape)

    def read_rows(self, name: str, first: int, count: int) -> Floats:
        """``count`` rows from row ``first`` on, (count, row length); a row runs along the last dimension."""
        width = self._places[name].shape[-1]
        return self._read(name, first * width, count * width).reshape(count, width)

    def _read(self, name: str, first: int, count: int) -> Floats:
        place = self._places[name]
        kind = _FORMATS.get(place.dtype)
        if kind is None:
            raise UserError(
                f"{self.path} stores {name!r} as {place.dtype}; what was trained is F32, F16 or BF16.",
                "Save it again, unquantised.",
            )
        stored = np.dtype(kind).newbyteorder("<")
        raw = np.fromfile(self.path, dtype=stored, count=count, offset=place.offset + first * stored.itemsize)
        if place.dtype == "BF16":
            values = (raw.astype(np.uint32) << 16).view(np.float32)
        else:
            values = raw.astype(np.float32)
        if not np.isfinite(values).all():
            raise UserError(
                f"{self.path} holds numbers in {name!r} that are not finite.", "Its training failed: train it again."
            )
        return values
