"""Tables (csv, tsv, xlsx): a line for each row that says what each value is.

``Name: Westkapelle | Height: 52``: so a passage cut out of the middle of a table still can be understood, and found by
the names of its columns.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice

from workbench.errors import UserError
from workbench.techniques.retrieval.reading.extract import Extracted
from workbench.techniques.retrieval.reading.text import clean, decode_text

MOST_COLUMNS = 16_384
"""As many as the widest spreadsheet has."""

LONGEST_CELL = 4_000_000
_SAMPLE_ROWS = 20
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def read_csv(data: bytes) -> Extracted:
    text = clean(decode_text(data))
    return _separated(text, _delimiter(text))


def read_tsv(data: bytes) -> Extracted:
    return _separated(clean(decode_text(data)), "\t")


def read_xlsx(data: bytes) -> Extracted:
    """All sheets, each under its name."""
    from workbench.techniques.retrieval.reading.archive import Archive
    from workbench.techniques.retrieval.reading.word import core_properties

    archive = Archive(data, "an Excel workbook")
    archive.read(archive.main_part("xl/workbook.xml"))
    properties = core_properties(archive)
    sheets = _sheets(data)
    blocks = [f"# {name}\n\n" + "\n".join(row_lines(rows)) for name, rows in sheets if any(map(any, rows))]
    return Extracted(
        "\n\n".join(blocks),
        title=properties.pop("title", ""),
        language=properties.pop("language", ""),
        metadata=properties,
    )


def row_lines(rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """A line for each row that holds anything; the first row names the columns when it looks as if it did.

    Raises UserError for a row with more than ``MOST_COLUMNS`` cells.
    """
    filled = (row for row in map(_stripped, rows) if any(row))
    first, second = next(filled, None), next(filled, None)
    if first is None:
        return
    if second is None or not _names_columns(first):
        yield " | ".join(first)
        for row in chain([second] if second else [], filled):
            yield " | ".join(row).rstrip(" |")
        return
    for row in chain([second], filled):
        yield " | ".join(
            f"{first[place]}: {value}" if place < len(first) and first[place] else value
            for place, value in enumerate(row)
            if value
        )


def _stripped(row: Sequence[str]) -> list[str]:
    if len(row) > MOST_COLUMNS:
        raise UserError(f"It has {len(row):,} columns; tables of up to {MOST_COLUMNS:,} are read.")
    return [" ".join(cell.split()) for cell in row]


def _names_columns(row: list[str]) -> bool:
    """Names of columns are words, and no two are the same."""
    named = [cell for cell in row if cell]
    return len(set(named)) == len(named) and len(named) > 1 and not any(_is_number(cell) for cell in named)


def _is_number(cell: str) -> bool:
    try:
        float(cell.replace(",", "").rstrip("%"))
    except ValueError:
        return False
    return True


def _separated(text: str, delimiter: str) -> Extracted:
    csv.field_size_limit(LONGEST_CELL)
    try:
        return Extracted("\n".join(row_lines(csv.reader(io.StringIO(text), delimiter=delimiter))))
    except csv.Error as error:
        raise UserError(f"It is not a table of separated values: {error}.") from error


def _delimiter(text: str) -> str:
    """The sign that parts the first rows into the same number of cells each, most cells first."""
    sample = text[:64_000].split("\n")[:_SAMPLE_ROWS]

    def fitness(delimiter: str) -> tuple[int, int]:
        try:
            widths = Counter(len(row) for row in islice(csv.reader(sample, delimiter=delimiter), _SAMPLE_ROWS) if row)
        except csv.Error:
            return (0, 0)
        width, rows = max(widths.items(), key=lambda item: (item[0] > 1, item[1]), default=(0, 0))
        return (rows, width) if width > 1 else (0, 0)

    return max((",", ";", "\t", "|"), key=fitness)


def _sheets(data: bytes) -> list[tuple[str, list[list[str]]]]:
    """The sheets by name, as rows of cells. Dates and times come in ISO 8601."""
    import kreuzberg

    config = kreuzberg.ExtractionConfig(
        use_cache=False,
        disable_ocr=True,
        enable_quality_processing=False,
        concurrency=kreuzberg.ConcurrencyConfig(max_threads=1),
    )
    try:
        result = kreuzberg.extract_bytes_sync(data, _XLSX, config)
    except kreuzberg.KreuzbergError as error:
        raise UserError(f"It is a damaged Excel workbook: {error}.", "Open it in Excel and save it again.") from error
    names = list(result.metadata.get("sheet_names") or [])
    found: list[tuple[str, list[list[str]]]] = []
    for table in result.tables:
        name = names[table.page_number - 1] if table.page_number <= len(names) else f"Sheet {table.page_number}"
        found.append((name, [[_plain(cell) for cell in row] for row in table.cells]))
    return found


def _plain(cell: str) -> str:
    return cell.removesuffix(" 00:00:00")
