"""Statistics of scores: intervals of means, paired comparisons of recipes on the same questions, and their wording.

Rates (every score is 0 or 1) have closed intervals, other scores bootstrapped ones. All intervals are of 95 %. Pure
and reproducible: resampling is seeded.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import Any

import msgspec

LEVEL = 0.95
POWER = 0.8
RESAMPLES = 4_000
MANY = 1_000
"""From so many scores on the mean is as good as normally distributed: nothing is resampled."""
POINTS = 5
"""The difference, in points of 100, for which the number of questions is estimated."""

_NORMAL = NormalDist()
_Z = _NORMAL.inv_cdf((1 + LEVEL) / 2)


class Estimate(msgspec.Struct, frozen=True, kw_only=True):
    """A mean of ``n`` scores and its interval; of none it is 0 in [0, 1]."""

    value: float
    low: float
    high: float
    n: int


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """The mean difference of paired scores, second less first, with its interval.

    ``p`` is two-sided: of McNemar's exact test for rates, else bootstrapped; where several comparisons are made it is
    Holm's adjusted one. ``more`` is about how many more questions would show a difference of ``POINTS`` with a power of
    80 %.
    """

    difference: float
    low: float
    high: float
    p: float
    n: int
    more: int

    @property
    def shown(self) -> bool:
        """Whether the difference is not chance: the test and the interval agree that it is not 0."""
        return self.n > 0 and self.p < 1 - LEVEL and not self.low <= 0 <= self.high


def is_rate(scores: Sequence[float]) -> bool:
    return all(score in (0, 1) for score in scores)


def estimate(scores: Sequence[float]) -> Estimate:
    """The mean of scores with its interval: Wilson's for rates, else bootstrapped."""
    return wilson(round(sum(scores)), len(scores)) if is_rate(scores) else bootstrap(scores)


def weighted(scores: Sequence[float], weights: Sequence[float]) -> list[float]:
    """Scores whose plain mean is the weighted mean of ``scores``, and whose spread gives its standard error: the
    linearised ratio of two sums (Cochran 1977, Sampling Techniques, section 6.3). Weights are above 0."""
    whole = math.fsum(weights)
    mean = math.fsum(w * one for w, one in zip(weights, scores, strict=True)) / whole if scores else 0.0
    return [mean + len(scores) * w / whole * (one - mean) for w, one in zip(weights, scores, strict=True)]


def wilson(successes: int, n: int) -> Estimate:
    """A rate with Wilson's score interval (Wilson 1927, doi:10.1080/01621459.1927.10502953)."""
    if not n:
        return Estimate(value=0.0, low=0.0, high=1.0, n=0)
    rate, z2 = successes / n, _Z * _Z
    centre = (rate + z2 / (2 * n)) / (1 + z2 / n)
    half = _Z / (1 + z2 / n) * math.sqrt(rate * (1 - rate) / n + z2 / (4 * n * n))
    low = 0.0 if successes == 0 else max(0.0, centre - half)
    high = 1.0 if successes == n else min(1.0, centre + half)
    return Estimate(value=rate, low=low, high=high, n=n)


def bootstrap(scores: Sequence[float], seed: int = 0) -> Estimate:
    """A mean with its bootstrap percentile interval, widened for small samples as Student's t is (Hesterberg 2015,
    arXiv:1411.5279, section 4.4)."""
    n = len(scores)
    if n < 2:
        value = float(scores[0]) if scores else 0.0
        return Estimate(value=value, low=min(0.0, value), high=max(1.0, value), n=n)
    value = math.fsum(scores) / n
    if n >= MANY:
        half = _Z * _deviation(scores, value) / math.sqrt(n)
        return Estimate(value=value, low=value - half, high=value + half, n=n)
    low, high = _percentiles(_resampled_means(scores, seed), n)
    return Estimate(value=value, low=low, high=high, n=n)


