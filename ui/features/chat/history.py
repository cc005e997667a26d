"""The chats so far: searched, grouped by when they were last used, renamed in place, deleted after asking."""

from __future__ import annotations

import datetime
from collections.abc import Iterable

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, QPoint, Qt, Signal
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QAbstractItemView, QFrame, QListView, QMenu, QStackedWidget, QWidget

from ui.components.basics import InlineMessage, PlainButton, Text
from ui.components.layout import column_of, row_of
from ui.components.lists import ItemList, SearchField
from ui.features.chat import texts
from ui.theme import tokens
from ui.theme.theme import current_theme
from workbench.api.calls import ChatRecord

ChatRole = Qt.ItemDataRole.UserRole + 1
_Index = QModelIndex | QPersistentModelIndex


def group_of(updated: float, now: datetime.datetime) -> str:
    """The heading that a chat stands under: today, yesterday, last week or older."""
    days = (now.date() - datetime.datetime.fromtimestamp(updated).date()).days
    if days <= 0:
        return texts.TODAY
    if days == 1:
        return texts.YESTERDAY
    return texts.LAST_WEEK if days <= 7 else texts.OLDER


class HistoryModel(QAbstractListModel):
    """Headings and chats, the pinned ones first. A chat's title can be edited; the edit is told, not stored."""

    renamed = Signal(str, str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows: list[str | ChatRecord] = []

    def set_chats(self, chats: Iterable[ChatRecord], now: datetime.datetime | None = None) -> None:
        now = now or datetime.datetime.now()
        rows: list[str | ChatRecord] = []
        heading = ""
        for chat in chats:
            group = texts.PINNED if chat.pinned else group_of(chat.updated, now)
            if group != heading:
                heading = group
                rows.append(group)
            rows.append(chat)
        if rows == self._rows:
            return
        if [_key(row) for row in rows] == [_key(row) for row in self._rows]:
            self._rows = rows
            self.dataChanged.emit(self.index(0), self.index(len(rows) - 1))
            return
        self.beginResetModel()
        self._rows = rows
        self.endResetModel()

    def chat_at(self, index: _Index) -> ChatRecord | None:
        row = self._rows[index.row()] if 0 <= index.row() < len(self._rows) else None
        return row if isinstance(row, ChatRecord) else None

    def index_of(self, chat: str) -> QModelIndex:
        for number, row in enumerate(self._rows):
            if isinstance(row, ChatRecord) and row.id == chat:
                return self.index(number)
        return QModelIndex()

    @property
    def chats(self) -> list[ChatRecord]:
        return [row for row in self._rows if isinstance(row, ChatRecord)]

    def rowCount(self, parent: _Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self._rows)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        row = self._rows[index.row()]
        if isinstance(row, str):
            if role == Qt.ItemDataRole.DisplayRole:
                return row
            if role == Qt.ItemDataRole.FontRole:
                font = QFont()
                font.setPixelSize(tokens.TEXT_SMALL)
                font.setWeight(QFont.Weight.DemiBold)
                return font
            if role == Qt.ItemDataRole.ForegroundRole:
                return current_theme().colour("muted")
            return None
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.EditRole):
            return row.title or texts.NEW_CHAT
        if role == Qt.ItemDataRole.ToolTipRole:
            when = datetime.datetime.fromtimestamp(row.updated)
            return texts.CHAT_HELP.format(title=row.title, when=when, unreadable=row.unreadable).rstrip()
        if role == Qt.ItemDataRole.DecorationRole and row.unreadable:
            return current_theme().icon("warning", "attention")
        return row.id if role == ChatRole else None

    def flags(self, index: _Index) -> Qt.ItemFlag:
        if self.chat_at(index) is None:
            return Qt.ItemFlag.NoItemFlags
        return Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsEditable

    def setData(self, index: _Index, value: object, role: int = Qt.ItemDataRole.EditRole) -> bool:
        chat = self.chat_at(index)
        title = str(value).strip()
        if chat is None or not title or title == chat.title:
            return False
        self.renamed.emit(chat.id, title)
        return True


def _key(row: str | ChatRecord) -> str:
    return row.id if isinstance(row, ChatRecord) else f"\n{row}"


