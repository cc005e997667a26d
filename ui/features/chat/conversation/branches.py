"""The tree of a chat's messages: what is shown, and what stands beside it."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from workbench.records.answers import StoredMessage


class Branches:
    """Messages by their parents. Siblings are in the order in which they were made."""

    def __init__(self, messages: Iterable[StoredMessage] = (), head: str | None = None) -> None:
        self._messages: dict[str, StoredMessage] = {}
        self._children: dict[str | None, list[str]] = {}
        for message in messages:
            self.put(message)
        self._head = head if head in self._messages else self.newest_leaf(None)

    @property
    def head(self) -> str | None:
        return self._head

    def __contains__(self, message: str) -> bool:
        return message in self._messages

    def __getitem__(self, message: str) -> StoredMessage:
        return self._messages[message]

    def put(self, message: StoredMessage) -> None:
        """Add a message, or replace the one with its id."""
        if message.id not in self._messages:
            self._children.setdefault(message.parent, []).append(message.id)
        self._messages[message.id] = message

    def drop(self, message: str) -> None:
        """Take a message out that has nothing below it."""
        gone = self._messages.pop(message)
        self._children[gone.parent].remove(message)
        if self._head == message:
            self._head = gone.parent

    def rename(self, old: str, new: str, parent: str | None) -> None:
        """A message was stored under another id and parent than it was shown with."""
        message = self._messages.pop(old)
        self._children[message.parent].remove(old)
        self._messages[new] = msgspec.structs.replace(message, id=new, parent=parent)
        self._children.setdefault(parent, []).append(new)
        below = self._children.pop(old, [])
        self._children.setdefault(new, []).extend(below)
        for child in below:
            self._messages[child] = msgspec.structs.replace(self._messages[child], parent=new)
        if self._head == old:
            self._head = new

    def show(self, message: str) -> None:
        """Show the branch of ``message`` down to its newest leaf."""
        self._head = self.newest_leaf(message)

    def newest_leaf(self, message: str | None) -> str | None:
        """The end of the branch below ``message`` that was last begun; below the root for None."""
        while below := self._children.get(message):
            message = below[-1]
        return message

    def path(self) -> list[StoredMessage]:
        """The shown messages, the first one first."""
        shown: list[StoredMessage] = []
        at = self._head
        while at is not None and at in self._messages:
            shown.append(self._messages[at])
            at = self._messages[at].parent
        return shown[::-1]

    def siblings(self, message: str) -> list[str]:
        """The ids that stand at this place of the tree, ``message`` among them."""
        return list(self._children[self._messages[message].parent])
