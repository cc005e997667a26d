"""The history of chats: list, search, rename, delete, branches, export."""

from __future__ import annotations

from workbench.api.calls import (
    Chat,
    ChatList,
    ChatRecord,
    DeleteChat,
    EditAnswer,
    ExportChat,
    GetChat,
    ListChats,
    RateAnswer,
    RenameChat,
    SetHead,
    StoredMessage,
)
from workbench.core.answers.service import Answers
from workbench.core.change_notifier import ChangeNotifier
from workbench.core.chats.markdown import export
from workbench.core.streams import Handlers, unary
from workbench.storage.chats import ChatStore


class Chats:
    def __init__(self, store: ChatStore, answers: Answers, changes: ChangeNotifier) -> None:
        self._store = store
        self._answers = answers
        self._changes = changes

    def handlers(self) -> Handlers:
        return {
            ListChats: unary(self.list_chats),
            GetChat: unary(self.get),
            RenameChat: unary(self.rename),
            DeleteChat: unary(self.delete),
            SetHead: unary(self.set_head),
            ExportChat: unary(self.export),
            RateAnswer: unary(lambda call: self._changed(self._store.rate(call.message, call.rating))),
            EditAnswer: unary(lambda call: self._changed(self._store.edit(call.message, call.text))),
        }

    def list_chats(self, call: ListChats) -> ChatList:
        return ChatList(chats=self._store.list_chats(call.search))

    def get(self, call: GetChat) -> Chat:
        return self._store.get_chat(call.chat)

    def rename(self, call: RenameChat) -> ChatRecord:
        return self._told(self._store.rename(call.chat, call.title))

    def delete(self, call: DeleteChat) -> ChatRecord:
        """Running answers are stopped first."""
        self._answers.stop_chat(call.chat)
        return self._told(self._store.delete(call.chat))

    def set_head(self, call: SetHead) -> ChatRecord:
        return self._told(self._store.set_head(call.chat, call.message))

    def export(self, call: ExportChat) -> str:
        chat = self._store.get_record(call.chat)
        return export(chat, self._store.get_branch(chat.head))

    def _changed(self, message: StoredMessage) -> StoredMessage:
        self._changes.publish("chat", message.chat)
        return message

    def _told(self, chat: ChatRecord) -> ChatRecord:
        self._changes.publish("chat", chat.id)
        return chat
