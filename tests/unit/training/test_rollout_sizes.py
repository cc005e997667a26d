"""The plan of a policy counts what its rollouts allocate."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from tests.unit import tiny_models
from workbench.records.training import DataPart, OptimiserPart, SideReport, TrainingConfig, WeightsPart
from workbench.training.experience.sizes import ENGINE_BYTES, MOST_AT_ONCE, MOST_RECORDED_BYTES, rollout_memory
from workbench.training.model_shape import ModelShape, read_shape
from workbench.training.objectives.grpo import Grpo, GrpoOptions


@pytest.fixture(scope="module")
def shape(tmp_path_factory: pytest.TempPathFactory) -> ModelShape:
    folder = tmp_path_factory.mktemp("model")
    return read_shape(
        tiny_models.write_gguf(tiny_models.build("qwen2"), "qwen2", Path(folder) / "tiny.gguf", tokenizer="gpt2")
    )


def parts(
    shape: ModelShape, prompt: int = 40, answers: int = 16, frozen: bool = True, updating: int = 0
) -> dict[str, int]:
    found = rollout_memory(
        shape, prompt=prompt, new_tokens=20, answers=answers, frozen_layers=frozen, updating=updating
    )
    return {part.name: part.bytes for part in found}


def test_a_larger_vocabulary_takes_three_numbers_for_each_answer_at_once(shape: ModelShape) -> None:
    larger = dataclasses.replace(shape, vocabulary=shape.vocabulary + 100_000)
    more = parts(larger)["rollouts (torch)"] - parts(shape)["rollouts (torch)"]
    assert more >= 3 * 4 * 100_000 * MOST_AT_ONCE
    assert parts(larger)["rollouts (engine)"] == parts(shape)["rollouts (engine)"]


def test_sampling_uses_half_of_what_updates_have_freed(shape: ModelShape) -> None:
    alone = parts(shape)["rollouts (torch)"]
    assert parts(shape, updating=alone)["rollouts (torch)"] == alone - alone // 2
    assert parts(shape, updating=3 * alone)["rollouts (torch)"] == 0


def test_a_reward_model_is_planned_with_room_for_the_longest_text(shape: ModelShape) -> None:
    objective = Grpo(GrpoOptions(rewards=("reward-model adapter=taste",)))
    config = TrainingConfig(data=DataPart(max_length=6_000), optimiser=OptimiserPart(batch_size=4))
    found = {part.name: part.bytes for part in objective.memory(shape, config)}["reward models"]
    assert found == shape.file_bytes + ENGINE_BYTES + 2 * shape.keys * 6_000
    assert "reward models" not in {part.name for part in Grpo().memory(shape, config)}


def test_states_below_the_trained_layers_are_kept_up_to_a_limit(shape: ModelShape) -> None:
    kept = parts(shape)["answers of a step"] - parts(shape, frozen=False)["answers of a step"]
    assert kept == 4 * shape.width * 16 * 60
    many = (
        parts(shape, answers=10**7)["answers of a step"]
        - parts(shape, answers=10**7, frozen=False)["answers of a step"]
    )
    assert many == MOST_RECORDED_BYTES


def test_the_logits_of_the_answers_count_not_those_of_the_prompts(shape: ModelShape) -> None:
    objective = Grpo(GrpoOptions(max_new_tokens=30))
    assert objective.trained_share(SideReport(examples=10, tokens=100, trained_tokens=10)) == pytest.approx(0.75)
    config = TrainingConfig(optimiser=OptimiserPart(batch_size=4), weights=WeightsPart(adapted_layers=1))
    assert {part.name for part in objective.memory(shape, config)} >= {"rollouts (engine)", "answers of a step"}


def test_enough_prompts_are_held_out_to_say_something() -> None:
    objective = Grpo()
    assert objective.evaluation_share(0.1, 28) == 0.25
    assert objective.evaluation_share(0.1, 40) == 0.2
    assert objective.evaluation_share(0.1, 1_000) == 0.1
    assert objective.evaluation_share(0.0, 28) == 0.0
