"""The calls of the embedding worker, and the ``Retriever`` over it. Light: this loads no engine and no
parser.

The worker is the only process that opens collection files. ``file`` is ``collections/<id>.sqlite`` and is made
when it is not there. ``embedder`` is the folder of a sentence-transformers model.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from workbench.api.protocol import Call
from workbench.reading.reader_calls import ReadLimits
from workbench.records.documents import (
    AddResult,
    Collection,
    Document,
    DocumentList,
    DocumentText,
    NameList,
    NamePlaces,
    PagePicture,
    SearchResult,
)
from workbench.records.messages import Passage
from workbench.records.outcomes import Reason
from workbench.records.similarity import PassageMap
from workbench.records.tables import DocumentTable


class CollectionState(msgspec.Struct, frozen=True, kw_only=True):
    """Counts of a collection file. ``revision`` increases with every document that is added, changed or removed.
    ``outdated``: so many of the documents were read when less was taken from files. ``unknown_languages`` are those of
    documents that the embedder knows badly (``embedding.unknown_languages``)."""

    documents: int
    failed: int
    chunks: int
    bytes: int
    revision: int
    outdated: int = 0
    unknown_languages: tuple[str, ...] = ()


class Ingest(Call[AddResult], frozen=True, kw_only=True, tag="ingest"):
    """Read files and folders into a collection.

    Streams ``Artifact(kind="document", id=<path>, result={state, reason, chunks, document})`` for every file as it is
    committed; and ``Progress`` (stage "reading", unit "files", ``detail`` "<n> chunks", ``seconds_left``). Cancel keeps
    the committed documents. ``paths`` may have been added before: documents below them whose files are deleted are
    dropped. ``chunk_tokens``: the most tokens of a chunk, 0: the default. ``passwords`` open files, by their paths.
    ``anew``: unchanged files are read, too. ``known_only``: where the collection has no passages yet, and the first
    files are nothing that the embedder is good at (``AddResult.is_refused``), nothing is added. ``left_out`` are
    files that are passed over in folders, since a person has removed them.
    """

    file: str
    collection: str
    embedder: str
    paths: tuple[str, ...]
    limits: ReadLimits = ReadLimits()
    chunk_tokens: int = 0
    passwords: dict[str, str] = {}
    anew: bool = False
    known_only: bool = False
    left_out: frozenset[str] = frozenset()


class Search(Call[SearchResult], frozen=True, kw_only=True, tag="search"):
    """Hybrid search. Runs before the next small ingest batch. ``paths``: only the chunks of these documents, all for
    None. ``rerank``: the query vector is moved towards the first hits, which are ranked once more."""

    file: str
    collection: str
    embedder: str
    query: str
    limit: int = 10
    paths: tuple[str, ...] | None = None
    rerank: bool = True


class Project(Call[PassageMap], frozen=True, kw_only=True, tag="project"):
    """Passages and a question as points of a plane, at most ``most``, with the scores of the ``limit`` best."""

    file: str
    collection: str
    embedder: str
    query: str
    limit: int = 8
    most: int = 240


class Similarities(Call[tuple[tuple[float, ...], ...]], frozen=True, kw_only=True, tag="similarities"):
    """Cosine of every one of ``texts`` with every one of ``others``: shape (len(texts), len(others)).
    ``background``: as for ``EmbedTexts``. ``questions``: ``texts`` are embedded as questions."""

    embedder: str
    texts: tuple[str, ...]
    others: tuple[str, ...]
    background: bool = False
    questions: bool = False


class EmbedTexts(Call[tuple[tuple[float, ...], ...]], frozen=True, kw_only=True, tag="embed"):
    """A vector of length 1 for each text: shape (len(texts), dimensions). Searches go before each of its batches, and
    ingests take turns with them."""

    embedder: str
    texts: tuple[str, ...]


class QuestionVector(msgspec.Struct, frozen=True, kw_only=True):
    """The vector of a question, of length 1, and the fingerprint of the embedder that made it: the same for the same
    weights. () where there is none."""

    vector: tuple[float, ...] = ()
    embedder: str = ""


class EmbedQuestion(Call[QuestionVector], frozen=True, kw_only=True, tag="embed-question"):
    """The vector of a question, as a search makes it. Goes before the next batch of an ingest."""

    embedder: str
    question: str


class CrossEncode(Call[tuple[tuple[float, ...], ...]], frozen=True, kw_only=True, tag="cross-encode"):
    """For each part of each passage the logarithm of the odds that it answers the question, by the cross-encoder of
    this embedder; () where it has none. What stands above a passage goes before its parts, and gets no number. Goes
    before the next batch of an ingest."""

    embedder: str
    question: str
    passages: tuple[tuple[str, ...], ...]


class TextsRead(msgspec.Struct, frozen=True, kw_only=True):
    """Texts as an embedder reads them. ``tokens``: how many of each it looks at, special ones included."""

    texts: tuple[str, ...]
    tokens: tuple[int, ...]


class ReadTexts(Call[TextsRead], frozen=True, kw_only=True, tag="read"):
    """Count the tokens of texts; those given as token ids become text. Raises UserError for an id that the embedder's
    vocabulary does not have."""

    embedder: str
    texts: tuple[str | tuple[int, ...], ...]


class Prepare(Call[None], frozen=True, kw_only=True, tag="prepare"):
    """Make what the first use of an embedder needs: its layers as llama.cpp reads them. Raises UserError."""

    embedder: str


class Forget(Call[None], frozen=True, kw_only=True, tag="forget"):
    """Drop what is kept of the vectors of texts."""

    texts: tuple[str, ...]


class TermStatistics(msgspec.Struct, frozen=True, kw_only=True):
    """For each term of a query, in how many of ``chunks`` chunks it occurs; stopwords are left out."""

    chunks: int
    terms: dict[str, int]


class CountTerms(Call[TermStatistics], frozen=True, kw_only=True, tag="terms"):
    """How rare the query's words are in the collection."""

    file: str
    query: str


