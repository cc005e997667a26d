"""The leaderboard: whose results are on it."""

from __future__ import annotations

from typing import Any, cast

import pytest

from workbench.records.evaluation import (
    BenchmarkUse,
    Column,
    ColumnCost,
    ColumnScore,
    Evaluation,
    EvaluationReport,
    QuestionSet,
    ScorerResult,
)
from workbench.records.models import ModelRecord
from workbench.subjects.evaluation.benchmark_service import BenchmarkRuns
from workbench.subjects.evaluation.benchmarks import benchmark_recipe, find_benchmark
from workbench.subjects.evaluation.calls import GetLeaderboard


class One:
    """The stores of a home with one model, one set and one evaluation."""

    def __init__(self, benchmark: str) -> None:
        known = find_benchmark(benchmark)
        self.model = ModelRecord(
            name="Small", kind="chat", format="gguf", path="/s", architecture="llama", parameters=1,
            quantization="Q4_1", context_tokens=1, bytes=1,
        )  # fmt: skip
        use = BenchmarkUse(name=benchmark, title=known.title)
        self.set = QuestionSet(id="s", name="Set", created=0.0, questions=4, tune=0, benchmark=use)
        self.evaluation = Evaluation(
            id="e", question_set="s", set_name="Set", created=0.0, scorers=known.scorers, questions=4,
            columns=(Column(name="A", recipe=benchmark_recipe(known, "Small")),),
        )  # fmt: skip

    def list_sets(self) -> tuple[QuestionSet, ...]:
        return (self.set,)

    def list_evaluations(self) -> tuple[Evaluation, ...]:
        return (self.evaluation,)

    def list_models(self) -> tuple[ModelRecord, ...]:
        return (self.model,)


@pytest.mark.parametrize(
    ("benchmark", "answers", "scored", "shown"),
    [
        ("mmlu", 0, 4, True),
        ("mmlu", 0, 3, False),
        ("gsm8k", 4, 3, True),
        ("gsm8k", 3, 3, False),
        ("ifeval", 3, 9, False),
    ],
)
def test_a_model_is_on_it_once_all_its_questions_are_done(
    benchmark: str, answers: int, scored: int, shown: bool
) -> None:
    home = One(benchmark)
    cost = ColumnCost(answers=answers, failed=0, declined=0, prompt_tokens=1.0, new_tokens=1.0, seconds=1.0)
    score = ColumnScore(value=0.5, low=0.1, high=0.9, n=scored)
    results = tuple(
        ScorerResult(title=use.name, unit="", columns=(score,)) for use in home.evaluation.scorers
    )  # fmt: skip
    report = EvaluationReport(evaluation=home.evaluation, cells=4, answered=answers, costs=(cost,), results=results)
    runs = BenchmarkRuns(*[cast(Any, home)] * 3, cast(Any, None), lambda evaluation: report, tuple)
    board = runs.leaderboard(GetLeaderboard())
    assert [row.model for row in board.rows] == (["Small"] if shown else [])
    assert bool(board.columns) is shown
