"""Raw text of documents, for continued pre-training on a domain (Gururangan et al. 2020, "Don't Stop Pretraining",
arXiv:2004.10964): texts one after the other, packed into windows of one length so that no token is padding.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from workbench.calls import DocumentText
from workbench.techniques.finetuning.data.examples import Example, Source
from workbench.techniques.finetuning.data.writing import WrittenExample

SHORTEST_TAIL = 8
"""Tokens: what is left at the end and has fewer is dropped."""


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of packed examples. ``starts`` are the places in it at which an example begins (the first place too,
    when one goes on there), in order, and ``sources`` where each comes from: a trainer that can keeps attention and
    positions apart at them."""

    tokens: tuple[int, ...]
    trained: tuple[bool, ...]
    starts: tuple[int, ...]
    sources: tuple[Source, ...]


def examples_from_documents(documents: Iterable[DocumentText]) -> Iterator[Example]:
    """The whole text of each document that has any."""
    for document in documents:
        if document.text.strip():
            source = Source(
                origin="document",
                path=document.document.path,
                document=document.document.id,
                end=len(document.text),
                note=document.document.title,
            )
            yield Example(text=document.text, source=source)


def pack(written: Iterable[WrittenExample], window_tokens: int) -> Iterator[Window]:
    """Windows of ``window_tokens`` tokens each, the last one perhaps shorter. Only a tail below ``SHORTEST_TAIL`` is
    lost; a long text goes on in the next window. The examples must not have been cut."""
    tokens: list[int] = []
    trained: list[bool] = []
    starts: list[int] = []
    sources: list[Source] = []
    for one in written:
        taken = 0
        while taken < len(one.tokens):
            starts.append(len(tokens))
            sources.append(one.source)
            end = min(len(one.tokens), taken + window_tokens - len(tokens))
            tokens += one.tokens[taken:end]
            trained += one.trained[taken:end]
            taken = end
            if len(tokens) == window_tokens:
                yield Window(tokens=tuple(tokens), trained=tuple(trained), starts=tuple(starts), sources=tuple(sources))
                tokens, trained, starts, sources = [], [], [], []
    if len(tokens) >= SHORTEST_TAIL:
        yield Window(tokens=tuple(tokens), trained=tuple(trained), starts=tuple(starts), sources=tuple(sources))
