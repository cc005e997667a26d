"""Comparing answers in a row: the sets of pairs at the left, and the pair to be judged at the right."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QFrame, QListWidget, QListWidgetItem, QSplitter, QStackedWidget, QWidget

from ui.bridge import Bridge
from ui.components.basics import ElidedLabel, InlineMessage, PrimaryButton, ProgressLine, QuietButton, Text
from ui.components.layout import Centred, column_of, row_of
from ui.components.notices import ConfirmRow, EmptyState
from ui.components.run_follower import ACTIVE, RunFollower, RunFollowers
from ui.components.wording import describe_count, how_far, in_words, stage_of
from ui.features import ShellActions
from ui.features.feedback import texts
from ui.features.feedback.judge_dialog import JudgeDialog
from ui.features.feedback.pair_view import PairView
from ui.features.feedback.queue_dialog import NewQueue
from ui.theme import tokens
from workbench.api import events
from workbench.api.protocol import error_of
from workbench.base.errors import UserError
from workbench.records.judgement_reports import JudgementStatistics, UndoneAction
from workbench.records.judgements import Judgement, JudgementFilter, LabellingQueue
from workbench.subjects.judgements.calls import (
    ChangeJudgement,
    GetJudgementStatistics,
    GetNextPair,
    ListQueues,
    NextPair,
    QueueList,
    RemoveQueue,
    SkipPair,
    UndoJudgement,
)
from workbench.subjects.runs.calls import RunList, RunRecord

_LIST = 230
_QUEUE = int(Qt.ItemDataRole.UserRole)
CANDIDATES: Final = "candidates"


class LabelPanel(QWidget):
    learn_wanted = Signal()
    result_wanted = Signal()
    """The result of a blind test."""

    def __init__(self, bridge: Bridge, shell: ShellActions) -> None:
        super().__init__()
        self._bridge, self._shell = bridge, shell
        self._queues: dict[str, LabellingQueue] = {}
        self._shown = ""  # the id of the queue that is judged
        self._wanted_run = ""  # whose queue is to be shown once it is known
        self._undo_depth = 0
        self._asking = self._sending = False  # for the next pair; a verdict
        self._ask_again = False  # what is on its way is older than the last verdict
        self._said = ""  # the pair on which the last verdict was given
        self._build()
        self._soon = QTimer(self, singleShot=True, interval=150, timeout=self._ask_next)
        self._runs = RunFollowers(bridge, (CANDIDATES,), self)
        self._runs.began.connect(self._on_began)
        self._runs.ended.connect(self._on_ended)
        bridge.home.listing(ListQueues()).follow(self._on_queues)
        self._runs.find()
        bridge.home.runs.follow(self._on_runs)

    def begin(self) -> NewQueue:
        """Ask for a new set of pairs."""
        dialog = NewQueue(self._bridge, self)
        dialog.started.connect(self._on_started)
        dialog.open()
        return dialog

    def let_judge(self) -> JudgeDialog | None:
        """Ask for a judge of the pairs that wait."""
        queue = self._queues.get(self._shown)
        if queue is None:
            return None
        dialog = JudgeDialog(self._bridge, queue, self)
        dialog.open()
        return dialog

    def show_judging(self, judging: bool) -> None:
        """Whether a judge is at work on the pairs of a set."""
        if judging:
            self.message.show_message(texts.JUDGING, "info")
        elif self.message.text == texts.JUDGING:
            self.message.hide()

    def show_queue(self, queue: str) -> None:
        """Judge the pairs of a set, by its id."""
        if queue not in self._queues:
            return
        if queue != self._shown:
            self._shown, self._undo_depth = queue, 0
            self.pair.pair = None
            self.message.hide()
            self.confirm.hide()
        self._mark()
        self._show()
        self._ask_next()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._shown:
            self.pair.setFocus()

    # -- the sets ------------------------------------------------------------------------------------

    def _on_queues(self, found: QueueList) -> None:
        known, self._queues = self._queues, {queue.id: queue for queue in found.queues}
        self._fill()
        wanted = next((one.id for one in found.queues if self._wanted_run and one.run == self._wanted_run), "")
        if wanted:
            self._wanted_run = ""
            self.show_queue(wanted)
        elif self._shown not in self._queues:
            first = next((one.id for one in found.queues if one.waiting), next(iter(self._queues), ""))
            self._shown = ""
            if first:
                self.show_queue(first)
        self._show()
        before, now = known.get(self._shown), self._queues.get(self._shown)
        judged_elsewhere = before is not None and now is not None and before.judged != now.judged
        if self._shown and (judged_elsewhere or self.pair.pair is None or self.pair.pair.queue != self._shown):
            self._soon.start()

    def _fill(self) -> None:
        self.list.blockSignals(True)
        self.list.clear()
        for queue in self._queues.values():
            words = texts.QUEUE_LINE.format(judged=queue.judged, waiting=queue.waiting)
            test = f" · {texts.QUEUE_BLIND_TEST}" if queue.purpose == "verdict" else ""
            item = QListWidgetItem(f"{queue.name}\n{words}{test}")
            item.setData(_QUEUE, queue.id)
            item.setToolTip(queue.unreadable or queue.origin)
            self.list.addItem(item)
        self.list.blockSignals(False)
        self._mark()

    def _mark(self) -> None:
        self.list.blockSignals(True)
        for row in range(self.list.count()):
            if self.list.item(row).data(_QUEUE) == self._shown:
                self.list.setCurrentRow(row)
        self.list.blockSignals(False)

    def _show(self) -> None:
        """What is to be seen of the set that is shown."""
        queue = self._queues.get(self._shown)
        if queue is None:
            self._views.setCurrentWidget(self.empty)
            self._head.hide()
            return
        self._head.show()
        self.title.set_full_text(queue.name)
        self.counts.setText(texts.LABEL_PROGRESS.format(judged=queue.judged, waiting=queue.waiting))
        follower, run = self._runs.open.get(queue.run), self._run_of(queue)
        self.let_button.setVisible(queue.waiting > 0)
        self.progress.setVisible(follower is not None)
        self.pair.set_can_undo(self._undo_depth > 0 or queue.judged > 0)
        if self.pair.pair is not None and self.pair.pair.queue == queue.id:
            self._views.setCurrentWidget(self.pair)
        elif follower is not None or (run is not None and run.state in ACTIVE):
            self.waiting.title.setText(self._why_waiting(run))
            self._views.setCurrentWidget(self.waiting)
        else:
            why = run.message if run is not None and run.state == "failed" else ""
            self._show_end(queue, texts.MAKING_FAILED.format(why=why) if why else "")

    def _on_runs(self, found: RunList) -> None:
        if self._views.currentWidget() is self.waiting:  # a run can end before its set is known here
            self._show()

    def _why_waiting(self, run: RunRecord | None) -> str:
        """What the next pair waits for: its own run, or another one that has to end first."""
        if run is None or run.state != "queued":
            return texts.LABEL_PAUSED if run is not None and run.paused else texts.LABEL_WAITS
        runs = self._bridge.home.runs.value
        before = next((one for one in runs.runs if one.state == "running"), None) if runs is not None else None
        return texts.LABEL_WAITS_FOR.format(title=before.title) if before is not None else texts.LABEL_QUEUED

    def _run_of(self, queue: LabellingQueue) -> RunRecord | None:
        """The run that makes or made its pairs, where it is still known."""
        runs = self._bridge.home.runs.value
        return next((run for run in runs.runs if run.id == queue.run), None) if runs is not None else None

    def _show_end(self, queue: LabellingQueue, failure: str) -> None:
        self._views.setCurrentWidget(self.done)
        tests = queue.purpose == "verdict"
        self.done_title.setText(texts.LABEL_DONE if queue.judged else texts.LABEL_EMPTY)
        words = texts.LABEL_TEST_HELP if tests else texts.LABEL_DONE_HELP
        told = words.format(judged=describe_count(queue.judged, "pair")) if queue.judged else failure
        made = queue.judged + queue.waiting
        if not failure and made < queue.prompts:
            asked = describe_count(queue.prompts, "question")
            told = " ".join((told, texts.LABEL_FEWER.format(asked=asked, made=describe_count(made, "pair")))).strip()
        self.done_words.setText(told)
        self.done_button.setText(texts.LABEL_RESULT_BUTTON if tests else texts.LABEL_LEARN)
        self.done_button.setVisible(queue.judged > 0)
        self.undo_at_end.setVisible(queue.judged > 0)
        which = JudgementFilter(queue=queue.id)
        self._bridge.call(GetJudgementStatistics(which=which), self._on_statistics, owner=self)

    def _on_statistics(self, found: JudgementStatistics) -> None:
        lines = [
            texts.LABEL_RESULT.format(
                name=one.name or texts.UNNAMED,
                won=one.won,
                lost=one.lost,
                tied=one.tied,
                share=texts.describe_share(one.share),
            )
            for one in found.columns
        ]
        self.done_columns.setText("\n".join(lines))
        self.done_columns.setVisible(bool(lines))

    # -- making pairs --------------------------------------------------------------------------------

    def await_queue(self, run: RunRecord) -> None:
        """Show the pairs that a run makes, as soon as they are known."""
        self._on_started(run)

    def _on_started(self, run: RunRecord) -> None:
        self._wanted_run = run.id
        self._bridge.home.runs.put_run(run)
        self._bridge.home.listing(ListQueues()).refresh()

    def _on_began(self, follower: RunFollower) -> None:
        follower.progressed.connect(lambda progress: self._on_progress(follower, progress))
        self._show()

    def _on_progress(self, follower: RunFollower, progress: events.Progress) -> None:
        queue = self._queues.get(self._shown)
        if queue is not None and queue.run == follower.run.id:
            share, numbers = how_far(progress)
            words = progress.detail or stage_of(progress)
            self.progress.set_progress(words, share, numbers, progress.seconds_left)
        if self.pair.pair is None:
            self._soon.start()

    def _on_ended(self, follower: RunFollower) -> None:
        terminal = follower.terminal
        queue = self._queues.get(self._shown)
        if queue is not None and queue.run == follower.run.id and terminal is not None:
            if isinstance(terminal, events.Failed):
                self.message.show_message(texts.MAKING_FAILED.format(why=in_words(error_of(terminal))), "danger")
            elif isinstance(terminal, events.Cancelled):
                self.message.show_message(texts.MAKING_STOPPED, "info")
        self._bridge.home.listing(ListQueues()).refresh()
        self._ask_next()

    def _on_stop(self) -> None:
        queue = self._queues.get(self._shown)
        follower = self._runs.open.get(queue.run) if queue is not None else None
        if follower is not None:
            follower.stop()

    # -- judging -------------------------------------------------------------------------------------

    def _ask_next(self) -> None:
        if self._shown and self._asking:
            self._ask_again = True
        elif self._shown:
            self._asking = True
            self._bridge.call(GetNextPair(queue=self._shown), self._on_next, self._on_refused, self)

    def _on_next(self, found: NextPair) -> None:
        self._asking = False
        self._queues[found.queue.id] = found.queue
        if self._sending:  # older than what is sent, whose reply asks again: a key would act on a pair that is done
            self._ask_again = False
            return
        if self._ask_again or found.queue.id != self._shown:
            self._ask_again = False
            self._ask_next()
            return
        self._said = ""
        if found.pair is not None:
            self.pair.show_pair(found.pair)
            if self.isVisible() and not self.pair.editor.isVisible():
                self.pair.setFocus()
        else:
            self.pair.pair = None
        self._fill()
        self._show()

    def _on_refused(self, error: Exception) -> None:
        self._asking = self._sending = self._ask_again = False
        self._said = ""
        if isinstance(error, UserError):
            self.message.show_message(in_words(error), "attention")
        self._bridge.home.listing(ListQueues()).refresh()

    @property
    def _open_pair(self) -> str:
        """The id of the pair that a verdict can be given on; "" while one is on its way."""
        pair = self.pair.pair
        return pair.id if pair is not None and not self._sending and pair.id != self._said else ""

    def _judge(self, verdict: str) -> None:
        if self._open_pair:
            self._send(ChangeJudgement(judgement=self._open_pair, verdict=verdict))  # type: ignore[arg-type]

    def _edit(self, side: str, text: str) -> None:
        if self._open_pair:
            self._send(ChangeJudgement(judgement=self._open_pair, edits=side, edited=text))  # type: ignore[arg-type]

    def _send(self, call: ChangeJudgement) -> None:
        self._sending, self._said = True, call.judgement

        def judged(_: Judgement) -> None:
            self._sending = False
            self._undo_depth += 1
            self.message.hide()
            self._ask_next()

        self._bridge.call(call, judged, self._on_refused, self)

    def _skip(self) -> None:
        if not self._open_pair:
            return
        self._sending, self._said = True, self._open_pair

        def skipped(_: NextPair) -> None:
            self._sending = False
            self._ask_next()

        self._bridge.call(SkipPair(judgement=self._said), skipped, self._on_refused, self)

    def _undo(self) -> None:
        """Undo the last verdict: its pair is shown again."""
        if not self._shown or self._sending:
            return
        self._sending = True

        def undone(_: UndoneAction) -> None:
            self._sending = False
            self._said = ""
            self._undo_depth = max(0, self._undo_depth - 1)
            self.pair.pair = None
            self._ask_next()

        self._bridge.call(UndoJudgement(queue=self._shown), undone, self._on_refused, self)

    def _on_delete(self) -> None:
        if self._shown:
            listing = self._bridge.home.listing(ListQueues())
            self._bridge.call(RemoveQueue(queue=self._shown), listing.put, self._on_refused, self)

    # -- building ------------------------------------------------------------------------------------

    def _build(self) -> None:
        self.new_button = PrimaryButton(texts.NEW_QUEUE, "plus", small=True, clicked=self.begin)
        self.list = QListWidget(accessibleName=texts.QUEUES)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setWordWrap(True)
        self.list.currentRowChanged.connect(self._on_row)
        side = QFrame()
        side.setProperty("role", "panel")
        head = row_of(None, (Text(texts.QUEUES, "strong"), 1), self.new_button, gap=tokens.SPACE_2)
        column_of(side, head, (self.list, 1), gap=tokens.SPACE_2, margins=tokens.SPACE_3)
        side.setMinimumWidth(190)
        self.title = ElidedLabel("", "heading")
        self.counts = Text("", "small", wordWrap=False)
        self.delete_button = QuietButton(texts.DELETE_QUEUE, "trash", small=True, clicked=self._on_delete_wanted)
        self.let_button = QuietButton(texts.LET_JUDGE, "evaluate", small=True, clicked=self.let_judge)
        self.confirm = ConfirmRow(self.delete_button)
        self.confirm.confirmed.connect(self._on_delete)
        self.progress = ProgressLine(stop_clicked=self._on_stop, visible=False)
        self.message = InlineMessage()
        self._head = QWidget()
        names = row_of(None, (self.title, 1), self.counts, self.let_button, self.delete_button, gap=tokens.SPACE_2)
        column_of(self._head, names, self.confirm, self.progress, self.message, gap=tokens.SPACE_2)
        self.pair = PairView()
        self.pair.judged.connect(self._judge)
        self.pair.edited.connect(self._edit)
        self.pair.skip_wanted.connect(self._skip)
        self.pair.undo_wanted.connect(self._undo)
        self.empty = EmptyState("thumb-up", texts.NO_QUEUE_TITLE, texts.NO_QUEUE_HELP, texts.NEW_GO)
        if self.empty.button is not None:
            self.empty.button.clicked.connect(self.begin)
        self.waiting = EmptyState("clock", texts.LABEL_WAITS, texts.LABEL_WAITS_HELP)
        self._build_done()
        self._views = QStackedWidget()
        for view in (self.pair, self.empty, self.waiting, self.done):
            self._views.addWidget(view)
        right = QWidget()
        margins = (tokens.SPACE_5, tokens.SPACE_3, tokens.SPACE_5, tokens.SPACE_3)
        column_of(right, self._head, (self._views, 1), gap=tokens.SPACE_3, margins=margins)
        split = QSplitter()
        for number, part in enumerate((side, right)):
            split.addWidget(part)
            split.setCollapsible(number, False)
            split.setStretchFactor(number, number)
        split.setSizes([_LIST, 1000])
        column_of(self, split)
        self._head.hide()

    def _build_done(self) -> None:
        centre = Qt.AlignmentFlag.AlignCenter
        self.done_title = Text(texts.LABEL_DONE, "title", alignment=centre)
        self.done_words = Text("", "muted", alignment=centre)
        self.done_columns = Text("", "body", alignment=centre)
        self.done_button = PrimaryButton(texts.LABEL_LEARN, clicked=self._on_done)
        self.undo_at_end = QuietButton(texts.UNDO_LAST, "restart", small=True, clicked=self._undo)
        buttons = QWidget()
        row_of(buttons, None, self.undo_at_end, self.done_button, None, gap=tokens.SPACE_2)
        inside = Centred(self.done_title, self.done_words, self.done_columns, buttons)
        inside.set_most(560)
        self.done = QWidget()
        column_of(self.done, None, inside, None)

    def _on_done(self) -> None:
        queue = self._queues.get(self._shown)
        (self.result_wanted if queue is not None and queue.purpose == "verdict" else self.learn_wanted).emit()

    def _on_row(self, row: int) -> None:
        item = self.list.item(row)
        if item is not None:
            self.show_queue(str(item.data(_QUEUE)))

    def _on_delete_wanted(self) -> None:
        queue = self._queues.get(self._shown)
        if queue is not None:
            self.confirm.set_question(texts.ASK_DELETE_QUEUE.format(name=queue.name), texts.DELETE)
            self.confirm.ask()
