"""The places that a document's text is at: its pages, sheets, sections, rows and lines, found when it is read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice, takewhile

import msgspec

from workbench.reading.reader_calls import ReadDocument
from workbench.records.documents import Chunk, DocumentText
from workbench.records.places import PlaceKind, TextPlace, joined_places, open_place, places_within
from workbench.records.table_lines import BAR
from workbench.techniques.retrieval.passage_context import find_headings

_SHEETS = ("xlsx", "xls")
_WITH_ROWS = (*_SHEETS, "csv", "tsv")
_WITHOUT_BARS = ("pdf", "picture")
"""Kinds in whose text the rows of tables are lines without bars."""
_WITH_LINES = ("text", "code", "json", "jsonl", "rst")
"""Kinds whose text has the lines of the file."""


def find_places(document: ReadDocument) -> list[TextPlace]:
    """All places of a document, in order. In a document with pages its page says where a text is."""
    text, kind = document.text, document.kind
    if kind in _WITH_LINES:
        return [TextPlace(0, "line", "", 1)] if kind in ("text", "code", "rst") else []
    places = [*_columns(document), *_rows(document)] if kind not in _WITHOUT_BARS else []
    if document.page_starts:
        places += [TextPlace(start, "page", "", number) for number, start in enumerate(document.page_starts, 1)]
        return sorted(places, key=lambda place: place.start)
    for heading in find_headings(text, kind):
        if kind not in _SHEETS:
            places.append(TextPlace(heading.start, "section", heading.text))
        elif heading.level == 1:
            places.append(TextPlace(heading.start, "sheet", heading.text))
    return sorted(places, key=lambda place: place.start)


def with_places(document: ReadDocument, chunks: Sequence[Chunk]) -> list[Chunk]:
    """The chunks, each with the places that it is at."""
    places = find_places(document)
    lines = _line_counter(document.text) if places and places[0].kind == "line" else None
    opened: dict[PlaceKind, TextPlace] = {}
    at = 0
    found: dict[int, tuple[TextPlace, ...]] = {}
    for number, chunk in sorted(enumerate(chunks), key=lambda item: item[1].start):
        if lines is not None:
            found[number] = (TextPlace(chunk.start, "line", "", lines(chunk.start)),)
            continue
        while at < len(places) and places[at].start < chunk.start:
            open_place(opened, places[at])
            at += 1
        inside = takewhile(lambda place: place.start < chunk.end, islice(places, at, None))  # noqa: B023
        found[number] = (*sorted(opened.values(), key=lambda one: one.start), *inside)
    return [msgspec.structs.replace(chunk, places=found[number]) for number, chunk in enumerate(chunks)]


def places_at(document: DocumentText, start: int, end: int) -> tuple[TextPlace, ...]:
    """The places of a span of a stored document, as its chunks know them."""
    near = [chunk.places for chunk in document.chunks if chunk.start < end and chunk.end > start]
    return places_within(joined_places(near), start, end) if near else ()


def _columns(document: ReadDocument) -> Iterator[TextPlace]:
    for table in document.tables:
        rows = [row for row in (*table.rows, *table.totals) if row.end > row.start]
        names = [column.name.replace(BAR, " / ") for column in table.columns]
        if rows and any(names):
            yield TextPlace(min(row.start for row in rows), "columns", BAR.join(names))
            yield TextPlace(max(row.end for row in rows), "columns")


def _rows(document: ReadDocument) -> list[TextPlace]:
    """The rows by their numbers in a sheet, and those of other tables in which cells are empty."""
    is_counted = document.kind in _WITH_ROWS
    rows = sorted(
        (row.start, row.end, row.number if is_counted else 0, _filled(row.cells))
        for table in document.tables
        if is_counted or not all(cell for row in table.rows for cell in row.cells)
        for row in (*table.rows, *table.totals)
        if row.end > row.start
    )
    places = []
    for place, (start, end, number, filled) in enumerate(rows):
        places.append(TextPlace(start, "row", filled, number))
        if place + 1 == len(rows) or rows[place + 1][0] > end + 1:
            places.append(TextPlace(end, "row", "", 0))
    return places


def _filled(cells: Sequence[str]) -> str:
    """The columns whose cells are not empty; "" for all."""
    return "" if all(cells) else ",".join(str(column) for column, cell in enumerate(cells) if cell)


def _line_counter(text: str) -> Callable[[int], int]:
    """Gives the number of the line of an offset, from 1; fast where offsets grow."""
    at, number = 0, 1

    def line_of(offset: int) -> int:
        nonlocal at, number
        if offset < at:
            at, number = 0, 1
        number += text.count("\n", at, offset)
        at = offset
        return number

    return line_of
