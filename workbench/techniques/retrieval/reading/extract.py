"""The result of a format's module, and the text clean-up that all of them share."""

from __future__ import annotations

from dataclasses import dataclass, field

from workbench.techniques.retrieval.reading.text import clean


@dataclass(frozen=True)
class Extracted:
    """The text of a file with the file's own title ("" when it has none). See ``protocol.ReadDocument``."""

    text: str
    title: str = ""
    page_starts: tuple[int, ...] = ()
    language: str = ""
    metadata: dict[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


PAGE_BREAK = "\n\n"


def join_pages(pages: list[str]) -> tuple[str, tuple[int, ...]]:
    """The text of all pages, cleaned, and the offset at which each begins."""
    pages = [clean(page) for page in pages]
    starts: list[int] = []
    offset = 0
    for page in pages:
        starts.append(offset)
        offset += len(page) + len(PAGE_BREAK)
    return PAGE_BREAK.join(pages), tuple(starts)
