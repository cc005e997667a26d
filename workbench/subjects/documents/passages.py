"""Values and calls of subjects."""

from __future__ import annotations

from workbench.records.documents import DocumentText
from workbench.records.messages import Passage


def passages_of(text: DocumentText) -> list[Passage]:
    """The chunks of a document, as a search would find them."""
    document = text.document
    return [
        Passage(
            collection="",
            document=document.id,
            document_hash=document.hash,
            path=document.path,
            title=document.title,
            start=chunk.start,
            end=chunk.end,
            text=text.text[chunk.start : chunk.end],
            page=chunk.page,
            context=chunk.context,
            places=chunk.places,
        )
        for chunk in text.chunks
    ]


def spread(passages: list[Passage], limit: int) -> list[Passage]:
    """At most so many of them, from all over; 0: all."""
    if not limit or len(passages) <= limit:
        return passages
    return [passages[number * len(passages) // limit] for number in range(limit)]
