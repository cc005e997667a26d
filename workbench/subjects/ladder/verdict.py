"""The verdict on the scores of a ladder: intervals that hold for all rungs at once, standings, and the cheapest rung
that is enough.

Pure and reproducible: resampling is seeded. Intervals are simultaneous, so that the interval of a rung holds its value
also when the rung was chosen for its score: the critical value is the 95 % quantile of the largest of the rungs'
standardised deviations, which are simulated with the correlation that the scores have over questions (max-t, Westfall
and Young 1993, Resampling-Based Multiple Testing).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import NormalDist

import msgspec

from workbench.base.catalogue import Shown
from workbench.base.counting import counted
from workbench.records.evaluation import ColumnScore
from workbench.records.ladder import (
    AS_IT_IS,
    ASKED,
    SAME_ANSWER_S,
    SAME_PREPARING_S,
    RungCost,
    Standing,
    cheapest,
    is_dearer,
    least_apart,
)
from workbench.subjects.evaluation.statistics import POINTS, is_rate, questions_needed

FEWEST = 12
"""Of fewer common questions nothing is said."""
LEVEL = 0.95
DRAWS = 20_000
_NORMAL = NormalDist()


class Scored(msgspec.Struct, frozen=True, kw_only=True):
    """A rung with its scores by question number, what it took, and how it is called in the sentence."""

    name: str
    title: str
    values: Mapping[int, float]
    cost: RungCost = RungCost()
    plural: bool = False


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    score: ColumnScore
    difference: ColumnScore | None
    standing: Standing
    frontier: bool


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """``rungs`` by their names. ``winner`` is the cheapest one that is not shown to be worse than the best, "" where
    there are too few answers. ``more`` is about how many more questions would separate the first two."""

    rungs: dict[str, Judged]
    sentence: Shown = ""
    winner: str = ""
    more: int = 0
    questions: int = 0


def judge(rungs: Sequence[Scored], questions: int = ASKED, unit: str = "") -> Verdict:
    """The verdict on rungs in the order in which they are listed. Only questions that all have answered count. Costs
    are compared for so many ``questions`` that a person is going to ask; where they are about the same, the value
    decides, and then the order, so that measuring the times again leads to the same verdict."""
    begun = [rung for rung in rungs if rung.values]
    numbers = sorted(set.intersection(*(set(rung.values) for rung in begun))) if begun else []
    if not numbers:
        return Verdict(rungs={}, sentence="There are no answers to compare yet.")
    n = len(numbers)
    scores = [[rung.values[number] for number in numbers] for rung in begun]
    means = [math.fsum(one) / n for one in scores]
    rate = not unit and all(map(is_rate, scores))
    critical = critical_value(scores)
    intervals = [_interval(one, critical, rate, unit) for one in scores]
    price = [rung.cost.seconds_for(questions) for rung in begun]
    least = least_apart(questions)
    best = min(range(len(begun)), key=lambda place: (-means[place], place))
    base = next((place for place, rung in enumerate(begun) if rung.name == AS_IT_IS), None)
    of_best = paired_intervals(scores[best], scores, rate)
    of_base = paired_intervals(scores[base], scores, rate) if base is not None else []
    worse = [place != best and of_best[place].high < 0 for place in range(len(begun))]
    standings: list[Standing] = ["worse" if one else "not worse" for one in worse]
    if n < FEWEST or len(begun) < 2:
        standings = ["open"] * len(begun)
    elif all(one for place, one in enumerate(worse) if place != best):
        standings[best] = "best"
    enough = [place for place in range(len(begun)) if standings[place] in ("best", "not worse")]
    if rate and not means[best]:  # what is right in nothing is not enough, though nothing is better
        enough = []
    winner = None
    if enough:
        winner = enough[cheapest([price[place] for place in enough], [means[place] for place in enough], least)]
    frontier = _frontier(price, means, least)
    judged = {
        rung.name: Judged(
            score=intervals[place],
            difference=of_base[place] if base is not None and place != base else None,
            standing=standings[place],
            frontier=place in frontier,
        )
        for place, rung in enumerate(begun)
    }
    more = _more(scores, best, winner, n)
    dearer: list[int] = []
    if enough:
        lowest = min(price[place] for place in enough)
        dearer = [place for place in range(len(begun)) if is_dearer(price[place], lowest, least)]
    said = _sentence(begun, judged, scores, winner, more, n, rate, unit, dearer)
    return Verdict(
        rungs=judged, sentence=said, winner=begun[winner].name if winner is not None else "", more=more, questions=n
    )


def _frontier(price: Sequence[float], means: Sequence[float], least: float) -> list[int]:
    """The places of what nothing is better than at the same cost. Of those with the same value it is the cheapest one,
    so that a row of costs, each about the same as the next, does not rule all of them out."""
    cheapest_of: dict[float, int] = {}
    for mean in means:
        those = [place for place, one in enumerate(means) if one == mean]
        cheapest_of[mean] = those[cheapest([price[place] for place in those], [mean] * len(those), least)]
    return [
        place
        for mean, place in cheapest_of.items()
        if not any(
            means[other] > mean and not is_dearer(price[other], price[place], least) for other in range(len(price))
        )
    ]


# -- intervals -----------------------------------------------------------------------------------------


def critical_value(scores: Sequence[Sequence[float]]) -> float:
    """The number of standard errors within which all means lie at once with a probability of 95 %: from 1.96 for one
    rung, or for rungs that answer alike, up to Šidák's value for independent ones."""
    import numpy as np

    single = _NORMAL.inv_cdf((1 + LEVEL) / 2)
    rows = np.asarray(scores, np.float64)
    if len(rows) < 2 or rows.shape[1] < 2:
        return single
    centred = rows - rows.mean(axis=1, keepdims=True)
    spread = np.sqrt((centred**2).sum(axis=1))
    varies = spread > 1e-12
    alike = np.eye(len(rows))
    units = centred[varies] / spread[varies, None]
    alike[np.ix_(varies, varies)] = units @ units.T
    # a little shrunk towards independence, which is the safe side: correlations of few questions are noisy
    shrunk = alike * (1 - 1 / math.sqrt(rows.shape[1]))
    np.fill_diagonal(shrunk, 1.0)
    # a triangular root, which is the only one: the same draws each time, also for the rungs before one that comes later
    root = np.linalg.cholesky(shrunk)
    draws = np.random.default_rng(0).standard_normal((len(rows), DRAWS)).T @ root.T
    return max(single, float(np.quantile(np.abs(draws).max(axis=1), LEVEL)))


