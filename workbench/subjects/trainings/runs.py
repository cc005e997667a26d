"""The kind of run that trains: one worker process for each, from its first step to its verification.

What was trained is published the moment that the worker has written it for the engine; verification follows. So a run
whose worker died in between continues with the verification alone.
"""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from workbench.api import events
from workbench.api.events import Event
from workbench.api.protocol import finish
from workbench.base.copying import shared
from workbench.base.errors import UserError
from workbench.base.paths import Home
from workbench.processes.host import WorkerHost
from workbench.records.models import ModelRecord
from workbench.records.training import (
    CARD,
    FINGERPRINTS_FILE,
    PLAN,
    TRAIN_RESULT,
    TRAINING,
    AdapterRecord,
    DataReport,
    ScoresPair,
    TrainingConfig,
    TrainingPlan,
    TrainResult,
    VerificationReport,
    flat,
)
from workbench.records.training.config import DEFAULT_OBJECTIVE
from workbench.records.training.rewards import RewardReport
from workbench.subjects.adapters.artifact_registry import NO_MEMORY, UNCHECKED, ArtifactRegistry
from workbench.subjects.adapters.base_models import BaseModels
from workbench.subjects.adapters.cards import metric_of
from workbench.subjects.adapters.out_of_memory import explain, explain_work, explained_work
from workbench.subjects.adapters.store import QUESTIONS, TRAINED, AdapterStore
from workbench.subjects.adapters.trained_data import TrainedData
from workbench.subjects.runs.calls import RunRecord
from workbench.subjects.runs.kinds import OpenRun, RunKind
from workbench.subjects.runs.orphaned_worker import note_worker, wait_for_earlier
from workbench.subjects.runs.stage_clock import StageClock
from workbench.subjects.trainings.judges import TrainingJudges, reward_model_files
from workbench.techniques.registry import METHODS
from workbench.training.protocol import BaseModel, Served, SetPaused, Trained, TrainModel, VerifyTrained
from workbench.training.verifying import REOPENED
from workbench.training.worker_host import TrainingWorkers

_CHECK = "verification of what was trained"
_CHECK_AGAIN = (
    "The trained weights are kept. Resume the run when other programs are closed: only the verification is repeated."
)

PLAN_FILE, CONFIG, SERVED = "plan.json", "config.toml", "served"
SPEED = "tokens_per_second"


