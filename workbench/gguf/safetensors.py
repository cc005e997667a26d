"""One safetensors file: its header, read within limits, and its weights, tensor by tensor, as numpy arrays.

The format: https://github.com/huggingface/safetensors#format. An 8-byte length, a JSON table of tensors, their
bytes without gaps.
"""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

import msgspec

from workbench.base.errors import UserError
from workbench.base.files import open_regular

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

MAX_HEADER_BYTES = 100_000_000  # the format's own limit
MAX_TENSORS = 200_000
MAX_DIMENSIONS = 64  # torch's own limit
MAX_NAME = 4_096

_BITS = {
    "BOOL": 8, "U8": 8, "I8": 8, "F8_E5M2": 8, "F8_E4M3": 8, "F8_E8M0": 8, "U16": 16, "I16": 16, "F16": 16,
    "BF16": 16, "U32": 32, "I32": 32, "F32": 32, "U64": 64, "I64": 64, "F64": 64, "C64": 64,
    "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6,
}  # fmt: skip
_READ_AS = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2"}
_DAMAGED_HINT = "Download or copy it again."


class _Entry(msgspec.Struct):
    dtype: str
    shape: tuple[int, ...]
    data_offsets: tuple[int, int]


_names = msgspec.json.Decoder(dict[str, msgspec.Raw])
_entry = msgspec.json.Decoder(_Entry)


class Place(NamedTuple):
    """A tensor of a file: its number format, its shape and where its bytes begin."""

    dtype: str
    shape: tuple[int, ...]
    offset: int


@dataclass(frozen=True)
class Header:
    """The header of a safetensors file. ``elements`` and ``bytes`` are by number format ("BF16")."""

    path: Path
    size: int
    tensors: dict[str, Place]
    elements: Counter[str]
    bytes: Counter[str]


def read_header(path: Path) -> Header:
    """Read a file's header; check that its tensors fill the file exactly.

    Raises UserError that names the file: empty, something else, truncated, damaged.
    """
    try:
        with open_regular(path) as file:
            return _read(path, file, os.fstat(file.fileno()).st_size)
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror or error}.") from error


def _read(path: Path, file: BinaryIO, size: int) -> Header:
    if size == 0:
        raise UserError(f"{path} is empty.", _DAMAGED_HINT)
    start = file.read(8)
    if start == b"version ":
        raise UserError(f"{path} is a Git LFS pointer, not the model itself.", "Fetch the file with `git lfs pull`.")
    length = int.from_bytes(start, "little")
    if len(start) < 8 or not 2 <= length <= MAX_HEADER_BYTES:
        raise UserError(f"{path} is not a safetensors file.", _DAMAGED_HINT)
    if 8 + length > size:
        raise UserError(f"{path} is cut short: it ends inside its header.", _DAMAGED_HINT)
    try:
        raw = file.read(length)
        if (pairs := raw.count(b":")) > 5 * MAX_TENSORS:  # a tensor's name and what is said of it take four
            raise UserError(f"{path} is damaged: its header has {pairs:,} entries.", _DAMAGED_HINT)
        table = _names.decode(raw)
        table.pop("__metadata__", None)
        if len(table) > MAX_TENSORS:
            raise UserError(f"{path} is damaged: it claims {len(table):,} tensors.", _DAMAGED_HINT)
        entries = {name: _entry.decode(raw) for name, raw in table.items()}
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise UserError(f"{path} is damaged: its header cannot be read ({error}).", _DAMAGED_HINT) from error
    return _checked(path, size, 8 + length, entries)


def _checked(path: Path, size: int, data: int, entries: dict[str, _Entry]) -> Header:
    elements: Counter[str] = Counter()
    taken: Counter[str] = Counter()
    end = 0
    for name, entry in sorted(entries.items(), key=lambda item: item[1].data_offsets):
        if (longest := max(len(name), len(entry.dtype))) > MAX_NAME:
            raise UserError(f"{path} is damaged: a name in its header is {longest:,} characters long.", _DAMAGED_HINT)
        bits = _BITS.get(entry.dtype)
        if bits is None:
            raise UserError(
                f"{path} stores {name!r} in a number format that this version does not know ({entry.dtype}).",
                "Update LLM Workbench.",
            )
        begin, after = entry.data_offsets
        # bounded before they are multiplied: the product of thousands of dimensions takes minutes
        sound = len(entry.shape) <= MAX_DIMENSIONS and all(0 <= length <= 8 * size for length in entry.shape)
        count = math.prod(entry.shape) if sound else 0
        if not sound or begin != end or (after - begin) * 8 != count * bits:
            raise UserError(f"{path} is damaged: the place of {name!r} does not fit its shape.", _DAMAGED_HINT)
        end = after
        elements[entry.dtype] += count
        taken[entry.dtype] += after - begin
    if data + end > size:
        raise UserError(
            f"{path} is cut short: its weights need {data + end:,} bytes and the file has {size:,}.", _DAMAGED_HINT
        )
    if data + end < size:
        raise UserError(f"{path} is damaged: {size - data - end:,} bytes follow its end.", _DAMAGED_HINT)
    places = {name: Place(one.dtype, one.shape, data + one.data_offsets[0]) for name, one in entries.items()}
    return Header(path, size, places, elements, taken)


class SafetensorsFile:
    """A file whose header was checked. Only the tensor that is asked for is read."""

    def __init__(self, path: Path) -> None:
        """Raises UserError that names the file when it is not sound."""
        self.path = path
        self._places = read_header(path).tensors

    def names(self) -> Iterable[str]:
        return self._places.keys()

    def shape(self, name: str) -> tuple[int, ...]:
        return self._places[name].shape

    def place(self, name: str) -> Place:
        return self._places[name]

    def read(self, name: str) -> Floats:
        """A tensor as float32, in its shape. Raises UserError for numbers that are not floating point or not finite."""
        shape = self._places[name].shape
        return self._read(name, 0, math.prod(shape)).reshape(shape)

    def read_int8(self, name: str) -> Floats:
        """A tensor of 8-bit integers (I8) as float32, in its shape."""
        import numpy as np

        place = self._places[name]
        assert place.dtype == "I8"
        with open_regular(self.path) as file:
            values = np.fromfile(file, dtype=np.int8, count=math.prod(place.shape), offset=place.offset)
        return values.reshape(place.shape).astype(np.float32)

    def read_rows(self, name: str, first: int, count: int) -> Floats:
        """``count`` rows from row ``first`` on, (count, row length); a row runs along the last dimension."""
        width = self._places[name].shape[-1]
        return self._read(name, first * width, count * width).reshape(count, width)

    def _read(self, name: str, first: int, count: int) -> Floats:
        import numpy as np

        place = self._places[name]
        kind = _READ_AS.get(place.dtype)
        if kind is None:
            raise UserError(
                f"{self.path} stores {name!r} as {place.dtype}; what was trained is F32, F16 or BF16.",
                "Save it again, unquantised.",
            )
        stored = np.dtype(kind)
        with open_regular(self.path) as file:
            raw = np.fromfile(file, dtype=stored, count=count, offset=place.offset + first * stored.itemsize)
        if place.dtype == "BF16":
            values = (raw.astype(np.uint32) << 16).view(np.float32)
        else:
            values = raw.astype(np.float32)
        if not np.isfinite(values).all():
            raise UserError(
                f"{self.path} holds numbers in {name!r} that are not finite.", "Its training failed: train it again."
            )
        return values