def paired_intervals(reference: Sequence[float], scores: Sequence[Sequence[float]], rate: bool) -> list[ColumnScore]:
    """The differences of all ``scores`` to ``reference``, with intervals that hold at once."""
    differences = [[b - a for a, b in zip(reference, one, strict=True)] for one in scores]
    varying = [one for one in differences if any(one)]
    critical = critical_value(varying) if varying else _NORMAL.inv_cdf((1 + LEVEL) / 2)
    found = []
    for one in differences:
        n, mean = len(one), math.fsum(one) / len(one)
        if rate:
            won, lost = one.count(1), one.count(-1)
            up, down = (won + 1) / (n + 2), (lost + 1) / (n + 2)  # Bonett and Price 2012, doi:10.3102/1076998611411915
            half = critical * math.sqrt((up + down - (up - down) ** 2) / (n + 2))
            low, high = max(-1.0, up - down - half), min(1.0, up - down + half)
        else:
            half = student(critical, n - 1) * _error(one, mean)
            low, high = mean - half, mean + half
        found.append(ColumnScore(value=mean, low=low, high=high, n=n))
    return found


def _interval(values: Sequence[float], critical: float, rate: bool, unit: str) -> ColumnScore:
    """Wilson's interval for rates, Student's for others, with this critical value."""
    n, mean = len(values), math.fsum(values) / len(values)
    if rate:
        z2 = critical * critical
        centre = (mean + z2 / (2 * n)) / (1 + z2 / n)
        half = critical / (1 + z2 / n) * math.sqrt(mean * (1 - mean) / n + z2 / (4 * n * n))
        low, high = centre - half, centre + half
    else:
        half = student(critical, n - 1) * _error(values, mean)
        low, high = mean - half, mean + half
    if not unit:
        low, high = max(0.0, low), min(1.0, high)
    return ColumnScore(value=mean, low=min(low, mean), high=max(high, mean), n=n)