def compare(first: Sequence[float], second: Sequence[float]) -> Comparison:
    """Compare two recipes by their scores on the same questions, in the same order. Raises ValueError when these are
    not as many."""
    differences = [b - a for a, b in zip(first, second, strict=True)]
    n = len(differences)
    if not n:
        return Comparison(difference=0.0, low=-1.0, high=1.0, p=1.0, n=0, more=0)
    mean = math.fsum(differences) / n
    if is_rate(first) and is_rate(second):
        won, lost = differences.count(1), differences.count(-1)
        low, high = _paired_rates(won, lost, n)
        # smoothed, so that no disagreement so far does not mean that there can be none
        spread = math.sqrt(max(0.0, (won + lost + 1) / (n + 1) - mean * mean))
        return Comparison(difference=mean, low=low, high=high, p=mcnemar(won, lost), n=n, more=_more(spread, n))
    if n < 2:
        return Comparison(difference=mean, low=min(-1.0, mean), high=max(1.0, mean), p=1.0, n=n, more=0)
    spread = _deviation(differences, mean)
    if n >= MANY:
        error = spread / math.sqrt(n)
        low, high = mean - _Z * error, mean + _Z * error
        p = math.erfc(abs(mean) / error / math.sqrt(2)) if error else float(mean == 0)
    else:
        means = _resampled_means(differences, 0)
        low, high = _percentiles(means, n)
        farther = int((abs(means - mean) >= abs(mean)).sum())
        p = 1.0 if not spread and not mean else (farther + 1) / (len(means) + 1)
    return Comparison(difference=mean, low=low, high=high, p=p, n=n, more=_more(spread, n))


def mcnemar(won: int, lost: int) -> float:
    """The two-sided p-value of McNemar's exact test: of ``won + lost`` questions on which two recipes differ, each is
    won with a probability of one half (McNemar 1947, doi:10.1007/BF02295996)."""
    n, fewer = won + lost, min(won, lost)
    # by logarithms: binomial coefficients of thousands have thousands of digits
    whole = math.lgamma(n + 1) - n * math.log(2)
    terms = (math.exp(whole - math.lgamma(k + 1) - math.lgamma(n - k + 1)) for k in range(fewer + 1))
    return min(1.0, 2 * math.fsum(terms))


def holm(p_values: Sequence[float]) -> list[float]:
    """The p-values adjusted for their number (Holm 1979, https://www.jstor.org/stable/4615733)."""
    adjusted, largest = [0.0] * len(p_values), 0.0
    for rank, place in enumerate(sorted(range(len(p_values)), key=lambda i: p_values[i])):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[place]))
        adjusted[place] = largest
    return adjusted


def compare_all(
    scores: Sequence[Sequence[float]], pairs: Sequence[tuple[int, int]] | None = None, among: int = 0
) -> dict[tuple[int, int], Comparison]:
    """Pairs of recipes by their places, every one unless some are named, with p-values adjusted by Holm's method, as
    for ``among`` pairs where the named ones were chosen by their scores."""
    if pairs is None:
        pairs = [(i, j) for i in range(len(scores)) for j in range(i + 1, len(scores))]
    found = [compare(scores[i], scores[j]) for i, j in pairs]
    adjusted = holm([*(one.p for one in found), *[1.0] * max(0, among - len(found))])[: len(found)]
    return {pair: msgspec.structs.replace(one, p=p) for pair, one, p in zip(pairs, found, adjusted, strict=True)}


def questions_needed(spread: float, difference: float = POINTS / 100) -> int:
    """How many questions show a ``difference`` with a power of 80 %, where paired differences have the standard
    deviation ``spread``."""
    return math.ceil(((_Z + _NORMAL.inv_cdf(POWER)) * spread / difference) ** 2)


def describe(comparison: Comparison, first: str, second: str, unit: str = "", *, fewer: bool = False) -> str:
    """The comparison in a sentence, for recipes with these names. Shares are in points of 100; of faults ``fewer`` are
    better. Scores that have a ``unit`` of their own are higher, not better."""
    if not comparison.n:
        return f"{first} and {second} have no question in common yet."
    if comparison.shown:
        low, high = sorted((abs(comparison.low), abs(comparison.high)))
        winner, loser = (second, first) if (comparison.difference > 0) is not fewer else (first, second)
        by, low_text, high_text = (_amount(one, unit) for one in (abs(comparison.difference), low, high))
        size = f"{by} {_unit(by, unit)} ({low_text} to {high_text})"
        return f"{winner} is {'higher' if unit else 'better'} than {loser} by {size}."
    if unit or not comparison.more:
        within = f"{_amount(comparison.low, unit)} to {_amount(comparison.high, unit)}"
        return f"No difference between {first} and {second} is shown ({within} {_unit('', unit)})."
    return (
        f"No difference between {first} and {second} is shown; about {comparison.more:,} more questions would be "
        f"needed to see {POINTS} points."
    )


