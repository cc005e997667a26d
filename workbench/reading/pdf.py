"""PDF: the text of each page with its annotations, and the position of a piece of that text on the drawn page.

A page's text is made the same way when the file is read and when a page is drawn, so that offsets into it map to the
characters of the page. pdfium may be used by one thread at a time only.

Annotations of a PDF page: values of form fields, text boxes and comments (ISO 32000-2, 12.5 and 12.7).

None of them is part of the page's own text. Empty fields and password fields are left out.
"""

from __future__ import annotations

import ctypes
import re
import struct
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pypdfium2
from pypdfium2 import raw

from workbench.base.errors import UserError
from workbench.reading.comments import Comment, comment_section, quoted
from workbench.reading.extract import Extracted, join_pages, labelled, real_title, section
from workbench.reading.ocr import INSTALL
from workbench.reading.pdf_tables import TableFinder
from workbench.reading.unlocking import FileLocked
from workbench.records.documents import Box, PagePicture

LARGEST_PICTURE = 24_000_000
"""Pixels of a drawn page; a poster is drawn at a smaller scale instead."""

_OBJECT_DEPTH = 3
# characters without a meaning: controls, the private use area, and the replacement character
_NOTHING = "\x00\x01\x03-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ue000-\uf8ff\ufffd"
_UNREADABLE = re.compile(f"[{_NOTHING}]")
# line ends, a hyphen that pdfium found at the end of a line, characters banned from text, and those two units long
_REWRITTEN = re.compile(rf"\r\n?|[\ufffe\x02](?:\r?\n)?|[{_NOTHING}\ud800-\udfff\ufeff\uffff]|[\U00010000-\U0010ffff]")
_SAMPLED = 100
"""Characters of a page that are checked for a Unicode mapping, before all are."""
_FEWEST_JUDGED = 20
_LETTER = re.compile(r"[A-Za-z]")
_VOWEL = re.compile(r"[AEIOUaeiou]")
LARGEST_UNREADABLE_SHARE = 0.9
"""Share of a document's characters from which on the document is rejected; from ``WARNED_SHARE`` on there is a
warning."""
WARNED_SHARE = 0.05
_NO_MAP = "its fonts have no character map"

LARGEST_UNMAPPED_SHARE = 0.3
"""Share of a page's characters without a map from which on its text is recognised instead."""

_RECOGNISE = f"{INSTALL} Or add a text layer with another OCR program."
_OCR_SCALE = 3.0  # pixels per point of a small page

_Segment = tuple[int, int, int]
"""Start in the page's text; start in pdfium's text, which counts UTF-16 units; length of a piece that both share."""


def read_pdf(data: bytes, password: str = "", recognise: bool = False) -> Extracted:
    """The text of all pages with their annotations. With ``recognise``, pages whose text has to be recognised are named
    in ``Extracted.scanned``: pictures, and pages in fonts without a character map. Without it, UserError is raised when
    there is nothing else; also when the file is damaged, and FileLocked without the right password."""
    _reject_incomplete(data)
    scanned: list[int] = []
    finder = TableFinder()
    with _document(data, password) as document:
        document.init_forms()
        form = document.formenv
        pages: list[str] = []
        lost = readable = 0
        unreadable: list[int] = []
        pictures = 0
        for index in range(len(document)):
            try:
                with _page(document, index) as page:
                    text, unread = _text_of(page, form, finder)
                    read = sum(not sign.isspace() for sign in text)
                    has_picture = not text.strip() and not unread and _has_picture(page)
                    if recognise and (has_picture or unread > LARGEST_UNMAPPED_SHARE * (unread + read)):
                        scanned.append(index + 1)
                        pages.append("")
                        continue
                    lost, readable = lost + unread, readable + read
                    pictures += has_picture
            except pypdfium2.PdfiumError:
                text = ""
                unreadable.append(index + 1)
            pages.append(text)
        share = lost / max(1, lost + readable)
        if share >= LARGEST_UNREADABLE_SHARE:
            raise UserError(f"The text of this PDF cannot be read: {_NO_MAP}.", _RECOGNISE)
        if not readable and not scanned:
            raise _no_text(len(pages), pictures, len(unreadable))
        whole, starts = join_pages(pages)
        metadata = {key.lower(): value for key, value in _metadata(document).items() if value.strip()}
    title = real_title(metadata.pop("title", ""))
    warnings = []
    if unreadable:
        warnings.append(f"{_pages(unreadable)} could not be read.")
    if share >= WARNED_SHARE:
        warnings.append(f"{share:.0%} of the text cannot be read: {_NO_MAP}. {_RECOGNISE}")
    if pictures:
        warnings.append(f"{pictures} of {len(pages)} pages are pictures without text.")
    told = tuple(warnings)
    return Extracted(
        whole, title, starts, metadata=metadata, warnings=told, scanned=tuple(scanned), tables=finder.grids
    )


