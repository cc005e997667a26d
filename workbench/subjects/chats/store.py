"""Chats and their messages: a tree of turns, of which one branch is shown."""

from __future__ import annotations

import os
import time
from typing import Any

import msgspec

from workbench.base.errors import UserError
from workbench.base.finding import folded
from workbench.base.stored import Stored, Unreadable
from workbench.records.agents import Approval
from workbench.records.answers import DocumentTask, StoredMessage
from workbench.records.messages import Candidate, Citation, ImagePart, Part, Passage, Usage, Verification
from workbench.records.outcomes import Reason, Road
from workbench.records.recipes import CHAT_RECIPE, RECIPE, Recipe
from workbench.records.trace import TRACE, Trace
from workbench.storage.database import Database, Row, new_id
from workbench.subjects.chats.calls import Chat, ChatRecord
from workbench.subjects.chats.folders import ChatFolders

_CHAT = (
    "id, title, created, updated, head, recipe, pinned, (select c.id from collections c where c.chat = chats.id), "
    "(select f.name from chat_folders f where f.id = chats.folder), allowed, "
    "(select m.id from messages m where m.chat = chats.id and m.state = 'waiting' order by m.number desc limit 1), "
    "(select r.path from roots r join collections c on r.collection = c.id where c.chat = chats.id "
    "order by r.rowid limit 1)"
)
_MESSAGE = (
    "id, chat, parent, role, text, state, thought, error, created, query, passages, citations, declined, notices, "
    "usage, recipe, document, sequences, kept selected_sequence, parts, steps, traced, rating, original, "
    "verification, waiting, tainted, finish, outcome, reasons, road, roads"
)
_NEW = ("id", "chat", "parent", "role", "text", "parts", "state", "created", "recipe", "document")
_STORED: dict[str, Stored[Any]] = {
    "passages": Stored("passages", tuple[Passage, ...]),
    "citations": Stored("citations", tuple[Citation, ...]),
    "notices": Stored("notices", tuple[str, ...]),
    "usage": Stored("token usage", Usage),
    "recipe": RECIPE,
    "document": Stored("task on a document", DocumentTask),
    "sequences": Stored("other answers", tuple[Candidate, ...]),
    "parts": Stored("parts", tuple[Part, ...]),
    "verification": Stored("verification of the answer", Verification),
    "reasons": Stored("reasons to doubt the answer", tuple[Reason, ...]),
    "roads": Stored("other routes of the answer", tuple[Road, ...]),
    "waiting": Stored("call that waits for a decision", Approval),
}
_ALLOWED: Stored[tuple[str, ...]] = Stored("allowed tools", tuple[str, ...])
_COLUMNS = {"selected_sequence": "kept"}  # columns with another name than the field
_TRIGRAM = 3
_SHOWN = "chat in (select c.id from chats c where c.trashed is null)"


class Branch(msgspec.Struct, frozen=True, kw_only=True):
    """The result of one reading of a chat, as given to a request: its record, and the messages of a branch of it, the
    first one first. The default is a chat that is not there yet."""

    chat: ChatRecord | None = None
    messages: tuple[StoredMessage, ...] = ()


