"""The calls of the reader process and their results. Light: importing this loads no parser."""

from __future__ import annotations

import msgspec

from workbench.api.protocol import Call
from workbench.base.catalogue import Shown
from workbench.base.errors import UserError
from workbench.reading.table_query import TableInfo, TableRows
from workbench.records.documents import DocumentPicture, PagePicture, PlacedText
from workbench.records.tables import DocumentTable


class ReadLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Limits of reading one file. The text of scanned pages is recognised where ``recognise`` is true and text
    recognition is installed; each page has a limit of its own, which is a multiple of ``seconds``. Of the files that an
    HTML page shows only pictures in the ``folders`` belong to it: those that were added."""

    seconds: float = 15.0
    memory_mb: int = 900
    largest_file_mb: int = 200
    recognise: bool = True
    folders: tuple[str, ...] = ()


class ReadDocument(msgspec.Struct, frozen=True, kw_only=True):
    """The text of a file and its metadata.

    ``text`` has ``\\n`` line ends, no NULs and no lone surrogates, and is never blank. ``page_starts[i]`` is the offset
    of page (or slide) ``i + 1``; empty for formats without pages. ``language`` is the one that the file declares (a BCP
    47 tag) or empty. ``scanned``: the pages (from 1) whose text has to be recognised; only then the text may be blank.
    ``places``: once it is recognised, where the words or lines of these pages are.
    ``hash`` is the SHA-256 of exactly the parsed bytes, ``bytes`` their number. ``warnings`` describe
    unreadable parts. ``tables`` are those that can be computed with, within limits (``typed_tables``).
    ``pictures`` are those within a document, none of a file that is protected or was converted: they are not drawn.
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
    warnings: tuple[Shown, ...] = ()
    scanned: tuple[int, ...] = ()
    places: dict[int, tuple[PlacedText, ...]] = {}
    tables: tuple[DocumentTable, ...] = ()
    pictures: tuple[DocumentPicture, ...] = ()


class ReadAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A document on its way through the pipe: its text inline, or, when that is long, in the file ``spill``. None: the
    file is locked, or the password was wrong."""

    document: ReadDocument | None
    is_spilt: bool = False


class ReadFile(Call[ReadAnswer], frozen=True, kw_only=True, tag="read"):
    """Read one file. ``spill`` is the file to write a long text to (UTF-8). Raises UserError with the reason."""

    path: str
    spill: str
    limits: ReadLimits = ReadLimits()
    password: str = ""


class RecognisedPage(msgspec.Struct, frozen=True, kw_only=True):
    """The text of a page by OCR, with the places of its words or lines; ``confidence`` is their mean, 0 to 1.
    ``languages`` were used, in the recogniser's own names."""

    text: str
    confidence: float
    places: tuple[PlacedText, ...] = ()
    languages: tuple[str, ...] = ()


class RecognisePage(Call[RecognisedPage], frozen=True, kw_only=True, tag="recognise"):
    """Recognise the text of page ``page`` (from 1) of a PDF or a picture; ``likely`` are the languages of the page
    before. Raises UserError when the page cannot be drawn."""

    path: str
    page: int
    likely: tuple[str, ...] = ()
    limits: ReadLimits = ReadLimits()
    password: str = ""


class DrawDocumentPage(Call[PagePicture], frozen=True, kw_only=True, tag="draw"):
    """Draw page ``page`` (from 1) of a PDF or a picture, of a PDF with boxes around ``start:end``, offsets into that
    page's own text.

    ``hash`` is that of the file whose text the offsets belong to (empty: not checked); ``scale`` is pixels per point,
    lowered for a page whose picture would exceed ``pdf.LARGEST_PICTURE`` pixels. ``picture``: instead of a page draw
    this part of the document (``DocumentPicture``). Raises UserError when the file is
    missing, has changed, or has no such page.
    """

    path: str
    page: int
    scale: float
    hash: str = ""
    start: int = 0
    end: int = 0
    picture: str = ""
    limits: ReadLimits = ReadLimits()


class TableAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The rows that a query has selected; without a query the ``tables`` that there are."""

    found: TableRows = TableRows()
    tables: tuple[TableInfo, ...] = ()


class QueryTables(Call[TableAnswer], frozen=True, kw_only=True, tag="query"):
    """Query the tables of files with SQL, which can only read; "" describes them. Raises UserError with the reason why
    a file or the query fails."""

    paths: tuple[str, ...]
    sql: str
    most: int = 20
    limits: ReadLimits = ReadLimits()


class ReadChatExport(Call[None], frozen=True, kw_only=True, tag="chat_export"):
    """Write the chats of another program's export, a ``ChatExport`` as msgpack, to the file ``into``, which must not be
    there. Raises UserError that names the place of what cannot be read."""

    path: str
    into: str
    limits: ReadLimits = ReadLimits()


class DecodedImage(msgspec.Struct, frozen=True, kw_only=True):
    """An image as it was decoded. ``width`` and ``height`` are those of its file, upright; the stored pixels may be
    fewer. ``media_type`` is that of its content."""

    width: int
    height: int
    media_type: str


class DecodeImage(Call[DecodedImage], frozen=True, kw_only=True, tag="image"):
    """Decode an image file (PNG, JPEG, WebP, BMP, or the first frame of a GIF) and write its pixels (``base.pixels``)
    to the file ``into``, and those of a copy for lists to ``small_into``. Raises UserError with the reason."""

    path: str
    into: str
    small_into: str
    limits: ReadLimits = ReadLimits()


ReaderCall = ReadFile | RecognisePage | DrawDocumentPage | QueryTables | ReadChatExport | DecodeImage


def out_of_memory(limits: ReadLimits) -> UserError:
    """The reason when a file needed more memory than allowed, from kernel and parent alike."""
    return UserError(
        f"Reading the file needs more than {limits.memory_mb:,} MB of memory.",
        "Split it, or raise the limit in Settings, Documents.",
    )