def draw_for_recognition(data: bytes, number: int, longest_side: int, password: str = "") -> Any:
    """The pixels of page ``number`` (from 1), of the shape (height, width, 3), blue first, with at most so many on a
    side. Raises UserError when the page cannot be drawn."""
    with _document(data, password) as document:
        try:
            with _page(document, number - 1) as page:
                scale = min(_OCR_SCALE, longest_side / max(1.0, *page.get_size()))
                pixels = page.render(scale=scale, may_draw_forms=False).to_numpy()
        except pypdfium2.PdfiumError as error:
            raise UserError(f"Page {number} cannot be drawn: {error}.") from error
    if pixels.ndim == 2:
        pixels = pixels[:, :, None].repeat(3, axis=2)
    return pixels[:, :, :3].copy()


def draw_page(data: bytes, number: int, scale: float, start: int, end: int) -> PagePicture:
    """Page ``number`` (from 1) as a PNG, with a box for each line of ``start:end`` of that page's text.

    ``scale`` is pixels per point. Raises UserError when there is no such page or it cannot be drawn.
    """
    with _unlocked(data) as document:
        count = len(document)
        if not 1 <= number <= count:
            raise UserError(f"The PDF has {count:,} pages and no page {number}.")
        try:
            with _page(document, number - 1) as page:
                width, height = page.get_size()
                scale = min(scale, (LARGEST_PICTURE / max(1.0, width * height)) ** 0.5)
                bitmap = page.render(scale=scale, rev_byteorder=True, may_draw_forms=False)
                boxes = _boxes(page, start, end, bitmap.width, bitmap.height) if end > start else ()
                png = _png(bitmap)
                return PagePicture(
                    png=png, width=bitmap.width, height=bitmap.height, page=number, pages=count, boxes=boxes
                )
        except pypdfium2.PdfiumError as error:
            raise UserError(f"Page {number} cannot be drawn: {error}.") from error


# -- opening ------------------------------------------------------------------------------------------


@contextmanager
def _document(data: bytes, password: str = "") -> Iterator[Any]:
    try:
        document = pypdfium2.PdfDocument(data, password=password or None)
    except pypdfium2.PdfiumError as error:
        if error.err_code == raw.FPDF_ERR_PASSWORD:
            raise FileLocked(password) from error
        if error.err_code == raw.FPDF_ERR_SECURITY:
            raise UserError("The file is protected with an unsupported method.", "Save an unprotected copy.") from error
        raise UserError("The file is damaged or not a PDF.", "Open it in a PDF viewer and save it again.") from error
    try:
        yield document
    finally:
        document.close()


@contextmanager
def _unlocked(data: bytes) -> Iterator[Any]:
    """As ``_document``, once the file was read: its password is not there any more."""
    try:
        with _document(data) as document:
            yield document
    except FileLocked as error:
        raise UserError("It is protected by a password, which was not stored.") from error


@contextmanager
def _page(document: Any, index: int) -> Iterator[Any]:
    page = document[index]
    try:
        yield page
    finally:
        page.close()


def _reject_incomplete(data: bytes) -> None:
    """A PDF ends in ``%%EOF``. pdfium repairs one that does not, with whatever pages happen to be left."""
    if b"%PDF-" not in data[:1024] or b"%%EOF" in data[-4096:]:
        return
    last = data.rfind(b"%%EOF")
    linearized = re.search(rb"/Linearized\b.{0,200}?/L\s+(\d+)", data[:1024], re.S)
    shorter_than_it_says = linearized is not None and int(linearized.group(1)) > len(data)
    if last < 0 or shorter_than_it_says or b" obj" in data[last:]:
        raise UserError("The file is incomplete: the end of the PDF is missing.", "Copy or download it again.")


def _metadata(document: Any) -> dict[str, str]:
    found: dict[str, str] = {}
    for key in ("Title", "Author", "Subject", "CreationDate"):
        found[key] = read_utf16(raw.FPDF_GetMetaText, document, key.encode())
    return found


