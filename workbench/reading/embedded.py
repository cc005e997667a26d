"""Pictures within documents (docx, pptx, odt, epub, html): where they are in the text, and their pixels.

While a file is read a picture is a mark in the text (``extract.MARK``); ``FoundPictures`` takes them out again. A
picture is decoded only when it is drawn. Runs in the reader process only.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import io
import os
import re
import stat
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath
from typing import BinaryIO
from urllib.parse import unquote, unquote_to_bytes, urlsplit

from PIL import ImageOps

from workbench.base.errors import UserError
from workbench.base.files import SpecialFile, open_regular
from workbench.reading.archive import Archive, part_name
from workbench.reading.content import read_content, signature_of
from workbench.reading.extract import MARK
from workbench.reading.html import Attributes, picture_addresses
from workbench.reading.pictures import LARGEST_DRAWN, POINTS_WIDE, check_size, on_white, opened, scaled
from workbench.reading.text import clean
from workbench.records.documents import DocumentPicture, PagePicture

MOST_PICTURES = 500
"""Of one document; further ones are left out."""
LEAST_EMU = 360_000
"""1 cm: what is shown smaller on a side is a line, a bullet or an icon."""

LEAST_PIXELS = 38
"""1 cm at 96 dots per inch, as on a page."""
LARGEST_LOOKED_INTO = 20_000_000
"""Bytes of a picture of which no size is stated: a larger one is no ornament."""

_FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")
_EXTENSIONS = frozenset({".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff"})
_FIRST = 0xDC00
_IN_PAGE, _BESIDE = "data:", "beside:"
"""Begin the parts of pictures of an HTML page: one within it, with its number among all of its pictures, and a file,
with its path from the page's folder."""
_DATA = re.compile(r"\s*data:image/(?:png|jpe?g|webp|gif|bmp|tiff)(?:;[^,;]*)*;base64,", re.I)
_PIXELS = re.compile(r"\s*(\d{1,5})(?:\.\d*)?\s*(?:px)?\s*", re.I)
_LENGTH = re.compile(r"(\d{1,6}(?:\.\d{1,6})?)(cm|mm|in|pt|pc|px)")
_EMU_PER = {"cm": 360_000, "mm": 36_000, "in": 914_400, "pt": 12_700, "pc": 152_400, "px": 9_525}


def is_shown_large(width: str, height: str) -> bool:
    """Whether a picture of this size, in EMU, is more than an ornament; one without a size is."""
    sides = [int(side) for side in (width, height) if side.isdecimal() and len(side) < 12]
    return not sides or min(sides) >= LEAST_EMU


def is_length_large(*lengths: str) -> bool:
    """As ``is_shown_large``, for lengths with their units ("2.5cm")."""
    found = [_LENGTH.fullmatch(length) for length in lengths]
    return all(one is None or float(one[1]) * _EMU_PER[one[2]] >= LEAST_EMU for one in found)


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
        return self._number(part) if part in self._names and can_be_drawn(part) else ""

    def _number(self, part: str) -> str:
        if part in self._numbers or len(self._numbers) >= MOST_PICTURES:
            return ""
        self._numbers[part] = len(self._numbers)
        return chr(_FIRST + self._numbers[part])

    def placed(self, text: str) -> tuple[str, tuple[DocumentPicture, ...]]:
        """The cleaned text without marks, and the pictures in the order of their places in it."""
        parts = {number: part for part, number in self._numbers.items()}
        pieces: list[str] = []
        pictures: list[DocumentPicture] = []
        length = 0
        for piece in MARK.split(text):
            if MARK.fullmatch(piece):
                part = parts.pop(ord(piece) - _FIRST, None)
                if part is not None:
                    pictures.append(DocumentPicture(start=length, end=length, part=part))
                continue
            pieces.append(clean(piece))
            length += len(pieces[-1])
        return "".join(pieces), tuple(pictures)


class BookPictures(FoundPictures):
    """The pictures of an e-book, whose chapters are HTML pages."""

    def __init__(self, archive: Archive) -> None:
        super().__init__(archive.names)
        self._archive = archive

    def of_chapter(self, chapter: str) -> Callable[[Attributes], str]:
        """What gives the mark of a picture in a chapter."""
        folder = str(PurePosixPath(chapter).parent)

        def place(attributes: Attributes) -> str:
            part = part_name("" if folder == "." else folder, attributes.get("src") or "")
            if part not in self._names or not can_be_drawn(part):
                return ""
            is_large = _is_stated_large(attributes)
            try:
                if is_large is None:
                    size = self._archive.size(part)
                    is_large = size > LARGEST_LOOKED_INTO or _is_large(self._archive.read(part))
            except UserError:  # a damaged part
                return ""
            return self.mark(part) if is_large else ""

        return place


