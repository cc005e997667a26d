"""The calls of the reader process and their results. Light: importing this loads no parser."""

from __future__ import annotations

import msgspec

from workbench.api.calls import PagePicture
from workbench.api.protocol import Call
from workbench.errors import UserError
from workbench.techniques.retrieval.embedding_calls import ReadLimits


class ReadDocument(msgspec.Struct, frozen=True, kw_only=True):
    """The text of a file and what is known about it.

    ``text`` has ``\\n`` line ends, no NULs and no lone surrogates, and never is blank. ``page_starts[i]`` is the
    offset at which page (or slide) ``i + 1`` begins; empty for formats without pages. ``language`` is what the
    file says of itself (a BCP 47 tag) or empty. ``hash`` is the SHA-256 of exactly those bytes that were
    parsed, ``bytes`` their number. ``warnings`` say what could not be read of a file that was read otherwise.
    """

    path: str
    kind: str
    title: str
    text: str
    hash: str
    bytes: int
    page_starts: tuple[int, ...] = ()
    language: str = ""
    metadata: dict[str, str] = {}
    warnings: tuple[str, ...] = ()


class ReadAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """How a document crosses the pipe: its text in it, or, when that is long, in the file ``spill``."""

    document: ReadDocument
    is_spilt: bool = False


class ReadFile(Call[ReadAnswer], frozen=True, kw_only=True, tag="read"):
    """Read one file. ``spill`` is a file to be made for a long text (UTF-8). Raises UserError with the reason."""

    path: str
    spill: str
    limits: ReadLimits = ReadLimits()


class DrawPdfPage(Call[PagePicture], frozen=True, kw_only=True, tag="draw"):
    """Draw page ``page`` (from 1) of a PDF, with boxes around ``start:end``, offsets into that page's own text.

    ``hash`` is that of the file whose text the offsets belong to (empty: not checked); ``scale`` is pixels a
    point, lowered for a page so large that its picture would exceed ``pdf.LARGEST_PICTURE`` pixels. Raises
    UserError when the file has gone, has changed, or has no such page.
    """

    path: str
    page: int
    scale: float
    hash: str = ""
    start: int = 0
    end: int = 0
    limits: ReadLimits = ReadLimits()


ReaderCall = ReadFile | DrawPdfPage


def out_of_memory(limits: ReadLimits) -> UserError:
    """The reason when a file needed more memory than it may, whoever noticed."""
    return UserError(
        f"It needs more than {limits.memory_mb:,} MB of memory to be read.",
        "Split it, or raise the limit in Settings, Documents.",
    )
