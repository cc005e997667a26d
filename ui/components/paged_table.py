"""A table of many rows that asks for those in sight only: pages of rows are fetched as they are painted."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt, QTimer, Signal

from ui import texts

PAGE_ROWS = 200
_MOST_PAGES = 60
RowRole = Qt.ItemDataRole.UserRole + 1
_Index = QModelIndex | QPersistentModelIndex


class PagedTable(QAbstractTableModel):
    """``page_wanted`` asks for the page that begins with a row; it is answered with ``put_rows``. Rows that are not
    there yet are empty; those that ``expire`` made old are shown until the new ones are there."""

    page_wanted = Signal(int)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._headers: tuple[str, ...] = ()
        self._total = 0
        self._pages: OrderedDict[int, Sequence[Any]] = OrderedDict()
        self._fresh: set[int] = set()
        self._wanted: dict[int, None] = {}  # to be asked for in the next turn of the event loop
        self._asked: dict[int, None] = {}
        self._asking = QTimer(self, singleShot=True, interval=0, timeout=self._on_ask)

    def restart(self, headers: Sequence[str], total: int = 0) -> None:
        """Show another table: of so many rows, as far as that is known."""
        self.beginResetModel()
        self._headers, self._total = tuple(headers), total
        self._pages.clear()
        self._fresh.clear()
        self._wanted.clear()
        self._asked.clear()
        self.endResetModel()

    def expire(self) -> None:
        """The rows may have changed: those in sight are asked for again."""
        self._fresh.clear()
        self._wanted.clear()
        self._asked.clear()
        if self._total:
            self.dataChanged.emit(self.index(0, 0), self.index(self._total - 1, len(self._headers) - 1))

    def put_rows(self, first: int, total: int, rows: Sequence[Any]) -> None:
        """The rows from ``first`` on, a whole page or the last one, of ``total``."""
        if total > self._total:
            self.beginInsertRows(QModelIndex(), self._total, total - 1)
            self._total = total
            self.endInsertRows()
        elif total < self._total:
            self.beginRemoveRows(QModelIndex(), total, self._total - 1)
            self._total = total
            self.endRemoveRows()
        page = first // PAGE_ROWS
        self._pages[page] = rows
        self._pages.move_to_end(page)
        self._fresh.add(page)
        self._asked.pop(page, None)
        while len(self._pages) > _MOST_PAGES:
            gone, _ = self._pages.popitem(last=False)
            self._fresh.discard(gone)
        if rows:
            self.dataChanged.emit(self.index(first, 0), self.index(first + len(rows) - 1, len(self._headers) - 1))

    @property
    def total(self) -> int:
        return self._total

    def row(self, number: int) -> Any:
        """The row, or None while it is not there; asks for it where it is not, or may have changed."""
        page, place = divmod(number, PAGE_ROWS)
        if page not in self._fresh and page not in self._wanted and page not in self._asked:
            self._wanted[page] = None
            self._asking.start()
        rows = self._pages.get(page, ())
        return rows[place] if place < len(rows) else None

    def cell(self, row: Any, column: int) -> str:
        """What a cell says."""
        raise NotImplementedError

    def rowCount(self, parent: _Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else self._total

    def columnCount(self, parent: _Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self._headers)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return self._headers[section]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return int((Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter).value)
        return None

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if role not in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole, RowRole):
            return None
        row = self.row(index.row())
        if role == RowRole:
            return row
        said = self.cell(row, index.column()) if row is not None else ""
        return (
            said
            if role == Qt.ItemDataRole.DisplayRole
            else f"{self._headers[index.column()]}: {said or texts.NO_VALUE}"
        )

    def _on_ask(self) -> None:
        """Ask for what is wanted, once; an answer that fails is not asked for again before ``expire``."""
        asked, self._asked = list(self._wanted), {**self._asked, **self._wanted}
        self._wanted = {}
        for page in asked:
            self.page_wanted.emit(page * PAGE_ROWS)
