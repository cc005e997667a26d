"""The Adapters page: scores and verification of each adapter; using, merging and exporting it.

The list of adapters: usable ones first, then those that failed verification.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import msgspec
from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QSize, Qt, Signal
from PySide6.QtGui import QFont, QFontMetrics, QPainter, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QFileDialog,
    QFrame,
    QSplitter,
    QStackedWidget,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from ui.bridge import Bridge
from ui.components import adapter_texts as texts
from ui.components.adapter_texts import KINDS, describe_date, describe_day, state_of
from ui.components.basics import PlainButton
from ui.components.layout import ScrolledColumn, column_of
from ui.components.lists import ItemList
from ui.components.merge_dialog import MergeDialog, lost_words
from ui.components.notices import EmptyState
from ui.components.run_follower import RunFollower, RunFollowers
from ui.components.wording import how_far, in_words
from ui.features import Action, ShellActions, offer_undo
from ui.features.adapters.details import AdapterDetails, ExportForm
from ui.features.adapters.import_panel import ImportDialog
from ui.theme import tokens
from ui.theme.theme import current_theme
from workbench.api import events
from workbench.api.events import Artifact, Progress
from workbench.api.protocol import error_of
from workbench.base.catalogue import translated
from workbench.base.naming import free_name
from workbench.records.methods import Methods
from workbench.records.training import AdapterList as Adapters
from workbench.records.training import AdapterRecord, VerificationReport
from workbench.records.training.verdicts import counted_words
from workbench.subjects.adapters.calls import ExportAdapter, ListAdapters, RemoveAdapter, RenameAdapter
from workbench.subjects.machine.calls import ListMethods, MethodList
from workbench.subjects.runs.calls import RunRecord

_LIST = 280
_MOST = 1360


_DOING = {"merge": texts.MERGING_STATE, "export": texts.EXPORTING_STATE}
"""The kinds of run that are about an adapter, in words."""


class AdaptersPage(QWidget):
    """All adapters of the home folder, one of them in full."""

    name, title, icon = "adapters", texts.ADAPTERS, "adapters"

    def __init__(self, bridge: Bridge, shell: ShellActions) -> None:
        super().__init__()
        self._bridge = bridge
        self._shell = shell
        self._records: dict[str, AdapterRecord] = {}
        self._wanted = ""
        self._lost: dict[str, str] = {}  # by run: what verification counted of a merge that it stops
        self._build()
        self._runs = RunFollowers(bridge, ("merge", "export"), self)
        self._runs.began.connect(self._on_began)
        self._runs.ended.connect(self._on_ended)
        bridge.home.listing(ListMethods()).follow(self._on_methods)  # before what is shown with their titles
        bridge.home.listing(ListAdapters()).follow(self._on_adapters)
        self._runs.find()

    def _on_methods(self, found: MethodList) -> None:
        self.details.set_methods(Methods(found.methods))

    def open_target(self, adapter: str = "") -> None:
        """Show an adapter by name."""
        self._wanted = adapter
        adapters = self._bridge.home.listing(ListAdapters())
        if adapters.value is not None and adapter in self._records:
            self._on_adapters(adapters.value)
        else:
            adapters.refresh()

    def header(self) -> QWidget:
        """The button that stands beside the page's title."""
        self._import = PlainButton(
            texts.IMPORT_BUTTON, "plus", toolTip=texts.IMPORT_BUTTON_HELP, clicked=self.begin_import
        )
        return self._import

    @property
    def current(self) -> AdapterRecord | None:
        """The adapter that is shown in full."""
        return self._records.get(self.list.current)

    def begin_import(self, path: str = "") -> ImportDialog:
        """Ask for an adapter that was made elsewhere."""
        dialog = ImportDialog(self._bridge, self, path if isinstance(path, str) else "")
        dialog.imported.connect(lambda name: self.open_target(adapter=name))
        dialog.open()
        return dialog

    def begin_merge(self) -> MergeDialog | None:
        """Ask how the shown adapter is to be merged."""
        record = self.current
        if record is None:
            return None
        dialog = MergeDialog(self._bridge, record, self)
        dialog.merged.connect(self._on_merged)
        dialog.open()
        return dialog

    # -- building ------------------------------------------------------------------------------------

    def _build(self) -> None:
        self.list = AdapterList()
        self.list.setMinimumWidth(220)
        self.list.chosen.connect(self._on_chosen)
        self.details = AdapterDetails()
        area = self._area = ScrolledColumn(tokens.SPACE_3, width=_MOST)
        area.column.addWidget(self.details)
        self._split = QSplitter()
        self._split.addWidget(self.list)
        self._split.addWidget(area)
        self._split.setCollapsible(0, False)
        self._split.setCollapsible(1, False)
        self._split.setStretchFactor(1, 1)
        self._split.setSizes([_LIST, 1000])
        self.empty = EmptyState("adapters", texts.NO_ADAPTERS, texts.NO_ADAPTERS_HELP, texts.TRAIN)
        assert self.empty.button is not None
        self.empty.button.clicked.connect(lambda: self._shell.open_page("train"))
        self.build_button = PlainButton(texts.BUILD_DATA, "plus", clicked=self._on_build)
        self.import_button = PlainButton(texts.IMPORT_ADAPTER_BUTTON, "upload", clicked=lambda: self.begin_import())
        self.empty.add_action(self.build_button)
        self.empty.add_action(self.import_button)
        self._stack = QStackedWidget()
        self._stack.addWidget(self._split)
        self._stack.addWidget(self.empty)
        self._stack.setCurrentWidget(self.empty)
        column_of(self, self._stack)
        details = self.details
        details.use_wanted.connect(self._on_use)
        details.merge_wanted.connect(self.begin_merge)
        details.export_wanted.connect(self._on_export)
        details.renamed.connect(self._on_renamed)
        details.delete_wanted.connect(self._on_delete)
        details.run_wanted.connect(lambda run: self._shell.open_page("train", run=run))
        details.model_wanted.connect(lambda model: self._shell.open_page("models", model=model))
        details.stop_wanted.connect(self._on_stop)
        self.list.delete_pressed.connect(self._on_ask_to_delete)
        self.list.rename_pressed.connect(self._on_rename)

    # -- what there is -------------------------------------------------------------------------------

    def _on_adapters(self, found: Adapters) -> None:
        self._records = {record.name: record for record in found.adapters}
        wanted, self._wanted = (self._wanted, "") if self._wanted in self._records else ("", self._wanted)
        self.list.show_adapters(found.adapters, wanted)
        self._show_view(self._split if found.adapters else self.empty)
        self._show_current()

    def _show_view(self, view: QWidget) -> None:
        """Show the adapters, or that there are none; the keyboard stays at the beginning of what is shown."""
        if view is self._stack.currentWidget():
            return
        focus = QApplication.focusWidget()
        held = focus is not None and self._stack.isAncestorOf(focus)
        self._stack.setCurrentWidget(view)
        if held:
            (self.list.view if view is self._split else self.empty.button or self.empty).setFocus()

    def _on_rename(self) -> None:
        self._to_top()
        self.details.begin_rename()

    def _on_ask_to_delete(self) -> None:
        self._to_top()
        self.details.ask_to_delete()

    def _to_top(self) -> None:
        """Scroll to the top, with names, questions and messages."""
        self._area.verticalScrollBar().setValue(0)

    def _on_chosen(self, name: str) -> None:
        self._show_current()

    def _show_current(self) -> None:
        record = self.current
        if record is not None:
            self.details.show_adapter(record)
            work = self._work_of(record.name)
            self.details.show_progress(_DOING[work.run.kind] + "…" if work is not None else "")

    def _work_of(self, adapter: str) -> RunFollower | None:
        """The latest run on an adapter."""
        found = [work for work in self._runs.open.values() if work.run.config.get("adapter") == adapter]
        return found[-1] if found else None

    def _on_began(self, work: RunFollower) -> None:
        work.progressed.connect(lambda progress: self._on_progress(work, progress))
        work.made.connect(lambda artifact: self._on_made(work.run, artifact))
        self._show_current()

    def _on_progress(self, work: RunFollower, progress: Progress) -> None:
        if self._work_of(self.list.current) is work:
            share, _ = how_far(progress)
            stage = f": {translated(progress.stage)}" if progress.stage else ""
            self.details.show_progress(f"{_DOING[work.run.kind]}{stage}", share, progress.seconds_left)

    def _on_made(self, run: RunRecord, artifact: Artifact) -> None:
        if artifact.kind == "verification" and not artifact.result.get("passed"):
            self._lost[run.id] = translated(counted_words(msgspec.convert(artifact.result, VerificationReport)))

    def _on_ended(self, work: RunFollower) -> None:
        lost, terminal = self._lost.pop(work.run.id, None), work.terminal
        if self.list.current != work.run.config.get("adapter"):
            return
        self._show_current()
        if isinstance(terminal, events.Failed) and lost is not None:
            asked = work.run.config
            words = lost_words(str(asked.get("type", "")), str(asked.get("quantization", "")))
            self.details.message.show_message(f"{words} {lost}".strip(), "danger")
        elif isinstance(terminal, events.Failed):
            self.details.message.show_message(in_words(error_of(terminal)), "danger")
        elif work.run.kind == "export" and isinstance(terminal, events.Finished):
            words = texts.EXPORTED.format(value=terminal.result["path"])
            self.details.message.show_message(words, "success")

    # -- what is done --------------------------------------------------------------------------------

    def _on_use(self) -> None:
        if self.current is not None:
            self._shell.open_page("chat", adapter=self.current.name)

    def _on_merged(self, model: str) -> None:
        show = Action(texts.SHOW, lambda: self._shell.open_page("models", model=model))
        self._shell.show_message(texts.MERGED_VERIFIED.format(model=model), "success", show)

    def _on_stop(self) -> None:
        work = self._work_of(self.list.current)
        if work is not None:
            work.stop()

    def _on_renamed(self, name: str) -> None:
        record = self.current
        if record is not None:
            call = RenameAdapter(adapter=record.name, name=name)
            self._bridge.call(call, lambda renamed: self.open_target(renamed.name), self._on_not_renamed, self)

    def _on_not_renamed(self, error: Exception) -> None:
        self.details.take_name_back()
        self._complain(error)

    def _on_delete(self) -> None:
        record = self.current
        if record is not None:
            self.list.view.setFocus()  # the buttons that had the keyboard go

            def removed(left: Adapters) -> None:
                self._bridge.home.listing(ListAdapters()).put(left)
                offer_undo(self._bridge, self._shell, record.name, record.name, self)

            self._bridge.call(RemoveAdapter(adapter=record.name), removed, self._complain, self)

    def _complain(self, error: Exception) -> None:
        self._to_top()
        self.details.message.show_message(in_words(error), "danger")

    def _on_build(self) -> None:
        from ui.components.set_builder.dialog import SetBuilder

        dialog = SetBuilder(self._bridge, self)
        dialog.built.connect(lambda name: self._shell.open_page("train", data=name))
        dialog.open()

    # -- exporting -----------------------------------------------------------------------------------

    def _on_export(self, form: str) -> None:
        folder = QFileDialog.getExistingDirectory(self, texts.CHOOSE_EXPORT_FOLDER)
        if folder:
            self.export_to(folder, msgspec.convert(form, ExportForm))

    def export_to(self, folder: str, form: Literal["peft", "gguf", "merged"]) -> None:
        """Write the shown adapter into a new folder below ``folder``: a run, which continues without this page."""
        record = self.current
        if record is None:
            return
        call = ExportAdapter(adapter=record.name, path=str(_new_folder(Path(folder), record.name, form)), form=form)
        self._bridge.call(call, self._runs.follow, self._complain, self)


def _new_folder(parent: Path, name: str, form: str) -> Path:
    """A folder that is not there yet: ``my-notes-gguf``, ``my-notes-gguf-2``."""
    return parent / free_name(f"{name}-{form}", lambda one: (parent / one).exists(), "-")


FAILED_HEADING = texts.STATE_NOT_OFFERED
_RecordRole = Qt.ItemDataRole.UserRole + 1
_ROW, _HEADING = 52, 32
_PADDING = tokens.SPACE_3


class AdapterList(QFrame):
    """``chosen`` sends the name of the current adapter when it changes, by the person or the program."""

    chosen = Signal(str)
    delete_pressed = Signal()
    rename_pressed = Signal()

    def __init__(self) -> None:
        super().__init__()
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
