"""A loaded model's vocabulary: text to tokens and back. Thread-safe."""

from __future__ import annotations

import ctypes
import functools
import threading
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from workbench.base.errors import UserError
from workbench.engine.library import llama
from workbench.engine.reasoning_parser import MARKS

_SPECIAL = llama.LLAMA_TOKEN_ATTR_CONTROL | llama.LLAMA_TOKEN_ATTR_UNKNOWN

Derived = TypeVar("Derived")


class Vocabulary:
    """``size`` tokens. ``bos`` and ``eos`` are -1 where there is none."""

    def __init__(self, pointer: Any) -> None:
        self.pointer = pointer
        self.size: int = llama.llama_vocab_n_tokens(pointer)
        self.bos: int = llama.llama_vocab_bos(pointer)
        self.eos: int = llama.llama_vocab_eos(pointer)
        self.adds_bos: bool = llama.llama_vocab_get_add_bos(pointer) and self.bos >= 0
        self.adds_eos: bool = llama.llama_vocab_get_add_eos(pointer) and self.eos >= 0
        self._pieces: dict[tuple[int, bool], bytes] = {}
        self._special: dict[int, bool] = {}
        self._ends: dict[int, bool] = {}
        self._derived: dict[Any, Any] = {}
        self._deriving = threading.Lock()

    def derived(self, make: Callable[[Vocabulary], Derived]) -> Derived:
        """A value that ``make`` derives from the vocabulary; cached as long as the vocabulary lives."""
        with self._deriving:
            if make not in self._derived:
                self._derived[make] = make(self)
            found: Derived = self._derived[make]
            return found

    def tokenize(self, text: str, *, special: bool) -> list[int]:
        """The tokens of ``text``. ``special`` lets names of control tokens in the text stand for those tokens.

        Neither a first nor a last token is added. Raises UserError for a text that the vocabulary cannot write.
        """
        raw = text.encode("utf-8", "replace")
        room = len(raw) // 2 + 16
        while True:
            tokens = (llama.llama_token * room)()
            count = llama.llama_tokenize(self.pointer, raw, len(raw), tokens, room, False, special)
            if count >= 0:
                found = list(tokens[:count])
                if llama.LLAMA_TOKEN_NULL in found:  # llama.cpp aborts on a look at it
                    raise UserError(
                        "The vocabulary of this model has no token for a part of the text.",
                        "Get the model in another quantisation, or from another source.",
                    )
                return found
            room = -count

    def piece(self, token: int, *, special: bool = False) -> bytes:
        """A token's bytes, which need not be whole characters. Control tokens are empty unless ``special``."""
        known = self._pieces.get((token, special))
        if known is not None:
            return known
        if token < 0:  # of an image, which has no text
            return b""
        room = 64
        while True:
            buffer = ctypes.create_string_buffer(room)
            count = llama.llama_token_to_piece(self.pointer, token, buffer, room, 0, special)
            if count >= 0:
                piece = self._pieces[token, special] = buffer.raw[:count]
                return piece
            room = -count

    def text(self, tokens: Sequence[int], *, special: bool = False) -> str:
        return b"".join(self.piece(token, special=special) for token in tokens).decode("utf-8", "replace")

    def is_special(self, token: int) -> bool:
        """Whether the token is a control token rather than text."""
        known = self._special.get(token)
        if known is None:
            attributes = llama.llama_vocab_get_attr(self.pointer, token)
            known = self._special[token] = bool(attributes & _SPECIAL) or self.ends_generation(token)
        return known

    def ends_generation(self, token: int) -> bool:
        """Whether the token ends the model's answer. A token beyond the model's vocabulary stands for that where a
        constraint needs one and the model has none."""
        known = self._ends.get(token)
        if known is None:
            known = self._ends[token] = token >= self.size or bool(llama.llama_vocab_is_eog(self.pointer, token))
        return known

    def is_user_defined(self, token: int) -> bool:
        """Whether the model's makers added the token to the trained vocabulary."""
        return bool(llama.llama_vocab_get_attr(self.pointer, token) & llama.LLAMA_TOKEN_ATTR_USER_DEFINED)

    @functools.cached_property
    def marks(self) -> frozenset[int]:
        """Control tokens that are (part of) thought marks: their text must be visible to be parsed."""
        text = "".join(text for mark in MARKS for text in mark)
        return frozenset(self.specials_of(self.tokenize(text, special=True)))

    def specials_of(self, tokens: Sequence[int]) -> list[int]:
        return [token for token in tokens if self.is_special(token)]
