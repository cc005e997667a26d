"""The page of training data: the data sets of the home folder, and how a new one is built."""

from __future__ import annotations

import time
from functools import partial

from PySide6.QtWidgets import QStackedWidget, QWidget

from ui.bridge import Bridge
from ui.components.basics import Card, ElidedLabel, InlineMessage, PlainButton, QuietButton, Text
from ui.components.layout import ScrolledColumn, column_of, row_of
from ui.components.notices import ConfirmRow, EmptyState
from ui.components.wording import describe_bytes, describe_count, in_words
from ui.features import ShellActions
from ui.features.training import texts
from ui.theme import tokens
from workbench.records.training import DataSet, DataSetList
from workbench.subjects.datasets.calls import ListDataSets, RemoveDataSet


class DataPage(QWidget):
    """See ``ui.features`` for what the frame asks of a page."""

    name, title, icon = "data", texts.DATA, "table"

    def __init__(self, bridge: Bridge, shell: ShellActions) -> None:
        super().__init__()
        self._bridge = bridge
        self._shell = shell
        self.cards: dict[str, DataCard] = {}
        self._list = column_of(gap=tokens.SPACE_3)
        area = ScrolledColumn(tokens.SPACE_3)
        area.column.addWidget(Text(texts.DATA_HELP, "muted"))
        area.column.addLayout(self._list)
        self.empty = EmptyState("table", texts.NO_DATA, texts.NO_DATA_HELP, texts.BUILD_SET)
        assert self.empty.button is not None
        self.empty.button.clicked.connect(self.begin_build)
        self._stack = QStackedWidget()
        for view in (area, self.empty):
            self._stack.addWidget(view)
        column_of(self, self._stack)
        bridge.home.listing(ListDataSets()).follow(self._on_sets)

    def header(self) -> QWidget:
        """The button that stands beside the page's title."""
        self.build_button = PlainButton(texts.BUILD_SET, "plus", clicked=self.begin_build)
        return self.build_button

    def begin_build(self) -> None:
        """Ask for a data set that is to be built; it is trained on where the person accepts it."""
        from ui.components.set_builder.dialog import SetBuilder

        dialog = SetBuilder(self._bridge, self)
        dialog.built.connect(self._on_train)
        dialog.open()

    def _on_sets(self, found: DataSetList) -> None:
        known = {one.name: one for one in found.sets}
        for gone in set(self.cards) - set(known):
            self.cards.pop(gone).deleteLater()
        for place, (name, one) in enumerate(known.items()):
            if name not in self.cards:
                card = self.cards[name] = DataCard()
                card.train_button.clicked.connect(partial(self._on_train, name))
                card.confirm.confirmed.connect(partial(self._on_remove, name))
            self.cards[name].show_set(one)
            self._list.insertWidget(place, self.cards[name])
        self._stack.setCurrentIndex(0 if known else 1)

    def _on_train(self, name: str, checked: bool = False) -> None:
        self._shell.open_page("train", data=name)

    def _on_remove(self, name: str) -> None:
        card = self.cards[name]

        def removed(left: DataSetList) -> None:
            self._bridge.home.listing(ListDataSets()).put(left)
            self._shell.show_message(texts.SET_REMOVED.format(name=name), "info")

        self._bridge.call(RemoveDataSet(name=name), removed, card.show_problem, card)


class DataCard(Card):
    """One data set: how many examples, what they were built from, and what can be done with them."""

    def __init__(self) -> None:
        super().__init__()
        self._name = ElidedLabel("", "heading")
        self.facts = Text("", "body")
        self.origin = Text("", "small")
        self.message = InlineMessage()
        self.train_button = PlainButton(texts.TRAIN_ON, "train", small=True)
        self.delete_button = QuietButton(texts.DELETE_SET, "trash", small=True)
        self.confirm = ConfirmRow(self.delete_button, tokens.SPACE_1)
        self.delete_button.clicked.connect(self.confirm.ask)
        for part in (self._name, self.facts, self.origin, self.message):
            self.body.addWidget(part)
        self.body.addLayout(row_of(None, self.train_button, None, self.delete_button, gap=tokens.SPACE_2))
        self.body.addWidget(self.confirm)

    def show_set(self, one: DataSet) -> None:
        self.setAccessibleName(one.name)
        self._name.set_full_text(one.name)
        count = describe_count(one.examples, "example")
        date = time.strftime("%Y-%m-%d", time.localtime(one.created))
        self.facts.setText(texts.DATA_FACTS.format(count=count, size=describe_bytes(one.bytes), date=date))
        self.origin.setText(one.unreadable or one.origin)
        self.origin.setVisible(bool(self.origin.text()))
        for button in (self.train_button, self.delete_button):
            button.setAccessibleName(f"{button.text()}: {one.name}")
        self.confirm.set_question(texts.ASK_REMOVE_SET.format(name=one.name, count=count), texts.DELETE)

    def show_problem(self, error: Exception) -> None:
        self.message.show_message(in_words(error), "danger")
