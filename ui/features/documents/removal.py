"""Removing files from a collection, one after the other, with one way back for all of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QObject

from ui.bridge import Bridge
from ui.features import ShellActions, offer_undo
from ui.features.documents import texts
from workbench.records.documents import Collection, Document
from workbench.records.visible import visible_name
from workbench.subjects.documents.calls import RemoveDocument


def remove_documents(
    bridge: Bridge,
    shell: ShellActions,
    collection: str,
    documents: Sequence[Document],
    changed: Callable[[Collection], None],
    failed: Callable[[Exception], None],
    owner: QObject,
) -> None:
    """Remove files from a collection by its id, and offer to undo it; ``changed`` is told after each."""
    first = visible_name(documents[0].path)
    title = first if len(documents) == 1 else texts.FILES_NAMED.format(name=first, count=len(documents) - 1)
    left = [one.id for one in documents]

    def remove_next(known: Collection | None = None) -> None:
        if known is not None:
            changed(known)
        if left:
            bridge.call(RemoveDocument(collection=collection, document=left.pop(0)), remove_next, failed, owner)
        else:
            offer_undo(bridge, shell, title, [one.id for one in documents], owner)

    remove_next()
