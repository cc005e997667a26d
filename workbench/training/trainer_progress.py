"""What follows a step, whichever trainer computed it: its metrics, evaluations, early stopping and checkpoints.

``ResumedTrainer`` has the hooks by which transformers' trainers resume from these checkpoints, in place of their own.
"""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import torch

from workbench.api import events
from workbench.base.errors import Cancelled, UserError
from workbench.records.training import OptimiserPart
from workbench.training.artifacts import set_trainable
from workbench.training.checkpoints import (
    Checkpoints,
    RandomStates,
    Reached,
    capture_random,
    read_optimiser,
    read_random,
    read_reached,
    read_weights,
    restore_random,
)
from workbench.training.control import Control, Switch
from workbench.training.losses import ComputeLoss
from workbench.training.memory_use import memory_bytes
from workbench.training.objectives.objective import Objective
from workbench.training.peft_models import base_of, trainable_parameters
from workbench.training.ranks import Ranks
from workbench.training.sequences import TokenSequence

CHECKPOINT_EVERY_S = 600.0
"""However rarely is evaluated: no more than so much work is lost."""

_SPEED_OVER = 0.2  # of the newest step in the mean speed


class Stopped(Exception):
    """The control said so; a checkpoint was written."""


@dataclass(frozen=True)
class TrainerOptions:
    """The options of a trainer. ``evaluate`` gives the evaluation loss after a step (None: there is none) and
    tells of it; it is called every ``every`` steps and at the last one, by process 0 alone. ``pace`` is called before
    each micro-batch. ``dtype`` is that of the computation. ``fingerprint`` tells runs apart. ``loss_of`` is the
    objective's loss where it was made already."""

    optimiser: OptimiserPart
    train: Sequence[TokenSequence]
    folder: Path
    objective: Objective = field(default_factory=Objective)
    emit: Callable[[events.Event], None] = lambda event: None
    evaluate: Callable[[int], float | None] = lambda step: None
    every: int = 0
    patience: int = 0
    control: Control = field(default_factory=Switch)
    pace: Callable[[], None] = lambda: None
    ranks: Ranks = field(default_factory=Ranks)
    dtype: Any = torch.float32
    device: str = "cpu"
    checkpointing: bool = False
    fingerprint: str = ""
    keep_checkpoints: bool = True
    loss_of: ComputeLoss | None = None

    def autocast(self) -> AbstractContextManager[Any]:
        """Computes in the base's number format while the trainable weights are float32."""
        if self.dtype != torch.bfloat16:
            return nullcontext()
        autocast: AbstractContextManager[Any] = torch.autocast(torch.device(self.device).type, dtype=torch.bfloat16)
        return autocast


