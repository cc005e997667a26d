"""The chat page: history, conversation, and beside it the recipe, a source or the passages shown.

It joins the parts: ``ChatSession`` knows the chat, the widgets draw it, this page carries between them.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from PySide6.QtCore import QPoint, Qt, QTimer, QUrl
from PySide6.QtGui import QDesktopServices, QKeyEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import QFileDialog, QWidget

from ui.bridge import Bridge
from ui.components.file_choice import choose_documents
from ui.components.highlighting import find_lexer
from ui.components.layout import column_of
from ui.components.notices import DropCover, TakesFiles
from ui.features import Action, Found, ShellActions
from ui.features.chat import texts
from ui.features.chat.comparison.compare_choice import CompareChoice
from ui.features.chat.composer.sending_consent import SendingConsent
from ui.features.chat.controller import ChatController
from ui.features.chat.conversation.answers import ChatAnswers
from ui.features.chat.conversation.conversation import Shown
from ui.features.chat.layout import ChatLayout, make_parts
from ui.features.chat.library.prompt_library import PromptLibrary
from ui.features.chat.recipe.decoding import ChatDecoding
from ui.features.chat.recipe.recipe_files import RecipeFiles
from ui.features.chat.session import ChatSession
from workbench.api.protocol import Call
from workbench.records.answers import DocumentTask
from workbench.records.documents import Document
from workbench.records.messages import Citation, Passage
from workbench.records.recipes import Recipe
from workbench.subjects.chats.calls import (
    ChatList,
    ChatRecord,
    CreateChatFolder,
    DeleteChat,
    ExportChat,
    ListChats,
    MoveChat,
    PinChat,
    RemoveChatFolder,
    RenameChat,
    RenameChatFolder,
)

_IDLE_MS = 1_500


class ChatPage(TakesFiles, QWidget):
    """See ``ui.features`` for what the frame asks of a page."""

    name = "chat"
    title = "Chat"
    icon = "chat"

    make_parts = staticmethod(make_parts)

    def __init__(self, bridge: Bridge, shell: ShellActions, made: Mapping[str, Any] | None = None) -> None:
        super().__init__()
        self._bridge = bridge
        self._shell = shell
        self._drafts: dict[str | None, str] = {}
        self._drafted: str | None = None
        self._question_waiting = ""
        self._waits_for_files = False  # the composer's question is to be asked when they are read
        self._refusal = ""  # what the frame was last told of a question that could not be asked
        self.session = ChatSession(bridge, self)
        self.parts = ChatLayout(bridge, made)
        self.bench = ChatController(bridge, shell, self.session, self.parts, self)
        self.decoding = ChatDecoding(bridge, self.session, self.parts, self)
        talk = self.parts.conversation
        self._answers = ChatAnswers(bridge, self.session, talk, lambda: self.parts.recipe.recipe, self)
        self.parts.composer.field.setFocus()
        self.setFocusProxy(self.parts.composer.field)
        self.setAcceptDrops(True)
        column_of(self, self.parts)
        self._cover = DropCover(self)
        QTimer.singleShot(_IDLE_MS, self, lambda: find_lexer("python"))  # its import is slow: not amid an answer
        self._connect()
        self.consent = SendingConsent(bridge, self.session, self.parts, self)
        self.compare = CompareChoice(bridge, shell, self.session, self.parts, self)  # sees what was laid out
        self.compare.pairs.judged.connect(self.parts.composer.field.setFocus)
        self.recipe_files = RecipeFiles(bridge, shell, self.session, self.parts.recipe, self.bench.choose, self)
        self.library = PromptLibrary(bridge, shell, self.parts.recipe, self.bench.choose, self)
        self._history = bridge.home.listing(ListChats())
        self.bench.follow_home()
        self._history.follow(self._on_chats)
        self._on_opened()

    def header(self) -> QWidget:
        return self.parts.head

    def open_target(
        self,
        chat: str = "",
        new: bool = False,
        collection: str = "",
        question: str = "",
        task: DocumentTask | None = None,
        adapter: str = "",
        recipe: Recipe | None = None,
        part: str = "",
        field: str = "",
    ) -> None:
        """Open a chat; or begin one, with a collection, adapter, recipe, question, or task on a whole document;
        or show a field of a part of the recipe."""
        if chat:
            self.session.open(chat)
        elif new or collection or adapter or recipe is not None or task is not None:
            self.new_chat()
        if part:
            self.parts.show_side(self.parts.recipe)
            self.parts.recipe.show_field(part, field)
        if collection:
            self.bench.put_documents(collection)
        if recipe is not None:
            self.bench.choose(recipe)
        if adapter:
            self.bench.put_adapter(adapter)
        if task is not None:
            words = task.describe(self.parts.recipe.methods.row(task.task, "task"))
            self.session.ask(words, self.parts.recipe.recipe, document=task)
        elif question:
            self.parts.composer.set_text(question)
            self._question_waiting = question
            self._ask_waiting()

    def find_entries(self) -> Sequence[Found]:
        """Actions on the open chat, for the palette."""
        chat = self.session.chat.id
        if chat is None:
            return ()
        return [
            Found(texts.EXPORT_ACTION, "action", "export", lambda: self._export(chat)),
            Found(texts.RENAME_ACTION, "action", "edit", self.parts.history.edit_current),
        ]

    def remember(self) -> str:
        """What was written and not sent, by chat."""
        written = [(chat, text) for chat, text in self._drafts.items() if text.strip()]
        return msgspec.json.encode(written).decode()

    def recall(self, memory: str) -> None:
        """Take back what ``remember`` gave; anything else counts as nothing."""
        with contextlib.suppress(msgspec.DecodeError):
            written = {chat: text for chat, text in self._drafts.items() if text}
            self._drafts = dict(msgspec.json.decode(memory, type=list[tuple[str | None, str]])) | written
        if not self.parts.composer.text:
            self.parts.composer.set_text(self._drafts.get(self._drafted, ""))

    def new_chat(self) -> None:
        """Begin a chat with the usual settings; its questions are compared with nothing."""
        self.compare.opponents.choose(None)
        self.session.open(None)
        self.parts.composer.field.setFocus()

    def open_source(self, source: Citation | Passage) -> None:
        """Show a citation's or passage's document beside the conversation, at its place."""
        self.parts.source.open_source(source)
        self.parts.show_side(self.parts.source)

    def _connect(self) -> None:
        session, parts = self.session, self.parts
        session.opened.connect(self._on_opened)
        session.branch_changed.connect(self._on_branch_changed)
        session.identified.connect(parts.conversation.rename)
        session.stored.connect(self._on_stored)
        session.refused.connect(self._on_refused)
        session.busy_changed.connect(parts.composer.set_busy)
        session.missing.connect(lambda words: self._shell.show_message(words, "attention"))
        session.answered.connect(self.bench.take_result)
        history = parts.history
        history.opened.connect(session.open)
        history.new_wanted.connect(self.new_chat)
        history.searched.connect(self._on_searched)
        history.renamed.connect(self._on_renamed)
        history.pinned.connect(
            lambda chat, pinned: self._bridge.call(
                PinChat(chat=chat, pinned=pinned), self._on_record_changed, owner=self
            )
        )
        history.moved.connect(lambda chat, folder: self._change_folders(MoveChat(chat=chat, folder=folder)))
        history.folder_wanted.connect(self._on_folder_wanted)
        history.folder_renamed.connect(lambda old, new: self._change_folders(RenameChatFolder(folder=old, name=new)))
        history.folder_removed.connect(lambda folder: self._change_folders(RemoveChatFolder(folder=folder)))
        history.deleted.connect(self._on_deleted)
        history.export_wanted.connect(self._export)
        talk = parts.conversation
        talk.source_wanted.connect(self.open_source)
        talk.passages_wanted.connect(self._on_passages_wanted)
        talk.map_wanted.connect(lambda answer: self._shell.open_page("map", chat=session.chat.id, answer=answer))
        for clicked in (
            talk.again_wanted,
            talk.edited,
            talk.keep_wanted,
            self._answers.branched,
            parts.composer.asked,
            parts.composer.stop_wanted,
        ):
            # before anything else: the button or field goes, and the keyboard would fall to whatever is next
            clicked.connect(lambda *_: parts.composer.field.setFocus())
        talk.again_wanted.connect(lambda message: session.answer_again(message, parts.recipe.recipe))
        talk.edited.connect(lambda message, text: session.ask(text, parts.recipe.recipe, edit_of=message))
        talk.sibling_wanted.connect(session.show_sibling)
        talk.link_clicked.connect(self._on_link)
        composer = parts.composer
        composer.asked.connect(self._on_asked)
        composer.stop_wanted.connect(session.stop)
        composer.edited.connect(self._on_drafted)
        composer.attach_clicked.connect(self._on_attach)
        self.bench.models_known.connect(self._ask_waiting)
        parts.recipe.close_wanted.connect(parts.toggle_recipe)
        parts.recipe.documents_wanted.connect(lambda: self._shell.open_page("documents"))
        parts.files.chat_made.connect(self._on_chat_made)
        parts.files.emptied.connect(self._on_files_emptied)
        parts.files.read.connect(self._on_files_read)
        parts.files.opened.connect(self._on_file_opened)
        composer.field.files_pasted.connect(parts.files.attach)
        for closed in (parts.source.close_wanted, parts.passages.close_wanted):
            closed.connect(lambda: parts.show_side(parts.recipe))
        parts.passages.opened.connect(self.open_source)
        parts.head.recipe_toggled.connect(parts.toggle_recipe)
        parts.head.history_toggled.connect(parts.toggle_history)
        parts.head.menu_wanted.connect(self._on_menu_wanted)
        keys = {
            "Ctrl+N": self.new_chat,
            "Ctrl+R": parts.toggle_recipe,
            "Ctrl+H": parts.toggle_history,
        }
        for combination, run in keys.items():
            shortcut = QShortcut(QKeySequence(combination), self)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(run)

    # -- what the home folder holds --------------------------------------------------------------------

    def _on_searched(self, search: str) -> None:
        self._history.leave(self._on_chats)
        self._history = self._bridge.home.listing(ListChats(search=search.strip()))
        self._history.follow(self._on_chats)

    def _on_chats(self, found: ChatList) -> None:
        self.parts.history.show_chats(found.chats, self.session.chat.id, found.folders)
        title = next((chat.title for chat in found.chats if chat.id == self.session.chat.id), None)
        if title is not None:
            self.parts.head.chat_title.set_full_text(title)

    # -- the open chat ---------------------------------------------------------------------------------

    def _on_opened(self) -> None:
        chat, parts = self.session.chat, self.parts
        self._waits_for_files = False
        self._drafted = chat.id
        parts.composer.set_text(self._drafts.get(chat.id, ""))
        if chat.record is None:
            self.bench.begin()
        elif chat.record.recipe is not None:
            self.bench.restore(chat.record.recipe)
        if chat.record is not None and chat.record.unreadable:
            self._shell.show_message(chat.record.unreadable, "attention")
        if parts.side.currentWidget() is not parts.recipe:
            parts.side.setCurrentWidget(parts.recipe)
        self._show_branch(keep_place=False)
        parts.history.mark(chat.id)
        parts.head.chat_title.set_full_text(chat.record.title if chat.record is not None else "")
        parts.head.menu_button.setEnabled(chat.id is not None)

    def _on_branch_changed(self) -> None:
        path = self.session.chat.branches.path()
        asked = bool(path) and path[-1].id.startswith("new-")
        self._show_branch(keep_place=not asked)

    def _show_branch(self, keep_place: bool) -> None:
        branches, talk = self.session.chat.branches, self.parts.conversation
        self.parts.files.show_chat(self.session.chat.record)
        path = branches.path()
        self.parts.show_messages(bool(path))
        shown = [Shown(message, tuple(branches.siblings(message.id))) for message in path]
        talk.show_branch(shown, keep_place and not talk.following)
        self.bench.show_context()

    def _on_asked(self, question: str) -> None:
        if self.parts.files.reading and not self._waits_for_files:
            self._waits_for_files = True
            self.parts.files.wait(lambda: self._on_files_read(True))
            return
        self._waits_for_files = False
        if not self.compare.ask(question):
            self.session.ask(question, self.parts.recipe.recipe)

    def _on_stored(self) -> None:
        """Only now the words may go from the composer."""
        self._drafts.pop(self._drafted, None)
        self._drafted = self.session.chat.id
        self.parts.composer.clear()
        self._shell.take_back_message(self._refusal)
        self.parts.head.menu_button.setEnabled(self._drafted is not None)

    def _on_refused(self, question: str, reason: str) -> None:
        if question and not self.parts.composer.text.strip():
            self.parts.composer.set_text(question)
        if reason:
            self._refusal = texts.NOT_ASKED.format(reason=reason)
            self._shell.show_message(self._refusal, "danger")

    def _on_drafted(self) -> None:
        self._drafts[self._drafted] = self.parts.composer.text

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Escape is the page's unless what has the focus takes it. A shortcut would come before that."""
        beside = self.parts.side.currentWidget() is not self.parts.recipe
        if event.key() == Qt.Key.Key_Escape and self.session.busy:
            self.session.stop()
        elif event.key() == Qt.Key.Key_Escape and beside:
            self.parts.show_side(self.parts.recipe)
        else:
            super().keyPressEvent(event)

    def _ask_waiting(self) -> None:
        """Ask the question that the page was opened with, once it is known that there is a model."""
        if self._question_waiting and self.bench.ready and not self.parts.composer.blocked:
            question, self._question_waiting = self._question_waiting, ""
            self._on_asked(question)

    def _on_passages_wanted(self, message: str) -> None:
        branches = self.session.chat.branches
        if message in branches:
            stored = branches[message]
            live = self.session.lives.get(message)
            passages = stored.passages or (live.passages if live is not None else ())
            self.parts.passages.show_passages(stored.query or (live.query if live is not None else ""), passages)
            self.parts.show_side(self.parts.passages)

    # -- what is done with a chat ------------------------------------------------------------------------

    def _on_menu_wanted(self) -> None:
        chat = self.session.chat.id
        if chat is not None:
            self.parts.history.mark(chat)
            button = self.parts.head.menu_button
            self.parts.history.make_menu(chat).popup(button.mapToGlobal(QPoint(0, button.height())))

    def _on_renamed(self, chat: str, title: str) -> None:
        self._bridge.call(RenameChat(chat=chat, title=title), self._on_record_changed, owner=self)

    def _on_deleted(self, chat: str) -> None:
        if chat == self.session.chat.id:
            self.session.open(None)
        self._drafts.pop(chat, None)
        self._bridge.call(DeleteChat(chat=chat), self._on_record_changed, owner=self)

    def _on_folder_wanted(self, name: str, chat: str) -> None:
        def made(_: ChatList) -> None:
            if chat:
                self._change_folders(MoveChat(chat=chat, folder=name))
            else:
                self._history.refresh()

        self._bridge.call(CreateChatFolder(name=name), made, owner=self)

    def _change_folders(self, call: Call[Any]) -> None:
        self._bridge.call(call, lambda _: self._history.refresh(), owner=self)

    def _on_record_changed(self, record: ChatRecord) -> None:
        self._history.refresh()

    def _export(self, chat: str) -> None:
        title = next((known.title for known in self.parts.history.model.chats if known.id == chat), "chat")
        name = "".join(c if c.isalnum() or c in " -_" else " " for c in title).strip() or "chat"
        path, _ = QFileDialog.getSaveFileName(self, texts.EXPORT_CHAT, f"{name}.md", texts.FILTER_MARKDOWN)
        if path:
            self.export_to(chat, Path(path))

    def export_to(self, chat: str, path: Path) -> None:
        """Write the chat's shown branch to a Markdown file and say so."""

        def write(text: str) -> None:
            try:
                path.write_text(text, "utf-8")
            except OSError as error:
                self._shell.show_message(texts.NOT_WRITTEN.format(path=path, strerror=error.strerror), "danger")
            else:
                self._shell.show_message(texts.EXPORTED.format(path=path), "success")

        self._bridge.call(ExportChat(chat=chat), write, owner=self)

    def _on_link(self, address: str) -> None:
        """Links are opened only after asking, since that leaves the program and perhaps the machine."""
        url = QUrl(address)
        if url.scheme() not in ("http", "https", "mailto"):
            self._shell.show_message(texts.LINK_REFUSED.format(address=address), "attention")
            return

        def open_link() -> None:
            QDesktopServices.openUrl(url)

        open_it = Action(texts.OPEN_IN_BROWSER, open_link)
        self._shell.show_message(texts.LINK_LEADS_OUT.format(address=address), "info", open_it)

    # -- files -------------------------------------------------------------------------------------------

    def show_drop(self, over: bool) -> None:
        self._cover.cover(texts.DROP_HERE) if over else self._cover.hide()

    def take_files(self, paths: list[str]) -> None:
        self.parts.files.attach(paths)
        self.parts.composer.field.setFocus()

    def _on_attach(self) -> None:
        paths = choose_documents(self, texts.ATTACH)
        if paths:
            self.take_files(paths)

    def _on_chat_made(self, record: ChatRecord) -> None:
        """A chat was begun for attached files: what was written goes on in it."""
        self._drafts[record.id] = self._drafts.pop(None, "")
        waits = self._waits_for_files
        self.session.adopt(record)
        self._waits_for_files = waits

    def _on_files_emptied(self) -> None:
        """A chat that was begun for files alone goes with the last of them; what was written stays."""
        record, files = self.session.chat.record, self.parts.files
        if record is None or record.title or self.session.chat.messages or self.session.busy:
            return
        why = files.message.text if files.message.isVisibleTo(files) else ""
        self._drafts[None] = self.parts.composer.text
        self._drafts.pop(record.id, None)
        self.session.open(None)
        if why:
            files.message.show_message(why, "danger")
        self._bridge.call(DeleteChat(chat=record.id), self._on_record_changed, owner=self)

    def _on_files_read(self, complete: bool) -> None:
        """Ask the question that waited for them, or that is not to wait any longer; not where one was taken away,
        stopped or cannot be read."""
        question = self.parts.composer.text.strip()
        if complete and self._waits_for_files and question and not self.parts.composer.blocked:
            self.parts.files.message.hide()
            self._on_asked(question)
        self._waits_for_files = False

    def _on_file_opened(self, collection: str, document: Document) -> None:
        self.parts.source.open_document(collection, document)
        self.parts.show_side(self.parts.source)