def student(z: float, freedom: int) -> float:
    """The quantile of Student's t at the level of the normal's quantile ``z``: the expansion about it (Abramowitz and
    Stegun 26.7.5); for one degree of freedom that of Cauchy's distribution."""
    v = max(1, freedom)
    if v == 1:
        return math.tan(math.pi * (_NORMAL.cdf(z) - 0.5))
    terms = (
        z,
        (z**3 + z) / (4 * v),
        (5 * z**5 + 16 * z**3 + 3 * z) / (96 * v**2),
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * v**3),
    )
    return math.fsum(terms)


def _error(values: Sequence[float], mean: float) -> float:
    n = len(values)
    return math.sqrt(math.fsum((one - mean) ** 2 for one in values) / max(1, n - 1) / n) if n > 1 else 1.0


def could_be_shown_better(values: Sequence[float]) -> bool:
    """Whether a rung that answers everything rightly would be shown to be better than these scores: else there is no
    room above them."""
    perfect = [1.0] * len(values)
    return bool(values) and paired_intervals(values, [perfect], is_rate(values))[0].low > 0


# -- words ---------------------------------------------------------------------------------------------


def _more(scores: Sequence[Sequence[float]], best: int, winner: int | None, n: int) -> int:
    """About how many more questions would show the difference of the best rung to the next that is not shown to be
    worse: a difference of five points where the one that was found is smaller."""
    if n < FEWEST:
        return FEWEST - n
    if winner is None or winner == best:
        return 0
    differences = [a - b for a, b in zip(scores[best], scores[winner], strict=True)]
    mean = math.fsum(differences) / n
    spread = math.sqrt(max(math.fsum((one - mean) ** 2 for one in differences) / (n - 1), 1 / (n + 1)))
    missing = questions_needed(spread, max(mean, POINTS / 100)) - n
    if missing <= 0:
        return 0
    digit = int(10 ** max(0, len(str(missing)) - 2))
    return math.ceil(missing / digit) * digit


def _sentence(
    rungs: Sequence[Scored],
    judged: Mapping[str, Judged],
    scores: Sequence[Sequence[float]],
    winner: int | None,
    more: int,
    n: int,
    rate: bool,
    unit: str,
    dearer: Sequence[int],
) -> str:
    if len(rungs) == 1:
        score = judged[rungs[0].name].score
        pace = seconds_in_words(rungs[0].cost.answer_s)
        value = f"{_amount(score.value, unit)} ({_bounds(score, unit)}) at {pace} an answer"
        return f"{rungs[0].title} reaches {value}; nothing else has been measured."
    if winner is None and n >= FEWEST:
        return f"None of the techniques has answered any of the {counted(n, 'question')} rightly."
    if winner is None:
        return (
            f"With {counted(n, 'question')} nothing can be said yet: all techniques have to answer at least {FEWEST}."
        )
    chosen = rungs[winner]
    score = judged[chosen.name].score
    pace = seconds_in_words(chosen.cost.answer_s)
    value = f"{_amount(score.value, unit)} ({_bounds(score, unit)}) at {pace} an answer"
    if chosen.cost.preparing_s >= SAME_PREPARING_S:
        time = seconds_in_words(chosen.cost.preparing_s)
        value = (
            f"{value}, once they are prepared in {time}" if chosen.plural else f"{value}, once it is prepared in {time}"
        )
    if judged[chosen.name].standing == "best":
        first = f"{chosen.title} {_are(chosen)} the best: {value}."
    elif rate and _is_highest(chosen.name, judged):
        first = f"{chosen.title} {_are(chosen)} enough, and right most often: {value}."
    else:
        first = f"{chosen.title} {_are(chosen)} enough: {value}."
    return " ".join(filter(None, (first, _dearer(rungs, scores, winner, rate, unit, dearer, more))))


