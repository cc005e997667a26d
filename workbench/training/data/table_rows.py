"""Rows of tables: CSV (whatever parts its cells), Parquet and Arrow files."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from workbench.files import open_regular
from workbench.training.data.examples import Source
from workbench.training.data.rows import ReadingLimits, Row, check_length, read_lines, refuse

_SAMPLE_BYTES = 64_000
_BATCH_ROWS = 256


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
            yield from _rows(file.iter_batches(batch_size=_BATCH_ROWS, columns=names), path, limits)
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
            pieces = (
                batch.select(names).slice(start, _BATCH_ROWS)
                for batch in batches
                for start in range(0, batch.num_rows, _BATCH_ROWS)
            )
            yield from _rows(pieces, path, limits)
    except (pyarrow.ArrowException, OSError, UnicodeDecodeError) as error:
        refuse(path, f"it is not a whole Arrow file: {_first_line(error)}.")


def _rows(batches: Iterator[Any], path: Path, limits: ReadingLimits) -> Iterator[Row]:
    number = 0
    for batch in batches:
        for values in batch.to_pylist():
            number += 1
            check_length(values, path, limits, number)
            yield Row(values, Source(path=str(path), row=number))


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
