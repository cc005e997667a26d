"""Losses over answers as the trainer computes them: a micro-batch of rows, with the reference where one is needed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import torch

from workbench.base.errors import UserError
from workbench.training.answer_pairs import AnswerLogps, answer_logps, prompt_length
from workbench.training.losses import BatchLoss, StepLoss
from workbench.training.preference_losses import kto
from workbench.training.ranks import Ranks
from workbench.training.sequences import JUDGED_BAD, TokenSequence
from workbench.training.shared_prompts import can_pair

if TYPE_CHECKING:
    from workbench.training.objectives.kto import KtoOptions
    from workbench.training.objectives.preferences import PairObjective

MOST_REMEMBERED = 50_000
"""Rows whose reference log-probabilities are kept: they are the same in every epoch."""


class Reference:
    """The model before the training: the base without its adapter. Computed once for each row."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self._known: dict[tuple[tuple[int, ...], tuple[int, ...]], tuple[list[float], list[int]]] = {}

    def __call__(self, rows: Sequence[TokenSequence], *, together: bool) -> AnswerLogps:
        """As ``answer_logps``, without gradient."""
        missing = [row for row in rows if (row.tokens, row.starts) not in self._known]
        if missing:
            with without_adapter(self._model), torch.no_grad():
                found = answer_logps(self._model, missing, together=together)
            sums, counts = found.sums.tolist(), found.counts.tolist()
            if len(self._known) > MOST_REMEMBERED:
                self._known.clear()
            for row in missing:
                answers = 1 + len(row.starts)
                self._known[row.tokens, row.starts] = sums[:answers], counts[:answers]
                del sums[:answers], counts[:answers]
        taken = [self._known.get((row.tokens, row.starts)) for row in rows]
        sums = [value for one in taken if one is not None for value in one[0]]
        counts = [value for one in taken if one is not None for value in one[1]]
        device = next(self._model.parameters()).device
        return AnswerLogps(torch.tensor(sums, device=device), torch.tensor(counts, device=device))


@contextmanager
def without_adapter(model: Any) -> Iterator[None]:
    """The model as it was before, in evaluation mode. Raises UserError where it has no adapter to switch off."""
    if not hasattr(model, "disable_adapter"):
        raise UserError(
            "This objective compares with the model before the training, and its own weights are trained.",
            "Choose a method that trains an adapter, such as LoRA.",
        )
    was_training = model.training
    model.eval()
    try:
        with model.disable_adapter():
            yield
    finally:
        model.train(was_training)


class PairLoss:
    """The loss of an objective over pairs."""

    def __init__(self, model: Any, objective: PairObjective, sample: Sequence[int], dtype: Any) -> None:
        self._objective = objective
        self._reference = Reference(model) if objective.needs_reference else None
        with torch.autocast(_device(model).type, dtype=torch.bfloat16, enabled=dtype == torch.bfloat16):
            self._together = can_pair(model, sample)

    def __call__(self, model: Any, rows: Sequence[TokenSequence], apart: bool = False) -> BatchLoss:
        policy = answer_logps(model, rows, together=self._together)
        reference = self._reference(rows, together=self._together) if self._reference is not None else None
        losses = self._objective.losses(policy, reference)
        rewards = self._objective.rewards(policy, reference).detach()
        chosen, rejected = policy.pairs(rewards)
        return BatchLoss(losses.sum(), len(rows), int((chosen > rejected).sum()), pair_metrics(chosen, rejected))


def pair_metrics(chosen: Any, rejected: Any) -> Mapping[str, Any]:
    """Sums over pairs of what ``PairObjective.loss_metrics`` names."""
    return {
        "pair_accuracy": (chosen > rejected).sum(),
        "margin": (chosen - rejected).sum(),
        "chosen_reward": chosen.sum(),
        "rejected_reward": rejected.sum(),
    }


class JudgedLoss(StepLoss):
    """The loss of KTO over answers that were judged one by one.

    The divergence is estimated from answers after the prompt of another row, over the whole step: ``begin_step`` takes
    it. In an evaluation, which has no steps, it is that of the rows at hand.
    """

    def __init__(self, model: Any, options: KtoOptions) -> None:
        self._options = options
        self._reference = Reference(model)
        self._divergence: Any = None

    def begin_step(self, model: Any, rows: Sequence[TokenSequence], ranks: Ranks) -> None:
        device = _device(model)
        known = torch.zeros(2, device=device)
        if len(rows) > 1:
            found = self._divergences(model, rows)
            known += torch.tensor([float(found.sum()), float(len(found))], device=device)
        if ranks.count > 1:
            ranks.add_up([known])
        self._divergence = known[0] / known[1].clamp(min=1)

    def __call__(self, model: Any, rows: Sequence[TokenSequence], apart: bool = False) -> BatchLoss:
        training = torch.is_grad_enabled()
        divergence = self._divergence
        if not training or divergence is None:
            found = self._divergences(model, rows) if len(rows) > 1 else torch.zeros(1, device=_device(model))
            divergence = found.mean()
        ratio = answer_logps(model, rows).sums - self._reference(rows, together=True).sums
        desirable = torch.tensor([row.mark != JUDGED_BAD for row in rows], device=ratio.device)
        options = self._options
        losses = kto(ratio, desirable, divergence, options.beta, options.desirable_weight, options.undesirable_weight)
        right = ((ratio.detach() > 0) == desirable).sum()
        measured = {"judged_right": right, "divergence": divergence * len(rows)}
        return BatchLoss(losses.sum(), len(rows), int(right), measured)

    def _divergences(self, model: Any, rows: Sequence[TokenSequence]) -> Any:
        """The log-ratios of each answer after the prompt of the row before."""
        mixed = []
        for row, other in pairwise((rows[-1], *rows)):
            prompt, answer = row.tokens[: prompt_length(row)], other.tokens[prompt_length(other) :]
            trained = (False,) * len(prompt) + (True,) * len(answer)
            mixed.append(TokenSequence((*prompt, *answer), trained))
        with torch.no_grad():
            return answer_logps(model, mixed).sums - self._reference(mixed, together=True).sums


def _device(model: Any) -> Any:
    return next(model.parameters()).device
