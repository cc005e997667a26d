"""Chats of other programs: read in the reader process, and stored all or none."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

from workbench.api.events import Event, Progress
from workbench.api.protocol import RequestContext, finish
from workbench.base.errors import UserError
from workbench.base.paths import absolute_path
from workbench.base.settings import DocumentSettings
from workbench.core.change_notifier import ChangeNotifier
from workbench.core.streams import Handlers
from workbench.reading.process import ReaderProcess
from workbench.reading.reader_calls import ReadLimits
from workbench.records.chat_exports import PROGRAMS, ChatExport, ForeignChat
from workbench.records.recipes import RECIPE, ModelPart, Recipe
from workbench.storage.database import Database, new_id
from workbench.subjects.chats.calls import ImportChats, Imported

UNANSWERED = "The export holds no answer to this question."
_MEMORY_TIMES = 4  # of what a document may take: an export holds years of chats


class ImportedChatStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, export: ChatExport, context: RequestContext) -> Imported:
        """Store the chats that are not there yet, all or none. Raises errors.Cancelled."""
        made: list[str] = []
        messages = known = 0
        with self._database.transaction():
            for chat in sorted(export.chats, key=lambda one: one.updated):
                context.raise_if_cancelled()
                mark = f"{export.program} {chat.id}"
                if self._database.row("select 1 from chats where imported = ?", (mark,)) is not None:
                    known += 1
                    continue
                made.append(self._add_chat(chat, mark))
                messages += len(chat.messages)
        return Imported(
            program=PROGRAMS[export.program],
            chats=tuple(made),
            messages=messages,
            known=known,
            left_out=export.left_out,
        )

    def _add_chat(self, chat: ForeignChat, mark: str) -> str:
        now, id_ = time.time(), new_id()
        created = chat.created or now
        self._database.execute(
            "insert into chats (id, title, created, updated, imported) values (?, ?, ?, ?, ?)",
            (id_, chat.title, created, chat.updated or created, mark),
        )
        ids = {message.id: new_id() for message in chat.messages}
        answered = {message.parent for message in chat.messages}
        shown = ids.get(chat.head)
        for message in chat.messages:
            recipe = Recipe(model=ModelPart(name=message.model)) if message.model else None
            self._insert(
                id=ids[message.id],
                chat=id_,
                parent=ids.get(message.parent),
                role=message.role,
                text=message.text,
                state="done",
                thought=message.thought,
                error="",
                created=message.created or created,
                recipe=RECIPE.encode(recipe).decode() if recipe is not None and message.role == "assistant" else None,
            )
            if message.role == "user" and message.id not in answered:  # a question can follow an answer only
                missing = new_id()
                self._insert(
                    id=missing, chat=id_, parent=ids[message.id], role="assistant", text="", state="failed",
                    thought="", error=UNANSWERED, created=message.created or created, recipe=None,
                )  # fmt: skip
                shown = missing if shown in (None, ids[message.id]) else shown
        last = self._database.row(
            "select id from messages where chat = ? and role = 'assistant' order by number desc limit 1", (id_,)
        )
        head = shown or (last[0] if last is not None else None)
        self._database.execute("update chats set head = ? where id = ?", (head, id_))
        return id_

    def _insert(self, **values: object) -> None:
        names, marks = ", ".join(values), ", ".join(f":{name}" for name in values)
        self._database.execute(f"insert into messages ({names}) values ({marks})", values)


class ChatImports:
    def __init__(
        self, store: ImportedChatStore, settings: Callable[[], DocumentSettings], changes: ChangeNotifier, log: Path
    ) -> None:
        self._store = store
        self._settings = settings
        self._changes = changes
        self._log = log

    def handlers(self) -> Handlers:
        return {ImportChats: self.import_chats}

    def import_chats(self, call: ImportChats, context: RequestContext) -> Iterator[Event]:
        path = absolute_path(call.path)
        if not path.exists():
            raise UserError(f"There is no file or folder {path}.")
        settings = self._settings()
        limits = ReadLimits(seconds=settings.read_seconds, memory_mb=_MEMORY_TIMES * settings.read_memory_mb)
        yield Progress(stage="reading")
        reader = ReaderProcess(log=self._log)
        try:
            export = reader.read_chat_export(path, limits, lambda: context.cancelled)
        finally:
            reader.close()
        yield Progress(stage="storing", total=len(export.chats), unit="chats")
        if not export.chats:
            raise UserError(f"{path.name} holds no chats.")
        imported = self._store.add(export, context)
        self._changes.publish("chat")
        yield finish(imported)
