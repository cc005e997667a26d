"""The pages of a document as pictures, whether it is a PDF or a picture itself: drawn, and their text recognised."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from workbench.base.errors import UserError
from workbench.reading.content import read_content
from workbench.reading.kinds import kind_of
from workbench.reading.ocr import Recogniser, recogniser
from workbench.reading.reader_calls import DrawDocumentPage, RecognisedPage, RecognisePage
from workbench.records.documents import PagePicture


def recognise_page(call: RecognisePage, by: Recogniser | None = None) -> RecognisedPage:
    """Raises UserError when the page cannot be drawn or text recognition is not installed."""
    by = by or recogniser()
    content = read_content(Path(call.path), call.limits.largest_file_mb * 1_000_000)
    pixels = _pixels(call, content.data, by.longest_side)
    found, languages = by.recognise(pixels, call.likely, seconds=call.limits.seconds, memory_mb=call.limits.memory_mb)
    return RecognisedPage(text=found.text, confidence=found.confidence, places=found.places, languages=languages)


def draw_page(data: bytes, call: DrawDocumentPage) -> PagePicture:
    """Raises UserError when there is no such page or picture, or it cannot be drawn."""
    if call.picture:
        from workbench.reading.embedded import draw_embedded

        largest = call.limits.largest_file_mb * 1_000_000
        return draw_embedded(data, call.picture, call.scale, Path(call.path), largest)
    kind = kind_of(call.path)
    if kind == "picture":
        from workbench.reading.pictures import draw_picture

        return draw_picture(data, call.page, call.scale)
    if kind == "pdf":
        from workbench.reading.pdf import draw_page as draw_pdf_page

        return draw_pdf_page(data, call.page, call.scale, call.start, call.end)
    raise UserError("Pages of this type of file cannot be drawn.")


def _pixels(call: RecognisePage, data: bytes, longest_side: int) -> Any:
    if kind_of(call.path) == "picture":
        from workbench.reading.pictures import draw_for_recognition as draw_picture

        return draw_picture(data, call.page, longest_side)
    from workbench.reading.pdf import draw_for_recognition

    return draw_for_recognition(data, call.page, longest_side, call.password)
