"""Blind tests: whether the answers of one recipe are preferred to those of another, with the interval."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QStackedWidget, QWidget

from ui.bridge import Bridge
from ui.components.basics import Card, Chip, PlainButton, PrimaryButton, Text
from ui.components.interval_bar import IntervalBar
from ui.components.layout import ScrolledColumn, column_of, empty_layout, row_of
from ui.components.notices import EmptyState
from ui.features.feedback import texts
from ui.features.feedback.queue_dialog import NewQueue
from ui.theme import tokens
from workbench.api.calls import GetJudgementStatistics, ListQueues, QueueList, RunRecord
from workbench.records.judgement_reports import ColumnShare, JudgementStatistics
from workbench.records.judgements import JudgementFilter, LabellingQueue

MOST = 20


class VerdictPanel(QWidget):
    """``queue_wanted`` sends the id of a test whose pairs are to be judged; ``started`` the run that makes them."""

    queue_wanted = Signal(str)
    started = Signal(object)

    def __init__(self, bridge: Bridge) -> None:
        super().__init__()
        self._bridge = bridge
        self._queues: tuple[LabellingQueue, ...] = ()
        self._old = True
        self.cards: dict[str, VerdictCard] = {}
        self.new_button = PrimaryButton(texts.NEW_TEST, "plus", small=True)
        self.new_button.clicked.connect(lambda: self.begin())
        self.empty = EmptyState("evaluate", texts.NO_TEST_TITLE, texts.NO_TEST_HELP, texts.NEW_TEST)
        if self.empty.button is not None:
            self.empty.button.clicked.connect(lambda: self.begin())
        self._cards = column_of(None, gap=tokens.SPACE_3)
        area = ScrolledColumn(tokens.SPACE_4)
        area.column.addLayout(row_of(None, (Text(texts.TEST_HELP, "muted"), 1), self.new_button, gap=tokens.SPACE_3))
        area.column.addLayout(self._cards)
        area.column.addStretch(1)
        self._views = QStackedWidget()
        for view in (self.empty, area):
            self._views.addWidget(view)
        self._area = area
        column_of(self, self._views)
        bridge.home.listing(ListQueues()).follow(self._on_queues)

    def begin(self, adapter: str = "") -> NewQueue:
        """Ask for a new test; with an adapter that of its base model against it."""
        dialog = NewQueue(self._bridge, self, "verdict", adapter)
        dialog.started.connect(self._on_started)
        dialog.open()
        return dialog

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._old:
            self._show()

    def _on_started(self, run: RunRecord) -> None:
        self._bridge.home.runs.put_run(run)
        self._bridge.home.listing(ListQueues()).refresh()
        self.started.emit(run)

    def _on_queues(self, found: QueueList) -> None:
        self._queues = tuple(one for one in found.queues if one.purpose == "verdict")[:MOST]
        self._old = True
        if self.isVisible():
            self._show()

    def _show(self) -> None:
        self._old = False
        self._views.setCurrentWidget(self._area if self._queues else self.empty)
        if list(self.cards) != [one.id for one in self._queues]:
            empty_layout(self._cards)
            self.cards = {}
            for queue in self._queues:
                card = self.cards[queue.id] = VerdictCard()
                card.judge_button.clicked.connect(lambda _=False, id=queue.id: self.queue_wanted.emit(id))
                self._cards.addWidget(card)
        for queue in self._queues:
            card = self.cards[queue.id]
            card.show_queue(queue)
            which = JudgementFilter(queue=queue.id)
            self._bridge.call(GetJudgementStatistics(which=which), card.show_statistics, owner=card)


class VerdictCard(Card):
    """One test: who against whom, how often the second won, and how many pairs wait."""

    def __init__(self) -> None:
        super().__init__(margin=tokens.SPACE_4)
        self._queue: LabellingQueue | None = None
        self.title = Text("", "heading", wordWrap=True)
        self.state = Chip("")
        self.judge_button = PlainButton(texts.JUDGE_PAIRS, "thumb-up", small=True)
        self.sentence = Text("", "strong")
        self.bar = IntervalBar(texts.WIN_RATE)
        self.figures = Text("", "small")
        self.body.addLayout(row_of(None, (self.title, 1), self.state, self.judge_button, gap=tokens.SPACE_2))
        for part in (self.sentence, self.bar, self.figures):
            self.body.addWidget(part)

    def show_queue(self, queue: LabellingQueue) -> None:
        self._queue = queue
        self.title.setText(queue.name)
        self.state.setText(texts.LABEL_PROGRESS.format(judged=queue.judged, waiting=queue.waiting))
        self.judge_button.setVisible(queue.waiting > 0)

    def show_statistics(self, found: JudgementStatistics) -> None:
        """The result as it is now."""
        queue = self._queue
        second = queue.columns[1] if queue is not None and len(queue.columns) > 1 else ""
        column = next((one for one in found.columns if one.name == second), None)
        self.sentence.setText(describe_result(column))
        judged = column is not None and bool(column.share.n)
        self.bar.setVisible(judged)
        self.figures.setVisible(judged)
        if column is None or not judged:
            return
        share = column.share
        tone = "muted" if not share.is_shown else "success" if share.value > 0.5 else "danger"
        words = texts.describe_share(share)
        self.bar.show_interval((share.low, share.value, share.high), tone, words)
        names = queue.columns if queue is not None else ("", "")
        self.figures.setText(
            texts.TEST_FIGURES.format(
                first=names[0], second=names[1], won=column.won, lost=column.lost, tied=column.tied
            )
        )


def describe_result(column: ColumnShare | None) -> str:
    """The result in a sentence."""
    if column is None or not column.share.n:
        return texts.NOT_TESTED
    words = texts.describe_share(column.share)
    if not column.share.is_shown:
        return texts.NO_DIFFERENCE.format(name=column.name, share=words)
    won = texts.IS_BETTER if column.share.value > 0.5 else texts.IS_WORSE
    return won.format(name=column.name, share=words)