class LinkedPictures(FoundPictures):
    """The pictures of an HTML page: in the page itself, and files in the ``folders`` that were added with it. Nothing
    is fetched, and no link is followed."""

    def __init__(self, page: Path, folders: Sequence[str]) -> None:
        super().__init__(frozenset())
        self._here = os.path.realpath(page.parent)
        real = [os.path.realpath(folder) for folder in folders if os.path.isdir(folder)]
        self._folders = [folder for folder in real if self._here == folder or _is_within(self._here, folder)]
        self._count = 0
        self._seen: set[bytes] = set()
        self._looked_into: dict[Path, bool] = {}

    def place(self, attributes: Attributes) -> str:
        """The mark of a picture by the attributes of its element; "" for one that is left out."""
        self._count += 1
        address = attributes.get("src") or ""
        if len(self._numbers) >= MOST_PICTURES:
            return ""
        is_large = _is_stated_large(attributes)
        if address[:100].lstrip()[:5].lower() == _IN_PAGE:
            data = _decoded(address)
            digest = hashlib.sha256(data).digest()
            if not data or digest in self._seen or not (_is_large(data) if is_large is None else is_large):
                return ""
            self._seen.add(digest)
            return self._number(f"{_IN_PAGE}{self._count}")
        file = self._file(address)
        if file is None:
            return ""
        if is_large is None:
            if file not in self._looked_into:  # a page may show the same ornament very often
                self._looked_into[file] = _is_file_large(file)
            is_large = self._looked_into[file]
        if not is_large:
            return ""
        return self._number(_BESIDE + Path(os.path.relpath(file, self._here)).as_posix())

    def _file(self, address: str) -> Path | None:
        """The file that an address names; None unless it is a picture, and within a folder that was added."""
        try:
            parts = urlsplit(address.strip())
        except ValueError:
            return None
        name = unquote(parts.path)
        if parts.scheme or parts.netloc or not name or name.startswith("/") or not can_be_drawn(name):
            return None
        file = _beside(self._here, name)
        for folder in self._folders:
            if file and _is_within(file, folder):
                below = Path(os.path.relpath(file, folder)).parts
                return None if any(one.startswith(".") for one in below) else Path(file)  # as find_files
        return None


def _is_within(path: str, folder: str) -> bool:
    return os.path.normcase(path).startswith(os.path.normcase(folder).rstrip(os.sep) + os.sep)


def _beside(here: str, name: str) -> str:
    """The regular file of this name from the folder ``here``, "" where there is none, or a link leads to it."""
    if "\0" in name or "\\" in name or ":" in name or os.path.isabs(name):
        return ""
    file = os.path.normpath(os.path.join(here, name))
    try:
        if not stat.S_ISREG(os.lstat(file).st_mode):  # first: a path of thousands of folders takes seconds to resolve
            return ""
        return file if os.path.normcase(os.path.realpath(file)) == os.path.normcase(file) else ""
    except (OSError, ValueError):
        return ""


def _is_stated_large(attributes: Attributes) -> bool | None:
    """As ``is_shown_large``, by the attributes of an HTML element; None where they state no size."""
    found = [_PIXELS.fullmatch(attributes.get(side) or "") for side in ("width", "height")]
    sides = [int(one[1]) for one in found if one is not None]
    return min(sides) >= LEAST_PIXELS if sides else None


def _is_large(data: bytes | BinaryIO) -> bool:
    """Whether a picture that is shown as large as it is would be more than an ornament; no pixel is decoded, and
    of a file only its beginning is read."""
    try:
        with opened(data, _FORMATS) as image:
            return min(image.size) >= LEAST_PIXELS
    except Exception:  # noqa: BLE001 - a damaged picture must not cost a document its text
        return False


def _is_file_large(file: Path) -> bool:
    try:
        with open_regular(file) as found:
            return os.fstat(found.fileno()).st_size > LARGEST_LOOKED_INTO or _is_large(found)
    except (OSError, SpecialFile):
        return False


def _decoded(address: str) -> bytes:
    """The bytes of a picture within an address; none where it is no picture that can be drawn."""
    found = _DATA.match(address[:500])
    if found is None:
        return b""
    try:
        return base64.b64decode(unquote_to_bytes(address[found.end() :]))
    except (binascii.Error, ValueError):
        return b""


def draw_embedded(
    data: bytes, part: str, scale: float, page: Path = Path(), largest_bytes: int = 200_000_000
) -> PagePicture:
    """A picture within a document as a PNG, ``POINTS_WIDE`` wide at the scale 1 and never larger than it is; ``page``
    is the path of the document. Raises UserError when there is none, it is damaged, or it has too many pixels."""
    with opened(_content(data, part, page, largest_bytes), _FORMATS) as image:
        check_size(image)
        image.load()
        # a browser turns a photo as its camera was held
        shown = on_white(image if signature_of(data) == "a ZIP archive" else ImageOps.exif_transpose(image))
    factor = min(1.0, scale * POINTS_WIDE / shown.width, (LARGEST_DRAWN / (shown.width * shown.height)) ** 0.5)
    drawn = scaled(shown, factor)
    png = io.BytesIO()
    drawn.save(png, "PNG", compress_level=4)
    return PagePicture(png=png.getvalue(), width=drawn.width, height=drawn.height, page=1, pages=1)


def _content(data: bytes, part: str, page: Path, largest_bytes: int) -> bytes:
    """The file of a picture. Only a page, which is no archive, has pictures beside it: the names of parts in an archive
    are a stranger's."""
    if signature_of(data) == "a ZIP archive" or not part.startswith((_IN_PAGE, _BESIDE)):
        return Archive(data, "a document with pictures").read(part)
    if part.startswith(_BESIDE):
        file = _beside(os.path.realpath(page.parent), part.removeprefix(_BESIDE))
        if not file:
            raise UserError("The picture is not there any more, beside the page that shows it.")
        return read_content(Path(file), largest_bytes).data
    number, addresses = part.removeprefix(_IN_PAGE), picture_addresses(data)
    if not number.isdecimal() or not 1 <= int(number) <= len(addresses):
        raise UserError("The page has no such picture.")
    return _decoded(addresses[int(number) - 1])