class ChatStore:
    """The chats of a home. Every change is on the disk when its method returns."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.folders = ChatFolders(database)

    def list_chats(self, search: str = "") -> tuple[ChatRecord, ...]:
        """Chats, the pinned ones first, then the latest; with ``search``, those that contain each of its words."""
        order = "pinned desc, updated desc, number desc"
        rows = self._database.execute(f"select {_CHAT} from chats where trashed is null order by {order}")
        found = [_chat(row) for row in rows]
        for word in search.split():
            having = self._chats_with(word)
            found = [chat for chat in found if chat.id in having]
        return tuple(found)

    def get_record(self, chat: str) -> ChatRecord:
        """Raises UserError when there is no such chat."""
        row = self._database.row(f"select {_CHAT} from chats where id = ? and trashed is null", (chat,))
        if row is None:
            raise _no_chat(chat)
        return _chat(row)

    def knows(self, id: str) -> bool:
        """Whether there is a chat or a message of this id."""
        query = "select 1 from chats where id = :id union all select 1 from messages where id = :id"
        return self._database.row(query, {"id": id}) is not None

    def title_of(self, chat: str) -> str:
        """The title of a chat, "" where there is none."""
        row = self._database.row("select title from chats where id = ? and trashed is null", (chat,))
        return row[0] if row is not None else ""

    def get_chat(self, chat: str) -> Chat:
        """A chat with all its messages, oldest first. Raises UserError when there is no such chat."""
        with self._database.transaction():
            record = self.get_record(chat)
            rows = self._database.execute(f"select {_MESSAGE} from messages where chat = ? order by number", (chat,))
        return Chat(chat=record, messages=tuple(_message(row) for row in rows))

    def get_message(self, message: str) -> StoredMessage:
        """Raises UserError when there is no such message."""
        row = self._database.row(f"select {_MESSAGE} from messages where id = ? and {_SHOWN}", (message,))
        if row is None:
            raise _no_message(message)
        return _message(row)

    def get_branch(self, message: str | None) -> tuple[StoredMessage, ...]:
        """The messages from the first one down to ``message``; none for None."""
        rows = self._database.execute(
            f"""with recursive above (id, next, depth) as (
                    select id, parent, 0 from messages where id = ?
                    union all
                    select m.id, m.parent, depth + 1 from messages m join above on m.id = above.next
                )
                select {_MESSAGE.replace("id,", "m.id,", 1)} from messages m join above on m.id = above.id
                order by depth desc""",
            (message,),
        )
        return tuple(_message(row) for row in rows)

    def read_chat(self, chat: str, message: str | None = None, *, root: bool = False) -> Branch:
        """A chat and the branch down to ``message``, or else to its head; with ``root`` without messages. Raises
        UserError when there is no such chat or message."""
        with self._database.transaction():
            record = self.get_record(chat)
            return Branch(chat=record, messages=self._branch_to(message or (None if root else record.head)))

    def read_to(self, message: str) -> Branch:
        """The branch down to a message, and its chat. Raises UserError when there is no such message."""
        with self._database.transaction():
            messages = self._branch_to(message)
            return Branch(chat=self.get_record(messages[-1].chat), messages=messages)

    def _branch_to(self, message: str | None) -> tuple[StoredMessage, ...]:
        found = self.get_branch(message)
        if message is not None and not found:
            raise _no_message(message)
        return found

    # -- asking -----------------------------------------------------------------------------------

    def store_question(
        self,
        question: str,
        asked: Recipe,
        resolved: Recipe,
        *,
        after: Branch,
        title: str,
        document: DocumentTask | None = None,
        folder: str = "",
        parts: tuple[Part, ...] = (),
    ) -> tuple[StoredMessage, StoredMessage]:
        """Store a question and its empty answer in state ``streaming``, below a branch as it was read. ``document`` is
        the task that the question stands for, if it does; ``parts`` are those of a question with images. A new chat is
        put into ``folder``.

        The chat keeps the recipe as it was ``asked`` for (a drawn seed must not stick to it), the answer as it was
        ``resolved``. Returns question and answer. Raises UserError when the chat is gone, or the question cannot stand
        there.
        """
        with self._database.transaction():
            chat = self._create(title, asked, folder) if after.chat is None else after.chat.id
            parent = None
            if after.messages:
                above = after.messages[-1]
                parent = above.id
                if above.chat != chat:
                    raise UserError(f"The message {parent} is not in that chat.")
                if above.role != "assistant":
                    raise UserError("A question follows an answer.", "Name the answer that it follows.")
            if after.chat is not None:
                self._database.execute("update chats set title = ? where id = ? and title = ''", (title, chat))
            stored = self._insert(
                _new(chat=chat, parent=parent, role="user", text=question, parts=parts, document=document)
            )
            answer = self._insert(_new_answer(stored, resolved))
            self._touch(chat, answer.id, asked, after)
            return stored, answer

    def store_another_answer(
        self, beside: Branch, asked: Recipe, resolved: Recipe, *, aside: bool = False, trace: Trace | None = None
    ) -> tuple[StoredMessage, StoredMessage]:
        """A new empty answer beside the one in which a branch ends, to the same question. Returns question and answer.

        With ``aside`` the chat keeps its head and its recipe. ``trace`` holds the steps that it goes on from: a core
        that dies before it has repeated them has lost none.
        """
        *_, question, old = (None, *beside.messages)
        if old is None or question is None or old.role != "assistant":
            raise UserError("Only an answer can be generated again.", "Name the answer, not the question.")
        with self._database.transaction():
            answer = self._insert(_new_answer(question, resolved))
            if trace is not None:
                self.store_journal(answer.id, trace)
            if not aside:
                self._touch(old.chat, answer.id, asked, beside)
            return question, answer

    def update_message(self, message: str, **fields: Any) -> None:
        """Change some of a message's fields, by their names in StoredMessage."""
        values = {name: _encoded(name, value) for name, value in fields.items()}
        assignments = ", ".join(f"{_COLUMNS.get(name, name)} = :{name}" for name in values)
        self._database.execute(f"update messages set {assignments} where id = :id", {**values, "id": message})

    def store_ending(self, message: str, trace: Trace, **fields: Any) -> None:
        """As ``update_message``, once an answer has ended, together with its trace."""
        with self._database.transaction():
            self.update_message(message, **fields)
            if trace.steps:
                self._database.execute("update messages set trace = ? where id = ?", (TRACE.encode(trace), message))

    def store_journal(self, message: str, trace: Trace, *, decided: bool = False) -> None:
        """Store the steps of an answer that is being made; it is on the disk on return. ``decided``: the decision that
        it waited for is carried out from now on."""
        waits = ", waiting = null" if decided else ""
        self._database.execute(
            f"update messages set trace = ?, steps = ?{waits} where id = ?",
            (TRACE.encode(trace), len(trace.steps), message),
        )

    def leave_waiting(self, message: str, state: str, allows: str = "") -> bool:
        """Give an answer that waits another state, and allow a tool in its chat: both, or neither where the disk is
        full. Returns whether it did wait."""
        with self._database.transaction():
            waits = ", waiting = null" if state != "streaming" else ""
            self._database.execute(
                f"update messages set state = ?{waits} where id = ? and state = 'waiting'", (state, message)
            )
            waited = bool(self._database.changes())
            if waited and allows:
                self.allow_tool(self.get_message(message).chat, allows)
            return waited

    def allow_tool(self, chat: str, tool: str, allowed: bool = True) -> ChatRecord:
        """Allow the calls of an acting tool in a chat, or withdraw that. Raises UserError when there is no such
        chat."""
        with self._database.transaction():
            known = {*self.get_record(chat).allowed}
            left = tuple(sorted({*known, tool} if allowed else known - {tool}))
            self._database.execute("update chats set allowed = ? where id = ?", (_ALLOWED.encode(left).decode(), chat))
            return self.get_record(chat)

    def get_traces(self, question: str) -> tuple[Trace, ...]:
        """The traces of all answers to a question. Raises UserError when one cannot be read."""
        rows = self._database.execute(
            "select trace from messages where parent = ? and trace is not null order by number", (question,)
        )
        return tuple(TRACE.get(row[0]) for row in rows)

    def get_trace(self, message: str) -> Trace | None:
        """The trace of an answer, None for one without steps. Raises UserError when there is no such message, or the
        trace cannot be read."""
        row = self._database.row(f"select trace from messages where id = ? and {_SHOWN}", (message,))
        if row is None:
            raise _no_message(message)
        return TRACE.get(row[0]) if row[0] is not None else None

    def interrupt_streaming(self) -> int:
        """Mark the answers that a core which has gone left unfinished; those that have waited, and whose decision was
        not carried out, wait again. Returns how many were marked."""
        with self._database.transaction():
            self._database.execute(
                "update messages set state = 'waiting' where state = 'streaming' and waiting is not null"
            )
            self._database.execute("update messages set state = 'interrupted' where state = 'streaming'")
            return self._database.changes()

    # -- what a person thinks of an answer --------------------------------------------------------

    def rate(self, message: str, rating: int) -> StoredMessage:
        """Raises UserError for what is no answer, or none yet."""
        with self._database.transaction():
            self._answer(message)
            self.update_message(message, rating=rating)
            return self.get_message(message)

    def edit(self, message: str, text: str) -> StoredMessage:
        """Put a text in the place of what the model said, which is kept; "", or what it said, takes that back. Raises
        UserError for what is no answer, or none yet."""
        with self._database.transaction():
            answer = self._answer(message)
            said = answer.text if answer.original is None else answer.original
            written = text.strip()
            if not written or written == said.strip():
                self.update_message(message, text=said, original=None)
            else:
                self.update_message(message, text=written, original=said)
            return self.get_message(message)

    def _answer(self, message: str) -> StoredMessage:
        found = self.get_message(message)
        if found.role != "assistant":
            raise UserError("Only answers are rated and edited.", "Name an answer.")
        if found.state in ("streaming", "waiting"):
            raise UserError("This answer is still being generated.", "Wait until it is complete, or stop it.")
        return found

    # -- the history ------------------------------------------------------------------------------

    def create(self) -> ChatRecord:
        """A chat without a question, whose title its first question will be."""
        with self._database.transaction():
            return self.get_record(self._create("", None))

    def pin(self, chat: str, pinned: bool) -> ChatRecord:
        with self._database.transaction():
            self.get_record(chat)
            self._database.execute("update chats set pinned = ? where id = ?", (pinned, chat))
            return self.get_record(chat)

    def move(self, chat: str, folder: str) -> ChatRecord:
        """Put a chat into a folder; "": into none."""
        with self._database.transaction():
            self.get_record(chat)
            into = self.folders.id_of(folder) if folder else None
            self._database.execute("update chats set folder = ? where id = ?", (into, chat))
            return self.get_record(chat)

    def rename(self, chat: str, title: str) -> ChatRecord:
        """Raises UserError for an empty title."""
        if not title.strip():
            raise UserError("The chat needs a title.")
        with self._database.transaction():
            self.get_record(chat)
            self._database.execute("update chats set title = ? where id = ?", (title.strip(), chat))
            return self.get_record(chat)

    def delete(self, chat: str) -> ChatRecord:
        """Delete a chat with its messages; returns what it was."""
        with self._database.transaction():
            record = self.get_record(chat)
            self._database.execute("delete from chats where id = ?", (chat,))
        return record

    def has_unreadable_parts(self) -> bool:
        """Whether there is a message whose parts cannot be read, so that it is not known which images it shows."""
        rows = self._database.execute("select parts from messages where parts is not null")
        return any(isinstance(_STORED["parts"].decode(row[0]), Unreadable) for row in rows)

    def images_of(self, chat: str | None = None) -> set[str]:
        """The SHA-256 of the images that a chat shows, or all chats, those in the trash as well."""
        found: set[str] = set()
        where, values = ("chat = ? and", (chat,)) if chat is not None else ("", ())
        query = f"select parts from messages where {where} instr(cast(parts as blob), 'sha256') > 0"
        for row in self._database.execute(query, values):
            parts = _STORED["parts"].decode(row[0])
            if not isinstance(parts, Unreadable):
                found.update(part.sha256 for part in parts if isinstance(part, ImagePart))
        return found

    def set_head(self, chat: str, message: str) -> ChatRecord:
        """Show the branch through ``message``, down to the newest leaf below it."""
        with self._database.transaction():
            if self.get_message(message).chat != chat:
                raise UserError(f"The message {message} is not in that chat.")
            row = self._database.row(
                """with recursive below (id, number) as (
                       select id, number from messages where id = ?
                       union all
                       select m.id, m.number from messages m join below on m.parent = below.id
                   )
                   select id from below order by number desc limit 1""",
                (message,),
            )
            assert row is not None
            self._database.execute("update chats set head = ? where id = ?", (row[0], chat))
            return self.get_record(chat)

    # -- inside -----------------------------------------------------------------------------------

    def _create(self, title: str, recipe: Recipe | None, folder: str = "") -> str:
        now, chat = time.time(), new_id()
        into = self.folders.id_of(folder) if folder else None
        self._database.execute(
            "insert into chats (id, title, created, updated, recipe, folder) values (?, ?, ?, ?, ?, ?)",
            (chat, title, now, now, _encoded("recipe", recipe), into),
        )
        return chat

    def _insert(self, made: StoredMessage) -> StoredMessage:
        """Raises UserError when the chat was deleted since it was read, and with it all its messages."""
        values = {name: _encoded(name, getattr(made, name)) for name in _NEW}
        self._database.execute(
            f"""insert into messages ({", ".join(_NEW)}) select {", ".join(f":{name}" for name in _NEW)}
                where exists (select 1 from chats where id = :chat and trashed is null)""",
            values,
        )
        if not self._database.changes():
            raise _no_chat(made.chat)
        return made

    def _touch(self, chat: str, head: str, recipe: Recipe, read: Branch) -> None:
        """A recipe that cannot be read stays the chat's."""
        self._database.execute("update chats set head = ?, updated = ? where id = ?", (head, time.time(), chat))
        if read.chat is None or not read.chat.unreadable:
            self._database.execute("update chats set recipe = ? where id = ?", (_encoded("recipe", recipe), chat))

    def _chats_with(self, word: str) -> set[str]:
        if len(word) >= _TRIGRAM:
            quoted = '"' + word.replace('"', '""') + '"'
            rows = self._database.execute("select distinct chat from history where history match ?", (quoted,))
        else:  # two Chinese characters are a word, and too short for the index
            rows = self._database.execute(
                "select distinct chat from history where instr(folded(cast(text as blob)), ?)", (folded(word),)
            )
        return {row[0] for row in rows}


