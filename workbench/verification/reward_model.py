"""Verification of a reward model: the same answers scored in torch and in llama.cpp."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from workbench.base import errors
from workbench.base.counting import counted
from workbench.base.errors import UserError
from workbench.engine.threads import ThreadCount
from workbench.gguf.reward_head import read_head, read_reward_model
from workbench.records.training import VerificationReport
from workbench.records.training.rewards import RewardHead
from workbench.training.protocol import Served
from workbench.verification.engine_model import EngineModel, Weights
from workbench.verification.probe_prompts import Prompt, read_prompts
from workbench.verification.torch_model import evaluating, is_exact, rebuild

Report = Callable[[str, int, int], None]

ALLOWED = 0.15
"""The difference of the served scores from torch's, at most, as a share of the spread of torch's over the answers (both
as root mean squares): what counts of a reward is which of two answers has more of it, and by how much, so that neither
the size of the scores nor a spread that is small matters. At .15 about 5 of 100 pairs of answers change their order.
Measured on the starter with 12 answers: .04 as served; .17 with four fifths of the adapter, .40 with half of it, .77
without it; .13 with a twentieth of the head's weights gone; .76 with the other pooling."""


def verify_reward_model(
    trained: Path,
    base: Path,
    served: Served,
    questions: Path,
    *,
    model: Any = None,
    threads: int = 1,
    report: Report | None = None,
    cancelled: Callable[[], bool] = lambda: False,
) -> VerificationReport:
    """Compare the scores of up to 64 answers of ``questions`` (``probe_prompts.read_prompts``). Raises UserError when
    something cannot be loaded, errors.Cancelled between two answers when ``cancelled``."""
    began = time.monotonic()
    described = read_reward_model(trained)
    prompts = [prompt for prompt in read_prompts(questions) if any(prompt.trained)] if questions.is_file() else []
    if described is None or not prompts:
        raise UserError(f"There are no answers to compare the scores of {served.path} with.", "Train it again.")
    count = ThreadCount(threads)
    head = read_head(Path(served.path))
    if model is None or not is_exact(model):
        model = rebuild(base, trained, 1.0, (lambda done, total: report("loading", done, total)) if report else None)
    longest = max(len(prompt.tokens) for prompt in prompts)
    in_torch, in_engine = [], []
    with (
        evaluating(model),
        Weights(base) as weights,
        EngineModel(weights, longest, Path(served.path), threads=count.now()) as engine,
    ):
        for number, prompt in enumerate(prompts):
            if cancelled():
                raise errors.Cancelled
            if report:
                report("checking", number, len(prompts))
            in_torch.append(torch_score(model, prompt, described.head))
            in_engine.append(_pooled(engine.states(prompt.tokens), prompt, head))
    return compare_scores(np.array(in_torch), np.array(in_engine), time.monotonic() - began)


def torch_score(model: Any, prompt: Prompt, head: RewardHead) -> float:
    """The score of an answer by a model with the reward model's adapter, in torch."""
    import torch

    from workbench.training.losses import hidden_states

    device = next(model.parameters()).device
    with torch.no_grad():
        states = hidden_states(model, torch.tensor([prompt.tokens], device=device))[0].float().cpu().numpy()
    return _pooled(states, prompt, head)


def _pooled(states: Any, prompt: Prompt, head: RewardHead) -> float:
    answer = states[prompt.trained.index(True) :]
    state = answer.astype(np.float64).mean(axis=0) if head.pooling == "mean" else answer[-1].astype(np.float64)
    return float(state @ np.asarray(head.weight)) + head.bias


def compare_scores(in_torch: Any, in_engine: Any, seconds: float) -> VerificationReport:
    """The report on the scores of the same answers, each of shape (answers,)."""
    apart = float(np.sqrt(((in_engine - in_torch) ** 2).mean()))
    spread = float(in_torch.std(ddof=1)) if len(in_torch) > 1 else float(np.abs(in_torch).mean())
    error = apart / spread if spread else float("inf") if apart else 0.0
    ranks = rank_correlation(in_torch, in_engine)
    count = counted(len(in_torch), "answer")
    compared = (
        f"served scores of {count} differ from torch's by {error:.1%} of the spread of these, rank correlation "
        f"{ranks:.3f}"
    )
    passed = bool(np.isfinite(in_engine).all()) and error <= ALLOWED
    reason = (
        f"The {compared}; at most {ALLOWED:.0%} is allowed. Where the reward model hardly tells answers apart, rate "
        "more pairs or train it for longer."
    )
    return VerificationReport(
        passed=passed,
        verdict=f"The exported file scores answers as the trained model does: {compared}." if passed else reason,
        reasons=() if passed else (reason,),
        counted=len(in_torch),
        seconds=seconds,
    )


def rank_correlation(first: Any, second: Any) -> float:
    """Spearman's; 1 where there is nothing to rank."""
    if len(first) < 2:
        return 1.0
    ranks = [np.argsort(np.argsort(side)).astype(np.float64) for side in (first, second)]
    return float(np.corrcoef(ranks[0], ranks[1])[0, 1])
