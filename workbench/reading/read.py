"""From a path to its document, inside the reader process: opens the file and passes its bytes to the format's
module."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from workbench.base.errors import UserError
from workbench.reading.archive import OLE
from workbench.reading.content import read_content, signature_of
from workbench.reading.extract import Extracted
from workbench.reading.kinds import CONVERTED, REFUSED, kind_of
from workbench.reading.reader_calls import ReadDocument, ReadLimits
from workbench.reading.text import clean, decode_text
from workbench.reading.text_tables import find_grids
from workbench.reading.typed_tables import typed_tables
from workbench.reading.unlocking import is_locked_office_file, unlock_office_file
from workbench.records.document_formats import Kind
from workbench.text.language import detect_language

_BLANK = re.compile(r"\s*\Z")
_HEADING = re.compile(r"^#{1,6}[ \t]+(.+?)[ \t#]*$", re.M)
_UNDERLINED = re.compile(r"^(?=(\S.*))\1\n([=\-~^\"'*#+`:._])\2{2,}\s*$", re.M)
_HEAD_TITLE = re.compile(
    r"\A(?:---[ \t]*\n)?(?:(?!title:)[\w-]+:.*\n(?:[ \t].*\n){0,9}){0,40}title:[ \t]*[\"']?(.+?)[\"']?[ \t]*$",
    re.I | re.M,
)
"""A title among the fields that a text begins with."""
LONGEST_TITLE = 200
DEEPEST_ATTACHMENT = 3


def read_file(path: Path, limits: ReadLimits, password: str = "") -> ReadDocument:
    """Read one file. Raises UserError with the reason when it cannot be read or has no text, FileLocked when it needs
    another password."""
    content = read_content(path, limits.largest_file_mb * 1_000_000)
    kind, data = _kind(path.name, content.data), content.data
    has_own_parts = kind not in CONVERTED
    if is_locked_office_file(data):
        data = unlock_office_file(data, password)
        has_own_parts = False
    if kind == "pdf":
        extracted = _read_pdf(data, password, limits.recognise)
    elif kind == "picture":
        extracted = _read_picture(data, limits.recognise)
    elif kind in CONVERTED:
        from workbench.reading.old_office import convert

        new = convert(data, kind, limits)
        extracted = _reader(CONVERTED[kind][2], new)(new)
    elif kind == "html":
        extracted = _read_page(path, data, limits.folders)
    else:
        extracted = _reader(kind, data)(data)
    text = clean(extracted.text)
    if _BLANK.match(text) and not extracted.scanned:
        raise UserError("The file has no text.")
    title = " ".join(clean(extracted.title).split())[:LONGEST_TITLE]
    tables, incomplete = typed_tables(extracted.tables, text, extracted.language[:2].lower() or detect_language(text))
    return ReadDocument(
        path=str(path),
        kind=kind,
        title=title or path.stem or path.name,
        text=text,
        hash=content.hash,
        bytes=len(content.data),
        page_starts=extracted.page_starts,
        language=extracted.language,
        metadata={key: clean(value) for key, value in extracted.metadata.items()},
        warnings=(*extracted.warnings, *incomplete),
        scanned=extracted.scanned,
        tables=tables,
        pictures=extracted.pictures if has_own_parts else (),
    )


def _read_pdf(data: bytes, password: str, recognise: bool) -> Extracted:
    _require(data, "pdf", "a PDF")
    from workbench.reading.ocr import is_available
    from workbench.reading.pdf import read_pdf

    return read_pdf(data, password, recognise and is_available())


def _read_picture(data: bytes, recognise: bool) -> Extracted:
    from workbench.reading.ocr import INSTALL, is_available
    from workbench.reading.pictures import read_picture

    if not recognise:
        raise UserError(
            "The file is a picture, and text recognition is switched off.", "Switch it on in Settings, Documents."
        )
    extracted = read_picture(data)
    if not is_available():
        raise UserError("The file is a picture, and text recognition (OCR) is not installed.", INSTALL)
    return extracted


def _read_page(path: Path, data: bytes, folders: tuple[str, ...]) -> Extracted:
    from workbench.reading.embedded import LinkedPictures
    from workbench.reading.html import read_html

    pictures = LinkedPictures(path, folders)
    extracted = read_html(data, pictures.place)
    text, placed = pictures.placed(extracted.text)
    return replace(extracted, text=text, pictures=placed)


def _kind(name: str, data: bytes) -> Kind:
    """By the name, except for the extensions of old formats, which programs also give to newer ones. Raises UserError
    with a hint for a format that cannot be read."""
    kind = kind_of(name) or "text"
    if kind in REFUSED:
        what, hint = REFUSED[kind]
        raise UserError(f"The file is {what} (.{kind}), which is not supported.", hint)
    if kind not in CONVERTED:
        return kind
    newer = CONVERTED[kind][2]
    if signature_of(data) == "a ZIP archive":
        return newer
    begins = data[:1000].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if begins.startswith(b"{\\rtf"):
        return "rtf"
    if begins.startswith((b"<!doctype html", b"<html", b"<table")):
        return "html"
    if not data.startswith(OLE):
        meaning = signature_of(data)
        raise UserError(
            f"The file is named .{kind} but is {meaning or 'of another type'}.",
            "Rename it with the extension of its type.",
        )
    return kind


def _reader(kind: Kind, data: bytes, depth: int = 0) -> Callable[[bytes], Extracted]:
    """The function for a file type; its module is imported now, so that a process only loads what it needs. ``depth``
    is the number of messages around an attached file."""
    if kind == "pdf":
        _require(data, kind, "a PDF")
        from workbench.reading.pdf import read_pdf

        return read_pdf
    if kind == "picture" or kind in CONVERTED:
        raise UserError("A file of this type is not read as an attachment.", "Save it and add the file itself.")
    if kind == "html":
        from workbench.reading.html import read_html

        return read_html
    if kind in ("docx", "pptx", "xlsx", "odt", "epub"):
        return _archive_reader(kind)
    if kind == "rtf":
        from workbench.reading.rtf import read_rtf

        return read_rtf
    if kind in ("csv", "tsv"):
        from workbench.reading.table import read_csv, read_tsv

        return read_csv if kind == "csv" else read_tsv
    if kind in ("json", "jsonl"):
        from workbench.reading.data import read_json, read_jsonl

        return read_json if kind == "json" else read_jsonl
    if kind == "eml":
        from workbench.reading.mail import read_eml

        return partial(read_eml, read_attached=partial(_read_attached, depth=depth + 1))
    if kind == "markdown":
        return _read_markdown
    if kind == "rst":
        return _read_rst
    return _read_plain


def _archive_reader(kind: Kind) -> Callable[[bytes], Extracted]:
    if kind == "docx":
        from workbench.reading.word import read_docx

        return read_docx
    if kind == "pptx":
        from workbench.reading.slides import read_pptx

        return read_pptx
    if kind == "xlsx":
        from workbench.reading.sheets import read_xlsx

        return read_xlsx
    if kind == "odt":
        from workbench.reading.odt import read_odt

        return read_odt
    from workbench.reading.book import read_epub

    return read_epub


def _read_attached(name: str, data: bytes, depth: int) -> str:
    """The text of a document attached to a message."""
    if depth > DEEPEST_ATTACHMENT:
        raise UserError("Its message is attached to a message in another one.")
    text = clean(_reader(_kind(name, data), data, depth)(data).text)
    if _BLANK.match(text):
        raise UserError("The file has no text.")
    return text


def _require(data: bytes, kind: Kind, expected: str) -> None:
    """Refuse a file whose content is of another type than its name."""
    meaning = signature_of(data)
    if meaning is not None and meaning != expected:
        raise UserError(f"The file is named .{kind} but is {meaning}.", "Rename it with the extension of its type.")


def _read_plain(data: bytes) -> Extracted:
    text = decode_text(data)
    return Extracted(text, tables=find_grids(text))


def _read_markdown(data: bytes) -> Extracted:
    text = clean(decode_text(data))
    heading = _HEAD_TITLE.match(text) or _HEADING.search(text) or _UNDERLINED.search(text)
    return Extracted(text, title=heading.group(1) if heading else "", tables=find_grids(text))


def _read_rst(data: bytes) -> Extracted:
    text = clean(decode_text(data))
    heading = _HEAD_TITLE.match(text) or _UNDERLINED.search(text)
    return Extracted(text, title=heading.group(1) if heading else "")
