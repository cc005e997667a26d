"""A GGUF model of one or more files: metadata and tensor tables, read within limits. The weights are never read.

The format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md (versions 2 and 3, little endian). The file
comes from a stranger: every count and length is checked against what the file can hold before it is believed,
big arrays are walked over without being kept, and what is kept has a budget.
"""

from __future__ import annotations

import math
import os
import re
import struct
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

from workbench.base.errors import UserError
from workbench.base.files import open_regular
from workbench.gguf.ggml_types import REMOVED_TENSOR_TYPES, TENSOR_TYPES

MAGIC = b"GGUF"
VERSIONS = (2, 3)

MAX_KEYS = 65_536
MAX_TENSORS = 200_000
MAX_NAME_BYTES = 65_535
MAX_TEXT_BYTES = 4 * 1024 * 1024
MAX_KEPT_BYTES = 32 * 1024 * 1024
MAX_WALKED_ITEMS = 16_000_000
MAX_NESTING = 4
NESTED_COST = 100  # of a list in a list, as against a text in a list
KEPT_ARRAY_LENGTH = 64
MAX_DIMENSIONS = 4
MAX_PIECES = 1_000

_PIECE = re.compile(r"^(?P<stem>.+)-(?P<number>\d{5})-of-(?P<count>\d{5})\.gguf$", re.IGNORECASE)

_DAMAGED_HINT = "Download or copy it again."
_NEWER_HINT = "Update LLM Workbench, or get the model in another quantisation."

_U32, _U64 = struct.Struct("<I"), struct.Struct("<Q")
_CODES = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_SCALARS = {kind: struct.Struct(f"<{code}") for kind, code in _CODES.items()}
_STRING, _ARRAY = 8, 9


@dataclass(frozen=True)
class Tensor:
    """A row of the tensor table. ``bytes`` is what it takes in the file, which begin at ``offset``."""

    name: str
    shape: tuple[int, ...]
    type: str
    bytes: int
    offset: int = 0

    @property
    def elements(self) -> int:
        return math.prod(self.shape)


@dataclass(frozen=True)
class GGUF:
    """The metadata and tensor table of a GGUF file.

    ``metadata`` holds numbers, texts and short lists. Arrays longer than 64 are left out of it and only counted:
    ``lengths[key]`` is the length of every array, kept or not. ``types[key]`` is the number of each entry's type, and
    ``places[key]`` is where in the file the whole entry begins and ends. ``header_bytes``: where its tensor
    table ends."""

    path: Path
    version: int
    size: int
    metadata: dict[str, Any]
    lengths: dict[str, int]
    tensors: tuple[Tensor, ...]
    types: dict[str, int]
    places: dict[str, tuple[int, int]]
    header_bytes: int = 0

    @property
    def parameters(self) -> int:
        return sum(t.elements for t in self.tensors)

    def bytes_by_type(self) -> Counter[str]:
        """The bytes of weights per number format."""
        counted: Counter[str] = Counter()
        for tensor in self.tensors:
            counted[tensor.type] += tensor.bytes
        return counted

    def text(self, key: str) -> str:
        """A text of the metadata, empty when it is missing or something else."""
        value = self.metadata.get(key)
        return value if isinstance(value, str) else ""

    def texts(self, key: str) -> Iterator[bytes]:
        """The texts of an array of any length, in UTF-8 if they are sound; none when it is missing or something else.

        Raises UserError when the file became another one meanwhile.
        """
        if self.types.get(key) != _ARRAY:
            return
        with open_regular(self.path) as file:
            reader = _Reader(self.path, file, self.size)
            reader.skip(self.places[key][0])
            reader.skip(reader.scalar(_U64) + _U32.size)
            if reader.scalar(_U32) == _STRING:
                yield from reader.texts(reader.scalar(_U64))

    def number(self, key: str, default: int = 0) -> int:
        """A whole, not negative number of the metadata, ``default`` when it is missing or something else."""
        value = self.metadata.get(key)
        return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else default


def read_gguf(path: Path) -> GGUF:
    """Read a file's metadata and tensor table; check that every tensor lies inside the file.

    Raises UserError that names the file and says what is wrong: empty, something else, truncated, damaged,
    big-endian, too old or too new.
    """
    try:
        with open_regular(path) as file:
            return _read(path, file, os.fstat(file.fileno()).st_size)
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror or error}.") from error


