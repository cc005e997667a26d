"""Trainings before they run: data inspection, the plan, and queueing."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import suppress
from pathlib import Path

import msgspec

from workbench.api import events
from workbench.api.events import Event
from workbench.api.protocol import RequestContext, finish, follow
from workbench.base.errors import UserError
from workbench.base.paths import Home, new_path
from workbench.core.streams import Handlers
from workbench.engine.machine import read_machine
from workbench.records.models import ModelRecord
from workbench.records.training import (
    PLAN,
    TRAINING,
    MemoryPart,
    TrainerName,
    TrainingConfig,
    TrainingPlan,
    TrainResult,
    dump_config,
)
from workbench.records.training.config import DEFAULT_OBJECTIVE
from workbench.subjects.adapters.base_models import BaseModels
from workbench.subjects.adapters.store import AdapterStore
from workbench.subjects.adapters.trained_data import TrainedData
from workbench.subjects.datasets.calls import InspectData
from workbench.subjects.runs.calls import ListRuns
from workbench.subjects.runs.log import RunLog
from workbench.subjects.runs.queue import Runs
from workbench.subjects.trainings.calls import ExportRun, PlanTraining, Train
from workbench.subjects.trainings.judges import TrainingJudges, reward_model_files
from workbench.subjects.trainings.runs import CONFIG, PLAN_FILE, SPEED
from workbench.techniques.registry import METHODS
from workbench.training.experience.sizes import ENGINE_BYTES
from workbench.training.protocol import ExportTraining, InspectSet, MeasuredSpeed, Plan
from workbench.training.worker_host import TrainingWorkers


def with_names(config: TrainingConfig, given: TrainingConfig) -> TrainingConfig:
    """A resolved config that names its examples, and its adapter, as they were given: the home can be moved."""
    data = msgspec.structs.replace(config.data, path=given.data.path, evaluation_path=given.data.evaluation_path)
    return msgspec.structs.replace(config, data=data)


RUNS_LOOKED_AT = 500


class Training:
    def __init__(
        self,
        home: Home,
        bases: BaseModels,
        workers: TrainingWorkers,
        runs: Runs,
        store: AdapterStore,
        judges: TrainingJudges,
        trained: TrainedData,
    ) -> None:
        self._home = home
        self._bases = bases
        self._workers = workers
        self._runs = runs
        self._store = store
        self._judges = judges
        self._trained = trained

    def handlers(self) -> Handlers:
        return {InspectData: self.inspect, PlanTraining: self.plan, Train: self.train, ExportRun: self.export}

    def inspect(self, call: InspectData, context: RequestContext) -> Iterator[Event]:
        model = self._bases.model(call.config.model)
        asked = InspectSet(
            config=self._bases.with_paths(call.config),
            model=msgspec.structs.replace(self._bases.worker_model(model), earlier=self._trained.earlier(model.name)),
            previews=call.previews,
            first=call.first,
        )
        with self._workers.shared() as host:
            yield from host.stream(asked, context)

    def plan(self, call: PlanTraining, context: RequestContext) -> Iterator[Event]:
        yield finish((yield from self.planned(call.config, context)))

    def train(self, call: Train, context: RequestContext) -> Iterator[Event]:
        plan = yield from self.planned(call.config, context)
        if plan.problem:
            raise UserError(plan.problem, plan.hint)
        context.raise_if_cancelled()  # the plan was there before the worker heard of it
        config = plan.config
        title = config.name or f"{Path(config.data.path).stem}: {what_trains(config)} on {config.model}"

        def prepare(folder: Path, log: RunLog) -> None:
            (folder / CONFIG).write_text(dump_config(config), "utf-8")
            PLAN.save(folder / PLAN_FILE, plan)
            log.append(events.Artifact(kind="asked", id=folder.name, result=TRAINING.plain(call.config)))
            log.append(events.Artifact(kind="plan", id=folder.name, result=PLAN.plain(plan)))

        yield finish(self._runs.add("train", title, config, prepare=prepare))

    def export(self, call: ExportRun, context: RequestContext) -> Iterator[Event]:
        self._workers.require_packages("The export of a training")
        record = self._runs.get(call.run)
        if record.kind != "train":
            raise UserError(f"{record.title!r} is not a training.", "Only trainings can be exported.")
        if record.unreadable:
            raise UserError(record.unreadable)
        config = msgspec.convert(record.config, TrainingConfig)
        asked = ExportTraining(
            config=self._bases.with_paths(config),
            model=self._bases.worker_model(self._bases.model(config.model)),
            folder=str(self._runs.folder(record.id)),
            out=str(new_path(call.path)),
            details={"run": record.id, "title": record.title, "state": record.state, "result": record.result},
        )
        with self._workers.shared() as host:
            yield from host.stream(asked, context)

    def planned(
        self, config: TrainingConfig, context: RequestContext, *, measure: bool = False
    ) -> Generator[Event, None, TrainingPlan]:
        """The plan is the generator's value; ``measure``: with a speed that is measured now. What other trainings take
        now is free once it is this one's turn."""
        self._workers.require_packages()
        model = self._bases.model(config.model)
        config = msgspec.structs.replace(config, model=model.name)
        memory = read_machine(self._home.root).memory_free_bytes + self._workers.memory_bytes
        beside = 0
        with suppress(UserError):  # it is a problem of the plan, below
            beside = self._judge_bytes(config)
        asked = Plan(
            config=self._bases.with_paths(config),
            model=self._bases.worker_model(model),
            runs=str(self._home.runs),
            memory_free_bytes=memory,
            other_bytes=beside,
            speeds=self._speeds(config.trainer),
            measure=measure,
        )
        with self._workers.shared() as host:
            plan = yield from follow(TrainingPlan, host.stream(asked, context))
        plan = msgspec.structs.replace(
            plan, config=with_names(plan.config, config), notes=(*plan.notes, *self._served_notes(model))
        )
        return plan if plan.problem else self._with_rewards(plan, model)

    def _with_rewards(self, plan: TrainingPlan, model: ModelRecord) -> TrainingPlan:
        """The plan with the models that its rewards ask: what is known of them, their memory, what is wrong."""
        try:
            base = Path(self._bases.worker_model(model).path)
            reward_model_files(plan.config, base, self._store, self._home.adapters)
            size = self._judge_bytes(plan.config)
            runs = self._runs.list_runs(ListRuns(limit=RUNS_LOOKED_AT)).runs if size else ()
            notes = self._judges.notes(plan.config, runs, self._runs.folder)
        except UserError as error:
            return msgspec.structs.replace(plan, problem=error.message, hint=error.hint)
        return with_memory(msgspec.structs.replace(plan, notes=(*plan.notes, *notes)), "judge", size)

    def _judge_bytes(self, config: TrainingConfig) -> int:
        """The memory of the largest judge: one is loaded at a time. Raises UserError as ``TrainingJudges.find``."""
        files = {Path(one.path) for one in self._judges.find(config).values()}
        return max((ENGINE_BYTES + file.stat().st_size for file in files), default=0)

    def _served_notes(self, model: ModelRecord) -> list[str]:
        """Notes on which model serves an adapter that was trained on a folder of safetensors."""
        if model.format == "gguf":
            return []
        over = self._bases.served_over(model)
        what = f"{model.name} is a folder of safetensors, which cannot be used in chats."
        if over is not None:
            return [f"{what} Adapters trained on it are used with {over.name}, and verified with it."]
        return [
            f"{what} There is no GGUF model of the same shapes here: an adapter trained on it can be neither "
            "used in chats nor verified, only exported as a PEFT folder. Import the same model as a GGUF file "
            "first."
        ]

    def _speeds(self, trainer: TrainerName) -> tuple[MeasuredSpeed, ...]:
        """The measured speeds of trainings here by this trainer, the latest of each kind, the latest of all first."""
        found: dict[tuple[str, str, str], MeasuredSpeed] = {}
        for run in self._runs.list_runs(ListRuns(limit=RUNS_LOOKED_AT)).runs:
            if run.kind != "train" or run.state != "finished" or run.unreadable:
                continue
            result = msgspec.convert(run.result, TrainResult)
            config = msgspec.convert(run.config, TrainingConfig)
            if SPEED in result.metrics and config.trainer == trainer:
                kind = config.model, str(config.weights.method), str(config.weights.base)
                speed = MeasuredSpeed(
                    model=kind[0], method=kind[1], base=kind[2], tokens_per_second=result.metrics[SPEED]
                )
                found.setdefault(kind, speed)
        return tuple(found.values())


def what_trains(config: TrainingConfig) -> str:
    """The method, or what it is trained for where that is more than to answer as the examples do."""
    name = config.objective.name
    if name == DEFAULT_OBJECTIVE:
        return METHODS.find(config.weights.method, "weights").title
    return METHODS.find(name, "objective").title


def with_memory(plan: TrainingPlan, name: str, size: int) -> TrainingPlan:
    """The plan with another part of the memory, and its problem where that does not fit any more."""
    if not size:
        return plan
    needed = plan.memory_bytes + size
    plan = msgspec.structs.replace(plan, memory=(*plan.memory, MemoryPart(name, size)), memory_bytes=needed)
    if needed <= plan.memory_free_bytes:
        return plan
    sizes = f"{needed / 1e9:.1f} GB of memory with its {name}; {plan.memory_free_bytes / 1e9:.1f} GB are free"
    return msgspec.structs.replace(
        plan, problem=f"The training needs about {sizes}.", hint=f"Close other programs, or choose a smaller {name}."
    )
