"""The process that unpacks an untrusted Parquet or Arrow file, under limits of memory and time.

A few bytes of such a file can stand for gigabytes, so it may die of one. It is given a path and the limits, and writes
frames to stdout: four bytes of length, then a msgpack ``Rows`` or, as the last one, an ``Ending``.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, NoReturn

import msgspec
import psutil

from workbench.base.errors import UserError
from workbench.base.training_environment import require_packages
from workbench.processes.memory_limit import memory_ceiling
from workbench.training.data.rows import ReadingLimits, check_length, refuse

OUT_OF_TIME, OUT_OF_MEMORY = 3, 4
_BATCH_ROWS = 256
_BUFFER_BYTES = 1 << 20
_PIECE_BYTES = 64 << 20
_VALUE_BYTES = 64
"""About the size of a short Python value."""
_LOOK_S = 0.05


class Rows(msgspec.Struct, frozen=True, tag="rows"):
    values: list[dict[str, Any]]


class Ending(msgspec.Struct, frozen=True, tag="ending"):
    """``message`` says why the file is refused; "" where it has been read to its end."""

    message: str = ""
    hint: str = ""


def refuse_memory(path: Path, limits: ReadingLimits) -> NoReturn:
    """Raise the UserError of a file that takes too much."""
    refuse(
        path,
        f"it needs more than {limits.memory_mb:,} MB of memory to be read, or is damaged.",
        "Save it again with smaller row groups, or as JSON Lines.",
    )


def main() -> None:
    path, limits = Path(sys.argv[1]), msgspec.json.decode(sys.argv[2], type=ReadingLimits)
    watchdog = _Watchdog(limits)
    ending = Ending()
    with os.fdopen(os.dup(1), "wb") as out:
        os.dup2(2, 1)  # what a library prints
        try:
            require_packages(f"{path.name}, a {_kind(path)} file,", packages=("pyarrow",))
            with memory_ceiling(limits.memory_mb):
                for rows in _rows(path, limits):
                    frame = msgspec.msgpack.encode(Rows(rows), enc_hook=str)
                    del rows
                    watchdog.pause()  # whoever reads may take their time
                    _write(out, frame)
                    watchdog.go_on()
        except UserError as error:
            ending = Ending(error.message, error.hint)
        except MemoryError:
            os._exit(OUT_OF_MEMORY)
        except BrokenPipeError:
            os._exit(0)
        _write(out, msgspec.msgpack.encode(ending))


def _write(out: IO[bytes], frame: bytes) -> None:
    out.write(len(frame).to_bytes(4, "big") + frame)
    out.flush()


def _kind(path: Path) -> str:
    return "Parquet" if path.suffix.lower() == ".parquet" else "Arrow"


def _rows(path: Path, limits: ReadingLimits) -> Iterator[list[dict[str, Any]]]:
    import pyarrow

    number = unpacked = 0
    batches = _parquet if _kind(path) == "Parquet" else _arrow
    try:
        for batch in batches(path, limits):
            unpacked += sum(map(_python_bytes, batch.columns))
            if unpacked > limits.largest_unpacked_bytes:
                refuse(path, f"unpacked it has more than {limits.largest_unpacked_bytes:,} bytes.")
            for piece in _pieces(batch, limits):
                if piece is None:
                    refuse(path, f"it is longer than {limits.longest_row_bytes:,} characters.", row=number + 1)
                rows = piece.to_pylist()
                for place, row in enumerate(rows):
                    number += 1
                    try:
                        check_length(row, path, limits, number)
                    except UserError:
                        yield rows[:place]
                        raise
                yield rows
    except (pyarrow.ArrowException, OSError, UnicodeDecodeError) as error:
        if isinstance(error, MemoryError):
            raise
        refuse(path, f"it is not a whole {_kind(path)} file: {_first_line(error)}.")


def _parquet(path: Path, limits: ReadingLimits) -> Iterator[Any]:
    """Columns of bytes (pictures, sound) are left out."""
    import pyarrow.parquet

    with pyarrow.parquet.ParquetFile(path, buffer_size=_BUFFER_BYTES) as file:
        names = _readable(file.schema_arrow, path, limits)
        yield from file.iter_batches(batch_size=_BATCH_ROWS, columns=names, use_threads=False)


def _arrow(path: Path, limits: ReadingLimits) -> Iterator[Any]:
    """A file as ``datasets.save_to_disk`` writes it: the Arrow stream, or the Arrow file format."""
    import pyarrow

    with pyarrow.memory_map(str(path)) as source:
        try:
            reader = pyarrow.ipc.open_stream(source)
            batches = iter(reader)
        except pyarrow.ArrowInvalid:
            reader = pyarrow.ipc.open_file(source)
            batches = (reader.get_batch(i) for i in range(reader.num_record_batches))
        names = _readable(reader.schema, path, limits)
        for batch in batches:
            chosen = batch.select(names)
            chosen.validate(full=True)  # offsets that lead out of it would end the process
            yield from (chosen.slice(start, _BATCH_ROWS) for start in range(0, batch.num_rows, _BATCH_ROWS))


def _pieces(batch: Any, limits: ReadingLimits) -> Iterator[Any]:
    """The batch in pieces that are small as Python values; None instead of a row that is too long."""
    size = sum(_python_bytes(column) for column in batch.columns)
    if size <= _PIECE_BYTES:
        yield batch
    elif batch.num_rows > 1:
        half = batch.num_rows // 2
        yield from _pieces(batch.slice(0, half), limits)
        yield from _pieces(batch.slice(half), limits)
    else:
        yield batch if size <= _VALUE_BYTES * limits.longest_row_bytes else None


def _python_bytes(array: Any) -> int:
    """About the size of an array as Python values, with the repetitions of texts that Arrow stores once."""
    import pyarrow
    from pyarrow import compute

    types = pyarrow.types
    if types.is_map(array.type):
        first, last = array.offsets[0].as_py(), array.offsets[-1].as_py()
        inner = sum(_python_bytes(entries.slice(first, last - first)) for entries in (array.keys, array.items))
    elif types.is_list(array.type) or types.is_large_list(array.type):
        inner = _python_bytes(array.flatten())
    elif types.is_struct(array.type):
        inner = sum(map(_python_bytes, array.flatten()))
    elif types.is_dictionary(array.type) and _is_text(array.type.value_type):
        lengths = compute.binary_length(array.dictionary).cast("int64")
        inner = compute.sum(lengths.take(array.indices)).as_py() or 0
    elif _is_text(array.type):
        inner = compute.sum(compute.binary_length(array).cast("int64")).as_py() or 0
    else:
        inner = array.nbytes
    return int(inner) + _VALUE_BYTES * len(array)


def _is_text(kind: Any) -> bool:
    import pyarrow

    types = pyarrow.types
    return any(
        check(kind) for check in (types.is_string, types.is_large_string, types.is_binary, types.is_large_binary)
    )


def _readable(schema: Any, path: Path, limits: ReadingLimits) -> list[str]:
    import pyarrow

    if len(schema.names) > limits.most_columns:
        refuse(path, f"it has {len(schema.names):,} columns; up to {limits.most_columns:,} are read.")
    types = pyarrow.types
    names = [
        field.name
        for field in schema
        if not (types.is_binary(field.type) or types.is_large_binary(field.type) or _holds_bytes(field.type))
    ]
    if not names:
        refuse(path, "none of its columns holds text.")
    return names


def _holds_bytes(kind: Any) -> bool:
    """Pictures and sound are structs of ``bytes`` and ``path``."""
    import pyarrow

    return bool(pyarrow.types.is_struct(kind)) and any(kind.field(i).name == "bytes" for i in range(kind.num_fields))


def _first_line(error: Exception) -> str:
    return str(error).split("\n")[0].rstrip(".") or type(error).__name__


class _Watchdog:
    """Ends the process when a batch takes too long and, where the kernel does not see to that, too much memory."""

    def __init__(self, limits: ReadingLimits) -> None:
        self._limits = limits
        self._began: float | None = time.monotonic()
        threading.Thread(target=self._watch, name="watchdog", daemon=True).start()

    def pause(self) -> None:
        self._began = None

    def go_on(self) -> None:
        self._began = time.monotonic()

    def _watch(self) -> None:
        process = psutil.Process()
        while True:
            time.sleep(_LOOK_S)
            began = self._began
            if began is not None and time.monotonic() - began > self._limits.batch_seconds:
                os._exit(OUT_OF_TIME)
            if sys.platform != "linux":
                memory = process.memory_info()
                if getattr(memory, "private", memory.rss) > self._limits.memory_mb * 1_000_000:
                    os._exit(OUT_OF_MEMORY)
