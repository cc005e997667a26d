"""The collections at the left of the documents page: made, renamed in place, deleted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import QMargins, QModelIndex, QPoint, Qt, Signal
from PySide6.QtGui import QKeyEvent, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import QFrame, QLineEdit, QMenu, QWidget

from ui.components.basics import IconButton, PlainButton, Text
from ui.components.elided_box import ElidedCheckBox
from ui.components.layout import ScrolledColumn, column_of, row_of
from ui.components.lists import ItemList
from ui.components.wording import describe_count, within
from ui.features.documents import texts
from ui.theme import tokens
from ui.theme.theme import current_theme
from workbench.records.documents import Collection

_LONGEST_PATH = 44  # characters
_FOLDER_ROW, _MOST_FOLDERS = 32, 3  # px; rows that are in sight at once
_IdRole = Qt.ItemDataRole.UserRole + 1


class CollectionPanel(QFrame):
    """``opened`` sends a collection's id."""

    opened = Signal(str)
    created = Signal(str)
    renamed = Signal(str, str)
    deleted = Signal(str)
    index_wanted = Signal()
    """The length of its passages or its embedding model is to be set."""

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "panel")
        self._collections: tuple[Collection, ...] = ()
        self._showing = False
        self.new_button = PlainButton(texts.NEW_COLLECTION, "plus", clicked=self.begin_new)
        self.name_field = QLineEdit(
            placeholderText=texts.COLLECTION_NAME,
            accessibleName=texts.NEW_COLLECTION_NAME,
            returnPressed=self._on_named,
            visible=False,
        )
        self.name_help = Text(texts.NEW_COLLECTION_HELP, "small", visible=False)
        self.error = Text("", "error", visible=False)
        self._model = QStandardItemModel(self)
        self._model.itemChanged.connect(self._on_item_changed)
        self.list = ItemList()
        self.list.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.list.setModel(self._model)
        self.list.setAccessibleName(texts.COLLECTIONS)
        self.list.selectionModel().currentChanged.connect(self._on_current)
        self.list.delete_pressed.connect(self.delete_current)
        self.list.rename_pressed.connect(self.edit_current)
        self.list.customContextMenuRequested.connect(self._on_menu)
        column = column_of(self, gap=tokens.SPACE_2, margins=tokens.SPACE_3)
        for part in (self.new_button, self.name_field, self.name_help, self.error):
            column.addWidget(part)
        column.addWidget(self.list, 1)

    @property
    def current(self) -> Collection | None:
        index = self.list.currentIndex()
        wanted = index.data(_IdRole) if index.isValid() else None
        return next((known for known in self._collections if known.id == wanted), None)

    def show_collections(self, collections: Sequence[Collection], current: str = "") -> None:
        """Show them; ``current`` (an id) is chosen if it is there, else what was, else the first."""
        before = self.current.id if self.current is not None else ""
        self._collections = tuple(collections)
        self._showing = True
        known = [self._model.item(row).data(_IdRole) for row in range(self._model.rowCount())]
        if known != [collection.id for collection in collections]:
            self._model.clear()
            for collection in collections:
                item = QStandardItem()
                item.setData(collection.id, _IdRole)
                self._model.appendRow(item)
        for row, collection in enumerate(collections):
            item = self._model.item(row)
            item.setText(collection.name)
            item.setToolTip(describe_collection(collection))
            item.setAccessibleText(f"{collection.name}, {describe_collection(collection)}")
            item.setIcon(current_theme().icon("folder", "muted"))
        self._showing = False
        wanted = current or before
        rows = [row for row, collection in enumerate(collections) if collection.id == wanted]
        if collections:
            self.list.setCurrentIndex(self._model.index(rows[0] if rows else 0, 0))

    def begin_new(self) -> None:
        """Ask for a name, in place."""
        self.error.hide()
        self.name_field.clear()
        self.name_field.show()
        self.name_help.show()
        self.name_field.setFocus()

    def end_new(self) -> None:
        self.name_field.hide()
        self.name_help.hide()
        self.error.hide()

    def refuse_name(self, why: str) -> None:
        self.error.setText(why)
        self.error.show()

    def edit_current(self) -> None:
        if self.list.currentIndex().isValid():
            self.list.edit(self.list.currentIndex())

    def delete_current(self) -> None:
        """Delete the chosen collection; it can be restored from the trash. The files stay where they are."""
        if self.current is not None:
            self.deleted.emit(self.current.id)

    def _on_named(self) -> None:
        name = self.name_field.text().strip()
        if name:
            self.created.emit(name)
        else:
            self.refuse_name(texts.NAME_NEEDED)

    def _on_item_changed(self, item: QStandardItem) -> None:
        if self._showing:
            return
        known = next((c for c in self._collections if c.id == item.data(_IdRole)), None)
        name = item.text().strip()
        if known is None or name == known.name:
            return
        self._showing = True
        item.setText(known.name)  # until the new name is stored
        self._showing = False
        if name:
            self.renamed.emit(known.id, name)

    def _on_current(self, current: QModelIndex, previous: QModelIndex) -> None:
        wanted = current.data(_IdRole) if current.isValid() else None
        if wanted and not self._showing:
            self.opened.emit(str(wanted))

    def _on_menu(self, place: QPoint) -> None:
        if self.list.indexAt(place).isValid():
            self.open_menu(self.list.viewport().mapToGlobal(place))

    def open_menu(self, place: QPoint) -> None:
        """Open the menu of the chosen collection; ``place`` is on the screen."""
        theme = current_theme()
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction(theme.icon("edit"), texts.RENAME_MENU, self.edit_current)
        menu.addAction(theme.icon("settings"), texts.INDEX_MENU, self.index_wanted.emit)
        menu.addAction(theme.icon("trash", "danger"), texts.DELETE_MENU, self.delete_current)
        menu.popup(place)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and self.name_field.isVisible():
            self.end_new()
            return
        super().keyPressEvent(event)


