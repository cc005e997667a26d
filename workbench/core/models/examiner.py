"""Starts exams: when a person asks for one, and of models that have none once the machine is idle.

Idle means that nothing has changed in the home, no answer and no run has been open for the time of the setting, and
that other programs leave the processor mostly free. A stopped or failed exam is not started again by itself.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

import psutil

from workbench.api.calls import ExamineModel, ListRuns, ModelRecord, RunRecord
from workbench.api.protocol import RequestContext
from workbench.core.answers.service import Answers
from workbench.core.change_notifier import ChangeNotifier
from workbench.core.models.chat_models import chat_model
from workbench.core.runs.queue import Runs
from workbench.core.status import Preferences
from workbench.core.streams import Handlers, unary
from workbench.errors import UserError
from workbench.models.checksums import Checksums
from workbench.models.inspection import is_missing
from workbench.records.exam import EXAM_VERSION, ExamConfig
from workbench.storage.models import ModelCatalogue

POLL_S = 10.0
BUSY_PERCENT = 50.0
"""Use of the processor by all programs above which the machine is not idle."""

_log = logging.getLogger(__name__)


def machine_is_free() -> bool:
    """Whether the processor was mostly free since the last call, and the machine is not on battery."""
    try:
        battery = psutil.sensors_battery() if hasattr(psutil, "sensors_battery") else None
    except OSError:  # psutil 7.2: /sys is not there in many containers
        battery = None
    return psutil.cpu_percent() < BUSY_PERCENT and (battery is None or battery.power_plugged is not False)


class Examiner:
    """``is_free`` tells whether other programs leave the machine alone, ``clock`` is in monotonic seconds."""

    def __init__(
        self,
        catalogue: ModelCatalogue,
        checksums: Checksums,
        runs: Runs,
        answers: Answers,
        changes: ChangeNotifier,
        preferences: Preferences,
        is_free: Callable[[], bool] = machine_is_free,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._catalogue = catalogue
        self._checksums = checksums
        self._runs = runs
        self._answers = answers
        self._changes = changes
        self._preferences = preferences
        self._is_free = is_free
        self._clock = clock
        self._busy_at = clock()
        self._resumed: set[str] = set()  # once each: a model may kill its worker every time

    def handlers(self) -> Handlers:
        return {ExamineModel: unary(lambda call: self.begin(call.name))}

    def begin(self, name: str) -> RunRecord:
        """The open exam of a model, else its stopped one, resumed, else a new one. Raises UserError for a model that
        cannot answer."""
        model = chat_model(name, self._catalogue)
        latest = self._latest(model)
        if latest is not None and latest.state in ("queued", "running"):
            return latest
        if latest is not None and latest.resumable:
            return self._runs.resume(latest.id)
        return self._runs.add("exam", f"Exam of {model.name}", ExamConfig(model=model.name))

    def watch(self, context: RequestContext) -> None:
        """Until the core leaves: start one exam at a time when the machine is idle."""
        while not context.wait_cancelled(POLL_S):
            try:
                if self.is_idle():
                    self.start_next(context)
            except UserError as error:
                _log.info("No exam was started: %s", error)

    def is_idle(self) -> bool:
        settings = self._preferences.current.models
        free = self._is_free()  # asked each time: it measures since the last call
        if self._answers.busy or self._runs.list_open() or not free:
            self._busy_at = self._clock()
        idle_s = self._clock() - max(self._busy_at, self._changes.latest)
        return settings.exam_after_import and idle_s >= settings.exam_idle_minutes * 60

    def start_next(self, context: RequestContext) -> RunRecord | None:
        """Start the exam of the first model that lacks one."""
        for model in self._catalogue.list_models():
            if model.kind != "chat" or model.format != "gguf" or is_missing(model) or not self._is_due(model):
                continue
            self._checksums.compute(model.files, context)
            if self._has_exam(self._catalogue.get(model.name)):  # the file's time changed, its content did not
                self._changes.publish("model", model.name)
                continue
            return self.begin(model.name)
        return None

    def _is_due(self, model: ModelRecord) -> bool:
        if self._has_exam(model):
            return False
        latest = self._latest(model)
        if latest is None or latest.config.get("version") != EXAM_VERSION or latest.state == "finished":
            return True
        if latest.state != "interrupted" or latest.id in self._resumed:
            return False
        self._resumed.add(latest.id)
        return True

    def _has_exam(self, model: ModelRecord) -> bool:
        return bool(model.exam_problem) or (model.exam is not None and model.exam.current)

    def _latest(self, model: ModelRecord) -> RunRecord | None:
        runs = self._runs.list_runs(ListRuns()).runs
        return next((run for run in runs if run.kind == "exam" and run.config.get("model") == model.name), None)
