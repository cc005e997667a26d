"""The log of the network: what was sent where, and what was refused.

Requests over the network as a table model, filtered by purpose, result and host.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QAbstractTableModel, QDateTime, QLocale, QModelIndex, QObject, QPersistentModelIndex, Qt
from PySide6.QtWidgets import QAbstractItemView, QFileDialog, QFrame, QHeaderView, QLineEdit, QTableView, QWidget

from ui.bridge import Bridge
from ui.components.basics import IconButton, InlineMessage, PlainButton, Text
from ui.components.choice_box import ChoiceBox
from ui.components.layout import column_of, row_of
from ui.components.notices import ConfirmRow
from ui.components.wording import describe_bytes, in_words
from ui.features.settings import network_texts as texts
from ui.theme import tokens
from ui.theme.theme import current_theme
from workbench.base.finding import holds
from workbench.records.hub import NetworkRequest
from workbench.subjects.network_log.calls import ClearNetworkLog, ExportNetworkLog, ListNetworkRequests, NetworkLog

_HEIGHT, _ROW_HEIGHT, _WIDEST_HOST = 260, 30, 200


class NetworkLogPart(QWidget):
    """Call ``refresh`` when it comes into sight: it is not updated by itself."""

    def __init__(self, bridge: Bridge) -> None:
        super().__init__()
        self._bridge = bridge
        self.model = RequestTable(self)
        self.purpose = ChoiceBox(
            texts.PURPOSE, [(texts.ALL_PURPOSES, ""), *((title, name) for name, title in texts.PURPOSES.items())], 14
        )
        results = ((texts.ANSWERED, ANSWERED), (texts.REFUSED, REFUSED), (texts.FAILED, FAILED))
        self.result = ChoiceBox(texts.RESULT, [(texts.ALL_RESULTS, ""), *results], 10)
        self.host = QLineEdit(placeholderText=texts.HOST_EXAMPLE)
        self.host.setAccessibleName(texts.HOST)
        self.host.setClearButtonEnabled(True)
        self.refresh_button = IconButton("refresh", texts.REFRESH, clicked=self.refresh)
        self.export_button = PlainButton(texts.EXPORT, "export", small=True, clicked=self._on_export)
        self.clear_button = PlainButton(texts.CLEAR, "trash", small=True)
        self.confirm = ConfirmRow(self.clear_button)
        self.confirm.set_question(texts.CLEAR_QUESTION, texts.CLEAR)
        self.count = Text("", "small")
        self.empty = Text(texts.EMPTY, "muted")
        self.message = InlineMessage()
        self.table = _RequestView(self.model)
        self._filters = QWidget()
        row_of(
            self._filters, self.purpose, self.result, (self.host, 1), self.refresh_button, gap=tokens.SPACE_2,
            margins=(0, 0, 0, 0),
        )  # fmt: skip
        self._below = QWidget()
        row_of(
            self._below, (self.count, 1), self.export_button, self.clear_button, gap=tokens.SPACE_2,
            margins=(0, 0, 0, 0),
        )  # fmt: skip
        column_of(
            self, Text(texts.LOG, "strong"), Text(texts.LOG_HELP, "small"), self._filters, self.table, self.empty,
            self._below, self.confirm, self.message, gap=tokens.SPACE_2,
        )  # fmt: skip
        self.purpose.chosen.connect(self._on_filter)
        self.result.chosen.connect(self._on_filter)
        self.host.textChanged.connect(self._on_filter)
        self.clear_button.clicked.connect(lambda: self.confirm.ask())
        self.confirm.confirmed.connect(self._on_clear)
        self._show(NetworkLog(requests=()))

    def refresh(self) -> None:
        self._bridge.call(ListNetworkRequests(), self._show, self._on_failed, self)

    def export_to(self, path: str) -> None:
        path = path if path.lower().endswith(".csv") else f"{path}.csv"
        self._bridge.call(ExportNetworkLog(path=path), self._on_exported, self._on_failed, self)

    def _show(self, log: NetworkLog) -> None:
        self.model.set_requests(log.requests)
        self._on_filter()

    def _on_filter(self) -> None:
        self.model.set_filter(self.purpose.value, self.result.value, self.host.text())
        shown, total = self.model.rowCount(), self.model.total
        for part in (self._filters, self._below):
            part.setVisible(bool(total))
        self.table.setVisible(bool(shown))
        self.table.fit()
        self.empty.setVisible(not shown)
        self.empty.setText(texts.NO_MATCH if total else texts.EMPTY)
        self.count.setText(texts.SHOWN.format(shown=shown, total=total))

    def _on_export(self) -> None:
        path, _ = QFileDialog.getSaveFileName(self, texts.EXPORT, texts.EXPORT_NAME, texts.EXPORT_FILES)
        if path:
            self.export_to(path)

    def _on_exported(self, path: str) -> None:
        self.message.show_message(texts.EXPORTED.format(path=path), "success")

    def _on_clear(self) -> None:
        self._bridge.call(ClearNetworkLog(), self._show, self._on_failed, self)

    def _on_failed(self, error: Exception) -> None:
        self.message.show_message(in_words(error), "danger")


class _RequestView(QTableView):
    """Whole rows; only those in sight are drawn."""

    def __init__(self, model: RequestTable) -> None:
        super().__init__()
        self.setModel(model)
        self.setAccessibleName(texts.LOG)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setShowGrid(False)
        self.setTabKeyNavigation(False)
        self.setWordWrap(False)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.verticalHeader().setDefaultSectionSize(_ROW_HEIGHT)
        self.verticalHeader().hide()
        self.horizontalHeader().setStretchLastSection(True)
        self.horizontalHeader().setHighlightSections(False)
        self.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Interactive)

    def fit(self) -> None:
        """Columns as wide as what they hold, the host's within limits; as high as its rows, up to a limit."""
        self.resizeColumnsToContents()
        self.setColumnWidth(2, min(self.columnWidth(2), _WIDEST_HOST))
        self.setColumnWidth(self.model().columnCount() - 1, 0)  # what is left
        rows = self.model().rowCount() * _ROW_HEIGHT + self.horizontalHeader().sizeHint().height() + tokens.SPACE_2
        self.setFixedHeight(min(rows, _HEIGHT))


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
        self._filter = (purpose, result, host)
        self._show()

    def _show(self) -> None:
        purpose, result, host = self._filter
        self.beginResetModel()
        self._rows = [
            one
            for one in self._all
            if purpose in ("", one.purpose) and result in ("", result_of(one)) and holds(host, one.host)
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
