"""The results of an evaluation: means with intervals, and what the comparisons of its recipes show.

Says which questions of an evaluation the adapters were trained on, and what the scores are without these.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from workbench.records.evaluation import (
    ColumnCost,
    ColumnScore,
    Evaluation,
    EvaluationReport,
    ScorerResult,
    TrainedBefore,
)
from workbench.records.methods import MethodInfo
from workbench.subjects.evaluation.report import amount, with_interval
from workbench.subjects.evaluation.scorers.scorer import FEWER
from workbench.subjects.evaluation.statistics import (
    bootstrap,
    compare_all,
    describe,
    describe_best,
    estimate,
    weighted,
    wilson,
)

RIGHT = 0.5
"""The least value of a share by which an answer counts as right."""
BY_INSTRUCTION = "by instruction"
"""The trait of such scorers."""


def summarise(
    evaluation: Evaluation,
    methods: Sequence[MethodInfo],
    values: Sequence[Sequence[Mapping[int, float]]],
    costs: Sequence[ColumnCost],
    cells: int,
    answered: int,
    rated: Sequence[Sequence[tuple[float, int]]] = (),
    instructions: Mapping[int, int] | None = None,
) -> EvaluationReport:
    """``methods`` are the scorers' rows; ``values`` of each scorer the values of each column by question number. Those
    of columns that were added since ``evaluation`` was read are left for the next report.
    ``rated`` are each scorer's values of answers that a person has rated, with the ratings. ``instructions`` are the
    numbers of instructions of the questions, for scorers whose questions count by them."""
    names = [column.name for column in evaluation.columns]
    values = [columns[: len(names)] for columns in values]
    titles = _titles(methods)
    results = []
    for place, (title, method, columns) in enumerate(zip(titles, methods, values, strict=True)):
        weights = instructions if BY_INSTRUCTION in method.traits else None
        result = _result(title, method, columns, names, numbers_of_all(columns), weights)
        if evaluation.search:
            result = msgspec.structs.replace(result, sentences=())  # the best of many is not tested on what chose it
        if place < len(rated) and not method.unit:
            mine = [(1 - value if result.fewer else value, rating) for value, rating in rated[place]]
            result = msgspec.structs.replace(result, agreement=describe_agreement(mine))
        results.append(result)
    named = [(title, method.unit) for title, method in zip(titles, methods, strict=True)]
    return EvaluationReport(
        evaluation=evaluation,
        cells=cells,
        answered=answered,
        costs=tuple(costs),
        results=tuple(results),
        leaks=describe_leaks(evaluation, named, values),
    )


def describe_agreement(rated: Sequence[tuple[float, int]]) -> str:
    """How often a scorer finds right what a person rated as good, and wrong what they rated as bad."""
    if not rated:
        return ""
    agrees = wilson(sum((value >= RIGHT) == (rating > 0) for value, rating in rated), len(rated))
    of = f"{round(agrees.value * agrees.n):,} of {agrees.n:,} of your ratings"
    return f"Agrees with {of} ({100 * agrees.low:.0f} to {100 * agrees.high:.0f} %)."


def numbers_of_all(columns: Sequence[Mapping[int, float]]) -> list[int]:
    """The questions for which every column that has values at all has one."""
    begun = [column for column in columns if column]
    common = set(begun[0]).intersection(*begun[1:]) if begun else set()
    return sorted(common)


def _result(
    title: str,
    method: MethodInfo,
    columns: Sequence[Mapping[int, float]],
    names: Sequence[str],
    common: Sequence[int],
    weights: Mapping[int, int] | None,
) -> ScorerResult:
    unit, fewer = method.unit, FEWER in method.traits
    means = tuple(_mean(_weighted(column, list(column), weights), unit) for column in columns)
    begun = [place for place, column in enumerate(columns) if column]
    scores = [_weighted(column, common, weights) if column else [] for column in columns]
    sentence = _sentence({place: names[place] for place in begun}, scores, unit, fewer=fewer)
    return ScorerResult(title=title, unit=unit, columns=means, sentences=(sentence,) if sentence else (), fewer=fewer)


def _sentence(names: Mapping[int, str], scores: Sequence[Sequence[float]], unit: str, *, fewer: bool) -> str:
    """How the recipes compare: two with each other, more with the best of them. ``names`` are those of the columns that
    have answers, whose ``scores`` are on the questions that all of these have in common."""
    if len(names) == 2:
        one, other = names
        compared = compare_all(scores, [(one, other)])[one, other]
        return describe(compared, names[one], names[other], unit, fewer=fewer)
    if len(names) < 2 or not any(scores[place] for place in names):
        return ""
    means = {place: sum(scores[place]) / len(scores[place]) for place in names}
    best = (min if fewer else max)(means, key=lambda place: means[place])
    pairs = [(best, place) for place in names if place != best]
    found = compare_all(scores, pairs, among=len(names) * (len(names) - 1) // 2)
    others = [(names[place], found[best, place]) for _, place in pairs]
    mean = _mean(list(scores[best]), unit)
    assert mean is not None
    value = with_interval(mean, unit)
    return describe_best(names[best], value, others, unit, fewer=fewer)


def _weighted(column: Mapping[int, float], numbers: Sequence[int], weights: Mapping[int, int] | None) -> list[float]:
    values = [column[number] for number in numbers]
    return values if weights is None else weighted(values, [weights[number] for number in numbers])


def _mean(values: list[float], unit: str) -> ColumnScore | None:
    if not values:
        return None
    found = bootstrap(values) if unit else estimate(values)
    low, high = (found.low, found.high) if unit else (max(0.0, found.low), min(1.0, found.high))
    return ColumnScore(value=found.value, low=low, high=high, n=found.n)


def _titles(methods: Sequence[MethodInfo]) -> list[str]:
    """Titles, numbered where a scorer is used more than once."""
    titles = [method.title for method in methods]
    return [
        f"{title} {titles[: place + 1].count(title)}" if titles.count(title) > 1 else title
        for place, title in enumerate(titles)
    ]


ALL = (
    "{recipe}: all {asked:,} questions stand in the training data of {adapters}, word for word or nearly. The scores "
    "show what was learnt by heart, and nothing about other questions: ask some that were not trained."
)
SOME = (
    "{recipe}: {seen:,} of the {asked:,} questions {stand} in the training data of {adapters}, word for word or "
    "nearly. On them the scores show what was learnt by heart. {without}"
)
WITHOUT = "{title} is {before} with them and {after} on the other {others:,}."
ONE_WITHOUT = "{title} is {before} with them and {after} on the one other question."
UNKNOWN = (
    "{recipe}: it is not known what {adapters} {was} trained on, so these questions may stand in the training data."
)

MOST_SCORERS = 3


def describe_leaks(
    evaluation: Evaluation, titles: Sequence[tuple[str, str]], values: Sequence[Sequence[Mapping[int, float]]]
) -> tuple[str, ...]:
    """A few sentences for each recipe that has adapters. ``titles`` are those of the scorers with their units,
    ``values`` of each scorer the values of each column by question number."""
    found = []
    for leak in evaluation.trained_before or ():
        recipe = evaluation.columns[leak.column].name
        asked, seen = evaluation.questions, len(leak.questions)
        names = _listed(leak.adapters)
        if seen and seen >= asked:
            found.append(ALL.format(recipe=recipe, asked=asked, adapters=names))
        elif seen:
            pairs = list(zip(titles, values, strict=True))[:MOST_SCORERS]
            without = " ".join(_without(leak, title, of[leak.column]) for title, of in pairs)
            found.append(
                SOME.format(
                    recipe=recipe,
                    seen=seen,
                    asked=asked,
                    stand="stands" if seen == 1 else "stand",
                    adapters=names,
                    without=without,
                ).rstrip()
            )
        if leak.unknown:
            was = "was" if len(leak.unknown) == 1 else "were"
            found.append(UNKNOWN.format(recipe=recipe, adapters=_listed(leak.unknown), was=was))
    return tuple(found)


def _without(leak: TrainedBefore, titled: tuple[str, str], values: Mapping[int, float]) -> str:
    """A scorer's mean with and without the questions that were trained; "" where one of them has none."""
    title, unit = titled
    trained = set(leak.questions)
    others = [value for number, value in values.items() if number not in trained]
    if not others or len(others) == len(values):
        return ""
    before, after = (amount(sum(one) / len(one), unit) for one in (list(values.values()), others))
    words = ONE_WITHOUT if len(others) == 1 else WITHOUT
    return words.format(title=title, before=before, after=after, others=len(others))


def _listed(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else "".join(names)
