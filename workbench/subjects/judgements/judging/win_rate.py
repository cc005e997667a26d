"""The win rate of one recipe against another from judgements of their answers, with and without the effect of length.

Length-controlled: a logistic regression of the verdicts on the difference of lengths, read at no difference (after
Dubois et al. 2024, Length-Controlled AlpacaEval, arXiv:2404.04475, who regress on more).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from workbench.records.judgement_reports import MeanEstimate, ShareEstimate
from workbench.records.judgements import Judgement
from workbench.records.judging import WinRate
from workbench.subjects.evaluation.statistics import bootstrap, wilson
from workbench.subjects.judgements.judging.agreement import share

_Z = 1.959963984540054
_PENALTY = 0.01
"""Of the squared coefficient of the standardised length, which without it is infinite where length tells all."""


def measure_wins(judgements: Sequence[Judgement], first: str, second: str) -> WinRate:
    """The win rate of ``second``, which are names of ``JudgedAnswer.name``. Pairs with other names are left out;
    those without a verdict wait."""
    outcomes: list[float] = []
    lengths: list[tuple[int, int]] = []
    counts: Counter[str] = Counter()
    judges: Counter[str] = Counter()
    waiting = shown_first = known = 0
    for one in judgements:
        if one.b is None or {one.a.name, one.b.name} != {first, second}:
            continue
        if not one.verdict:
            waiting += 1
            continue
        second_is_a = one.a.name == second
        outcome = {"a": float(second_is_a), "b": float(not second_is_a)}.get(one.verdict, 0.5)
        counts["won" if outcome == 1 else "lost" if outcome == 0 else one.verdict] += 1
        judges[one.judge_name or one.judge] += 1
        outcomes.append(outcome)
        of_second, of_first = (one.a, one.b) if second_is_a else (one.b, one.a)
        lengths.append((len(of_first.text.strip()), len(of_second.text.strip())))
        if one.shown:
            known += 1
            shown_first += (one.shown == "ab") == second_is_a
    return WinRate(
        first=first,
        second=second,
        n=len(outcomes),
        won=counts["won"],
        lost=counts["lost"],
        tied=counts["tie"],
        both_bad=counts["bad"],
        rate=rate_of(outcomes),
        controlled=control_length(outcomes, [b - a for a, b in lengths]),
        characters_first=_mean([a for a, _ in lengths]),
        characters_second=_mean([b for _, b in lengths]),
        second_shown_first=share(shown_first, known),
        judges=dict(judges),
        waiting=waiting,
    )


def rate_of(outcomes: Sequence[float]) -> ShareEstimate:
    """The mean of outcomes (1 won, 0 lost, one half a tie) with Wilson's interval, which for ties is on the safe
    side."""
    n = len(outcomes)
    if not n:
        return ShareEstimate()
    rate = math.fsum(outcomes) / n
    if all(one in (0, 1) for one in outcomes):
        found = wilson(round(rate * n), n)
        return ShareEstimate(value=rate, low=found.low, high=found.high, n=n)
    z2 = _Z * _Z
    centre = (rate + z2 / (2 * n)) / (1 + z2 / n)
    half = _Z / (1 + z2 / n) * math.sqrt(rate * (1 - rate) / n + z2 / (4 * n * n))
    return ShareEstimate(value=rate, low=max(0.0, centre - half), high=min(1.0, centre + half), n=n)


def control_length(outcomes: Sequence[float], differences: Sequence[float]) -> ShareEstimate:
    """The win rate at equal lengths, from a logistic regression on the standardised difference of lengths; its interval
    is that of the intercept."""
    n = len(outcomes)
    if n < 3:
        return rate_of(outcomes)
    spread = math.sqrt(math.fsum(one * one for one in differences) / n)
    if not spread:
        return rate_of(outcomes)
    scaled = [one / spread for one in differences]
    # a pseudo-observation of one half keeps the intercept finite where everything was won
    intercept = slope = 0.0
    information = (1.0, 0.0, 1.0)
    for _ in range(100):
        gradient_i, gradient_s = -0.5 * math.tanh(intercept / 2), -_PENALTY * slope
        ii, i_s, ss = 0.25 / math.cosh(intercept / 2) ** 2, 0.0, _PENALTY
        for outcome, x in zip(outcomes, scaled, strict=True):
            p = _sigmoid(intercept + slope * x)
            gradient_i += outcome - p
            gradient_s += (outcome - p) * x
            weight = p * (1 - p)
            ii, i_s, ss = ii + weight, i_s + weight * x, ss + weight * x * x
        information = ii, i_s, ss
        determinant = max(1e-12, ii * ss - i_s * i_s)
        step_i = (ss * gradient_i - i_s * gradient_s) / determinant
        step_s = (ii * gradient_s - i_s * gradient_i) / determinant
        size = max(abs(step_i), abs(step_s), 1.0)
        intercept, slope = intercept + step_i / size, slope + step_s / size
        if max(abs(step_i), abs(step_s)) < 1e-9:
            break
    ii, i_s, ss = information
    error = math.sqrt(max(0.0, ss / max(1e-12, ii * ss - i_s * i_s)))
    return ShareEstimate(
        value=_sigmoid(intercept), low=_sigmoid(intercept - _Z * error), high=_sigmoid(intercept + _Z * error), n=n
    )


def _sigmoid(value: float) -> float:
    return 1 / (1 + math.exp(-max(-700.0, min(700.0, value))))


def _mean(values: Sequence[int]) -> MeanEstimate:
    if not values:
        return MeanEstimate()
    found = bootstrap([float(one) for one in values])
    return MeanEstimate(value=found.value, low=found.low, high=found.high, n=found.n)
