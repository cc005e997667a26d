"""A linear probe of preferences: a Bradley-Terry model of the difference of two answers' states, by penalised logistic
regression whose penalty is chosen by cross-validation over prompts (Alain and Bengio 2016, arXiv:1610.01644)."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import torch
from torch.nn.functional import logsigmoid

PENALTIES = (1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0)
"""Of the squared weights of standardised differences, per pair."""
FOLDS = 4
_STEPS = 30


def fit_probe(chosen: Any, rejected: Any, prompts: Sequence[Hashable]) -> tuple[Any, float]:
    """Weight, float32 (width,), and bias of a score such that the log-odds of a preference are the difference of two
    scores, and the mean score is 0. ``chosen`` and ``rejected`` are states of shape (pairs, width); pairs of one prompt
    are in one fold."""
    differences = (chosen - rejected).double()
    spread = differences.square().mean(dim=0).sqrt().clamp(min=1e-8)
    scaled = differences / spread
    penalty = choose_penalty(scaled, prompts)
    weight = (logistic(scaled, penalty) / spread).float()
    bias = -float((torch.cat([chosen, rejected]).float() @ weight).mean())
    return weight, bias


def choose_penalty(differences: Any, prompts: Sequence[Hashable]) -> float:
    """The penalty with the lowest loss on pairs of other prompts; the largest where there are too few of them."""
    numbers = {prompt: number for number, prompt in enumerate(dict.fromkeys(prompts))}
    if len(numbers) < 2 * FOLDS:
        return PENALTIES[-1]
    fold = torch.tensor([numbers[prompt] % FOLDS for prompt in prompts])

    def loss(penalty: float) -> float:
        total = 0.0
        for number in range(FOLDS):
            held = fold == number
            weight = logistic(differences[~held], penalty)
            total -= float(logsigmoid(differences[held] @ weight).sum())
        return total

    return min(PENALTIES, key=loss)


def logistic(differences: Any, penalty: float) -> Any:
    """The minimum of mean(-log sigmoid(x·w)) + penalty/2 · |w|²/√width, by Newton's method in the smaller of the two
    dimensions; float64 (width,)."""
    pairs, width = differences.shape
    strength = penalty / width**0.5
    # in the span of the rows the solution is x.T @ a: as few unknowns as there are pairs, or numbers in a state
    basis = differences if pairs < width else None
    inner = differences @ differences.T if basis is not None else differences
    metric = inner if basis is not None else torch.eye(width, dtype=torch.float64)
    solution = torch.zeros(inner.shape[1], dtype=torch.float64)
    for _ in range(_STEPS):
        logits = inner @ solution
        wrong = torch.sigmoid(-logits)
        gradient = -inner.T @ wrong / pairs + strength * metric @ solution
        curvature = inner.T @ (inner * (wrong * (1 - wrong))[:, None]) / pairs + strength * metric
        curvature += 1e-9 * torch.eye(len(solution), dtype=torch.float64) * curvature.diagonal().mean().clamp(min=1e-12)
        step = torch.linalg.solve(curvature, gradient)
        solution -= step
        if float(step.abs().max()) < 1e-9:
            break
    return solution if basis is None else basis.T @ solution
