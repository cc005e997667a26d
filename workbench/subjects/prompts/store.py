"""The prompt library: entries by their names, each with the versions that were saved, which never change.

A person's task library: one file in the home folder, read again whenever it has changed.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import cast

import msgspec

from workbench.base.errors import UserError
from workbench.base.stored import Unreadable
from workbench.records.demonstrations import DEMONSTRATIONS, MOST_DEMONSTRATIONS, Demonstration, DemonstrationFile
from workbench.records.prompts import (
    PROMPT,
    TAGS,
    PromptRecord,
    PromptVersion,
    SharedPrompt,
    checked_tags,
    content_hash,
    free_name,
    prompt_name,
)
from workbench.records.recipes import PromptingPart, PromptKind
from workbench.storage.database import Database, Row, new_id

_ENTRY = """select p.id, p.name, p.kind, p.created, p.tags, v.number, v.hash, v.created, v.note, v.content
    from prompts p join prompt_versions v on v.prompt = p.id
    and v.number = (select max(number) from prompt_versions where prompt = p.id)"""


class PromptStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    def list_prompts(self) -> tuple[PromptRecord, ...]:
        """By their names."""
        return tuple(map(_record, self._database.execute(f"{_ENTRY} where p.trashed is null order by p.name, p.id")))

    def get(self, name: str) -> PromptRecord:
        """The entry of that name or id. Raises UserError that names those there are."""
        found = self.find(name)
        if found is None:
            known = ", ".join(one.name for one in self.list_prompts())
            raise UserError(
                f"There is no prompt {name!r} in the library.",
                f"The library holds {known}." if known else "Save one first.",
            )
        return found

    def find(self, name: str) -> PromptRecord | None:
        row = self._database.row(
            f"{_ENTRY} where (p.name = ?1 or p.id = ?1) and p.trashed is null", (" ".join(name.split()),)
        )
        return _record(row) if row is not None else None

    def versions(self, found: PromptRecord) -> tuple[PromptVersion, ...]:
        """The latest first."""
        rows = self._database.execute(
            "select number, hash, created, note, content from prompt_versions where prompt = ? order by number desc",
            (found.id,),
        )
        return tuple(map(_version, rows))

    def save(
        self, name: str, kind: PromptKind, content: PromptingPart, note: str = "", tags: Iterable[str] | None = None
    ) -> tuple[PromptRecord, bool]:
        """Add a version to the entry of that name, or an entry; with the content of its latest version, nothing is
        added. ``tags`` None leaves them. Returns the entry, and whether a version was added. Raises UserError."""
        given = checked_tags(tags) if tags is not None else None
        with self._database.transaction():
            found = self.find(name)
            if found is None:
                return self._add(prompt_name(name), kind, given or (), [(content, time.time(), note)]), True
            if found.kind != kind:
                other = "a prompt" if found.kind == "prompt" else "a reasoning preset"
                raise UserError(f"{found.name!r} is the name of {other}.", "Choose another name.")
            if given is not None:
                self._database.execute(
                    "update prompts set tags = ? where id = ?", (TAGS.encode(given).decode(), found.id)
                )
            changed = content_hash(content, kind) != found.head.hash
            if changed:
                self._add_version(found.id, found.head.number + 1, kind, content, time.time(), note)
            return self.get(found.id), changed

    def add_shared(self, shared: Sequence[SharedPrompt]) -> tuple[PromptRecord, ...]:
        """Add entries with all their versions, all or none; one whose name is taken gets a number."""
        with self._database.transaction():
            taken = [one.name for one in self.list_prompts()]
            added = []
            for one in shared:
                name = free_name(prompt_name(one.name), taken)
                taken.append(name)
                versions = [(v.content, v.created or time.time(), v.note) for v in one.versions]
                added.append(self._add(name, one.kind, checked_tags(one.tags), versions))
            return tuple(added)

    def rename(self, found: PromptRecord, name: str) -> PromptRecord:
        """Raises UserError when the name is empty, too long or taken."""
        with self._database.transaction():
            name = prompt_name(name)
            taken = self.find(name)
            if taken is not None and taken.id != found.id:
                raise UserError(f"There is already an entry {taken.name!r} in the library.", "Choose another name.")
            self._database.execute("update prompts set name = ? where id = ?", (name, found.id))
            return self.get(found.id)

    def trash(self, prompt: str, entry: str) -> None:
        """Hide an entry of the library; ``entry`` is its entry in the trash. Its name becomes free."""
        self._database.execute("update prompts set trashed = ?1, name = ?1 where id = ?2", (entry, prompt))

    def restore(self, entry: str, title: str) -> str:
        """Show what an entry of the trash stands for; returns the name that it has now."""
        name = free_name(title, [one.name for one in self.list_prompts()])
        self._database.execute("update prompts set trashed = null, name = ? where trashed = ?", (name, entry))
        return name

    def delete_trashed(self, entry: str) -> None:
        """Delete an entry in the trash with all its versions."""
        self._database.execute("delete from prompts where trashed = ?", (entry,))

    def stored_bytes(self, prompt: str) -> int:
        """About how many bytes the versions of an entry take."""
        row = self._database.row(
            "select coalesce(sum(length(content) + length(note)), 0) from prompt_versions where prompt = ?", (prompt,)
        )
        return int(row[0]) if row is not None else 0

    def _add(
        self, name: str, kind: PromptKind, tags: tuple[str, ...], versions: Sequence[tuple[PromptingPart, float, str]]
    ) -> PromptRecord:
        identity = new_id()
        self._database.execute(
            "insert into prompts (id, name, kind, created, tags) values (?, ?, ?, ?, ?)",
            (identity, name, kind, time.time(), TAGS.encode(tags).decode()),
        )
        for number, (content, created, note) in enumerate(versions, 1):
            self._add_version(identity, number, kind, content, created, note)
        return self.get(identity)

    def _add_version(
        self, entry: str, number: int, kind: PromptKind, content: PromptingPart, created: float, note: str
    ) -> None:
        self._database.execute(
            "insert into prompt_versions (prompt, number, hash, created, note, content) values (?, ?, ?, ?, ?, ?)",
            (entry, number, content_hash(content, kind), created, note, PROMPT.encode(content).decode()),
        )


def _record(row: Row) -> PromptRecord:
    identity, name, kind, created, stored, *head = row
    tags, version = TAGS.decode(stored), _version(tuple(head))
    record = PromptRecord(id=identity, name=name, kind=cast(PromptKind, kind), created=created, head=version)
    if isinstance(tags, Unreadable):
        return msgspec.structs.replace(record, unreadable=tags.reason)
    return msgspec.structs.replace(record, tags=tags, unreadable=version.unreadable)


def _version(row: Row) -> PromptVersion:
    number, hash_, created, note, stored = row
    content = PROMPT.decode(stored)
    version = PromptVersion(number=number, hash=hash_, created=created, note=note)
    if isinstance(content, Unreadable):
        return msgspec.structs.replace(version, unreadable=content.reason)
    return msgspec.structs.replace(version, content=content)


class DemonstrationStore:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()

    def list_all(self) -> tuple[Demonstration, ...]:
        """The oldest first. Raises UserError for a file that cannot be read; it is never overwritten."""
        found = DEMONSTRATIONS.load(self._path)
        if isinstance(found, Unreadable):
            raise UserError(found.reason, found.hint or f"Put {self._path} right, or move it away.")
        return found.demonstrations if found is not None else ()

    def add(self, demonstration: Demonstration) -> tuple[Demonstration, ...]:
        """Add one, in place of an earlier one of the same content or from the same answer."""
        with self._lock:
            others = [
                one
                for one in self.list_all()
                if one.id != demonstration.id and (not one.message or one.message != demonstration.message)
            ]
            if len(others) >= MOST_DEMONSTRATIONS:
                raise UserError(
                    f"The task library holds {MOST_DEMONSTRATIONS} demonstrations already.", "Remove some first."
                )
            return self._save((*others, demonstration))

    def remove(self, demonstration: str) -> tuple[Demonstration, ...]:
        """Raises UserError when there is none of that id."""
        with self._lock:
            there = self.list_all()
            left = tuple(one for one in there if one.id != demonstration)
            if len(left) == len(there):
                raise UserError(f"There is no demonstration {demonstration!r}.", "List them to see their ids.")
            return self._save(left)

    def _save(self, demonstrations: tuple[Demonstration, ...]) -> tuple[Demonstration, ...]:
        try:
            DEMONSTRATIONS.save(self._path, DemonstrationFile(demonstrations=demonstrations))
        except OSError as error:
            raise UserError(f"{self._path} cannot be written: {error.strerror or error}.") from error
        return demonstrations
