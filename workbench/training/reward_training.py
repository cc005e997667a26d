"""A reward model in torch: its head on a model, the loss of pairs, first values from a linear probe, and the report.

An answer's score is the head's product with a state of the last layer after its norm: the mean over the answer's
tokens, or that of the last one (``RewardHead``). llama.cpp gives out the same states.

A linear probe of preferences: a Bradley-Terry model of the difference of two answers' states, by penalised logistic
regression whose penalty is chosen by cross-validation over prompts (Alain and Bengio 2016, arXiv:1610.01644).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.nn.functional import logsigmoid

from workbench.records.training.rewards import REWARD_FILE, REWARD_MODEL, RewardHead, RewardModelFile
from workbench.training.answer_losses import pair_metrics
from workbench.training.answer_pairs import answer_states
from workbench.training.batching import MICRO_BATCH_TOKENS, make_micro_batches
from workbench.training.losses import BatchLoss
from workbench.training.peft_models import base_of
from workbench.training.preference_losses import reward
from workbench.training.reward_report import make_report
from workbench.training.sequences import TokenSequence
from workbench.training.shared_prompts import can_pair

if TYPE_CHECKING:
    from workbench.training.objectives.reward import RewardOptions
    from workbench.training.sets import ReadySet


HEAD = "reward_head"
MOST_MEASURED = 256
"""So many training pairs give the scores' mean and spread, and the fit of their calibration."""

Report = Callable[[str, int, int], None]


def attach_head(model: Any) -> None:
    """Give a model a score head of zeros, which is trained with it."""
    width = base_of(model).get_input_embeddings().weight.shape[1]
    head = nn.Linear(width, 1, device=next(model.parameters()).device, dtype=torch.float32)
    nn.init.zeros_(head.weight)
    nn.init.zeros_(head.bias)
    model.add_module(HEAD, head)


class RewardLoss:
    """The loss of a micro-batch of pairs."""

    def __init__(self, model: Any, options: RewardOptions, sample: Sequence[int], dtype: Any) -> None:
        self._options = options
        device = next(model.parameters()).device
        with torch.autocast(device.type, dtype=torch.bfloat16, enabled=dtype == torch.bfloat16):
            self._together = can_pair(model, sample)

    def __call__(self, model: Any, rows: Sequence[TokenSequence], apart: bool = False) -> BatchLoss:
        states = answer_states(model, rows, self._options.pooling, together=self._together)
        with torch.autocast(states.device.type, enabled=False):
            scores = getattr(model, HEAD)(states.float())[:, 0]
        chosen, rejected = scores[0::2], scores[1::2]
        losses = reward(chosen, rejected, self._options.margin, self._options.centring)
        told = chosen.detach(), rejected.detach()
        return BatchLoss(losses.sum(), len(rows), int((told[0] > told[1]).sum()), pair_metrics(*told))


def states_of(
    model: Any, rows: Sequence[TokenSequence], pooling: str, report: Report = lambda stage, done, total: None
) -> Any:
    """The states of all answers, the chosen one first, float32 (2 · rows, width), without gradient."""
    was_training = model.training
    model.eval()
    together = can_pair(model, rows[0].tokens)
    found: dict[int, Any] = {}
    try:
        with torch.no_grad():
            for places in make_micro_batches([len(row.tokens) for row in rows], MICRO_BATCH_TOKENS):
                report("reading pairs", len(found), len(rows))
                states = answer_states(model, [rows[place] for place in places], pooling, together=together).float()
                for number, place in enumerate(places):
                    found[place] = states[2 * number : 2 * number + 2].cpu()
    finally:
        model.train(was_training)
    return torch.cat([found[place] for place in range(len(rows))])


def start_from_probe(
    model: Any, train: Sequence[TokenSequence], options: RewardOptions, report: Report, seed: int
) -> None:
    """Set the head to a linear probe of the model as it is, on some of the training pairs."""
    places = list(range(len(train)))
    random.Random(seed).shuffle(places)
    rows = [train[place] for place in places[: options.probe_pairs]]
    states = states_of(model, rows, options.pooling, report)
    prompts = [row.tokens[: row.trained.index(True)] for row in rows]
    weight, bias = fit_probe(states[0::2], states[1::2], prompts)
    head = getattr(model, HEAD)
    with torch.no_grad():
        head.weight.copy_(weight[None])
        head.bias.fill_(bias)


def describe(model: Any, data: ReadySet, options: RewardOptions, report: Report) -> Mapping[str, bytes]:
    """The file of the head and the report. The head is scaled so that the scores of the training's answers have mean 0
    and standard deviation 1."""
    head = getattr(model, HEAD)
    train = [data.train[place] for place in range(min(len(data.train), MOST_MEASURED))]
    held_out = [data.evaluation[place] for place in range(len(data.evaluation))]

    def scored(rows: Sequence[TokenSequence]) -> Any:
        with torch.no_grad():
            return head(states_of(model, rows, options.pooling, report).to(head.weight.device))[:, 0].cpu()

    of_train = scored(train)
    of_held_out = scored(held_out) if data.held_out else of_train
    mean, spread = float(of_train.mean()), max(1e-6, float(of_train.std()))
    weight = (head.weight[0].detach().cpu().double() / spread).float()
    bias = (float(head.bias.detach()) - mean) / spread
    found = make_report(
        ((of_train - mean) / spread).numpy(),
        ((of_held_out - mean) / spread).numpy(),
        lengths_of_answers(train),
        lengths_of_answers(held_out if data.held_out else train),
        held_out=data.held_out and (data.report.measured is None or data.report.measured.on != "trained"),
    )
    described = RewardModelFile(
        head=RewardHead(weight=tuple(weight.tolist()), bias=bias, pooling=options.pooling), report=found
    )
    return {REWARD_FILE: REWARD_MODEL.encode(described)}


def lengths_of_answers(rows: Sequence[TokenSequence]) -> list[tuple[int, int]]:
    """The tokens of the chosen and of the rejected answer of each pair."""
    return [(row.starts[0] - row.trained.index(True), len(row.tokens) - row.starts[0]) for row in rows]


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
