"""Row: one record of a data file, the limits under which files are read, and their errors."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, NoReturn

import msgspec

from workbench.base.errors import UserError
from workbench.base.files import is_nested_deeper
from workbench.training.data.examples import Source


class Row(msgspec.Struct, frozen=True):
    """A record: its columns, and where it stands."""

    values: dict[str, Any]
    source: Source


class ReadingLimits(msgspec.Struct, frozen=True, kw_only=True):
    """The limits of an untrusted file. ``most_rows`` is for all files of a set together;
    ``largest_unpacked_bytes``, ``memory_mb`` and ``batch_seconds`` (for some rows) are for a Parquet or Arrow file."""

    largest_file_bytes: int = 4 << 30
    longest_row_bytes: int = 1 << 20
    most_rows: int = 2_000_000
    most_columns: int = 1_000
    largest_unpacked_bytes: int = 32 << 30
    memory_mb: int = 2_000
    batch_seconds: float = 60.0


MOST_LEVELS = 400
"""Lists and objects of a row, one within another."""


def refuse(path: Path, what: str, hint: str = "", *, line: int = 0, row: int = 0) -> NoReturn:
    """Raise the UserError that names file, place and fault."""
    place = f", line {line:,}" if line else f", row {row:,}" if row else ""
    raise UserError(f"{path.name}{place}: {what}", hint)


def check_length(values: Any, path: Path, limits: ReadingLimits, row: int) -> None:
    """Raises UserError where the texts of a row, nested ones as well, are longer together than a row may be."""
    check_depth(values, path, row=row)
    if _length(values) > limits.longest_row_bytes:
        refuse(path, f"it is longer than {limits.longest_row_bytes:,} characters.", row=row)


def check_depth(values: Any, path: Path, *, line: int = 0, row: int = 0) -> None:
    """Raises UserError where the values of a row have more than ``MOST_LEVELS`` levels."""
    if is_nested_deeper(values, MOST_LEVELS):
        refuse(path, "its values are nested too deeply.", line=line, row=row)


def _length(value: Any) -> int:
    if isinstance(value, str):
        return len(value)
    if isinstance(value, dict):
        return sum(map(_length, value.values()))
    return sum(map(_length, value)) if isinstance(value, list) else 0


def read_lines(file: IO[bytes], path: Path, limits: ReadingLimits) -> Iterator[tuple[int, str]]:
    """``(number, line)`` with its line end, from 1. Raises UserError for what is no UTF-8 and for a line too long."""
    longest = limits.longest_row_bytes
    number = 0
    while raw := file.readline(longest + 1):
        number += 1
        if len(raw) > longest and not (len(raw) == longest + 1 and raw.endswith(b"\n")):
            refuse(
                path,
                f"it is longer than {longest:,} bytes.",
                "One line holds one example. A file without line ends that is one JSON list needs the ending .json.",
                line=number,
            )
        if number == 1:
            raw = without_mark(raw, path)
        yield number, decode(raw, path, number)


def decode(raw: bytes, path: Path, line: int) -> str:
    """Raises UserError for bytes that are no UTF-8 text. Lone surrogates cannot be in it; NULs are refused."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        byte, place = raw[error.start], error.start + 1
        refuse(path, f"byte {byte:#04x} at place {place:,} is not UTF-8.", "Save the file as UTF-8.", line=line)
    if "\x00" in text:
        refuse(path, "it holds binary data.", "Rename it with the extension of its type.", line=line)
    return text


def without_mark(raw: bytes, path: Path) -> bytes:
    """The beginning of a file without its byte order mark. Raises UserError for that of UTF-16."""
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        refuse(path, "it is UTF-16.", "Save the file as UTF-8.", line=1)
    return raw.removeprefix(b"\xef\xbb\xbf")
