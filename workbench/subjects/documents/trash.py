"""Documents and collections in the trash.

The rows of a document are in the trash of its collection's file, which alone says whether it is there or in the trash.
Its entry is written before it is moved and removed after it came back, so that a core that was killed in between
finishes the move at its next start. A collection stays where it is, and is hidden.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from workbench.api.protocol import RequestContext
from workbench.base.errors import UserError
from workbench.records.documents import Collection, Document
from workbench.subjects.documents.embedder import Embedding
from workbench.subjects.documents.store import CollectionRegistry, Root
from workbench.subjects.trash.calls import TrashEntry
from workbench.subjects.trash.store import TrashStore, renamed
from workbench.techniques.embedding_calls import Purge, Restore
from workbench.techniques.embedding_calls import Trash as MoveToTrash


@dataclass(frozen=True, eq=False)
class TrashedDocuments:
    """Documents of collections, or all of one folder. ``show`` goes on with the work on a collection, which reads the
    files that are to be read again."""

    _registry: CollectionRegistry
    _embedding: Embedding
    _trash: TrashStore
    _show: Callable[[Collection], Collection]

    def put(self, collection: Collection, documents: Sequence[Document], root: Root | None) -> Collection:
        """Move documents to the trash, and forget that they were added as ``root``, a file or a folder."""
        folder = root is not None and root.path != documents[0].path
        title = os.path.basename(root.path.rstrip(os.sep)) if root is not None and folder else documents[0].title
        with self._trash.transaction():
            entry = self._trash.add(
                "folder" if folder else "document",
                root.path if root is not None and folder else documents[0].id,
                title or os.path.basename(documents[0].path),
                place=collection.name,
                inside=collection.id,
                documents=[[one.id, one.path] for one in documents],
                root=None if root is None else [root.path, root.watched, root.read_at],
            )
            self._registry.leave_out(collection.id, [one.path for one in documents])
            if root is not None:
                self._registry.remove_root(collection.id, root.path)
        return self._move(collection, entry)

    def settle(self, entry: TrashEntry) -> None:
        if not entry.bytes and (collection := self._collection(entry)) is not None:
            self._move(collection, entry)

    def restore(self, entry: TrashEntry, context: RequestContext) -> TrashEntry:
        """A document whose rows are gone (the index was made anew meanwhile) is read again from its file."""
        collection = self._collection(entry)
        if collection is None:
            raise UserError(
                f"The collection {entry.place} of {entry.title} is not there.",
                "Restore the collection from the trash first.",
            )
        value = self._trash.value(entry)
        paths = dict(value["documents"])
        self._trash.unsettle(entry)  # killed before the entry is removed, it is moved to the trash again
        restoring = Restore(file=str(self._embedding.file(collection)), documents=tuple(paths))
        restored = self._embedding.host.call(restoring, context=context)
        self._registry.set_state(collection.id, restored.state)
        again = [paths[document] for document in restored.missing]
        if gone := [path for path in again if not os.path.exists(path)]:
            raise UserError(
                f"{gone[0]} has to be read again, and is not there: the index of {collection.name} was made anew since "
                "it was deleted.",
                "Put the file back, then restore it again.",
            )
        with self._trash.transaction():
            self._registry.take_in(collection.id, list(paths.values()))
            if value["root"] is not None:
                path, watched, read_at = value["root"]
                self._registry.add_root(collection.id, path, watched=watched)
                if read_at is not None and not again:
                    self._registry.set_read(collection.id, [path], read_at)
            elif again:
                for path in again:
                    self._registry.add_root(collection.id, path, watched=False)
            self._trash.remove(entry)
        self._show(collection)
        return entry

    def delete(self, entry: TrashEntry) -> None:
        file = self._embedding.home_file(self._trash.inside(entry))
        if file.exists():
            documents = tuple(document for document, _ in self._trash.value(entry)["documents"])
            self._embedding.host.call(Purge(file=str(file), documents=documents))
        self._trash.remove(entry)

    def _collection(self, entry: TrashEntry) -> Collection | None:
        inside = self._trash.inside(entry)
        return next((one for one in self._registry.list_collections() if one.id == inside), None)

    def _move(self, collection: Collection, entry: TrashEntry) -> Collection:
        """Move the documents of an entry, to the end; those that were moved before count as well."""
        size = 0
        for document, _ in self._trash.value(entry)["documents"]:
            moving = MoveToTrash(file=str(self._embedding.file(collection)), document=document)
            moved = self._embedding.host.call(moving)
            self._registry.set_state(collection.id, moved.state)
            size += moved.bytes
        self._trash.settle(entry, size)
        return self._registry.get(collection.id)


def put_collection(
    collection: Collection, registry: CollectionRegistry, trash: TrashStore, embedding: Embedding
) -> Collection:
    """Move a collection to the trash; returns what it was."""
    with trash.transaction():
        size = file_bytes(embedding.file(collection))
        entry = trash.add("collection", collection.id, collection.name, bytes=size)
        registry.trash(collection.id, entry.id)
    return collection


def file_bytes(file: Path) -> int:
    """What a collection's file takes on the disk."""
    return sum(path.stat().st_size for path in (file, file.with_name(f"{file.name}-wal")) if path.exists())


@dataclass(frozen=True, eq=False)
class TrashedCollections:
    _registry: CollectionRegistry
    _embedding: Embedding
    _trash: TrashStore
    _show: Callable[[Collection], Collection]

    def restore(self, entry: TrashEntry, context: RequestContext) -> TrashEntry:
        with self._trash.transaction():
            collection = self._registry.restore(entry.item, entry.title)
            self._trash.remove(entry)
        self._show(collection)
        return renamed(entry, collection.name)

    def delete(self, entry: TrashEntry) -> None:
        """The registry goes before the file, so that an interrupted removal leaves only an unreferenced file."""
        with self._trash.transaction():
            self._registry.delete_trashed(entry.item)
            self._trash.remove_inside(entry.item)
            self._trash.remove(entry)
        self._embedding.delete_file(self._embedding.home_file(entry.item))

    def settle(self, entry: TrashEntry) -> None:
        """It was moved in one transaction."""
