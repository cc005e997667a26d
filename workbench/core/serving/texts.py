"""Vectors and relevances of texts, for other programs: by embedding and reranking models of the catalogue."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from workbench.api.calls import EmbedServed, ModelRecord, RankServed, Relevances, Vectors
from workbench.api.events import Event
from workbench.api.protocol import RequestContext, finish
from workbench.core.documents.embedder import Embedding
from workbench.core.serving.models import embedding_model
from workbench.core.streams import Handlers
from workbench.engine.inference_calls import Embed, Rank
from workbench.errors import UserError
from workbench.storage.models import ModelCatalogue
from workbench.techniques.retrieval.embedding_calls import EmbedTexts, ReadTexts, Similarities, TextsRead
from workbench.workers.host import WorkerHost


@dataclass(frozen=True, eq=False)
class ServedTexts:
    """``inference`` computes GGUF models, the embedding worker the others."""

    _catalogue: ModelCatalogue
    _embedding: Embedding
    _inference: WorkerHost

    def handlers(self) -> Handlers:
        return {EmbedServed: self.embed, RankServed: self.rank}

    def embed(self, call: EmbedServed, context: RequestContext) -> Iterator[Event]:
        model = embedding_model(call.model, self._catalogue, self._embedding)
        _check_embeds(model)
        if model.format == "gguf":
            made = self._inference.call(Embed(path=model.path, texts=call.texts), context=context)
            yield finish(Vectors(model=model.name, vectors=made.vectors, tokens=made.tokens))
            return
        read = self._read(model, call.texts, context)
        vectors = self._embedding.host.call(EmbedTexts(embedder=model.path, texts=read.texts), context=context)
        yield finish(Vectors(model=model.name, vectors=vectors, tokens=sum(read.tokens)))

    def rank(self, call: RankServed, context: RequestContext) -> Iterator[Event]:
        model = embedding_model(call.model, self._catalogue, self._embedding)
        if model.format == "gguf":
            ranked = self._inference.call(
                Rank(path=model.path, query=call.query, documents=call.documents), context=context
            )
            yield finish(Relevances(model=model.name, scores=ranked.scores, method="reranker", tokens=ranked.tokens))
            return
        _check_embeds(model)
        read = self._read(model, (call.query, *call.documents), context)
        asked = Similarities(embedder=model.path, texts=(call.query,), others=call.documents, background=True)
        (row,) = self._embedding.host.call(asked, context=context)
        yield finish(Relevances(model=model.name, scores=row, method="vectors", tokens=sum(read.tokens)))

    def _read(self, model: ModelRecord, texts: tuple[str | tuple[int, ...], ...], context: RequestContext) -> TextsRead:
        return self._embedding.host.call(ReadTexts(embedder=model.path, texts=texts), context=context)


def _check_embeds(model: ModelRecord) -> None:
    if model.kind != "embedder":
        raise UserError(f"{model.name} is not an embedding model.", "Name one that is, or none for the default one.")