def _new(**fields: Any) -> StoredMessage:
    return StoredMessage(id=new_id(), created=time.time(), **fields)


def _new_answer(question: StoredMessage, recipe: Recipe) -> StoredMessage:
    return _new(chat=question.chat, parent=question.id, role="assistant", text="", state="streaming", recipe=recipe)


def _no_chat(chat: str) -> UserError:
    return UserError(f"There is no chat {chat}.", "It may have been deleted.")


def _no_message(message: str) -> UserError:
    return UserError(f"There is no message {message}.", "Its chat may have been deleted.")


def _chat(row: Row) -> ChatRecord:
    id_, title, created, updated, head, stored, pinned, attachments, folder, permitted, waiting, attached = row
    allowed = _ALLOWED.decode(permitted)
    recipe = CHAT_RECIPE.decode(stored) if stored is not None else None
    record = ChatRecord(
        id=id_,
        title=title,
        created=created,
        updated=updated,
        head=head,
        attachments=attachments or "",
        attached=os.path.basename(attached or ""),
        pinned=bool(pinned),
        folder=folder or "",
        waiting=waiting or "",
        allowed=() if isinstance(allowed, Unreadable) else allowed,
    )
    if isinstance(recipe, Unreadable):
        return msgspec.structs.replace(record, unreadable=recipe.reason)
    return msgspec.structs.replace(record, recipe=recipe)


def _message(row: Row) -> StoredMessage:
    values = dict(zip((name.split()[-1] for name in _MESSAGE.split(",")), row, strict=True))
    unreadable = []
    for name, stored in _STORED.items():
        value = stored.decode(values[name]) if values[name] is not None else None
        if isinstance(value, Unreadable):
            unreadable.append(value.reason)
            del values[name]
        else:
            values[name] = value
    for name in ("declined", "traced", "tainted"):
        values[name] = bool(values[name])
    if values["state"] != "waiting":
        values["waiting"] = None
    if values["original"] is not None:  # places in the model's text
        values["citations"], values["verification"] = (), None
        values["outcome"], values["reasons"] = None, ()
    values["notices"] = (*values.get("notices", ()), *unreadable)
    return StoredMessage(**values, unreadable=" ".join(unreadable))


def _encoded(name: str, value: Any) -> Any:
    return value if name not in _STORED or value is None else _STORED[name].encode(value).decode()
