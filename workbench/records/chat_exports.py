"""Chats of other programs, as their exports hold them."""

from __future__ import annotations

from typing import Literal

import msgspec

PROGRAMS = {
    "chatgpt": "ChatGPT",
    "claude": "Claude",
    "openwebui": "Open WebUI",
    "lmstudio": "LM Studio",
    "jan": "Jan",
}


class ForeignMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A question or an answer. ``parent`` is the id of the message that it follows, "" for the first ones; several
    that follow one are its versions. ``created`` is in epoch seconds, 0 where it is not known."""

    id: str
    parent: str = ""
    role: Literal["user", "assistant"]
    text: str
    created: float = 0.0
    model: str = ""
    thought: str = ""


class ForeignChat(msgspec.Struct, frozen=True, kw_only=True):
    """``head`` is the last message of the branch that was shown, "" where it is not known. The messages are in an order
    in which each follows its parent."""

    id: str
    title: str
    created: float
    updated: float
    messages: tuple[ForeignMessage, ...]
    head: str = ""


class ChatExport(msgspec.Struct, frozen=True, kw_only=True):
    """What a file held. ``program`` is a key of PROGRAMS; ``left_out`` counts messages that are neither questions nor
    answers, such as those of tools and pictures."""

    program: str
    chats: tuple[ForeignChat, ...]
    left_out: int = 0
