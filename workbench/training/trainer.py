"""The trainer: transformers' own, whose batch is a whole step, computed in micro-batches of examples of similar length.

What is ours: the micro-batches and their loss, stopping and pausing, the metrics of each step, checkpoints that are
complete or absent and resumed from exactly. The optimiser, the schedule, clipping and the order of all that are
transformers'.

The steps of a training as a data set of their numbers: which examples each process computes in each.
"""

from __future__ import annotations

import copy
import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.utils.data import DataLoader, Dataset
from transformers import PrinterCallback, Trainer, TrainingArguments

from workbench.api import events
from workbench.base.errors import Cancelled
from workbench.records.training import OptimiserPart
from workbench.training.artifacts import set_trainable
from workbench.training.batching import MICRO_BATCH_TOKENS, Schedule, count_steps, make_micro_batches, share_out
from workbench.training.checkpoints import (
    Checkpoints,
    RandomStates,
    Reached,
    capture_random,
    read_objective,
)
from workbench.training.losses import ComputeLoss, ExperienceLoss, StepLoss, StepWork, keeps_apart
from workbench.training.ranks import Ranks
from workbench.training.sequences import TokenSequence, lengths_of, longest_of
from workbench.training.trainer_progress import (
    ResumedTrainer,
    Stopped,
    TrainerOptions,
    TrainerProgress,
    diverged,
    set_checkpointing,
)

_OPTIMISERS = {"adamw": "adamw_torch_fused", "adafactor": "adafactor", "sgd": "sgd"}
_SCHEDULES = {"cosine": "cosine", "linear": "linear", "constant": "constant_with_warmup"}


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


