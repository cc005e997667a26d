"""The conversation: the shown branch of a chat, from its end backwards.

Only what can be seen, and a little more, is laid out: earlier messages come as the reader scrolls up to them, so a chat
of thousands opens at once. The view follows the end while the reader is at the end, and stays put otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec
import shiboken6
from PySide6.QtCore import QPoint, Qt, QTimer, Signal
from PySide6.QtWidgets import QScrollArea, QSizePolicy, QWidget

from ui.components.basics import QuietButton
from ui.components.layout import Centred, column_of, row_of
from ui.features.chat import texts
from ui.features.chat.conversation.answer_view import WIDE, AnswerView
from ui.features.chat.conversation.question_view import QuestionView
from ui.theme import tokens
from workbench.records.answers import StoredMessage
from workbench.records.methods import Methods

MessageView = AnswerView | QuestionView
_FIRST = 8
_MORE = 6
_LAID_OUT_MS = 150
_NEARLY = 72  # px: what may still be laid out below an answer
_AT_END = 24  # px: a reader this near to the end reads the end


@dataclass(frozen=True)
class Shown:
    """A message and the ids of its siblings. ``about``: what a question was asked of alone, in words."""

    message: StoredMessage
    siblings: tuple[str, ...] = ()
    about: str = ""


class Conversation(QScrollArea):
    """A column of messages. Give it the whole branch; it lays out what is needed."""

    source_wanted = Signal(object)
    side_by_side_wanted = Signal(object)
    """Two citations whose documents are to be shown side by side."""
    passages_wanted = Signal(str)
    again_wanted = Signal(str)
    edited = Signal(str, str)
    sibling_wanted = Signal(str)
    link_clicked = Signal(str)
    keep_wanted = Signal(str, int)
    inspection_wanted = Signal(object, int)
    """An AnswerView wants to know the tokens of one of its sequences."""
    trace_wanted = Signal(object)
    """The steps of an answer are to be loaded: its AnswerView."""
    inspection_left = Signal(object)
    """An AnswerView does not want to know any more."""
    branch_wanted = Signal(str, object)
    """Go on from another token of an answer: the message and a BranchPoint."""
    edit_wanted = Signal(str, object)
    demonstration_wanted = Signal(object, bool)
    """The view of an answer whose program is saved as a demonstration, or removed (False)."""
    """Go on from a changed step of an answer: the message and a StepEdit."""

    rated = Signal(str, int)
    rewritten = Signal(str, str)
    compare_wanted = Signal(str, bool)
    pair_kept = Signal(str)
    another_wanted = Signal(str, str)
    road_wanted = Signal(str, str)
    collection_wanted = Signal(str, str)
    task_wanted = Signal(object)
    map_wanted = Signal(str)
    export_wanted = Signal()
    print_wanted = Signal()
    decided = Signal(str, object)
    answer_made = Signal(object)
    """An AnswerView was made, of whichever answer."""

    answer_laid_out = Signal(object)
    """An AnswerView was made for a message that is being answered: it wants to be fed."""

    def __init__(self) -> None:
        super().__init__()
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
        self._methods: Methods[Any] = Methods()
        self._collections: tuple[str, ...] = ()
        self.setAccessibleName(texts.CONVERSATION)
        self._shown: list[Shown] = []
        self._views: dict[str, MessageView] = {}
        self._places: dict[MessageView, QWidget] = {}
        self._first = 0  # index of the first message that is laid out
        self._following = True
        self._from_end: int | None = None
        inner = QWidget()
        inner.setProperty("role", "page")
        row = row_of(inner, gap=0, margins=(tokens.SPACE_5, tokens.SPACE_4, tokens.SPACE_4, tokens.SPACE_4))
        holder = QWidget()
        holder.setMaximumWidth(WIDE)  # messages keep to the width of reading; columns and trees may be wider
        holder.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self._column = column_of(holder, None, gap=tokens.SPACE_2)
        row.addStretch(1)
        row.addWidget(holder, 1000)
        row.addStretch(1)
        self.setWidget(inner)
        self.to_end_button = QuietButton(texts.TO_END, "chevron-down", small=True, clicked=self.follow_end)
        policy = self.to_end_button.sizePolicy()
        policy.setRetainSizeWhenHidden(True)  # the page lays it out beside its other parts: nothing moves
        self.to_end_button.setSizePolicy(policy)
        self.to_end_button.hide()
        self._settle = QTimer(self, singleShot=True, interval=200, timeout=self._on_settled)
        bar = self.verticalScrollBar()
        bar.valueChanged.connect(self._on_scrolled)
        bar.rangeChanged.connect(self._on_range_changed)
        self._show_bar(False)

    @property
    def following(self) -> bool:
        """Whether the reader is at the end, so that the view goes with it."""
        return self._following

    @property
    def views(self) -> list[MessageView]:
        """The messages that are laid out, in their order."""
        return [self._views[shown.message.id] for shown in self._shown[self._first :]]

    def set_methods(self, methods: Methods[Any]) -> None:
        """The decoding strategies that there are: answers of a beam search offer its tree."""
        self._methods = methods
        for view in self._views.values():
            if isinstance(view, AnswerView):
                view.set_methods(methods)

    def set_collections(self, names: tuple[str, ...]) -> None:
        """The collections that can be asked."""
        self._collections = names
        for view in self._views.values():
            if isinstance(view, AnswerView):
                view.set_collections(names)

    def show_branch(self, branch: Sequence[Shown], keep_place: bool = False) -> None:
        """Show a branch. What it has in common with what is shown from its beginning stays as it is.

        Without ``keep_place`` the view goes to the end.
        """
        common = 0
        completed = ""
        for old, new in zip(self._shown, branch, strict=False):
            if old.message.id != new.message.id:
                break
            common += 1
            if old.message.state == "streaming" != new.message.state:
                completed = new.message.id
        if common <= self._first:
            self._clear()
            self._shown = list(branch)
            self._first = max(0, len(branch) - _FIRST)
            start = self._first
        else:
            for gone in self._shown[common:]:
                self._remove(gone.message.id)
            resumed = []
            for old, shown in zip(self._shown[self._first : common], branch[self._first : common], strict=True):
                view = self._views[shown.message.id]
                view.show_message(shown.message, shown.siblings)
                if isinstance(view, QuestionView):
                    view.show_about(shown.about)
                if old.message.state == "waiting" and shown.message.state == "streaming":
                    resumed.append(view)
            self._shown = list(branch)
            for view in resumed:
                self.answer_laid_out.emit(view)
            start = common
        for shown in self._shown[start:]:
            self._column.insertWidget(self._column.count() - 1, self._place(self._make(shown)))
        self._tell_followed()
        if not keep_place:
            self.follow_end()
            if completed in self._views:
                for wait in (0, _LAID_OUT_MS):  # the second time it has its whole height
                    QTimer.singleShot(wait, self, lambda: self._show_beginning(completed))

    def _show_beginning(self, message: str) -> None:
        """Bring an answer that is about as high as the view, or higher, into sight from its beginning, where
        its end is not what is read: answers beside each other end with the longest, below an agent's are its steps."""
        view = self._views.get(message)
        if not self._following:
            return
        if isinstance(view, AnswerView) and view.begins_above and view.height() > self.viewport().height() - _NEARLY:
            bar, top = self.verticalScrollBar(), view.mapTo(self.viewport(), QPoint(0, 0)).y()
            bar.setValue(bar.value() + top - tokens.SPACE_4)

    def rename(self, old: str, new: str) -> None:
        """A message that was shown before it was stored has its id now."""
        if old not in self._views:
            return
        view = self._views.pop(old)
        view.message_id = new
        self._views[new] = view
        for number, shown in enumerate(self._shown):
            if shown.message.id == old:
                message = msgspec.structs.replace(shown.message, id=new)
                self._shown[number] = replace(shown, message=message)

    def follow_end(self) -> None:
        """Go to the end and stay there."""
        self._following = True
        self._from_end = None
        self.to_end_button.hide()
        self.verticalScrollBar().setValue(self.verticalScrollBar().maximum())

    # -- laying out ----------------------------------------------------------------------------------

    def _make(self, shown: Shown) -> MessageView:
        message = shown.message
        view: MessageView
        if message.role == "user":
            view = QuestionView(message)
            view.show_about(shown.about)
            view.edited.connect(self.edited)
        else:
            view = AnswerView(message, self._methods)
            view.source_wanted.connect(self.source_wanted)
            view.side_by_side_wanted.connect(self.side_by_side_wanted)
            view.passages_wanted.connect(self.passages_wanted)
            view.again_wanted.connect(self.again_wanted)
            view.link_clicked.connect(self.link_clicked)
            view.keep_wanted.connect(self.keep_wanted)
            view.rated.connect(self.rated)
            view.rewritten.connect(self.rewritten)
            view.compare_wanted.connect(self.compare_wanted)
            view.pair_kept.connect(self.pair_kept)
            view.another_wanted.connect(self.another_wanted)
            view.road_wanted.connect(self.road_wanted)
            view.collection_wanted.connect(self.collection_wanted)
            view.task_wanted.connect(self.task_wanted)
            view.set_collections(self._collections)
            view.map_wanted.connect(self.map_wanted)
            view.export_wanted.connect(self.export_wanted)
            view.print_wanted.connect(self.print_wanted)
            view.decided.connect(self.decided)
            looked = view.inspection
            looked.wanted.connect(lambda sequence: self.inspection_wanted.emit(view, sequence))
            looked.trace_wanted.connect(lambda: self.trace_wanted.emit(view))
            looked.stop_wanted.connect(lambda: self.inspection_left.emit(view))
            looked.edit_wanted.connect(lambda edit: self.edit_wanted.emit(view.message_id, edit))
            looked.demonstration_wanted.connect(lambda saved: self.demonstration_wanted.emit(view, saved))
            looked.branch_wanted.connect(lambda point: self.branch_wanted.emit(view.message_id, point))
        view.sibling_wanted.connect(self.sibling_wanted)
        view.editing.connect(self._on_editing)
        if shown.siblings:
            view.siblings.show_siblings(shown.siblings, message.id)
        self._views[message.id] = view
        if isinstance(view, AnswerView):
            if message.state == "streaming":
                self.answer_laid_out.emit(view)
            self.answer_made.emit(view)
        return view

    def _place(self, view: MessageView) -> QWidget:
        """What stands in the column for a view: an answer knows by itself which of its parts may be wide."""
        self._places[view] = Centred(view) if isinstance(view, QuestionView) else view
        return self._places[view]

    def _tell_followed(self) -> None:
        """The answers that the conversation went on from show only what was kept."""
        for shown in self._shown[self._first :]:
            view = self._views[shown.message.id]
            if isinstance(view, AnswerView):
                view.set_followed(shown is not self._shown[-1])

    def _clear(self) -> None:
        for message in list(self._views):
            self._remove(message)
        self._first = 0

    def _remove(self, message: str) -> None:
        view = self._views.pop(message, None)
        if isinstance(view, AnswerView):
            self.inspection_left.emit(view)
        if view is not None:
            place = self._places.pop(view)
            self._column.removeWidget(place)
            place.hide()
            place.deleteLater()

    def _lay_out_earlier(self) -> None:
        """Put some earlier messages above, without moving what is being read."""
        bar = self.verticalScrollBar()
        self._from_end = bar.maximum() - bar.value()
        begin = max(0, self._first - _MORE)
        for shown in reversed(self._shown[begin : self._first]):
            self._column.insertWidget(0, self._place(self._make(shown)))
        self._first = begin
        self._tell_followed()
        self._settle.start()

    # -- scrolling -----------------------------------------------------------------------------------

    def _on_scrolled(self, value: int) -> None:
        bar = self.verticalScrollBar()
        if self._from_end is not None:
            return
        self._following = value >= bar.maximum() - _AT_END
        self.to_end_button.setVisible(not self._following)
        if self._first and value < self.viewport().height() // 2:
            self._lay_out_earlier()

    def _on_range_changed(self, minimum: int, maximum: int) -> None:
        bar = self.verticalScrollBar()
        self._show_bar(maximum > minimum)
        if self._following and self._from_end is None:
            bar.setValue(maximum)
        elif self._from_end is not None:
            bar.setValue(maximum - self._from_end)
        if self._first and maximum <= self.viewport().height() // 2 and self._from_end is None:
            self._lay_out_earlier()

    def _show_bar(self, needed: bool) -> None:
        """The bar keeps its place when there is nothing to scroll, so that the text does not move; its handle goes."""
        rule = "" if needed else "QScrollBar::handle { background: transparent; }"
        if self.verticalScrollBar().styleSheet() != rule:
            self.verticalScrollBar().setStyleSheet(rule)

    def _on_editing(self, editor: QWidget) -> None:
        """Bring an editor into sight that was opened in the place of a text, and keep it there."""
        self._following = False

        def reveal() -> None:
            if shiboken6.isValid(editor):
                self.ensureWidgetVisible(editor, 0, tokens.SPACE_4)

        QTimer.singleShot(0, self, reveal)

    def _on_settled(self) -> None:
        self._from_end = None
        self._on_scrolled(self.verticalScrollBar().value())

    def wheelEvent(self, event: object) -> None:
        self._from_end = None
        super().wheelEvent(event)  # type: ignore[arg-type]