class TrainerProgress:
    """The progress of one training of ``steps`` steps over the trainable parameters of ``model``. All processes call
    the same methods in the same order."""

    def __init__(self, model: Any, options: TrainerOptions, steps: int) -> None:
        self.model, self.options, self.steps = model, options, steps
        self.trainable = trainable_parameters(model)
        self.checkpoints = Checkpoints(options.folder / "checkpoints")
        self.reached = self._before = Reached(step=0)
        self._step_seconds: float | None = None
        self._began = self._last_logged = self._last_checkpoint = time.monotonic()

    def resume(self) -> Path | None:
        """The latest sound checkpoint of this run, whose weights are set; None where there is none."""
        found = self.checkpoints.latest()
        if found is not None:
            self.reached = self._before = read_reached(found)
            set_trainable(self.model, read_weights(found))
        return found

    def begin(self, ended: bool = False) -> None:
        """Time is counted from here."""
        self._began = self._last_logged = self._last_checkpoint = time.monotonic()
        if self.is_due(self.reached.step, ended) and self.reached.evaluated != self.reached.step:
            self.evaluate(self.reached.step)  # it was stopped within

    @property
    def out_of_patience(self) -> bool:
        return bool(self.options.patience) and self.reached.worse >= self.options.patience

    def is_due(self, step: int, ended: bool = False) -> bool:
        """Whether there is an evaluation after this step. ``ended``: it is the last one."""
        every = self.options.every
        return step > 0 and (step == self.steps or ended or (bool(every) and step % every == 0))

    def log(self, step: int, numbers: Mapping[str, float | None], tokens: int) -> None:
        """Emit the metrics of a step of so many tokens."""
        now = time.monotonic()
        seconds = max(1e-6, now - self._last_logged)
        self._step_seconds = (
            seconds if self._step_seconds is None else self._step_seconds + _SPEED_OVER * (seconds - self._step_seconds)
        )
        self.reached = msgspec.structs.replace(
            self.reached,
            step=step,
            seconds=self._before.seconds + now - self._began,
            tokens=self.reached.tokens + tokens,
        )
        if not self.options.ranks.leads:
            return
        device = torch.device(self.options.device).type
        measured = {"tokens_per_second": tokens / seconds, "memory_bytes": float(memory_bytes(device))}
        for name, value in {**numbers, **measured}.items():
            if value is not None and math.isfinite(value):
                self.options.emit(events.Metric(name=name, value=value, step=step))
        left = (self.steps - step) * self._step_seconds
        self.options.emit(
            events.Progress(stage="training", done=step, total=self.steps, unit="steps", seconds_left=left)
        )

    def follow(self, step: int, write: Callable[[], None], ended: bool = False) -> bool:
        """Evaluate and write a checkpoint where they are due after a logged step; whether the training is to end."""
        due = self.is_due(step, ended)
        if due:
            self.evaluate(step)
        seldom = time.monotonic() - self._last_checkpoint > CHECKPOINT_EVERY_S
        late, patience = self.options.ranks.from_leader([float(seldom), float(self.out_of_patience)])
        if due or late:
            write()
        self._last_logged = time.monotonic()
        return bool(patience) or ended

    def evaluate(self, step: int) -> None:
        loss: float | None = None
        if self.options.ranks.leads:
            self.model.eval()
            with self.options.autocast(), suppress(Cancelled):  # stopped within: the next step sees it too
                loss = self.options.evaluate(step)
        shared = self.options.ranks.from_leader([math.nan if loss is None else loss])[0]
        if not math.isfinite(shared):
            return
        self.reached = msgspec.structs.replace(self.reached, evaluated=step)
        if self.reached.best_loss is None or shared < self.reached.best_loss:
            self.reached = msgspec.structs.replace(self.reached, best_loss=shared, best_step=step, worse=0)
        else:
            self.reached = msgspec.structs.replace(self.reached, worse=self.reached.worse + 1)

    def write(
        self,
        trainer: Any,
        randoms: RandomStates | None = None,
        objective: Mapping[str, Any] | None = None,
        updates: int = 1,
    ) -> None:
        """Write a checkpoint of a trainer of transformers, which takes ``updates`` of its steps for one of these.
        ``randoms``: as they are now where none are given."""
        self._last_checkpoint = time.monotonic()
        if not self.options.keep_checkpoints:
            return
        everyones = self.options.ranks.gather(randoms or capture_random())
        if not self.options.ranks.leads or trainer.optimizer is None:
            return
        self.reached = msgspec.structs.replace(self.reached, step=trainer.state.global_step // updates)
        path = self.checkpoints.write(
            self.reached,
            weights=self.trainable,
            optimiser=trainer.optimizer.state_dict(),
            scheduler=trainer.lr_scheduler.state_dict(),
            randoms=everyones,
            state=dataclasses.asdict(trainer.state),
            fingerprint=self.options.fingerprint,
            objective=objective,
        )
        self.options.emit(events.Artifact(kind="checkpoint", id=path.name, result={"step": self.reached.step}))


class ResumedTrainer:
    """A trainer of transformers that resumes from the checkpoints of ``progress``."""

    progress: TrainerProgress
    optimizer: Any
    lr_scheduler: Any

    def release(self) -> None:
        """Let go of the optimiser's states once the training is over."""
        self.optimizer = self.lr_scheduler = None

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
        set_trainable(self.progress.model, read_weights(Path(resume_from_checkpoint)))

    def _load_optimizer_and_scheduler(self, checkpoint: str | None) -> None:
        if checkpoint is not None:
            optimiser, scheduler = read_optimiser(Path(checkpoint))
            self.optimizer.load_state_dict(optimiser)
            self.lr_scheduler.load_state_dict(scheduler)

    def _load_rng_state(self, checkpoint: str | None) -> None:
        rank = self.progress.options.ranks.rank
        if checkpoint is not None and (states := read_random(Path(checkpoint), rank)) is not None:
            restore_random(states)


def diverged(what: str, value: float, step: int, learning_rate: float) -> UserError:
    """Of a loss or gradient that is no number."""
    return UserError(
        f"The {what} became {value} in step {step}: the training diverged.",
        f"Lower the learning rate (it was {learning_rate:.2g}), or set gradient clipping to 1.",
    )


def set_checkpointing(model: Any, on: bool) -> None:
    """Whether activations are computed twice instead of stored."""
    base = base_of(model)
    new = hasattr(base, "activation_checkpointing_enable")  # its name in newer transformers
    name = "activation_checkpointing" if new else "gradient_checkpointing"
    if on:
        getattr(base, f"{name}_enable")(**{f"{name}_kwargs": {"use_reentrant": False}})
    else:
        getattr(base, f"{name}_disable")()
