"""Example: one training example, from any source."""

from __future__ import annotations

import re
from collections.abc import Sequence
from hashlib import blake2b
from typing import Literal

import msgspec

from workbench.base.catalogue import Shown
from workbench.records.endpoints import MadeBy
from workbench.records.messages import Message

Origin = Literal["file", "chat", "document", "pair"]


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """Where an example comes from, so that it can be found again.

    ``path`` is the file's or the document's; ``line`` (from 1, 0: not known) and ``row`` (from 1) are places in a
    file; ``start`` and ``end`` are character offsets into a document's text. ``chat`` and ``message`` are ids.
    ``made_by`` is the endpoint that wrote it.
    """

    origin: Origin = "file"
    path: str = ""
    line: int = 0
    row: int = 0
    chat: str = ""
    message: str = ""
    document: str = ""
    start: int = 0
    end: int = 0
    note: Shown = ""
    made_by: MadeBy | None = None

    def __str__(self) -> str:
        if self.origin == "file":
            place = f"line {self.line:,}" if self.line else f"row {self.row:,}"
            return f"{self.path}, {place}"
        if self.origin == "chat":
            return f"chat {self.chat}, message {self.message}"
        return f"{self.path or self.document}, characters {self.start:,} to {self.end:,}"


class Example(msgspec.Struct, frozen=True, kw_only=True):
    """A conversation that ends with an answer, or a plain text; exactly one of ``messages`` and ``text`` is set. A
    conversation that does not end with an answer is a prompt.

    Of a preference, ``rejected`` is the answer that the last one was preferred to; or ``desirable`` says whether the
    last one was judged good. ``sampled`` are the token ids as a model drew them, of the last answer and of the rejected
    one, () for one whose ids are not known; ``unfinished``, of the same two, whether it was cut off before its end.
    """

    messages: tuple[Message, ...] = ()
    text: str = ""
    rejected: Message | None = None
    desirable: bool | None = None
    sampled: tuple[tuple[int, ...], ...] = ()
    unfinished: tuple[bool, ...] = ()
    source: Source = Source()

    @property
    def question(self) -> str:
        """The text before the last answer; of a plain text nothing."""
        return "\n\n".join(f"{m.role}: {m.content}" for m in self._asked)

    @property
    def _asked(self) -> tuple[Message, ...]:
        return self.messages[:-1] if self.messages and self.messages[-1].role == "assistant" else self.messages

    @property
    def is_preference(self) -> bool:
        return self.rejected is not None or self.desirable is not None

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to learn: no text, or no answer that says anything; of a prompt without an answer,
        whether it asks nothing."""
        if self.messages and self.messages[-1].role != "assistant":
            return not self.messages[-1].content.strip()
        if self.messages:
            return not any(m.role == "assistant" and (m.content.strip() or m.tool_calls) for m in self.messages)
        return not self.text.strip()

    def digest(self, *, normalised: bool = False) -> bytes:
        """16 bytes that are the same for examples with the same content; ``normalised``: whatever their white space
        and case."""
        parts = _parts_of(self.messages) or ["text", self.text]
        if self.rejected is not None:
            parts = [*parts, "rejected", *_parts_of((self.rejected,))]
        return digest_of(parts, normalised=normalised)

    def question_digest(self) -> bytes:
        """The same of what stands before the last answer, white space and case apart."""
        return digest_of(_parts_of(self._asked), normalised=True)


def _parts_of(messages: Sequence[Message]) -> list[str]:
    """All that the messages say, tool calls included."""
    said: list[str] = []
    for message in messages:
        said += [message.role, message.content]
        said += [text for call in message.tool_calls for text in (call.name, call.arguments)]
    return said


def normalise(text: str) -> str:
    """The text in one case, with single spaces."""
    return _SPACES.sub(" ", text).strip().casefold()


def digest_of(parts: list[str], *, normalised: bool = False) -> bytes:
    """16 bytes of some texts, whose borders count."""
    digest = blake2b(digest_size=16)
    for part in parts:
        raw = (normalise(part) if normalised else part).encode("utf-8", "replace")
        digest.update(len(raw).to_bytes(8, "little"))
        digest.update(raw)
    return digest.digest()


_SPACES = re.compile(r"\s+")