class TableReply(msgspec.Struct, frozen=True, kw_only=True):
    """The answer that the query of a table gives: the ``value`` with its unit and the ``calculation`` in a sentence, in
    the question's language. ``passages``: rows that it comes from, ``of_rows`` in all. ``sure``: the estimated
    probability that the question means this query. ``reasons`` to doubt it. ``empty``: the cell that the question asks
    for has no value, which ``calculation`` says. ``named``: it is of the one row that the question calls by a name
    which no other table has. ``several``: the question asks several things, which are cells of one row. ``computed``:
    it is no cell as it stands. ``partial``: it is one value, and the question asks for more than that."""

    value: str
    calculation: str
    passages: tuple[Passage, ...]
    of_rows: int
    sure: float
    reasons: tuple[Reason, ...] = ()
    empty: bool = False
    named: bool = False
    several: bool = False
    computed: bool = False
    partial: bool = False


class TableReplies(msgspec.Struct, frozen=True, kw_only=True):
    """``best`` is None where no table of the collection has to do with the question."""

    best: TableReply | None = None


class AskTables(Call[TableReplies], frozen=True, kw_only=True, tag="tables"):
    """Answer a question by a query of one of the collection's tables. ``paths``: only those of these documents.
    ``embedder``: the folder of the one that reads the tables with the question, "" where its words alone tell."""

    file: str
    collection: str
    question: str
    language: str
    paths: tuple[str, ...] | None = None
    embedder: str = ""


class Documents(Call[DocumentList], frozen=True, kw_only=True, tag="documents"):
    """The documents of a collection file, failed ones included; with ``changed`` it is looked up which of their files
    are no longer as they were read."""

    file: str
    changed: bool = False


class Text(Call[DocumentText], frozen=True, kw_only=True, tag="text"):
    """A document's extracted text and chunks, with ``tables`` its tables, too; ``document`` is its id or path. Raises
    UserError if it is unknown."""

    file: str
    document: str
    tables: bool = False


class TablesRead(msgspec.Struct, frozen=True, kw_only=True):
    tables: tuple[DocumentTable, ...]


class Tables(Call[TablesRead], frozen=True, kw_only=True, tag="tables-of"):
    """The tables of a document, by its id; as many as have ``cells`` cells together."""

    file: str
    document: str
    cells: int = 100_000


class Picture(Call[PagePicture], frozen=True, kw_only=True, tag="picture"):
    """A page of a PDF or a picture, drawn by a reader process, with boxes around ``text[start:end]`` of the text; or
    the ``picture`` with this number (from 1) within a document."""

    file: str
    document: str
    page: int
    scale: float
    start: int = 0
    end: int = 0
    picture: int = 0


