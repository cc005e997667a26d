"""Searches and sentence vectors of a collection, kept on disk, so that what decides about them can be fitted again.

A ``KeptCollection`` answers as the program's own retriever does: documents are read and embedded by the real embedding
worker on the first run, and searches, counts of words and vectors are asked of it once. What is kept belongs to the
documents, the embedder and the program's version: give another folder to begin anew. What a shipped LoRA finds or says
belongs to its file as well.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import apsw
import msgspec
import numpy as np

from workbench.api.protocol import RequestContext
from workbench.processes.host import WorkerHost
from workbench.records.documents import Collection, Document, DocumentText, SearchResult
from workbench.records.models import ModelRecord
from workbench.subjects.documents.embedder import WorkerRetriever
from workbench.subjects.models.starter import find_starters
from workbench.techniques.embedding_calls import (
    Close,
    EmbedTexts,
    Ingest,
    NamedIn,
    QuestionVector,
    TableReply,
    TermStatistics,
)
from workbench.techniques.retrieval import cross_encoder, question_encoder
from workbench.techniques.retrieval.index import CollectionIndex
from workbench.techniques.retrieval.shipped_lora import ShippedLora

BUSY_MS = 60_000
"""So long another run may write what it keeps."""


@cache
def _content(lora: ShippedLora) -> str:
    return hashlib.sha256(lora.weights.path.read_bytes()).hexdigest()[:16]


class KeptCollection:
    """One collection over the real worker, or over what is kept of it. ``write`` makes its documents in a folder."""

    def __init__(self, folder: Path, name: str, embedder: ModelRecord, write: Callable[[Path], Path]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.collection = Collection(id=name, name=name, documents=1, embedder=embedder.name)
        self._folder, self._embedder, self._write = folder, embedder, write
        self._worker: tuple[WorkerHost, WorkerRetriever] | None = None
        self._kept = apsw.Connection(str(folder / "kept.sqlite"))
        self._kept.setbusytimeout(BUSY_MS)
        self._kept.execute("create table if not exists kept (key text primary key, value blob)")
        self._vectors: dict[str, np.ndarray] = {}

    def search(self, query: str, limit: int) -> SearchResult:
        kept = self._json(
            f"search {limit} by {_content(question_encoder.LORA)}", query, lambda worker: worker.search(query, limit)
        )
        return msgspec.convert(kept, SearchResult)

    def count_terms(self, query: str) -> TermStatistics:
        return msgspec.convert(self._json("terms", query, lambda worker: worker.count_terms(query)), TermStatistics)

    def similarities(self, texts: list[str], others: list[str]) -> list[list[float]]:
        vectors = self.vectors([*texts, *others])
        found = vectors[: len(texts)] @ vectors[len(texts) :].T
        return [[float(one) for one in row] for row in found]

    def question_similarities(self, question: str, texts: list[str]) -> list[float]:
        asked = np.array(self.embed_question(question).vector, dtype=np.float32)
        return [float(one) for one in self.vectors(texts) @ asked]

    def vectors(self, texts: Sequence[str]) -> np.ndarray:
        missing = [text for text in dict.fromkeys(texts) if text not in self._vectors and not self._load(text)]
        if missing:
            host, _ = self._opened()
            made = host.call(EmbedTexts(embedder=self._embedder.path, texts=tuple(missing)))
            with self._kept:
                for text, vector in zip(missing, made, strict=True):
                    self._vectors[text] = np.array(vector, dtype=np.float32)
                    self._put(_key("vector", text), self._vectors[text].tobytes())
        return np.stack([self._vectors[text] for text in texts])

    def passages(self) -> tuple[list[tuple[Path, str]], np.ndarray]:
        """All passages, by the paths of their documents and their texts, and their vectors, (n, dimensions)."""
        self._opened()
        index = CollectionIndex(self._folder / "collection.sqlite")
        with contextlib.closing(index), index.reading() as snapshot:
            numbers = sorted(number for some in snapshot.chunks_by_language().values() for number in some)
            chunks, vectors = snapshot.chunks(numbers), snapshot.vectors(numbers)
        return [(Path(one.path), one.text) for one in chunks], np.stack([vectors[number] for number in numbers])

    def document(self, document: str) -> DocumentText:
        return msgspec.convert(self._json("document", document, lambda one: one.document(document)), DocumentText)

    def documents(self) -> Sequence[tuple[str, Document]]:
        return self._opened()[1].documents()

    def ask_tables(self, question: str, language: str, *, read: bool = True) -> TableReply | None:
        return None

    def names_in(self, text: str, limit: int) -> NamedIn:
        kept = self._json("names", f"{limit} {text}", lambda worker: worker.names_in(text, limit))
        return msgspec.convert(kept, NamedIn)

    def embed_question(self, question: str) -> QuestionVector:
        kept = self._json("question", question, lambda worker: worker.embed_question(question))
        return msgspec.convert(kept, QuestionVector)

    def cross_encode(self, question: str, passages: list[list[str]]) -> list[list[float]]:
        return [score for passage in passages for score in self._cross_encode(question, passage)]

    def _cross_encode(self, question: str, passage: list[str]) -> list[list[float]]:
        content = _content(cross_encoder.LORAS["sentences"])
        kind, asked = f"cross-encoded by {content}", json.dumps([question, passage])
        return list(self._json(kind, asked, lambda worker: worker.cross_encode(question, [passage])))

    def close(self) -> None:
        if self._worker is not None:
            self._worker[0].stop()
        self._kept.close()

    def _load(self, text: str) -> bool:
        found = self._get(_key("vector", text))
        if found is not None:
            self._vectors[text] = np.frombuffer(found, dtype=np.float32)
        return found is not None

    def _json(self, kind: str, asked: str, ask: Callable[[WorkerRetriever], Any]) -> Any:
        key = _key(kind, asked)
        found = self._get(key)
        if found is None:
            found = msgspec.json.encode(ask(self._opened()[1]))
            self._put(key, found)
        return json.loads(found)

    def _get(self, key: str) -> bytes | None:
        row = self._kept.execute("select value from kept where key = ?", (key,)).fetchone()
        return None if row is None else bytes(row[0])

    def _put(self, key: str, value: bytes) -> None:
        self._kept.execute("insert or replace into kept values (?, ?)", (key, value))

    def _opened(self) -> tuple[WorkerHost, WorkerRetriever]:
        if self._worker is None:
            host, file = WorkerHost("embedding"), self._folder / "collection.sqlite"
            if not file.exists():
                documents = self._folder / "documents"
                documents.mkdir(exist_ok=True)
                place = str(self._write(documents))
                name, path = self.collection.id, self._embedder.path
                half = file.with_name("half.sqlite")
                half.unlink(missing_ok=True)
                host.call(Ingest(file=str(half), collection=name, embedder=path, paths=(place,)))
                host.call(Close(file=str(half)))
                half.rename(file)
            path = self._embedder.path
            self._worker = host, WorkerRetriever(host, file, self.collection, lambda: path, RequestContext())
        return self._worker


@contextlib.contextmanager
def kept(folder: Path, name: str, embedder: str, write: Callable[[Path], Path]) -> Iterator[KeptCollection]:
    """A kept collection; ``embedder`` is the name of one of the starter models."""
    models = find_starters(folder / "models", multilingual=True)
    found = next(one for one in models if one.kind == "embedder" and one.name == embedder)
    collection = KeptCollection(folder / name / embedder, name, found, write)
    try:
        yield collection
    finally:
        collection.close()


def _key(kind: str, text: str) -> str:
    return f"{kind} {hashlib.sha256(text.encode()).hexdigest()}"
