"""A long document split into sections that fit a model's context: whole paragraphs where possible, else sentences."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence

from workbench.records.documents import DocumentText
from workbench.records.messages import Passage
from workbench.text.sentences import split_sentences

_PARAGRAPH = re.compile(r"\S(?:.|\n(?!\s*\n))*", re.UNICODE)


def split_sections(text: str, limit: int, count_tokens: Callable[[Sequence[str]], list[int]]) -> list[tuple[int, int]]:
    """``(start, end)`` of sections of at most ``limit`` tokens that together cover all but white space."""
    parts = [m.span() for m in _PARAGRAPH.finditer(text)]
    sections: list[tuple[int, int]] = []
    filled = 0
    for start, end, tokens in _sized(text, parts, limit, count_tokens):
        if sections and filled + tokens <= limit:
            sections[-1] = (sections[-1][0], end)
            filled += tokens
        else:
            sections.append((start, end))
            filled = tokens
    return sections


def _sized(
    text: str, parts: Sequence[tuple[int, int]], limit: int, count_tokens: Callable[[Sequence[str]], list[int]]
) -> Iterator[tuple[int, int, int]]:
    """``(start, end, tokens)`` of the parts, with those that are too long split further."""
    for (start, end), tokens in zip(parts, count_tokens([text[a:b] for a, b in parts]), strict=True):
        if tokens <= limit:
            yield start, end, tokens
            continue
        smaller = [(start + a, start + b) for a, b in split_sentences(text[start:end])]
        if len(smaller) < 2:
            middle = start + (end - start) // 2
            if middle == start:
                yield start, end, tokens  # one character: it cannot be split further
                continue
            smaller = [(start, middle), (middle, end)]
        yield from _sized(text, smaller, limit, count_tokens)


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
