"""The loss of a policy as the trainer computes it: a step's experience, then several updates by it.

Every statistic (advantages, their mean and variance, divergence) is that of the whole step. Log-probabilities of the
policy that sampled are torch's own, from the first pass of a step, so that the ratio of that pass is 1; those of what
sampled serve the importance weights alone.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from workbench.api import events
from workbench.training.batching import MICRO_BATCH_TOKENS, make_micro_batches
from workbench.training.experience.collection import Collector, Start, describe, padded
from workbench.training.experience.hints import find_hints
from workbench.training.experience.policy_model import PolicyModel
from workbench.training.experience.record import Answer
from workbench.training.losses import BatchLoss, ExperienceLoss, StepWork
from workbench.training.policy_losses import (
    KlController,
    clipped_policy_loss,
    clipped_value_loss,
    importance_weights,
    k1,
    k3,
)
from workbench.training.sequences import TokenSequence
from workbench.training.training_context import TrainingContext

if TYPE_CHECKING:
    from workbench.training.objectives.policy import Policy

BOUND = 2.0
"""A training ends at so many times the target divergence."""
HORIZON_STEPS = 5
_EVALUATED_FROM = 1 << 20  # marks of held-out rows, apart from those of a step


@dataclass
class StepTensors:
    """A step's answers, (answers, longest) but for ``rewards``, (answers,). ``policy``, ``reference`` and ``sampler``
    are log-probabilities, ``mask`` the tokens that there are, ``counted`` those that are learnt from."""

    rewards: Any
    mask: Any
    counted: Any
    policy: Any
    reference: Any
    sampler: Any
    values: Any
    beta: float
    group: int

    @property
    def divergence(self) -> Any:
        """The log-ratio of each answer to the reference, (answers,)."""
        return (k1(self.policy, self.reference) * self.mask).sum(dim=1)


class PolicyLoss(ExperienceLoss):
    """Of a training's objective; it is made once for a training."""

    def __init__(self, objective: Policy, context: TrainingContext, collector: Collector) -> None:
        self._objective, self._context, self._collector = objective, context, collector
        self._options = options = objective.options
        sample = max(context.train, key=lambda row: len(row.tokens)).tokens
        self._policy = PolicyModel(context.model, options.temperature, valued=objective.valued, sample=sample)
        self._answers_per_step = max(1, context.config.optimiser.batch_size) * options.answers
        self._controller = KlController(options.beta, options.target_kl, HORIZON_STEPS * self._answers_per_step)
        self._start: Start | None = None
        self._hinted: set[str] = set()
        self._out_of_bounds = ""
        self.held_out: dict[tuple[int, ...], tuple[int, ...]] = {}
        """The latest answer to each held-out prompt."""
        # of the step at hand
        self._step = 0
        self._tensors: StepTensors
        self._advantages: Any
        self._returns: Any
        self._weights: Any
        self._token_weights: Any
        self._importance: Any
        self._update = self._updated = 0
        self._sums: dict[str, float] = {}
        self._measured: dict[str, float] = {}
        self._began = 0.0

    # -- experience ----------------------------------------------------------------------------------

    def collect(self, model: Any, step: int, examples: Sequence[TokenSequence]) -> StepWork:
        self._begin()
        self._context.emit(events.Progress(stage="rollouts", done=0, total=self._answers_per_step, unit="answers"))
        prompts = [example.tokens for example in examples]
        answers = self._collector.answers(step, prompts)
        rows = [_row(answer, mark) for mark, answer in enumerate(answers)]
        self._policy.forget()
        began = time.perf_counter()
        self._tensors = tensors = self._computed(answers, rows)
        self._step, self._update, self._updated, self._sums = step, 0, 0, {}
        self._advantages, self._returns = self._objective.advantages(tensors)
        self._weights = self._objective.token_weights(tensors)
        self._token_weights = tensors.counted / tensors.counted.sum().clamp(min=1)
        self._importance = importance_weights(tensors.policy, tensors.sampler, self._options.importance_cap)
        divergence = tensors.divergence
        self._collector.note(step, answers, divergence.tolist())
        self._measured = self._described(answers, float(divergence.mean()))
        seconds = self._collector.seconds
        self._measured |= {
            "seconds_rollouts": seconds["rollouts"],
            "seconds_rewards": seconds["rewards"],
            "seconds_forward": time.perf_counter() - began,
        }
        self._began = time.perf_counter()
        self._find_hints(answers)
        if self._bound and float(divergence.mean()) > self._bound:
            self._out_of_bounds = (
                f"The training was stopped in step {step:,}: the divergence from the model before is "
                f"{float(divergence.mean()):.1f} nats per answer, and the bound is {self._bound:g}. "
                "The best weights within it are taken."
            )
            return StepWork(rows, 1.0, updates=0)
        return StepWork(rows, 1.0, updates=self._options.updates)

    def _begin(self) -> None:
        if self._start is None:
            self._start = self._collector.start()

    def _computed(self, answers: Sequence[Answer], rows: Sequence[TokenSequence]) -> StepTensors:
        """One pass of policy and reference without gradient."""
        device = next(self._context.model.parameters()).device
        sampler = padded([answer.logprobs for answer in answers], device)
        mask = padded([[1.0] * len(answer.tokens) for answer in answers], device).bool()
        policy, reference, values = (torch.zeros_like(sampler) for _ in range(3))
        tokens = self._context.config.optimiser.micro_batch_tokens or MICRO_BATCH_TOKENS
        was_training = self._context.model.training
        self._context.model.eval()
        try:
            with torch.no_grad():
                for places in make_micro_batches([len(row.tokens) for row in rows], tokens):
                    self._context.check()
                    chosen = [rows[place] for place in places]
                    found = self._policy(chosen)
                    at = torch.tensor(places, device=device)[found.owners], found.places
                    policy[at], values[at] = found.logps, found.values
                    reference[at] = self._policy(chosen, reference=True).logps
        finally:
            self._context.model.train(was_training)
        counted = mask
        if self._options.unfinished == "mask":
            finished = torch.tensor([answer.finished for answer in answers], device=device)
            counted = mask & finished[:, None]
        return StepTensors(
            rewards=torch.tensor([answer.reward for answer in answers], device=device),
            mask=mask,
            counted=counted,
            policy=policy,
            reference=reference,
            sampler=sampler,
            values=values,
            beta=self._controller.beta,
            group=self._options.answers,
        )

    def _described(self, answers: Sequence[Answer], divergence: float) -> dict[str, float]:
        tensors = self._tensors
        count = tensors.mask.sum()
        found = {
            "reward": float(tensors.rewards.mean()),
            "kl": divergence,
            "entropy": float(-(tensors.policy * tensors.mask).sum() / count),
            "mismatch": float(((tensors.policy - tensors.sampler).abs() * tensors.mask).sum() / count),
            "importance": float((self._importance * tensors.mask).sum() / count),
            "beta": self._controller.beta,
            "finished": sum(answer.finished for answer in answers) / len(answers),
            **describe(answers),
        }
        for metric, title in self._objective.part_metrics.items():
            found[metric] = sum(answer.parts.get(title, 0.0) for answer in answers) / len(answers)
        return found

    # -- updates -------------------------------------------------------------------------------------

    def __call__(self, model: Any, rows: Sequence[TokenSequence], apart: bool = False) -> BatchLoss:
        if not torch.is_grad_enabled():
            return self._held_out(rows)
        tensors, objective = self._tensors, self._objective
        found = self._policy(rows)
        marks = torch.tensor([row.mark for row in rows], device=found.owners.device)
        at = marks[found.owners], found.places
        if not self._update:  # the policy that sampled is this one: the ratio is 1 to the last bit
            tensors.policy[at] = found.logps.detach()
            tensors.values[at] = found.values.detach()
        change = found.logps - tensors.policy[at]
        losses, clipped = clipped_policy_loss(change, self._advantages[at], self._options.clip, objective.clip_above)
        total = (losses * self._importance[at] * self._weights[at]).sum()
        if objective.kl_in_loss:
            total = total + tensors.beta * (k3(found.logps, tensors.reference[at]) * self._weights[at]).sum()
        each = self._token_weights[at]
        if objective.valued:
            errors = (
                clipped_value_loss(found.values, tensors.values[at], self._returns[at], objective.value_clip) * each
            )
            total = total + objective.value_weight * errors.sum()
            self._add("value_loss", errors.detach().sum())
        self._add("clipped", (clipped * each).sum())
        self._add("change", (0.5 * change.detach() ** 2 * each).sum())
        return BatchLoss(total, len(rows), 0)

    def updates_on(self, update: int) -> bool:
        change, clipped = self._sums.pop("change", 0.0), self._sums.pop("clipped", 0.0)
        value = self._sums.pop("value_loss", None)
        self._measured["change"], self._measured["clip_fraction"] = change, clipped
        if value is not None:
            self._measured.setdefault("value_loss", value)
        self._update = update + 1
        within = change <= self._options.largest_change
        self._updated += within
        return within

    def end_step(self) -> Mapping[str, float]:
        self._controller = self._controller.after(self._measured["kl"], len(self._tensors.rewards))
        self._policy.forget()
        return {**self._measured, "updates": float(self._updated), "seconds_updates": time.perf_counter() - self._began}

    @property
    def _bound(self) -> float:
        return BOUND * self._options.target_kl

    @property
    def out_of_bounds(self) -> str:
        return self._out_of_bounds

    def state(self) -> dict[str, Any]:
        return {
            "step": self._step,
            "beta": self._controller.beta,
            "out_of_bounds": self._out_of_bounds,
            "hinted": sorted(self._hinted),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        beta = float(state.get("beta", self._controller.beta))
        self._controller = KlController(beta, self._controller.target, self._controller.horizon)
        self._step = int(state.get("step", 0))
        self._out_of_bounds = str(state.get("out_of_bounds", ""))
        self._hinted = set(state.get("hinted", ()))

    def weights_restored(self, step: int) -> None:
        """Held-out answers are from now on by the weights after ``step``."""
        self._step = step

    def _add(self, name: str, value: Any) -> None:
        self._sums[name] = self._sums.get(name, 0.0) + float(value)

    # -- held-out prompts and hints ------------------------------------------------------------------

    def _held_out(self, rows: Sequence[TokenSequence]) -> BatchLoss:
        """The negative reward of an answer to each prompt."""
        self._begin()
        answers = self._collector.held_out([row.tokens for row in rows])
        self._policy.forget()
        written = [_row(answer, _EVALUATED_FROM + place) for place, answer in enumerate(answers)]
        tensors = self._computed(answers, written)
        self._policy.forget()
        self._collector.note_held_out(self._step, answers, tensors.divergence.tolist())
        self.held_out |= {answer.prompt_tokens: answer.tokens for answer in answers}
        count, found = len(answers), describe(answers)
        reward = float(tensors.rewards.sum())
        measured = {
            "reward": reward,
            "kl": float(tensors.divergence.sum()),
            "answer_tokens": found["answer_tokens"] * count,
            "repetition": found["repetition"] * count,
        }
        return BatchLoss(torch.tensor(-reward), count, 0, measured)

    def look_at(self, step: int, answers: Sequence[Answer]) -> None:
        """Find hints in the answers of a step that another trainer sampled."""
        self._begin()
        self._step = step
        self._find_hints(answers)

    def _find_hints(self, answers: Sequence[Answer]) -> None:
        assert self._start is not None
        if not self._start.answers:
            return
        for kind, text in find_hints(describe(answers), self._start.answers).items():
            if kind not in self._hinted:
                self._hinted.add(kind)
                self._context.emit(
                    events.Log(text=f"A hint of reward hacking in step {self._step:,}: {text}", level="notice")
                )

    def in_bounds(self, divergence: float) -> bool:
        """Whether weights with this divergence may be what the training gives."""
        return not self._bound or (math.isfinite(divergence) and divergence <= self._bound)


def _row(answer: Answer, mark: int) -> TokenSequence:
    tokens = (*answer.prompt_tokens, *answer.tokens)
    return TokenSequence(tokens, (False,) * len(answer.prompt_tokens) + (True,) * len(answer.tokens), (), mark)
