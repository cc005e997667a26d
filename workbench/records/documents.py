"""Values and calls of records."""

from __future__ import annotations

from typing import Literal

import msgspec

from workbench.base.catalogue import Shown
from workbench.records.messages import Passage
from workbench.records.places import TextPlace
from workbench.records.tables import DocumentTable

SAMPLE_COLLECTION, SAMPLE_FILES = "Sample: Brunnen pumps", 8
"""The collection of the sample documents (``resources/samples``) and the number of its files."""


class Collection(msgspec.Struct, frozen=True, kw_only=True):
    """A set of documents that are searched together. ``revision`` increases with every change. ``folders`` were added
    to it, and the ``watched`` ones of them are read again when they change. ``unfinished``: not all
    that was added to it has been read to its end: it is being read now, or reading was stopped. A passage has at most
    ``passage_tokens`` tokens, 0: as many as suit the embedding model; ``embedder`` is the name of that model, "": the
    default one, or for a new collection the one that its languages ask for. ``chat``: it is the
    files attached to this chat, which serve that chat alone and go with it. ``outdated``: so many of its documents were
    read by an earlier version of the program, which took less from a file; reading them again brings the rest.
    ``unknown_languages`` are those of documents that its embedding model knows badly, by their English names."""

    id: str
    name: str
    documents: int = 0
    failed: int = 0
    chunks: int = 0
    bytes: int = 0
    revision: int = 0
    folders: tuple[str, ...] = ()
    watched: tuple[str, ...] = ()
    created: float = 0.0
    unfinished: bool = False
    passage_tokens: int = 0
    embedder: str = ""
    chat: str = ""
    outdated: int = 0
    unknown_languages: tuple[str, ...] = ()


DocumentState = Literal["indexed", "unchanged", "failed", "removed"]


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """One file of a collection. ``reason`` says why it failed, or which parts of an indexed file were unreadable;
    ``locked``: it failed for want of its password; ``unfinished``: reading was stopped, and a part of it is indexed;
    ``language`` is an ISO 639-1 code. ``changed``: its file is no longer as it was read; known of a document that was
    listed or whose text was asked for."""

    id: str
    path: str
    title: str
    kind: str
    state: DocumentState
    reason: Shown = ""
    pages: int = 0
    chunks: int = 0
    characters: int = 0
    bytes: int = 0
    language: str = ""
    hash: str = ""
    indexed_at: float = 0.0
    unfinished: bool = False
    locked: bool = False
    changed: bool = False


class DocumentList(msgspec.Struct, frozen=True, kw_only=True):
    documents: tuple[Document, ...]


class Chunk(msgspec.Struct, frozen=True, kw_only=True):
    """``text[start:end]`` of the document's text; ``page`` counts from 1. ``recognised``: it was recognised in a
    picture. ``context``, ``places``: as in ``Passage``."""

    start: int
    end: int
    page: int | None = None
    recognised: bool = False
    context: str = ""
    places: tuple[TextPlace, ...] = ()


class DocumentPicture(msgspec.Struct, frozen=True, kw_only=True):
    """A picture within a document: ``part`` is its name in the document's archive; of an HTML page "data:" and its
    number among the page's pictures, or "beside:" and the path of a file from the page's folder. It belongs to
    ``text[start:end]``: a slide, or the place after which it stands."""

    start: int
    end: int
    part: str


class DocumentText(msgspec.Struct, frozen=True, kw_only=True):
    """The extracted text of a document, with its chunks and pages.

    ``page_starts[i]`` is the offset of page ``i + 1``; empty for formats without pages. ``unplaced``: pages of it were
    recognised before the places of words were stored, so that passages cannot be marked on them. ``tables`` are those
    with which can be computed. ``outdated``: an earlier version of the program read it and took less from the file.
    ``pictures`` are those within it, in their order: the first one is number 1.
    """

    document: Document
    text: str
    chunks: tuple[Chunk, ...]
    page_starts: tuple[int, ...] = ()
    unplaced: bool = False
    tables: tuple[DocumentTable, ...] = ()
    outdated: bool = False
    pictures: tuple[DocumentPicture, ...] = ()


class DocumentDifference(msgspec.Struct, frozen=True, kw_only=True):
    """Statements of two documents that belong together and differ: places in their texts, 0 to 0 in the document that
    has nothing like the other's. ``section`` is the heading above it."""

    first: tuple[int, int] = (0, 0)
    second: tuple[int, int] = (0, 0)
    section: str = ""


class DocumentComparison(msgspec.Struct, frozen=True, kw_only=True):
    """Two documents, the older one first, and what differs between them, in the order of the second one; what only the
    first one has comes last."""

    first: DocumentText
    second: DocumentText
    differences: tuple[DocumentDifference, ...] = ()


class PlacedText(msgspec.Struct, frozen=True, array_like=True):
    """``text[start:end]`` of a page's recognised text is in this rectangle of the page: shares of its width and height
    from the top left, 0 to 1."""

    start: int
    end: int
    left: float
    top: float
    right: float
    bottom: float


class Box(msgspec.Struct, frozen=True, kw_only=True):
    """A rectangle on a page picture, in its pixels, from the top left."""

    left: float
    top: float
    right: float
    bottom: float


class PagePicture(msgspec.Struct, frozen=True, kw_only=True):
    """A drawn page of a PDF or a picture, or a picture within a document: ``png`` holds it; ``boxes`` mark the
    requested passage on it. Of a picture within a document ``page`` is its number, of ``pages`` pictures."""

    png: bytes
    width: int
    height: int
    page: int
    pages: int
    boxes: tuple[Box, ...] = ()


NameKind = Literal["person", "organisation", "place", "code", "name"]
"""``name``: the documents do not tell what it is."""


class NameEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A name in the documents of a collection, with the number of passages and of documents that mention it."""

    name: str
    kind: NameKind
    passages: int
    documents: int


class NameList(msgspec.Struct, frozen=True, kw_only=True):
    """The names of a collection, those in the most documents first. ``total``: how many there are, of which the first
    are listed."""

    names: tuple[NameEntry, ...]
    total: int = 0


class NamePlaces(msgspec.Struct, frozen=True, kw_only=True):
    """The passages that mention a name; of two names those that mention both, or a chain of passages from the one to
    the other: ``joined_by`` has the name that joins each passage of it with the next. ``total``: how many passages
    there are, of which the first are given."""

    name: str
    passages: tuple[Passage, ...]
    other: str = ""
    joined_by: tuple[str, ...] = ()
    total: int = 0


class FailedFile(msgspec.Struct, frozen=True, kw_only=True):
    path: str
    reason: Shown


class AddResult(msgspec.Struct, frozen=True, kw_only=True):
    """The result of adding documents. ``failed`` has a path and a reason for each unreadable file.
    With ``Ingest.known_only`` nothing was added where the embedding model knows ``unknown_languages`` badly, or where
    the documents are no ``running_text`` and it has no cross-encoders to read their lists and tables with."""

    indexed: int = 0
    unchanged: int = 0
    removed: int = 0
    failed: tuple[FailedFile, ...] = ()
    chunks: int = 0
    seconds: float = 0.0
    unknown_languages: tuple[str, ...] = ()
    running_text: bool = True

    @property
    def is_refused(self) -> bool:
        """Whether another embedding model suits the documents better."""
        return bool(self.unknown_languages) or not self.running_text


class SearchResult(msgspec.Struct, frozen=True, kw_only=True):
    """Hits, best first. ``revision`` is the collection's at the time of the search."""

    hits: tuple[Passage, ...]
    revision: int = 0
