"""Vectors and relevances of texts, for other programs: by embedding and reranking models of the catalogue."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from workbench.api.calls import EmbedServed, ModelRecord, RankServed, Relevances, Vectors
from workbench.api.events import Event
from workbench.api.protocol import RequestContext, finish
from workbench.core.documents.embedder import Embedding
from workbench.core.serving.models import embedding_model
from workbench.core.streams import Handlers
from workbench.engine.inference_calls import Embed, Rank
from workbench.errors import UserError
from workbench.storage.models import ModelCatalogue
from workbench.techniques.retrieval.embedding_calls import EmbedTexts, Similarities
from workbench.workers.host import WorkerHost

CHARACTERS_PER_TOKEN = 4
"""The estimate of usage: the embedding worker does not count tokens."""


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
        asked: Any
        if model.format == "gguf":
            asked, host = Embed(path=model.path, texts=call.texts), self._inference
        else:
            asked, host = EmbedTexts(embedder=model.path, texts=call.texts), self._embedding.host
        vectors = host.call(asked, context=context)
        yield finish(Vectors(model=model.name, vectors=vectors, tokens=_estimated_tokens(call.texts)))

    def rank(self, call: RankServed, context: RequestContext) -> Iterator[Event]:
        model = embedding_model(call.model, self._catalogue, self._embedding)
        tokens = _estimated_tokens((call.query, *call.documents))
        if model.format == "gguf":
            ranked = self._inference.call(
                Rank(path=model.path, query=call.query, documents=call.documents), context=context
            )
            yield finish(Relevances(model=model.name, scores=ranked, method="reranker", tokens=tokens))
            return
        _check_embeds(model)
        asked = Similarities(embedder=model.path, texts=(call.query,), others=call.documents)
        (row,) = self._embedding.host.call(asked, context=context)
        yield finish(Relevances(model=model.name, scores=row, method="vectors", tokens=tokens))


def _estimated_tokens(texts: Sequence[str]) -> int:
    return sum(len(text) // CHARACTERS_PER_TOKEN + 1 for text in texts)


def _check_embeds(model: ModelRecord) -> None:
    if model.kind != "embedder":
        raise UserError(f"{model.name} is not an embedding model.", "Name one that is, or none for the default one.")
