"""The chats so far: searched, put into folders, renamed in place, deleted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial

from PySide6.QtCore import QModelIndex, QPoint, Qt, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QListView,
    QMenu,
    QStackedWidget,
)

from ui.components.basics import IconButton, PlainButton, Text
from ui.components.layout import column_of, row_of
from ui.components.lists import ItemList, SearchField
from ui.features.chat import texts
from ui.features.chat.history.chat_rows import HistoryModel
from ui.features.chat.history.titles import TitleDelegate
from ui.theme import tokens
from ui.theme.theme import current_theme
from workbench.base.naming import free_name
from workbench.subjects.chats.calls import ChatRecord


class HistoryPanel(QFrame):
    """Search field, New chat, the list."""

    opened = Signal(str)
    new_wanted = Signal()
    renamed = Signal(str, str)
    deleted = Signal(str)
    export_wanted = Signal(str)
    print_wanted = Signal(str)
    folder_export_wanted = Signal(str)
    import_wanted = Signal(bool)
    """Chats of another program are to be imported; True: from a folder."""
    export_all_wanted = Signal()
    trash_wanted = Signal()
    pinned = Signal(str, bool)
    moved = Signal(str, str)
    """A chat is to be put into a folder; "": into none."""
    folder_wanted = Signal(str, str)
    """A folder of this name is to be made, with a chat in it; "": without one."""
    new_in_folder = Signal(str)
    """A chat is to be begun in a folder."""
    folder_settings_wanted = Signal(str)
    folder_renamed = Signal(str, str)
    folder_removed = Signal(str)
    searched = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._folders: tuple[str, ...] = ()
        self.setProperty("role", "panel")
        self.search = SearchField(texts.SEARCH_CHATS, searched=self.searched)
        self.new_button = PlainButton(texts.NEW_CHAT, "plus", toolTip=texts.NEW_CHAT_HELP, clicked=self.new_wanted)
        self.model = HistoryModel(self)
        self.model.renamed.connect(self.renamed)
        self.model.folder_renamed.connect(self.folder_renamed)
        self.model.moved.connect(self.moved)
        self._unnamed = ""  # a folder that was made just now, to be named once it is in the list
        self.folder_button = IconButton("folder", texts.NEW_FOLDER, clicked=lambda: self.make_folder())
        self.more_button = IconButton("more", texts.HISTORY_MENU)
        self.more_button.clicked.connect(
            lambda: self.make_panel_menu().popup(self.more_button.mapToGlobal(self.more_button.rect().bottomLeft()))
        )
        self.list = ItemList()
        self.list.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.list.setWordWrap(True)
        self.list.setResizeMode(QListView.ResizeMode.Adjust)
        self.list.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.list.setModel(self.model)
        self.list.setItemDelegate(TitleDelegate(self.list))
        self.list.setAccessibleName(texts.CHATS)
        self.list.clicked.connect(self._on_chosen)
        self.list.activated.connect(self._on_chosen)
        self.list.customContextMenuRequested.connect(self._on_menu)
        self.list.setDragDropMode(QAbstractItemView.DragDropMode.DragDrop)
        self.list.setDefaultDropAction(Qt.DropAction.CopyAction)
        self.list.setDragDropOverwriteMode(True)  # onto a row, not between two
        self.list.delete_pressed.connect(self._on_delete_pressed)
        self.list.rename_pressed.connect(self.edit_current)
        self.empty = Text("", "muted", alignment=Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop)
        self._stack = QStackedWidget()
        self._stack.addWidget(self.list)
        self._stack.addWidget(self.empty)
        top = row_of(None, (self.new_button, 1), self.folder_button, self.more_button, gap=tokens.SPACE_1)
        column_of(self, top, self.search, (self._stack, 1), gap=tokens.SPACE_2, margins=tokens.SPACE_3)

    def show_chats(self, chats: Iterable[ChatRecord], current: str | None, folders: Sequence[str] = ()) -> None:
        """Show what was found and mark the open chat. While searching, only the folders of chats that were found."""
        editing = self.list.state() == QAbstractItemView.State.EditingState
        searching = bool(self.search.text().strip())
        if not editing:
            found = tuple(chats)
            shown = [name for name in folders if not searching or any(chat.folder == name for chat in found)]
            self._folders = tuple(folders)
            self.model.set_chats(found, folders=shown)
        self.empty.setText(texts.NO_CHAT_FOUND if searching else texts.NO_CHATS)
        self._stack.setCurrentIndex(0 if self.model.rowCount() else 1)
        made = self.model.index_of_folder(self._unnamed) if self._unnamed else QModelIndex()
        if made.isValid() and not editing:
            self._unnamed = ""
            self.list.setCurrentIndex(made)
            self.list.edit(made)
            return
        if self.model.folder_at(self.list.currentIndex()) is None:
            self.mark(current)

    def make_folder(self, chat: str = "") -> None:
        """Make a folder, with a chat in it where one is named, and edit its name in place."""
        self.search.clear()
        self._unnamed = free_name(texts.NEW_FOLDER_NAME, self._folders)
        self.folder_wanted.emit(self._unnamed, chat)

    def mark(self, chat: str | None) -> None:
        index = self.model.index_of(chat) if chat else QModelIndex()
        if index.isValid():
            self.list.setCurrentIndex(index)
        else:
            self.list.clearSelection()

    def edit_current(self) -> None:
        """Rename the marked chat or folder in place."""
        index = self.list.currentIndex()
        if self.model.chat_at(index) is not None or self.model.folder_at(index) is not None:
            self.list.edit(index)

    def delete_current(self) -> None:
        """Delete the marked chat; it can be restored from the trash."""
        chat = self.model.chat_at(self.list.currentIndex())
        if chat is not None:
            self.deleted.emit(chat.id)

    def _on_delete_pressed(self) -> None:
        folder = self.model.folder_at(self.list.currentIndex())
        if folder is not None:
            self.folder_removed.emit(folder.name)
        else:
            self.delete_current()

    def _on_chosen(self, index: QModelIndex) -> None:
        chat, folder = self.model.chat_at(index), self.model.folder_at(index)
        if chat is not None:
            self.opened.emit(chat.id)
        elif folder is not None:
            self.model.toggle(folder.name)
            self.list.setCurrentIndex(self.model.index_of_folder(folder.name))

    def _on_menu(self, place: QPoint) -> None:
        index = self.list.indexAt(place)
        chat, folder = self.model.chat_at(index), self.model.folder_at(index)
        if chat is None and folder is None:
            return
        self.list.setCurrentIndex(index)
        menu = self.make_menu(chat.id) if chat is not None else self.make_folder_menu(folder.name if folder else "")
        menu.popup(self.list.viewport().mapToGlobal(place))

    def make_panel_menu(self) -> QMenu:
        """What can be done with all chats."""
        theme = current_theme()
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction(theme.icon("upload"), texts.IMPORT_FILE_MENU, lambda: self.import_wanted.emit(False))
        menu.addAction(theme.icon("folder"), texts.IMPORT_FOLDER_MENU, lambda: self.import_wanted.emit(True))
        menu.addAction(theme.icon("export"), texts.EXPORT_ALL_MENU, self.export_all_wanted.emit)
        menu.addSeparator()
        menu.addAction(theme.icon("trash"), texts.TRASH_MENU, self.trash_wanted.emit)
        return menu

    def make_folder_menu(self, folder: str) -> QMenu:
        """What can be done with a folder."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        icon = current_theme().icon
        menu.addAction(icon("plus"), texts.NEW_IN_FOLDER_MENU, lambda: self.new_in_folder.emit(folder))
        menu.addAction(icon("settings"), texts.FOLDER_SETTINGS_MENU, lambda: self.folder_settings_wanted.emit(folder))
        menu.addSeparator()
        menu.addAction(icon("edit"), texts.RENAME_MENU, self.edit_current)
        exporting = menu.addAction(icon("export"), texts.EXPORT_FOLDER_MENU)
        exporting.triggered.connect(lambda: self.folder_export_wanted.emit(folder))
        remove = menu.addAction(icon("trash"), texts.REMOVE_FOLDER_MENU)
        remove.triggered.connect(lambda: self.folder_removed.emit(folder))
        return menu

    def _make_move_menu(self, chat: str, current: str, menu: QMenu) -> QMenu:
        """The folders that a chat can be put into."""
        into = menu.addMenu(current_theme().icon("folder"), texts.MOVE_MENU)
        for name in self._folders:
            action = into.addAction(name.replace("&", "&&"), partial(self.moved.emit, chat, name))
            action.setCheckable(True)
            action.setChecked(name == current)
            action.setEnabled(name != current)
        if self._folders:
            into.addSeparator()
        into.addAction(current_theme().icon("plus"), texts.NEW_FOLDER_MENU, lambda: self.make_folder(chat))
        if current:
            into.addAction(texts.NO_FOLDER_MENU, lambda: self.moved.emit(chat, ""))
        return into

    def make_menu(self, chat: str) -> QMenu:
        """What can be done with a chat."""
        theme = current_theme()
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        pinned = any(known.id == chat and known.pinned for known in self.model.chats)
        pin = texts.UNPIN_MENU if pinned else texts.PIN_MENU
        menu.addAction(theme.icon("pin"), pin, lambda: self.pinned.emit(chat, not pinned))
        record = next((known for known in self.model.chats if known.id == chat), None)
        self._make_move_menu(chat, record.folder if record is not None else "", menu)
        menu.addAction(theme.icon("edit"), texts.RENAME_MENU, self.edit_current)
        menu.addAction(theme.icon("export"), texts.EXPORT_MENU, lambda: self.export_wanted.emit(chat))
        menu.addAction(theme.icon("file"), texts.PRINT_MENU, lambda: self.print_wanted.emit(chat))
        menu.addSeparator()
        menu.addAction(theme.icon("trash", "danger"), texts.DELETE_MENU, self.delete_current)
        return menu
