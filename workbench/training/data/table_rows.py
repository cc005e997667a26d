"""Rows of tables: CSV (whatever parts its cells), Parquet and Arrow files."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

from workbench.files import open_regular
from workbench.memory_limit import memory_ceiling
from workbench.training.data.examples import Source
from workbench.training.data.rows import ReadingLimits, Row, check_length, read_lines, refuse

_SAMPLE_BYTES = 64_000
_BATCH_ROWS = 256
_BUFFER_BYTES = 1 << 20
_PIECE_BYTES = 64 << 20
_VALUE_BYTES = 64
"""About the size of a short Python value."""


def read_csv(path: Path, limits: ReadingLimits) -> Iterator[Row]:
    """The first row names the columns; every other one has as many cells. Raises UserError otherwise."""
    csv.field_size_limit(limits.longest_row_bytes)
    with open_regular(path) as file:
        delimiter = "\t" if path.suffix.lower() == ".tsv" else _delimiter(file.read(_SAMPLE_BYTES))
        file.seek(0)
        reader = csv.reader((text for _, text in read_lines(file, path, limits)), delimiter=delimiter, strict=True)
        names: list[str] = []
        number = 0
        begins = 1
        while True:
            try:
                cells = next(reader, None)
            except csv.Error as error:
                refuse(path, f"it is not a table of separated values: {error}.", _UNCLOSED, line=begins)
            if cells is None:
                return
            line, begins = begins, reader.line_num + 1
            if not cells or not any(cell.strip() for cell in cells):
                continue
            if not names:
                names = _names(cells, path, limits)
                continue
            number += 1
            if len(cells) != len(names):
                refuse(
                    path,
                    f"it has {len(cells):,} cells, and the first row names {len(names):,} columns.",
                    "A cell with a comma, a quote or a line end in it must stand in double quotes.",
                    line=line,
                )
            yield Row(dict(zip(names, cells, strict=True)), Source(path=str(path), line=line, row=number))


_UNCLOSED = "A double quote may have been left open."


def _names(cells: list[str], path: Path, limits: ReadingLimits) -> list[str]:
    names = [cell.strip() for cell in cells]
    if len(names) > limits.most_columns:
        refuse(path, f"it has {len(names):,} columns; up to {limits.most_columns:,} are read.", line=1)
    twice = [name for name, count in Counter(names).items() if count > 1 and name]
    if twice:
        refuse(path, f"two columns are named {twice[0]!r}.", "The first row names the columns.", line=1)
    # an unnamed first column is the index that pandas writes
    return [name or f"column {place}" for place, name in enumerate(names, 1)]


def _delimiter(sample: bytes) -> str:
    """The sign that parts the first rows into the same number of cells, most of them and most cells first."""
    lines = sample.decode("utf-8", "replace").split("\n")[:50]

    def fitness(delimiter: str) -> tuple[int, int]:
        try:
            widths = Counter(len(row) for row in csv.reader(lines, delimiter=delimiter) if row)
        except csv.Error:
            return (0, 0)
        width, rows = max(widths.items(), key=lambda item: (item[0] > 1, item[1]), default=(0, 0))
        return (rows, width) if width > 1 else (0, 0)

    return max((",", ";", "\t", "|"), key=fitness)


def read_parquet(path: Path, limits: ReadingLimits) -> Iterator[Row]:
    """Columns of bytes (pictures, sound) are left out."""
    import pyarrow
    import pyarrow.parquet

    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            groups = [file.metadata.row_group(i).total_byte_size for i in range(file.metadata.num_row_groups)]
            if sum(groups) > limits.largest_file_bytes:
                refuse(path, f"unpacked it has {sum(groups):,} bytes, more than is read.")
            names = _readable(file.schema_arrow, path, limits)
            columns = [file.schema.column(i) for i in range(len(file.schema))]
            texts = [column.path for column in columns if column.logical_type.type == "STRING"]
        # dictionaries, in which equal texts are stored once: the size of the rows is known before they are made
        with pyarrow.parquet.ParquetFile(path, read_dictionary=texts, buffer_size=_BUFFER_BYTES) as file:
            batches = file.iter_batches(batch_size=_BATCH_ROWS, columns=names, use_threads=False)
            yield from _rows(batches, path, limits)
    except MemoryError:
        _refuse_memory(path, limits)
    except (pyarrow.ArrowException, OSError, UnicodeDecodeError) as error:
        refuse(path, f"it is not a whole Parquet file: {_first_line(error)}.")


def read_arrow(path: Path, limits: ReadingLimits) -> Iterator[Row]:
    """A file as ``datasets.save_to_disk`` writes it: the Arrow stream, or the Arrow file format."""
    import pyarrow

    try:
        with pyarrow.memory_map(str(path)) as source:
            try:
                reader = pyarrow.ipc.open_stream(source)
                batches = iter(reader)
            except pyarrow.ArrowInvalid:
                reader = pyarrow.ipc.open_file(source)
                batches = (reader.get_batch(i) for i in range(reader.num_record_batches))
            names = _readable(reader.schema, path, limits)
            yield from _rows((batch.select(names) for batch in batches), path, limits)
    except MemoryError:
        _refuse_memory(path, limits)
    except (pyarrow.ArrowException, OSError, UnicodeDecodeError) as error:
        refuse(path, f"it is not a whole Arrow file: {_first_line(error)}.")


def _refuse_memory(path: Path, limits: ReadingLimits) -> NoReturn:
    refuse(
        path, f"a batch of its rows needs more than {limits.memory_mb:,} MB of memory.", "Remove rows with long values."
    )


def _rows(batches: Iterator[Any], path: Path, limits: ReadingLimits) -> Iterator[Row]:
    number = 0
    while True:
        with memory_ceiling(limits.memory_mb, is_additional=True):
            batch = next(batches, None)
        if batch is None:
            return
        for start in range(0, batch.num_rows, _BATCH_ROWS):
            for piece in _pieces(batch.slice(start, _BATCH_ROWS), limits):
                if piece is None:
                    refuse(path, f"it is longer than {limits.longest_row_bytes:,} characters.", row=number + 1)
                for values in piece.to_pylist():
                    number += 1
                    check_length(values, path, limits, number)
                    yield Row(values, Source(path=str(path), row=number))


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
