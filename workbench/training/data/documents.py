"""Raw text of documents, for continued pre-training on a domain (Gururangan et al. 2020, "Don't Stop Pretraining",
arXiv:2004.10964): texts one after the other, packed into windows of one length so that no token is padding.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import msgspec

from workbench.records.documents import DocumentText
from workbench.training.data.examples import Example, Source
from workbench.training.data.tokenization import WrittenExample

SHORTEST_TAIL = 8
"""Tokens: what is left at the end and has fewer is dropped."""


PIECES, SHORTEST_PIECE = 20, 500
"""A text that is all there is comes apart into about so many pieces, of at least so many characters."""

_BORDERS = (re.compile(r"\n\s*\n"), re.compile(r"\n"), re.compile(r"\s+"))


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


def take_apart(example: Example) -> Iterator[Example]:
    """A long text as pieces that end with a paragraph, else with a line or a word: so that some of a single text can be
    set aside. A short one, and a conversation, stays as it is."""
    length = max(SHORTEST_PIECE, -(-len(example.text) // PIECES))
    if len(example.text) < 2 * length:
        yield example
        return
    start = 0
    while start < len(example.text):
        end = start + length
        if len(example.text) - end < length // 2:
            end = len(example.text)
        else:
            found = (last for border in _BORDERS for last in [*border.finditer(example.text, start + 1, end)][-1:])
            end = next((border.end() for border in found if border.end() > start + length // 2), end)
        source = msgspec.structs.replace(example.source, start=start, end=end)
        yield Example(text=example.text[start:end], source=source)
        start = end


def pack(written: Iterable[WrittenExample], window_tokens: int) -> Iterator[Window]:
    """Windows of ``window_tokens`` tokens each, the last one perhaps shorter. Only a tail below ``SHORTEST_TAIL`` is
    lost; a long text continues in the next window. The examples must not have been cut."""
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
