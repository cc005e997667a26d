"""Collections and their documents."""

from __future__ import annotations

from typing import Literal

import msgspec

from workbench.api.calls.chats import ChatRecord
from workbench.api.calls.runs import RunRecord
from workbench.api.protocol import Call
from workbench.records.messages import Passage


class Collection(msgspec.Struct, frozen=True, kw_only=True):
    """A set of documents that are searched together. ``revision`` increases with every change. ``folders`` were added
    to it, and the ``watched`` ones of them are read again when they change. ``unfinished``: not all
    that was added to it has been read to its end: it is being read now, or reading was stopped. A passage has at most
    ``passage_tokens`` tokens, 0: as many as suit the embedding model; ``embedder`` is the name of that model, "": the
    default one. ``chat``: it is the
    files attached to this chat, which serve that chat alone and go with it."""

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


class CollectionList(msgspec.Struct, frozen=True, kw_only=True):
    collections: tuple[Collection, ...]


DocumentState = Literal["indexed", "unchanged", "failed", "removed"]


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """One file of a collection. ``reason`` says why it failed, or which parts of an indexed file were unreadable;
    ``locked``: it failed for want of its password; ``unfinished``: reading was stopped, and a part of it is indexed;
    ``language`` is an ISO 639-1 code. ``changed``: its file is no longer as it was read; known of a document whose text
    was asked for."""

    id: str
    path: str
    title: str
    kind: str
    state: DocumentState
    reason: str = ""
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
    picture."""

    start: int
    end: int
    page: int | None = None
    recognised: bool = False


class DocumentText(msgspec.Struct, frozen=True, kw_only=True):
    """The extracted text of a document, with its chunks and pages.

    ``page_starts[i]`` is the offset of page ``i + 1``; empty for formats without pages.
    """

    document: Document
    text: str
    chunks: tuple[Chunk, ...]
    page_starts: tuple[int, ...] = ()


class Box(msgspec.Struct, frozen=True, kw_only=True):
    """A rectangle on a page picture, in its pixels, from the top left."""

    left: float
    top: float
    right: float
    bottom: float


class PagePicture(msgspec.Struct, frozen=True, kw_only=True):
    """A drawn PDF page: ``png`` holds the picture; ``boxes`` mark the requested passage on it."""

    png: bytes
    width: int
    height: int
    page: int
    pages: int
    boxes: tuple[Box, ...] = ()


class FailedFile(msgspec.Struct, frozen=True, kw_only=True):
    path: str
    reason: str


class AddResult(msgspec.Struct, frozen=True, kw_only=True):
    """The result of adding documents. ``failed`` has a path and a reason for each unreadable file."""

    indexed: int = 0
    unchanged: int = 0
    removed: int = 0
    failed: tuple[FailedFile, ...] = ()
    chunks: int = 0
    seconds: float = 0.0


class SearchResult(msgspec.Struct, frozen=True, kw_only=True):
    """Hits, best first. ``revision`` is the collection's at the time of the search."""

    hits: tuple[Passage, ...]
    revision: int = 0


class ListCollections(Call[CollectionList], frozen=True, kw_only=True, tag="collections.list"):
    """All collections."""


class CreateCollection(Call[Collection], frozen=True, kw_only=True, tag="collections.create"):
    """A new, empty collection. Raises UserError when the name is taken or empty."""

    name: str


class RenameCollection(Call[Collection], frozen=True, kw_only=True, tag="collections.rename"):
    collection: str
    name: str


class SetPassageLength(Call[Collection], frozen=True, kw_only=True, tag="collections.passages"):
    """Split the documents of a collection into passages of at most so many tokens (0: as many as suit the embedding
    model). Where that changes, all its files are read again. Raises UserError below 32 or above 8,192."""

    collection: str
    tokens: int


class SetEmbedder(Call[Collection], frozen=True, kw_only=True, tag="collections.embedder"):
    """Embed the passages of a collection with another embedding model of the catalogue, "": the default one. Where that
    changes, all its files are read again. Raises UserError when there is no such model."""

    collection: str
    model: str = ""


class RemoveCollection(Call[Collection], frozen=True, kw_only=True, tag="collections.remove"):
    """Delete a collection's index. The documents themselves are not touched."""

    collection: str


class ListDocuments(Call[DocumentList], frozen=True, kw_only=True, tag="docs.list"):
    """The files of a collection, failed ones included. ``collection`` is an id or a name, everywhere."""

    collection: str


class AddDocuments(Call[RunRecord], frozen=True, kw_only=True, tag="docs.add"):
    """Start a run that reads files and folders into a collection; follow it with ``FollowRun``.

    A folder that was added before is compared with its present state: only changed files are read, deleted ones are
    dropped. With ``watch`` this repeats whenever the folder changes.
    """

    collection: str
    paths: tuple[str, ...]
    watch: bool = False


class UnlockDocument(Call[RunRecord], frozen=True, kw_only=True, tag="docs.unlock"):
    """Start a run that reads a file of a collection with its password; ``document`` is its id or path. The password is
    kept in memory until then, and stored nowhere: when the file changes it is asked for again."""

    collection: str
    document: str
    password: str


class Attached(msgspec.Struct, frozen=True, kw_only=True):
    """Files that are being attached: to which chat, as which collection, read by which run."""

    chat: ChatRecord
    collection: Collection
    run: RunRecord


class AttachFiles(Call[Attached], frozen=True, kw_only=True, tag="docs.attach"):
    """Attach files or folders (absolute paths) to a chat: they are read into a collection that its questions search,
    beside that of the recipe. ``chat`` None: a new chat without a title, which its first question gives it."""

    chat: str | None = None
    paths: tuple[str, ...]


class Unwatch(Call[Collection], frozen=True, kw_only=True, tag="docs.unwatch"):
    """Stop watching a folder."""

    collection: str
    path: str


class RemoveFolder(Call[Collection], frozen=True, kw_only=True, tag="docs.remove-folder"):
    """Take an added folder and its files out of a collection, except files that were added by themselves or with
    another folder. Reading of the collection is stopped first. The files themselves are not deleted."""

    collection: str
    path: str


class RemoveDocument(Call[Collection], frozen=True, kw_only=True, tag="docs.remove"):
    """Remove one document from a collection; ``document`` is its id or path."""

    collection: str
    document: str


class SearchDocuments(Call[SearchResult], frozen=True, kw_only=True, tag="docs.search"):
    """The passages that match a query best."""

    collection: str
    query: str
    limit: int = 10


class GetDocumentText(Call[DocumentText], frozen=True, kw_only=True, tag="docs.text"):
    """The extracted text of a document, with its chunks."""

    collection: str
    document: str


class DrawPage(Call[PagePicture], frozen=True, kw_only=True, tag="docs.page"):
    """A page of a PDF as a picture, with the passage ``start:end`` of the document's text marked by boxes.

    ``scale`` is pixels per point (1.0 is 72 dpi). Raises UserError when the file is missing or not a PDF.
    """

    collection: str
    document: str
    page: int = 1
    scale: float = 1.5
    start: int = 0
    end: int = 0
