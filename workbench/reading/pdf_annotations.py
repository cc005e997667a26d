"""Annotations of a PDF page: values of form fields, text boxes and comments (ISO 32000-2, 12.5 and 12.7).

None of them is part of the page's own text. Empty fields and password fields are left out.
"""

from __future__ import annotations

import ctypes
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from pypdfium2 import raw

from workbench.reading.comments import Comment, comment_section, quoted
from workbench.reading.extract import labelled, section

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