@dataclass(eq=False)
class TrainingRuns(RunKind):
    """Trainings. An interrupted one does not resume automatically, since it uses the machine for hours."""

    config = TRAINING
    result = TRAIN_RESULT
    resumable = True

    _home: Home
    _bases: BaseModels
    _workers: TrainingWorkers
    _store: AdapterStore
    _artifacts: ArtifactRegistry
    _judges: TrainingJudges
    _trained: TrainedData
    _hosts: dict[str, WorkerHost] = field(default_factory=dict, init=False)

    def set_paused(self, run: OpenRun, paused: bool) -> None:
        host = self._hosts.get(run.id)
        pid = host.pid if host is not None else 0
        if host is None or not pid:
            raise UserError("The training has not started yet.", "Try again in a moment.")
        host.call(SetPaused(paused=paused), pid=pid)

    def problem(self, run: RunRecord) -> str:
        config = msgspec.convert(run.config, TrainingConfig)
        try:
            METHODS.find(config.objective.name, "objective")
            METHODS.find(config.weights.method, "weights")
        except UserError as error:
            return error.message
        return ""

    def work(self, run: OpenRun) -> Event:
        config = msgspec.convert(run.record.config, TrainingConfig)
        made = self._store.of_run(run.id)
        if made is not None and made.state == "unreadable":
            raise UserError(made.note)
        if made is not None and made.state != "checking":
            return finish(_result(run.id, made))  # the core left between verification and the end
        plan = self._plan(run.id)
        verified = plan is None or plan.verified
        if made is not None and not verified:  # it left before the end
            self._tidy(run.id)
            made = msgspec.structs.replace(made, note=NO_MEMORY)
            return finish(_result(run.id, self._artifacts.record_verification(made, None)))
        self._workers.require_packages()
        folder = self._home.run(run.id)
        wait_for_earlier(folder, run.context, run.emit)
        run.emit(events.Progress(stage="checking the model"))
        model = self._bases.model(config.model)
        base = self._bases.checked_model(model, run.context)
        base = msgspec.structs.replace(base, earlier=self._trained.earlier(model.name))
        over = self._over(model)
        reward_models = reward_model_files(config, Path(base.path), self._store, self._home.adapters)
        judges = self._judges.find(config)
        with self._workers.dedicated() as host:
            host.start()
            note_worker(folder, host.pid)
            self._hosts[run.id] = host
            try:
                if made is not None:
                    return self._check_again(run, made, base, over, host, plan)
                card = AdapterRecord(
                    name=config.name or default_name(config, model.name),
                    kind="lora",
                    state="checking",
                    base=model.name,
                    base_sha256=base.sha256,
                    architecture=model.architecture,
                    licence=model.licence,
                    run=run.id,
                    config=config,
                    data=config.data.path,
                    note="" if verified else NO_MEMORY,
                )
                apart = verified and config.weights.base in REOPENED
                training = _Training(run, card, self._artifacts, plan, apart=apart)
                ended = training.follow(
                    host,
                    TrainModel(
                        config=self._bases.with_paths(config),
                        model=base,
                        folder=str(folder),
                        verified_tokens=plan.verified_tokens if plan is not None else 0,
                        check=verified and not apart,
                        serve=str(folder / SERVED),
                        serve_name=card.name,
                        over=over,
                        reward_models=reward_models,
                        judges=judges,
                    ),
                )
                if not apart or not isinstance(ended, events.Finished):
                    return ended
                host.stop()  # the next call is made to a new process
                host.start()
                note_worker(folder, host.pid)
                return self._check_again(run, training.card, base, over, host, plan, training)
            finally:
                del self._hosts[run.id]
                self._tidy(run.id)

    def _check_again(
        self,
        run: OpenRun,
        made: AdapterRecord,
        base: BaseModel,
        over: BaseModel | None,
        host: WorkerHost,
        plan: TrainingPlan | None,
        training: _Training | None = None,
    ) -> Event:
        """The verification in a process of its own, after ``training`` or, None, of what an earlier run has trained."""
        self._tidy(run.id)
        made = self._artifacts.update(msgspec.structs.replace(made, note=""))  # it is under way again
        trained = self._store.trained(made.name)
        file = made.file or self._bases.model(made.model).path
        if trained is None:
            raise UserError(f"The trained weights of {made.name!r} are missing.", "Train it again.")
        call = VerifyTrained(
            trained=str(trained),
            model=base,
            served=Served(kind=made.kind, path=file, bytes=made.bytes, can_merge=made.can_merge),
            questions=str(trained / QUESTIONS),
            metric=metric_of(made),
            scores=made.scores.after,
            over=over,
            verified_tokens=plan.verified_tokens if plan is not None else 0,
            packed=made.config is not None and made.config.weights.base == "packed",
        )
        with explained_work(_CHECK, _CHECK_AGAIN, run.context):
            verification = host.call(call, run.emit if training is None else training.take, run.context)
        run.emit(events.Artifact(kind="verification", id=run.id, result=msgspec.to_builtins(verification)))
        made = self._artifacts.record_verification(made, verification)
        return finish(_result(run.id, made, None if training is None else training.measured))

    def _over(self, model: ModelRecord) -> BaseModel | None:
        """The GGUF model that serves the adapter, if it is another one than the trained model."""
        served_over = self._bases.served_over(model) if model.format != "gguf" else None
        return self._bases.worker_model(served_over) if served_over is not None else None

    def _tidy(self, run: str) -> None:
        """Once the worker has gone: what was trained lies with its adapter, and what was served is there already."""
        made = self._store.of_run(run)
        if made is None:
            return
        folder = self._home.run(run)
        self._store.keep_trained(made.name, folder / TRAINED)
        if made.state == "checking":
            self._artifacts.update(msgspec.structs.replace(made, note=UNCHECKED))
        # the merges that a killed verification compared with are as large as the model
        places = (folder / SERVED, self._store.folder_of(made.name))
        halves = [half for place in places for half in place.glob(".*.gguf.*.part")]
        for file in [*(folder / SERVED).glob("*.gguf"), *halves]:
            file.unlink(missing_ok=True)

    def _plan(self, run: str) -> TrainingPlan | None:
        plan = PLAN.load(self._home.run(run) / PLAN_FILE)
        return plan if isinstance(plan, TrainingPlan) else None