class HistoryPanel(QFrame):
    """Search field, New chat, the list, and the question before something is deleted."""

    opened = Signal(str)
    new_wanted = Signal()
    renamed = Signal(str, str)
    deleted = Signal(str)
    export_wanted = Signal(str)
    pinned = Signal(str, bool)
    searched = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "panel")
        self.search = SearchField(texts.SEARCH_CHATS, searched=self.searched)
        self.new_button = PlainButton(texts.NEW_CHAT, "plus", toolTip=texts.NEW_CHAT_HELP, clicked=self.new_wanted)
        self.model = HistoryModel(self)
        self.model.renamed.connect(self.renamed)
        self.list = ItemList()
        self.list.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.list.setWordWrap(True)  # a title has two lines where one is too short
        self.list.setResizeMode(QListView.ResizeMode.Adjust)
        self.list.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.list.setModel(self.model)
        self.list.setAccessibleName(texts.CHATS)
        self.list.clicked.connect(self._on_chosen)
        self.list.activated.connect(self._on_chosen)
        self.list.customContextMenuRequested.connect(self._on_menu)
        self.list.delete_pressed.connect(self.ask_to_delete)
        self.list.rename_pressed.connect(self.edit_current)
        self.empty = Text("", "muted", alignment=Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop)
        self._stack = QStackedWidget()
        self._stack.addWidget(self.list)
        self._stack.addWidget(self.empty)
        self.confirm = InlineMessage()
        top = row_of(None, (self.new_button, 1))
        column_of(self, top, self.search, (self._stack, 1), self.confirm, gap=tokens.SPACE_2, margins=tokens.SPACE_3)

    def show_chats(self, chats: Iterable[ChatRecord], current: str | None) -> None:
        """Show what was found and mark the open chat."""
        editing = self.list.state() == QAbstractItemView.State.EditingState
        if not editing:
            self.model.set_chats(chats)
        searching = bool(self.search.text().strip())
        self.empty.setText(texts.NO_CHAT_FOUND if searching else texts.NO_CHATS)
        self._stack.setCurrentIndex(0 if self.model.rowCount() else 1)
        self.mark(current)

    def mark(self, chat: str | None) -> None:
        index = self.model.index_of(chat) if chat else QModelIndex()
        if index.isValid():
            self.list.setCurrentIndex(index)
        else:
            self.list.clearSelection()

    def edit_current(self) -> None:
        """Rename the marked chat in place."""
        index = self.list.currentIndex()
        if self.model.chat_at(index) is not None:
            self.list.edit(index)

    def ask_to_delete(self) -> None:
        """Ask in the panel before the marked chat is deleted."""
        chat = self.model.chat_at(self.list.currentIndex())
        if chat is None:
            return

        def delete() -> None:
            self.confirm.hide()
            self.deleted.emit(chat.id)

        self.confirm.show_message(texts.ASK_DELETE.format(title=chat.title), "attention", texts.DELETE, delete)
        self.confirm.action_button.setFocus()

    def _on_chosen(self, index: QModelIndex) -> None:
        chat = self.model.chat_at(index)
        if chat is not None:
            self.opened.emit(chat.id)

    def _on_menu(self, place: QPoint) -> None:
        index = self.list.indexAt(place)
        chat = self.model.chat_at(index)
        if chat is None:
            return
        self.list.setCurrentIndex(index)
        self.make_menu(chat.id).popup(self.list.viewport().mapToGlobal(place))

    def make_menu(self, chat: str) -> QMenu:
        """What can be done with a chat."""
        theme = current_theme()
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        pinned = any(known.id == chat and known.pinned for known in self.model.chats)
        pin = texts.UNPIN_MENU if pinned else texts.PIN_MENU
        menu.addAction(theme.icon("pin"), pin, lambda: self.pinned.emit(chat, not pinned))
        menu.addAction(theme.icon("edit"), texts.RENAME_MENU, self.edit_current)
        menu.addAction(theme.icon("export"), texts.EXPORT_MENU, lambda: self.export_wanted.emit(chat))
        menu.addSeparator()
        menu.addAction(theme.icon("trash", "danger"), texts.DELETE_MENU, self.ask_to_delete)
        return menu
