"""Passages of what a search has found, and of spans of a document."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from workbench.records.documents import DocumentText
from workbench.records.messages import Passage
from workbench.techniques.retrieval.file_scan import is_changed
from workbench.techniques.retrieval.snapshot import FoundChunk
from workbench.techniques.retrieval.text_places import places_at


def passages_of_chunks(chunks: Sequence[FoundChunk], collection: str) -> list[Passage]:
    """Chunks of a collection as passages, in their order. Whether its file has changed is looked up once for each."""
    changed = {one.path: is_changed(one.path, one.size, one.mtime_ns, one.hash) for one in chunks}
    return [
        Passage(
            collection=collection,
            document=chunk.document,
            document_hash=chunk.hash,
            path=chunk.path,
            title=chunk.title,
            start=chunk.start,
            end=chunk.end,
            text=chunk.text,
            page=chunk.page,
            recognised=bool(chunk.recognised),
            changed=changed[chunk.path],
            context=chunk.context,
            places=chunk.places,
            pictures=chunk.pictures,
        )
        for chunk in chunks
    ]


def passages_at(document: DocumentText, spans: Sequence[tuple[int, int]]) -> list[Passage]:
    """The spans of a document as numbered passages, from 1."""
    described = document.document
    return [
        Passage(
            collection="",
            document=described.id,
            document_hash=described.hash,
            path=described.path,
            title=described.title,
            start=start,
            end=end,
            text=document.text[start:end],
            page=bisect_right(document.page_starts, start) or None,
            n=n,
            places=places_at(document, start, end),
        )
        for n, (start, end) in enumerate(spans, start=1)
    ]
