"""From a path to its document, inside the reader process: opens the file and passes its bytes to the format's
module."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from workbench.errors import UserError
from workbench.techniques.retrieval.embedding_calls import ReadLimits
from workbench.techniques.retrieval.reading.content import read_content, signature_of
from workbench.techniques.retrieval.reading.extract import Extracted
from workbench.techniques.retrieval.reading.kinds import Kind, kind_of
from workbench.techniques.retrieval.reading.reader_calls import ReadDocument
from workbench.techniques.retrieval.reading.text import clean, decode_text

_BLANK = re.compile(r"\s*\Z")
_HEADING = re.compile(r"^#{1,6}[ \t]+(.+?)[ \t#]*$", re.M)
_UNDERLINED = re.compile(r"^(?=(\S.*))\1\n([=\-~^\"'*#+`:._])\2{2,}\s*$", re.M)
LONGEST_TITLE = 200


def read_file(path: Path, limits: ReadLimits) -> ReadDocument:
    """Read one file. Raises UserError with the reason when it cannot be read or has no text."""
    content = read_content(path, limits.largest_file_mb * 1_000_000)
    kind = kind_of(path) or "text"
    extracted = _reader(kind, content.data)(content.data)
    text = clean(extracted.text)
    if _BLANK.match(text):
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
    )


def _reader(kind: Kind, data: bytes) -> Callable[[bytes], Extracted]:
    """The function for a file type; its module is imported now, so that a process only loads what it needs."""
    if kind == "pdf":
        _require(data, kind, "a PDF")
        from workbench.techniques.retrieval.reading.pdf import read_pdf

        return read_pdf
    if kind == "html":
        from workbench.techniques.retrieval.reading.html import read_html

        return read_html
    if kind in ("docx", "pptx", "xlsx", "epub"):
        return _archive_reader(kind)
    if kind in ("odt", "rtf"):
        from workbench.techniques.retrieval.reading.office import read_odt, read_rtf

        return read_odt if kind == "odt" else read_rtf
    if kind in ("csv", "tsv"):
        from workbench.techniques.retrieval.reading.table import read_csv, read_tsv

        return read_csv if kind == "csv" else read_tsv
    if kind in ("json", "jsonl"):
        from workbench.techniques.retrieval.reading.data import read_json, read_jsonl

        return read_json if kind == "json" else read_jsonl
    if kind == "eml":
        from workbench.techniques.retrieval.reading.mail import read_eml

        return read_eml
    if kind == "markdown":
        return _read_markdown
    if kind == "rst":
        return _read_rst
    return _read_plain


def _archive_reader(kind: Kind) -> Callable[[bytes], Extracted]:
    if kind == "docx":
        from workbench.techniques.retrieval.reading.word import read_docx

        return read_docx
    if kind == "pptx":
        from workbench.techniques.retrieval.reading.slides import read_pptx

        return read_pptx
    if kind == "xlsx":
        from workbench.techniques.retrieval.reading.sheets import read_xlsx

        return read_xlsx
    from workbench.techniques.retrieval.reading.book import read_epub

    return read_epub


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
