"""The rows of the history: the pinned chats, the folders with theirs, and the others by when they were last used."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QAbstractListModel, QMimeData, QModelIndex, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QWidget

from ui.components.wording import describe_count
from ui.features.chat import texts
from ui.theme import tokens
from ui.theme.theme import current_theme
from workbench.subjects.chats.calls import ChatRecord

ChatRole = Qt.ItemDataRole.UserRole + 1
CHAT_MIME = "application/x-llm-workbench-chat"
_Index = QModelIndex | QPersistentModelIndex


def group_of(updated: float, now: datetime.datetime) -> str:
    """The heading that a chat stands under: today, yesterday, last week or older."""
    days = (now.date() - datetime.datetime.fromtimestamp(updated).date()).days
    if days <= 0:
        return texts.TODAY
    if days == 1:
        return texts.YESTERDAY
    return texts.LAST_WEEK if days <= 7 else texts.OLDER


@dataclass(frozen=True)
class FolderRow:
    """A folder with the number of its chats, which stand below it while it is open."""

    name: str
    chats: int
    open: bool


_Row = str | ChatRecord | FolderRow


class HistoryModel(QAbstractListModel):
    """Headings, folders and chats. Titles and names can be edited and chats dragged into folders; that is told, not
    stored."""

    renamed = Signal(str, str)
    folder_renamed = Signal(str, str)
    moved = Signal(str, str)
    """A chat was dropped on a folder, or on what is in none ("")."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows: list[_Row] = []
        self._chats: tuple[ChatRecord, ...] = ()
        self._folders: tuple[str, ...] = ()
        self._closed: set[str] = set()  # folders whose chats are hidden

    def set_chats(
        self, chats: Iterable[ChatRecord], now: datetime.datetime | None = None, folders: Sequence[str] = ()
    ) -> None:
        self._chats, self._folders = tuple(chats), tuple(folders)
        self._closed &= set(folders)
        rows = self._rows_of(now or datetime.datetime.now())
        if rows == self._rows:
            return
        if [_key(row) for row in rows] == [_key(row) for row in self._rows]:
            self._rows = rows
            self.dataChanged.emit(self.index(0), self.index(len(rows) - 1))
            return
        self.beginResetModel()
        self._rows = rows
        self.endResetModel()

    def _rows_of(self, now: datetime.datetime) -> list[_Row]:
        rows: list[_Row] = []
        pinned = [chat for chat in self._chats if chat.pinned]
        if pinned:
            rows += [texts.PINNED, *pinned]
        if self._folders:
            rows.append(texts.FOLDERS)
        for folder in self._folders:
            inside = [chat for chat in self._chats if chat.folder == folder and not chat.pinned]
            is_open = folder not in self._closed
            rows.append(FolderRow(folder, len(inside), is_open))
            rows += inside if is_open else ()
        heading = ""
        for chat in self._chats:
            if chat.pinned or chat.folder in self._folders:
                continue
            group = group_of(chat.updated, now)
            if group != heading:
                heading = group
                rows.append(group)
            rows.append(chat)
        return rows

    def toggle(self, folder: str) -> None:
        """Show or hide the chats of a folder."""
        self._closed ^= {folder}
        self.set_chats(self._chats, folders=self._folders)

    def chat_at(self, index: _Index) -> ChatRecord | None:
        row = self._at(index)
        return row if isinstance(row, ChatRecord) else None

    def folder_at(self, index: _Index) -> FolderRow | None:
        row = self._at(index)
        return row if isinstance(row, FolderRow) else None

    def index_of(self, chat: str) -> QModelIndex:
        return self._find(lambda row: isinstance(row, ChatRecord) and row.id == chat)

    def index_of_folder(self, folder: str) -> QModelIndex:
        return self._find(lambda row: isinstance(row, FolderRow) and row.name == folder)

    @property
    def chats(self) -> list[ChatRecord]:
        return [row for row in self._rows if isinstance(row, ChatRecord)]

    @property
    def all_chats(self) -> tuple[ChatRecord, ...]:
        """Those in closed folders, too."""
        return self._chats

    @property
    def folders(self) -> tuple[str, ...]:
        return self._folders

    def rowCount(self, parent: _Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self._rows)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        row = self._rows[index.row()]
        if isinstance(row, FolderRow):
            return _folder_data(row, role)
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
            return row.title or row.attached or texts.NEW_CHAT
        if role == Qt.ItemDataRole.ToolTipRole:
            when = datetime.datetime.fromtimestamp(row.updated)
            note = row.unreadable or (texts.CHAT_WAITS if row.waiting else "")
            return texts.CHAT_HELP.format(title=row.title, when=when, note=note).rstrip()
        if role == Qt.ItemDataRole.AccessibleTextRole and row.waiting:
            return f"{row.title}. {texts.CHAT_WAITS}"
        if role == Qt.ItemDataRole.DecorationRole and (row.unreadable or row.waiting):
            return current_theme().icon("warning" if row.unreadable else "question", "attention")
        return row.id if role == ChatRole else None

    def is_inside(self, index: _Index) -> bool:
        """Whether a chat stands below its folder."""
        chat = self.chat_at(index)
        return chat is not None and not chat.pinned and chat.folder in self._folders

    def flags(self, index: _Index) -> Qt.ItemFlag:
        flag = Qt.ItemFlag
        if not index.isValid():
            return flag.ItemIsDropEnabled
        row = self._at(index)
        if isinstance(row, str) or row is None:
            return flag.ItemIsDropEnabled
        every = flag.ItemIsEnabled | flag.ItemIsSelectable | flag.ItemIsEditable | flag.ItemIsDropEnabled
        return every if isinstance(row, FolderRow) else every | flag.ItemIsDragEnabled

    def setData(self, index: _Index, value: object, role: int = Qt.ItemDataRole.EditRole) -> bool:
        words, row = str(value).strip(), self._at(index)
        if isinstance(row, FolderRow):
            if not words or words == row.name:
                return False
            self.folder_renamed.emit(row.name, words)
            return True
        if not isinstance(row, ChatRecord) or not words or words == row.title:
            return False
        self.renamed.emit(row.id, words)
        return True

    # -- dragging --------------------------------------------------------------------------------------

    def mimeTypes(self) -> list[str]:
        return [CHAT_MIME]

    def mimeData(self, indexes: Sequence[QModelIndex]) -> QMimeData:
        mime = QMimeData()
        chat = next((found for index in indexes if (found := self.chat_at(index)) is not None), None)
        if chat is not None:
            mime.setData(CHAT_MIME, chat.id.encode())
        return mime

    def supportedDropActions(self) -> Qt.DropAction:
        return Qt.DropAction.CopyAction  # of a move the view would remove the row

    def canDropMimeData(self, data: QMimeData, action: Qt.DropAction, row: int, column: int, parent: _Index) -> bool:
        return data.hasFormat(CHAT_MIME) and bool(self._folders)

    def dropMimeData(self, data: QMimeData, action: Qt.DropAction, row: int, column: int, parent: _Index) -> bool:
        if not self.canDropMimeData(data, action, row, column, parent):
            return False
        chat = bytes(data.data(CHAT_MIME).data()).decode()
        over = parent if parent.isValid() else self.index(max(0, row - 1))
        folder = self._folder_around(over)
        if next((known.folder for known in self._chats if known.id == chat), folder) != folder:
            self.moved.emit(chat, folder)
        return False  # the list is read again

    def _folder_around(self, index: _Index) -> str:
        """The folder of a row: its own name, or that of the chat's folder; "" elsewhere."""
        row = self._at(index)
        if isinstance(row, FolderRow):
            return row.name
        return row.folder if isinstance(row, ChatRecord) else ""

    def _at(self, index: _Index) -> _Row | None:
        return self._rows[index.row()] if index.isValid() and index.row() < len(self._rows) else None

    def _find(self, wanted: Callable[[_Row], bool]) -> QModelIndex:
        number = next((number for number, row in enumerate(self._rows) if wanted(row)), None)
        return self.index(number) if number is not None else QModelIndex()


def _folder_data(row: FolderRow, role: int) -> object:
    if role == Qt.ItemDataRole.DisplayRole:
        return row.name if row.open else texts.CLOSED_FOLDER.format(name=row.name, chats=row.chats)
    if role == Qt.ItemDataRole.EditRole:
        return row.name
    if role == Qt.ItemDataRole.ToolTipRole:
        return texts.FOLDER_HELP.format(name=row.name, chats=describe_count(row.chats, "chat"))
    if role == Qt.ItemDataRole.AccessibleTextRole:
        return texts.FOLDER_SPOKEN.format(name=row.name, chats=describe_count(row.chats, "chat"))
    if role == Qt.ItemDataRole.DecorationRole:
        return current_theme().icon("folder", "text" if row.open else "muted", 16)
    return None


def _key(row: _Row) -> str:
    if isinstance(row, FolderRow):
        return f"\n\n{row.name}"
    return row.id if isinstance(row, ChatRecord) else f"\n{row}"
