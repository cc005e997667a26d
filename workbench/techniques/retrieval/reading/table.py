"""Tables: a line per row that names each value's column; and tables in text files (csv, tsv).

``Name: Westkapelle | Height: 52``: a passage from the middle of a table stays intelligible, and is found by the names
of its columns.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, islice

from workbench.errors import UserError
from workbench.techniques.retrieval.reading.extract import Extracted
from workbench.techniques.retrieval.reading.text import clean, decode_text

MOST_COLUMNS = 16_384
"""As many as the widest spreadsheet has."""

LONGEST_CELL = 4_000_000
_SAMPLE_ROWS = 20

Row = Mapping[int, str]
"""The filled cells of a row, by column from 0, left to right."""


def read_csv(data: bytes) -> Extracted:
    """Raises UserError for a table wider than ``MOST_COLUMNS``, and for text that is no table."""
    text = clean(decode_text(data))
    return _separated(text, _delimiter(text))


def read_tsv(data: bytes) -> Extracted:
    return _separated(clean(decode_text(data)), "\t")


def row_lines(rows: Iterable[Row]) -> Iterator[str]:
    """A line per filled row; the first one names the columns when it looks like a header."""
    filled = (row for row in rows if row)
    first, second = next(filled, None), next(filled, None)
    if first is None:
        return
    if second is None or not _names_columns(first):
        for row in chain([first], [second] if second else [], filled):
            yield " | ".join(row.values())
        return
    for row in chain([second], filled):
        yield " | ".join(f"{first[place]}: {cell}" if place in first else cell for place, cell in row.items())


def _names_columns(row: Row) -> bool:
    """Column names are words, and no two are the same."""
    return 1 < len(row) == len(set(row.values())) and not any(_is_number(cell) for cell in row.values())


def _is_number(cell: str) -> bool:
    try:
        float(cell.replace(",", "").rstrip("%"))
    except ValueError:
        return False
    return True


def _separated(text: str, delimiter: str) -> Extracted:
    csv.field_size_limit(LONGEST_CELL)
    try:
        rows = csv.reader(io.StringIO(text, newline="\n"), delimiter=delimiter)
        return Extracted("\n".join(row_lines(map(_row, rows))))
    except csv.Error as error:
        raise UserError(f"The file is not a table of separated values: {error}.") from error


def _row(cells: list[str]) -> Row:
    if len(cells) > MOST_COLUMNS:
        raise UserError(f"The table has {len(cells):,} columns; the maximum is {MOST_COLUMNS:,}.")
    return {place: shown for place, cell in enumerate(cells) if (shown := " ".join(cell.split()))}


def _delimiter(text: str) -> str:
    """The separator that splits the first rows into the same number of cells each, most cells first."""
    sample = text[:64_000].split("\n")[:_SAMPLE_ROWS]

    def fitness(delimiter: str) -> tuple[int, int]:
        try:
            widths = Counter(len(row) for row in islice(csv.reader(sample, delimiter=delimiter), _SAMPLE_ROWS) if row)
        except csv.Error:
            return (0, 0)
        width, rows = max(widths.items(), key=lambda item: (item[0] > 1, item[1]), default=(0, 0))
        return (rows, width) if width > 1 else (0, 0)

    return max((",", ";", "\t", "|"), key=fitness)