class _Training:
    """One training as its events come in. ``apart``: it is verified by another process, once it has ended."""

    def __init__(
        self,
        run: OpenRun,
        card: AdapterRecord,
        artifacts: ArtifactRegistry,
        plan: TrainingPlan | None,
        *,
        apart: bool = False,
    ) -> None:
        self.card = card
        self.measured: dict[str, float] = {}
        self._run = run
        self._apart = apart
        self._artifacts = artifacts
        self._plan = plan
        self._published = False
        self._speeds: list[float] = []
        self._verification: VerificationReport | None = None
        self._clock = StageClock(plan.stages if plan is not None else ())

    def follow(self, host: WorkerHost, call: TrainModel) -> Event:
        for event in host.stream(call, self._run.context):
            if isinstance(event, events.Finished):
                return self._end(msgspec.convert(event.result, Trained))
            if isinstance(event, events.TERMINAL):
                return _explained(event, self._run, self._plan, checking=self._published)
            self.take(event)
        raise RuntimeError("the training ended without a terminal event")

    def take(self, event: Event) -> None:
        if isinstance(event, events.Metric) and event.name == SPEED:
            self._speeds.append(event.value)
        elif isinstance(event, events.Progress):
            event = self._clock.timed(event)
        elif isinstance(event, events.Artifact):
            if event.kind == "served":
                self._publish(msgspec.convert(event.result, Served))
                return
            self._note(event.kind, event.result)
        self._run.emit(event)

    def _note(self, kind: str, result: dict[str, Any]) -> None:
        """Keep what belongs on the card."""
        if kind == "scores":
            self._set(scores=msgspec.convert(result, ScoresPair))
        elif kind == "forgetting":
            self._set(forgetting=msgspec.convert(result, ScoresPair))
        elif kind == "data":
            self._set(examples=msgspec.convert(result, DataReport).train.examples)
        elif kind == "reward":
            self._set(reward=msgspec.convert(result, RewardReport))
        elif kind == "verification":
            self._verification = msgspec.convert(result, VerificationReport)
            self.card = self._artifacts.record_verification(self.card, self._verification)

    def _set(self, **fields: Any) -> None:
        self.card = msgspec.structs.replace(self.card, **fields)
        if self._published:
            self.card = self._artifacts.update(self.card)

    def _publish(self, served: Served) -> None:
        self.card = self._artifacts.publish(msgspec.structs.replace(self.card, created=time.time()), served)
        self._published = True
        self._artifacts.keep_fingerprints(self.card, Path(served.path).parents[1] / TRAINED / FINGERPRINTS_FILE)
        self._run.emit(events.Artifact(kind="adapter", id=self.card.name, result=CARD.plain(self.card)))

    def _end(self, trained: Trained) -> Event:
        if not self._published:
            raise RuntimeError("the training ended without anything to be served")
        self._set(steps=trained.steps, seconds=trained.seconds, scores=trained.scores, forgetting=trained.forgetting)
        if self._verification is None and not self._apart:
            self.card = self._artifacts.record_verification(self.card, None)
        self.measured = {"peak_memory_bytes": float(trained.peak_memory_bytes)}
        if self._speeds:
            self.measured[SPEED] = statistics.median(self._speeds)
        return finish(_result(self._run.id, self.card, self.measured))


def _explained(ended: Event, run: OpenRun, plan: TrainingPlan | None, *, checking: bool = False) -> Event:
    """The end of the run, explained where memory ran out in training or verification. One that was to
    stop, and was ended because it did not, is none."""
    if not isinstance(ended, events.Failed) or run.context.cancelled:
        return ended
    if checking:
        return explain_work(ended, _CHECK, _CHECK_AGAIN)
    return explain(ended, msgspec.convert(run.record.config, TrainingConfig), plan)


def _result(run: str, card: AdapterRecord, measured: dict[str, float] | None = None) -> TrainResult:
    metrics = {**flat(card.scores), **flat(card.forgetting, "general_"), **(measured or {})}
    return TrainResult(**{**shared(card, TrainResult), "run": run, "adapter": card.name, "metrics": metrics})


def default_name(config: TrainingConfig, model: str) -> str:
    """How the result is named where the person names none: by its data for fine-tuning on examples, else by its
    objective, since sets made of judgements are named by their date."""
    name = config.objective.name
    return f"{model}-{Path(config.data.path).stem if name == DEFAULT_OBJECTIVE else name}"
