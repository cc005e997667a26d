"""The layout of the documents page.

The files of a collection as a table model, sorted and filtered without asking anew. Thousands of rows are fine.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import (
    QAbstractItemModel,
    QAbstractTableModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QSortFilterProxyModel,
    Qt,
    QTimer,
    Signal,
)
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QBoxLayout,
    QFrame,
    QHeaderView,
    QLineEdit,
    QSplitter,
    QStackedWidget,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from ui.bridge import Bridge
from ui.components.basics import (
    ElidedLabel,
    IconButton,
    InlineMessage,
    PlainButton,
    PrimaryButton,
    ProgressLine,
    QuietButton,
    Text,
)
from ui.components.choice_box import ChoiceBox, ChoiceRow
from ui.components.document_pane import DocumentPane
from ui.components.layout import column_of, row_of
from ui.components.lists import SearchField
from ui.components.notices import DropCover, EmptyState
from ui.components.passages_panel import PassageList
from ui.components.password_row import PasswordRow
from ui.components.wording import describe_kind
from ui.features.documents import texts
from ui.features.documents.collection_list import CollectionPanel, FolderList
from ui.features.documents.comparison_view import ComparisonView
from ui.features.documents.names_panel import NamesPanel
from ui.features.documents.offer_line import OfferLine
from ui.features.documents.selection_bar import SelectionBar
from ui.features.documents.task_bar import TaskBar
from ui.theme import tokens
from ui.theme.theme import current_theme
from workbench.base.finding import holds
from workbench.records.documents import Document
from workbench.records.visible import visible_name

ROW_HEIGHT, _TALL_ROW = 36, 52
COMPACT, _BESIDE = 600, 800
"""Below these widths of the middle, in px, only names and states stand in the table, and the buttons stand below the
name of the collection."""


class DocumentsLayout(QWidget):
    """Makes the parts and arranges them; what they mean is the page's business."""

    def __init__(self, bridge: Bridge) -> None:
        super().__init__()
        self.collections = CollectionPanel()
        self.title = ElidedLabel("", "heading")
        self.counts = ElidedLabel("", "muted")
        self.add_files = PlainButton(texts.ADD_FILES_BUTTON, "plus")
        self.ask = PrimaryButton(texts.ASK_ALL, "chat", toolTip=texts.ASK_ALL_HELP)
        self.add_folder = PlainButton(texts.ADD_FOLDER_BUTTON, "folder")
        self.menu_button = IconButton("more", texts.COLLECTION_MENU)
        self.progress = ProgressLine(visible=False)
        self.message = InlineMessage()
        self.offer = OfferLine(bridge)
        self.folders = FolderList()
        self.search = SearchField(texts.SEARCH_TEXT)
        self.name_filter = QLineEdit(placeholderText=texts.FILTER_BY_NAME, accessibleName=texts.FILTER_FILES_BY_NAME)
        states = ((texts.ALL_FILES, ""), (texts.READY, "ready"), (texts.FAILED, "failed"))
        self.state_filter = ChoiceBox(texts.FILTER_FILES_BY_STATE, states)
        self.table = DocumentTable(self)
        self.rows = DocumentFilter(self.table, self)
        self.view = FileView()
        self.view.setModel(self.rows)
        self.view.show_columns()
        self.nothing = Text(
            texts.NO_FILE_MATCHES, "muted", alignment=Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop
        )
        self.hits = PassageList()
        self.sides = ChoiceRow(texts.FILES_OR_NAMES, (("files", texts.FILES_SIDE), ("names", texts.NAMES_SIDE)))
        self.names = NamesPanel(bridge)
        self.selection = SelectionBar()
        self.comparison = ComparisonView()
        self.pane = DocumentPane(bridge)
        self.tasks = TaskBar()
        self.remove = QuietButton(texts.REMOVE_FROM_COLLECTION, "trash", small=True)
        self.no_collections = EmptyState("documents", texts.NO_DOCUMENTS, texts.NO_DOCUMENTS_HELP, texts.NEW_COLLECTION)
        self.no_files = EmptyState("upload", texts.DROP_FILES, texts.DROP_FILES_HELP)
        self.reading = Text(texts.READING_FILES, "muted", alignment=Qt.AlignmentFlag.AlignCenter)
        self._arrange()
        self.cover = DropCover(self)

    def _arrange(self) -> None:
        self._head = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._head.setSpacing(tokens.SPACE_2)
        names = column_of(None, self.title, self.counts, gap=0)
        buttons = row_of(None, self.ask, self.add_folder, self.add_files, self.menu_button, None, gap=tokens.SPACE_2)
        self._head.addLayout(names, 1)
        self._head.addLayout(buttons)
        filters = row_of(None, (self.search, 3), gap=tokens.SPACE_2)
        self.name_filter.setMinimumWidth(128)
        filters.addWidget(self.name_filter, 1)
        filters.addWidget(self.state_filter)
        self._filters = QWidget()
        self._filters.setLayout(filters)
        filters.setContentsMargins(0, 0, 0, 0)
        self._files = QStackedWidget()
        for shown in (self.view, self.nothing, self.hits, self.no_files, self.names, self.reading):
            self._files.addWidget(shown)
        inside = _Watched()
        inside.resized.connect(self._on_middle_resized)
        column = column_of(inside, self._head, gap=tokens.SPACE_3, margins=(tokens.SPACE_5, tokens.SPACE_4))
        for widget in (self.progress, self.message, self.offer, self.folders, self.sides, self._filters):
            column.addWidget(widget)
        column.addWidget(self._files, 1)
        column.addWidget(self.selection)
        self._middle = QStackedWidget()
        self._middle.addWidget(inside)
        self._middle.addWidget(self.no_collections)
        self._middle.setMinimumWidth(400)
        self._right = QFrame()
        self._right.setProperty("role", "panel")
        side = column_of(self._right, (self.pane, 1), gap=0)
        below = column_of(
            None,
            self.tasks,
            (self.remove, 0, Qt.AlignmentFlag.AlignLeft),
            margins=(tokens.SPACE_4, 0, tokens.SPACE_3, tokens.SPACE_3),
        )
        side.addLayout(below)
        self._right.setMinimumWidth(300)
        self._right.hide()
        self.collections.setMinimumWidth(170)
        self._split = QSplitter(Qt.Orientation.Horizontal)
        parts: tuple[QWidget, ...] = (self.collections, self._middle, self._right)
        for number, part in enumerate(parts):
            self._split.addWidget(part)
            self._split.setCollapsible(number, False)
            self._split.setStretchFactor(number, 1 if part is self._middle else 0)
        self._split.setSizes([220, 900, 460])
        self._sides_or_comparison = QStackedWidget()
        self._sides_or_comparison.addWidget(self._split)
        self._sides_or_comparison.addWidget(self.comparison)
        column_of(self, self._sides_or_comparison)

    def chosen(self) -> list[Document]:
        """The chosen files, in the order of the table."""
        rows = sorted(self.view.selectionModel().selectedRows(), key=lambda index: index.row())
        found = (self.rows.document_at(index) for index in rows)
        return [document for document in found if document is not None]

    # -- what is to be seen ----------------------------------------------------------------------------

    def show_collection(self, there_is_one: bool) -> None:
        """The files of a collection, or what to do where there is none."""
        self._middle.setCurrentIndex(0 if there_is_one else 1)

    def show_comparison(self, shown: bool) -> None:
        """Two documents side by side in place of everything else, or not."""
        self._sides_or_comparison.setCurrentWidget(self.comparison if shown else self._split)

    @property
    def shows_comparison(self) -> bool:
        return self._sides_or_comparison.currentWidget() is self.comparison

    def show_names(self) -> None:
        """The names in the documents."""
        self.sides.show_value("names")
        self._files.setCurrentWidget(self.names)
        self._filters.hide()

    @property
    def shows_names(self) -> bool:
        return self._files.currentWidget() is self.names

    def show_reading(self) -> None:
        """The files are not known yet."""
        self.sides.hide()
        self._filters.hide()
        self._files.setCurrentWidget(self.reading)

    def show_files(self) -> None:
        """The table, or why it is empty."""
        self.sides.show_value("files")
        self.sides.setVisible(bool(self.table.rowCount()))
        if not self.table.rowCount():
            self._files.setCurrentWidget(self.no_files)
        else:
            self._files.setCurrentWidget(self.view if self.rows.rowCount() else self.nothing)
        self._filters.setVisible(bool(self.table.rowCount()))

    def show_hits(self) -> None:
        self._files.setCurrentWidget(self.hits)

    @property
    def shows_hits(self) -> bool:
        return self._files.currentWidget() is self.hits

    def show_document(self, shown: bool) -> None:
        """Open or close the right side; where it is narrow the collections make room."""
        was = self._right.isVisibleTo(self)
        self._right.setVisible(shown)
        narrow = self.width() < 1_000
        self.collections.setVisible(not (shown and narrow))
        if shown and not was:
            left = 0 if narrow else self.collections.width()
            spare = self._split.width() - left
            right = max(300, min(560, spare - 400))
            self._split.setSizes([left, spare - right, right])

    def _on_middle_resized(self, width: int) -> None:
        """Where there is little room, the buttons go below the name, and the columns that matter least go."""
        narrow = width < COMPACT
        directions = QBoxLayout.Direction
        below = width < _BESIDE
        self._head.setDirection(directions.TopToBottom if below else directions.LeftToRight)
        self.name_filter.setVisible(not narrow)
        for column in (1, 2, 3):
            self.view.setColumnHidden(column, narrow or (below and column > 1))
        self.ask.setText(texts.ASK_SHORT if narrow else texts.ASK_ALL)
        self.add_folder.setText(texts.ADD_FOLDER_SHORT if narrow else texts.ADD_FOLDER_BUTTON)
        self.add_files.setText(texts.ADD_FILES_SHORT if narrow else texts.ADD_FILES_BUTTON)
        self.view.setColumnWidth(0, max(width * 9 // 20, width - 330) if below else min(480, width * 3 // 10))

    @property
    def shows_document(self) -> bool:
        return self._right.isVisibleTo(self)


class _Watched(QWidget):
    resized = Signal(int)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self.resized.emit(event.size().width())


class _OneLine(QStyledItemDelegate):
    def initStyleOption(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> None:
        super().initStyleOption(option, index)
        option.features &= ~QStyleOptionViewItem.ViewItemFeature.WrapText
        option.textElideMode = Qt.TextElideMode.ElideMiddle


class FileView(QTableView):
    """The table of files: whole rows, sorted by a click on a heading, no editing."""

    unlock_wanted = Signal(str, str)
    """The id of a file that is protected by a password, and that password."""

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName(texts.FILES_OF_COLLECTION)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setShowGrid(False)
        self.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.setItemDelegateForColumn(0, _OneLine(self))
        self._fit = QTimer(self, singleShot=True, interval=0, timeout=self._fit_rows)
        self.setTabKeyNavigation(False)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.setSortingEnabled(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.verticalHeader().setDefaultSectionSize(ROW_HEIGHT)
        self.verticalHeader().hide()

    def setModel(self, model: QAbstractItemModel | None) -> None:
        super().setModel(model)
        if model is not None:
            for changed in (model.modelReset, model.layoutChanged, model.rowsInserted, model.rowsRemoved):
                changed.connect(self._fit.start)
            model.dataChanged.connect(self._fit.start)

    def _fit_rows(self) -> None:
        """A reason has two lines, and neither a type nor a heading is cut."""
        model = self.model()
        for row in range(model.rowCount()):
            document: Document = model.index(row, 0).data(DocumentRole)
            self.setRowHeight(row, _TALL_ROW if document.reason else ROW_HEIGHT)
            self._show_password(model.index(row, model.columnCount() - 1), document)
        for column in (1, 2, 3):
            needed = max(self.sizeHintForColumn(column), self.horizontalHeader().sectionSizeHint(column))
            if needed > self.columnWidth(column) and not self.isColumnHidden(column):
                self.setColumnWidth(column, needed)

    def _show_password(self, cell: QModelIndex, document: Document) -> None:
        """A field for its password in the row of a locked file."""
        shown = self.indexWidget(cell)
        if isinstance(shown, PasswordRow) and document.locked:
            shown.show_document(document)
        elif document.locked:
            row = PasswordRow()
            row.show_document(document)
            row.entered.connect(self.unlock_wanted)
            self.setIndexWidget(cell, row)
        elif shown is not None:
            self.setIndexWidget(cell, None)  # type: ignore[arg-type]  # Qt takes none, which its stub leaves out

    def show_columns(self) -> None:
        """Widths that fit the columns; call once there is a model."""
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        header.setStretchLastSection(True)
        for column, width in enumerate((230, 98, 60, 80)):
            self.setColumnWidth(column, width)
        self.sortByColumn(0, Qt.SortOrder.AscendingOrder)


DocumentRole = Qt.ItemDataRole.UserRole + 1
SortRole = Qt.ItemDataRole.UserRole + 2
COLUMNS = (texts.COLUMN_NAME, texts.COLUMN_KIND, texts.COLUMN_PAGES, texts.COLUMN_PASSAGES, texts.COLUMN_STATE)
STATES = {"indexed": texts.READY, "unchanged": texts.READY, "failed": texts.FAILED, "removed": texts.STATE_REMOVED}
_Index = QModelIndex | QPersistentModelIndex


class DocumentTable(QAbstractTableModel):
    """One row a file. ``set_documents`` keeps the rows that stay, so that selection and scroll stay too."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rows: list[Document] = []
        self._rows_by_id: dict[str, int] = {}

    @property
    def documents(self) -> Sequence[Document]:
        return self._rows

    def set_documents(self, documents: Sequence[Document]) -> None:
        """Show these documents: what is new comes to the end, what went goes, what changed changes in place."""
        wanted = {document.id: document for document in documents}
        if not self._rows or not any(document.id in wanted for document in self._rows):
            self.beginResetModel()
            self._rows = list(documents)
            self._number()
            self.endResetModel()
            return
        for row in range(len(self._rows) - 1, -1, -1):
            if self._rows[row].id not in wanted:
                self.beginRemoveRows(QModelIndex(), row, row)
                del self._rows[row]
                self.endRemoveRows()
        for row, old in enumerate(self._rows):
            new = wanted.pop(old.id)
            if new != old:
                self._rows[row] = new
                self.dataChanged.emit(self.index(row, 0), self.index(row, len(COLUMNS) - 1))
        if wanted:
            first = len(self._rows)
            self.beginInsertRows(QModelIndex(), first, first + len(wanted) - 1)
            self._rows.extend(wanted.values())
            self.endInsertRows()
        self._number()

    def row_of(self, document: str) -> int:
        """The row of a document by its id or path; -1 when it is not there."""
        if document in self._rows_by_id:
            return self._rows_by_id[document]
        return next((row for row, known in enumerate(self._rows) if known.path == document), -1)

    def _number(self) -> None:
        self._rows_by_id = {document.id: row for row, document in enumerate(self._rows)}

    def rowCount(self, parent: _Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self._rows)

    def columnCount(self, parent: _Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return COLUMNS[section]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(section)
        return None

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        document, column = self._rows[index.row()], index.column()
        match role:
            case Qt.ItemDataRole.DisplayRole:
                if document.locked and column == 4:
                    return ""  # there the field for its password stands
                return _cell(document, column)
            case Qt.ItemDataRole.ToolTipRole:
                return f"{document.path}\n{document.reason}".strip()
            case Qt.ItemDataRole.AccessibleTextRole:
                return f"{COLUMNS[column]}: {_cell(document, column) or texts.NO_VALUE}"
            case Qt.ItemDataRole.TextAlignmentRole:
                return _alignment(column)
            case Qt.ItemDataRole.ForegroundRole:
                theme = current_theme()
                if column == 4 and document.state == "failed":
                    return theme.colour("danger")
                return theme.colour("text" if column == 0 else "muted")
            case Qt.ItemDataRole.DecorationRole:
                if column == 0:
                    return current_theme().icon("file", "muted")
                if column == 4 and (document.state == "failed" or document.reason or document.changed):
                    return current_theme().icon("warning", "danger" if document.state == "failed" else "attention")
                return None
            case _ if role == DocumentRole:
                return document
            case _ if role == SortRole:
                return _sort_key(document, column)
            case _:
                return None


class DocumentFilter(QSortFilterProxyModel):
    """Rows whose name or path holds some words and whose state is the wanted one."""

    def __init__(self, table: DocumentTable, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.table = table
        self._words = ""
        self._state = ""
        self.setSourceModel(table)
        self.setSortRole(SortRole)

    def set_words(self, words: str) -> None:
        self._words = words
        self.invalidate()

    def set_state(self, state: str) -> None:
        """``ready``, ``failed`` or empty for all."""
        self._state = state
        self.invalidate()

    def filterAcceptsRow(self, row: int, parent: _Index) -> bool:
        document = self.table.documents[row]
        if self._state and (document.state == "failed") != (self._state == "failed"):
            return False
        return holds(self._words, document.path, document.title)

    def document_at(self, index: _Index) -> Document | None:
        found = index.data(DocumentRole) if index.isValid() else None
        return found if isinstance(found, Document) else None


def _cell(document: Document, column: int) -> str:
    match column:
        case 0:
            return visible_name(document.path) or document.title
        case 1:
            return describe_kind(document.kind)
        case 2:
            return f"{document.pages:,}" if document.pages else ""
        case 3:
            return f"{document.chunks:,}" if document.chunks else ""
        case _:
            words = texts.STATE_PART if document.unfinished else STATES[document.state]
            if document.changed:
                words = texts.STATE_CHANGED
            return f"{words}: {document.reason}" if document.reason else words


def _sort_key(document: Document, column: int) -> object:
    if column == 2:
        return document.pages
    if column == 3:
        return document.chunks
    return _cell(document, column).lower()


def _alignment(column: int) -> int:
    side = Qt.AlignmentFlag.AlignRight if column in (2, 3) else Qt.AlignmentFlag.AlignLeft
    return int((side | Qt.AlignmentFlag.AlignVCenter).value)
