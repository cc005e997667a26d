"""Policy optimisation as functions of log-probabilities, rewards and values. Pure: tensors in, tensors out.

Rows are answers, columns their tokens: shape (answers, longest), float32, with a boolean ``mask`` of the tokens that
there are. A log-ratio is the policy's log-probability of a token minus another model's, in nats.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

LOG_RATIO_CLAMP = 20.0
WHITEN_EPSILON = 1e-8
GROUP_EPSILON = 1e-4


def gae(rewards: Any, values: Any, mask: Any, lam: float = 0.95) -> tuple[Any, Any]:
    """Advantages and returns by generalised advantage estimation (Schulman et al. 2016, arXiv:1506.02438). Rewards
    are not discounted. Values past the end of an answer are 0."""
    advantages = torch.zeros_like(rewards)
    last = torch.zeros(len(rewards), dtype=rewards.dtype, device=rewards.device)
    following = torch.zeros_like(last)
    for place in range(rewards.shape[1] - 1, -1, -1):
        there = mask[:, place]
        delta = rewards[:, place] + following - values[:, place]
        last = torch.where(there, delta + lam * last, torch.zeros_like(last))
        following = torch.where(there, values[:, place], torch.zeros_like(last))
        advantages[:, place] = last
    return advantages, (advantages + values) * mask


def whiten(values: Any, mask: Any) -> Any:
    """Mean 0 and variance 1 (biased) over the tokens of the mask; 0 elsewhere (Huang et al. 2024, "The N+
    Implementation Details of RLHF with PPO", arXiv:2403.17031)."""
    count = mask.sum().clamp(min=1)
    mean = (values * mask).sum() / count
    variance = ((values - mean) ** 2 * mask).sum() / count
    return (values - mean) * torch.rsqrt(variance + WHITEN_EPSILON) * mask


def group_advantages(rewards: Any, group: int, scaled: bool = True) -> Any:
    """Of each answer, shape (answers,), against the mean of its prompt's ``group`` answers, which are adjacent:
    GRPO (Shao et al. 2024, arXiv:2402.03300); without ``scaled`` not divided by their standard deviation: Dr. GRPO
    (Liu et al. 2025, arXiv:2503.20783)."""
    by_prompt = rewards.view(-1, group)
    found = by_prompt - by_prompt.mean(dim=1, keepdim=True)
    if scaled:
        deviation = by_prompt.std(dim=1, keepdim=True) if group > 1 else torch.zeros_like(found)
        found = found / (deviation + GROUP_EPSILON)
    return found.reshape(-1)


def leave_one_out(rewards: Any, group: int) -> Any:
    """RLOO's advantages, shape (answers,): the reward minus the mean of the prompt's other answers (Ahmadian et al.
    2024, arXiv:2402.14740). ``group`` is at least 2."""
    by_prompt = rewards.view(-1, group)
    others = (by_prompt.sum(dim=1, keepdim=True) - by_prompt) / (group - 1)
    return (by_prompt - others).reshape(-1)


def clipped_policy_loss(log_ratio: Any, advantages: Any, low: float = 0.2, high: float = 0.2) -> tuple[Any, Any]:
    """PPO's clipped surrogate per token, and where the clipped side counts (Schulman et al. 2017, arXiv:1707.06347).
    ``log_ratio`` is that to the policy that wrote the answers."""
    ratio = torch.exp(log_ratio.clamp(-LOG_RATIO_CLAMP, LOG_RATIO_CLAMP))
    plain, clipped = -advantages * ratio, -advantages * ratio.clamp(1 - low, 1 + high)
    return torch.maximum(plain, clipped), (clipped > plain).detach()


def clipped_value_loss(values: Any, before: Any, returns: Any, clip: float = 0.2) -> Any:
    """The squared error of a value per token, halved, the larger of that and the one within ``clip`` of before."""
    near = torch.maximum(torch.minimum(values, before + clip), before - clip)
    return 0.5 * torch.maximum((values - returns) ** 2, (near - returns) ** 2)


def k1(policy: Any, reference: Any) -> Any:
    """The log-ratio: over sampled tokens an estimate of the KL divergence without bias, often below 0."""
    return policy - reference


def k3(policy: Any, reference: Any) -> Any:
    """An estimate of the KL divergence that is never below 0 (Schulman 2020, "Approximating KL Divergence")."""
    difference = (reference - policy).clamp(-LOG_RATIO_CLAMP, LOG_RATIO_CLAMP)
    return torch.exp(difference) - 1 - difference


def importance_weights(trained: Any, sampled: Any, cap: float = 2.0) -> Any:
    """By how much more probable a token is to the policy that is trained than to the engine that sampled it, at most
    ``cap``: truncated importance sampling (Yao et al. 2025, "Your Efficient RL Framework Secretly Brings You
    Off-Policy RL Training"). No gradient."""
    return torch.exp((trained - sampled).detach().clamp(-LOG_RATIO_CLAMP, LOG_RATIO_CLAMP)).clamp(max=cap)


@dataclass(frozen=True)
class KlController:
    """The weight of the KL divergence, adapted so that it stays near ``target`` nats per answer (Ziegler et al. 2019,
    arXiv:1909.08593). ``target`` 0: it stays as it is. ``horizon`` is in answers."""

    beta: float
    target: float
    horizon: float

    def after(self, divergence: float, answers: int) -> KlController:
        """The controller after a step of so many answers."""
        if not self.target:
            return self
        error = min(0.2, max(-0.2, divergence / self.target - 1))
        return KlController(self.beta * (1 + error * answers / self.horizon), self.target, self.horizon)
