"""The marks of chats in the trash, in the tables of chats and of collections."""

from __future__ import annotations

from workbench.storage.database import Database


class TrashedChatStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    def trash(self, chat: str, entry: str) -> None:
        """Hide a chat and its attached files everywhere; ``entry`` is its entry in the trash."""
        self._database.execute("update chats set trashed = ? where id = ?", (entry, chat))
        self._database.execute("update collections set trashed = ? where chat = ?", (entry, chat))

    def restore(self, chat: str) -> None:
        self._database.execute("update chats set trashed = null where id = ?", (chat,))
        self._database.execute("update collections set trashed = null where chat = ?", (chat,))

    def delete_trashed(self, chat: str) -> str:
        """Delete a chat in the trash; returns the id of the collection of its attached files, "" for none."""
        with self._database.transaction():
            row = self._database.row("select id from collections where chat = ?", (chat,))
            self._database.execute("delete from chats where id = ? and trashed is not null", (chat,))
        return str(row[0]) if row is not None else ""

    def stored_bytes(self, chat: str) -> int:
        """About how many bytes the messages of a chat take."""
        row = self._database.row(
            "select coalesce(sum(length(text) + length(thought) + length(passages) + length(citations) "
            "+ coalesce(length(recipe), 0) + coalesce(length(trace), 0)), 0) from messages where chat = ?",
            (chat,),
        )
        return int(row[0]) if row is not None else 0
