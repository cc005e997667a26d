"""The state of a training, computed from its events. No widgets: the page and its tests read it.

A run that is resumed goes back to its last checkpoint: what a curve or a sample said of later steps is forgotten then.
"""

from __future__ import annotations

import bisect
from collections.abc import Sequence
from typing import Any, TypeVar

from PySide6.QtCore import QObject, QTimer, Signal

from ui.bridge import Bridge
from ui.components.run_follower import RunFollower
from ui.components.wording import stage_of
from ui.features.training import texts
from ui.features.training.texts import config_of
from workbench.api import events
from workbench.api.events import Event, Terminal
from workbench.base.stored import Stored, Unreadable
from workbench.records.training import (
    CARD,
    LANGUAGE_MODEL_CHARTS,
    LANGUAGE_MODEL_METRICS,
    PLAN,
    TRAIN_RESULT,
    TRAINING,
    AdapterRecord,
    ChartSpec,
    MetricSpec,
    SampleAnswer,
    ScoresPair,
    TrainingConfig,
    TrainingPlan,
    TrainResult,
    VerificationReport,
)
from workbench.records.training.config import DEFAULT_OBJECTIVE
from workbench.subjects.runs.calls import RunRecord

V = TypeVar("V")

_OF_LANGUAGE_MODELS = ("", DEFAULT_OBJECTIVE)
"""The objectives whose charts are known to be those of a language model, also of a run that names none."""
LOG_LINES = 400
TELL_MS = 200
_IN_TURNS = ("training", "evaluating")
"""Stages that take turns all along: their changes say nothing."""


class Curve:
    """One measured number over the steps, the steps in ascending order."""

    def __init__(self) -> None:
        self.steps: list[int] = []
        self.values: list[float] = []

    def put(self, step: int, value: float) -> None:
        """Append a point; points at this step or after it were measured before the run went back."""
        if self.steps and step <= self.steps[-1]:
            keep = bisect.bisect_left(self.steps, step)
            del self.steps[keep:], self.values[keep:]
        self.steps.append(step)
        self.values.append(value)

    @property
    def last(self) -> float | None:
        return self.values[-1] if self.values else None


class QuestionAnswers:
    """The answers to one question at several steps; ``expected`` is what it should have been."""

    def __init__(self, question: str, expected: str) -> None:
        self.question = question
        self.expected = expected
        self.answers: dict[int, SampleAnswer] = {}

    @property
    def steps(self) -> list[int]:
        return sorted(self.answers)


