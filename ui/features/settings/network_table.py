"""Requests over the network as a table model, filtered by purpose, result and host."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QAbstractTableModel, QDateTime, QLocale, QModelIndex, QObject, QPersistentModelIndex, Qt

from ui.components.wording import describe_bytes
from ui.features.settings import network_texts as texts
from ui.theme.theme import current_theme
from workbench.records.hub import NetworkRequest

ANSWERED, REFUSED, FAILED = "answered", "refused", "failed"
_TIME, _PURPOSE, _HOST, _SENT, _RECEIVED, _RESULT = range(6)
_Index = QModelIndex | QPersistentModelIndex


class RequestTable(QAbstractTableModel):
    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._all: Sequence[NetworkRequest] = ()
        self._rows: list[NetworkRequest] = []
        self._filter = ("", "", "")

    @property
    def total(self) -> int:
        return len(self._all)

    def set_requests(self, requests: Sequence[NetworkRequest]) -> None:
        """The latest first."""
        self._all = requests
        self._show()

    def set_filter(self, purpose: str = "", result: str = "", host: str = "") -> None:
        """Show those of a purpose and a result ("": any) whose host contains a text."""
        self._filter = (purpose, result, host.strip().lower())
        self._show()

    def _show(self) -> None:
        purpose, result, host = self._filter
        self.beginResetModel()
        self._rows = [
            one
            for one in self._all
            if purpose in ("", one.purpose) and result in ("", result_of(one)) and host in one.host.lower()
        ]
        self.endResetModel()

    def rowCount(self, parent: _Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self._rows)

    def columnCount(self, parent: _Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(texts.COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return texts.COLUMNS[section]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(section)
        return None

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        request, column = self._rows[index.row()], index.column()
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return _cell(request, column)
            case Qt.ItemDataRole.ToolTipRole:
                return "\n".join(filter(None, (_asked(request), _cell(request, _RESULT))))
            case Qt.ItemDataRole.AccessibleTextRole:
                return f"{texts.COLUMNS[column]}: {_cell(request, column) or '0'}"
            case Qt.ItemDataRole.TextAlignmentRole:
                return _alignment(column)
            case Qt.ItemDataRole.ForegroundRole:
                if column == _RESULT and result_of(request) != ANSWERED:
                    return current_theme().colour("attention")
                return current_theme().colour("text" if column == _HOST else "muted")
            case _:
                return None


def result_of(request: NetworkRequest) -> str:
    return REFUSED if request.refused else FAILED if request.failed else ANSWERED


def _asked(request: NetworkRequest) -> str:
    return f"{request.method} {request.host}{request.path}".strip()


def _alignment(column: int) -> Qt.AlignmentFlag:
    side = Qt.AlignmentFlag.AlignRight if column in (_SENT, _RECEIVED) else Qt.AlignmentFlag.AlignLeft
    return side | Qt.AlignmentFlag.AlignVCenter


def _cell(request: NetworkRequest, column: int) -> str:
    if column == _TIME:
        moment = QDateTime.fromMSecsSinceEpoch(int(request.at * 1000))
        return QLocale().toString(moment, "yyyy-MM-dd HH:mm")
    if column == _PURPOSE:
        return texts.PURPOSES[request.purpose]
    if column == _HOST:
        return request.host
    if column in (_SENT, _RECEIVED):
        count = request.bytes_out if column == _SENT else request.bytes_in
        return describe_bytes(count) if count else ""
    if request.refused:
        return texts.REFUSED_FOR.format(reason=request.refused)
    if request.failed:
        return texts.NOT_ANSWERED.format(error=request.failed)
    return texts.STATUS.format(status=request.status)
