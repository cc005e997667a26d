"""The places of recognised words on their pages: as they are stored, and as boxes around a passage."""

from __future__ import annotations

import struct
from collections.abc import Sequence

from workbench.records.documents import Box, DocumentText, PlacedText

_RECORD = struct.Struct("<IHHHHH")
_WHOLE = 65_535
_SAME_LINE = 0.5  # of the lower height overlaps
_LARGEST_GAP = 3.0  # heights between words that one box holds


def pack_places(places: Sequence[PlacedText]) -> bytes:
    """The blob of migration ``0004_places.sql``."""
    return b"".join(
        _RECORD.pack(
            place.start,
            min(place.end - place.start, _WHOLE),
            *(round(share * _WHOLE) for share in (place.left, place.top, place.right, place.bottom)),
        )
        for place in places
    )


def unpack_places(packed: bytes) -> tuple[PlacedText, ...]:
    return tuple(
        PlacedText(start, start + length, *(corner / _WHOLE for corner in corners))
        for start, length, *corners in _RECORD.iter_unpack(packed)
    )


def page_range(document: DocumentText, page: int) -> tuple[int, int]:
    """Start and end of page ``page`` (from 1) in the document's text."""
    starts = (*document.page_starts, len(document.text))
    return (starts[page - 1], starts[page]) if 1 <= page < len(starts) else (0, 0)


def passage_boxes(places: Sequence[PlacedText], start: int, end: int, width: int, height: int) -> tuple[Box, ...]:
    """A box for each line of ``start:end`` of the page's text, in pixels of a picture of that size. A word that is in
    it in part is in the box as a whole."""
    boxes: list[Box] = []
    for place in places:
        if place.end <= start or place.start >= end:
            continue
        box = Box(
            left=place.left * width, top=place.top * height, right=place.right * width, bottom=place.bottom * height
        )
        if boxes and _continues(boxes[-1], box):
            last = boxes.pop()
            box = Box(
                left=min(last.left, box.left),
                top=min(last.top, box.top),
                right=max(last.right, box.right),
                bottom=max(last.bottom, box.bottom),
            )
        boxes.append(box)
    return tuple(boxes)


def _continues(line: Box, box: Box) -> bool:
    height = min(line.bottom - line.top, box.bottom - box.top)
    overlap = min(line.bottom, box.bottom) - max(line.top, box.top)
    gap = max(box.left - line.right, line.left - box.right)  # Arabic goes on at the left
    return overlap > _SAME_LINE * height and gap <= _LARGEST_GAP * height
