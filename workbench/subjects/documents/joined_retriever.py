"""Several collections searched as one: a recipe's, and the files attached to a chat."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from workbench.base.errors import UserError
from workbench.records.documents import Collection, Document, DocumentText, SearchResult
from workbench.records.messages import Passage
from workbench.techniques.embedding_calls import NamedIn, QuestionVector, Retriever, TableReply, TermStatistics


def joined(retrievers: Sequence[Retriever]) -> Retriever:
    """One retriever over all of them, of which there is at least one."""
    return retrievers[0] if len(retrievers) == 1 else JoinedRetriever(retrievers)


class JoinedRetriever:
    """Searches each collection and merges the hits. Their scores compare within one collection only, so each is
    weighted by how near its collection's nearest passage is (CORI: Callan, Lu and Croft 1995, "Searching distributed
    collections with inference networks")."""

    def __init__(self, retrievers: Sequence[Retriever]) -> None:
        self._retrievers = retrievers
        self.collection = _joined([one.collection for one in retrievers])

    def search(self, query: str, limit: int) -> SearchResult:
        found = [one.search(query, limit) for one in self._retrievers]
        return SearchResult(
            hits=merged([result.hits for result in found])[:limit], revision=sum(result.revision for result in found)
        )

    def document(self, document: str) -> DocumentText:
        for one in self._retrievers[:-1]:
            try:
                return one.document(document)
            except UserError:
                continue
        return self._retrievers[-1].document(document)

    def documents(self) -> Sequence[tuple[str, Document]]:
        return [found for one in self._retrievers for found in one.documents()]

    def similarities(self, texts: list[str], others: list[str]) -> list[list[float]]:
        return self._retrievers[0].similarities(texts, others)

    def question_similarities(self, question: str, texts: list[str]) -> list[float]:
        return self._retrievers[0].question_similarities(question, texts)

    def embed_question(self, question: str) -> QuestionVector:
        return self._retrievers[0].embed_question(question)

    def cross_encode(self, question: str, passages: list[list[str]]) -> list[list[float]]:
        return self._retrievers[0].cross_encode(question, passages)

    def count_terms(self, query: str) -> TermStatistics:
        counted = [one.count_terms(query) for one in self._retrievers]
        terms: dict[str, int] = {}
        for statistics in counted:
            for term, count in statistics.terms.items():
                terms[term] = terms.get(term, 0) + count
        return TermStatistics(chunks=sum(statistics.chunks for statistics in counted), terms=terms)

    def names_in(self, text: str, limit: int) -> NamedIn:
        found = [one.names_in(text, limit) for one in self._retrievers]
        return NamedIn(
            names=tuple(dict.fromkeys(name for one in found for name in one.names)),
            passages=tuple(passage for one in found for passage in one.passages)[:limit],
        )

    def ask_tables(self, question: str, language: str, *, read: bool = True) -> TableReply | None:
        replies = (one.ask_tables(question, language, read=read) for one in self._retrievers)
        return max((reply for reply in replies if reply is not None), key=lambda reply: reply.sure, default=None)


_WEIGHT = 0.4  # of the collection against the passage, as in CORI


def merged(results: Sequence[Sequence[Passage]]) -> tuple[Passage, ...]:
    """The hits of several collections, the best first."""
    nearest = [max((passage.similarity or 0.0 for passage in hits), default=0.0) for hits in results]
    best = max((*nearest, 1e-6))
    weighted = [
        msgspec.structs.replace(passage, score=passage.score * (1 + _WEIGHT * max(0.0, near) / best) / (1 + _WEIGHT))
        for hits, near in zip(results, nearest, strict=True)
        for passage in hits
    ]
    return tuple(sorted(weighted, key=lambda passage: -passage.score))


def _joined(collections: Sequence[Collection]) -> Collection:
    names = [one.name for one in collections]
    return Collection(
        id="",
        name=f"{', '.join(names[:-1])} and {names[-1]}",
        documents=sum(one.documents for one in collections),
        failed=sum(one.failed for one in collections),
        chunks=sum(one.chunks for one in collections),
        bytes=sum(one.bytes for one in collections),
        unfinished=any(one.unfinished for one in collections),
    )
