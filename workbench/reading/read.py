"""From a path to its document, inside the reader process: opens the file and passes its bytes to the format's
module."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

from workbench.base.errors import UserError
from workbench.reading.content import read_content, signature_of
from workbench.reading.extract import Extracted
from workbench.reading.kinds import KINDS, REFUSED, Kind, kind_of
from workbench.reading.reader_calls import ReadDocument, ReadLimits
from workbench.reading.text import clean, decode_text
from workbench.reading.unlocking import is_locked_office_file, unlock_office_file

_BLANK = re.compile(r"\s*\Z")
_HEADING = re.compile(r"^#{1,6}[ \t]+(.+?)[ \t#]*$", re.M)
_UNDERLINED = re.compile(r"^(?=(\S.*))\1\n([=\-~^\"'*#+`:._])\2{2,}\s*$", re.M)
LONGEST_TITLE = 200
DEEPEST_ATTACHMENT = 3


def read_file(path: Path, limits: ReadLimits, password: str = "") -> ReadDocument:
    """Read one file. Raises UserError with the reason when it cannot be read or has no text, FileLocked when it needs
    another password."""
    content = read_content(path, limits.largest_file_mb * 1_000_000)
    kind, data = _kind(path.name, content.data), content.data
    if is_locked_office_file(data):
        data = unlock_office_file(data, password)
    if kind == "pdf":
        extracted = _read_pdf(data, password, limits.recognise)
    else:
        extracted = _reader(kind, data)(data)
    text = clean(extracted.text)
    if _BLANK.match(text) and not extracted.scanned:
        raise UserError("The file has no text.")
    title = " ".join(clean(extracted.title).split())[:LONGEST_TITLE]
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
        warnings=extracted.warnings,
        scanned=extracted.scanned,
    )


def _read_pdf(data: bytes, password: str, recognise: bool) -> Extracted:
    _require(data, "pdf", "a PDF")
    from workbench.reading.ocr import is_available
    from workbench.reading.pdf import read_pdf

    return read_pdf(data, password, recognise and is_available())


def _kind(name: str, data: bytes) -> Kind:
    """By the name, except for the extensions of old formats, which programs also give to newer ones. Raises UserError
    with a hint for the old formats themselves."""
    kind = kind_of(name) or "text"
    if kind != "old":
        return kind
    ending = os.path.splitext(name)[1].lower()
    if signature_of(data) == "a ZIP archive" and f"{ending}x" in KINDS:
        return KINDS[f"{ending}x"]
    begins = data[:1000].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if begins.startswith(b"{\\rtf"):
        return "rtf"
    if begins.startswith((b"<!doctype html", b"<html", b"<table")):
        return "html"
    what, hint = REFUSED[ending]
    raise UserError(f"The file is {what} ({ending}), which is not supported.", hint)


def _reader(kind: Kind, data: bytes, depth: int = 0) -> Callable[[bytes], Extracted]:
    """The function for a file type; its module is imported now, so that a process only loads what it needs. ``depth``
    is the number of messages around an attached file."""
    if kind == "pdf":
        _require(data, kind, "a PDF")
        from workbench.reading.pdf import read_pdf

        return read_pdf
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
    return Extracted(decode_text(data))


def _read_markdown(data: bytes) -> Extracted:
    text = clean(decode_text(data))
    heading = _HEADING.search(text) or _UNDERLINED.search(text)
    return Extracted(text, title=heading.group(1) if heading else "")


def _read_rst(data: bytes) -> Extracted:
    text = clean(decode_text(data))
    heading = _UNDERLINED.search(text)
    return Extracted(text, title=heading.group(1) if heading else "")
