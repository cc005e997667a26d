"""The text of office documents, read back for the checks."""

import datetime
import email
import email.policy
import html
import re
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
from pptx import Presentation
from pypdf import PdfReader


def _cell_text(value: Any) -> str:
    if isinstance(value, datetime.datetime | datetime.date):
        return value.strftime("%Y-%m-%d")
    return "" if value is None else str(value)


def _untagged(text: str, line_ends: str) -> str:
    return html.unescape(re.sub(r"<[^>]+>", "", re.sub(line_ends, "\n", text)))


def read_text(path: Path) -> str:
    """All text of a document, notes and footnotes included; of a picture nothing."""
    kind = path.suffix
    if kind == ".docx":
        with zipfile.ZipFile(path) as files:
            names = [one for one in files.namelist() if re.match(r"word/(document|footnotes|header|footer)\d*\.", one)]
            return "\n".join(_untagged(files.read(one).decode(), r"</w:p>") for one in names)
    if kind == ".odt":
        with zipfile.ZipFile(path) as files:
            return _untagged(files.read("content.xml").decode(), r"</text:(p|h|note-citation)>")
    if kind == ".xlsx":
        lines = []
        for sheet in openpyxl.load_workbook(path).worksheets:
            lines.append(sheet.title)
            for row in sheet.iter_rows():
                lines.append(" | ".join(_cell_text(cell.value) for cell in row))
                lines += [cell.comment.text for cell in row if cell.comment]
        return "\n".join(lines)
    if kind == ".pptx":
        lines = []
        for slide in Presentation(str(path)).slides:
            for shape in slide.shapes:
                if shape.has_text_frame:
                    lines.append(shape.text_frame.text)
                if shape.has_table:
                    lines += [" | ".join(cell.text for cell in row.cells) for row in shape.table.rows]
            if slide.has_notes_slide:
                lines.append(slide.notes_slide.notes_text_frame.text)
        return "\n".join(lines)
    if kind == ".pdf":
        return "\n".join(page.extract_text() for page in PdfReader(path).pages)
    if kind == ".eml":
        message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        body = message.get_body(("plain",))
        head = "\n".join(f"{name}: {value}" for name, value in message.items())
        return f"{head}\n{body.get_content() if body else ''}"
    raw = path.read_bytes()
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("cp1252")
    return _untagged(text, r"</(p|li|tr|h\d|td|th|blockquote)>") if kind == ".html" else text
