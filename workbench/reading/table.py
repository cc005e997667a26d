"""Tables: a line per row that names each value's column; formatted numbers; and tables in text files (csv, tsv).

``Name: Westkapelle | Height: 52``: a passage from the middle of a table stays intelligible, and is found by the names
of its columns.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import chain, islice

from workbench.base.errors import UserError
from workbench.reading.extract import Extracted
from workbench.reading.grid import LONGEST_NAME, MOST_ROWS, Grid, Row
from workbench.reading.text import clean, decode_text

MOST_COLUMNS = 16_384
"""As many as the widest spreadsheet has."""

LONGEST_CELL = 4_000_000

# formats that have a number and no code (ECMA-376 part 1, 18.8.30)
_DATES = frozenset({14, 15, 16, 17, 18, 19, 20, 21, 22, 45, 47, *range(27, 37), *range(50, 59)})
BUILT_IN = dict.fromkeys(_DATES, "date") | {9: "percent", 10: "percent", 46: "duration"}
TWO_DECIMALS = (2, 4, 7, 8, 39, 40, 43, 44)
MOST_DECIMALS = 30
"""As spreadsheet programs show at most."""

_NOT_CODE = re.compile(r'"[^"]*"|\\.|_.|\*.')
_ELAPSED = re.compile(r"\[(?:h+|m+|s+)\]", re.I)
_BRACKETS = re.compile(r"\[[^\]]*\]")
_SAMPLE_ROWS = 20


def read_csv(data: bytes) -> Extracted:
    """Raises UserError for a table wider than ``MOST_COLUMNS``, and for text that is no table."""
    text = clean(decode_text(data))
    return _separated(text, _delimiter(text))


def read_tsv(data: bytes) -> Extracted:
    return _separated(clean(decode_text(data)), "\t")


def table_rows(data: bytes, *, tabs: bool) -> list[list[str]]:
    """The rows of a csv file, or of one with tabs, as texts; empty rows are left out."""
    text = clean(decode_text(data))
    csv.field_size_limit(LONGEST_CELL)
    try:
        rows = csv.reader(io.StringIO(text, newline="\n"), delimiter="\t" if tabs else _delimiter(text))
        return [row for row in rows if any(map(str.strip, row))]
    except csv.Error as error:
        raise UserError(f"The file is not a table of separated values: {error}.") from error


def row_lines(rows: Iterable[Row], *, may_name: bool = True) -> Iterator[str]:
    """A line per filled row; the first one names the columns when it may and looks like a header."""
    filled = (row for row in rows if row)
    first, second = next(filled, None), next(filled, None)
    if first is None:
        return
    if second is None or not may_name or not _names_columns(first):
        for row in chain([first], [second] if second else [], filled):
            yield " | ".join(row.values())
        return
    without = set(first)
    for row in chain([second], filled):
        without.difference_update(row)
        yield named_cells(row, first)
    if without:
        yield "Columns without a value: " + " | ".join(first[place] for place in sorted(without))


def named_cells(row: Row, names: Row) -> str:
    """The line of a row, each value after its column's name, if it has one."""
    return " | ".join(f"{names[place]}: {cell}" if names.get(place) else cell for place, cell in row.items())


def _names_columns(row: Row) -> bool:
    """Column names are words, and no two are the same."""
    names = set(row.values())
    return 1 < len(row) == len(names) and not any(_is_number(name) or len(name) > LONGEST_NAME for name in names)


def _is_number(cell: str) -> bool:
    try:
        float(cell.replace(",", "").rstrip("%"))
    except ValueError:
        return False
    return True


def kind_of_format(code: str) -> str:
    """The kind of number that a number format shows: "date" (times too), "duration", "percent" or "" for a plain
    one."""
    bare = _NOT_CODE.sub("", code.split(";")[0])
    if _ELAPSED.search(bare):
        return "duration"
    bare = _BRACKETS.sub("", bare).lower()
    if "%" in bare:
        return "percent"
    return "date" if bare != "general" and any(letter in bare for letter in "ymdhs") else ""


def decimals_of_format(code: str) -> int:
    """How many decimals a number format shows at least; 0 of one with an exponent."""
    found = re.search(r"\.(0+)(?!0|.*E)", _BRACKETS.sub("", _NOT_CODE.sub("", code.split(";")[0])))
    return min(len(found[1]), MOST_DECIMALS) if found else 0


def shown_number(value: str, kind: str, epoch: datetime, decimals: int = 0) -> str:
    """The stored number with all its decimals, ``decimals`` at least (of three: two), without the noise of its last
    binary digits; dates in ISO 8601."""
    try:
        number = float(value)
    except ValueError:
        return " ".join(value.split())
    if kind == "percent":
        return f"{number * 100:.12g}%"
    if kind == "duration":
        minutes, seconds = divmod(round(number * 86_400), 60)
        return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"
    if kind == "date":
        try:
            moment = epoch + timedelta(seconds=round(number * 86_400))
        except OverflowError:
            return value
        if 0 <= number < 1:
            return moment.strftime("%H:%M:%S")
        return str(moment.date()) if moment.time() == datetime.min.time() else moment.isoformat(" ")
    if decimals == 3:  # "12.500" beside words in German would be twelve thousand
        decimals = 2
    if number.is_integer() and abs(number) < 1e15:
        return f"{number + 0:.{decimals}f}"  # no "-0"
    shown = f"{number:.15g}"
    return shown if "." not in shown or "e" in shown else shown + "0" * (decimals - len(shown.partition(".")[2]))


def _separated(text: str, delimiter: str) -> Extracted:
    csv.field_size_limit(LONGEST_CELL)
    try:
        rows = map(_row, csv.reader(io.StringIO(text, newline="\n"), delimiter=delimiter))
        first: list[Row] = []
        lines = "\n".join(row_lines(_keeping(rows, first)))
    except csv.Error as error:
        raise UserError(f"The file is not a table of separated values: {error}.") from error
    return Extracted(lines, tables=(Grid(list(enumerate(first, 1)), comma=delimiter == ";"),))


def _keeping(rows: Iterable[Row], first: list[Row]) -> Iterator[Row]:
    """The rows; the first ones are kept for the table, of which no more are computed with."""
    for row in rows:
        if len(first) <= MOST_ROWS + 1:
            first.append(row)
        yield row


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
