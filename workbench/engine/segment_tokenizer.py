"""Segments of a prompt as tokens: only what a chat template wrote itself becomes control tokens.

Owns how names of control tokens in contents are made plain text, by a word joiner in each. Knows a model's vocabulary
and nothing of templates and conversations.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from workbench.engine.segments import Segment

_WORD_JOINER = "\u2060"


class Tokenizer(Protocol):
    """The part of a vocabulary that prompts need."""

    @property
    def bos(self) -> int: ...
    @property
    def eos(self) -> int: ...
    @property
    def adds_bos(self) -> bool: ...
    def tokenize(self, text: str, *, special: bool) -> list[int]: ...
    def piece(self, token: int, *, special: bool = False) -> bytes: ...
    def text(self, tokens: Sequence[int], *, special: bool = False) -> str: ...
    def specials_of(self, tokens: Sequence[int]) -> list[int]: ...


class SegmentTokenizer:
    """Tokenises segments with one vocabulary. As thread-safe as the vocabulary."""

    def __init__(self, vocabulary: Tokenizer) -> None:
        self._vocabulary = vocabulary

    def tokenize(self, segments: Sequence[Segment]) -> list[int]:
        """As one text where the contents name no control token, which is how models are trained; else segment by
        segment."""
        vocabulary = self._vocabulary
        tokens = vocabulary.tokenize("".join(s.text for s in segments), special=True)
        meant = [
            token
            for segment in segments
            if not segment.literal
            for token in vocabulary.specials_of(vocabulary.tokenize(segment.text, special=True))
        ]
        if vocabulary.specials_of(tokens) == meant:
            return tokens
        return self.tokenize_apart(segments)

    def tokenize_apart(self, segments: Sequence[Segment]) -> list[int]:
        """Each segment by itself: literal ones contain no control token."""
        vocabulary = self._vocabulary
        tokens: list[int] = []
        for segment in segments:
            if segment.literal:
                tokens += self.literal_tokens(segment.text)
            else:
                tokens += vocabulary.tokenize(segment.text, special=True)
        return tokens

    def literal_tokens(self, text: str) -> list[int]:
        """The tokens of plain text, none of them a control token."""
        tokens = self._vocabulary.tokenize(text, special=False)
        if self._vocabulary.specials_of(tokens):  # llama.cpp always parses "user defined" tokens
            tokens = self._vocabulary.tokenize(self.escape(text), special=False)
        return tokens

    def with_bos(self, tokens: list[int]) -> list[int]:
        """The tokens after the model's first token (BOS), where the model uses one."""
        bos = self._vocabulary.bos
        return tokens if not self._vocabulary.adds_bos or tokens[:1] == [bos] else [bos, *tokens]

    def escape(self, text: str) -> str:
        """The text with a word joiner (invisible) in each name of a control token, which makes it plain text."""
        vocabulary = self._vocabulary
        while found := vocabulary.specials_of(vocabulary.tokenize(text, special=True)):
            names = {self.name(token) for token in found}
            before = text
            for name in names:
                if len(name) > 1:
                    text = text.replace(name, name[0] + _WORD_JOINER + name[1:])
            if text == before:  # a token without a name that could be broken up is removed
                return text
        return text

    def escape_json(self, value: Any) -> Any:
        """``escape`` on every text of a JSON value, names of fields included."""
        if isinstance(value, str):
            return self.escape(value)
        if isinstance(value, dict):
            return {self.escape(name): self.escape_json(one) for name, one in value.items()}
        return [self.escape_json(one) for one in value] if isinstance(value, list) else value

    def name(self, token: int) -> str:
        """A token's name, as a template writes it. Empty for -1, a token that the model lacks."""
        return self._vocabulary.piece(token, special=True).decode("utf-8", "replace") if token >= 0 else ""
