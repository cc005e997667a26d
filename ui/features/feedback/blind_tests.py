"""The page of blind tests: whether the answers of one recipe are preferred to those of another, with the interval."""

from __future__ import annotations

from functools import partial

from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QStackedWidget, QWidget

from ui.bridge import Bridge
from ui.components.basics import Card, Chip, PlainButton, PrimaryButton, Text
from ui.components.interval_bar import IntervalBar
from ui.components.layout import ScrolledColumn, column_of, empty_layout, row_of
from ui.components.notices import EmptyState
from ui.components.wording import in_words
from ui.features import ShellActions
from ui.features.feedback import texts
from ui.features.feedback.judge_dialog import JudgeDialog
from ui.features.feedback.judging_news import JudgingNews
from ui.features.feedback.queue_dialog import NewQueue
from ui.theme import tokens
from workbench.base.catalogue import translated
from workbench.records.judgements import LabellingQueue
from workbench.records.judging import WinRate
from workbench.subjects.judgements.calls import GetWinRate, ListQueues, QueueList
from workbench.subjects.runs.calls import RunRecord

MOST = 20


class BlindTestsPage(QWidget):
    """See ``ui.features`` for what the frame asks of a page. Pairs are judged on the page of preferences."""

    name, title, icon = "blind-tests", texts.BLIND_TESTS, "eye"

    def __init__(self, bridge: Bridge, shell: ShellActions) -> None:
        super().__init__()
        self._bridge = bridge
        self._shell = shell
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
        self._judging = JudgingNews(bridge, shell, self)
        self._judging.find()

    def open_target(self, adapter: str = "") -> None:
        """Begin the blind test of an adapter, by its name."""
        if adapter:
            self.begin(adapter)

    def begin(self, adapter: str = "") -> NewQueue:
        """Ask for a new test; with an adapter that of its base model against it."""
        dialog = NewQueue(self._bridge, self, "verdict", adapter)
        dialog.started.connect(self._on_started)
        dialog.open()
        return dialog

    def let_judge(self, queue: LabellingQueue) -> JudgeDialog:
        """Ask for a judge of the pairs that wait."""
        dialog = JudgeDialog(self._bridge, queue, self)
        dialog.open()
        return dialog

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._old:
            self._show()

    def _on_started(self, run: RunRecord) -> None:
        self._bridge.home.runs.put_run(run)
        self._bridge.home.listing(ListQueues()).refresh()
        self._shell.open_page("feedback", queue_run=run)

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
                judge = partial(self._shell.open_page, "feedback", queue=queue.id)
                card.judge_button.clicked.connect(lambda _=False, judge=judge: judge())
                card.let_button.clicked.connect(lambda _=False, queue=queue: self.let_judge(queue))
                self._cards.addWidget(card)
        for queue in self._queues:
            card = self.cards[queue.id]
            card.show_queue(queue)
            self._bridge.call(GetWinRate(queue=queue.id), card.show_rate, card.show_problem, card)


class VerdictCard(Card):
    """One test: who against whom, how often the second won, and how many pairs wait."""

    def __init__(self) -> None:
        super().__init__(margin=tokens.SPACE_4)
        self._queue: LabellingQueue | None = None
        self.title = Text("", "heading", wordWrap=True)
        self.state = Chip("")
        self.judge_button = PlainButton(texts.JUDGE_PAIRS, "thumb-up", small=True)
        self.let_button = PlainButton(texts.LET_JUDGE, "evaluate", small=True)
        self.sentence = Text("", "strong")
        self.bar = IntervalBar(texts.WIN_RATE)
        self.figures = Text("", "small")
        self.body.addLayout(row_of(None, (self.title, 1), self.state, gap=tokens.SPACE_2))
        for part in (self.sentence, self.bar, self.figures):
            self.body.addWidget(part)
        self.body.addLayout(row_of(None, self.judge_button, self.let_button, None, gap=tokens.SPACE_2))

    def show_queue(self, queue: LabellingQueue) -> None:
        self._queue = queue
        self.title.setText(queue.name)
        self.state.setText(texts.LABEL_PROGRESS.format(judged=queue.judged, waiting=queue.waiting))
        for button in (self.judge_button, self.let_button):
            button.setVisible(queue.waiting > 0)

    def show_rate(self, found: WinRate) -> None:
        """The result as it is now."""
        self.sentence.setText(translated(found.verdict))
        for part in (self.bar, self.figures):
            part.setVisible(bool(found.n))
        rate = found.rate
        tone = "muted" if not rate.is_shown else "success" if rate.value > 0.5 else "danger"
        self.bar.show_interval((rate.low, rate.value, rate.high), tone, texts.describe_share(rate))
        self.figures.setText(describe_rate(found))

    def show_problem(self, error: Exception) -> None:
        self.sentence.setText(in_words(error))
        for part in (self.bar, self.figures):
            part.hide()


def describe_rate(found: WinRate) -> str:
    """What a win rate was counted from, a line each: the wins, the rate at equal lengths, and who judged."""
    said = [
        texts.TEST_FIGURES.format(
            first=found.first, second=found.second, won=found.won, lost=found.lost, tied=found.tied + found.both_bad
        )
    ]
    if found.n:
        words = texts.describe_share(found.controlled)
        first, second = found.characters_first.value, found.characters_second.value
        said.append(texts.LENGTH_CONTROLLED.format(share=words, first=first, second=second))
    if found.judges:
        names = ", ".join(f"{texts.JUDGES.get(name, name)} ({count:,})" for name, count in found.judges.items())
        said.append(texts.JUDGED_BY.format(names=names))
    return "\n".join(said)