def read_pieces(path: Path) -> list[GGUF]:
    """The files of a model, of which ``path`` is any, in their order. Raises UserError when they are not sound."""
    given = read_gguf(path)
    count = given.number("split.count", 1)
    if count <= 1:
        return [given]
    match = _PIECE.match(path.name)
    if match is None or int(match["count"]) != count:
        raise UserError(
            f"{path} is one of {count} files of a split model, but is not named as such.",
            f"Name them NAME-00001-of-{count:05}.gguf and so on, as they were.",
        )
    if count > MAX_PIECES:
        raise UserError(f"{path} is damaged: it claims to be one of {count:,} files.")
    paths = [path.with_name(f"{match['stem']}-{n:05}-of-{count:05}.gguf") for n in range(1, count + 1)]
    missing = [p.name for p in paths if p != path and not p.is_file()]
    if missing:
        listed = ", ".join(missing[:5]) + (" ..." if len(missing) > 5 else "")
        raise UserError(
            f"{path} is one of {count} files, and {len(missing)} of them are not beside it: {listed}.",
            "Put all files of the model into one folder.",
        )
    pieces = [given if p == path else read_gguf(p) for p in paths]
    for index, piece in enumerate(pieces):
        if piece.number("split.count", 1) != count or piece.number("split.no", -1) != index:
            raise UserError(
                f"{piece.path} is not file {index + 1} of {count} of this model, as its name says.",
                "Get the files of one model again.",
            )
    tensors = sum(len(piece.tensors) for piece in pieces)
    declared = pieces[0].number("split.tensors.count", tensors)
    if tensors != declared or len({t.name for piece in pieces for t in piece.tensors}) != tensors:
        raise UserError(
            f"The files of {pieces[0].path} do not belong together: they hold {tensors} tensors of {declared}.",
            "Get the files of one model again.",
        )
    return pieces


def whole_name(path: Path) -> str:
    """The name that a model's file has where it is one: of ``big-00001-of-00003.gguf`` it is ``big.gguf``."""
    match = _PIECE.match(path.name)
    return f"{match['stem']}.gguf" if match else path.name


def _read(path: Path, file: BinaryIO, size: int) -> GGUF:
    reader = _Reader(path, file, size)
    version = _check_magic(path, reader)
    tensor_count, key_count = reader.scalar(_U64), reader.scalar(_U64)
    if key_count > MAX_KEYS:
        reader.damaged(f"it claims {key_count:,} metadata entries")
    # name length, number of dimensions, type and offset: the least that a row of the table takes
    if tensor_count > MAX_TENSORS or tensor_count * 24 > size:
        reader.damaged(f"it claims {tensor_count:,} tensors")
    metadata: dict[str, Any] = {}
    lengths: dict[str, int] = {}
    types: dict[str, int] = {}
    places: dict[str, tuple[int, int]] = {}
    for _ in range(key_count):
        start = reader.position
        key = reader.text(MAX_NAME_BYTES, "a metadata name")
        if key in types:
            reader.damaged(f"the metadata entry {key!r} is there twice")
        types[key] = reader.scalar(_U32)
        value = reader.value(types[key], key)
        places[key] = start, reader.position
        if isinstance(value, _Array):
            lengths[key] = value.count
            if value.items is None:
                continue
            value = value.items
        metadata[key] = value
    tensors = _read_tensors(reader, tensor_count, _alignment(reader, metadata), size)
    return GGUF(path, version, size, metadata, lengths, tensors, types, places, reader.position)


def _check_magic(path: Path, reader: _Reader) -> int:
    if reader.size == 0:
        raise UserError(f"{path} is empty.", _DAMAGED_HINT)
    start = reader.peek(512)
    if start[:4] != MAGIC:
        raise UserError(*_what_it_is(path, start))
    if reader.size < 24:
        raise UserError(f"{path} is cut short: it ends inside its first header.", _DAMAGED_HINT)
    reader.skip(4)
    version: int = reader.scalar(_U32)
    if version & 0xFFFF == 0 and version:
        raise UserError(
            f"{path} is a big-endian GGUF file, which this machine does not read.", "Get the little-endian version."
        )
    if version > VERSIONS[-1]:
        raise UserError(
            f"{path} is written in GGUF version {version}; this program reads versions 2 and 3.", _NEWER_HINT
        )
    if version not in VERSIONS:
        raise UserError(
            f"{path} is written in GGUF version {version}, which nothing has read since 2023.",
            "Get a newer conversion of the model.",
        )
    return version