def describe_best(
    best: str, value: str, others: Sequence[tuple[str, Comparison]], unit: str = "", *, fewer: bool = False
) -> str:
    """The recipe with the best mean, ``value`` in words, and how each of the ``others`` compares with it."""
    worse = [name for name, one in others if one.shown]
    near = [(name, one) for name, one in others if not one.shown]
    leads = "has the highest value" if unit else "has the fewest" if fewer else "is the best"
    if not near:
        apart = "lower" if unit else "worse"
        return f"{best} {leads}: {value}. The other {len(others)} recipes are shown to be {apart}."
    names = ", ".join(name for name, _ in near)
    said = f"{best} {leads}: {value}. Not shown to be {'lower' if unit else 'worse'}: {names}."
    more = max((one.more for _, one in near), default=0)
    if more and not unit:
        said += f" About {more:,} more questions would be needed to see {POINTS} points."
    return f"{said} Shown to be {'lower' if unit else 'worse'}: {', '.join(worse)}." if worse else said


# -- parts ---------------------------------------------------------------------------------------------


def _paired_rates(won: int, lost: int, n: int) -> tuple[float, float]:
    """The interval of a difference of paired rates (Bonett and Price 2012, doi:10.3102/1076998611411915): the Wald
    interval with one more question won and lost, so that it is sound for few questions and for no disagreement."""
    up, down = (won + 1) / (n + 2), (lost + 1) / (n + 2)
    half = _Z * math.sqrt((up + down - (up - down) ** 2) / (n + 2))
    return max(-1.0, up - down - half), min(1.0, up - down + half)


def _resampled_means(values: Sequence[float], seed: int) -> Any:
    """(RESAMPLES,) means of samples with replacement, sorted."""
    import numpy as np  # not at the top: what imports this for its closed formulas starts light

    numbers, generator = np.asarray(values, np.float64), np.random.default_rng(seed)
    return np.sort(numbers[generator.integers(0, len(numbers), (RESAMPLES, len(numbers)))].mean(axis=1))


def _deviation(values: Sequence[float], mean: float) -> float:
    return math.sqrt(math.fsum((one - mean) ** 2 for one in values) / (len(values) - 1))


def _percentiles(means: Any, n: int) -> tuple[float, float]:
    import numpy as np

    tail = _NORMAL.cdf(-math.sqrt(n / (n - 1)) * _student(n - 1))
    low, high = np.quantile(means, [tail, 1 - tail])
    return float(low), float(high)


def _student(freedom: int) -> float:
    """The quantile of Student's t for ``LEVEL``: exact for 1 and 2 degrees, else the expansion about the
    normal's (Abramowitz and Stegun 26.7.5), right to three digits."""
    if freedom < 3:
        return (12.706204736, 4.302652730)[freedom - 1]
    z, v = _Z, freedom
    terms = (
        z,
        (z**3 + z) / (4 * v),
        (5 * z**5 + 16 * z**3 + 3 * z) / (96 * v**2),
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * v**3),
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / (92160 * v**4),
    )
    return math.fsum(terms)


def _more(spread: float, n: int) -> int:
    """How many more questions are needed, to two digits."""
    missing = questions_needed(spread) - n
    if missing <= 0:
        return 0
    digit = int(10 ** max(0, len(str(missing)) - 2))
    return math.ceil(missing / digit) * digit


def _amount(value: float, unit: str) -> str:
    scaled = value if unit else 100 * value
    text = f"{scaled:.0f}" if abs(scaled) >= 3 or unit else f"{scaled:.1f}"
    return "0" if text in ("-0", "-0.0", "0.0") else text.removesuffix(".0")


def _unit(amount: str, unit: str) -> str:
    return unit or ("point" if amount == "1" else "points")
