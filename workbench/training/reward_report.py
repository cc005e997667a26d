"""The report on a reward model from its scores: accuracy beside that of the length, calibration, distributions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from workbench.records.training.rewards import CalibrationBin, RewardReport, ScoreBin
from workbench.records.training.scores import interval

Numbers = NDArray[np.floating]

RESAMPLES = 4_000
CALIBRATION_BINS, SCORE_BINS = 5, 20


def make_report(
    train: Numbers,
    measured: Numbers,
    train_lengths: Sequence[tuple[int, int]],
    lengths: Sequence[tuple[int, int]],
    *,
    held_out: bool = True,
) -> RewardReport:
    """``train`` and ``measured`` are scores of shape (2 · pairs,), each chosen answer before its rejected one; the
    lengths are those of both answers of each pair."""
    rule: Literal["shorter", "longer"] = (
        "shorter" if _right_by_length(train_lengths, shorter=True).mean() >= 0.5 else "longer"
    )
    margins = (measured[0::2] - measured[1::2]).astype(np.float64)
    right = np.where(margins == 0, 0.5, margins > 0)
    by_length = _right_by_length(lengths, shorter=rule == "shorter")
    accuracy = float(right.mean())
    low, high = interval(accuracy, len(right))
    gain_low, gain_high = paired_interval(right - by_length)
    train_margins = (train[0::2] - train[1::2]).astype(np.float64)
    temperature = fit_temperature(train_margins)
    bins = calibrate(margins / temperature)
    return RewardReport(
        pairs=len(right),
        accuracy=accuracy,
        low=low,
        high=high,
        length_accuracy=float(by_length.mean()),
        length_rule=rule,
        gain=float((right - by_length).mean()),
        gain_low=gain_low,
        gain_high=gain_high,
        train_pairs=len(train_margins),
        train_accuracy=float(np.where(train_margins == 0, 0.5, train_margins > 0).mean()),
        temperature=temperature,
        calibration_error=sum(abs(b.predicted - b.observed) * b.pairs for b in bins) / max(1, len(right)),
        calibration=bins,
        scores=distribute(measured[0::2], measured[1::2]),
        held_out=held_out,
    )


def paired_interval(differences: Numbers) -> tuple[float, float]:
    """The percentile bootstrap interval of 95 % of a mean over pairs (Efron 1979), with a fixed seed."""
    generator = np.random.default_rng(0)
    drawn = generator.integers(0, len(differences), (RESAMPLES, len(differences)))
    means = np.asarray(differences, np.float64)[drawn].mean(axis=1)
    low, high = np.quantile(means, (0.025, 0.975))
    return float(low), float(high)


def fit_temperature(margins: Numbers) -> float:
    """The number by which differences of scores are divided for the best log-loss of the preferences (Guo et al. 2017,
    arXiv:1706.04599). One pair in all counts as judged the other way, as in Platt's targets (1999), so that scores
    which tell all of them apart are not taken for certain."""
    wrong = 1 / (len(margins) + 2)

    def loss(temperature: float) -> float:
        scaled = margins / temperature
        return float(((1 - wrong) * np.logaddexp(0.0, -scaled) + wrong * np.logaddexp(0.0, scaled)).mean())

    found: list[float] = np.geomspace(0.02, 50, 160).tolist()
    return min(found, key=loss)


def calibrate(margins: Numbers) -> tuple[CalibrationBin, ...]:
    """Of log-odds of the chosen answers, the predicted and the observed share by which the answer with the higher score
    was preferred, in bins of equal width from one half to one."""
    predicted = 1 / (1 + np.exp(-np.abs(margins)))
    agreed = np.where(margins == 0, 0.5, margins > 0)
    edges = np.linspace(0.5, 1.0, CALIBRATION_BINS + 1)
    bins = []
    for low, high in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        inside = (predicted >= low) & ((predicted < high) | (high == 1.0))
        if inside.any():
            bins.append(
                CalibrationBin(
                    low=low,
                    high=high,
                    predicted=float(predicted[inside].mean()),
                    observed=float(agreed[inside].mean()),
                    pairs=int(inside.sum()),
                )
            )
    return tuple(bins)


def distribute(chosen: Numbers, rejected: Numbers) -> tuple[ScoreBin, ...]:
    """Histograms of both over the same bins."""
    both = np.concatenate([chosen, rejected])
    low, high = float(both.min()), float(both.max())
    if not high > low:
        high = low + max(1e-6, math.ulp(abs(low)) * 4)
    edges = np.linspace(low, high, SCORE_BINS + 1)
    counts = [np.histogram(side, edges)[0].tolist() for side in (chosen, rejected)]
    return tuple(
        ScoreBin(low=a, high=b, chosen=of_chosen, rejected=of_rejected)
        for a, b, of_chosen, of_rejected in zip(edges[:-1].tolist(), edges[1:].tolist(), *counts, strict=True)
    )


def _right_by_length(lengths: Sequence[tuple[int, int]], *, shorter: bool) -> Numbers:
    """1 where the length tells the chosen answer, one half where both are equally long."""
    found = [0.5 if a == b else float((a < b) == shorter) for a, b in lengths]
    return np.asarray(found or [0.5], np.float64)
