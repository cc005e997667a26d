"""Chunks: the pieces of a document's text that are embedded, searched and shown to a model.

``semantic-text-splitter`` splits: into the largest whole units (sections, paragraphs, sentences, words) that fit into a
number of the embedder's tokens. It reports the character at which each piece begins.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

from semantic_text_splitter import MarkdownSplitter, TextSplitter

from workbench.records.documents import Chunk
from workbench.techniques.retrieval.tokens import Tokens
from workbench.text.sentences import split_sentences

MOST_CONTEXT_TOKENS = 48

_LONGEST_CUT = 400
"""So many characters after a cut are read to see whether a sentence goes on there."""

SLIDES = frozenset({"pptx", "ppt"})
_WITH_HEADINGS = frozenset({"markdown"})

SECTION_CHARACTERS = 200_000
"""A longer text is split section by section, so that a cancel does not wait for a whole library."""


class Chunker:
    """Splits texts into chunks of at most ``capacity`` tokens (special ones not counted), and of fewer where a chunk
    and its context would have more than the ``window`` of the embedder, 0: the capacity.

    The splitters call back to count: given a tokenizer, each would keep a copy of its vocabulary.
    """

    def __init__(self, tokens: Tokens, capacity: int, window: int = 0) -> None:
        self._tokens, self._capacity, self._window = tokens, capacity, window or capacity

    @property
    def most_context(self) -> int:
        """So many tokens the context of a chunk may have."""
        return min(MOST_CONTEXT_TOKENS, self._window // 4)

    def count(self, text: str) -> int:
        """The number of a text's tokens."""
        return len(self._tokens.plain_ids(text))

    def split(
        self,
        text: str,
        kind: str = "text",
        page_starts: Sequence[int] = (),
        check: Callable[[], None] = lambda: None,
        reserved: int = 0,
    ) -> list[Chunk]:
        """The chunks of a text, in order, without blank ones; ``text[chunk.start:chunk.end]`` is a chunk's text.

        ``page_starts[i]`` is the offset of page ``i + 1``; a chunk belongs to the page on which it begins, and no chunk
        holds text of two slides. ``check`` is called now and then and may raise to stop. ``reserved``: so many tokens
        of the window are for the context.
        """
        capacity = min(self._capacity, self._window - reserved)
        make = MarkdownSplitter if kind in _WITH_HEADINGS else TextSplitter
        splitter = make.from_callback(self.count, capacity)
        found: list[Chunk] = []
        for section_start, section_end in _slides(text, page_starts) if kind in SLIDES else _sections(text):
            check()
            section = text[section_start:section_end]
            pieces = [(offset, offset + len(piece)) for offset, piece in splitter.chunk_indices(section)]
            for begin, end in self._whole_sentences(section, pieces, capacity):
                start = section_start + begin
                page = max(1, bisect_right(page_starts, start)) if page_starts else None
                found.append(Chunk(start=start, end=section_start + end, page=page))
        return found

    def _whole_sentences(
        self, text: str, pieces: Sequence[tuple[int, int]], capacity: int
    ) -> Iterator[tuple[int, int]]:
        """The pieces, so that a sentence that was cut at a line or a word goes whole into the second of them, where
        that still fits into ``capacity``."""
        begin, end = pieces[0] if pieces else (0, 0)
        for start, following_end in pieces[1:]:
            moved = _cut_sentence(text, begin, end, start)
            if moved is not None and self.count(text[moved:following_end]) <= capacity:
                start, end = moved, begin + len(text[begin:moved].rstrip())
            yield begin, end
            begin, end = start, following_end
        if pieces:
            yield begin, end


def _cut_sentence(text: str, begin: int, end: int, start: int) -> int | None:
    """Where the sentence begins that is cut between a piece from ``begin`` to ``end`` and the one from ``start``; None
    where none is, or it is all of the first piece."""
    if not text[start : start + 1].islower() or "\n\n" in text[end:start]:
        return None
    following = text.find("\n\n", start, start + _LONGEST_CUT)
    spans = split_sentences(text[begin : following if following >= 0 else start + _LONGEST_CUT])
    across = next((first for first, last in spans if first < end - begin and last > start - begin), 0)
    return begin + across if across else None


def _slides(text: str, page_starts: Sequence[int]) -> Iterator[tuple[int, int]]:
    yield from pairwise((*page_starts, len(text)))


def _sections(text: str) -> Iterator[tuple[int, int]]:
    """Spans of about ``SECTION_CHARACTERS`` that end with a line where possible."""
    start = 0
    while len(text) - start > SECTION_CHARACTERS * 1.5:
        middle = start + SECTION_CHARACTERS
        for separator in ("\n\n", "\n", " "):
            found = text.rfind(separator, start + SECTION_CHARACTERS // 2, middle)
            if found >= 0:
                middle = found + len(separator)
                break
        yield start, middle
        start = middle
    yield start, len(text)
