"""llama.cpp's saved state of one sequence, parsed: where the keys and values of each token are.

The form, read in the sources of llama.cpp that come with llama-cpp-python 0.3.36 (``llama_kv_cache::state_write``,
https://github.com/ggml-org/llama.cpp/blob/master/src/llama-kv-cache.cpp), all numbers little endian::

    u32 magic, i32 sequence
    u32 streams (1), u32 cells | for each cell: i32 position, u32 count (1), i32 sequence
    u32 values are transposed, u32 layers
    for each layer: i32 type of keys, u64 bytes a row, the rows of the cells
    for each layer: i32 type of values, u64 bytes a row, the rows of the cells;
        transposed: i32 type, u32 bytes a number, u32 numbers a row, and for each of them that of all cells

A model with sliding-window layers has two memories (``llama_kv_cache_iswa``): everything after the first line comes
twice, for the full-attention layers and then for the others.

Memories of other kinds (recurrent states, several positions per token) hold more. ``parse`` reads to the very last byte
and rejects every other form.
"""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.base.errors import UserError

Floats = npt.NDArray[np.float32]

_TYPES: dict[int, npt.DTypeLike] = {0: "<f4", 1: "<f2"}
"""GGML_TYPE_F32 and GGML_TYPE_F16. Quantised memories are rotated as well."""

_HINT = "Set the cache precision to f16 or f32, or train a LoRA instead."


@dataclass(frozen=True)
class LayerRows:
    """The keys, or the values, of a layer: their type and the stored rows, shape (cells, heads x width)."""

    type: int
    rows: npt.NDArray[Any]


@dataclass(frozen=True)
class SequenceState:
    """``start`` are the first eight bytes (a mark, and the number of the sequence). ``keys`` and ``values`` are in the
    order of the layers, cell ``i`` at position ``i``. ``memories`` lists the layers of each memory."""

    start: bytes
    transposed: bool
    memories: tuple[tuple[int, ...], ...]
    keys: tuple[LayerRows, ...]
    values: tuple[LayerRows, ...]

    @classmethod
    def parse(cls, data: Any, windowed: Sequence[bool] = ()) -> SequenceState:
        """``windowed``: for each layer, whether it has a sliding window; empty: none has.

        Raises UserError for another form.
        """
        reader = _Reader(bytes(data))
        start = reader.take(8)
        memories = [tuple(layer for layer, slides in enumerate(windowed) if slides is kind) for kind in (False, True)]
        keys: dict[int, LayerRows] = {}
        values: dict[int, LayerRows] = {}
        read = [_read_memory(reader) for _ in (memories if any(windowed) else [()])]
        if not any(windowed):
            memories = [tuple(range(len(read[0][1])))]
        for layers, (_, its_keys, its_values) in zip(memories, read, strict=True):
            if len(layers) != len(its_keys):
                raise _unknown(f"{len(its_keys)} layers in a memory, not {len(layers)}")
            keys |= dict(zip(layers, its_keys, strict=True))
            values |= dict(zip(layers, its_values, strict=True))
        if reader.left:
            raise _unknown(f"{reader.left} unexpected bytes")
        # a memory without layers says nothing about its form
        transposed = {its for its, held, _ in read if held}
        cells = {len(half.rows) for half in [*keys.values(), *values.values()]}
        if not keys or len(transposed) > 1 or len(cells) > 1:
            raise _unknown(f"different memories of {len(keys)} layers")
        return cls(
            start, transposed.pop(), tuple(memories),
            tuple(keys[layer] for layer in range(len(keys))), tuple(values[layer] for layer in range(len(keys))),
        )  # fmt: skip

    def filled(self, keys: Sequence[Floats], values: Sequence[Floats]) -> Any:
        """The saved state of a sequence with these keys and values, per layer (tokens, heads x width), in place of its
        own. Raises UserError when they do not fit."""
        cells = len(keys[0])
        parts, sequence = [self.start], self.start[4:]
        its_keys, its_values = self._matched(keys, self.keys), self._matched(values, self.values)
        for layers in self.memories:
            parts.append(struct.pack("<II", 1, cells))
            parts += [struct.pack("<iI", position, 1) + sequence for position in range(cells)]
            parts.append(struct.pack("<II", self.transposed, len(layers)))
            for half, rows in (its_keys[layer] for layer in layers):
                stored = _stored(rows, half)
                parts += [struct.pack("<iQ", half.type, stored.itemsize * stored.shape[1]), stored.tobytes()]
            for half, rows in (its_values[layer] for layer in layers):
                stored = _stored(rows, half)
                if self.transposed:
                    parts += [struct.pack("<iII", half.type, stored.itemsize, stored.shape[1]), stored.T.tobytes()]
                else:
                    parts += [struct.pack("<iQ", half.type, stored.itemsize * stored.shape[1]), stored.tobytes()]
        whole = b"".join(parts)
        return (ctypes.c_uint8 * len(whole)).from_buffer_copy(whole)

    def holds(self, keys: Sequence[Floats], values: Sequence[Floats]) -> bool:
        """Whether the state holds exactly these keys and values, as far as its precision goes."""
        return all(
            np.array_equal(half.rows, _stored(rows, half))
            for half, rows in [*self._matched(keys, self.keys), *self._matched(values, self.values)]
        )

    def _matched(self, given: Sequence[Floats], own: Sequence[LayerRows]) -> list[tuple[LayerRows, Floats]]:
        if len(given) != len(own):
            raise UserError(
                f"The prefix has {len(given)} layers; the model's memory has {len(own)}.",
                "Choose an adapter that was trained on this model.",
            )
        for rows, half in zip(given, own, strict=True):
            if rows.shape[1] != half.rows.shape[1]:
                raise UserError(
                    f"The prefix has {rows.shape[1]:,} numbers per token and layer; the model's memory has "
                    f"{half.rows.shape[1]:,}.",
                    "Choose an adapter that was trained on this model.",
                )
        return list(zip(own, given, strict=True))


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def left(self) -> int:
        return len(self._data) - self._at

    def take(self, count: int) -> bytes:
        if count > self.left:
            raise _unknown("fewer bytes than expected")
        self._at += count
        return self._data[self._at - count : self._at]

    def read(self, form: str) -> tuple[Any, ...]:
        return struct.unpack(form, self.take(struct.calcsize(form)))

    def rows(self, cells: int) -> npt.NDArray[Any]:
        kind, size = self.read("<iQ")
        dtype = _dtype(kind)
        if not size or size % dtype.itemsize or size > 1 << 24:
            raise _unknown(f"rows of {size} bytes")
        return np.frombuffer(self.take(cells * size), dtype).reshape(cells, -1)

    def columns(self, cells: int) -> npt.NDArray[Any]:
        kind, size, width = self.read("<iII")
        dtype = _dtype(kind)
        if size != dtype.itemsize or not 0 < width <= 1 << 22:
            raise _unknown(f"{width} numbers of {size} bytes")
        return np.ascontiguousarray(np.frombuffer(self.take(cells * size * width), dtype).reshape(width, cells).T)


