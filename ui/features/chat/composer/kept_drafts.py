"""What was written and not sent, as the text that the window keeps while it is closed.

The first format was a list of chats and words; the second is an object with its number, which also has the documents,
images and recipes that were chosen for the next question of a chat.
"""

from __future__ import annotations

import contextlib
from typing import Literal, NamedTuple

import msgspec

from ui.features.chat.composer.one_question import OneQuestion

Words = dict[str | None, str]
"""What was written in a chat; None is the new chat."""
Choices = dict[str | None, OneQuestion]


class KeptDrafts(NamedTuple):
    written: Words
    chosen: Choices


class _Stored(msgspec.Struct, frozen=True, kw_only=True):
    format: Literal[2] = 2
    written: list[tuple[str | None, str]] = []
    chosen: list[tuple[str | None, msgspec.Raw]] = []


def write_drafts(written: Words, chosen: Choices) -> str:
    """The text of some drafts; "" where there are none."""
    if not (written or chosen):
        return ""
    choices = [(chat, msgspec.Raw(msgspec.json.encode(only))) for chat, only in chosen.items()]
    return msgspec.json.encode(_Stored(written=[*written.items()], chosen=choices)).decode()


def read_drafts(memory: str) -> KeptDrafts:
    """Read a text of either format; one that is neither counts as empty. A choice that this version cannot read is
    left out, and the words beside it stay."""
    chosen: Choices = {}
    with contextlib.suppress(msgspec.DecodeError):
        return KeptDrafts(dict(msgspec.json.decode(memory, type=list[tuple[str | None, str]])), chosen)
    with contextlib.suppress(msgspec.DecodeError):
        stored = msgspec.json.decode(memory, type=_Stored)
        for chat, only in stored.chosen:
            with contextlib.suppress(msgspec.DecodeError):
                chosen[chat] = msgspec.json.decode(only, type=OneQuestion)
        return KeptDrafts(dict(stored.written), chosen)
    return KeptDrafts({}, chosen)
