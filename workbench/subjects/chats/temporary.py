"""Chats that are not kept: the same parts as other chats, over a database in memory.

Nothing of them reaches the disk, and they end with the core at the latest. A call goes to them where it begins such a
chat, or names one of them or a message in it.
"""

from __future__ import annotations

import threading
from typing import Any

from workbench.api.protocol import Call
from workbench.base.errors import UserError
from workbench.core.streams import Handler, Handlers, chosen
from workbench.subjects.chats.calls import Ask, AttachFiles, MoveChat, PinChat
from workbench.subjects.chats.store import ChatStore

_REFUSED: dict[type[Call[Any]], tuple[str, str]] = {
    AttachFiles: (
        "Files cannot be attached to a chat that is not kept, since reading them stores them.",
        "Add them to a collection on the Documents page, and ask that.",
    ),
    MoveChat: ("A chat that is not kept is in no project.", "Begin a chat in the project instead."),
    PinChat: ("A chat that is not kept is not in the history.", "Begin a chat that is kept instead."),
}


def with_temporary(kept: Handlers, temporary: Handlers, store: ChatStore) -> Handlers:
    """The handlers of chats that are kept, each beside that of the chats in ``store``, which are not."""

    begun = threading.Event()  # until the first such chat no call can name one

    def choosing(kind: type[Call[Any]]) -> Any:
        def choose(call: Any) -> Handler:
            begins = isinstance(call, Ask) and call.temporary
            if not (begins or begun.is_set()) or not _is_temporary(call, store):
                return kept[kind]
            begun.set()
            if kind in _REFUSED:
                raise UserError(*_REFUSED[kind])
            if isinstance(call, Ask):
                _check(call)
            return temporary[kind]

        return chosen(choose)

    return {kind: choosing(kind) if kind in temporary else handler for kind, handler in kept.items()}


def _is_temporary(call: Any, store: ChatStore) -> bool:
    if isinstance(call, Ask) and call.chat is None and call.regenerate is None:
        return call.temporary
    named = (*(getattr(call, name, None) for name in ("chat", "message", "regenerate")), *getattr(call, "chats", ()))
    return any(store.knows(id) for id in named if id)


def _check(call: Ask) -> None:
    """Raises UserError for what a question of such a chat may not store."""
    if call.folder:
        raise UserError("A chat that is not kept is in no project.", "Begin a chat in the project instead.")
    if call.recipe.agent is not None and call.recipe.agent.memory == "read-write":
        raise UserError(
            "An agent may not remember anything of a chat that is not kept.", "Set its memory to read, or to off."
        )