def _has_picture(page: Any) -> bool:
    return any(True for _ in page.get_objects(filter=(raw.FPDF_PAGEOBJ_IMAGE,), max_depth=_OBJECT_DEPTH))


def _no_text(count: int, pictures: int, unreadable: int) -> UserError:
    pages = "1 page" if count == 1 else f"{count:,} pages"
    if unreadable:
        return UserError(
            f"The file is damaged: {unreadable:,} of its {pages} cannot be read, and the others have no text."
        )
    if pictures:
        are = "is a picture" if pictures == 1 else "are pictures"
        return UserError(
            f"The file has no text: {pictures:,} of {pages} {are}.",
            _RECOGNISE,
        )
    return UserError(f"The file has no text ({pages}).")


def _pages(numbers: list[int]) -> str:
    shown = ", ".join(str(number) for number in numbers[:10])
    more = f" and {len(numbers) - 10:,} more" if len(numbers) > 10 else ""
    return f"Page {shown}" if len(numbers) == 1 else f"Pages {shown}{more}"


# -- text and its position ----------------------------------------------------------------------------


def _text_of(page: Any, form: Any, finder: TableFinder) -> tuple[str, int]:
    """The page's text followed by its annotations, and the number of unreadable characters. Its tables are given to
    ``finder``."""
    textpage = page.get_textpage()
    try:
        native = _native_text(textpage)
        text, _ = _rewritten(native)
        finder.look(textpage, text)
        blocks = (text, annotation_text(page, textpage, form))
        return "\n\n".join(block for block in blocks if block.strip()), len(_UNREADABLE.findall(native))
    finally:
        textpage.close()


