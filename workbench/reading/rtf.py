"""Rich text (rtf), by kreuzberg, without text recognition and without a cache."""

from __future__ import annotations

import kreuzberg

from workbench.base.errors import UserError
from workbench.reading.content import signature_of
from workbench.reading.extract import Extracted, real_title


def read_rtf(data: bytes) -> Extracted:
    if not data.lstrip().startswith(b"{\\rtf"):
        meaning = signature_of(data)
        raise UserError("The file is not rich text (RTF)" + (f" but {meaning}." if meaning is not None else "."))
    config = kreuzberg.ExtractionConfig(
        use_cache=False,
        disable_ocr=True,
        enable_quality_processing=False,
        concurrency=kreuzberg.ConcurrencyConfig(max_threads=1),
    )
    try:
        result = kreuzberg.extract_bytes_sync(data, "application/rtf", config)
    except kreuzberg.KreuzbergError as error:
        raise UserError("The file is damaged.", "Open it in the program that made it and save it again.") from error
    title = result.metadata.get("title")
    return Extracted(result.content, title=real_title(title) if isinstance(title, str) else "")
