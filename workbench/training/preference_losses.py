"""The losses of preference learning, as functions of log-probabilities. Pure: tensors in, tensors out.

Of an answer, ``logp`` is the sum of the log-probabilities of its tokens, the one that ends it included, and ``mean`` is
that divided by their number. ``ratio`` is the policy's logp minus the reference's; ``delta`` is the chosen answer's
ratio minus the rejected one's. All return a loss per pair (or per answer), shape (n,), float32.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.nn.functional import logsigmoid

CLAMP = 1e-6
"""The distance of a mean probability from 1, where the log-odds would be infinite."""


def dpo(delta: Any, beta: float, label_smoothing: float = 0.0, robust: bool = False) -> Any:
    """DPO (Rafailov et al. 2023, arXiv:2305.18290). ``label_smoothing`` is the share of labels taken to be wrong:
    conservative DPO (Mitchell 2023), or with ``robust`` the unbiased one (Chowdhury et al. 2024, arXiv:2403.00409)."""
    right, wrong = -logsigmoid(beta * delta), -logsigmoid(-beta * delta)
    if robust:
        return ((1 - label_smoothing) * right - label_smoothing * wrong) / (1 - 2 * label_smoothing)
    return (1 - label_smoothing) * right + label_smoothing * wrong


def ipo(mean_delta: Any, beta: float) -> Any:
    """IPO (Azar et al. 2023, arXiv:2310.12036), of the difference of the mean log-ratios per token."""
    return (mean_delta - 1 / (2 * beta)) ** 2


def simpo(chosen_mean: Any, rejected_mean: Any, beta: float, gamma: float) -> Any:
    """SimPO (Meng et al. 2024, arXiv:2405.14734): no reference; ``gamma`` is the wanted margin."""
    return -logsigmoid(beta * (chosen_mean - rejected_mean) - gamma)


def orpo(chosen_mean: Any, rejected_mean: Any, weight: float) -> Any:
    """ORPO (Hong et al. 2024, arXiv:2403.07691): the chosen answer's mean negative log-likelihood, and ``weight`` times
    the odds ratio's loss."""
    odds = (chosen_mean - rejected_mean) - (_log1mexp(chosen_mean) - _log1mexp(rejected_mean))
    return -chosen_mean - weight * logsigmoid(odds)


def kto(
    ratio: Any,
    desirable: Any,
    divergence: Any,
    beta: float,
    desirable_weight: float = 1.0,
    undesirable_weight: float = 1.0,
) -> Any:
    """KTO (Ethayarajh et al. 2024, arXiv:2402.01306). ``desirable`` is boolean, per answer; ``divergence`` is the
    estimate of the KL divergence over the whole step, which no gradient flows through."""
    baseline = divergence.detach().clamp(min=0)
    good = desirable_weight * (1 - torch.sigmoid(beta * (ratio - baseline)))
    bad = undesirable_weight * (1 - torch.sigmoid(beta * (baseline - ratio)))
    return torch.where(desirable, good, bad)


def reward(chosen: Any, rejected: Any, margin: Any = 0.0, centring: float = 0.01) -> Any:
    """The Bradley-Terry loss of a reward model (Ouyang et al. 2022, arXiv:2203.02155), with scores drawn to a mean of 0
    (Eisenstein et al. 2023, arXiv:2312.09244)."""
    return -logsigmoid(chosen - rejected - margin) + centring * (chosen + rejected) ** 2


def _log1mexp(value: Any) -> Any:
    """log(1 - exp(value)) for value < 0, exact near 0 and far from it (Maechler 2012)."""
    value = value.clamp(max=-CLAMP)
    near = torch.log(-torch.expm1(value.clamp(min=-0.7)))
    far = torch.log1p(-torch.exp(value.clamp(max=-0.6)))
    return torch.where(value > -0.6931471805599453, near, far)
