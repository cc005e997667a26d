"""The files of a collection as a table model, sorted and filtered without asking anew. Thousands of rows are fine."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, QSortFilterProxyModel, Qt

from ui.components.wording import describe_kind
from ui.features.documents import texts
from ui.theme.theme import current_theme
from workbench.records.documents import Document
from workbench.records.visible import visible_name

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
                return f"{COLUMNS[column]}: {_cell(document, column) or 'none'}"
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
                if column == 4 and (document.state == "failed" or document.reason):
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
        self._words = words.lower()
        self.invalidate()

    def set_state(self, state: str) -> None:
        """``ready``, ``failed`` or empty for all."""
        self._state = state
        self.invalidate()

    def filterAcceptsRow(self, row: int, parent: _Index) -> bool:
        document = self.table.documents[row]
        if self._state and (document.state == "failed") != (self._state == "failed"):
            return False
        return not self._words or self._words in document.path.lower() or self._words in document.title.lower()

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
