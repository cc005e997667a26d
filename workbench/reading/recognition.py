"""The pages of a document whose text is recognised (OCR): one after the other, each under the limits of a file."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from itertools import groupby

import msgspec

from workbench.base.errors import UserError
from workbench.reading.extract import PAGE_BREAK, join_pages
from workbench.reading.ocr import LEAST_CONFIDENCE
from workbench.reading.reader_calls import ReadDocument, RecognisedPage
from workbench.records.documents import Chunk, PlacedText
from workbench.records.tables import DocumentTable, TableRow

MOST_FAILURES = 3
"""After so many pages that could not be recognised, and none that could, the rest is not tried."""


def with_recognised_pages(
    document: ReadDocument,
    recognise: Callable[[int, tuple[str, ...]], RecognisedPage],
    report: Callable[[str], None] = lambda place: None,
) -> ReadDocument:
    """The document with the text of its ``scanned`` pages and the places of their words, and warnings that name them.
    ``recognise(page, likely)`` gets the languages of the page before. Raises UserError when it has no text then."""
    ends = (*(start - len(PAGE_BREAK) for start in document.page_starts[1:]), len(document.text))
    pages = [document.text[start:end] for start, end in zip(document.page_starts, ends, strict=True)]
    read: list[int] = []
    unsure: list[int] = []
    empty: list[int] = []
    failed: list[tuple[int, UserError]] = []
    places: dict[int, tuple[PlacedText, ...]] = {}
    likely: tuple[str, ...] = ()
    for done, page in enumerate(document.scanned, 1):
        report(f"recognising text on page {page:,} ({done:,} of {len(document.scanned):,})")
        try:
            found = recognise(page, likely)
        except UserError as error:
            failed.append((page, error))
            if len(failed) >= MOST_FAILURES and not read:
                raise
            continue
        if not found.text.strip():
            empty.append(page)
            continue
        pages[page - 1] = found.text
        places[page] = found.places
        likely = found.languages
        read.append(page)
        if found.confidence < LEAST_CONFIDENCE:
            unsure.append(page)
    text, starts = join_pages(pages)
    if not text.strip():
        if failed:
            raise failed[0][1]
        if document.kind == "picture":
            raise UserError("No text was recognised in the picture.")
        raise UserError("The file has no text that can be read, and none was recognised on its pages.")
    warnings = list(document.warnings)
    if read:
        whole = document.kind == "picture" and len(document.page_starts) == 1
        where = "" if whole else f": {name_pages(read)}"
        warnings.append(f"Read by text recognition (OCR), which makes mistakes{where}.")
    if unsure:
        warnings.append(f"Hard to recognise: {name_pages(unsure)}.")
    if empty:
        warnings.append(f"No text was recognised on {name_pages(empty)}.")
    if failed:
        numbers = [page for page, _ in failed]
        warnings.append(f"Not recognised: {name_pages(numbers)}. {failed[0][1].message}")
    return msgspec.structs.replace(
        document,
        text=text,
        page_starts=starts,
        warnings=tuple(warnings),
        scanned=tuple(read),
        places=places,
        tables=tuple(_moved(table, document.page_starts, starts) for table in document.tables),
    )


def _moved(table: DocumentTable, before: Sequence[int], after: Sequence[int]) -> DocumentTable:
    """The table with the places of its rows in a text whose pages begin elsewhere."""

    def moved(row: TableRow) -> TableRow:
        page = bisect_right(before, row.start) - 1
        if not row.end or page < 0:
            return row
        by = after[page] - before[page]
        return msgspec.structs.replace(row, start=row.start + by, end=row.end + by)

    rows, totals = tuple(map(moved, table.rows)), tuple(map(moved, table.totals))
    return msgspec.structs.replace(table, rows=rows, totals=totals)


def split_apart(document: ReadDocument, split: Callable[[str, Sequence[int]], list[Chunk]]) -> list[Chunk]:
    """The chunks of a document, those of its recognised pages marked: none holds text of both kinds of pages.
    ``split(text, page_starts)`` gives the chunks of a part of it, with places in that part."""
    scanned = frozenset(document.scanned)
    if not scanned:
        return split(document.text, document.page_starts)
    found: list[Chunk] = []
    pages = range(1, len(document.page_starts) + 1)
    for recognised, part in groupby(pages, key=lambda page: page in scanned):
        numbers = list(part)
        start = document.page_starts[numbers[0] - 1]
        end = document.page_starts[numbers[-1]] if numbers[-1] < len(document.page_starts) else len(document.text)
        chunks = split(document.text[start:end], [place - start for place in document.page_starts])
        found += [
            msgspec.structs.replace(one, start=one.start + start, end=one.end + start, recognised=recognised)
            for one in chunks
        ]
    return found


def name_pages(numbers: Sequence[int]) -> str:
    """``page 3``, ``pages 1-4, 7``."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    shown = ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs[:10])
    more = " and more" if len(runs) > 10 else ""
    return f"{'page' if len(numbers) == 1 else 'pages'} {shown}{more}"
