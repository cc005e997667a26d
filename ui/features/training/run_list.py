"""The trainings of a home folder at the left of the Train page: chosen to be looked at, ticked to be compared."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPoint, QRect, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QPainter, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import QApplication, QFrame, QMenu, QStyle, QStyledItemDelegate, QStyleOptionViewItem

from ui.components.basics import InlineMessage, PlainButton, Text
from ui.components.layout import column_of
from ui.components.lists import ItemList
from ui.features.training import texts
from ui.features.training.run_texts import list_lines
from ui.theme import tokens
from ui.theme.theme import current_theme
from workbench.records.methods import Methods
from workbench.subjects.runs.calls import RunRecord

IdRole = Qt.ItemDataRole.UserRole + 1
LineRole = Qt.ItemDataRole.UserRole + 2
StateRole = Qt.ItemDataRole.UserRole + 3
_ROW = 68
_TONES = {"running": "accent", "finished": "success", "failed": "danger"}


class RunList(QFrame):
    """``opened`` sends a run's id, ``ticked`` the ids of those to compare (in the order of the list)."""

    new_wanted = Signal()
    opened = Signal(str)
    ticked = Signal(list)
    deleted = Signal(str)
    copied = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "panel")
        self._runs: tuple[RunRecord, ...] = ()
        self._methods: Methods[Any] = Methods()
        self._showing = False
        self._just_ticked = False
        self.new_button = PlainButton(texts.NEW_TRAINING, "plus", clicked=self._on_new)
        self.heading = Text(texts.TRAININGS, "strong")
        self.hint = Text("", "small")
        self._model = QStandardItemModel(self)
        self._model.itemChanged.connect(self._on_item_changed)
        self.list = ItemList()
        self.list.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.list.setUniformItemSizes(True)
        self.list.setModel(self._model)
        self.list.setItemDelegate(_Lines(self.list))
        self.list.setAccessibleName(texts.TRAININGS_HELP)
        self.list.selectionModel().currentChanged.connect(self._on_current)
        self.list.clicked.connect(self._on_clicked)
        self.list.delete_pressed.connect(self._on_delete_pressed)
        self.list.customContextMenuRequested.connect(self._on_menu)
        self.confirm = InlineMessage()
        column_of(
            self,
            self.new_button,
            tokens.SPACE_1,
            self.heading,
            self.hint,
            (self.list, 1),
            self.confirm,
            gap=tokens.SPACE_2,
            margins=tokens.SPACE_3,
        )
        self.show_runs(())

    @property
    def current(self) -> RunRecord | None:
        """The run that is looked at."""
        index = self.list.currentIndex()
        wanted = index.data(IdRole) if index.isValid() else None
        return next((run for run in self._runs if run.id == wanted), None)

    @property
    def ticked_runs(self) -> list[str]:
        """The ids of the ticked runs."""
        items = (self._model.item(row) for row in range(self._model.rowCount()))
        return [str(item.data(IdRole)) for item in items if item.checkState() == Qt.CheckState.Checked]

    def set_methods(self, methods: Methods[Any]) -> None:
        """The methods by whose titles the runs are described."""
        self._methods = methods
        runs, self._runs = self._runs, ()
        self.show_runs(runs)

    def show_runs(self, runs: Sequence[RunRecord]) -> None:
        """Show these, the latest first. What is ticked and chosen stays so; only what changed is drawn anew."""
        before = self.current.id if self.current is not None else ""
        ticked = set(self.ticked_runs)
        known_runs = {run.id: run for run in self._runs}
        self._runs = tuple(runs)
        self._showing = True
        known = [self._model.item(row).data(IdRole) for row in range(self._model.rowCount())]
        if known != [run.id for run in runs]:
            known_runs.clear()
            self._model.clear()
            for run in runs:
                item = QStandardItem()
                item.setEditable(False)
                item.setCheckable(True)
                item.setData(run.id, IdRole)
                item.setCheckState(Qt.CheckState.Checked if run.id in ticked else Qt.CheckState.Unchecked)
                self._model.appendRow(item)
        for row, run in enumerate(runs):
            if known_runs.get(run.id) is run:
                continue
            item, line = self._model.item(row), list_lines(run, self._methods)
            item.setText(run.title)
            item.setData(line, LineRole)
            item.setData("paused" if run.paused else run.state, StateRole)
            item.setToolTip(f"{run.title}\n{line}")
            item.setAccessibleText(f"{run.title}, {line}".replace("\n", ", "))
        if known != [run.id for run in runs]:
            self.choose(before)
        self._showing = False
        self.list.setFocusPolicy(Qt.FocusPolicy.StrongFocus if runs else Qt.FocusPolicy.NoFocus)
        words = texts.TICK_HELP if runs else texts.NO_TRAININGS
        self.hint.setText(words)

    def choose(self, run: str) -> bool:
        """Mark a run as the one that is looked at, without telling; "" for none. Whether it is in the list."""
        self._showing = True
        row = next((number for number, known in enumerate(self._runs) if known.id == run), -1)
        self.list.setCurrentIndex(self._model.index(row, 0) if row >= 0 else QModelIndex())
        self._showing = False
        return row >= 0

    def tick(self, runs: Sequence[str]) -> None:
        """Tick these, and no others."""
        self._showing = True
        for row in range(self._model.rowCount()):
            item = self._model.item(row)
            item.setCheckState(Qt.CheckState.Checked if item.data(IdRole) in runs else Qt.CheckState.Unchecked)
        self._showing = False
        self.ticked.emit(self.ticked_runs)

    def ask_to_delete(self, run: RunRecord) -> None:
        """Ask in the panel; what the training made stays."""
        if run.state in ("queued", "running"):
            self.confirm.show_message(texts.STOP_BEFORE_DELETE, "info")
            return

        def delete() -> None:
            self.confirm.hide()
            self.deleted.emit(run.id)

        self.confirm.show_message(delete_words(run), "attention", texts.DELETE, delete)
        self.confirm.action_button.setFocus()

    def _on_delete_pressed(self) -> None:
        if self.current is not None:
            self.ask_to_delete(self.current)

    def _on_new(self) -> None:
        self.choose("")
        self.new_wanted.emit()

    def _on_current(self, current: QModelIndex, previous: QModelIndex) -> None:
        wanted = current.data(IdRole) if current.isValid() else None
        if wanted and not self._showing:
            self.confirm.hide()
            self.opened.emit(str(wanted))

    def _on_clicked(self, index: QModelIndex) -> None:
        """A click on the one that is marked already, after another view was shown. One on its box has ticked it."""
        if not self._just_ticked:
            self.opened.emit(str(index.data(IdRole)))

    def _on_item_changed(self, item: QStandardItem) -> None:
        if not self._showing:
            self._just_ticked = True
            QTimer.singleShot(0, self, self._forget_tick)  # the click is told right after
            self.ticked.emit(self.ticked_runs)

    def _forget_tick(self) -> None:
        self._just_ticked = False

    def _on_menu(self, place: QPoint) -> None:
        index = self.list.indexAt(place)
        if not index.isValid():
            return
        run = self._runs[index.row()]
        theme = current_theme()
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction(theme.icon("copy"), texts.COPY_AS_NEW, lambda: self.copied.emit(run.id))
        menu.addAction(theme.icon("trash", "danger"), texts.DELETE_MENU, lambda: self.ask_to_delete(run))
        menu.popup(self.list.viewport().mapToGlobal(place))