def describe_collection(collection: Collection) -> str:
    """``9 files, 1 failed, 214 passages``"""
    parts = [describe_count(collection.documents + collection.failed, "file")]
    if collection.failed:
        parts.append(texts.COUNT_FAILED.format(failed=collection.failed))
    parts.append(describe_count(collection.chunks, "passage"))
    return ", ".join(parts)


class FolderList(ScrolledColumn):
    """The folders of a collection. ``switched`` sends a folder's path and whether it is to be watched, ``again_wanted``
    the path of one that is to be read again. Hidden without folders."""

    switched = Signal(str, bool)
    again_wanted = Signal(str)
    removal_wanted = Signal(str)
    """A folder and its files are to leave the collection."""

    def __init__(self) -> None:
        super().__init__(0, margins=QMargins())
        self.boxes: dict[str, ElidedCheckBox] = {}
        self._rows: dict[str, QWidget] = {}
        self.hide()

    def show_folders(self, folders: Mapping[str, bool]) -> None:
        """The folders, and whether each is watched."""
        for path in [path for path in self.boxes if path not in folders]:
            del self.boxes[path]
            row = self._rows.pop(path)
            row.hide()
            row.deleteLater()
        for path, watched in folders.items():
            box = self.boxes.get(path) or self._make(path)
            box.blockSignals(True)
            box.setChecked(watched)
            box.blockSignals(False)
        self.setVisible(bool(folders))
        self.setFixedHeight(_FOLDER_ROW * min(len(folders), _MOST_FOLDERS))

    def make_menu(self, path: str) -> QMenu:
        """The menu of a folder."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        icon = current_theme().icon("trash", "danger")
        menu.addAction(icon, texts.REMOVE_FOLDER, lambda: self.removal_wanted.emit(path))
        return menu

    def _make(self, path: str) -> ElidedCheckBox:
        shown = within(path, _LONGEST_PATH)
        box = ElidedCheckBox(
            texts.WATCH_FOLDER.format(shown=shown),
            Qt.TextElideMode.ElideMiddle,
            toolTip=texts.WATCH_FOLDER_HELP.format(path=path),
            toggled=lambda on: self.switched.emit(path, on),
        )
        again = IconButton("refresh", texts.READ_AGAIN.format(name=shown), clicked=lambda: self.again_wanted.emit(path))
        row = self._rows[path] = QWidget(fixedHeight=_FOLDER_ROW)
        more = IconButton("more", texts.FOLDER_MENU.format(name=shown))
        more.clicked.connect(lambda: self.make_menu(path).popup(more.mapToGlobal(more.rect().bottomLeft())))
        row_of(row, (box, 1), again, more, gap=tokens.SPACE_2)
        self.column.insertWidget(len(self.boxes), row)
        self.boxes[path] = box
        return box