def _what_it_is(path: Path, start: bytes) -> tuple[str, str]:
    """Why a file is not a GGUF file, as far as its first bytes tell, and what to do."""
    text = start.lstrip().lower()
    if not start.strip(b"\0"):
        return f"{path} is not a GGUF file: it holds only zeros.", _DAMAGED_HINT
    if start.startswith(b"version https://git-lfs"):
        return f"{path} is a Git LFS pointer, not the model itself.", "Fetch the file with `git lfs pull`."
    if text.startswith((b"<!doctype", b"<html")):
        return f"{path} is a web page, not a model.", "Use the download link of the file itself."
    if start[:4] in (b"tjgg", b"lmgg", b"fmgg", b"algg"):
        return f"{path} is a GGML file from before GGUF.", "Get the model as GGUF."
    if start.startswith(b"PK\x03\x04") or start[:2] in (b"\x80\x02", b"\x80\x04", b"\x80\x05"):
        return (
            f"{path} is a zip archive or a Python pickle, not a GGUF file.",
            "Pickles can run code when they are read: get the model as GGUF or safetensors.",
        )
    if len(start) > 9 and start[8:9] == b"{" and int.from_bytes(start[:8], "little") <= 100_000_000:
        return f"{path} is a safetensors file.", "Import the folder that it lies in."
    return f"{path} is not a GGUF file.", "Choose a .gguf file, or a folder with safetensors."


def _alignment(reader: _Reader, metadata: dict[str, Any]) -> int:
    alignment = metadata.get("general.alignment", 32)
    if not isinstance(alignment, int) or not 1 <= alignment <= 1 << 20 or alignment & (alignment - 1):
        reader.damaged(f"its alignment is {alignment!r}")
    return alignment


def _read_tensors(reader: _Reader, count: int, alignment: int, size: int) -> tuple[Tensor, ...]:
    tensors: list[Tensor] = []  # their offsets are counted from where the weights begin
    names: set[str] = set()
    end = 0  # of the last tensor, padded, counted from where the weights begin
    last = 0
    for _ in range(count):
        name = reader.text(MAX_NAME_BYTES, "a tensor name")
        if name in names:
            reader.damaged(f"the tensor {name!r} is there twice")
        names.add(name)
        dimensions = reader.scalar(_U32)
        if dimensions > MAX_DIMENSIONS:
            reader.damaged(f"the tensor {name!r} has {dimensions:,} dimensions")
        shape = tuple(reader.scalar(_U64) for _ in range(dimensions))
        number = reader.scalar(_U32)
        offset = reader.scalar(_U64)
        kind = TENSOR_TYPES.get(number)
        if kind is None:
            _refuse_type(reader.path, name, number)
        elements = math.prod(shape)
        if elements > 1 << 62 or (shape and shape[0] % kind.block):
            reader.damaged(f"the tensor {name!r} has the impossible shape {'x'.join(map(str, shape))}")
        if offset != end:
            reader.damaged(f"the tensor {name!r} does not begin where the one before it ends")
        taken = elements // kind.block * kind.bytes
        last = end + taken
        end = padded(last, alignment)
        tensors.append(Tensor(name, shape, kind.name, taken, offset))
    begin = padded(reader.position, alignment)
    needed = begin + last
    if count and needed > size:
        raise UserError(
            f"{reader.path} is cut short: its weights need {needed:,} bytes and the file has {size:,}.", _DAMAGED_HINT
        )
    return tuple(replace(tensor, offset=begin + tensor.offset) for tensor in tensors)


def _refuse_type(path: Path, tensor: str, number: int) -> NoReturn:
    if number in REMOVED_TENSOR_TYPES:
        raise UserError(
            f"{path} stores {tensor!r} in a number format that llama.cpp has dropped (type {number}).",
            "Get the model in another quantisation.",
        )
    raise UserError(
        f"{path} stores {tensor!r} in a number format that this version does not know (type {number}).", _NEWER_HINT
    )


