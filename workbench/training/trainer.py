"""The trainer: transformers' own, whose batch is a whole step, computed in micro-batches of examples of similar length.

What is ours: the micro-batches and their loss, stopping and pausing, the metrics of each step, checkpoints that are
complete or absent and resumed from exactly. The optimiser, the schedule, clipping and the order of all that are
transformers'.
"""

from __future__ import annotations

import copy
import dataclasses
import logging
import math
import time
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import torch
from torch.utils.data import DataLoader
from transformers import PrinterCallback, Trainer, TrainingArguments

from workbench.api import events
from workbench.errors import Cancelled, UserError
from workbench.records.training import OptimiserPart
from workbench.training.artifacts import set_trainable
from workbench.training.batching import MICRO_BATCH_TOKENS, make_micro_batches
from workbench.training.checkpoints import (
    Checkpoints,
    RandomStates,
    Reached,
    capture_random,
    read_objective,
    read_optimiser,
    read_random,
    read_reached,
    read_weights,
    restore_random,
)
from workbench.training.control import Control, Switch
from workbench.training.losses import ComputeLoss, ExperienceLoss, StepLoss, StepWork, keeps_apart
from workbench.training.memory_use import memory_bytes
from workbench.training.objectives.objective import Objective
from workbench.training.peft_models import base_of, trainable_parameters
from workbench.training.ranks import Ranks
from workbench.training.sequences import TokenSequence, longest_of
from workbench.training.steps import Step, Steps

CHECKPOINT_EVERY_S = 600.0
"""However rarely is evaluated: no more than so much work is lost."""

_OPTIMISERS = {"adamw": "adamw_torch_fused", "adafactor": "adafactor", "sgd": "sgd"}
_SCHEDULES = {"cosine": "cosine", "linear": "linear", "constant": "constant_with_warmup"}
_SPEED_OVER = 0.2  # of the newest step in the mean speed
_log = logging.getLogger(__name__)


class Stopped(Exception):
    """The control said so; a checkpoint was written."""


@dataclass(frozen=True)
class TrainerOptions:
    """The options of a trainer. ``evaluate`` gives the evaluation loss after a step (None: there is none) and
    tells of it; it is called every ``every`` steps and at the last one, by process 0 alone. ``pace`` is called before
    each micro-batch. ``dtype`` is that of the computation. ``fingerprint`` tells runs apart."""

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


def arguments_of(part: OptimiserPart, steps: int) -> dict[str, Any]:
    """The ``TrainingArguments`` of a config, but for those that say how and where it is computed."""
    return {
        "max_steps": steps,
        "learning_rate": part.learning_rate,
        "lr_scheduler_type": _SCHEDULES[part.schedule],
        "warmup_steps": warmup_steps(part.warmup_ratio, steps),
        "weight_decay": part.weight_decay,
        "max_grad_norm": part.gradient_clipping or math.inf,
        "optim": _OPTIMISERS[part.optimiser],
        "seed": part.seed,
    }


