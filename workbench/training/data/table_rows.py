"""Rows of tables: CSV with any delimiter, Parquet and Arrow files."""

from __future__ import annotations

import csv
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import msgspec

from workbench.base.errors import UserError
from workbench.base.files import open_regular
from workbench.base.launching import child_environment, python_command
from workbench.training.data.examples import Source
from workbench.training.data.rows import ReadingLimits, Row, read_lines, refuse
from workbench.training.data.table_process import OUT_OF_TIME, Ending, Rows, refuse_memory

_SAMPLE_BYTES = 64_000


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


def read_columns(path: Path, limits: ReadingLimits) -> Iterator[Row]:
    """The rows of a Parquet or Arrow file, unpacked by a process of its own (``table_process``)."""
    command = python_command("workbench.workers", "--worker", "table")
    command += [str(path.absolute()), msgspec.json.encode(limits).decode()]
    # what is reserved by pools and arenas would count as taken
    environment = {"ARROW_DEFAULT_MEMORY_POOL": "system", "MALLOC_ARENA_MAX": "1"}
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        env={**child_environment(), **environment},
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
    )
    assert process.stdout is not None
    try:
        number = 0
        while True:
            length = int.from_bytes(process.stdout.read(4), "big")
            frame = process.stdout.read(length)
            if not length or len(frame) < length:
                if process.wait() == OUT_OF_TIME:
                    refuse(path, f"some of its rows take more than {limits.batch_seconds:g} s to be unpacked.")
                refuse_memory(path, limits)
            reply = msgspec.msgpack.decode(frame, type=Rows | Ending)
            if isinstance(reply, Ending):
                if reply.message:
                    raise UserError(reply.message, reply.hint)
                return
            for values in reply.values:
                number += 1
                yield Row(values, Source(path=str(path), row=number))
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
