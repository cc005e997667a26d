"""Inspects the data and computes the plan again whenever the config changes."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer

from ui.bridge import Bridge, Handle
from ui.components.wording import describe_count, in_words
from ui.features.training import texts
from ui.features.training.plan_view import describe_time, describe_trainable
from ui.features.training.setup import TrainSetup
from workbench.base.errors import Cancelled
from workbench.records.training import DataReport, TrainingConfig, TrainingPlan
from workbench.subjects.datasets.calls import InspectData
from workbench.subjects.trainings.calls import PlanTraining

PREVIEWS = 20
PAUSE_MS = 350


class PlanningController(QObject):
    """The examples are looked at anew when they, the model or the kind of training change; the plan after any change.
    Only the answer to the last question is shown."""

    def __init__(self, bridge: Bridge, setup: TrainSetup, parent: QObject) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._setup = setup
        self._models: list[str] | None = None
        self._looked_at: object = None
        self._problem = ""  # why the examples cannot be used
        self._starting = False
        self._ready = True  # until it is known
        self._inspecting: Handle | None = None
        self._planning: Handle | None = None
        self._number = 0
        self._timer = QTimer(self, singleShot=True, interval=PAUSE_MS, timeout=self._on_paused)
        setup.changed.connect(self.take)
        setup.report.more_wanted.connect(self._on_more)
        setup.report.stop_wanted.connect(self._on_stop)
        setup.plan.stop_wanted.connect(self._on_stop)
        self._say()

    def set_models(self, names: list[str]) -> None:
        """The models that can be trained."""
        self._models = names
        if self._setup.config.model in names:
            self.take(self._setup.config)
        self._say()

    def set_ready(self, ready: bool) -> None:
        """Whether the packages of training are installed: without them nothing is planned."""
        if ready == self._ready:
            return
        self._ready = ready
        self.look_again()

    def take(self, config: TrainingConfig) -> None:
        """The training is this now. What is asked for waits until the person pauses."""
        self._timer.start()
        if self._key(config) != self._looked_at:
            self._problem = ""
            if config.model and config.data.path:
                self._setup.report.show_looking()
        if config.model and config.data.path and self._ready:
            self._setup.plan.show_planning()
        self._say()

    def look_again(self) -> None:
        """What was found does not hold any more."""
        self._looked_at = None
        self.take(self._setup.config)

    def set_starting(self, starting: bool) -> None:
        """The training is being handed over, or is not any more."""
        self._starting = starting
        self._say()

    # -- asking --------------------------------------------------------------------------------------

    def _key(self, config: TrainingConfig) -> object:
        """What the examples as the model sees them depend on."""
        return config.model, config.objective, config.data

    def _on_paused(self) -> None:
        self._cancel()
        config = self._setup.config
        known = self._models is not None and config.model in self._models
        if not config.data.path or not known:
            self._looked_at = None
            self._setup.report.show_nothing(texts.CHOOSE_BOTH)
            self._setup.plan.show_nothing(texts.PLAN_NEEDS_BOTH)
            self._say()
            return
        if self._key(config) == self._looked_at:
            self._plan()
        else:
            self._inspect(config)

    def _inspect(self, config: TrainingConfig) -> None:
        number = self._number
        key = self._key(config)
        self._setup.report.show_looking()

        def show(report: DataReport) -> None:
            if number == self._number:
                self._looked_at, self._problem = key, ""
                self._setup.report.show_report(report, config.data)
                self._plan()
                if report.suits:
                    self._setup.fit_objective(report.suits)

        def fail(error: Exception) -> None:
            if number != self._number or isinstance(error, Cancelled):
                return
            self._problem = in_words(error)
            self._looked_at = key
            self._setup.report.show_problem(self._problem, config.data)
            self._setup.plan.show_nothing(texts.PLAN_NEEDS_DATA)
            self._say()

        self._inspecting = self._bridge.call(InspectData(config=config, previews=PREVIEWS), show, fail, self)

    def _plan(self) -> None:
        report = self._setup.report.report
        if report is None:
            self._setup.plan.show_nothing(texts.PLAN_NEEDS_DATA)
            self._say()
            return
        if report.shape == "unknown":
            self._setup.plan.show_nothing(texts.PLAN_NEEDS_COLUMNS)
            self._say()
            return
        if not self._ready:
            self._setup.plan.show_nothing(texts.PLAN_NEEDS_PACKAGES)
            self._say()
            return
        number = self._number
        self._setup.plan.show_planning()

        def show(plan: TrainingPlan) -> None:
            if number == self._number:
                self._setup.plan.show_plan(plan)
                self._setup.show_chosen()
                self._say()

        def fail(error: Exception) -> None:
            if number == self._number and not isinstance(error, Cancelled):
                self._setup.plan.show_problem(in_words(error))
                self._say()

        self._planning = self._bridge.call(PlanTraining(config=self._setup.config), show, fail, self)
        self._say()

    def _on_more(self, first: int) -> None:
        """More examples, from a number on."""
        number, config = self._number, self._setup.config
        first -= first % PREVIEWS

        def show(report: DataReport) -> None:
            if number == self._number:
                self._setup.report.examples.put(first, report.previews)

        call = InspectData(config=config, previews=PREVIEWS, first=first)
        self._bridge.call(call, show, lambda _: None, self)

    def _on_stop(self) -> None:
        """The person does not want to wait for it."""
        self._cancel()
        self._timer.stop()
        words = texts.STOPPED_READING
        self._looked_at = None
        self._setup.report.show_nothing(words)
        self._setup.plan.show_nothing(words)
        self._say()

    def _cancel(self) -> None:
        self._number += 1
        for handle in (self._inspecting, self._planning):
            if handle is not None:
                handle.cancel()
        self._inspecting = self._planning = None

    # -- saying --------------------------------------------------------------------------------------

    def _say(self) -> None:
        plan = self._setup.plan.plan
        self._setup.show_readiness(sentence_of(plan) if plan is not None else "", self._reason())

    def _reason(self) -> str:
        """Why it cannot be started; "" when it can."""
        config, report, plan = self._setup.config, self._setup.report.report, self._setup.plan.plan
        if self._starting:
            return texts.STARTING
        if not self._ready:
            return texts.PLAN_NEEDS_PACKAGES
        if self._models is not None and not self._models:
            return texts.NO_TRAINABLE_MODEL
        if not config.model or (self._models is not None and config.model not in self._models):
            return texts.CHOOSE_MODEL_FIRST
        if not config.data.path:
            return texts.CHOOSE_DATA_FIRST
        if self._problem:
            return texts.DATA_UNUSABLE
        if report is not None and report.shape == "unknown":
            return texts.MAP_COLUMNS_FIRST
        if plan is None:
            if self._setup.plan.problem.isVisibleTo(self._setup.plan):
                return self._setup.plan.problem.text
            return texts.PLANNING_NOW if self._timer.isActive() or self._planning else texts.READING_DATA
        return f"{plan.problem} {plan.hint}".strip() if plan.problem else ""


def sentence_of(plan: TrainingPlan) -> str:
    """``4.9 M of 134.5 M parameters (3.6 %) · 96 steps · about 5 min (4 to 7 min)``"""
    time = describe_time(plan.seconds) if plan.seconds is not None else ""
    return " · ".join(part for part in (describe_trainable(plan), describe_count(plan.steps, "step"), time) if part)
