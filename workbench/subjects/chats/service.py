"""The history of chats: list, search, rename, delete, branches, export."""

from __future__ import annotations

import time
from collections.abc import Sequence

import msgspec

from workbench.core.change_notifier import ChangeNotifier
from workbench.core.streams import Handlers, unary
from workbench.records.answers import StoredMessage
from workbench.records.messages import Citation
from workbench.records.trust import describe_trust
from workbench.subjects.chats import calls
from workbench.subjects.chats.answers import Answers
from workbench.subjects.chats.calls import ChatRecord
from workbench.subjects.chats.store import ChatStore
from workbench.subjects.documents.service import Documents, check_paths


class Chats:
    def __init__(self, store: ChatStore, answers: Answers, documents: Documents, changes: ChangeNotifier) -> None:
        self._store = store
        self._answers = answers
        self._documents = documents
        self._changes = changes

    def handlers(self) -> Handlers:
        return {
            calls.ListChats: unary(self.list_chats),
            calls.GetChat: unary(self.get),
            calls.RenameChat: unary(self.rename),
            calls.PinChat: unary(lambda call: self._published(self._store.pin(call.chat, call.pinned))),
            calls.MoveChat: unary(lambda call: self._published(self._store.move(call.chat, call.folder))),
            calls.WithdrawTool: unary(
                lambda call: self._published(self._store.allow_tool(call.chat, call.tool, allowed=False))
            ),
            calls.CreateChatFolder: unary(lambda call: self._foldered(self._store.folders.create(call.name))),
            calls.RenameChatFolder: unary(
                lambda call: self._foldered(self._store.folders.rename(call.folder, call.name))
            ),
            calls.RemoveChatFolder: unary(self.remove_folder),
            calls.AttachFiles: unary(self.attach),
            calls.DeleteChat: unary(self.delete),
            calls.SetHead: unary(self.set_head),
            calls.ExportChat: unary(self.export),
            calls.RateAnswer: unary(lambda call: self._changed(self._store.rate(call.message, call.rating))),
            calls.EditAnswer: unary(lambda call: self._changed(self._store.edit(call.message, call.text))),
        }

    def list_chats(self, call: calls.ListChats) -> calls.ChatList:
        found = self._store.list_chats(call.search)
        return calls.ChatList(
            chats=tuple(msgspec.structs.replace(chat, recipe=None) for chat in found),
            folders=self._store.folders.names(),
            latest=next((chat.recipe for chat in found if chat.recipe is not None), None),
        )

    def get(self, call: calls.GetChat) -> calls.Chat:
        return self._store.get_chat(call.chat)

    def rename(self, call: calls.RenameChat) -> calls.ChatRecord:
        return self._published(self._store.rename(call.chat, call.title))

    def delete(self, call: calls.DeleteChat) -> calls.ChatRecord:
        """Running answers are stopped first, and the attached files go."""
        self._answers.stop_chat(call.chat)
        self._answers.unfinished.forget(call.chat)
        self._documents.remove_attachments(call.chat)
        return self._published(self._store.delete(call.chat))

    def attach(self, call: calls.AttachFiles) -> calls.Attached:
        check_paths(call.paths)  # before a chat is created for them
        chat = self._store.create() if call.chat is None else self._store.get_record(call.chat)
        collection, run = self._documents.attach(chat.id, call.paths)
        return calls.Attached(chat=self._published(self._store.get_record(chat.id)), collection=collection, run=run)

    def set_head(self, call: calls.SetHead) -> calls.ChatRecord:
        return self._published(self._store.set_head(call.chat, call.message))

    def export(self, call: calls.ExportChat) -> str:
        read = self._store.read_chat(call.chat)
        assert read.chat is not None
        return export(read.chat, read.messages)

    def remove_folder(self, call: calls.RemoveChatFolder) -> calls.ChatList:
        self._store.folders.remove(call.folder)
        return self._foldered("")

    def _foldered(self, _: str) -> calls.ChatList:
        self._changes.publish("chat")
        return self.list_chats(calls.ListChats())

    def _changed(self, message: StoredMessage) -> StoredMessage:
        self._changes.publish("chat", message.chat)
        return message

    def _published(self, chat: calls.ChatRecord) -> calls.ChatRecord:
        self._changes.publish("chat", chat.id)
        return chat


_HEADINGS = {"user": "## Question", "assistant": "## Answer", "tool": "## Tool result"}
_STATES = {
    "streaming": "This answer is not finished.",
    "stopped": "This answer was stopped.",
    "interrupted": "The program ended before this answer was finished.",
    "waiting": "This answer waits for your decision on a call.",
}


def export(chat: ChatRecord, branch: Sequence[StoredMessage]) -> str:
    """The branch as Markdown. Texts of models and people are unchanged; quoted passages are block quotes."""
    parts = [f"# {chat.title or 'New chat'}", time.strftime("%Y-%m-%d %H:%M", time.localtime(chat.created))]
    for message in branch:
        parts.append(_HEADINGS[message.role])
        if message.text.strip():
            parts.append(message.text.strip())
        if message.state == "failed":
            parts.append(f"*This answer failed: {message.error}*")
        elif message.state in _STATES:
            parts.append(f"*{_STATES[message.state]}*")
        parts += [f"*{notice}*" for notice in message.notices]
        trusted, _ = describe_trust(message.verification)
        parts += [f"*{trusted}*"] if trusted else []
        if message.citations:
            parts.append("### Sources")
            parts += [_source(citation) for citation in message.citations]
        if message.role == "assistant" and message.recipe is not None and message.recipe.model.name:
            parts.append(f"*Answered by {message.recipe.model.name}.*")
    return "\n\n".join(parts) + "\n"


def _source(citation: Citation) -> str:
    page = f", page {citation.page}" if citation.page is not None else ""
    quoted = "\n".join(f"> {line}".rstrip() for line in citation.text.strip().splitlines())
    return f"**[{citation.n}]** {citation.title}{page} (`{citation.path}`)\n\n{quoted}"