def delete_words(run: RunRecord) -> str:
    """The question before a training is deleted."""
    return texts.ASK_DELETE.format(title=run.title)


class _Lines(QStyledItemDelegate):
    """The name of a run, shortened where there is no room, and below it how it is and what it was."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(100, _ROW)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        theme = current_theme()
        shown = QStyleOptionViewItem(option)
        self.initStyleOption(shown, index)
        shown.text = ""
        style = shown.widget.style() if shown.widget is not None else QApplication.style()
        style.drawControl(QStyle.ControlElement.CE_ItemViewItem, shown, painter, shown.widget)
        box = style.subElementRect(QStyle.SubElement.SE_ItemViewItemCheckIndicator, shown, shown.widget)
        area: QRect = option.rect
        left = box.right() + tokens.SPACE_2
        words = QRect(left, area.top() + 6, area.right() - left - tokens.SPACE_2, (area.height() - 12) // 3)
        selected = bool(shown.state & QStyle.StateFlag.State_Selected)
        painter.save()
        painter.setPen(theme.colour("accent" if selected else "text"))
        end = Qt.TextElideMode.ElideRight
        side = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        font = painter.font()
        font.setPixelSize(tokens.TEXT_BODY)
        painter.setFont(font)
        painter.drawText(words, side, painter.fontMetrics().elidedText(str(index.data()), end, words.width()))
        font.setPixelSize(tokens.TEXT_SMALL)
        painter.setFont(font)
        tone = _TONES.get(str(index.data(StateRole)), "muted")
        for number, line in enumerate(str(index.data(LineRole) or "").split("\n")[:2], 1):
            painter.setPen(theme.colour(tone if number == 1 else "muted"))
            below = words.translated(0, number * words.height())
            painter.drawText(below, side, painter.fontMetrics().elidedText(line, end, below.width()))
        painter.restore()