def _is_highest(name: str, judged: Mapping[str, Judged]) -> bool:
    """Whether a rung is right more often than any other one, and is shown to be better than the recipe as it is."""
    mine = judged[name]
    if mine.difference is not None and mine.difference.low <= 0:
        return False
    return all(mine.score.value > one.score.value for other, one in judged.items() if other != name)


def _dearer(
    rungs: Sequence[Scored],
    scores: Sequence[Sequence[float]],
    winner: int,
    rate: bool,
    unit: str,
    dearer: Sequence[int],
    more: int,
) -> str:
    """The worth of the best of the dearer rungs."""
    if not dearer:
        return ""
    top = max(dearer, key=lambda place: (math.fsum(scores[place]), -place))
    against = paired_intervals(scores[winner], [scores[place] for place in dearer], rate)[dearer.index(top)]
    value = _amount(math.fsum(scores[top]) / len(scores[top]), unit)
    parts = (_compared(rungs[top], against, value, unit), _price(rungs[top], rungs[winner].cost))
    said = " ".join(filter(None, parts))
    if against.high >= 0 and more:
        said += f" About {more:,} more questions would probably tell them apart."
    return said


def _compared(rung: Scored, against: ColumnScore, value: str, unit: str) -> str:
    """Whether a dearer rung is better than the one that is named: whole sentences, which can be translated."""
    title, points = rung.title, _points(against, unit)
    if against.high < 0:
        return f"{title} are worse ({points})." if rung.plural else f"{title} is worse ({points})."
    if against.value > 0 and rung.plural:
        return f"{title} reach {value} and are not shown to be better ({points})."
    if against.value > 0:
        return f"{title} reaches {value} and is not shown to be better ({points})."
    if rung.plural:
        return f"{title} are not shown to be better ({points})."
    return f"{title} is not shown to be better ({points})."


def _price(rung: Scored, least: RungCost) -> str:
    """What a dearer rung takes more, in a sentence; "" where that is in neither alone."""
    cost = rung.cost
    if is_dearer(cost.preparing_s, least.preparing_s, SAME_PREPARING_S):
        time = seconds_in_words(cost.preparing_s - least.preparing_s)
        return f"They take {time} more to prepare." if rung.plural else f"It takes {time} more to prepare."
    if is_dearer(cost.answer_s, least.answer_s, SAME_ANSWER_S):
        time = seconds_in_words(cost.answer_s - least.answer_s)
        return f"They take {time} more an answer." if rung.plural else f"It takes {time} more an answer."
    return ""


def _are(rung: Scored) -> str:
    return "are" if rung.plural else "is"


def _points(difference: ColumnScore, unit: str) -> str:
    scale, digits = (1, 1) if unit else (100, 0)
    low, high = (_signed(scale * one, digits) for one in (difference.low, difference.high))
    return f"the difference is between {low} and {high} {unit or 'points'}"


def _signed(value: float, digits: int) -> str:
    return _plain(value, digits) if round(value, digits) <= 0 else f"+{value:.{digits}f}"


def _plain(value: float, digits: int) -> str:
    text = f"{value:.{digits}f}"
    return text.lstrip("-") if float(text) == 0 else text


def _amount(value: float, unit: str) -> str:
    return f"{value:.1f} {unit}" if unit else f"{100 * value:.0f} %"


def _bounds(score: ColumnScore, unit: str) -> str:
    return f"{score.low:.1f} to {score.high:.1f}" if unit else f"{100 * score.low:.0f} to {100 * score.high:.0f}"


def seconds_in_words(value: float) -> str:
    """``0.8 s``, ``12 s``, ``3 minutes``"""
    if value >= 90:
        return counted(round(value / 60), "minute")
    return f"{value:.0f} s" if value >= 10 else f"{value:.1f} s"
