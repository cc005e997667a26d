"""The documents page: collections, the files of one, a search in them, and one document opened beside. Long because it
joins all parts of the page.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import PurePath
from typing import Any

from PySide6.QtCore import QModelIndex, QPoint, Qt, QUrl
from PySide6.QtGui import QDesktopServices, QGuiApplication, QKeyEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import QFileDialog, QMenu, QWidget

from ui.bridge import Bridge
from ui.components.file_choice import choose_documents
from ui.components.layout import column_of
from ui.components.notices import TakesFiles
from ui.features import Found, ShellActions, offer_undo
from ui.features.documents import texts
from ui.features.documents.collection_list import describe_collection
from ui.features.documents.index_dialog import IndexDialog
from ui.features.documents.ingests import IngestDesk
from ui.features.documents.layout import DocumentsLayout
from ui.features.documents.removal import remove_documents
from ui.state import Listing
from ui.theme.theme import current_theme
from workbench.base.catalogue import _
from workbench.records.answers import DocumentTask
from workbench.records.documents import Collection, Document, DocumentList, SearchResult
from workbench.records.messages import Passage
from workbench.records.methods import Methods
from workbench.subjects.documents.calls import (
    AddDocuments,
    CollectionList,
    CompareDocuments,
    CreateCollection,
    ListCollections,
    ListDocuments,
    ReadAgain,
    RemoveCollection,
    RemoveFolder,
    RenameCollection,
    SearchDocuments,
    UnlockDocument,
    Unwatch,
)
from workbench.subjects.machine.calls import ListMethods, MethodList
from workbench.subjects.models.calls import ListModels, ModelList

FIRST_COLLECTION = _("Documents")
_SEARCH_LIMIT = 20


class DocumentsPage(TakesFiles, QWidget):
    """See ``ui.features`` for what the frame asks of a page."""

    name = "documents"
    title = _("Documents")
    icon = "documents"

    def __init__(self, bridge: Bridge, shell: ShellActions) -> None:
        super().__init__()
        self._bridge = bridge
        self._shell = shell
        self._collections: tuple[Collection, ...] = ()
        self._current = ""  # id of the collection that is shown
        self._opened: Document | None = None
        self._wanted_document: tuple[str, int, int] | None = None
        self._wanted_side = ""
        self._searched = 0
        self.parts = DocumentsLayout(bridge)
        self._desk = IngestDesk(bridge, self.parts.progress, self.parts.message, self)
        self.setAcceptDrops(True)
        column_of(self, self.parts)
        self._files: Listing[DocumentList] | None = None
        self._connect()
        bridge.home.listing(ListMethods()).follow(self._on_methods)
        bridge.home.listing(ListCollections()).follow(self._on_collections)
        bridge.home.listing(ListModels()).follow(self._on_models)
        self._desk.follow_runs()

    def open_target(
        self,
        collection: str = "",
        document: str = "",
        start: int = 0,
        end: int = 0,
        compare: tuple[str, str] | None = None,
        section: str = "",
    ) -> None:
        """Show a collection (id or name), and a document of it (id or path) with ``start:end`` marked; or two documents
        of it side by side; or its section ``files`` or ``names``."""
        if compare is not None:
            self.compare(collection, *compare)
            return
        self.parts.show_comparison(False)
        self._wanted_document = (document, start, end) if document else None
        self._wanted_side = section
        known = self._collection(collection)
        if known is not None and known.id != self._current:
            self.parts.collections.show_collections(self._collections, known.id)
            self._open_collection(known.id)
        elif collection and known is None:
            self._current = collection
            self._bridge.home.listing(ListCollections()).refresh()
        else:
            self._open_wanted()

    def find_entries(self) -> Sequence[Found]:
        """Actions on the open collection, for the palette."""
        if self._collection(self._current) is None:
            return ()
        return [
            Found(texts.ADD_FILES_BUTTON, "action", "plus", self.choose_files),
            Found(texts.ADD_FOLDER_BUTTON, "action", "folder", self.choose_folder),
        ]

    def _connect(self) -> None:
        parts = self.parts
        panel = parts.collections
        panel.opened.connect(self._open_collection)
        panel.created.connect(self._on_create)
        panel.renamed.connect(self._on_rename)
        panel.deleted.connect(self._on_delete)
        panel.index_wanted.connect(self.ask_for_index)
        if parts.no_collections.button is not None:
            parts.no_collections.button.clicked.connect(panel.begin_new)
        parts.add_files.clicked.connect(self.choose_files)
        parts.ask.clicked.connect(self._on_ask)
        parts.add_folder.clicked.connect(self.choose_folder)
        self._desk.files_ended.connect(self._on_files_ended)
        self._desk.failed_wanted.connect(self._show_failed)
        parts.offer.begun.connect(self._desk.follow)
        parts.offer.changed.connect(self._on_collection_changed)
        parts.offer.failed.connect(self._complain)
        parts.folders.switched.connect(self._on_folder_switched)
        parts.folders.again_wanted.connect(lambda path: self.add([path]))
        parts.folders.removal_wanted.connect(self._remove_folder)
        parts.search.searched.connect(self._on_search)
        parts.search.textChanged.connect(self._on_search_edited)
        parts.name_filter.textChanged.connect(self._on_filter)
        parts.state_filter.currentIndexChanged.connect(self._on_filter)
        parts.view.activated.connect(self._on_activated)
        parts.view.clicked.connect(self._on_activated)
        parts.view.selectionModel().selectionChanged.connect(lambda *_: self._on_chosen())
        parts.selection.ask_wanted.connect(self._on_ask_these)
        parts.selection.read_wanted.connect(lambda: self.add([one.path for one in parts.chosen()], anew=True))
        parts.selection.remove_wanted.connect(lambda: self._remove(parts.chosen()))
        parts.comparison.close_wanted.connect(lambda: parts.show_comparison(False))
        parts.selection.compare_wanted.connect(self._on_compare)
        parts.view.customContextMenuRequested.connect(self._on_file_menu)
        parts.menu_button.clicked.connect(self._on_collection_menu)
        parts.view.unlock_wanted.connect(self._on_unlock)
        parts.hits.opened.connect(self._on_hit)
        parts.sides.chosen.connect(self._on_side)
        parts.names.opened.connect(self._on_hit)
        parts.names.read_again_wanted.connect(self._read_all_again)
        parts.pane.close_wanted.connect(self.close_document)
        parts.tasks.wanted.connect(self._on_task)
        parts.remove.clicked.connect(self._on_remove)
        shortcut = QShortcut(QKeySequence("Ctrl+F"), self)
        shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        shortcut.activated.connect(self._on_find)

    # -- collections -----------------------------------------------------------------------------------

    def _collection(self, name: str) -> Collection | None:
        return next((known for known in self._collections if name and name in (known.id, known.name)), None)

    def _on_collections(self, found: CollectionList) -> None:
        self._collections = found.collections
        self.parts.show_collection(bool(found.collections))
        current = self._collection(self._current)
        self.parts.collections.show_collections(found.collections, current.id if current else "")
        chosen = self.parts.collections.current
        if chosen is None:
            self._open_collection("")
        elif chosen.id != self._current:
            self._open_collection(chosen.id)
        else:
            self._show_head()

    def _open_collection(self, collection: str) -> None:
        changes = collection != self._current
        self._current = collection
        if changes:
            self.close_document()
            self.parts.search.clear()
            self.parts.message.hide()
            self._on_side("files")
            self.parts.table.set_documents([])
        self._show_head()
        if changes:
            self._follow_files()

    def _show_head(self) -> None:
        collection = self._collection(self._current)
        self._desk.show(collection)
        if collection is None:
            return
        self.parts.title.set_full_text(collection.name)
        self.parts.counts.set_full_text(describe_collection(collection).replace(", ", " · "))
        self.parts.ask.setEnabled(collection.documents > 0)
        self.parts.ask.setToolTip(texts.ASK_ALL_HELP if collection.documents else texts.ASK_NONE)
        self.parts.folders.show_folders({path: path in collection.watched for path in collection.folders})
        self.parts.offer.show_collection(collection)

    def _on_create(self, name: str) -> None:
        self._create(name, lambda collection: self.parts.add_files.setFocus())

    def _create(self, name: str, then: Callable[[Collection], None]) -> None:
        def made(collection: Collection) -> None:
            self.parts.collections.end_new()
            self._collections = (*self._collections, collection)
            self._current = ""
            self.parts.show_collection(True)
            self.parts.collections.show_collections(self._collections, collection.id)
            self._open_collection(collection.id)
            then(collection)

        refuse = self.parts.collections.refuse_name
        self._bridge.call(CreateCollection(name=name), made, lambda error: refuse(str(error)), self)

    def _on_rename(self, collection: str, name: str) -> None:
        call = RenameCollection(collection=collection, name=name)
        self._bridge.call(call, self._on_collection_changed, self._complain, self)

    def _on_delete(self, collection: str) -> None:
        def removed(gone: Collection) -> None:
            self._on_collection_changed(gone)
            offer_undo(self._bridge, self._shell, gone.name, gone.id, self)

        self._bridge.call(RemoveCollection(collection=collection), removed, self._complain, self)

    def _on_ask(self) -> None:
        collection = self._collection(self._current)
        if collection is not None:
            self._shell.open_page("chat", new=True, collection=collection.name)

    def ask_for_index(self) -> None:
        """Ask how long the passages of the open collection are to be, and which model embeds them."""
        collection, models = self._collection(self._current), self._bridge.home.listing(ListModels()).value
        if collection is not None:
            dialog = IndexDialog(self._bridge, collection, models.models if models is not None else (), self)
            dialog.changed.connect(self._on_collection_changed)
            dialog.open()

    def _on_collection_changed(self, collection: Collection) -> None:
        self._bridge.home.listing(ListCollections()).refresh()

    def _complain(self, error: Exception) -> None:
        self.parts.message.show_message(str(error), "danger")

    # -- files -----------------------------------------------------------------------------------------

    def _follow_files(self) -> None:
        if self._files is not None:
            self._files.leave(self._on_files)
        self._files = self._bridge.home.listing(ListDocuments(collection=self._current)) if self._current else None
        if self._files is not None:
            self._files.follow(self._on_files)
            collection = self._collection(self._current)
            if self._files.value is None and collection is not None and collection.documents:
                self.parts.show_reading()

    def _on_files(self, found: DocumentList) -> None:
        self.parts.table.set_documents(found.documents)
        if not self.parts.shows_hits and not self.parts.shows_names:
            self.parts.show_files()
        self._open_wanted()

    def _on_unlock(self, document: str, password: str) -> None:
        call = UnlockDocument(collection=self._current, document=document, password=password)
        self._bridge.call(call, self._bridge.home.runs.put_run, self._complain, self)

    def _on_filter(self) -> None:
        self.parts.rows.set_words(self.parts.name_filter.text().strip())
        self.parts.rows.set_state(str(self.parts.state_filter.currentData()))
        if not self.parts.shows_hits:
            self.parts.show_files()

    def choose_files(self) -> None:
        paths = choose_documents(self, texts.ADD_FILES)
        self.add(paths)

    def choose_folder(self) -> None:
        path = QFileDialog.getExistingDirectory(self, texts.ADD_FOLDER)
        self.add([path] if path else [])

    def add(self, paths: Sequence[str], watch: bool | None = None, anew: bool = False) -> None:
        """Read files and folders into the collection that is shown, with ``anew`` unchanged ones, too; without one,
        make a first one. A folder that is new in it is watched, unless ``watch`` says otherwise."""
        if not paths:
            return
        collection = self._collection(self._current)
        if collection is None:
            folder = next((PurePath(path).name for path in paths if os.path.isdir(path)), "")
            self._create(folder or FIRST_COLLECTION, lambda _: self.add(paths, watch))
            return
        watched = [p for p in paths if os.path.isdir(p) and (watch or (watch is None and p not in collection.folders))]
        others = [path for path in paths if path not in watched]
        for some, watches in ((watched, True), (others, False)):
            if some:
                call = AddDocuments(collection=collection.id, paths=tuple(some), watch=watches, anew=anew)
                self._bridge.call(call, self._desk.follow, self._complain, self)

    def _on_folder_switched(self, path: str, watched: bool) -> None:
        if watched:
            self.add([path], watch=True)
        else:
            call = Unwatch(collection=self._current, path=path)
            self._bridge.call(call, self._on_collection_changed, self._complain, self)

    def _remove_folder(self, path: str) -> None:
        def removed(collection: Collection) -> None:
            self._on_collection_changed(collection)
            offer_undo(self._bridge, self._shell, PurePath(path).name, path, self)

        self.close_document()
        self._bridge.call(RemoveFolder(collection=self._current, path=path), removed, self._complain, self)

    def _on_files_ended(self) -> None:
        if self._files is not None:
            self._files.expire()

    def _show_failed(self) -> None:
        self.parts.state_filter.setCurrentIndex(self.parts.state_filter.findData("failed"))
        self.parts.message.hide()

    # -- one document ----------------------------------------------------------------------------------

    def _on_chosen(self) -> None:
        """Several files are chosen, or no longer."""
        chosen = self.parts.chosen()
        self.parts.selection.show_documents(chosen if len(chosen) > 1 else ())

    def _on_compare(self) -> None:
        first, second = (document.id for document in self.parts.chosen())
        self.compare(self._current, first, second)

    def compare(self, collection: str, first: str, second: str) -> None:
        """Show two documents of a collection side by side, with what differs marked."""
        view = self.parts.comparison
        view.wait()
        self.parts.show_comparison(True)
        call = CompareDocuments(collection=collection, first=first, second=second)
        self._bridge.call(call, view.show_comparison, lambda error: view.complain(str(error)), self)

    def _on_ask_these(self) -> None:
        collection, chosen = self._collection(self._current), self.parts.chosen()
        if collection is not None and chosen:
            files = tuple(one.path for one in chosen if one.state != "failed")
            self._shell.open_page("chat", collection=collection.name, files=files)

    def _on_activated(self, index: QModelIndex) -> None:
        if len(self.parts.chosen()) > 1:
            return
        document = self.parts.rows.document_at(index)
        if document is not None and not (self._opened is not None and document.id == self._opened.id):
            self.open_document(document)

    def open_document(self, document: Document, start: int = 0, end: int = 0) -> None:
        """Show a document beside the table, with ``start:end`` marked."""
        self._opened = document
        self.parts.show_document(True)
        self.parts.tasks.reset()
        self.parts.tasks.setVisible(document.state != "failed")
        self.parts.pane.open_document(self._current, document, start, end)

    def close_document(self) -> None:
        self._opened = None
        self.parts.show_document(False)

    def _open_wanted(self) -> None:
        if self._wanted_side and self.parts.table.rowCount():
            self._on_side(self._wanted_side)
            self._wanted_side = ""
        if self._wanted_document is None:
            return
        name, start, end = self._wanted_document
        row = self.parts.table.row_of(name)
        if row >= 0:
            self._wanted_document = None
            self.open_document(self.parts.table.documents[row], start, end)

    def _on_collection_menu(self) -> None:
        button = self.parts.menu_button
        self.parts.collections.open_menu(button.mapToGlobal(button.rect().bottomLeft()))

    def _on_file_menu(self, place: QPoint) -> None:
        document = self.parts.rows.document_at(self.parts.view.indexAt(place))
        if document is not None:
            self.file_menu(document).popup(self.parts.view.viewport().mapToGlobal(place))

    def file_menu(self, document: Document) -> QMenu:
        """The menu of a file."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        folder = os.path.dirname(document.path)
        for icon, words, run in (
            ("file", texts.OPEN_FILE, lambda: self._open_outside(document.path)),
            ("folder", texts.SHOW_IN_FOLDER, lambda: self._open_outside(folder)),
            ("copy", texts.COPY_PATH, lambda: QGuiApplication.clipboard().setText(document.path)),
            ("refresh", texts.READ_FILE_AGAIN, lambda: self.add([document.path], anew=True)),
            ("trash", texts.REMOVE_MENU, lambda: self._remove([document])),
        ):
            menu.addAction(current_theme().icon(icon, "danger" if icon == "trash" else "text"), words, run)
        return menu

    def _open_outside(self, path: str) -> None:
        if not QDesktopServices.openUrl(QUrl.fromLocalFile(path)):
            self.parts.message.show_message(texts.CANNOT_OPEN.format(path=path), "attention")

    def _on_remove(self) -> None:
        if self._opened is not None:
            self._remove([self._opened])

    def _remove(self, documents: Sequence[Document]) -> None:
        if self._opened in documents:
            self.close_document()
        changed, shell = self._on_collection_changed, self._shell
        remove_documents(self._bridge, shell, self._current, documents, changed, self._complain, self)

    def _on_models(self, found: ModelList) -> None:
        """Followed so that they are known when an embedding model is to be chosen."""

    def _on_methods(self, found: MethodList) -> None:
        self.parts.tasks.set_tasks(Methods(found.methods).of("task"))

    def _on_task(self, task: str, settings: dict[str, Any]) -> None:
        collection = self._collection(self._current)
        if self._opened is None or collection is None:
            return
        wanted = DocumentTask(document=self._opened.path, task=task, **settings)
        self._shell.open_page("chat", collection=collection.name, task=wanted)

    # -- search ----------------------------------------------------------------------------------------

    def _on_find(self) -> None:
        """Find in the document that is open and has the keyboard, else in all of the collection."""
        if self.parts.shows_document and self.parts.pane.isAncestorOf(self.focusWidget() or self):
            self.parts.pane.open_find()
        else:
            self.parts.search.setFocus()

    def _on_search_edited(self, text: str) -> None:
        if not text.strip():
            self._searched += 1
            self.parts.show_files()

    def _on_search(self, query: str) -> None:
        self._searched += 1
        number = self._searched
        if not query or not self._current:
            return

        def show(found: SearchResult) -> None:
            if number == self._searched:
                self.parts.hits.show_passages(found.hits, texts.NO_PASSAGE_FOUND)
                self.parts.show_hits()

        call = SearchDocuments(collection=self._current, query=query, limit=_SEARCH_LIMIT)
        self._bridge.call(call, show, self._complain, self)

    def _on_hit(self, passage: Passage) -> None:
        row = self.parts.table.row_of(passage.document)
        if row >= 0:
            self.open_document(self.parts.table.documents[row], passage.start, passage.end)

    # -- names -----------------------------------------------------------------------------------------

    def _on_side(self, side: str) -> None:
        if side == "names":
            self.parts.names.show_collection(self._current)
            self.parts.show_names()
        else:
            self.parts.names.show_collection("")  # nobody wants to know them while files are read
            self.parts.show_files()

    def _read_all_again(self) -> None:
        self._bridge.call(ReadAgain(collection=self._current), self._desk.follow, self._complain, self)
        self._on_side("files")

    # -- keys, drops -----------------------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Escape closes the document, unless what has the focus takes it. A shortcut would come before that."""
        if event.key() == Qt.Key.Key_Escape and self.parts.shows_comparison:
            self.parts.show_comparison(False)
            return
        if event.key() == Qt.Key.Key_Escape and self.parts.shows_document:
            self.close_document()
            return
        chosen = self.parts.chosen() if self.parts.view.hasFocus() or len(self.parts.chosen()) > 1 else []
        if event.key() == Qt.Key.Key_Delete and (chosen or self._opened is not None):
            self._remove(chosen if len(chosen) > 1 or self._opened is None else [self._opened])
            return
        super().keyPressEvent(event)

    def show_drop(self, over: bool) -> None:
        if over:
            collection = self._collection(self._current)
            name = f"“{collection.name}”" if collection is not None else texts.A_NEW_COLLECTION
            self.parts.cover.cover(texts.DROP_TO_ADD.format(name=name))
        else:
            self.parts.cover.hide()

    def take_files(self, paths: list[str]) -> None:
        self.add(paths)