def _read_memory(reader: _Reader) -> tuple[bool, list[LayerRows], list[LayerRows]]:
    """Whether values are transposed, and the content of each layer of a memory, in the order of positions."""
    streams, cells = reader.read("<II")
    if streams != 1 or not 0 < cells <= 1 << 20:
        raise _unknown(f"{streams} streams, {cells} cells")
    positions = []
    for _ in range(cells):
        position, sequences, _sequence = reader.read("<iIi")
        if sequences != 1:
            raise _unknown(f"a cell of {sequences} sequences")
        positions.append(position)
    if sorted(positions) != list(range(cells)):
        raise _unknown("positions that are not those of the first tokens")
    transposed, layers = reader.read("<II")
    if transposed > 1 or layers > 1 << 12:
        raise _unknown(f"{layers} layers")
    order = np.argsort(positions)
    keys = [reader.rows(cells)[order] for _ in range(layers)]
    values = [(reader.columns(cells) if transposed else reader.rows(cells))[order] for _ in range(layers)]
    return bool(transposed), [_half(rows) for rows in keys], [_half(rows) for rows in values]


def _stored(rows: Floats, half: LayerRows) -> npt.NDArray[Any]:
    with np.errstate(over="ignore"):
        stored = rows.astype(half.rows.dtype)
    if not np.isfinite(stored).all():
        raise UserError("The prefix has numbers that are too large for the cache precision f16.",
                        "Set the cache precision to f32.")  # fmt: skip
    return stored


def _dtype(kind: int) -> np.dtype[Any]:
    if kind not in _TYPES:
        raise UserError(f"A prefix cannot be stored in a cache of llama.cpp's number format {kind}.", _HINT)
    return np.dtype(_TYPES[kind])


def _half(rows: npt.NDArray[Any]) -> LayerRows:
    return LayerRows(next(number for number, name in _TYPES.items() if np.dtype(name) == rows.dtype), rows)


def _unknown(what: str) -> UserError:
    return UserError(
        f"This version of llama.cpp saves its cache in an unknown form ({what}), so a prefix cannot be loaded into it.",
        "Install llama-cpp-python 0.3.36, or train a LoRA instead.",
    )
