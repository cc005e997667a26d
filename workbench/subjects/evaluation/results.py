"""The results of an evaluation: means with intervals, and what the comparisons of its recipes show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from workbench.records.evaluation import ColumnCost, ColumnScore, Evaluation, EvaluationReport, ScorerResult
from workbench.records.methods import MethodInfo
from workbench.subjects.evaluation.leaks import describe_leaks
from workbench.subjects.evaluation.statistics import bootstrap, compare_all, describe, estimate, weighted, wilson

RIGHT = 0.5
"""The least value of a share by which an answer counts as right."""
BY_INSTRUCTION = "by instruction"
"""The trait of such scorers."""
ALL_PAIRS = 4
"""Up to so many recipes each is compared with each, more only with the first."""


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
    """``methods`` are the scorers' rows; ``values`` of each scorer the values of each column by question number.
    ``rated`` are each scorer's values of answers that a person has rated, with the ratings. ``instructions`` are the
    numbers of instructions of the questions, for scorers whose questions count by them."""
    names = [column.name for column in evaluation.columns]
    titles = _titles(methods)
    results = []
    for place, (title, method, columns) in enumerate(zip(titles, methods, values, strict=True)):
        weights = instructions if BY_INSTRUCTION in method.traits else None
        result = _result(title, method.unit, columns, names, numbers_of_all(columns), weights)
        if evaluation.search:
            result = msgspec.structs.replace(result, sentences=())  # the best of many is not tested on what chose it
        if place < len(rated) and not method.unit:
            result = msgspec.structs.replace(result, agreement=describe_agreement(rated[place]))
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
    unit: str,
    columns: Sequence[Mapping[int, float]],
    names: Sequence[str],
    common: Sequence[int],
    weights: Mapping[int, int] | None,
) -> ScorerResult:
    means = tuple(_mean(_weighted(column, list(column), weights), unit) for column in columns)
    begun = [place for place, column in enumerate(columns) if column]
    pairs = [(i, j) for i in begun for j in begun if i < j and (len(begun) <= ALL_PAIRS or i == begun[0])]
    scores = [_weighted(column, common, weights) if column else [] for column in columns]
    sentences = tuple(describe(found, names[i], names[j], unit) for (i, j), found in compare_all(scores, pairs).items())
    return ScorerResult(title=title, unit=unit, columns=means, sentences=sentences)


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
