"""The registry of collections: their names, what was added to them and what is watched.

The index of a collection is a file of its own, which the embedding worker writes; its counts are copied here.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence

import msgspec

from workbench.base.errors import UserError
from workbench.base.naming import free_name
from workbench.records.documents import Collection
from workbench.storage.database import Database, new_id
from workbench.techniques.embedding_calls import CollectionState
from workbench.text.language import language_name

ATTACHED = "the attached files"
"""The name of what is attached to a chat."""


class Root(msgspec.Struct, frozen=True, kw_only=True):
    """A file or folder that was added to a collection. What changed before ``read_at`` is in the index."""

    collection: str
    path: str
    watched: bool
    read_at: float | None = None


class CollectionRegistry:
    """The collections of a home. Wherever one is named, its id or its name will do."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def list_collections(self) -> tuple[Collection, ...]:
        """In the order of their names, without what is attached to chats."""
        return self._select("and c.chat is null order by name collate nocase", ())

    def attached_to(self, chat: str) -> Collection | None:
        """The files that are attached to a chat."""
        return next(iter(self._select("and c.chat = ?", (chat,))), None)

    def attach_to(self, chat: str) -> Collection:
        """As ``attached_to``; an empty collection where there is none yet."""
        with self._database.transaction():
            if (known := self.attached_to(chat)) is not None:
                return known
            collection = new_id()
            self._database.execute(
                "insert into collections (id, name, created, chat) values (?, ?, ?, ?)",
                (collection, collection, time.time(), chat),
            )
            return self.get(collection)

    def get(self, collection: str) -> Collection:
        """Raises UserError that names the collections there are."""
        found = self._select("and (c.id = ? or c.name = ?) order by c.id = ? desc", (collection,) * 3)
        if not found:
            known = ", ".join(c.name for c in self.list_collections())
            raise UserError(
                f"There is no collection {collection!r}.",
                f"Collections: {known}." if known else "Create one and add documents to it first.",
            )
        return found[0]

    def create(self, name: str) -> Collection:
        """Raises UserError when the name is empty or taken."""
        with self._database.transaction():
            name = self._free_name(name, but=None)
            collection = new_id()
            self._database.execute(
                "insert into collections (id, name, created) values (?, ?, ?)", (collection, name, time.time())
            )
            return self.get(collection)

    def rename(self, collection: str, name: str) -> Collection:
        """Raises UserError when the name is empty or taken."""
        with self._database.transaction():
            record = self.get(collection)
            name = self._free_name(name, but=record.id)
            self._database.execute("update collections set name = ? where id = ?", (name, record.id))
            return self.get(record.id)

    def set_passage_tokens(self, collection: str, tokens: int) -> Collection:
        """All that was added has to be read again."""
        return self._set_and_read_again(collection, "passage_tokens", tokens)

    def set_embedder(self, collection: str, model: str) -> Collection:
        """All that was added has to be read again."""
        return self._set_and_read_again(collection, "embedder", model)

    def _set_and_read_again(self, collection: str, column: str, value: int | str) -> Collection:
        with self._database.transaction():
            self._database.execute(f"update collections set {column} = ? where id = ?", (value, collection))
            self._database.execute("update roots set read_at = null where collection = ?", (collection,))
            return self.get(collection)

    def remove(self, collection: str) -> Collection:
        """Forget a collection; returns what it was."""
        with self._database.transaction():
            record = self.get(collection)
            self._database.execute("delete from collections where id = ?", (record.id,))
        return record

    # -- what a person has deleted ---------------------------------------------------------------------

    def trash(self, collection: str, entry: str) -> None:
        """Hide a collection everywhere; ``entry`` is its entry in the trash. Its name becomes free."""
        self._database.execute(
            "update collections set trashed = ?, name = id where id = ? and trashed is null", (entry, collection)
        )

    def restore(self, collection: str, name: str) -> Collection:
        """Show a collection again, by that name or, where it is taken, by one with a number. Raises UserError when it
        was deleted for good."""
        with self._database.transaction():
            taken = {
                row[0] for row in self._database.execute("select name from collections where id <> ?", (collection,))
            }
            self._database.execute(
                "update collections set trashed = null, name = ? where id = ?", (free_name(name, taken), collection)
            )
            return self.get(collection)

    def delete_trashed(self, collection: str) -> None:
        self._database.execute("delete from collections where id = ? and trashed is not null", (collection,))

    def leave_out(self, collection: str, paths: Sequence[str]) -> None:
        """Read files no more with a folder that they are in."""
        for path in paths:
            self._database.execute("insert or ignore into left_out values (?, ?)", (collection, path))

    def take_in(self, collection: str, paths: Sequence[str]) -> None:
        """Read files with their folders again."""
        for path in paths:
            self._database.execute("delete from left_out where collection = ? and path = ?", (collection, path))

    def left_out(self, collection: str) -> frozenset[str]:
        """The files that are not read with a folder that they are in."""
        rows = self._database.execute("select path from left_out where collection = ?", (collection,))
        return frozenset(row[0] for row in rows)

    def set_state(self, collection: str, state: CollectionState) -> Collection:
        """Copy the counts of the collection's own file, and which languages its embedding model knows badly."""
        unknown = ",".join(map(language_name, state.unknown_languages))
        with self._database.transaction():
            self._database.execute(
                "update collections set documents = ?, failed = ?, chunks = ?, bytes = ?, revision = ?, outdated = ?, "
                "unknown_languages = ? where id = ?",
                (
                    state.documents, state.failed, state.chunks, state.bytes, state.revision, state.outdated, unknown,
                    collection,
                ),
            )  # fmt: skip
            return self.get(collection)

    def add_root(self, collection: str, path: str, *, watched: bool) -> None:
        """Remember what was added. A watched folder stays watched when it is added again without watching."""
        self._database.execute(
            """insert into roots (collection, path, watched, added) values (?, ?, ?, ?)
               on conflict (collection, path) do update set watched = max(watched, excluded.watched)""",
            (collection, path, watched, time.time()),
        )

    def remove_root(self, collection: str, path: str) -> None:
        """Forget that a path was added."""
        self._database.execute("delete from roots where collection = ? and path = ?", (collection, path))

    def unwatch(self, collection: str, path: str) -> Collection:
        """Raises UserError when that folder is not watched."""
        with self._database.transaction():
            self._database.execute(
                "update roots set watched = 0 where collection = ? and path = ? and watched", (collection, path)
            )
            if not self._database.changes():
                raise UserError(f"{path} is not watched.")
            return self.get(collection)

    def list_watched(self) -> tuple[Root, ...]:
        return self._roots("where watched and collection in (select id from collections where trashed is null)", ())

    def list_roots(self, collection: str) -> tuple[Root, ...]:
        """All that was added to a collection."""
        return self._roots("where collection = ?", (collection,))

    def set_read(self, collection: str, paths: Sequence[str], at: float) -> None:
        """Remember that an ingest that began at ``at`` has read all below ``paths``."""
        with self._database.transaction():
            for path in paths:
                below = path.rstrip(os.sep) + os.sep
                self._database.execute(
                    """update roots set read_at = max(coalesce(read_at, 0), ?)
                       where collection = ? and (path = ? or substr(path, 1, ?) = ?)""",
                    (at, collection, path, len(below), below),
                )

    def _roots(self, clause: str, parameters: tuple[str, ...]) -> tuple[Root, ...]:
        rows = self._database.execute(
            f"select collection, path, watched, read_at from roots {clause} order by added", parameters
        )
        return tuple(Root(collection=row[0], path=row[1], watched=bool(row[2]), read_at=row[3]) for row in rows)

    def _free_name(self, name: str, *, but: str | None) -> str:
        name = name.strip()
        if not name:
            raise UserError("The collection needs a name.")
        row = self._database.row("select id from collections where name = ?", (name,))
        if row is not None and row[0] != but:
            raise UserError(f"There is already a collection named {name!r}.", "Choose another name.")
        return name

    def _select(self, clause: str, parameters: tuple[str, ...]) -> tuple[Collection, ...]:
        rows = self._database.execute(
            f"""select c.id, c.name, c.documents, c.failed, c.chunks, c.bytes, c.revision, c.created,
                       (select json_group_array(json_array(path, watched)) from (select path, watched from roots r
                        where r.collection = c.id order by r.added)),
                       exists (select 1 from roots r where r.collection = c.id and r.read_at is null), c.chat,
                       c.passage_tokens, c.embedder, c.outdated, c.unknown_languages
                from collections c where c.trashed is null {clause}""",
            parameters,
        )
        added = [msgspec.json.decode(row[8], type=list[tuple[str, int]]) for row in rows]
        return tuple(
            Collection(
                id=row[0],
                name=row[1] if row[10] is None else ATTACHED,
                documents=row[2],
                failed=row[3],
                chunks=row[4],
                bytes=row[5],
                revision=row[6],
                created=row[7],
                folders=tuple(path for path, watched in roots if watched or os.path.isdir(path)),
                watched=tuple(path for path, watched in roots if watched),
                unfinished=bool(row[9]),
                chat=row[10] or "",
                passage_tokens=row[11],
                embedder=row[12],
                outdated=row[13],
                unknown_languages=tuple(row[14].split(",")) if row[14] else (),
            )
            for row, roots in zip(rows, added, strict=True)
        )