class Names(Call[NameList], frozen=True, kw_only=True, tag="names"):
    """The names in the documents of a collection file."""

    file: str


class PlacesOfName(Call[NamePlaces], frozen=True, kw_only=True, tag="places-of-name"):
    """The passages that mention a name, or connect it with another one: at most ``limit``. Raises UserError for a name
    that is none of the collection."""

    file: str
    collection: str
    name: str
    other: str = ""
    limit: int = 200


class NamedIn(msgspec.Struct, frozen=True, kw_only=True):
    """The ``names`` of a collection that a text mentions, in their order; the ``passages`` that mention them, too,
    those with the most of them first."""

    names: tuple[str, ...] = ()
    passages: tuple[Passage, ...] = ()


class NamesIn(Call[NamedIn], frozen=True, kw_only=True, tag="names-in"):
    """The names of a collection file in a text, and at most ``limit`` passages that mention them. ``paths``: only those
    of these documents."""

    file: str
    collection: str
    text: str
    limit: int = 20
    paths: tuple[str, ...] | None = None


class Remove(Call[CollectionState], frozen=True, kw_only=True, tag="remove"):
    """Drop one document."""

    file: str
    document: str


class TrashedDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A document that is in the trash of its collection file now, with the bytes that it takes there."""

    document: str
    path: str
    bytes: int
    state: CollectionState


class Trash(Call[TrashedDocument], frozen=True, kw_only=True, tag="trash"):
    """Move a document, by its id, into the trash of its collection file. Raises UserError if it is unknown."""

    file: str
    document: str


class Restored(msgspec.Struct, frozen=True, kw_only=True):
    """``missing`` are the documents that could not be restored: their files have to be read again."""

    state: CollectionState
    missing: tuple[str, ...] = ()


class Restore(Call[Restored], frozen=True, kw_only=True, tag="restore"):
    """Put documents back from the trash of their collection file, as they were."""

    file: str
    documents: tuple[str, ...]


class Purge(Call[None], frozen=True, kw_only=True, tag="purge"):
    """Delete documents in the trash of their collection file for good."""

    file: str
    documents: tuple[str, ...]


class State(Call[CollectionState], frozen=True, kw_only=True, tag="state"):
    """Counts of a collection file."""

    file: str


class Close(Call[None], frozen=True, kw_only=True, tag="close"):
    """Close a collection file, so that it can be deleted."""

    file: str


EmbeddingCall = (
    Ingest | Search | Similarities | EmbedTexts | EmbedQuestion | CrossEncode | ReadTexts | Prepare | Forget
    | CountTerms | Documents | Text | Tables | Picture | Names | PlacesOfName | NamesIn | Remove | Trash | Restore
    | Purge | State | Close | AskTables | Project
)  # fmt: skip


class Retriever(Protocol):
    """One collection, for answering. Thread-safe."""

    @property
    def collection(self) -> Collection:
        """As it was when the answer began."""

    def search(self, query: str, limit: int) -> SearchResult: ...

    def document(self, document: str) -> DocumentText: ...

    def documents(self) -> Sequence[tuple[str, Document]]:
        """Each with the id of its collection."""

    def similarities(self, texts: list[str], others: list[str]) -> list[list[float]]: ...

    def question_similarities(self, question: str, texts: list[str]) -> list[float]:
        """The cosine of a question, embedded as a search embeds it, with each text."""

    def count_terms(self, query: str) -> TermStatistics: ...

    def ask_tables(self, question: str, language: str, *, read: bool = True) -> TableReply | None:
        """The answer of a query of a table; None where no table has to do with the question. With ``read`` the tables
        are read with the question, where the collection's embedder can."""

    def names_in(self, text: str, limit: int) -> NamedIn:
        """The names of the collection in a text, and passages that mention them."""

    def embed_question(self, question: str) -> QuestionVector:
        """By the collection's embedder."""

    def cross_encode(self, question: str, passages: list[list[str]]) -> list[list[float]]:
        """For each part of each passage the logarithm of the odds that it answers the question; [] where the
        collection's embedder has no cross-encoder. What stands above a passage goes before its parts, and gets no
        number."""
