"""One training as it runs, or as it was: curves, progress, sample answers, scores, what to do with it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QPlainTextEdit, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from ui.components.basics import (
    Card,
    Chip,
    ElidedLabel,
    FoldButton,
    InlineMessage,
    PlainButton,
    PrimaryButton,
    ProgressLine,
    QuietButton,
    Text,
)
from ui.components.curves import SERIES_TOKENS, CurveChart, Series
from ui.components.layout import FlowLayout, column_of, empty_layout, row_of
from ui.features.training import texts
from ui.features.training.run_texts import describe_config, numbers_now
from ui.features.training.sample_answers import SampleAnswers
from ui.features.training.scores import TrainingScores
from ui.features.training.state import TrainingState
from ui.features.training.texts import outcome_words, state_of, where_it_is
from ui.theme import tokens
from workbench.base.catalogue import translated
from workbench.records.methods import Methods
from workbench.records.training import LANGUAGE_MODEL_CHARTS, AdapterRecord, ChartSpec
from workbench.records.training.measured import explain_measured
from workbench.subjects.runs.calls import RunRecord

_LOG_SHOWN = 200
_HINTS_SHOWN = 4
_STOPPING = texts.STOPPING_WITH_CHECKPOINT


LARGE_PX, SMALL_PX = 200, 84
"""Heights of the first chart and of the others."""
SMALL_IN_ROW = 3


class TrainRun(QWidget):
    """Actions on the run are requested by signals."""

    pause_wanted = Signal()
    go_on_wanted = Signal()
    stop_wanted = Signal()
    resume_wanted = Signal()
    copy_wanted = Signal()
    export_wanted = Signal()
    delete_wanted = Signal()
    try_wanted = Signal()
    merge_wanted = Signal()
    test_wanted = Signal()
    """A blind test of the result against its base."""

    def __init__(self) -> None:
        super().__init__()
        self._run: RunRecord | None = None
        self._stopping = False
        self._stopped_by_keyboard = False
        self.title = ElidedLabel("", "heading")
        self.state = Chip("")
        self.facts = ElidedLabel("", "muted")
        self.pause_button = PlainButton(texts.PAUSE, "pause")
        self.go_on_button = PlainButton(texts.CONTINUE, "play")
        self.stop_button = PlainButton(texts.STOP, "stop")
        self.resume_button = PrimaryButton(texts.RESUME, "play")
        self._going = (self.pause_button, self.go_on_button, self.resume_button)
        self.copy_button = QuietButton(texts.COPY_AS_NEW, "copy")
        self.export_button = QuietButton(texts.EXPORT_RUN, "export")
        self.delete_button = QuietButton(texts.DELETE_BUTTON, "trash")
        self.progress = ProgressLine(stoppable=False)
        self.numbers = ElidedLabel("", "small")
        self.message = InlineMessage()
        self.outcome = InlineMessage(closable=False)
        self.try_button = PrimaryButton(texts.TRY_IN_CHAT, "chat")
        self.merge_button = PlainButton(texts.MERGE, "models")
        self.test_button = PlainButton(texts.BLIND_TEST, "thumb-up", toolTip=texts.BLIND_TEST_HELP)
        self.hints = InlineMessage(closable=False)
        self.gone = Text(texts.RESULT_DELETED, "muted", visible=False)
        self.scores = TrainingScores()
        self.methods: Methods[Any] = Methods()
        self._drawn: tuple[ChartSpec, ...] = LANGUAGE_MODEL_CHARTS
        self.charts = _make_charts(self._drawn)
        self.samples = SampleAnswers()
        self.asked = Text("", "small")
        self.log = QPlainTextEdit(readOnly=True)
        self.log.setProperty("role", "code")
        self.log.setAccessibleName(texts.LOG_NAME)
        self.log.setTabChangesFocus(True)
        self.log.setFixedHeight(180)
        self.log_button = FoldButton(texts.LOG, self.log, toggled=self._on_log_toggled)
        self._wide: bool | None = None
        self._build()
        self._connect()

    # -- showing -------------------------------------------------------------------------------------

    def show_run(
        self, run: RunRecord, story: TrainingState, made: AdapterRecord | None = None, gone: bool = False
    ) -> None:
        """Show a run as its record and its events tell it. ``made`` is what came of it as it is now, perhaps renamed;
        ``gone``: it was deleted."""
        if self._run is None or run.id != self._run.id:
            self._stopping = False
            self.message.hide()
            self._area.verticalScrollBar().setValue(0)
        self._run = run
        self.title.set_full_text(run.title)
        self.facts.set_full_text(describe_config(run, self.methods))
        self._show_state(run)
        self._show_progress(run, story)
        self._show_outcome(run, story, made or story.adapter, gone)
        self._show_curves(story)
        questions = [(q.question, q.expected, q.answers) for q in story.questions.values()]
        self.asked.setText(translated(explain_measured(story.scores.measured)) if questions else "")
        self.samples.show_questions(questions, story.scores.after is not None)
        self._show_log(story)
        self._show_hints(story)

    def _show_hints(self, story: TrainingState) -> None:
        """What the training has noticed of itself, such as answers that please the reward and no one else."""
        noticed = list(dict.fromkeys(words for _, level, words in story.log if level == "notice"))[-_HINTS_SHOWN:]
        if noticed:
            self.hints.show_message("\n".join(noticed), "attention")
        else:
            self.hints.hide()

    def _show_state(self, run: RunRecord) -> None:
        words, tone = state_of(run)
        self.state.setText(words)
        self.state.set_tone(tone)
        running = run.state == "running"
        had_keyboard = next((button for button in self._going if button.hasFocus()), None)
        self._stopping = self._stopping and running
        self.pause_button.setVisible(running and not run.paused)
        self.go_on_button.setVisible(running and run.paused)
        self.stop_button.setVisible(run.state in ("queued", "running"))
        for button in (self.pause_button, self.go_on_button, self.stop_button):
            button.setEnabled(not self._stopping)
        self.stop_button.setToolTip(texts.IS_STOPPING if self._stopping else texts.STOP_HELP)
        self.resume_button.setVisible(run.resumable)
        if had_keyboard is not None and not had_keyboard.isVisible():  # to what stands in its place, never to Stop
            self.take_keyboard()
        if self._stopped_by_keyboard and not self._stopping:
            self._stopped_by_keyboard = False
            if self.copy_button.hasFocus():  # where it went when Stop was switched off
                self.take_keyboard()
        self.resume_button.setToolTip(texts.RESUME_HELP)
        ended = run.state not in ("queued", "running")
        self.delete_button.setEnabled(ended)
        self.delete_button.setToolTip(texts.DELETE_HELP if ended else texts.STOP_FIRST)

    def take_keyboard(self) -> None:
        """Focus the button that continues the run, or the first action of a finished one."""
        shown = [button for button in (*self._going, self.copy_button) if not button.isHidden()]
        shown[0].setFocus(Qt.FocusReason.OtherFocusReason)

    def _show_progress(self, run: RunRecord, story: TrainingState) -> None:
        active = run.state in ("queued", "running")
        self.progress.setVisible(active)
        self.numbers.setVisible(active)
        if not active:
            return
        if self._stopping:
            self.progress.set_progress(_STOPPING)
        elif run.state == "queued":
            self.progress.set_progress(texts.QUEUED, 0.0)  # nothing moves
        elif story.progress is None:
            self.progress.set_progress(run.message or run.stage.capitalize() or texts.STARTING, run.progress)
        else:
            words, share, numbers, left = where_it_is(story)
            paused = texts.PAUSED if run.paused else words
            self.progress.set_progress(paused, share, numbers, None if run.paused else left)
        self.numbers.set_full_text(numbers_now(story) or "\u00a0")  # a line is kept for them

    def _show_outcome(self, run: RunRecord, story: TrainingState, made: AdapterRecord | None, gone: bool) -> None:
        words, kind = outcome_words(run, story)
        if words:
            self.outcome.show_message(words, kind)
        else:
            self.outcome.hide()
        ended = run.state not in ("queued", "running")
        self.scores.show_scores(story.metrics, story.scores, story.forgetting, story.verification, story.adapter, ended)
        has_result = story.adapter is not None or story.result is not None
        usable = (
            has_result and made is not None and not gone and (story.verification is None or story.verification.passed)
        )
        self.try_button.setVisible(usable and made is not None and made.kind != "reward")
        self.merge_button.setVisible(usable and made is not None and made.kind == "lora")
        self.test_button.setVisible(usable and made is not None and made.kind != "merged")
        self.gone.setVisible(gone)
        self._came.setVisible(self.scores.isVisibleTo(self._came) or usable)

    def _show_curves(self, story: TrainingState) -> None:
        if story.charts != self._drawn:
            self._drawn = story.charts
            self.charts = _make_charts(self._drawn)
            self._place_charts()
        for name, chart in self.charts.items():
            metrics = [metric for metric in story.metrics if metric.chart == name]
            series = []
            for metric, token in zip(metrics, SERIES_TOKENS, strict=False):
                curve = story.curve(metric.name)
                dots, smooth = metric.drawn == "dots", metric.drawn == "smooth"
                title = next(spec.title for spec in self._drawn if spec.name == name)
                words = legend_text(metric.title, title) if len(metrics) > 1 else texts.NOW
                series.append(Series(words, token, curve.steps, curve.values, dots, smooth))
            chart.show_series(series)

    def _show_log(self, story: TrainingState) -> None:
        lines = [f"{time.strftime('%H:%M:%S', time.localtime(at))}  {text}" for at, _, text in story.log[-_LOG_SHOWN:]]
        self._log_row.setVisible(bool(lines))
        text = "\n".join(lines)
        if self.log_button.isChecked() and text != self.log.toPlainText():
            self.log.setPlainText(text)
            self.log.verticalScrollBar().setValue(self.log.verticalScrollBar().maximum())
        self._log_text = text

    # -- building ------------------------------------------------------------------------------------

    def _build(self) -> None:
        names = row_of(gap=tokens.SPACE_2)
        self.title.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        names.addWidget(self.title, 1000)  # all the room that it needs, before what is left over
        names.addWidget(self.state)
        names.addStretch(1)
        buttons = QWidget()
        flow = FlowLayout(buttons, tokens.SPACE_2)
        for button in (
            self.pause_button, self.go_on_button, self.stop_button, self.resume_button, self.copy_button,
            self.export_button, self.delete_button,
        ):  # fmt: skip
            button.setProperty("small", True)
            flow.addWidget(button)
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        buttons.setSizePolicy(policy)
        self._came = Card(margin=tokens.SPACE_5)
        self._came.body.setSpacing(tokens.SPACE_3)
        self._came.body.addWidget(Text(texts.FACT_RESULT, "heading"))
        self._came.body.addWidget(self.scores)
        use = row_of(None, self.try_button, self.test_button, self.merge_button, None, gap=tokens.SPACE_2)
        self._came.body.addLayout(use)
        self._came.body.addWidget(self.gone)
        self._came.hide()
        curves = Card()
        curves.body.setSpacing(tokens.SPACE_3)
        self._large, self._small = QVBoxLayout(), QGridLayout()
        self._small.setHorizontalSpacing(tokens.SPACE_4)
        self._small.setVerticalSpacing(tokens.SPACE_3)
        curves.body.addLayout(self._large)
        curves.body.addLayout(self._small)
        curves.body.addStretch(1)
        self._place_charts()
        answers = Card()
        answers.body.setSpacing(tokens.SPACE_2)
        answers.body.addWidget(Text(texts.SAMPLE_ANSWERS, "heading"))
        answers.body.addWidget(self.asked)
        answers.body.addWidget(self.samples)
        answers.body.addStretch(1)
        self._curves, self._answers = curves, answers
        self._log_row = QWidget()
        log = column_of(self._log_row, gap=tokens.SPACE_1)
        log.addWidget(self.log_button, 0, Qt.AlignmentFlag.AlignLeft)
        log.addWidget(self.log)
        inside = QWidget()
        inside.setProperty("role", "page")
        column = column_of(
            inside, names, self.facts, buttons, gap=tokens.SPACE_3, margins=(tokens.SPACE_5, tokens.SPACE_4)
        )
        for part in (self.progress, self.numbers, self.message, self.outcome, self.hints, self._came):
            column.addWidget(part)
        self._both = QHBoxLayout()
        self._below = QVBoxLayout()
        for layout in (self._both, self._below):
            layout.setSpacing(tokens.SPACE_4)
        column.addLayout(self._both)
        column.addLayout(self._below)
        column.addWidget(self._log_row)
        column.addStretch(1)
        self._area = QScrollArea(
            widgetResizable=True,
            focusPolicy=Qt.FocusPolicy.NoFocus,
            horizontalScrollBarPolicy=Qt.ScrollBarPolicy.ScrollBarAlwaysOff,
        )
        self._area.setWidget(inside)
        column_of(self, self._area)
        self._log_text = ""
        self._arrange(False)

    def _place_charts(self) -> None:
        """The first one over the others, of which three are in a row."""
        empty_layout(self._large)
        empty_layout(self._small)
        for column in range(SMALL_IN_ROW):  # however long the names of their lines are
            self._small.setColumnStretch(column, 1)
        charts = list(self.charts.values())
        if charts:
            self._large.addWidget(charts[0])
        for number, chart in enumerate(charts[1:]):
            chart.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
            self._small.addWidget(chart, number // SMALL_IN_ROW, number % SMALL_IN_ROW)

    def _arrange(self, wide: bool) -> None:
        """Curves left and sample answers right where there is room for both."""
        if wide == self._wide:
            return
        self._wide = wide
        for layout in (self._both, self._below):
            for card in (self._curves, self._answers):
                layout.removeWidget(card)
        self._both.addWidget(self._curves, 3)
        if wide:
            self._both.addWidget(self._answers, 2)
        else:
            self._below.addWidget(self._answers)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange(event.size().width() >= 1240)

    def _connect(self) -> None:
        for button, signal in (
            (self.pause_button, self.pause_wanted),
            (self.go_on_button, self.go_on_wanted),
            (self.resume_button, self.resume_wanted),
            (self.copy_button, self.copy_wanted),
            (self.export_button, self.export_wanted),
            (self.delete_button, self.delete_wanted),
            (self.try_button, self.try_wanted),
            (self.merge_button, self.merge_wanted),
            (self.test_button, self.test_wanted),
        ):
            button.clicked.connect(signal)
        self.stop_button.clicked.connect(self._on_stop)

    def _on_stop(self) -> None:
        self._stopping = True
        self._stopped_by_keyboard = self.stop_button.hasFocus()
        for button in (self.pause_button, self.go_on_button, self.stop_button):
            button.setEnabled(False)
        self.stop_button.setToolTip(texts.IS_STOPPING)
        self.progress.set_progress(_STOPPING)
        self.stop_wanted.emit()

    def _on_log_toggled(self, open: bool) -> None:
        if open:
            self.log.setPlainText(self._log_text)


def legend_text(title: str, chart: str) -> str:
    """A line's name beside the title of its chart, without what both say: of "Length, held out" the second part."""
    for mark in (", ", ": "):
        of, _, rest = title.partition(mark)
        if rest and of.split()[0].casefold() in chart.casefold():
            return rest[0].upper() + rest[1:]
    return title


def _make_charts(charts: Sequence[ChartSpec]) -> dict[str, CurveChart]:
    """By name, the first one large."""
    return {
        chart.name: CurveChart(
            chart.title,
            chart.unit,
            height=SMALL_PX if place else LARGE_PX,
            from_zero=chart.from_zero,
            help=chart.help,
        )
        for place, chart in enumerate(charts)
    }
