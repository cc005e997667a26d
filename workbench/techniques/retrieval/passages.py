"""Spans of a document as numbered passages."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from workbench.records.documents import DocumentText
from workbench.records.messages import Passage


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
        )
        for n, (start, end) in enumerate(spans, start=1)
    ]
