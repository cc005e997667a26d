"""TRL's trainers in the real training worker: what they train is an adapter that the engine loads."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

pytest.importorskip("torch")
pytest.importorskip("trl")

from tests.short_model import write_short
from tests.unit.training.test_trl_training import call_of, metrics, policy_of
from workbench.api import events
from workbench.processes.host import WorkerHost
from workbench.training.protocol import BaseModel, Trained, TrainModel


@pytest.fixture(scope="module")
def short(smollm_path: Path, tmp_path_factory: pytest.TempPathFactory) -> BaseModel:
    path = write_short(smollm_path, tmp_path_factory.mktemp("short") / "short.gguf")
    return BaseModel(name="short", path=str(path))


@pytest.fixture
def host() -> Iterator[WorkerHost]:
    host = WorkerHost("training", cancel_grace_s=60)
    yield host
    host.kill()


def run(host: WorkerHost, call: TrainModel) -> tuple[Trained, list[Any]]:
    told: list[Any] = []
    return host.call(call, told.append), told


def served(call: TrainModel, **optimiser: Any) -> TrainModel:
    part = msgspec.structs.replace(call.config.optimiser, micro_batch_tokens=256, learning_rate=1e-3, **optimiser)
    config = msgspec.structs.replace(call.config, optimiser=part)
    return msgspec.structs.replace(call, config=config, serve=str(Path(call.folder) / "served"))


def artifacts(told: list[Any]) -> dict[str, Any]:
    return {one.kind: one.result for one in told if isinstance(one, events.Artifact)}


def test_three_steps_of_dpo_are_those_of_the_own_trainer_and_the_engine_loads_what_is_trained(
    host: WorkerHost, short: BaseModel, tmp_path: Path
) -> None:
    _, expected = run(host, served(call_of(tmp_path / "ours", short, "dpo", "workbench"), max_steps=3))
    trained, told = run(host, served(call_of(tmp_path / "trl", short, "dpo"), max_steps=3))
    assert metrics(told, "loss") == pytest.approx(metrics(expected, "loss"), abs=1e-4)
    assert len(metrics(told, "loss")) == 3
    found = artifacts(told)
    assert Path(found["served"]["path"]).name == "adapter.gguf"
    assert found["verification"]["passed"], found["verification"]
    assert (trained.form, trained.kind, trained.steps) == ("peft", "lora", 3)
    kinds = [one.kind for one in told if isinstance(one, events.Artifact)]
    assert kinds == [one.kind for one in expected if isinstance(one, events.Artifact)]


@pytest.mark.nightly
@pytest.mark.parametrize("name", ["kto", "reward", "sft"])
def test_each_trainer_makes_what_the_engine_loads(
    name: str, host: WorkerHost, short: BaseModel, tmp_path: Path
) -> None:
    trained, told = run(host, served(call_of(tmp_path, short, name), max_steps=2))
    assert len(metrics(told, "loss")) == 2
    found = artifacts(told)
    assert found["verification"]["passed"], found["verification"]
    assert trained.kind == ("reward" if name == "reward" else "lora")


def test_two_steps_of_grpo_on_a_gguf_base(host: WorkerHost, short: BaseModel, tmp_path: Path) -> None:
    call = policy_of(tmp_path, "grpo", answers=2, max_new_tokens=4)
    part = msgspec.structs.replace(call.config.data, evaluation_share=0.05)
    call = msgspec.structs.replace(call, model=short, config=msgspec.structs.replace(call.config, data=part))
    trained, told = run(host, served(call, max_steps=2, batch_size=2))
    assert len(metrics(told, "loss")) == 2
    assert len(metrics(told, "evaluation_reward")) == 2  # before, and after the last step
    assert len(list((tmp_path / "run" / "rollouts").glob("0*.jsonl"))) == 2
    assert artifacts(told)["verification"]["passed"]
    assert (trained.kind, trained.steps) == ("lora", 2)
