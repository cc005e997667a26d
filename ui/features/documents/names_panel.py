"""The names in a collection's documents: a table of them, the passages of one, and what connects two."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import (
    QAbstractTableModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QStringListModel,
    Qt,
    Signal,
)
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QCompleter,
    QFrame,
    QHeaderView,
    QLineEdit,
    QSplitter,
    QStackedWidget,
    QTableView,
    QWidget,
)

from ui.bridge import Bridge
from ui.components.basics import ElidedLabel, Text
from ui.components.choice_box import ChoiceBox
from ui.components.layout import column_of, row_of
from ui.components.lists import SearchField
from ui.components.notices import EmptyState
from ui.components.passages_panel import PassageList
from ui.components.wording import describe_count
from ui.features.documents import texts
from ui.state import Listing
from ui.theme import tokens
from ui.theme.theme import current_theme
from workbench.base.finding import holds
from workbench.records.documents import NameEntry, NameList, NamePlaces
from workbench.subjects.documents.calls import FindName, ListNames

_Index = QModelIndex | QPersistentModelIndex
_ROW_HEIGHT = 32
_SHOWN = 100
"""Passages that are shown of one name."""

KINDS = {
    "person": texts.NAME_PERSON,
    "organisation": texts.NAME_ORGANISATION,
    "place": texts.NAME_PLACE,
    "code": texts.NAME_CODE,
    "name": texts.NAME_OTHER,
}


class NameTable(QAbstractTableModel):
    """One row a name: those whose name holds some words, and of one kind where one is chosen."""

    COLUMNS = (texts.NAME, texts.COLUMN_KIND, texts.NAME_DOCUMENTS, texts.COLUMN_PASSAGES)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._all: Sequence[NameEntry] = ()
        self.rows: list[NameEntry] = []
        self._words, self._kind = "", ""

    def set_names(self, names: Sequence[NameEntry]) -> None:
        self._all = names
        self._choose()

    def choose(self, words: str, kind: str) -> None:
        """Show those that hold ``words``, and of a kind; "": of any."""
        if (words, kind) != (self._words, self._kind):
            self._words, self._kind = words, kind
            self._choose()

    def _choose(self) -> None:
        self.beginResetModel()
        self.rows = [
            one for one in self._all if (not self._kind or one.kind == self._kind) and holds(self._words, one.name)
        ]
        self.endResetModel()

    def rowCount(self, parent: _Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self.rows)

    def columnCount(self, parent: _Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self.COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return self.COLUMNS[section]
        return _alignment(section) if role == Qt.ItemDataRole.TextAlignmentRole else None

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        one, column = self.rows[index.row()], index.column()
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return (one.name, KINDS[one.kind], f"{one.documents:,}", f"{one.passages:,}")[column]
            case Qt.ItemDataRole.ToolTipRole:
                return one.name if column == 0 else None
            case Qt.ItemDataRole.TextAlignmentRole:
                return _alignment(column)
            case Qt.ItemDataRole.ForegroundRole:
                return current_theme().colour("text" if column == 0 else "muted")
            case _:
                return None


class NamesPanel(QFrame):
    """``opened`` sends a passage that is to be shown in its document. ``read_again_wanted``: the files are to be read
    again, since they were read before names were found."""

    opened = Signal(object)
    read_again_wanted = Signal()

    def __init__(self, bridge: Bridge) -> None:
        super().__init__()
        self._bridge = bridge
        self._collection, self._name, self._asked = "", "", 0
        self._names: Listing[NameList] | None = None
        self.filter = SearchField(texts.FILTER_NAMES)
        kinds = ((texts.ALL_KINDS, ""), *((title, kind) for kind, title in KINDS.items()))
        self.kind = ChoiceBox(texts.FILTER_NAMES_BY_KIND, kinds, chosen=lambda _: self._on_filter())
        self.table = NameTable(self)
        self.view = NameView(self.table)
        self.count = Text("", "small", wordWrap=False)
        self.title = ElidedLabel("", "strong")
        self.other = QLineEdit(placeholderText=texts.CONNECT_WITH, accessibleName=texts.CONNECT_WITH)
        self._known = QStringListModel(self)
        completer = QCompleter(self._known, self)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        completer.setFilterMode(Qt.MatchFlag.MatchContains)
        self.other.setCompleter(completer)
        self.passages = PassageList(ranked=False)
        self.none = EmptyState("search", texts.NO_NAMES, texts.NO_NAMES_HELP, texts.READ_ALL_AGAIN)
        self.filter.searched.connect(self._on_filter)
        self.filter.textChanged.connect(lambda text: None if text else self._on_filter())
        self.view.selectionModel().currentChanged.connect(lambda index: self._on_name(index.row()))
        self.other.returnPressed.connect(self._find)
        self.other.textChanged.connect(lambda text: None if text else self._find())
        completer.activated.connect(lambda _: self._find())
        self.passages.opened.connect(self.opened)
        if self.none.button is not None:
            self.none.button.clicked.connect(self.read_again_wanted)
        self._arrange()

    def _arrange(self) -> None:
        left, right = QWidget(), QWidget()
        column_of(left, row_of(None, (self.filter, 1), self.kind, gap=tokens.SPACE_2), (self.view, 1), self.count,
                  gap=tokens.SPACE_2)  # fmt: skip
        column_of(
            right, self.title, self.other, (self.passages, 1), gap=tokens.SPACE_2, margins=(tokens.SPACE_3, 0, 0, 0)
        )
        split = QSplitter(Qt.Orientation.Horizontal)
        for part in (left, right):
            part.setMinimumWidth(230)
            split.addWidget(part)
        split.setChildrenCollapsible(False)
        split.setSizes([540, 440])
        self._stack = QStackedWidget()
        self._stack.addWidget(split)
        self._stack.addWidget(self.none)
        column_of(self, self._stack)

    def show_collection(self, collection: str) -> None:
        """Show the names of a collection (its id), "" for none."""
        if collection == self._collection and self._names is not None:
            return
        if self._names is not None:
            self._names.leave(self._on_names)
        self._collection, self._name = collection, ""
        self.filter.clear()
        self.other.clear()
        self.table.set_names(())
        self._names = self._bridge.home.listing(ListNames(collection=collection)) if collection else None
        if self._names is not None:
            self._names.follow(self._on_names)
        self._show_name(None)

    def _on_names(self, found: NameList) -> None:
        name = self._name
        self._stack.setCurrentIndex(0 if found.names else 1)
        self.table.set_names(found.names)
        self._known.setStringList([one.name for one in found.names])
        self._show_count(found.total)
        row = next((row for row, one in enumerate(self.table.rows) if one.name == name), -1)
        if row >= 0:
            self.view.selectRow(row)

    def _show_count(self, total: int) -> None:
        listed = describe_count(total, "name")
        shown = len(self.table.rows)
        self.count.setText(listed if shown == total else texts.NAMES_SHOWN.format(shown=shown, names=listed))

    def _on_filter(self) -> None:
        self.table.choose(self.filter.text().strip(), self.kind.value)
        found = self._names.value if self._names is not None else None
        self._show_count(found.total if found is not None else 0)

    def _on_name(self, row: int) -> None:
        name = self.table.rows[row].name if 0 <= row < len(self.table.rows) else ""
        if name and name != self._name:
            self._name = name
            self._find()

    def _find(self) -> None:
        """Ask for the passages of the chosen name, or between it and the other one."""
        if not self._name:
            return
        self._asked += 1
        number = self._asked

        def show(found: NamePlaces) -> None:
            if number == self._asked:
                self._show_name(found)

        def complain(error: Exception) -> None:
            if number == self._asked:
                self.passages.show_passages((), str(error))

        call = FindName(collection=self._collection, name=self._name, other=self.other.text().strip(), limit=_SHOWN)
        self._bridge.call(call, show, complain, self)

    def _show_name(self, found: NamePlaces | None) -> None:
        self.other.setVisible(found is not None)
        if found is None:
            self.title.set_full_text("")
            self.passages.show_passages((), texts.CHOOSE_NAME)
            return
        if not found.other:
            counted = describe_count(found.total, "passage")
            self.title.set_full_text(texts.PASSAGES_OF.format(name=found.name, passages=counted))
            self.passages.show_passages(found.passages, about=found.name)
            return
        words = texts.CHAIN if found.joined_by else texts.TOGETHER if found.passages else texts.NO_CHAIN
        self.title.set_full_text(words.format(name=found.name, other=found.other))
        joined = [texts.JOINED_BY.format(name=name) for name in found.joined_by]
        self.passages.show_passages(found.passages, texts.NO_CHAIN_HELP, joined, found.name)


class NameView(QTableView):
    """The table of names: whole rows, no editing."""

    def __init__(self, table: NameTable) -> None:
        super().__init__()
        self.setModel(table)
        self.setAccessibleName(texts.NAMES_OF_COLLECTION)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.verticalHeader().setDefaultSectionSize(_ROW_HEIGHT)
        self.verticalHeader().hide()
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)

    def showEvent(self, event: QShowEvent) -> None:
        """No heading is cut: once it is seen the font is known."""
        super().showEvent(event)
        for column, width in ((1, 116), (2, 58), (3, 78)):
            self.setColumnWidth(column, max(width, self.horizontalHeader().sectionSizeHint(column)))


def _alignment(column: int) -> int:
    side = Qt.AlignmentFlag.AlignRight if column > 1 else Qt.AlignmentFlag.AlignLeft
    return int((side | Qt.AlignmentFlag.AlignVCenter).value)
