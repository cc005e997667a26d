"""Places of a document as a person finds them in the original: its page, slide, sheet and row, section or line."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import takewhile
from pathlib import PurePath
from typing import Literal, Protocol

import msgspec

from workbench.base.catalogue import Shown
from workbench.records.table_lines import BAR

PlaceKind = Literal["page", "sheet", "section", "row", "line", "columns"]

_SLIDES = frozenset({".pptx", ".pptm", ".ppt"})
LONGEST_NAME = 60


class TextPlace(msgspec.Struct, frozen=True, array_like=True):
    """From the offset ``start`` of a document's text on it is this page, sheet, section, row or line. ``name`` is that
    of a sheet, the heading of a section, or the names of a table's columns with bars between them ("" where the table
    ends), or of a row with empty cells the columns of the others, from 0, with commas; ``number`` counts from 1, and is
    0 where rows of a table end or are not counted."""

    start: int
    kind: PlaceKind
    name: str = ""
    number: int = 0


class Placed(Protocol):
    """A passage or citation, as far as its place is told from it."""

    @property
    def path(self) -> str: ...

    @property
    def start(self) -> int: ...

    @property
    def text(self) -> str: ...

    @property
    def page(self) -> int | None: ...

    @property
    def places(self) -> tuple[TextPlace, ...]: ...


def places_within(places: Sequence[TextPlace], start: int, end: int) -> tuple[TextPlace, ...]:
    """The places of ``start:end``: those that begin in it, and of each kind the one that is open where it begins.
    ``places`` are sorted by their starts."""
    opened: dict[PlaceKind, TextPlace] = {}
    first = bisect_left(places, start, key=lambda place: place.start)
    for place in places[:first]:
        open_place(opened, place)
    inside = takewhile(lambda place: place.start < end, places[first:])
    return (*sorted(opened.values(), key=lambda one: one.start), *inside)


def open_place(opened: dict[PlaceKind, TextPlace], place: TextPlace) -> None:
    """Note that a place begins: the one of its kind before it ends, and the rows of another page, sheet or section."""
    if place.kind in ("page", "sheet", "section"):
        opened.pop("row", None)
    opened[place.kind] = place


def joined_places(parts: Iterable[Sequence[TextPlace]]) -> tuple[TextPlace, ...]:
    """The places of several passages of a document as one sorted sequence."""
    return tuple(sorted({place for part in parts for place in part}, key=lambda one: (one.start, one.kind != "sheet")))


def describe_position(source: Placed) -> Shown:
    """``page 3``, ``slide 4``, ``sheet “Rates”, row 12``, ``section “Notice”``, ``line 34``; "" where none is known.

    Of a citation it is the place of the sentence that bears the answer."""
    at, found = _open_places(source)
    page = found["page"].number if "page" in found else source.page or 0
    if page:
        is_slide = PurePath(source.path).suffix.lower() in _SLIDES
        return f"slide {page}" if is_slide else f"page {page}"
    parts = []
    if "sheet" in found:
        parts.append(f"sheet “{_short(found['sheet'].name)}”")
    if "row" in found and found["row"].number:
        parts.append(f"row {found['row'].number:,}")
    if "section" in found and not parts:
        parts.append(f"section “{_short(found['section'].name)}”")
    if "line" in found and not parts:
        begun = found["line"].start
        lines = source.text.count("\n", max(0, begun - source.start), max(0, at - source.start))
        parts.append(f"line {found['line'].number + lines:,}")
    return ", ".join(parts)


def columns_of(source: Placed) -> tuple[str, ...]:
    """The names of the columns of the cells in the row that a passage or the sentence of a citation is."""
    _, found = _open_places(source)
    names = found["columns"].name.split(BAR) if "columns" in found and found["columns"].name else []
    filled = found["row"].name.split(",") if "row" in found and found["row"].name else []
    return tuple(names[int(column)] for column in filled if int(column) < len(names)) if filled else tuple(names)


def _open_places(source: Placed) -> tuple[int, dict[PlaceKind, TextPlace]]:
    """Where a passage, or the sentence of a citation that bears the answer, begins, and the places that it is at."""
    at = source.start
    if getattr(source, "sentence_end", 0) > getattr(source, "sentence_start", 0):
        at = getattr(source, "sentence_start", at)
    found: dict[PlaceKind, TextPlace] = {}
    for place in source.places:
        if place.start > at:
            break
        open_place(found, place)
    return at, found


def _short(name: str) -> str:
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1].rstrip()}…"
