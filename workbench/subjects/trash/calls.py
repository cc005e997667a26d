"""The trash: what was deleted and can be restored."""

from __future__ import annotations

from typing import Annotated

import msgspec

from workbench.api.protocol import Call

KEPT_DAYS = 30
"""So long is kept what is in the trash; it is deleted for good at the first start after that."""

ITEM = "its id in the trash, or the id or name of what was deleted"


class TrashEntry(msgspec.Struct, frozen=True, kw_only=True):
    """Something in the trash. ``kind`` is chat, document, folder, collection, model, endpoint, adapter, recipe or
    prompt; ``item`` the id (of a model, endpoint, adapter or recipe: the name) that it had, ``title`` what a person
    calls it, ``place`` where it was (the name of the collection of a document). ``bytes`` is what it takes on the disk.
    ``deleted`` and ``until`` are epoch seconds: after ``until`` it is deleted for good."""

    id: str
    kind: str
    item: str
    title: str
    place: str = ""
    deleted: float
    until: float
    bytes: int = 0


class TrashList(msgspec.Struct, frozen=True, kw_only=True):
    """The latest first. ``bytes`` is what all of it takes on the disk."""

    entries: tuple[TrashEntry, ...] = ()
    bytes: int = 0
    days: int = KEPT_DAYS


class ListTrash(Call[TrashList], frozen=True, kw_only=True, tag="trash.list"):
    """What was deleted and can be restored."""

    changed_by = ("trash",)


class RestoreDeleted(Call[TrashEntry], frozen=True, kw_only=True, tag="trash.restore"):
    """Put something from the trash back to where it was, whole; of several with the same name the one that was deleted
    last. Raises UserError when it is not in the trash, or cannot be put back."""

    item: Annotated[str, ITEM]


class DeleteForGood(Call[TrashEntry], frozen=True, kw_only=True, tag="trash.delete"):
    """Delete something in the trash for good."""

    item: Annotated[str, ITEM]


class EmptyTrash(Call[TrashList], frozen=True, kw_only=True, tag="trash.empty"):
    """Delete for good all that is in the trash. What cannot be deleted now, such as a model whose drive is not
    connected, stays in it and is in the result."""
