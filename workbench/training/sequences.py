"""Sequences of tokens with their loss masks, as they are trained on, and questions that are asked of the model.

Importing this loads neither torch nor llama.cpp.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from itertools import pairwise
from typing import overload

import msgspec

from workbench.training.data.assistant_masks import Tokenizer
from workbench.training.data.examples import Example
from workbench.training.data.packed_tokens import PackedTokens
from workbench.training.data.tokenization import ExampleWriter, WrittenExample

JUDGED_BAD = 1
"""``TokenSequence.mark`` of an answer that was judged bad."""


class TokenSequence(msgspec.Struct, frozen=True):
    """A training sequence: ``tokens`` and, of the same length, whether each is (its loss mask). ``starts`` are the
    places, but for the first one, at which another text begins, which does not see those before it.
    ``mark`` is a number that the objective gives a meaning to, such as how an answer was judged."""

    tokens: tuple[int, ...]
    trained: tuple[bool, ...]
    starts: tuple[int, ...] = ()
    mark: int = 0

    def texts(self) -> list[TokenSequence]:
        """Each text by itself."""
        borders = pairwise((0, *self.starts, len(self.tokens)))
        return [TokenSequence(self.tokens[start:end], self.trained[start:end]) for start, end in borders]


class TokenSequences(Sequence[TokenSequence]):
    """Many of them, held packed: one is made when it is asked for."""

    def __init__(self, packed: PackedTokens | None = None) -> None:
        """Those of ``packed``, each one text."""
        self._packed = packed if packed is not None else PackedTokens()
        self._starts: dict[int, tuple[int, ...]] = {}
        self._marks: dict[int, int] = {}

    def append(self, one: TokenSequence) -> None:
        if one.starts:
            self._starts[len(self)] = one.starts
        if one.mark:
            self._marks[len(self)] = one.mark
        self._packed.append(one.tokens, one.trained)

    def __len__(self) -> int:
        return len(self._packed)

    @overload
    def __getitem__(self, place: int) -> TokenSequence: ...
    @overload
    def __getitem__(self, place: slice) -> list[TokenSequence]: ...
    def __getitem__(self, place: int | slice) -> TokenSequence | list[TokenSequence]:
        if isinstance(place, slice):
            return [self[one] for one in range(*place.indices(len(self)))]
        place = range(len(self))[place]
        return TokenSequence(*self._packed[place], self._starts.get(place, ()), self._marks.get(place, 0))

    def lengths(self) -> array[int]:
        return self._packed.lengths()

    def trained_tokens(self) -> array[int]:
        return self._packed.trained(skipped=1)


def lengths_of(texts: Sequence[TokenSequence]) -> array[int]:
    """The number of tokens of each."""
    return texts.lengths() if isinstance(texts, TokenSequences) else array("i", (len(one.tokens) for one in texts))


def trained_tokens_of(texts: Sequence[TokenSequence]) -> array[int]:
    """The number of trained tokens of each; the first one of a text is not predicted."""
    return (
        texts.trained_tokens()
        if isinstance(texts, TokenSequences)
        else array("i", (sum(one.trained[1:]) for one in texts))
    )


def longest_of(texts: Sequence[TokenSequence]) -> TokenSequence:
    lengths = lengths_of(texts)
    return texts[max(range(len(lengths)), key=lengths.__getitem__)]


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """A question to the model: ``prompt`` in tokens, the question and the expected answer in words."""

    prompt: tuple[int, ...]
    question: str
    expected: str


def question_of(
    example: Example,
    written: WrittenExample,
    writer: ExampleWriter,
    tokenizer: Tokenizer,
    same: dict[int, int] | None = None,
) -> Question | None:
    """The last answer of a conversation as a question, None of a text or where the answer was cut off. The numbers of
    its prompt are those of ``same``, which gets what it lacks."""
    same = {} if same is None else same
    if not example.messages or not written.tokens:
        return None
    marked = written if not all(written.trained[1:]) else writer.write(example)
    if marked.cut_tokens or not marked.trained[-1]:
        return None
    start = len(marked.trained)
    while start and marked.trained[start - 1]:
        start -= 1
    return Question(
        prompt=tuple(same.setdefault(token, token) for token in marked.tokens[:start]),
        question=next((m.content for m in reversed(example.messages) if m.role == "user"), ""),
        expected=answer_text(marked.tokens[start:], tokenizer),
    )


def answer_text(tokens: Sequence[int], tokenizer: Tokenizer) -> str:
    """The text of an answer's tokens, up to the token that ends it."""
    said: list[int] = []
    for token in tokens:
        if tokenizer.ends_generation(token):
            break
        said.append(token)
    return tokenizer.text(said).strip()
