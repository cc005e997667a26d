"""What is chosen where a config leaves it open."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tests.unit.training.tiny_training import WEIGHTS_METHODS
from workbench.records.training import (
    DataPart,
    EvaluationPart,
    ObjectivePart,
    OptimiserPart,
    TrainingConfig,
    WeightsPart,
)
from workbench.techniques.registry import METHODS
from workbench.training.defaults import (
    Facts,
    batch_size,
    fitting_form,
    learning_rate,
    max_length,
    recommend,
)
from workbench.training.methods.weights_method import method_of
from workbench.training.objectives.objective import objective_of


def facts(**changes: Any) -> Facts:
    usual: dict[str, Any] = {
        "parameters": 134_515_008,
        "layers": 30,
        "width": 576,
        "vocabulary": 49_152,
        "context_tokens": 8192,
        "architecture": "llama",
        "examples": 58,
        "tokens": 58 * 40,
        "median": 40,
        "ninetieth": 46,
        "longest": 48,
        "cores": 2,
        "memory_free_bytes": 8_000_000_000,
        "base_bytes": {"f32": 538_000_000, "bf16": 269_000_000, "packed": 180_000_000},
        "fixed_bytes": 900_000_000,
        "token_bytes": 2_000_000,
        "checkpointed_token_bytes": 150_000,
    }
    return Facts(**usual | changes)


def recommended(config: TrainingConfig, facts: Facts) -> TrainingConfig:
    return recommend(config, objective_of(config, METHODS), method_of(config.weights, METHODS), facts)


def rate(method: str, parameters: int, rank: int = 0) -> float:
    return learning_rate(method_of(WeightsPart(method=method, rank=rank), METHODS), parameters)


def length(config: TrainingConfig, facts: Facts) -> int:
    return max_length(config, objective_of(config, METHODS), method_of(config.weights, METHODS), facts)


@pytest.mark.parametrize("method", WEIGHTS_METHODS)
@pytest.mark.parametrize("objective", ["sft", "domain"])
def test_nothing_is_left_open(method: str, objective: Any) -> None:
    found = recommended(
        TrainingConfig(objective=ObjectivePart(name=objective), weights=WeightsPart(method=method)), facts()
    )
    assert msgspec.convert(msgspec.to_builtins(found), TrainingConfig) == found, "breaks a limit"
    assert found.data.max_length > 0
    assert found.weights.base != "auto"
    assert found.weights.alpha == 2 * found.weights.rank
    optimiser = found.optimiser
    assert min(optimiser.max_steps, optimiser.batch_size, optimiser.micro_batch_tokens, optimiser.learning_rate) > 0
    assert optimiser.gradient_checkpointing != "auto"
    assert 1 <= found.evaluation.interval <= optimiser.max_steps


def test_what_was_said_is_kept() -> None:
    said = TrainingConfig(
        data=DataPart(max_length=33),
        weights=WeightsPart(base="packed", rank=24, alpha=5.0),
        optimiser=OptimiserPart(
            max_steps=7, batch_size=3, micro_batch_tokens=99, learning_rate=0.5, gradient_checkpointing="on"
        ),
        evaluation=EvaluationPart(interval=2),
    )
    assert recommended(said, facts()) == said


def test_recommending_twice_changes_nothing() -> None:
    once = recommended(TrainingConfig(), facts())
    assert recommended(once, facts()) == once


def test_low_rank_learns_ten_times_as_fast_as_all_weights() -> None:
    for parameters in (135_000_000, 7_000_000_000, 70_000_000_000):
        full = rate("full", parameters)
        assert rate("lora", parameters) == pytest.approx(10 * full, rel=0.1)
        # rsLoRA counts each step by the root of the rank more
        stronger = rate("lora", parameters) / rate("rslora", parameters, rank=64)
        assert stronger == pytest.approx(8, rel=0.1)
    assert rate("lora", 7_000_000_000) == pytest.approx(2e-4)
    assert rate("full", 135_000_000) > rate("full", 7_000_000_000)


def test_steps_follow_from_epochs_and_batch() -> None:
    found = recommended(TrainingConfig(optimiser=OptimiserPart(epochs=2, batch_size=8)), facts(examples=100))
    assert found.optimiser.max_steps == 25
    assert found.evaluation.interval == 5  # a tenth of a short run is too often


def test_few_short_answers_take_more_passes_and_the_plan_says_why() -> None:
    few = facts(examples=12, trained_tokens=51)
    found = recommended(TrainingConfig(), few).optimiser
    assert (found.epochs, found.batch_size, found.max_steps) == (10, 1, 120)
    _, why = objective_of(TrainingConfig(), METHODS).epochs(few)
    assert why.startswith(
        "10 epochs are planned instead of 3, because the 12 examples have about 4 trained tokens each"
    )
    for usual in (
        facts(examples=20, trained_tokens=20 * 25),  # long answers
        facts(examples=5_000, trained_tokens=15_000),  # many
    ):
        assert recommended(TrainingConfig(), usual).optimiser.epochs == 3
        assert objective_of(TrainingConfig(), METHODS).epochs(usual) == (3, "")
    asked = TrainingConfig(optimiser=OptimiserPart(epochs=2))
    assert recommended(asked, few).optimiser.max_steps == 24
    pairs = TrainingConfig(objective=ObjectivePart(name="dpo"))
    assert recommended(pairs, few).optimiser.epochs == 3


def test_batches_are_small_for_small_sets() -> None:
    assert [batch_size(n) for n in (1, 7, 16, 58, 1000, 100_000)] == [1, 1, 2, 4, 32, 32]


def test_one_giant_does_not_decide_for_the_others() -> None:
    config = TrainingConfig()
    assert length(config, facts(ninetieth=100, longest=150)) == 150
    assert length(config, facts(ninetieth=100, longest=5000)) == 200
    assert length(config, facts(ninetieth=9000, longest=9000)) == 8192
    soft = TrainingConfig(weights=WeightsPart(method="prompt", virtual_tokens=20))
    assert length(soft, facts(ninetieth=9000, longest=9000)) == 8192 - 20


def test_windows_of_raw_text_fit_the_set_and_the_context() -> None:
    config = TrainingConfig(objective=ObjectivePart(name="domain"))
    assert length(config, facts(tokens=2_000)) == 128
    assert length(config, facts(tokens=10_000_000)) == 512
    assert length(config, facts(tokens=10_000_000, context_tokens=256)) == 256


def test_form_is_the_fastest_that_fits() -> None:
    assert fitting_form(facts(), 1e9) == "f32"
    assert fitting_form(facts(fast_bf16=True), 1e9) == "bf16"
    assert fitting_form(facts(), 2e8) == "packed"
    assert fitting_form(facts(fast_bf16=True), 2e8) == "packed"
    assert fitting_form(facts(), 1e6) == "packed", "where none fits, the smallest"


def test_short_memory_is_met_by_a_smaller_base_then_by_checkpointing() -> None:
    roomy = recommended(TrainingConfig(), facts())
    assert (roomy.weights.base, roomy.optimiser.gradient_checkpointing) == ("f32", "off")
    tight = recommended(TrainingConfig(), facts(memory_free_bytes=1_350_000_000))
    assert (tight.weights.base, tight.optimiser.gradient_checkpointing) == ("packed", "on")


def test_passes_take_no_more_than_half_of_what_is_left() -> None:
    big = facts(examples=10_000, median=300, ninetieth=400, longest=500, memory_free_bytes=4_000_000_000)
    found = recommended(TrainingConfig(), big).optimiser
    room = 0.9 * 4e9 - 0.9e9 - 0.538e9
    assert 500 <= found.micro_batch_tokens <= room / 2 / 2e6
    long = msgspec.structs.replace(big, ninetieth=3000, longest=3000, median=2000)
    assert recommended(TrainingConfig(), long).optimiser.micro_batch_tokens == 3000, "the longest example must fit"


def test_no_more_layers_than_there_are() -> None:
    found = recommended(TrainingConfig(weights=WeightsPart(method="layers", last_layers=99)), facts(layers=12))
    assert found.weights.last_layers == 12


@pytest.mark.parametrize("objective", ["dpo", "kto"])
def test_preferences_are_learnt_more_slowly_than_facts(objective: str) -> None:
    usual = recommended(TrainingConfig(), facts()).optimiser.learning_rate
    found = recommended(TrainingConfig(objective=ObjectivePart(name=objective)), facts()).optimiser.learning_rate
    assert 0.25 * usual < found < 0.35 * usual
    asked = TrainingConfig(objective=ObjectivePart(name=objective), optimiser=OptimiserPart(learning_rate=0.01))
    assert recommended(asked, facts()).optimiser.learning_rate == 0.01


@pytest.mark.parametrize("name", ["grpo", "ppo", "reward"])
def test_what_reads_or_moves_the_last_states_adapts_the_last_third(name: str) -> None:
    config = TrainingConfig(objective=ObjectivePart(name=name))
    assert recommended(config, facts()).weights.adapted_layers == 10
    fewer = msgspec.structs.replace(config, weights=WeightsPart(adapted_layers=3))
    assert recommended(fewer, facts()).weights.adapted_layers == 3