class TrainingState:
    """All that is known of one training. ``ended`` is its terminal event, None while it runs. ``objective`` is the name
    of what it minimises, "" where that is not known."""

    def __init__(self, objective: str = "") -> None:
        self.objective = objective
        self.curves: dict[str, Curve] = {}
        self.questions: dict[str, QuestionAnswers] = {}
        self.log: list[tuple[float, str, str]] = []  # time, level, words
        self.asked: TrainingConfig | None = None  # as it was put together, before the plan filled it in
        self.plan: TrainingPlan | None = None
        self.progress: events.Progress | None = None
        self.step: events.Progress | None = None  # how far the steps are, also while something else is done
        self.checkpoint_step: int | None = None
        self.scores = ScoresPair()
        self.forgetting = ScoresPair()
        self.adapter: AdapterRecord | None = None
        self.verification: VerificationReport | None = None
        self.result: TrainResult | None = None
        self.ended: Terminal | None = None
        self.seen = 0

    def tell(self, batch: Sequence[Event]) -> None:
        """Take in what happened next."""
        for event in batch:
            self.seen = max(self.seen, event.seq)
            match event:
                case events.Metric():
                    self.curves.setdefault(event.name, Curve()).put(event.step, event.value)
                    if event.name == "evaluation_loss":
                        self._note(event.at, texts.EVALUATED.format(step=event.step, value=event.value))
                case events.Progress():
                    if event.stage not in (*_IN_TURNS, self.progress.stage if self.progress is not None else ""):
                        self._note(event.at, stage_of(event))
                    self.progress = event
                    if event.stage == "training" and event.total:
                        self.step = event
                case events.Artifact():
                    self._take(event)
                case events.Log() if event.level != "debug":
                    self._note(event.at, event.text, event.level)
                case _:
                    pass

    def _note(self, at: float, words: str, level: str = "info") -> None:
        self.log.append((at, level, words))
        del self.log[:-LOG_LINES]

    def end(self, terminal: Terminal) -> None:
        """Take in how it ended."""
        self.ended = terminal
        self.seen = max(self.seen, terminal.seq)
        self.progress = None
        if isinstance(terminal, events.Finished):
            result = _read(terminal.result, TRAIN_RESULT)
            if result is not None:
                self.result = result
                self.scores = result.scores if result.scores != ScoresPair() else self.scores
                self.forgetting = result.forgetting if result.forgetting != ScoresPair() else self.forgetting
                self.verification = result.verification or self.verification

    def go_on(self) -> None:
        """The run is followed, at first or after it was resumed."""
        self.ended = None

    def curve(self, name: str) -> Curve:
        """An empty one where nothing of that name was measured."""
        return self.curves.get(name) or Curve()

    @property
    def charts(self) -> tuple[ChartSpec, ...]:
        """Its charts, as declared by its objective; until the plan is known, only a language model's are."""
        if self.plan is not None:
            return self.plan.charts
        return LANGUAGE_MODEL_CHARTS if self.objective in _OF_LANGUAGE_MODELS else ()

    @property
    def metrics(self) -> tuple[MetricSpec, ...]:
        """Its metrics, as declared by its objective; until the plan is known, only a language model's are."""
        if self.plan is not None:
            return self.plan.metrics
        return LANGUAGE_MODEL_METRICS if self.objective in _OF_LANGUAGE_MODELS else ()

    def _take(self, event: events.Artifact) -> None:
        match event.kind:
            case "asked":
                self.asked = _read(event.result, TRAINING) or self.asked
            case "plan":
                self.plan = _read(event.result, PLAN) or self.plan
            case "sample":
                sample = _read(event.result, SampleAnswer)
                if sample is not None:
                    self._put_sample(sample)
            case "scores":
                self.scores = _joined(self.scores, _read(event.result, ScoresPair))
            case "forgetting":
                self.forgetting = _joined(self.forgetting, _read(event.result, ScoresPair))
            case "adapter":
                self.adapter = _read(event.result, CARD) or self.adapter
            case "verification" | "parity":  # as runs of 0.1.0 wrote it
                self.verification = _read(event.result, VerificationReport) or self.verification
            case "checkpoint":
                step = event.result.get("step")
                if isinstance(step, int):
                    self.checkpoint_step = step
                    self._note(event.at, texts.CHECKPOINT.format(step=step))
            case _:
                pass

    def _put_sample(self, sample: SampleAnswer) -> None:
        known = self.questions.setdefault(sample.question, QuestionAnswers(sample.question, sample.expected))
        for step in [step for step in known.answers if step > sample.step]:
            del known.answers[step]
        known.answers[sample.step] = sample


def _joined(old: ScoresPair, new: ScoresPair | None) -> ScoresPair:
    """Both sides, which arrive one after the other."""
    if new is None:
        return old
    return ScoresPair(
        before=new.before or old.before, after=new.after or old.after, measured=new.measured or old.measured
    )


def _read(value: Any, kind: Stored[V] | type[V]) -> V | None:
    """A value of another version of the program may not be one here: then there is nothing to show."""
    read = (kind if isinstance(kind, Stored) else Stored("event", kind)).decode(value)
    return None if isinstance(read, Unreadable) else read


class TrainingFollower(RunFollower):
    """Follows one training and puts its story together; tells that something changed at most five times a second."""

    changed = Signal()

    def __init__(self, bridge: Bridge, run: RunRecord, parent: QObject) -> None:
        config = config_of(run)
        self.story = TrainingState(config.objective.name if config is not None else "")
        super().__init__(bridge, run, parent)
        self._timer = QTimer(self, singleShot=True, interval=TELL_MS)
        self._timer.timeout.connect(self.changed)

    def update_run(self, run: RunRecord) -> None:
        was = self.run
        super().update_run(run)
        if run != was:
            self._tell()

    def _follow(self) -> None:
        self.story.go_on()
        super()._follow()

    def _tell(self) -> None:
        if not self._timer.isActive():
            self._timer.start()

    def _take(self, batch: Sequence[Event]) -> None:
        self.story.tell(batch)
        self._tell()

    def _take_end(self, terminal: Terminal) -> None:
        self.story.end(terminal)
        self._timer.stop()
        self.changed.emit()
