"""OpenDocument text and rich text (odt, rtf), by kreuzberg, without text recognition and without a cache."""

from __future__ import annotations

import kreuzberg

from workbench.errors import UserError
from workbench.techniques.retrieval.reading.archive import Archive
from workbench.techniques.retrieval.reading.content import signature_of
from workbench.techniques.retrieval.reading.extract import Extracted


def read_odt(data: bytes) -> Extracted:
    Archive(data, "an OpenDocument text").read("content.xml")
    return _extracted(data, "application/vnd.oasis.opendocument.text")


def read_rtf(data: bytes) -> Extracted:
    if not data.lstrip().startswith(b"{\\rtf"):
        meaning = signature_of(data)
        raise UserError("The file is not rich text (RTF)" + (f" but {meaning}." if meaning is not None else "."))
    return _extracted(data, "application/rtf")


def _extracted(data: bytes, mime_type: str) -> Extracted:
    config = kreuzberg.ExtractionConfig(
        use_cache=False,
        disable_ocr=True,
        enable_quality_processing=False,
        concurrency=kreuzberg.ConcurrencyConfig(max_threads=1),
    )
    try:
        result = kreuzberg.extract_bytes_sync(data, mime_type, config)
    except kreuzberg.KreuzbergError as error:
        raise UserError("The file is damaged.", "Open it in the program that made it and save it again.") from error
    title = result.metadata.get("title")
    return Extracted(result.content, title=title if isinstance(title, str) else "")