class StepTrainer(Trainer):  # type: ignore[misc]  # transformers is not followed
    """Trains ``trainable_parameters(model)`` on steps of whole batches. ``run`` starts or resumes."""

    def __init__(self, model: Any, options: TrainerOptions) -> None:
        self.options = options
        self.steps = Steps(
            options.train, options.objective.loss_weights(options.train), options.optimiser, options.ranks
        )
        self.checkpoints = Checkpoints(options.folder / "checkpoints")
        self.reached = Reached(step=0)
        self._trainable = trainable_parameters(model)
        self._compute_loss: ComputeLoss | None = None
        self._apart = False
        self._at_step_start: RandomStates | None = None
        self._before_updates: tuple[dict[str, Any], Any] | None = None
        self._loss = math.nan
        self._measured: dict[str, float] = {}
        self._tokens = 0
        self._step_seconds: float | None = None
        self._began = self._last_logged = self._last_checkpoint = time.monotonic()
        self._before = Reached(step=0)
        self._logged_step = -1
        part = options.optimiser
        arguments = TrainingArguments(
            output_dir=str(options.folder / "checkpoints"),
            per_device_train_batch_size=1,
            logging_strategy="no",
            save_strategy="no",
            eval_strategy="no",
            report_to=[],
            disable_tqdm=True,
            remove_unused_columns=False,
            dataloader_pin_memory=False,
            logging_nan_inf_filter=False,
            use_cpu=options.device == "cpu",
            **arguments_of(part, len(self.steps)),
            **options.objective.training_arguments(),
        )
        arguments._n_gpu = min(1, arguments.n_gpu)  # several GPUs are several processes here
        super().__init__(model=model, args=arguments, train_dataset=self.steps)
        self.remove_callback(PrinterCallback)

    # -- beginning and going on ----------------------------------------------------------------------

    def run(self) -> Reached:
        """Train to the end, from the latest sound checkpoint of this run if there is one.

        Raises Stopped when the control said so (a checkpoint is written then), UserError for a loss that is no number.
        """
        found = self.checkpoints.latest()
        if found is not None:
            self.reached = self._before = read_reached(found)
            self._load_from_checkpoint(str(found))
        sample = longest_of(self.options.train).tokens
        self._compute_loss = self.options.objective.make_loss(self.model, sample, self.options.dtype)
        if found is not None and isinstance(self._compute_loss, ExperienceLoss):
            self._compute_loss.restore(read_objective(found))
        several = any(one.starts for one in self.options.train)
        self._apart = several and keeps_apart(self.model, self.options.dtype)
        if self.options.checkpointing:
            _set_checkpointing(self.model, True)
        self.options.ranks.assert_differing(self.steps[0].places)
        self._began = self._last_logged = self._last_checkpoint = time.monotonic()
        if self._is_due(self.reached.step) and self.reached.evaluated != self.reached.step:
            self._evaluate_now(self.reached.step)  # it was stopped within
        if self._out_of_patience or self._ended:
            return self.reached
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                self.train(resume_from_checkpoint=None if found is None else str(found))
        except Stopped:
            self.model.zero_grad(set_to_none=True)
            self._undo_updates()
            self._write_checkpoint(self._at_step_start)
            raise
        finally:
            if self.options.checkpointing:
                _set_checkpointing(self.model, False)
        return self.reached

    def get_train_dataloader(self) -> Any:
        # a generator of its own: the loader draws a number that must not come out of the training's
        return DataLoader(
            self.steps, batch_size=1, shuffle=False, collate_fn=lambda steps: steps[0], generator=torch.Generator()
        )

    def get_batch_samples(self, epoch_iterator: Any, num_batches: int, device: Any) -> tuple[list[Any], None]:
        return [step for _, step in zip(range(num_batches), epoch_iterator, strict=False)], None

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
        set_trainable(self.model, read_weights(Path(resume_from_checkpoint)))

    def _load_optimizer_and_scheduler(self, checkpoint: str | None) -> None:
        if checkpoint is not None:
            optimiser, scheduler = read_optimiser(Path(checkpoint))
            self.optimizer.load_state_dict(optimiser)
            self.lr_scheduler.load_state_dict(scheduler)

    def _load_rng_state(self, checkpoint: str | None) -> None:
        if checkpoint is not None and (states := read_random(Path(checkpoint), self.options.ranks.rank)) is not None:
            restore_random(states)

    # -- a step --------------------------------------------------------------------------------------

    def training_step(self, model: Any, inputs: Step, num_items_in_batch: Any = None) -> Any:
        """The gradient of a whole step, summed over its micro-batches and all processes; gives its loss."""
        model.train()
        self._at_step_start = capture_random()
        examples = [self.options.train[place] for place in inputs.places]
        if isinstance(self._compute_loss, ExperienceLoss):
            return self._experience_step(model, self._compute_loss, examples)
        if isinstance(self._compute_loss, StepLoss):
            with self.autocast():
                self._compute_loss.begin_step(model, examples, self.options.ranks)
        self._tokens += inputs.tokens
        return self._gradient(model, StepWork(examples, inputs.weight))

    def _experience_step(self, model: Any, loss_of: ExperienceLoss, examples: Sequence[TokenSequence]) -> Any:
        """A step of several updates on rows that the model makes itself; the last one is left to transformers, which
        does nothing where there is no gradient."""
        try:
            with self.autocast():
                work = loss_of.collect(model, self.state.global_step + 1, examples)
        except Cancelled as cancelled:
            raise Stopped from cancelled
        values = {name: parameter.detach().clone() for name, parameter in self._trainable.items()}
        self._before_updates = values, copy.deepcopy(self.optimizer.state_dict())
        loss, self._loss = torch.zeros((), device=self.args.device), math.nan
        for update in range(work.updates):
            if update:
                torch.nn.utils.clip_grad_norm_(self._trainable.values(), self.args.max_grad_norm)
                self.optimizer.step()
                model.zero_grad(set_to_none=True)
            found = self._gradient(model, work)
            loss = loss if update else found
            if not loss_of.updates_on(update):
                model.zero_grad(set_to_none=True)
                break
        self._before_updates = None
        self._tokens += work.tokens
        self._measured = {**self._measured, **loss_of.end_step()}
        if self._ended:
            self.options.emit(events.Log(text=loss_of.out_of_bounds, level="notice"))
        return loss

    @property
    def _ended(self) -> bool:
        """Whether the objective ends the training here."""
        return isinstance(self._compute_loss, ExperienceLoss) and bool(self._compute_loss.out_of_bounds)

    def _undo_updates(self) -> None:
        """Where a step was stopped between its updates: the weights and the optimiser as they were before it."""
        if self._before_updates is not None:
            values, optimiser = self._before_updates
            set_trainable(self.model, values)
            self.optimizer.load_state_dict(optimiser)
            self._before_updates = None

    def _gradient(self, model: Any, work: StepWork) -> Any:
        """Add the gradient of some rows, in micro-batches, to that of the weights; gives the loss."""
        options = self.options
        stopping = False
        names = options.objective.loss_metrics
        total, *measured = torch.zeros(1 + len(names), device=self.args.device)
        weight = max(1, work.weight)
        lengths = [len(row.tokens) for row in work.rows]
        for rows in make_micro_batches(lengths, options.optimiser.micro_batch_tokens or MICRO_BATCH_TOKENS):
            options.control.wait_while_paused()
            if options.control.stopping:
                stopping = True
                break
            options.pace()
            chosen = [work.rows[row] for row in rows]
            assert self._compute_loss is not None
            with self.autocast():
                found = self._compute_loss(model, chosen, self._apart)
                loss = found.total / weight
            loss.backward()
            total += loss.detach()
            for name, into in zip(names, measured, strict=True):
                into += float(found.metrics[name]) / weight
        stopping = stopping or (options.control.stopping and not work.rows)
        reduced = torch.stack([total, torch.tensor(float(stopping), device=total.device), *measured])
        if options.ranks.count > 1:
            for parameter in self._trainable.values():
                if parameter.grad is None:
                    parameter.grad = torch.zeros_like(parameter)
            options.ranks.add_up([reduced, *(parameter.grad for parameter in self._trainable.values())])
        self._loss = float(reduced[0])
        if reduced[1]:
            raise Stopped
        if not math.isfinite(self._loss):
            raise _diverged("loss", self._loss, self.state.global_step + 1, self._get_learning_rate())
        self._measured = dict(zip(names, reduced[2:].tolist(), strict=True))
        return reduced[0]

    def autocast(self) -> Any:
        """Computes in the base's number format while the trainable weights are float32."""
        return torch.autocast(self.args.device.type, dtype=torch.bfloat16, enabled=self.options.dtype == torch.bfloat16)

    def floating_point_ops(self, inputs: Any) -> int:
        return 0

    # -- after a step --------------------------------------------------------------------------------

    def _maybe_log_save_evaluate(self, tr_loss: Any, grad_norm: Any, *unused: Any, **options: Any) -> None:
        step = self.state.global_step
        if step == self._logged_step:
            return  # transformers asks once more at the end
        self._logged_step = step
        if grad_norm is not None and not math.isfinite(float(grad_norm)):
            # the weights are no numbers any more: no checkpoint of them, so that the one before can be gone on from
            raise _diverged("gradient", float(grad_norm), step, options.get("learning_rate") or 0.0)
        now = time.monotonic()
        self._log_step(step, now, grad_norm, options.get("learning_rate"))
        due = self._is_due(step)
        if due:
            self._evaluate_now(step)
        seldom = time.monotonic() - self._last_checkpoint > CHECKPOINT_EVERY_S
        late, patience = self.options.ranks.from_leader([float(seldom), float(self._out_of_patience)])
        if due or late:
            self._write_checkpoint(None)
        if patience or self._ended:
            self.control.should_training_stop = True
        self._last_logged = time.monotonic()

    def _is_due(self, step: int) -> bool:
        """Whether there is an evaluation after this step."""
        every = self.options.every
        return step > 0 and (step == len(self.steps) or self._ended or (bool(every) and step % every == 0))

    @property
    def _out_of_patience(self) -> bool:
        return bool(self.options.patience) and self.reached.worse >= self.options.patience

    def _log_step(self, step: int, now: float, grad_norm: Any, learning_rate: float | None) -> None:
        seconds = max(1e-6, now - self._last_logged)
        tokens, self._tokens = self._tokens, 0
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
        numbers = {
            "loss": self._loss,
            "learning_rate": learning_rate,
            "gradient_norm": None if grad_norm is None else float(grad_norm),
            "tokens_per_second": tokens / seconds,
            "memory_bytes": float(memory_bytes(self.args.device.type)),
            **self._measured,
        }
        for name, value in numbers.items():
            if value is not None and math.isfinite(value):
                self.options.emit(events.Metric(name=name, value=value, step=step))
        left = (len(self.steps) - step) * self._step_seconds
        self.options.emit(
            events.Progress(stage="training", done=step, total=len(self.steps), unit="steps", seconds_left=left)
        )

    def _evaluate_now(self, step: int) -> None:
        loss: float | None = None
        if self.options.ranks.leads:
            self.model.eval()
            with self.autocast(), suppress(Cancelled):  # stopped within: the next step sees it too
                loss = self.options.evaluate(step)
        shared = self.options.ranks.from_leader([math.nan if loss is None else loss])[0]
        if not math.isfinite(shared):
            return
        self.reached = msgspec.structs.replace(self.reached, evaluated=step)
        if self.reached.best_loss is None or shared < self.reached.best_loss:
            self.reached = msgspec.structs.replace(self.reached, best_loss=shared, best_step=step, worse=0)
        else:
            self.reached = msgspec.structs.replace(self.reached, worse=self.reached.worse + 1)

    def _write_checkpoint(self, randoms: RandomStates | None) -> None:
        self._last_checkpoint = time.monotonic()
        if not self.options.keep_checkpoints:
            return
        everyones = self.options.ranks.gather(randoms or capture_random())
        if not self.options.ranks.leads or self.optimizer is None:
            return
        self.reached = msgspec.structs.replace(self.reached, step=self.state.global_step)
        path = self.checkpoints.write(
            self.reached,
            weights=self._trainable,
            optimiser=self.optimizer.state_dict(),
            scheduler=self.lr_scheduler.state_dict(),
            randoms=everyones,
            state=dataclasses.asdict(self.state),
            fingerprint=self.options.fingerprint,
            objective=self._compute_loss.state() if isinstance(self._compute_loss, ExperienceLoss) else None,
        )
        self.options.emit(events.Artifact(kind="checkpoint", id=path.name, result={"step": self.reached.step}))


def _diverged(what: str, value: float, step: int, learning_rate: float) -> UserError:
    return UserError(
        f"The {what} became {value} in step {step}: the training diverged.",
        f"Lower the learning rate (it was {learning_rate:.2g}), or set gradient clipping to 1.",
    )


def _set_checkpointing(model: Any, on: bool) -> None:
    base = base_of(model)
    new = hasattr(base, "activation_checkpointing_enable")  # its name in newer transformers
    name = "activation_checkpointing" if new else "gradient_checkpointing"
    if on:
        getattr(base, f"{name}_enable")(**{f"{name}_kwargs": {"use_reentrant": False}})
    else:
        getattr(base, f"{name}_disable")()


def warmup_steps(share: float, steps: int) -> int:
    """Over how many steps the learning rate rises. It begins at 0, so that a rise of one step would only lose it."""
    found = round(share * steps)
    return found if found > 1 else 0
