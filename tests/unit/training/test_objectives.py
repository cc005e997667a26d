"""An objective is one module and one row: a toy trains a tiny model through the worker's own calls."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

pytest.importorskip("torch")

from tests import toy_objective
from tests.unit.training.tiny_training import save_folder, write_rows
from workbench.api import events
from workbench.api.protocol import RequestContext
from workbench.base.errors import UserError
from workbench.records.methods import Methods
from workbench.records.training import (
    DataPart,
    DataReport,
    EvaluationPart,
    ObjectivePart,
    OptimiserPart,
    TrainingConfig,
    TrainingPlan,
    WeightsPart,
)
from workbench.techniques import registry
from workbench.training.objectives.objective import Objective, objective_of
from workbench.training.protocol import BaseModel, InspectSet, Plan, Trained, TrainModel
from workbench.workers.training import TrainingService


@pytest.fixture
def with_toy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one row more."""
    monkeypatch.setattr(registry, "METHODS", Methods([*registry.METHODS, toy_objective.ROW]))


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> BaseModel:
    return BaseModel(name="tiny", path=str(save_folder(tmp_path_factory.mktemp("model") / "tiny")))


def config_of(folder: Path, name: str = "toy", **options: Any) -> TrainingConfig:
    return TrainingConfig(
        objective=ObjectivePart(name=name, options=options),
        model="tiny",
        data=DataPart(path=str(write_rows(folder / "rows.jsonl", 24)), evaluation_share=0.25),
        weights=WeightsPart(base="f32", rank=4),
        optimiser=OptimiserPart(max_steps=6, batch_size=4, gradient_checkpointing="off"),
        evaluation=EvaluationPart(interval=3, sample_answers=2, max_new_tokens=4, forgetting=False),
    )


def answered(call: Any) -> Iterator[events.Event]:
    yield from TrainingService().handlers()[type(call)](call, RequestContext())


def result_of(call: Any, kind: type[Any]) -> Any:
    [*_, last] = answered(call)
    assert isinstance(last, events.Finished)
    return msgspec.convert(last.result, kind)


@pytest.mark.usefixtures("with_toy")
def test_a_toy_objective_is_planned_and_trained_and_tells_its_own_metrics(tmp_path: Path, model: BaseModel) -> None:
    config = config_of(tmp_path, strength=3.0)
    report: DataReport = result_of(InspectSet(config=config, model=model), DataReport)
    assert [role.name for role in report.roles] == ["prompt", "completion", "system", "messages"]
    call = Plan(config=config, model=model, runs=str(tmp_path), memory_free_bytes=8_000_000_000)
    plan: TrainingPlan = result_of(call, TrainingPlan)
    assert plan.problem == ""
    assert [chart.name for chart in plan.charts][-1] == "wrong"
    assert [metric.name for metric in plan.metrics if metric.chart == "wrong"] == ["wrong", "evaluation_wrong"]
    told = list(answered(TrainModel(config=plan.config, model=model, folder=str(tmp_path / "run"), threads=1)))
    last = told[-1]
    assert isinstance(last, events.Finished)
    trained = msgspec.convert(last.result, Trained)
    measured = [event for event in told if isinstance(event, events.Metric)]
    assert [event.step for event in measured if event.name == "wrong"] == [1, 2, 3, 4, 5, 6]
    assert all(0 <= event.value <= 1 for event in measured if event.name == "wrong")
    assert [event.step for event in measured if event.name == "evaluation_wrong"] == [0, 3, 6]
    before, after = trained.scores.before, trained.scores.after
    assert before is not None
    assert after is not None
    assert after.metrics["wrong"] == pytest.approx(1 - (after.token_accuracy or 0), abs=1e-6)
    assert before.loss > after.loss


@pytest.mark.usefixtures("with_toy")
def test_the_loss_is_the_objective_s_own(tmp_path: Path, model: BaseModel) -> None:
    def first_loss(name: str, **options: Any) -> float:
        config = config_of(tmp_path, name, **options)
        call = Plan(config=config, model=model, runs=str(tmp_path), memory_free_bytes=8_000_000_000)
        plan: TrainingPlan = result_of(call, TrainingPlan)
        folder = tmp_path / f"run-{name}"
        told = answered(TrainModel(config=plan.config, model=model, folder=str(folder), threads=1))
        return next(event.value for event in told if isinstance(event, events.Metric) and event.name == "loss")

    assert first_loss("toy", strength=3.0) == pytest.approx(3 * first_loss("sft"), rel=1e-4)


def test_options_that_an_objective_does_not_take_are_refused_by_name() -> None:
    methods = registry.METHODS
    for part, said in (
        (ObjectivePart(name="nothing"), "training objective 'nothing'"),
        (ObjectivePart(options={"loss_on": "questions"}), "Supervised is not valid"),
        (ObjectivePart(name="domain", options={"loss_on": "all"}), "Raw text has no setting 'loss_on'"),
    ):
        with pytest.raises(UserError, match=said):
            objective_of(TrainingConfig(objective=part), methods)


@pytest.mark.parametrize("row", registry.METHODS.of("objective"), ids=lambda row: row.name)
def test_an_objective_declares_what_it_draws(row: Any) -> None:
    objective = objective_of(TrainingConfig(objective=ObjectivePart(name=row.name)), registry.METHODS)
    charts = [chart.name for chart in objective.charts]
    assert len(set(charts)) == len(charts)
    assert {metric.chart for metric in objective.metrics} - {""} == set(charts), (
        "a chart without a curve, or the reverse"
    )
    assert {role.name for role in objective.roles} >= {role for roles in objective.role_sets for role in roles}
    # the trained tokens of an answer are counted by the verification itself
    assert objective.verified_by in {metric.score for metric in objective.metrics} | {Objective.verified_by}
    assert set(objective.loss_metrics) <= {metric.name for metric in objective.metrics}
