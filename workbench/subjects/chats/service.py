"""The history of chats: list, search, rename, delete, branches, export."""

from __future__ import annotations

import time
from collections.abc import Sequence

import msgspec

from workbench.base.durability import written_beside
from workbench.base.errors import UserError
from workbench.base.paths import absolute_path
from workbench.core.change_notifier import ChangeNotifier
from workbench.core.streams import Handlers, unary
from workbench.records.answers import StoredMessage
from workbench.subjects.chats import calls
from workbench.subjects.chats.answers import Answers
from workbench.subjects.chats.exporting.html import write_html
from workbench.subjects.chats.exporting.markdown import write_markdown
from workbench.subjects.chats.exporting.transcript import Transcript, transcript_of
from workbench.subjects.chats.exporting.word import write_word
from workbench.subjects.chats.images import ChatImages
from workbench.subjects.chats.store import ChatStore
from workbench.subjects.chats.trash import TrashedChats
from workbench.subjects.documents.service import Documents, check_paths


class Chats:
    """Without ``trash``, the chats are not kept, and what is deleted is gone."""

    def __init__(
        self,
        store: ChatStore,
        answers: Answers,
        documents: Documents,
        changes: ChangeNotifier,
        trash: TrashedChats | None = None,
        images: ChatImages | None = None,
    ) -> None:
        self._store = store
        self._answers = answers
        self._documents = documents
        self._changes = changes
        self._trash = trash
        self._images = images

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
            calls.GetChatFolder: unary(lambda call: self._store.folders.get(call.folder)),
            calls.ChangeChatFolder: unary(self.change_folder),
            calls.AttachFiles: unary(self.attach),
            calls.DeleteChat: unary(self.delete),
            calls.SetHead: unary(self.set_head),
            calls.ExportChat: unary(self.export),
            calls.ExportChats: unary(self.export_file),
            calls.RenderChats: unary(self.render),
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
        """Running answers are stopped first. The attached files go with it."""
        ended = time.time()
        self._answers.stop_chat(call.chat)
        if self._trash is not None and not call.forever:
            return self._published(self._trash.put(call.chat))
        if self._answers.unfinished is not None:
            self._answers.unfinished.forget(call.chat)
        self._documents.remove_attachments(call.chat)
        shown = self._store.images_of(call.chat)
        deleted = self._published(self._store.delete(call.chat))
        if self._images is not None:
            self._images.delete_unused(shown, ended)
        return deleted

    def attach(self, call: calls.AttachFiles) -> calls.Attached:
        check_paths(call.paths)  # before a chat is created for them
        chat = self._store.create() if call.chat is None else self._store.get_record(call.chat)
        collection, run = self._documents.attach(chat.id, call.paths)
        return calls.Attached(chat=self._published(self._store.get_record(chat.id)), collection=collection, run=run)

    def set_head(self, call: calls.SetHead) -> calls.ChatRecord:
        return self._published(self._store.set_head(call.chat, call.message))

    def export(self, call: calls.ExportChat) -> str:
        return write_markdown((transcript_of(self._store.get_chat(call.chat)),))

    def render(self, call: calls.RenderChats) -> str:
        return write_html(self._transcripts(call.chats, call.branches))

    def export_file(self, call: calls.ExportChats) -> calls.Exported:
        path, transcripts = absolute_path(call.path), self._transcripts(call.chats, call.branches)
        if call.form == "docx":
            content = write_word(transcripts)
        else:
            content = (write_html if call.form == "html" else write_markdown)(transcripts).encode()
        with written_beside(path) as beside:
            beside.write_bytes(content)
        return calls.Exported(path=str(path), chats=len(transcripts), bytes=len(content))

    def _transcripts(self, chats: Sequence[str], branches: bool) -> list[Transcript]:
        wanted = chats or [chat.id for chat in self._store.list_chats()]
        if not wanted:
            raise UserError("There is no chat to export.", "Ask something first.")
        picture_of = self._images.pictures() if self._images is not None else None
        return [transcript_of(self._store.get_chat(chat), branches, picture_of) for chat in wanted]

    def remove_folder(self, call: calls.RemoveChatFolder) -> calls.ChatList:
        self._store.folders.remove(call.folder)
        return self._foldered("")

    def change_folder(self, call: calls.ChangeChatFolder) -> calls.ChatFolder:
        changed = self._store.folders.change(call.folder, call.project)
        self._changes.publish("chat")
        return changed

    def _foldered(self, _: str) -> calls.ChatList:
        self._changes.publish("chat")
        return self.list_chats(calls.ListChats())

    def _changed(self, message: StoredMessage) -> StoredMessage:
        self._changes.publish("chat", message.chat)
        return message

    def _published(self, chat: calls.ChatRecord) -> calls.ChatRecord:
        self._changes.publish("chat", chat.id)
        return chat
