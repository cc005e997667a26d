"""The calls of the prompt library.

The calls of the task library: a person's demonstrations of programs with tools.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import msgspec

from workbench.base.errors import UserError
from workbench.base.files import open_regular
from workbench.base.paths import absolute_path
from workbench.base.stored import Unreadable
from workbench.core.change_notifier import ChangeNotifier
from workbench.core.streams import Handlers, unary
from workbench.records.answers import StoredMessage
from workbench.records.demonstrations import Demonstration, demonstration_of
from workbench.records.prompts import (
    LARGEST_FILE,
    LONGEST_NAME,
    LONGEST_NOTE,
    PROMPT_FILE,
    PromptFile,
    PromptRecord,
    PromptVersion,
    SharedPrompt,
    SharedVersion,
    check_content,
    content_hash,
    content_of,
    find_version,
    free_name,
)
from workbench.records.recipes import PromptingPart, PromptKind
from workbench.records.trace import Trace
from workbench.subjects.prompts.calls import (
    DemonstrationList,
    ExportPrompt,
    GetPrompt,
    ImportPrompt,
    ListDemonstrations,
    ListPrompts,
    PromptDetails,
    PromptList,
    RemoveDemonstration,
    RemovePrompt,
    RenamePrompt,
    RestorePrompt,
    SaveDemonstration,
    SavedPrompt,
    SavePrompt,
)
from workbench.subjects.prompts.store import DemonstrationStore, PromptStore
from workbench.subjects.prompts.trash import TrashedPrompts
from workbench.techniques.registry import METHODS

_ANOTHER_FILE = "Choose a file that was exported from the library of prompts."


@dataclass(frozen=True, eq=False)
class Prompts:
    _store: PromptStore
    _changes: ChangeNotifier
    _trashed: TrashedPrompts

    def handlers(self) -> Handlers:
        return {
            ListPrompts: unary(lambda call: self._list()),
            GetPrompt: unary(self.get),
            SavePrompt: unary(self.save),
            RestorePrompt: unary(self.restore),
            RenamePrompt: unary(self.rename),
            RemovePrompt: unary(self.remove),
            ExportPrompt: unary(self.export),
            ImportPrompt: unary(self.import_file),
        }

    def get(self, call: GetPrompt) -> PromptDetails:
        found = self._store.get(call.prompt)
        return PromptDetails(prompt=found, versions=self._store.versions(found))

    def save(self, call: SavePrompt) -> SavedPrompt:
        if len(call.note) > LONGEST_NOTE:
            raise UserError(f"The note has {len(call.note):,} characters; at most {LONGEST_NOTE:,} are stored.")
        content = _whole(content_of(call.part, call.kind), call.kind)
        check_content(content, call.kind)
        return self._saved(*self._store.save(call.name, call.kind, content, call.note.strip(), call.tags))

    def free_name(self, name: str, kind: PromptKind) -> str:
        """A name under which a version of this kind can be saved: ``name``, with a number where an entry of the other
        kind has it."""
        wanted = " ".join(name.replace("@", " ").split())[:LONGEST_NAME].strip() or "Prompt"
        return free_name(wanted, (one.name for one in self._store.list_prompts() if one.kind != kind))

    def restore(self, call: RestorePrompt) -> SavedPrompt:
        found = self._store.get(call.prompt)
        version = _readable(find_version(found.name, self._store.versions(found), call.version))
        note = f"Version {version.number} restored."
        return self._saved(*self._store.save(found.name, found.kind, version.content, note))

    def rename(self, call: RenamePrompt) -> PromptList:
        renamed = self._store.rename(self._store.get(call.prompt), call.name)
        self._changes.publish("prompts", renamed.id)
        return self._list()

    def remove(self, call: RemovePrompt) -> PromptList:
        found = self._store.get(call.prompt)
        self._trashed.put(found)
        self._changes.publish("prompts", found.id)
        return self._list()

    def export(self, call: ExportPrompt) -> str:
        wanted = [self._store.get(name) for name in call.prompts] or list(self._store.list_prompts())
        if not wanted:
            raise UserError("The library is empty.", "Save a prompt first.")
        path = absolute_path(call.path)
        try:
            PROMPT_FILE.save(path, PromptFile(prompts=tuple(map(self._shared, wanted))))
        except OSError as error:
            raise UserError(f"{path} cannot be written: {error.strerror or error}.") from error
        return str(path)

    def import_file(self, call: ImportPrompt) -> PromptList:
        added = self._store.add_shared(_read(absolute_path(call.path)).prompts)
        for one in added:
            self._changes.publish("prompts", one.id)
        return PromptList(prompts=added)

    def _list(self) -> PromptList:
        return PromptList(prompts=self._store.list_prompts())

    def _saved(self, record: PromptRecord, added: bool) -> SavedPrompt:
        self._changes.publish("prompts", record.id)
        return SavedPrompt(prompt=record, added=added)

    def _shared(self, record: PromptRecord) -> SharedPrompt:
        versions = tuple(
            SharedVersion(content=one.content, hash=one.hash, created=one.created, note=one.note)
            for one in map(_readable, reversed(self._store.versions(record)))
        )
        return SharedPrompt(name=record.name, kind=record.kind, versions=versions, tags=record.tags)


def _whole(content: PromptingPart, kind: PromptKind) -> PromptingPart:
    """With all options of the technique, so that a version stays what it is whatever becomes of their defaults."""
    if kind == "prompt":
        return content
    technique = METHODS.find(content.technique, "technique")
    options = msgspec.to_builtins(technique.decode(content.options))
    return msgspec.structs.replace(content, options=options)


def _readable(version: PromptVersion) -> PromptVersion:
    if version.unreadable:
        raise UserError(version.unreadable)
    return version


def _read(path: Path) -> PromptFile:
    """The entries of a file that may come from anybody. Raises UserError that names the file and the entry."""
    try:
        with open_regular(path) as file:
            raw = file.read(LARGEST_FILE + 1)
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror or error}.", _ANOTHER_FILE) from error
    if len(raw) > LARGEST_FILE:
        raise UserError(f"{path} is larger than {LARGEST_FILE >> 20} MB.", _ANOTHER_FILE)
    found = PROMPT_FILE.decode(raw)
    if isinstance(found, Unreadable):
        raise UserError(f"{path}: {found.reason}", found.hint or _ANOTHER_FILE)
    for one in found.prompts:
        for number, version in enumerate(one.versions, 1):
            where = f"{path}: version {number:,} of {one.name!r}"
            if version.content != content_of(version.content, one.kind):
                raise UserError(f"{where} holds more than a {one.kind} does.", _ANOTHER_FILE)
            if content_hash(version.content, one.kind) != version.hash:
                raise UserError(f"{where} was changed: its hash is another.", "Export it again.")
            try:
                check_content(version.content, one.kind)
            except UserError as error:
                raise UserError(f"{where}: {error.message}", error.hint) from error
    return found


class AnswerSource(Protocol):
    """The stored answers of which demonstrations are made."""

    def get_message(self, id: str, /) -> StoredMessage: ...

    def get_trace(self, id: str, /) -> Trace | None: ...


@dataclass(frozen=True, eq=False)
class Demonstrations:
    _store: DemonstrationStore
    _chats: AnswerSource
    _changes: ChangeNotifier

    def handlers(self) -> Handlers:
        return {
            ListDemonstrations: unary(lambda call: self._list()),
            SaveDemonstration: unary(self.save),
            RemoveDemonstration: unary(self.remove),
        }

    def save(self, call: SaveDemonstration) -> Demonstration:
        message = self._chats.get_message(call.message)
        trace = self._chats.get_trace(call.message)
        if message.role != "assistant" or message.parent is None or trace is None:
            raise UserError("No steps are stored for this message.", "Choose an answer that was made in steps.")
        if message.state != "done":
            raise UserError("This answer is not finished.", "Wait for its end, or ask again.")
        question = self._chats.get_message(message.parent).text
        made = demonstration_of(question, message.text, trace, message=message.id, created=time.time())
        self._store.add(made)
        self._changes.publish("demonstrations", made.id)
        return made

    def remove(self, call: RemoveDemonstration) -> DemonstrationList:
        left = self._store.remove(call.demonstration)
        self._changes.publish("demonstrations", call.demonstration)
        return DemonstrationList(demonstrations=left)

    def _list(self) -> DemonstrationList:
        try:
            return DemonstrationList(demonstrations=self._store.list_all())
        except UserError as error:
            return DemonstrationList(demonstrations=(), unreadable=f"{error.message} {error.hint}".strip())
