"""A document in sections that fit a model's context: whole paragraphs where possible, else sentences."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from workbench.backends.backend import ModelBackend, has_fewer_parameters
from workbench.records.documents import DocumentText
from workbench.records.messages import Passage
from workbench.techniques.retrieval.passages import passages_at
from workbench.techniques.retrieval.prompting import SMALL_MODEL_PARAMETERS
from workbench.text.sentences import split_sentences

_SMALL_MODEL_SECTION = 700  # tokens; a small model loses the thread of more
_FEWEST_TOKENS = 48


def sections_of(document: DocumentText, text: str, share: float, model: ModelBackend) -> list[Passage]:
    """The document in passages of a ``share`` of the context, divided by this ``text`` of it, which is as long."""
    return passages_at(document, split_sections(text, limit_of(share, model), model.count_tokens))


def limit_of(share: float, model: ModelBackend) -> int:
    """The most tokens of a section that takes a ``share`` of the model's context."""
    limit = int(model.context_tokens * share)
    if has_fewer_parameters(model, SMALL_MODEL_PARAMETERS):
        limit = min(limit, _SMALL_MODEL_SECTION)
    return max(_FEWEST_TOKENS, limit)


def tokens_of(model: ModelBackend, share: float) -> int:
    """A ``share`` of the model's context in tokens."""
    return max(_FEWEST_TOKENS, int(model.context_tokens * share))


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
