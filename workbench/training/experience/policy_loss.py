"""The loss of a policy as the trainer computes it: a step's experience, then several updates by it.

Every statistic (advantages, their mean and variance, divergence) is that of the whole step. Log-probabilities of the
policy that sampled are torch's own, from the first pass of a step, so that the ratio of that pass is 1; those of what
sampled serve the importance weights alone.

The policy, its reference and its value head on one model: log-probabilities and values of sampled answers.

The blocks below the first trained one compute the same for policy and reference, before and after every update: their
output is recorded once per step and reused afterwards. A trial pass shows whether a model allows that.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from workbench.api import events
from workbench.training.answer_losses import without_adapter
from workbench.training.answer_pairs import prompt_length
from workbench.training.batching import MICRO_BATCH_TOKENS, make_micro_batches
from workbench.training.experience.collection import Collector, Start, describe, padded
from workbench.training.experience.hints import find_hints
from workbench.training.experience.record import Answer
from workbench.training.experience.sizes import MOST_RECORDED_BYTES
from workbench.training.losses import BatchLoss, ExperienceLoss, Head, StepWork, hidden_states
from workbench.training.peft_models import base_of, blocks_of
from workbench.training.policy_losses import (
    KlController,
    clipped_policy_loss,
    clipped_value_loss,
    importance_weights,
    k1,
    k3,
)
from workbench.training.sequences import TokenSequence
from workbench.training.token_logps import token_logps
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


VALUE_HEAD = "value_head"
_AGREES = 1e-3


@dataclass(frozen=True)
class TokenValues:
    """Of each answer token of some rows, one after the other: its log-probability and the value before it, both
    float32; the number of its row among the rows, and its place in the answer."""

    logps: Any
    values: Any
    owners: Any
    places: Any


class _Tempered(Head):
    """A head at a temperature."""

    def __init__(self, base: Any, temperature: float) -> None:
        super().__init__(base)
        self._temperature = temperature

    def __call__(self, hidden: Any) -> Any:
        logits = super().__call__(hidden)
        return logits if self._temperature == 1.0 else logits / self._temperature


class PolicyModel:
    """``model`` with its adapter is the policy, without it the reference. ``valued``: it has a value head, a linear
    layer of zeros beside the model, whose weights are trained with it."""

    def __init__(self, model: Any, temperature: float, *, valued: bool, sample: Sequence[int] = ()) -> None:
        self.model = model
        self._temperature = temperature
        self._valued = valued
        base = base_of(model)
        if valued and not hasattr(model, VALUE_HEAD):
            head = torch.nn.Linear(base.config.get_text_config().hidden_size, 1)
            torch.nn.init.zeros_(head.weight)
            torch.nn.init.zeros_(head.bias)
            model.add_module(VALUE_HEAD, head.to(base.get_input_embeddings().weight.device))
        for module in model.modules():
            if isinstance(module, torch.nn.Dropout):
                module.p = 0.0  # the ratio of two passes would be that of two dropouts
        self._recorded: dict[int, Any] = {}
        self._bytes = 0
        self._trunk = _frozen_blocks(model)
        if self._trunk and not self._trunk_fits(sample):
            self._trunk = []

    @property
    def shares_trunk(self) -> bool:
        """Whether the frozen blocks are computed once for all passes of a step."""
        return bool(self._trunk)

    def forget(self) -> None:
        """Of the step before."""
        self._recorded.clear()
        self._bytes = 0

    def __call__(self, rows: Sequence[TokenSequence], *, reference: bool = False) -> TokenValues:
        """Of ``rows``, each a prompt and one answer, whose ``mark`` tells it apart from others of the step."""
        base = base_of(self.model)
        device = base.get_input_embeddings().weight.device
        longest = max(len(row.tokens) for row in rows)
        tokens = torch.zeros((len(rows), longest), dtype=torch.long)
        for number, row in enumerate(rows):
            tokens[number, : len(row.tokens)] = torch.tensor(row.tokens)
        with (
            without_adapter(self.model) if reference else nullcontext(),
            torch.no_grad() if reference else nullcontext(),
            self._passing(rows, longest),
        ):
            hidden = hidden_states(self.model, tokens.to(device))
            sources, targets, owners, places = _predictions(rows, longest)
            flat = hidden.reshape(-1, hidden.shape[-1])[sources.to(device)]
            logps = token_logps(flat, targets.to(device), _Tempered(base, self._temperature))
        values = torch.zeros_like(logps)
        if self._valued and not reference:
            with torch.autocast(device.type, enabled=False):
                values = getattr(self.model, VALUE_HEAD)(flat.float())[:, 0]
        return TokenValues(logps, values, owners.to(device), places.to(device))

    @contextmanager
    def _passing(self, rows: Sequence[TokenSequence], longest: int) -> Iterator[None]:
        """The frozen blocks give what was recorded of these rows, or have it recorded."""
        if not self._trunk:
            yield
            return
        last = self._trunk[-1]
        if all(row.mark in self._recorded for row in rows):
            parts = [self._recorded[row.mark] for row in rows]
            given = torch.zeros((len(rows), longest, parts[0].shape[-1]), dtype=parts[0].dtype, device=parts[0].device)
            for number, part in enumerate(parts):
                given[number, : len(part)] = part
            with _replaced(self._trunk, given):
                yield
            return
        caught: list[Any] = []
        hook = last.register_forward_hook(lambda module, given, output: caught.append(output))
        try:
            yield
        finally:
            hook.remove()
        found = caught[0] if isinstance(caught[0], torch.Tensor) else caught[0][0]
        for number, row in enumerate(rows):
            part = found[number, : len(row.tokens)].detach().clone()
            self._bytes += part.numel() * part.element_size()
            if self._bytes <= MOST_RECORDED_BYTES:
                self._recorded[row.mark] = part

    def _trunk_fits(self, sample: Sequence[int]) -> bool:
        tokens = (tuple(sample) * 16)[:16] or tuple(range(16))
        rows = [TokenSequence(tokens[:n], (False,) * 4 + (True,) * (n - 4), (), n) for n in (16, 11)]
        was_training = self.model.training
        self.model.eval()
        try:
            with torch.no_grad():
                first, again = self(rows).logps, self(rows).logps
                reference = self(rows, reference=True).logps
                self.forget()
                plain = self(rows, reference=True).logps
        except (AttributeError, IndexError, TypeError, ValueError, RuntimeError):
            return False
        finally:
            self.forget()
            self.model.train(was_training)
        return bool((first - again).abs().max() <= _AGREES) and bool((reference - plain).abs().max() <= _AGREES)


@contextmanager
def _replaced(blocks: Sequence[Any], given: Any) -> Iterator[None]:
    """The last of the blocks gives ``given`` in the form of its output, those before it hand on what they get."""
    for block in blocks[:-1]:
        block.forward = lambda hidden, *rest, **options: hidden
    blocks[-1].forward = lambda hidden, *rest, **options: given
    try:
        yield
    finally:
        for block in blocks:
            del block.forward


def _frozen_blocks(model: Any) -> list[Any]:
    """The blocks below the first one in which something is trained."""
    found: list[Any] = []
    for block in blocks_of(base_of(model)):
        if any(parameter.requires_grad for parameter in block.parameters()):
            return found
        found.append(block)
    return []  # nothing in the blocks is trained: virtual tokens, say


def _predictions(rows: Sequence[TokenSequence], longest: int) -> tuple[Any, Any, Any, Any]:
    """For each answer token the place (in all rows one after the other) that predicts it, the token, the number of its
    row and its place in the answer."""
    sources: list[int] = []
    targets: list[int] = []
    owners: list[int] = []
    places: list[int] = []
    for number, row in enumerate(rows):
        start, end = prompt_length(row), len(row.tokens)
        sources += range(number * longest + start - 1, number * longest + end - 1)
        targets += row.tokens[start:end]
        owners += [number] * (end - start)
        places += range(end - start)
    return torch.tensor(sources), torch.tensor(targets), torch.tensor(owners), torch.tensor(places)
