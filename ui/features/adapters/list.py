"""The list of adapters: usable ones first, then those that failed verification."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QSize, Qt, Signal
from PySide6.QtGui import QFont, QFontMetrics, QPainter, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import QAbstractItemView, QFrame, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from ui.components import adapter_texts as texts
from ui.components.adapter_texts import KINDS, describe_date, describe_day, state_of
from ui.components.layout import column_of
from ui.components.lists import ItemList
from ui.theme import tokens
from ui.theme.theme import current_theme
from workbench.records.training import AdapterRecord

FAILED_HEADING = texts.STATE_NOT_OFFERED
_RecordRole = Qt.ItemDataRole.UserRole + 1
_ROW, _HEADING = 52, 32
_PADDING = tokens.SPACE_3


class AdapterList(QFrame):
    """``chosen`` sends the name of the current adapter when it changes, by the person or the program."""

    chosen = Signal(str)
    delete_pressed = Signal()
    rename_pressed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "panel")
        self._records: tuple[AdapterRecord, ...] = ()
        self._showing = False
        self._model = QStandardItemModel(self)
        self.view = ItemList()
        self.view.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.view.setModel(self._model)
        self.view.setItemDelegate(_Delegate(self.view))
        self.view.setAccessibleName(texts.ADAPTERS)
        self.view.selectionModel().currentChanged.connect(self._on_current)
        self.view.delete_pressed.connect(self.delete_pressed)
        self.view.rename_pressed.connect(self.rename_pressed)
        column_of(self, self.view, margins=(tokens.SPACE_2, tokens.SPACE_3, tokens.SPACE_2, tokens.SPACE_2))

    @property
    def current(self) -> str:
        index = self.view.currentIndex()
        record = index.data(_RecordRole) if index.isValid() else None
        return record.name if isinstance(record, AdapterRecord) else ""

    @property
    def names(self) -> list[str]:
        """The entries of the list from top to bottom, including headings."""
        return [self._model.item(row).text() for row in range(self._model.rowCount())]

    def show_adapters(self, records: Sequence[AdapterRecord], current: str = "") -> None:
        """Show them in their order, failed ones below; ``current`` is chosen if it is there, else what was."""
        before = current or self.current
        if tuple(records) == self._records and before == self.current:
            return
        self._records = tuple(records)
        usable = [record for record in records if record.usable]
        failed = [record for record in records if not record.usable]
        self._showing = True
        self._model.clear()
        for record in usable:
            self._model.appendRow(_item(record))
        if failed:
            heading = QStandardItem(FAILED_HEADING)
            heading.setFlags(Qt.ItemFlag.NoItemFlags)
            self._model.appendRow(heading)
            for record in failed:
                self._model.appendRow(_item(record))
        self._showing = False
        self.choose(before)

    def choose(self, name: str) -> None:
        """Make an adapter the current one; the first where it is not there."""
        rows = [row for row in range(self._model.rowCount()) if self._model.item(row).data(_RecordRole) is not None]
        if not rows:
            return
        wanted = [row for row in rows if self._model.item(row).text() == name]
        self.view.setCurrentIndex(self._model.index(wanted[0] if wanted else rows[0], 0))

    def _on_current(self, index: QModelIndex) -> None:
        if not self._showing and index.isValid() and self.current:
            self.chosen.emit(self.current)


def _item(record: AdapterRecord) -> QStandardItem:
    item = QStandardItem(record.name)
    item.setData(record, _RecordRole)
    item.setEditable(False)
    state = state_of(record)[0]
    item.setAccessibleText(", ".join(part for part in (record.name, describe_row(record), state) if part))
    item.setToolTip("\n".join(part for part in (record.name, record.base, describe_date(record.created)) if part))
    return item


def describe_row(record: AdapterRecord) -> str:
    """``LoRA · 24 Nov · SmolLM2``"""
    return " · ".join(part for part in (KINDS[record.kind][0], describe_day(record.created), record.base) if part)


class _Delegate(QStyledItemDelegate):
    """Two lines: the name with its state at the right, below it its kind."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(120, _ROW if index.data(_RecordRole) is not None else _HEADING)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        theme, record = current_theme(), index.data(_RecordRole)
        area: QRect = option.rect.adjusted(_PADDING, 0, -_PADDING, 0)
        small = QFont(option.font)
        small.setPixelSize(tokens.TEXT_SMALL)
        painter.save()
        if not isinstance(record, AdapterRecord):
            small.setWeight(QFont.Weight.DemiBold)
            painter.setFont(small)
            painter.setPen(theme.colour("muted"))
            bottom = Qt.AlignmentFlag.AlignBottom | Qt.AlignmentFlag.AlignLeft
            painter.drawText(area.adjusted(0, 0, 0, -tokens.SPACE_1), bottom, str(index.data()))
            painter.restore()
            return
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        hovered = bool(option.state & QStyle.StateFlag.State_MouseOver)
        if selected or hovered:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.colour("accent_soft" if selected else "hover"))
            painter.drawRoundedRect(option.rect.adjusted(1, 1, -1, -1), tokens.RADIUS_CONTROL, tokens.RADIUS_CONTROL)
        strong = QFont(option.font)
        strong.setWeight(QFont.Weight.DemiBold)
        state, tone = state_of(record)
        upper = QRect(area.left(), area.top() + 7, area.width(), 20)
        painter.setFont(small)
        painter.setPen(theme.colour(tone))
        painter.drawText(upper, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, state)
        taken = QFontMetrics(small).horizontalAdvance(state) + (tokens.SPACE_2 if state else 0)
        painter.setFont(strong)
        painter.setPen(theme.colour("accent" if selected else "text" if record.usable else "muted"))
        _draw_line(painter, upper.adjusted(0, 0, -taken, 0), record.name, Qt.TextElideMode.ElideMiddle)
        painter.setFont(small)
        painter.setPen(theme.colour("muted"))
        _draw_line(painter, QRect(area.left(), area.top() + 27, area.width(), 18), describe_row(record))
        painter.restore()


def _draw_line(painter: QPainter, area: QRect, text: str, mode: Qt.TextElideMode = Qt.TextElideMode.ElideRight) -> None:
    shown = painter.fontMetrics().elidedText(text, mode, area.width())
    painter.drawText(area, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, shown)
