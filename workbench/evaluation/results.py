"""The results of an evaluation: means with intervals, and what the comparisons of its recipes show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from workbench.evaluation.statistics import bootstrap, compare_all, describe, estimate
from workbench.records.evaluation import ColumnCost, ColumnScore, Evaluation, EvaluationReport, ScorerResult
from workbench.records.methods import MethodInfo

ALL_PAIRS = 4
"""Up to so many recipes each is compared with each, more only with the first."""


def summarise(
    evaluation: Evaluation,
    methods: Sequence[MethodInfo],
    values: Sequence[Sequence[Mapping[int, float]]],
    costs: Sequence[ColumnCost],
    cells: int,
    answered: int,
) -> EvaluationReport:
    """``methods`` are the scorers' rows; ``values`` of each scorer the values of each column by question number."""
    names = [column.name for column in evaluation.columns]
    titles = _titles(methods)
    results = tuple(
        _result(title, method.unit, columns, names, numbers_of_all(columns))
        for title, method, columns in zip(titles, methods, values, strict=True)
    )
    return EvaluationReport(evaluation=evaluation, cells=cells, answered=answered, costs=tuple(costs), results=results)


def numbers_of_all(columns: Sequence[Mapping[int, float]]) -> list[int]:
    """The questions for which every column that has values at all has one."""
    begun = [column for column in columns if column]
    common = set(begun[0]).intersection(*begun[1:]) if begun else set()
    return sorted(common)


def _result(
    title: str, unit: str, columns: Sequence[Mapping[int, float]], names: Sequence[str], common: Sequence[int]
) -> ScorerResult:
    means = tuple(_mean(list(column.values()), unit) for column in columns)
    begun = [place for place, column in enumerate(columns) if column]
    pairs = [(i, j) for i in begun for j in begun if i < j and (len(begun) <= ALL_PAIRS or i == begun[0])]
    scores = [[column[number] for number in common] if column else [] for column in columns]
    sentences = tuple(describe(found, names[i], names[j], unit) for (i, j), found in compare_all(scores, pairs).items())
    return ScorerResult(title=title, unit=unit, columns=means, sentences=sentences)


def _mean(values: list[float], unit: str) -> ColumnScore | None:
    if not values:
        return None
    found = bootstrap(values) if unit else estimate(values)
    return msgspec.convert(msgspec.structs.asdict(found), ColumnScore)


def _titles(methods: Sequence[MethodInfo]) -> list[str]:
    """Titles, numbered where a scorer is used more than once."""
    titles = [method.title for method in methods]
    return [
        f"{title} {titles[: place + 1].count(title)}" if titles.count(title) > 1 else title
        for place, title in enumerate(titles)
    ]