class StepTrainer(ResumedTrainer, Trainer):  # type: ignore[misc]  # transformers is not followed
    """Trains ``trainable_parameters(model)`` on steps of whole batches. ``run`` starts or resumes."""

    def __init__(self, model: Any, options: TrainerOptions) -> None:
        self.options = options
        self.steps = Steps(
            options.train, options.objective.loss_weights(options.train), options.optimiser, options.ranks
        )
        self.progress = TrainerProgress(model, options, len(self.steps))
        self._compute_loss: ComputeLoss | None = None
        self._apart = False
        self._at_step_start: RandomStates | None = None
        self._before_updates: tuple[dict[str, Any], Any] | None = None
        self._loss = math.nan
        self._measured: dict[str, float] = {}
        self._tokens = 0
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
        found = self.progress.resume()
        sample = longest_of(self.options.train).tokens
        made = self.options.loss_of
        self._compute_loss = made or self.options.objective.make_loss(self.model, sample, self.options.dtype)
        if found is not None and isinstance(self._compute_loss, ExperienceLoss):
            self._compute_loss.restore(read_objective(found))
        several = any(one.starts for one in self.options.train)
        self._apart = several and keeps_apart(self.model, self.options.dtype)
        if self.options.checkpointing:
            set_checkpointing(self.model, True)
        self.options.ranks.assert_differing(self.steps[0].places)
        self.progress.begin(self._ended)
        if self.progress.out_of_patience or self._ended:
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
                set_checkpointing(self.model, False)
        return self.reached

    @property
    def reached(self) -> Reached:
        return self.progress.reached

    @property
    def checkpoints(self) -> Checkpoints:
        return self.progress.checkpoints

    def get_train_dataloader(self) -> Any:
        # a generator of its own: the loader draws a number that must not come out of the training's
        return DataLoader(
            self.steps, batch_size=1, shuffle=False, collate_fn=lambda steps: steps[0], generator=torch.Generator()
        )

    def get_batch_samples(self, epoch_iterator: Any, num_batches: int, device: Any) -> tuple[list[Any], None]:
        return [step for _, step in zip(range(num_batches), epoch_iterator, strict=False)], None

    # -- a step --------------------------------------------------------------------------------------

    def training_step(self, model: Any, inputs: Step, num_items_in_batch: Any = None) -> Any:
        """The gradient of a whole step, summed over its micro-batches and all processes; gives its loss."""
        model.train()
        self._at_step_start = capture_random()
        examples = [self.options.train[place] for place in inputs.places]
        if isinstance(self._compute_loss, ExperienceLoss):
            return self._experience_step(model, self._compute_loss, examples)
        if isinstance(self._compute_loss, StepLoss):
            with self.options.autocast():
                self._compute_loss.begin_step(model, examples, self.options.ranks)
        self._tokens += inputs.tokens
        return self._gradient(model, StepWork(examples, inputs.weight))

    def _experience_step(self, model: Any, loss_of: ExperienceLoss, examples: Sequence[TokenSequence]) -> Any:
        """A step of several updates on rows that the model makes itself; the last one is left to transformers, which
        does nothing where there is no gradient."""
        try:
            with self.options.autocast():
                work = loss_of.collect(model, self.state.global_step + 1, examples)
        except Cancelled as cancelled:
            raise Stopped from cancelled
        values = {name: parameter.detach().clone() for name, parameter in self.progress.trainable.items()}
        self._before_updates = values, copy.deepcopy(self.optimizer.state_dict())
        loss, self._loss = torch.zeros((), device=self.args.device), math.nan
        for update in range(work.updates):
            if update:
                torch.nn.utils.clip_grad_norm_(self.progress.trainable.values(), self.args.max_grad_norm)
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
            with self.options.autocast():
                found = self._compute_loss(model, chosen, self._apart)
                loss = found.total / weight
            loss.backward()
            total += loss.detach()
            for name, into in zip(names, measured, strict=True):
                into += float(found.metrics[name]) / weight
        stopping = stopping or (options.control.stopping and not work.rows)
        reduced = torch.stack([total, torch.tensor(float(stopping), device=total.device), *measured])
        if options.ranks.count > 1:
            for parameter in self.progress.trainable.values():
                if parameter.grad is None:
                    parameter.grad = torch.zeros_like(parameter)
            options.ranks.add_up([reduced, *(parameter.grad for parameter in self.progress.trainable.values())])
        self._loss = float(reduced[0])
        if reduced[1]:
            raise Stopped
        if not math.isfinite(self._loss):
            raise diverged("loss", self._loss, self.state.global_step + 1, self._get_learning_rate())
        self._measured = dict(zip(names, reduced[2:].tolist(), strict=True))
        return reduced[0]

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
            raise diverged("gradient", float(grad_norm), step, options.get("learning_rate") or 0.0)
        numbers = {
            "loss": self._loss,
            "learning_rate": options.get("learning_rate"),
            "gradient_norm": None if grad_norm is None else float(grad_norm),
            **self._measured,
        }
        tokens, self._tokens = self._tokens, 0
        self.progress.log(step, numbers, tokens)
        if self.progress.follow(step, lambda: self._write_checkpoint(None), ended=self._ended):
            self.control.should_training_stop = True

    def _write_checkpoint(self, randoms: RandomStates | None) -> None:
        kept = self._compute_loss.state() if isinstance(self._compute_loss, ExperienceLoss) else None
        self.progress.write(self, randoms, kept)


def warmup_steps(share: float, steps: int) -> int:
    """Over how many steps the learning rate rises. It begins at 0, so that a rise of one step would only lose it."""
    found = round(share * steps)
    return found if found > 1 else 0


@dataclass(frozen=True)
class Step:
    """One process's share of a step: places of examples. ``weight`` is the sum of the loss weights of the whole step,
    ``tokens`` the number of all its tokens."""

    places: tuple[int, ...]
    weight: int
    tokens: int


class Steps(Dataset):  # type: ignore[misc]  # torch is not followed
    """The steps of a training as a sequence of their numbers. ``weights`` are the loss weights of the examples."""

    def __init__(
        self, train: Sequence[TokenSequence], weights: Sequence[int], part: OptimiserPart, ranks: Ranks
    ) -> None:
        self._ranks = ranks
        examples = len(train)
        batch = min(part.batch_size or default_batch(examples), examples)
        self._schedule = Schedule(examples, batch, part.seed)
        self._count = count_steps(examples, batch, part.epochs, part.max_steps)
        self._lengths = lengths_of(train)
        self._weights = weights

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, number: int) -> Step:
        places = self._schedule.step(number)
        shares = share_out([self._lengths[place] for place in places], self._ranks.count)
        return Step(
            places=tuple(places[place] for place in shares[self._ranks.rank]),
            weight=sum(self._weights[place] for place in places),
            tokens=sum(self._lengths[place] for place in places),
        )


def default_batch(examples: int) -> int:
    """The default batch size."""
    return 8 if examples < 2_000 else 16
