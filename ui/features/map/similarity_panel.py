"""Embeddings and similarity: the passages of a collection and a question as points, and the scores of the best."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QLineEdit, QStackedWidget, QWidget

from ui.bridge import Bridge, Handle
from ui.components.basics import InlineMessage, PrimaryButton, Text
from ui.components.choice_box import ChoiceBox
from ui.components.layout import MARGINS, ScrolledColumn, column_of, row_of
from ui.components.notices import EmptyState
from ui.components.wording import describe_count, in_words
from ui.features import ShellActions
from ui.features.map import texts
from ui.features.map.scatter import Scatter, describe_point
from ui.features.map.score_bars import ScoreBars
from ui.theme import tokens
from workbench.base.errors import Cancelled
from workbench.records.similarity import PassageMap
from workbench.subjects.documents.calls import CollectionList, ListCollections, ProjectPassages

_WIDE = 900
"""From this width on, in px, the scores are beside the points."""
_BARS = 330
_MOST_WORDS = 200
"""Characters of a passage that are shown."""
_SCATTER, _TEXT = 400, 84
"""The heights of the picture and of the text of a passage, in px, so that nothing moves."""


class SimilarityPanel(QWidget):
    def __init__(self, bridge: Bridge, shell: ShellActions) -> None:
        super().__init__()
        self._bridge, self._shell = bridge, shell
        self._handle: Handle | None = None
        self._wanted = ""  # a collection, by id or name, that is to be shown
        self._asks = False  # once the collection is known
        self._asked_of = ""
        self.collection = ChoiceBox(texts.COLLECTION, characters=18)
        self.question = QLineEdit(placeholderText=texts.ASK_HERE, accessibleName=texts.ASK)
        self.show_button = PrimaryButton(texts.SHOW, small=True)
        self.intro = Text(texts.SIMILARITY_INTRO, "muted")
        self.message = InlineMessage(closable=False)
        self.scatter = Scatter()
        self.scatter.setFixedHeight(_SCATTER)
        self.point = Text("", "body")
        self.point.setFixedHeight(_TEXT)
        self.point.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.drawn = Text("", "small")
        self.bars = ScoreBars()
        self.bars.setMinimumWidth(_BARS)
        self.empty = EmptyState("documents", texts.SIMILARITY, texts.NO_COLLECTION, "")
        self._lay_out()
        self.question.returnPressed.connect(self.ask)
        self.show_button.clicked.connect(self.ask)
        self.scatter.pointed.connect(self._on_pointed)
        self.bars.pointed.connect(self._on_pointed)
        self.scatter.pressed.connect(self._on_pressed)
        self.bars.pressed.connect(self._on_pressed)
        bridge.home.listing(ListCollections()).follow(self._on_collections)

    def begin(self, collection: str = "", question: str = "") -> None:
        """Show a collection, by its id or name, with a question that is compared at once."""
        self._wanted, self._asks = collection, bool(question)
        if question:
            self.question.setText(question)
        known = self._bridge.home.listing(ListCollections()).value
        if known is not None:
            self._on_collections(known)

    def ask(self) -> None:
        """Compare the question with the passages."""
        question = self.question.text().strip()
        if not question or not self.collection.value:
            self.question.setFocus()
            return
        if self._handle is not None:
            self._handle.cancel()
        self._asked_of = self.collection.value
        self.message.show_message(texts.COMPUTING, "info")
        call = ProjectPassages(collection=self._asked_of, query=question)
        self._handle = self._bridge.call(call, self._on_map, self._on_failed, self)

    def _on_map(self, found: PassageMap) -> None:
        self._handle = None
        if not found.points:
            self.message.show_message(texts.NO_POINTS, "attention")
        else:
            self.message.hide()
        self.scatter.show_map(found)
        self.bars.show_map(found)
        self.bars.setVisible(bool(found.best))
        self._result.setVisible(bool(found.points))
        if found.points:
            self.intro.setText(texts.SIMILARITY_HELP.format(dimensions=found.dimensions, shown=found.shown))
            points, passages = f"{len(found.points):,}", describe_count(found.passages, "passage")
            self.drawn.setText(texts.POINTS_SHOWN.format(points=points, passages=passages))
            self._on_pointed(found.best[0].point if found.best else -1)

    def _on_failed(self, error: Exception) -> None:
        self._handle = None
        if not isinstance(error, Cancelled):
            self.message.show_message(in_words(error), "danger")

    def _on_collections(self, found: CollectionList) -> None:
        filled = [one for one in found.collections if one.chunks]
        self.collection.set_choices([(one.name, one.id) for one in filled])
        wanted = next((one.id for one in filled if self._wanted in (one.id, one.name)), "")
        if wanted:
            self.collection.show_value(wanted)
            self._wanted = ""
        self._views.setCurrentIndex(0 if filled else 1)
        if self._asks and filled:
            self._asks = False
            self.ask()

    def _on_pointed(self, number: int) -> None:
        if number < 0:
            return  # what was read last stays
        point = self.scatter.map.points[number]
        words = " ".join(point.text.split())
        words = words if len(words) <= _MOST_WORDS else f"{words[:_MOST_WORDS]}…"
        self.point.setText(f"{describe_point(point)}\n{words}")
        if self.scatter.current != number:
            self.scatter.current = number
            self.scatter.update()

    def _on_pressed(self, number: int) -> None:
        point = self.scatter.map.points[number]
        best = next((one.passage for one in self.scatter.map.best if one.point == number), None)
        start, end = (best.start, best.end) if best is not None else (0, 0)
        self._shell.open_page("documents", collection=self._asked_of, document=point.path, start=start, end=end)

    def _lay_out(self) -> None:
        asking = row_of(None, self.collection, (self.question, 1), self.show_button, gap=tokens.SPACE_2)
        self._result = QWidget()
        self._two = QBoxLayout(QBoxLayout.Direction.LeftToRight, self._result)
        self._two.setContentsMargins(0, 0, 0, 0)
        self._two.setSpacing(tokens.SPACE_4)
        left = QWidget()
        column_of(left, (self.scatter, 1), self.point, self.drawn, gap=tokens.SPACE_2)
        right = QWidget()
        column_of(right, self.bars, None)
        self._two.addWidget(left, 3)
        self._two.addWidget(right, 2)
        self._result.hide()
        page = ScrolledColumn(tokens.SPACE_3, width=1500, margins=MARGINS)
        for part in (asking, self.message, self.intro, self._result):
            page.column.addWidget(part) if isinstance(part, QWidget) else page.column.addLayout(part)
        page.column.addStretch(1)
        self._views = QStackedWidget()
        self._views.addWidget(page)
        self._views.addWidget(self.empty)
        column_of(self, self._views)
        self.message.hide()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        wide = self.width() >= _WIDE
        self._two.setDirection(QBoxLayout.Direction.LeftToRight if wide else QBoxLayout.Direction.TopToBottom)
