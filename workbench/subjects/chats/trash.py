"""Chats in the trash: they stay where they are, with the files that are attached to them, and are hidden."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.api.protocol import RequestContext
from workbench.core.change_notifier import ChangeNotifier
from workbench.subjects.chats.calls import ChatRecord
from workbench.subjects.chats.images import ChatImages
from workbench.subjects.chats.store import ChatStore
from workbench.subjects.chats.trash_store import TrashedChatStore
from workbench.subjects.chats.unfinished import UnfinishedSections
from workbench.subjects.documents.embedder import Embedding
from workbench.subjects.documents.service import Documents
from workbench.subjects.documents.trash import file_bytes
from workbench.subjects.trash.calls import TrashEntry
from workbench.subjects.trash.store import TrashStore

UNTITLED = "New chat"


@dataclass(frozen=True, eq=False)
class TrashedChats:
    _store: ChatStore
    _marks: TrashedChatStore
    _documents: Documents
    _embedding: Embedding
    _unfinished: UnfinishedSections
    _trash: TrashStore
    _changes: ChangeNotifier
    _images: ChatImages

    def put(self, chat: str) -> ChatRecord:
        """Move a chat to the trash; returns what it was. Raises UserError when there is no such chat."""
        record = self._store.get_record(chat)
        attached = self._documents.attached_to(chat)
        size = self._marks.stored_bytes(chat)
        if attached is not None:
            self._documents.hide(attached)
            size += file_bytes(self._embedding.file(attached))
        with self._trash.transaction():
            record = self._store.get_record(chat)  # another call may have been faster
            entry = self._trash.add("chat", chat, record.title or UNTITLED, place=record.folder, bytes=size)
            self._marks.trash(chat, entry.id)
        self._changes.publish("trash", entry.id)
        return record

    def restore(self, entry: TrashEntry, context: RequestContext) -> TrashEntry:
        with self._trash.transaction():
            self._marks.restore(entry.item)
            self._trash.remove(entry)
        if (attached := self._documents.attached_to(entry.item)) is not None:
            self._documents.show(attached)
        self._changes.publish("chat", entry.item)
        return entry

    def delete(self, entry: TrashEntry) -> None:
        """The file of what was attached goes last, so that an interrupted removal leaves only an unreferenced file."""
        shown = self._store.images_of(entry.item)
        with self._trash.transaction():
            attached = self._marks.delete_trashed(entry.item)
            self._trash.remove(entry)
        self._images.delete_unused(shown)
        self._unfinished.forget(entry.item)
        if attached:
            self._embedding.delete_file(self._embedding.home_file(attached))

    def settle(self, entry: TrashEntry) -> None:
        """It was moved in one transaction."""