def _native_text(textpage: Any) -> str:
    """pdfium's text of a page. Characters without a Unicode mapping are replaced by U+FFFD, unless their codes, which
    pdfium returns instead, form words."""
    count = textpage.count_chars()
    native: str = textpage.get_text_range(errors="surrogatepass") if count else ""
    step = max(1, count // _SAMPLED)
    if not any(raw.FPDFText_HasUnicodeMapError(textpage, index) == 1 for index in range(0, count, step)):
        return native
    unmapped: list[int] = []
    unit = 0
    for place, sign in enumerate(native):
        character = raw.FPDFText_GetCharIndexFromTextIndex(textpage, unit)
        if character >= 0 and raw.FPDFText_HasUnicodeMapError(textpage, character) == 1:
            unmapped.append(place)
        unit += 2 if sign > "\uffff" else 1
    if _makes_words("".join(native[place] for place in unmapped)):
        return native
    hidden = list(native)
    for place in unmapped:
        hidden[place] = "\ufffd"
    return "".join(hidden)


def _makes_words(codes: str) -> bool:
    """Whether character codes are those of letters: old fonts with unnamed glyphs still use the codes of ASCII, newer
    ones number their glyphs in any order."""
    shown = "".join(codes.split())
    if len(shown) < _FEWEST_JUDGED:
        return True
    letters = len(_LETTER.findall(shown))
    return letters > 0.6 * len(shown) and len(_VOWEL.findall(shown)) > 0.25 * letters


def _page_text(page: Any) -> tuple[str, list[_Segment]]:
    """The page's text, without annotations, and its mapping to pdfium's own text of the page."""
    textpage = page.get_textpage()
    try:
        return _rewritten(_native_text(textpage))
    finally:
        textpage.close()


def _rewritten(native: str) -> tuple[str, list[_Segment]]:
    """Line ends as ``\\n``; words hyphenated at the end of a line joined, unless the next part begins in upper case."""
    pieces: list[str] = []
    segments: list[_Segment] = []
    written = taken = pairs = 0  # ``pairs``: characters so far that are two units in pdfium's text

    def keep(until: int) -> None:
        nonlocal written
        if until > taken:
            pieces.append(native[taken:until])
            segments.append((written, taken + pairs, until - taken))
            written += until - taken

    for match in _REWRITTEN.finditer(native):
        found = match.group()
        if found > "\uffff":
            keep(match.end())
            taken = match.end()
            pairs += 1
            continue
        keep(match.start())
        taken = match.end()
        new = ""
        if found[0] == "\r":
            new = "\n"
        elif found[0] in "\ufffe\x02" and not native[taken : taken + 1].islower():
            new = "-"
        pieces.append(new)
        written += len(new)
    keep(len(native))
    return "".join(pieces), segments


def _boxes(page: Any, start: int, end: int, width: int, height: int) -> tuple[Box, ...]:
    """A rectangle per line for ``start:end`` of the page's text, in pixels of a picture of that size."""
    _, segments = _page_text(page)
    textpage = page.get_textpage()
    try:
        lines: list[tuple[float, float, float, float]] = []
        for index in _native_indices(segments, start, end):
            character = raw.FPDFText_GetCharIndexFromTextIndex(textpage, index)
            if character < 0:
                continue
            try:
                left, bottom, right, top = textpage.get_charbox(character, loose=True)
            except pypdfium2.PdfiumError:
                continue
            if right <= left or top <= bottom:
                continue
            if lines and _on_one_line(lines[-1], (left, bottom, right, top)):
                last = lines[-1]
                lines[-1] = (min(last[0], left), min(last[1], bottom), max(last[2], right), max(last[3], top))
            else:
                lines.append((left, bottom, right, top))
    finally:
        textpage.close()
    return tuple(box for line in lines if (box := _in_pixels(page, line, width, height)) is not None)


def _native_indices(segments: list[_Segment], start: int, end: int) -> Iterator[int]:
    for written, native, length in segments:
        for offset in range(max(start, written), min(end, written + length)):
            yield native + offset - written


def _on_one_line(line: tuple[float, float, float, float], box: tuple[float, float, float, float]) -> bool:
    """Whether a character continues a line: about as high, and not a column away."""
    line_left, line_bottom, line_right, line_top = line
    left, bottom, right, top = box
    overlap = min(line_top, top) - max(line_bottom, bottom)
    gap = max(left - line_right, line_left - right)  # Arabic continues at the left
    return overlap > 0.5 * min(line_top - line_bottom, top - bottom) and gap <= 3 * (top - bottom)


def _in_pixels(page: Any, line: tuple[float, float, float, float], width: int, height: int) -> Box | None:
    """PDF points from the bottom left to pixels from the top left, rotation and crop of the page included."""
    corners: list[tuple[int, int]] = []
    for x, y in ((line[0], line[1]), (line[2], line[3])):
        pixel_x, pixel_y = ctypes.c_int(), ctypes.c_int()
        if not raw.FPDF_PageToDevice(page, 0, 0, width, height, 0, x, y, pixel_x, pixel_y):
            return None
        corners.append((pixel_x.value, pixel_y.value))
    (x0, y0), (x1, y1) = corners
    left, right = max(0, min(x0, x1)), min(width, max(x0, x1))
    top, bottom = max(0, min(y0, y1)), min(height, max(y0, y1))
    if right <= left or bottom <= top:
        return None
    return Box(left=left, top=top, right=right, bottom=bottom)


def _png(bitmap: Any) -> bytes:
    """The bitmap as an 8-bit RGB PNG (https://www.w3.org/TR/png-3/)."""
    pixels = bitmap.to_numpy()
    if pixels.ndim == 2:
        pixels = pixels[:, :, None].repeat(3, axis=2)
    height, width = pixels.shape[:2]
    rows = b"".join(b"\x00" + pixels[row, :, :3].tobytes() for row in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in ((b"IHDR", header), (b"IDAT", zlib.compress(rows, 4)), (b"IEND", b""))
    )


MOST_ANNOTATIONS = 5_000
"""Of one page."""
MOST_MARKED_LINES = 20

_COMMENTS = frozenset(
    {raw.FPDF_ANNOT_TEXT, raw.FPDF_ANNOT_HIGHLIGHT, raw.FPDF_ANNOT_UNDERLINE, raw.FPDF_ANNOT_SQUIGGLY}
    | {raw.FPDF_ANNOT_STRIKEOUT, raw.FPDF_ANNOT_CARET, raw.FPDF_ANNOT_STAMP, raw.FPDF_ANNOT_INK, raw.FPDF_ANNOT_LINE}
    | {raw.FPDF_ANNOT_SQUARE, raw.FPDF_ANNOT_CIRCLE, raw.FPDF_ANNOT_POLYGON, raw.FPDF_ANNOT_POLYLINE}
)
_HIDDEN = raw.FPDF_ANNOT_FLAG_HIDDEN
_DATE = re.compile(r"D:(\d{4})(\d\d)(\d\d)")


def annotation_text(page: Any, textpage: Any, form: Any) -> str:
    """Text boxes, then form fields and comments under headings; "" when there are none. ``form`` is the document's form
    environment, or None when it has no form."""
    fields: list[str] = []
    boxes: list[str] = []
    comments: list[Comment] = []
    for index in range(min(raw.FPDFPage_GetAnnotCount(page), MOST_ANNOTATIONS)):
        with _annotation(page, index) as annotation:
            if not annotation or raw.FPDFAnnot_GetFlags(annotation) & _HIDDEN:
                continue
            subtype = raw.FPDFAnnot_GetSubtype(annotation)
            if subtype == raw.FPDF_ANNOT_WIDGET:
                fields.append(_field(annotation, form))
            elif subtype == raw.FPDF_ANNOT_FREETEXT:
                boxes.append(labelled("Text box", _value(annotation, b"Contents")))
            elif subtype in _COMMENTS:
                comments.append(_comment(annotation, textpage))
    blocks = ["\n\n".join(filter(None, boxes)), section("Form fields", fields), comment_section(comments)]
    return "\n\n".join(filter(None, blocks))


@contextmanager
def _annotation(page: Any, index: int) -> Iterator[Any]:
    annotation = raw.FPDFPage_GetAnnot(page, index)
    try:
        yield annotation
    finally:
        if annotation:
            raw.FPDFPage_CloseAnnot(annotation)


def _field(annotation: Any, form: Any) -> str:
    """``NAME: value``, or "" for an empty field."""
    if form is None:
        name, value = _value(annotation, b"TU") or _value(annotation, b"T"), _value(annotation, b"V")
    else:
        name = read_utf16(raw.FPDFAnnot_GetFormFieldAlternateName, form, annotation)
        name = name or read_utf16(raw.FPDFAnnot_GetFormFieldName, form, annotation)
        value = _field_value(annotation, form)
    name = name.rstrip(":. ")
    return f"{name}: {value}" if name and value else value


def _field_value(annotation: Any, form: Any) -> str:
    kind = raw.FPDFAnnot_GetFormFieldType(form, annotation)
    if kind == raw.FPDF_FORMFIELD_RADIOBUTTON and raw.FPDFAnnot_IsChecked(form, annotation):
        return read_utf16(raw.FPDFAnnot_GetFormFieldExportValue, form, annotation)
    if kind == raw.FPDF_FORMFIELD_CHECKBOX and raw.FPDFAnnot_IsChecked(form, annotation):
        return "yes"
    if kind not in (raw.FPDF_FORMFIELD_TEXTFIELD, raw.FPDF_FORMFIELD_COMBOBOX, raw.FPDF_FORMFIELD_LISTBOX):
        return ""
    is_password = raw.FPDFAnnot_GetFormFieldFlags(form, annotation) & raw.FPDF_FORMFLAG_TEXT_PASSWORD
    return "" if is_password else read_utf16(raw.FPDFAnnot_GetFormFieldValue, form, annotation)


def _comment(annotation: Any, textpage: Any) -> Comment:
    text = _value(annotation, b"Contents")
    date = _DATE.match(_value(annotation, b"M"))
    return Comment(
        text,
        author=_value(annotation, b"T"),
        date="-".join(date.groups()) if date is not None else "",
        place=quoted(_marked(annotation, textpage)) if text else "",
    )


def _marked(annotation: Any, textpage: Any) -> str:
    """The highlighted text; "" for other comments."""
    if not raw.FPDFAnnot_HasAttachmentPoints(annotation):
        return ""
    lines: list[str] = []
    for index in range(min(raw.FPDFAnnot_CountAttachmentPoints(annotation), MOST_MARKED_LINES)):
        points = raw.FS_QUADPOINTSF()
        if raw.FPDFAnnot_GetAttachmentPoints(annotation, index, points):
            across = (points.x1, points.x2, points.x3, points.x4)
            down = (points.y1, points.y2, points.y3, points.y4)
            lines.append(textpage.get_text_bounded(min(across), min(down), max(across), max(down), errors="replace"))
    return " ".join(lines)


def _value(annotation: Any, key: bytes) -> str:
    return read_utf16(raw.FPDFAnnot_GetStringValue, annotation, key)


def read_utf16(getter: Callable[..., int], *about: Any) -> str:
    """The result of a pdfium function that fills a buffer with UTF-16 and returns its length in bytes."""
    size = getter(*about, None, 0)
    if size <= 2:
        return ""
    buffer = ctypes.create_string_buffer(size)
    getter(*about, ctypes.cast(buffer, ctypes.POINTER(ctypes.c_ushort)), size)
    return " ".join(buffer.raw[: size - 2].decode("utf-16-le", "replace").replace("\x00", "").split())
