"""Collections and their documents."""

from __future__ import annotations

from typing import Annotated

import msgspec

from workbench.api.protocol import Call
from workbench.base.fields import about
from workbench.records.documents import (
    Collection,
    DocumentComparison,
    DocumentList,
    DocumentText,
    NameList,
    NamePlaces,
    PagePicture,
    SearchResult,
)
from workbench.records.similarity import PassageMap
from workbench.subjects.runs.calls import RunRecord

COLLECTION = "the collection"


class CollectionList(msgspec.Struct, frozen=True, kw_only=True):
    collections: tuple[Collection, ...]


class ListCollections(Call[CollectionList], frozen=True, kw_only=True, tag="collections.list"):
    """All collections."""

    changed_by = ("collection",)


class CreateCollection(Call[Collection], frozen=True, kw_only=True, tag="collections.create"):
    """A new, empty collection. Raises UserError when the name is taken or empty."""

    name: str


class RenameCollection(Call[Collection], frozen=True, kw_only=True, tag="collections.rename"):
    collection: str
    name: str


class ReadAgain(Call[RunRecord], frozen=True, kw_only=True, tag="collections.read_again"):
    """Start a run that reads all files of a collection again, unchanged ones, too: for what an earlier version of the
    program did not take from them. Raises UserError when nothing was added to it."""

    collection: Annotated[str, COLLECTION]


class SetPassageLength(Call[Collection], frozen=True, kw_only=True, tag="collections.passages"):
    """Split the documents of a collection into passages of at most so many tokens (0: as many as suit the embedding
    model). Where that changes, all its files are read again. Raises UserError below 32 or above 8,192."""

    collection: Annotated[str, COLLECTION]
    tokens: Annotated[int, "maximum number of tokens per passage (0: chosen by the program); all files are read again"]


class SetEmbedder(Call[Collection], frozen=True, kw_only=True, tag="collections.embedder"):
    """Embed the passages of a collection with another embedding model of the catalogue, "": the default one. Where that
    changes, all its files are read again. Raises UserError when there is no such model."""

    collection: Annotated[str, COLLECTION]
    model: Annotated[str, "embedding model (default: the usual one); all files are read again"] = ""


class RemoveCollection(Call[Collection], frozen=True, kw_only=True, tag="collections.remove"):
    """Move a collection with its index to the trash. The files themselves are not touched."""

    collection: str


class ListDocuments(Call[DocumentList], frozen=True, kw_only=True, tag="docs.list"):
    """The files of a collection, failed ones included. ``collection`` is an id or a name, everywhere."""

    changed_by = ("collection",)
    about = "collection"
    collection: str


class AddDocuments(Call[RunRecord], frozen=True, kw_only=True, tag="docs.add"):
    """Start a run that reads files and folders into a collection; follow it with ``FollowRun``.

    A folder that was added before is compared with its present state: only changed files are read, deleted ones are
    dropped. With ``watch`` this repeats whenever the folder changes. With ``anew`` files are read that have not
    changed, too, as after a recogniser of text was installed.
    """

    collection: str
    paths: tuple[str, ...]
    watch: bool = False
    anew: bool = False


class UnlockDocument(Call[RunRecord], frozen=True, kw_only=True, tag="docs.unlock"):
    """Start a run that reads a file of a collection with its password; ``document`` is its id or path. The password is
    kept in memory until then, and stored nowhere: when the file changes it is asked for again."""

    collection: str
    document: str
    password: str


class Unwatch(Call[Collection], frozen=True, kw_only=True, tag="docs.unwatch"):
    """Stop watching a folder."""

    collection: Annotated[str, COLLECTION]
    path: str


class RemoveFolder(Call[Collection], frozen=True, kw_only=True, tag="docs.remove-folder"):
    """Take an added folder and its files out of a collection, except files that were added by themselves or with
    another folder, and put its documents into the trash. Reading of the collection is stopped first. The files
    themselves are not deleted."""

    collection: Annotated[str, COLLECTION]
    path: Annotated[str, "the folder; the files are not deleted"]


class RemoveDocument(Call[Collection], frozen=True, kw_only=True, tag="docs.remove"):
    """Move one document of a collection to the trash; ``document`` is its id or path. A folder that it is in is read
    without it from now on, until its file is added by itself. With ``forever``, and where the collection belongs to a
    chat, it is deleted at once."""

    collection: str
    document: str
    forever: bool = False


class SearchDocuments(Call[SearchResult], frozen=True, kw_only=True, tag="docs.search"):
    """The passages that match a query best."""

    collection: str
    query: str
    limit: int = 10


class ProjectPassages(Call[PassageMap], frozen=True, kw_only=True, tag="docs.project"):
    """Passages of a collection and a question as points of a plane, with how the best passages were scored by words, by
    meaning and together: what embeddings, similarity and hybrid search do."""

    collection: Annotated[str, COLLECTION]
    query: Annotated[str, "the question"]
    limit: Annotated[int, about(ge=1, le=50), "scores of the N best passages"] = 8
    most: Annotated[int, about(ge=3, le=1000), "at most N points"] = 240


class ListNames(Call[NameList], frozen=True, kw_only=True, tag="docs.names"):
    """The people, organisations, places, codes and other names in the documents of a collection, those in the most
    documents first."""

    changed_by = ("collection",)
    about = "collection"
    collection: str


class FindName(Call[NamePlaces], frozen=True, kw_only=True, tag="docs.name"):
    """The passages that mention a name; with ``other`` those that mention both, or the shortest chain of passages that
    connects them. Raises UserError for a name that is not in the documents, or is a part of several."""

    collection: Annotated[str, COLLECTION]
    name: Annotated[str, "a name, or a part of it that no other name has"]
    other: Annotated[str, "a second name: what connects the two"] = ""
    limit: Annotated[int, "maximum number of passages"] = 200


class GetDocumentText(Call[DocumentText], frozen=True, kw_only=True, tag="docs.text"):
    """The extracted text of a document, with its chunks."""

    collection: str
    document: str


class CompareDocuments(Call[DocumentComparison], frozen=True, kw_only=True, tag="docs.compare"):
    """What differs between two documents of a collection: statements that belong together, and those that only one of
    them has. The one that names the earlier year comes first. Raises UserError when one of them is unknown or could not
    be read."""

    collection: Annotated[str, COLLECTION]
    first: Annotated[str, "a document: its path, the end of it, or its id"]
    second: Annotated[str, "the other document"]


class ChangedFileList(msgspec.Struct, frozen=True, kw_only=True):
    """The paths of files that are no longer as they were read, or no longer there."""

    paths: tuple[str, ...]


class FindChangedFiles(Call[ChangedFileList], frozen=True, kw_only=True, tag="docs.changed"):
    """Which of some files have changed since they were read. ``files`` are paths, each with the SHA-256 that was read;
    a large file is not looked into."""

    made_by = ("window", "It marks the sources of answers that are shown again; the terminal prints an answer once.")

    files: tuple[tuple[str, str], ...]


class DrawPage(Call[PagePicture], frozen=True, kw_only=True, tag="docs.page"):
    """A page of a PDF or a picture, with the passage ``start:end`` of the document's text marked by boxes; or the
    ``picture`` with this number within a document.

    ``scale`` is pixels per point (1.0 is 72 dpi). Raises UserError when the file is missing or has no pages.
    """

    collection: Annotated[str, COLLECTION]
    document: Annotated[str, "its path, the end of it, or its id"]
    page: int = 1
    scale: Annotated[float, "pixels per point"] = 1.5
    start: int = 0
    end: int = 0
    picture: Annotated[int, "the number of a picture within the document, from 1, instead of a page"] = 0
