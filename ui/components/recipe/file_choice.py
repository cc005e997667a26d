"""Ticks the files of a recipe's collections that answers are to be based on."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QListWidget, QListWidgetItem, QWidget

from ui.bridge import Bridge
from ui.components.basics import InlineMessage, LinkButton, Text
from ui.components.dialog import Dialog
from ui.components.layout import row_of
from ui.components.lists import SearchField
from ui.components.recipe import texts
from ui.theme import tokens
from workbench.base.finding import holds
from workbench.records.documents import DocumentList
from workbench.records.visible import visible_name
from workbench.subjects.documents.calls import ListDocuments

_PATH = Qt.ItemDataRole.UserRole
_HEIGHT = 320


class FileChoice(Dialog):
    """``chosen`` sends the paths of the ticked files; none where all are ticked or none is."""

    chosen = Signal(object)

    def __init__(
        self, bridge: Bridge, collections: Sequence[str], files: Sequence[str], parent: QWidget | None = None
    ) -> None:
        super().__init__(texts.SOME_FILES_TITLE, texts.SOME_FILES_HELP, texts.USE_FILES, parent, 520)
        self._wanted = set(files)
        self._waiting = len(collections)
        self.search = SearchField(texts.FILTER_FILES, searched=lambda _: self._filter())
        self.search.textChanged.connect(lambda _: self._filter())
        self.all_button = LinkButton(texts.TICK_ALL, clicked=lambda: self._tick(True))
        self.none_button = LinkButton(texts.TICK_NONE, clicked=lambda: self._tick(False))
        self.list = QListWidget(accessibleName=texts.SOME_FILES_TITLE)
        self.list.setMinimumHeight(_HEIGHT)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.itemChanged.connect(lambda _: self._show_count())
        self.count = Text("", "small")
        self.problem = InlineMessage()
        self.inside.addWidget(self.search)
        self.inside.addWidget(self.list, 1)
        links = row_of(None, self.count, None, self.all_button, self.none_button, gap=tokens.SPACE_3)
        self.inside.addLayout(links)
        self.below.addWidget(self.problem)
        self.go.clicked.connect(self._on_go)
        self.resize(560, 560)
        self._show_count()
        for name in collections:
            bridge.call(ListDocuments(collection=name), self._on_documents, self._on_refused, self)

    @property
    def ticked(self) -> tuple[str, ...]:
        items = (self.list.item(row) for row in range(self.list.count()))
        return tuple(str(item.data(_PATH)) for item in items if item.checkState() == Qt.CheckState.Checked)

    def _on_documents(self, found: DocumentList) -> None:
        self._waiting -= 1
        self.list.blockSignals(True)
        for document in found.documents:
            if document.state == "failed":
                continue
            item = QListWidgetItem(visible_name(document.path))
            item.setData(_PATH, document.path)
            item.setToolTip(document.path)
            item.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsUserCheckable)
            ticked = document.path in self._wanted
            item.setCheckState(Qt.CheckState.Checked if ticked else Qt.CheckState.Unchecked)
            self.list.addItem(item)
        self.list.sortItems()
        self.list.blockSignals(False)
        self._filter()

    def _on_refused(self, error: Exception) -> None:
        self._waiting -= 1
        self.problem.show_message(str(error), "danger")
        self._show_count()

    @property
    def _shown(self) -> list[QListWidgetItem]:
        """The files that the filter leaves."""
        items = (self.list.item(row) for row in range(self.list.count()))
        return [item for item in items if not item.isHidden()]

    def _filter(self) -> None:
        for row in range(self.list.count()):
            item = self.list.item(row)
            item.setHidden(not holds(self.search.text(), str(item.data(_PATH))))
        self._show_count()

    def _tick(self, ticked: bool) -> None:
        for item in self._shown:
            item.setCheckState(Qt.CheckState.Checked if ticked else Qt.CheckState.Unchecked)

    def _show_count(self) -> None:
        states = {item.checkState() for item in self._shown}
        self.all_button.setEnabled(Qt.CheckState.Unchecked in states)
        self.none_button.setEnabled(Qt.CheckState.Checked in states)
        ticked, there = len(self.ticked), self.list.count()
        listing = texts.LISTING_FILES if self._waiting else ""
        some = 0 < ticked < there
        self.count.setText(
            listing or (texts.FILES_TICKED.format(ticked=ticked, count=there) if some else texts.ALL_FILES)
        )
        self.go.setEnabled(not self._waiting and bool(there))

    def _on_go(self) -> None:
        ticked = self.ticked
        self.chosen.emit(ticked if len(ticked) < self.list.count() else ())
        self.accept()
