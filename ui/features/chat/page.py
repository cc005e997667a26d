"""The chat page: history, conversation, and beside it the recipe, a source or the passages shown.

It joins the parts: ``ChatSession`` knows the chat, the widgets draw it, this page carries between them. Long because
every signal between them passes here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import QPoint, Qt, QTimer, QUrl
from PySide6.QtGui import QDesktopServices, QImage, QKeyEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import QWidget

from ui.bridge import Bridge
from ui.components.file_choice import choose_documents
from ui.components.highlighting import find_lexer
from ui.components.layout import column_of
from ui.components.notices import DropCover, TakesFiles
from ui.features import Action, Found, ShellActions, offer_undo
from ui.features.chat import texts
from ui.features.chat.comparison.compare_choice import CompareChoice
from ui.features.chat.composer.asking import Asking
from ui.features.chat.composer.completion import Completion
from ui.features.chat.composer.images import ImageTaker, are_images
from ui.features.chat.composer.one_question import describe_only
from ui.features.chat.composer.sending_consent import SendingConsent
from ui.features.chat.controller import ChatController
from ui.features.chat.conversation.answer_sources import AnswerSources
from ui.features.chat.conversation.answers import ChatAnswers
from ui.features.chat.conversation.changed_sources import ChangedSources
from ui.features.chat.conversation.conversation import Shown
from ui.features.chat.exporting import ChatExport
from ui.features.chat.history.folder_settings import FolderSettings
from ui.features.chat.layout import ChatLayout, make_parts
from ui.features.chat.library.prompt_library import PromptLibrary
from ui.features.chat.reading_order import go_on
from ui.features.chat.recipe.decoding import ChatDecoding
from ui.features.chat.recipe.recipe_files import RecipeFiles
from ui.features.chat.session import ChatSession
from workbench.api.protocol import Call
from workbench.base.catalogue import _
from workbench.records.answers import DocumentTask
from workbench.records.documents import Document
from workbench.records.messages import Citation, Passage
from workbench.records.projects import inherited
from workbench.records.recipes import Recipe
from workbench.subjects.chats.calls import (
    ChatFolder,
    ChatList,
    ChatRecord,
    CreateChatFolder,
    DeleteChat,
    GetChatFolder,
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
    title = _("Chat")
    icon = "chat"

    make_parts = staticmethod(make_parts)

    def __init__(self, bridge: Bridge, shell: ShellActions, made: Mapping[str, Any] | None = None) -> None:
        super().__init__()
        self._bridge = bridge
        self._shell = shell
        self.session = ChatSession(bridge, self)
        self.parts = ChatLayout(bridge, made)
        self.exports = ChatExport(bridge, shell, self)
        self._changed_sources = ChangedSources(bridge, self.parts.conversation)
        self.bench = ChatController(bridge, shell, self.session, self.parts, self)
        self.decoding = ChatDecoding(bridge, self.session, self.parts, self)
        talk = self.parts.conversation
        self._answers = ChatAnswers(bridge, self.session, talk, lambda: self.parts.recipe.recipe, self)
        self.parts.composer.field.setFocus()
        self.setFocusProxy(self.parts.composer.field)
        self.setAcceptDrops(True)
        column_of(self, self.parts)
        self.asking = Asking(
            self.session,
            self.parts,
            shell,
            lambda question, only: self.compare.ask(question, only),
            lambda: self.bench.ready,
            self,
        )
        self._cover = DropCover(self)
        self._images = ImageTaker(
            bridge,
            self.parts.composer.chosen,
            lambda why: shell.show_message(why, "danger"),
            self,
            lambda: self.session.chat.temporary,
        )
        QTimer.singleShot(_IDLE_MS, self, lambda: find_lexer("python"))  # its import is slow: not amid an answer
        self._connect()
        self.consent = SendingConsent(bridge, self.session, self.parts, self)
        self.compare = CompareChoice(bridge, shell, self.session, self.parts, self)  # sees what was laid out
        self.compare.pairs.judged.connect(self.parts.composer.field.setFocus)
        self.completion = Completion(bridge, shell, self.parts, self)
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
        files: tuple[str, ...] = (),
    ) -> None:
        """Open a chat; or begin one, with a collection (of it ``files`` alone), adapter, recipe, question, or task on
        a whole document; or show a field of a part of the recipe."""
        if chat:
            self._on_chat_chosen(chat)
        elif new or collection or adapter or recipe is not None or task is not None:
            self.new_chat()
        if part:
            self.parts.show_side(self.parts.recipe)
            self.parts.recipe.show_field(part, field)
        if collection:
            self.bench.put_documents(collection, files)
        if recipe is not None:
            self.bench.choose(self.bench.with_a_model(recipe))
        if adapter:
            self.bench.put_adapter(adapter)
        if task is not None:
            self._begin_task(task)
        elif question:
            self.asking.ask_when_ready(question)

    def find_entries(self) -> Sequence[Found]:
        """Actions on the open chat, for the palette."""
        chat = self.session.chat.id
        if chat is None or self.session.chat.temporary:
            return ()
        return [
            Found(texts.EXPORT_ACTION, "action", "export", lambda: self._export(chat)),
            Found(texts.PRINT_ACTION, "action", "export", lambda: self._print(chat)),
            Found(texts.EXPORT_ALL_ACTION, "action", "export", lambda: self.exports.choose((), texts.ALL_CHATS)),
            Found(texts.RENAME_ACTION, "action", "edit", self.parts.history.edit_current),
        ]

    def remember(self) -> str:
        """What was written and not sent, by chat."""
        return self.asking.remember()

    def recall(self, memory: str) -> None:
        """Take back what ``remember`` gave; anything else counts as nothing."""
        self.asking.recall(memory)

    def new_chat(self, folder: str = "") -> None:
        """Begin a chat with the usual settings, or with those of a folder; its questions are compared with nothing."""
        self.compare.opponents.choose(None)
        self.session.open(None, folder)
        self.parts.composer.field.setFocus()
        if folder:
            begun = self.session.chat

            def take(found: ChatFolder) -> None:
                if self.session.chat is begun and not begun.branches.path():
                    self.bench.choose(inherited(found.project, self.parts.recipe.recipe))
                if found.unreadable:
                    self._shell.show_message(found.unreadable, "attention")

            self._bridge.call(GetChatFolder(folder=folder), take, owner=self)

    def leave(self) -> None:
        """The window closes: a chat that is not kept ends with it."""
        self.session.leave()

    def begin_temporary(self) -> None:
        """Begin a chat of which nothing is kept; what is written in the composer goes with it."""
        words = self.parts.composer.text
        self.compare.opponents.choose(None)
        self.session.open(None, temporary=True)
        self.parts.composer.set_text(words)
        self.parts.composer.field.setFocus()

    def show_folder_settings(self, folder: str) -> None:
        """What the new chats of a folder begin with, to be changed."""

        def show(found: ChatFolder) -> None:
            if found.unreadable:
                self._shell.show_message(found.unreadable, "attention")
                return
            dialog = FolderSettings(self._bridge, found, self.parts.recipe.recipe, self)
            dialog.saved.connect(lambda name: self._shell.show_message(texts.FOLDER_SAVED.format(name=name), "success"))
            dialog.open()

        self._bridge.call(GetChatFolder(folder=folder), show, owner=self)

    def open_source(self, source: Citation | Passage) -> None:
        """Show a citation's or passage's document beside the conversation, at its place."""
        of_answers = (shown.citations for shown in self.parts.conversation.findChildren(AnswerSources))
        self.parts.source.open_source(source, next((found for found in of_answers if source in found), ()))
        self.parts.show_side(self.parts.source)

    def _find_in_source(self) -> None:
        if self.parts.side.currentWidget() is self.parts.source:
            self.parts.source.open_find()

    def _connect(self) -> None:
        session, parts = self.session, self.parts
        session.opened.connect(self._on_opened)
        session.branch_changed.connect(self._on_branch_changed)
        session.identified.connect(parts.conversation.rename)
        self.asking.stored.connect(self._on_stored)
        session.busy_changed.connect(parts.composer.set_busy)
        session.missing.connect(lambda words: self._shell.show_message(words, "attention"))
        session.answered.connect(self.bench.take_result)
        history = parts.history
        history.opened.connect(self._on_chat_chosen)
        history.new_wanted.connect(lambda: self.new_chat())
        history.searched.connect(self._on_searched)
        history.renamed.connect(self._on_renamed)
        history.pinned.connect(
            lambda chat, pinned: self._bridge.call(
                PinChat(chat=chat, pinned=pinned), self._on_record_changed, owner=self
            )
        )
        history.moved.connect(lambda chat, folder: self._change_folders(MoveChat(chat=chat, folder=folder)))
        parts.keep_nothing.clicked.connect(lambda: self.begin_temporary())
        history.new_in_folder.connect(self.new_chat)
        history.folder_settings_wanted.connect(self.show_folder_settings)
        history.folder_wanted.connect(self._on_folder_wanted)
        history.folder_renamed.connect(lambda old, new: self._change_folders(RenameChatFolder(folder=old, name=new)))
        history.folder_removed.connect(lambda folder: self._change_folders(RemoveChatFolder(folder=folder)))
        history.deleted.connect(self._on_deleted)
        history.export_wanted.connect(self._export)
        history.print_wanted.connect(self._print)
        history.folder_export_wanted.connect(self._export_folder)
        self.exports.follow(history)
        talk = parts.conversation
        talk.source_wanted.connect(self.open_source)
        talk.side_by_side_wanted.connect(
            lambda pair: self._shell.open_page(
                "documents", collection=pair[0].collection, compare=(pair[0].document, pair[1].document)
            )
        )
        talk.passages_wanted.connect(self._on_passages_wanted)
        talk.collection_wanted.connect(self._on_collection_wanted)
        talk.task_wanted.connect(self._begin_task)
        talk.export_wanted.connect(lambda: self._export(session.chat.id or ""))
        talk.print_wanted.connect(lambda: self._print(session.chat.id or ""))
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
        composer.stop_wanted.connect(session.stop)
        composer.attach_clicked.connect(self._on_attach)
        self.bench.models_known.connect(self.asking.ask_waiting)
        parts.recipe.close_wanted.connect(parts.toggle_recipe)
        parts.recipe.documents_wanted.connect(lambda: self._shell.open_page("documents"))
        parts.files.chat_made.connect(self._on_chat_made)
        parts.files.emptied.connect(self._on_files_emptied)
        parts.files.opened.connect(self._on_file_opened)
        composer.field.files_pasted.connect(self.take_files)
        composer.field.image_pasted.connect(self._on_image_pasted)
        for closed in (parts.source.close_wanted, parts.passages.close_wanted):
            closed.connect(lambda: parts.show_side(parts.recipe))
        parts.passages.opened.connect(self.open_source)
        parts.head.recipe_toggled.connect(parts.toggle_recipe)
        parts.head.history_toggled.connect(parts.toggle_history)
        parts.head.menu_wanted.connect(self._on_menu_wanted)
        keys = {
            "Ctrl+N": lambda: self.new_chat(),
            "Ctrl+R": parts.toggle_recipe,
            "Ctrl+H": parts.toggle_history,
            "Ctrl+F": self._find_in_source,
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
        open_chat = self.session.chat.id
        title = next((chat.title or chat.attached for chat in found.chats if chat.id == open_chat), None)
        if title is not None:
            self.parts.head.chat_title.set_full_text(title)

    # -- the open chat ---------------------------------------------------------------------------------

    def _on_opened(self) -> None:
        chat, parts = self.session.chat, self.parts
        self.asking.show_chat()
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
        begun = texts.NEW_IN_FOLDER.format(name=chat.folder) if chat.folder else ""
        title = (chat.record.title or chat.record.attached) if chat.record is not None else begun
        parts.head.chat_title.set_full_text(texts.NOT_KEPT_TITLE if chat.temporary else title)
        self._show_kept()

    def _show_kept(self) -> None:
        """Whether the open chat is kept: what can be done with a record is off where there is none."""
        chat, parts = self.session.chat, self.parts
        parts.keep_nothing.setVisible(not chat.temporary)
        parts.head.menu_button.setEnabled(chat.id is not None and not chat.temporary)
        if not chat.temporary:
            parts.not_kept.hide()
        elif not parts.not_kept.isVisibleTo(parts):
            parts.not_kept.show_message(texts.NOT_KEPT, "info", texts.END_NOW, lambda: self.new_chat())

    def _on_branch_changed(self) -> None:
        path = self.session.chat.branches.path()
        asked = bool(path) and path[-1].id.startswith("new-")
        self._show_branch(keep_place=not asked)

    def _show_branch(self, keep_place: bool) -> None:
        branches, talk = self.session.chat.branches, self.parts.conversation
        self.parts.files.show_chat(self.session.chat.record)
        path = branches.path()
        self.parts.show_messages(bool(path))
        answers = {message.parent: message.recipe for message in path}
        shown = [
            Shown(one, tuple(branches.siblings(one.id)), describe_only(self.session.only(one.id), answers.get(one.id)))
            for one in path
        ]
        talk.show_branch(shown, keep_place and not talk.following)
        self._changed_sources.check()
        self.bench.show_context()

    def _on_chat_chosen(self, chat: str) -> None:
        """Open a chat; what the questions of the one before were compared with stays there."""
        if chat != self.session.chat.id:
            self.compare.opponents.choose(None)
        self.session.open(chat)

    def _on_stored(self, new: bool) -> None:
        """A new chat is seen in the list: no search hides it."""
        if new:
            self.parts.history.search.clear()
        self._show_kept()

    def step_by_tab(self, forward: bool) -> bool:
        """Give the keyboard to what comes next or before, here or in the frame. False where there is nothing."""
        return go_on(self, self.parts, forward)

    def focusNextPrevChild(self, forward: bool) -> bool:
        return self.step_by_tab(forward) or super().focusNextPrevChild(forward)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Escape is the page's unless what has the focus takes it. A shortcut would come before that."""
        beside = self.parts.side.currentWidget() is not self.parts.recipe
        if event.key() == Qt.Key.Key_Escape and self.session.busy:
            self.session.stop()
        elif event.key() == Qt.Key.Key_Escape and beside:
            self.parts.show_side(self.parts.recipe)
        else:
            super().keyPressEvent(event)

    def _begin_task(self, task: DocumentTask) -> None:
        words = task.describe(self.parts.recipe.methods.row(task.task, "task"))
        self.session.ask(words, self.parts.recipe.recipe, document=task)

    def _on_collection_wanted(self, message: str, collection: str) -> None:
        """Ask a question again, of another collection, which is asked from now on."""
        self.bench.ask_only(collection)
        self.session.answer_again(message, self.parts.recipe.recipe)

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
        self.asking.forget(chat)

        def deleted(record: ChatRecord) -> None:
            self._history.refresh()
            offer_undo(self._bridge, self._shell, record.title or texts.NEW_CHAT, record.id, self)

        self._bridge.call(DeleteChat(chat=chat), deleted, owner=self)

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

    def _title_of(self, chat: str) -> str:
        return next((known.title for known in self.parts.history.model.chats if known.id == chat), "") or texts.NEW_CHAT

    def _export(self, chat: str) -> None:
        self.exports.choose((chat,), self._title_of(chat))

    def _print(self, chat: str) -> None:
        self.exports.show_preview((chat,), self._title_of(chat))

    def _export_folder(self, folder: str) -> None:
        chats = [chat.id for chat in self.parts.history.model.all_chats if chat.folder == folder]
        if chats:
            self.exports.choose(chats, folder)

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
        if are_images(paths) and self.bench.sees:
            self._images.take_files(paths)
        elif self.session.chat.temporary:
            self._shell.show_message(texts.NOTHING_ATTACHED, "attention")
            return
        else:  # the text of an image is read, as of any document
            self.parts.files.attach(paths)
            if are_images(paths):
                name = self.parts.recipe.recipe.model.name
                self._shell.show_message(texts.TEXT_READ_INSTEAD.format(name=name), "info")
        self.parts.composer.field.setFocus()

    def _on_image_pasted(self, image: QImage) -> None:
        if not self.bench.sees:
            self._shell.show_message(texts.CANNOT_SEE.format(name=self.parts.recipe.recipe.model.name), "attention")
        else:
            self._images.take_copied(image)

    def _on_attach(self) -> None:
        paths = choose_documents(self, texts.ATTACH)
        if paths:
            self.take_files(paths)

    def _on_chat_made(self, record: ChatRecord) -> None:
        """A chat was begun for attached files: what was written goes on in it."""
        folder = self.session.chat.folder
        self.asking.adopt(record.id, lambda: self.session.adopt(record))
        if folder:
            self._change_folders(MoveChat(chat=record.id, folder=folder))

    def _on_files_emptied(self) -> None:
        """A chat that was begun for files alone goes with the last of them; what was written stays."""
        record, files = self.session.chat.record, self.parts.files
        if record is None or record.title or self.session.chat.messages or self.session.busy:
            return
        why = files.message.text if files.message.isVisibleTo(files) else ""
        self.asking.give_back(record.id)
        self.session.open(None)
        if why:
            files.message.show_message(why, "danger")
        self._bridge.call(DeleteChat(chat=record.id, forever=True), self._on_record_changed, owner=self)

    def _on_file_opened(self, collection: str, document: Document) -> None:
        self.parts.source.open_document(collection, document)
        self.parts.show_side(self.parts.source)