def padded(position: int, alignment: int) -> int:
    """``position`` rounded up to a multiple of ``alignment``."""
    return -(-position // alignment) * alignment


@dataclass(frozen=True)
class _Array:
    count: int
    items: list[Any] | None = field(default=None)


class _Reader:
    """Reads forward through a file, a block at a time, and never past its end."""

    BLOCK = 1 << 20

    def __init__(self, path: Path, file: BinaryIO, size: int) -> None:
        self.path = path
        self.size = size
        self.position = 0
        self._file = file
        self._block = b""
        self._block_start = 0
        self._kept = 0
        self._walked = 0

    def damaged(self, reason: str) -> NoReturn:
        raise UserError(f"{self.path} is damaged: {reason}.", _DAMAGED_HINT)

    def peek(self, count: int) -> bytes:
        count = min(count, self.size - self.position)
        offset = self._find(count)
        return self._block[offset : offset + count]

    def skip(self, count: int) -> None:
        if count > self.size - self.position:
            self._cut_short()
        self.position += count

    def scalar(self, layout: struct.Struct) -> Any:
        offset = self._find(layout.size)
        self.position += layout.size
        return layout.unpack_from(self._block, offset)[0]

    def text(self, limit: int, what: str) -> str:
        length = self.scalar(_U64)
        if length > self.size - self.position:
            self._cut_short()
        self._kept += length
        if length > limit or self._kept > MAX_KEPT_BYTES:
            self.damaged(f"{what} is {length:,} bytes long")
        offset = self._find(length)
        self.position += length
        return self._block[offset : offset + length].decode("utf-8", errors="replace")

    def value(self, kind: int, key: str) -> Any:
        """A metadata value; an array comes as ``_Array``."""
        if kind in _SCALARS:
            number = self.scalar(_SCALARS[kind])
            # JSON has no NaN and no infinity
            return str(number) if isinstance(number, float) and not math.isfinite(number) else number
        if kind == _STRING:
            return self.text(MAX_TEXT_BYTES, f"the metadata entry {key!r}")
        if kind == _ARRAY:
            return self._array(key)
        self.damaged(f"the metadata entry {key!r} has the unknown type {kind}")

    def _array(self, key: str, depth: int = 0) -> _Array:
        if depth >= MAX_NESTING:
            self.damaged(f"the metadata entry {key!r} is nested too deep")
        kind = self.scalar(_U32)
        count = self.scalar(_U64)
        if kind in _SCALARS:
            least = _SCALARS[kind].size
        elif kind == _STRING:
            least = 8
        elif kind == _ARRAY:
            least = 12
        else:
            self.damaged(f"the metadata entry {key!r} has the unknown type {kind}")
        if count * least > self.size - self.position:
            self._cut_short()
        if kind in _SCALARS and count > KEPT_ARRAY_LENGTH:
            self.skip(count * least)
            return _Array(count)
        self._walked += count * (NESTED_COST if kind == _ARRAY else 1)
        if self._walked > MAX_WALKED_ITEMS:
            self.damaged(f"the metadata entry {key!r} has {count:,} items")
        if kind == _STRING and count > KEPT_ARRAY_LENGTH:
            self._skip_texts(count)
            return _Array(count)
        if kind == _ARRAY:
            for _ in range(count):
                self._array(key, depth + 1)
            return _Array(count)
        return _Array(count, [self.value(kind, key) for _ in range(count)])

    def _skip_texts(self, count: int) -> None:
        unpack = _U64.unpack_from
        while count:
            offset = self._find(8)
            block, last = self._block, len(self._block) - 8
            while count and offset <= last:
                offset += 8 + unpack(block, offset)[0]
                count -= 1
            self.position = self._block_start + offset
            if self.position > self.size:
                self._cut_short()

    def texts(self, count: int) -> Iterator[bytes]:
        """The texts that come next, one after the other."""
        unpack = _U64.unpack_from
        while count:
            offset = self._find(8)
            length = unpack(self._block, offset)[0]
            if length > MAX_TEXT_BYTES:
                self.damaged(f"one of its texts is {length:,} bytes long")
            offset = self._find(8 + length)
            block, last = self._block, len(self._block) - 8
            while count and offset <= last and (end := offset + 8 + unpack(block, offset)[0]) <= last + 8:
                yield block[offset + 8 : end]
                offset = end
                count -= 1
            self.position = self._block_start + offset

    def _find(self, count: int) -> int:
        """The offset in the block of the next ``count`` bytes; reads a new block when they are not in it."""
        if count > self.size - self.position:
            self._cut_short()
        offset = self.position - self._block_start
        if offset + count > len(self._block):
            self._file.seek(self.position)
            self._block = self._file.read(max(count, min(self.BLOCK, self.size - self.position)))
            self._block_start, offset = self.position, 0
            if len(self._block) < count:
                self._cut_short()
        return offset

    def _cut_short(self) -> NoReturn:
        raise UserError(f"{self.path} is cut short or damaged: it ends inside its metadata.", _DAMAGED_HINT)
