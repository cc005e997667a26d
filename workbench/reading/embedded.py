"""Pictures within documents (docx, pptx): where they are in the text, and their pixels.

While a file is read a picture is a lone surrogate in the text, which no XML can contain; ``FoundPictures`` takes them
out again. A picture is decoded only when it is drawn. Runs in the reader process only.
"""

from __future__ import annotations

import io
import re
from pathlib import PurePosixPath

from workbench.reading.archive import Archive
from workbench.reading.pictures import LARGEST_DRAWN, POINTS_WIDE, check_size, on_white, opened, scaled
from workbench.reading.text import clean
from workbench.records.documents import DocumentPicture, PagePicture

MOST_PICTURES = 500
"""Of one document; further ones are left out."""
LEAST_EMU = 360_000
"""1 cm: what is shown smaller on a side is a line, a bullet or an icon."""

_FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")
_EXTENSIONS = frozenset({".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff"})
_MARK = re.compile("([\udc00-\udfff])")
_FIRST = 0xDC00


def is_shown_large(width: str, height: str) -> bool:
    """Whether a picture of this size, in EMU, is more than an ornament; one without a size is."""
    sides = [int(side) for side in (width, height) if side.isdecimal() and len(side) < 12]
    return not sides or min(sides) >= LEAST_EMU


def can_be_drawn(part: str) -> bool:
    """Whether a part of an archive has the name of a picture that can be decoded: vector formats cannot."""
    return PurePosixPath(part).suffix.lower() in _EXTENSIONS


class FoundPictures:
    """The pictures of a document in the order in which they are found, each part once."""

    def __init__(self, names: frozenset[str]) -> None:
        self._names = names
        self._numbers: dict[str, int] = {}

    def mark(self, part: str) -> str:
        """The mark of a part that is found for the first time; "" for another one, and for one that cannot be drawn."""
        if part in self._numbers or part not in self._names or not can_be_drawn(part):
            return ""
        if len(self._numbers) >= MOST_PICTURES:
            return ""
        self._numbers[part] = len(self._numbers)
        return chr(_FIRST + self._numbers[part])

    def placed(self, text: str) -> tuple[str, tuple[DocumentPicture, ...]]:
        """The cleaned text without marks, and the pictures in the order of their places in it."""
        parts = {number: part for part, number in self._numbers.items()}
        pieces: list[str] = []
        pictures: list[DocumentPicture] = []
        length = 0
        for piece in _MARK.split(text):
            if _MARK.fullmatch(piece):
                part = parts.pop(ord(piece) - _FIRST, None)
                if part is not None:
                    pictures.append(DocumentPicture(start=length, end=length, part=part))
                continue
            pieces.append(clean(piece))
            length += len(pieces[-1])
        return "".join(pieces), tuple(pictures)


def draw_embedded(data: bytes, part: str, scale: float) -> PagePicture:
    """A picture within a document as a PNG, ``POINTS_WIDE`` wide at the scale 1 and never larger than it is. Raises
    UserError when there is none, it is damaged, or it has too many pixels."""
    with opened(Archive(data, "a document with pictures").read(part), _FORMATS) as image:
        check_size(image)
        image.load()
        shown = on_white(image)
    factor = min(1.0, scale * POINTS_WIDE / shown.width, (LARGEST_DRAWN / (shown.width * shown.height)) ** 0.5)
    drawn = scaled(shown, factor)
    png = io.BytesIO()
    drawn.save(png, "PNG", compress_level=4)
    return PagePicture(png=png.getvalue(), width=drawn.width, height=drawn.height, page=1, pages=1)
