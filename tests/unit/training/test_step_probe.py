"""How fast this machine trains, by models of a few layers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.unit.training.weights import tiny_families
from workbench.base.errors import UserError
from workbench.methods import METHODS
from workbench.records.training import TrainingConfig
from workbench.training import step_probe
from workbench.training.model_shape import read_shape
from workbench.training.stage_times import measured_now
from workbench.training.step_probe import can_measure, measure_layers


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(step_probe, "LAYERS_S", 0.0)
    monkeypatch.setattr(step_probe, "INTERVAL_S", 0.0)


@pytest.mark.parametrize("family", ["llama", "qwen3", "gemma3"])
@pytest.mark.parametrize("bf16", [False, True], ids=["f32", "bf16"])
def test_a_step_is_measured_on_a_few_layers(family: str, bf16: bool, tmp_path: Path, smollm_path: Path) -> None:
    path = tiny_families.write_gguf(tiny_families.build(family), family, tmp_path / "m.gguf", "Q8_0")
    torch = pytest.importorskip("torch")
    threads = torch.get_num_threads()
    found = measure_layers(replace(read_shape(smollm_path), path=path), 3, 20, bf16=bf16)
    assert found.token_s > 0
    assert found.slower >= 1
    assert torch.get_num_threads() == threads


def test_layers_count_as_many_times_as_there_are(monkeypatch: pytest.MonkeyPatch, smollm_path: Path) -> None:
    """A layer takes two seconds, and what is beside the layers one."""
    now = 0.0

    def compute(model: int, *others: object) -> None:
        nonlocal now
        now += 1 + 2 * model

    class Clock:
        sleep = staticmethod(lambda seconds: None)
        perf_counter = process_time = staticmethod(lambda: now)

    monkeypatch.setattr(step_probe, "_made_up", lambda shape, layers, kind: layers)
    monkeypatch.setattr(step_probe, "_pass", compute)
    monkeypatch.setattr(step_probe, "time", Clock)
    shape = read_shape(smollm_path)
    found = measure_layers(shape, 4, 25, bf16=False)
    assert found.token_s == pytest.approx((1 + 2 * shape.layers) / 100)


def test_layers_that_take_much_memory_are_not_made_up(smollm_path: Path) -> None:
    shape = read_shape(smollm_path)
    assert can_measure(shape)
    assert not can_measure(replace(shape, by_layer=(200_000_000,) * 40))


def test_a_model_that_is_not_computed_with_few_layers_is_measured_otherwise(
    monkeypatch: pytest.MonkeyPatch, smollm_path: Path
) -> None:
    """A plan is made all the same, by matrices of the model's widths."""

    def fail(*_: object) -> None:
        raise RuntimeError("a cache of layers that are not there")

    monkeypatch.setattr(step_probe, "_made_up", lambda shape, layers, kind: layers)
    monkeypatch.setattr(step_probe, "_pass", fail)
    monkeypatch.setattr(step_probe, "LEAST_S", 0.0)
    shape = read_shape(smollm_path)
    with pytest.raises(UserError, match="is not computed with fewer layers"):
        measure_layers(shape, 4, 25, bf16=False)
    found = measured_now(shape, TrainingConfig(), 40.0, 1_000, METHODS)
    assert found.flops > 0
    assert found.slower == 0
