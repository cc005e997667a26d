"""The question sets at the left of their page, each with its evaluations below it."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QTreeWidget, QTreeWidgetItem

from ui.bridge import Bridge
from ui.components.basics import PlainButton, PrimaryButton
from ui.components.layout import column_of
from ui.components.questions_from_documents import FromDocuments
from ui.features.evaluation import texts
from ui.features.evaluation.sample_button import SampleButton
from ui.theme import tokens
from workbench.records.evaluation import Evaluation, QuestionSet

_KindRole, _IdRole = Qt.ItemDataRole.UserRole + 1, Qt.ItemDataRole.UserRole + 2
SET, EVALUATION = "set", "evaluation"


class SideList(QFrame):
    """``chosen`` sends what is shown, ``set`` or ``evaluation``, and its id."""

    chosen = Signal(str, str)
    delete_pressed = Signal()

    def __init__(self, bridge: Bridge) -> None:
        super().__init__()
        self.setProperty("role", "panel")
        self.setMinimumWidth(200)
        self._showing = False
        self.tree = _Tree()
        self.tree.currentItemChanged.connect(self._on_current)
        self.tree.delete_pressed.connect(self.delete_pressed)
        self.new_button = PrimaryButton(texts.NEW_EVALUATION, "plus")
        self.import_button = PlainButton(texts.IMPORT, "upload")
        self.from_documents, self.samples = FromDocuments(bridge), SampleButton(bridge)
        buttons = column_of(
            None, self.new_button, self.import_button, self.from_documents, self.samples, gap=tokens.SPACE_2
        )
        buttons.setContentsMargins(tokens.SPACE_2, tokens.SPACE_2, tokens.SPACE_2, tokens.SPACE_2)
        column_of(
            self, (self.tree, 1), buttons, margins=(tokens.SPACE_2, tokens.SPACE_3, tokens.SPACE_2, tokens.SPACE_2)
        )

    @property
    def current(self) -> tuple[str, str]:
        item = self.tree.currentItem()
        return (item.data(0, _KindRole), item.data(0, _IdRole)) if item is not None else ("", "")

    def show_all(self, sets: Sequence[QuestionSet], evaluations: Sequence[Evaluation]) -> None:
        """Show them, the latest first. What is current stays so; at first it is the latest evaluation."""
        before = self.current
        known = {found.id for found in sets}
        gone = {e.question_set: e.set_name or texts.SET_GONE for e in evaluations if e.question_set not in known}
        self._showing = True
        self.tree.clear()
        for identity, name in [*((found.id, found.name) for found in sets), *gone.items()]:
            mine = [evaluation for evaluation in evaluations if evaluation.question_set == identity]
            item = _item(name, SET, identity)
            for evaluation in mine:
                said = texts.describe_evaluation(evaluation)
                moment = texts.describe_moment(evaluation.created)
                inner = _item(f"{moment}  {said}", EVALUATION, evaluation.id)
                inner.setToolTip(0, f"{said}\n{moment}")
                item.addChild(inner)
            self.tree.addTopLevelItem(item)
        self.tree.expandAll()
        self._showing = False
        latest = max(evaluations, key=lambda one: one.created, default=None)
        if not self.choose(*before) and not (latest is not None and self.choose(EVALUATION, latest.id)):
            self.tree.setCurrentIndex(self.tree.model().index(0, 0))

    def choose(self, kind: str, identity: str) -> bool:
        """Make it current; False where it is not there."""
        for top in range(self.tree.topLevelItemCount()):
            item = self.tree.topLevelItem(top)
            for one in [item, *(item.child(place) for place in range(item.childCount()))] if item is not None else ():
                if one is not None and (one.data(0, _KindRole), one.data(0, _IdRole)) == (kind, identity):
                    self.tree.setCurrentItem(one)
                    return True
        return False

    def _on_current(self, item: QTreeWidgetItem | None) -> None:
        if not self._showing and item is not None:
            self.chosen.emit(*self.current)


class _Tree(QTreeWidget):
    delete_pressed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setHeaderHidden(True)
        self.setAccessibleName(texts.SETS)
        self.setIndentation(tokens.SPACE_3)
        self.setRootIsDecorated(False)
        self.setItemsExpandable(False)
        self.setUniformRowHeights(True)
        self.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Delete:
            self.delete_pressed.emit()
        else:
            super().keyPressEvent(event)


def _item(title: str, kind: str, identity: str) -> QTreeWidgetItem:
    item = QTreeWidgetItem([title])
    item.setData(0, _KindRole, kind)
    item.setData(0, _IdRole, identity)
    item.setToolTip(0, title)
    if kind == SET:
        font = item.font(0)
        font.setWeight(font.Weight.DemiBold)
        item.setFont(0, font)
    return item
