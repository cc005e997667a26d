"""A policy that the engine samples, killed while it samples, ends with the weights of a training that was not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

torch = pytest.importorskip("torch")

from tests.short_model import write_short  # noqa: E402
from tests.unit.rewards.fake_rewards import FakeRewardContext  # noqa: E402
from tests.unit.training.test_policy_training import call_of  # noqa: E402
from workbench.api import events  # noqa: E402
from workbench.techniques.registry import METHODS  # noqa: E402
from workbench.training.control import Switch  # noqa: E402
from workbench.training.experience.engine_rollouts import EngineRollouts  # noqa: E402
from workbench.training.protocol import BaseModel, TrainModel  # noqa: E402
from workbench.training.run import finished_before, train  # noqa: E402
from workbench.training.weights import loading  # noqa: E402
from workbench.training.weights.dtype_selection import Speeds  # noqa: E402


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def small(folder: Path, base: BaseModel) -> TrainModel:
    """Three steps of four answers of four tokens; the base in 16 bits, so that a measurement chooses what it computes
    in."""
    call = call_of(folder, "ppo", 3, learning_rate=1e-3, rollouts="engine", max_new_tokens=4)
    config = msgspec.structs.replace(
        call.config,
        data=msgspec.structs.replace(call.config.data, evaluation_share=0.05),
        weights=msgspec.structs.replace(call.config.weights, base="bf16"),
        optimiser=msgspec.structs.replace(call.config.optimiser, batch_size=4),
    )
    return msgspec.structs.replace(call, config=config, model=base)


def run(call: TrainModel) -> list[events.Event]:
    emitted: list[events.Event] = []
    train(call, METHODS, Switch(), emitted.append, rewards=FakeRewardContext())
    return emitted


def answers(call: TrainModel) -> list[tuple[Any, Any, Any]]:
    files = sorted((Path(call.folder) / "rollouts").glob("0*.jsonl"))
    lines = [json.loads(line) for file in files for line in file.read_text().splitlines()]
    return [(one["tokens"], one["logprobs"], one["kl"]) for one in lines]


@pytest.mark.timeout(300)
def test_a_kill_in_the_sampling_changes_nothing(
    smollm_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = BaseModel(name="short", path=str(write_short(smollm_path, tmp_path / "short.gguf")))
    monkeypatch.setattr(loading, "measure_speeds", lambda: Speeds(f32=2.0, bf16=1.0))
    whole, broken = small(tmp_path / "whole", base), small(tmp_path / "broken", base)
    run(whole)
    sample = EngineRollouts.sample

    def killed(self: EngineRollouts, asks: Any, new_tokens: int, temperature: float, check: Any) -> Any:
        sample(self, asks, new_tokens, temperature, check)
        if asks[0].seed[1] == 2:  # the second step
            raise KeyboardInterrupt
        return sample(self, asks, new_tokens, temperature, check)

    with monkeypatch.context() as patch:
        patch.setattr(EngineRollouts, "sample", killed)
        with pytest.raises(KeyboardInterrupt):
            run(broken)
    assert len(list((Path(broken.folder) / "rollouts").glob("0*.jsonl"))) == 1
    # beside another program the other format would now seem to be the faster one
    monkeypatch.setattr(loading, "measure_speeds", lambda: Speeds(f32=1.0, bf16=2.0))
    emitted = run(broken)
    assert answers(broken) == answers(whole)
    trained = [Path(call.folder, "trained", "adapter_model.safetensors").read_bytes() for call in (broken, whole)]
    assert trained[0] == trained[1]
    assert not [one.text for one in emitted if isinstance(one, events.Log) and "was begun with" in one.text]

    left = Path(broken.folder) / "policy"
    assert not left.exists()
    left.mkdir()  # as a kill leaves it once the weights are written
    assert finished_before(Path(broken.folder)) is not None
    assert not left.exists()


@pytest.mark.timeout(300)
@pytest.mark.nightly
def test_what_sampled_at_the_beginning_samples_after_a_kill(smollm_path: Path, tmp_path: Path) -> None:
    base = BaseModel(name="short", path=str(write_short(smollm_path, tmp_path / "short.gguf")))
    call = small(tmp_path, base)
    options = {**call.config.objective.options, "rollouts": "auto", "unpack": "on"}
    config = msgspec.structs.replace(
        call.config,
        objective=msgspec.structs.replace(call.config.objective, options=options),
        optimiser=msgspec.structs.replace(call.config.optimiser, max_steps=1),
    )
    call = msgspec.structs.replace(call, config=config)
    emitted = run(call)
    start = Path(call.folder) / "rollouts" / "start.json"
    measured = json.loads(start.read_text())
    assert set(measured["tokens_per_second"]) == {"engine", "unpacked", "transformers"}
    assert not [one.text for one in emitted if isinstance(one, events.Log) and "cannot sample" in one.text]
    for name in ("engine", "unpacked", "transformers"):
        again = msgspec.structs.replace(call, folder=str(tmp_path / name))
        copy = Path(again.folder) / "rollouts" / "start.json"
        copy.parent.mkdir(parents=True)
        copy.write_text(json.dumps({**measured, "chosen": name}))  # as of a process that was killed afterwards
        run(again)
        lines = (copy.parent / "000001.jsonl").read_text().splitlines()
        assert {json.loads(line)["by"] for line in lines} == {name}
        assert not (Path(again.folder) / "policy").exists()
