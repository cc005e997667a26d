"""A training is planned from shapes and reports; what cannot be is refused with what to change."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.unit import tiny_models
from tests.unit.training.tiny_training import WEIGHTS_METHODS
from workbench.base.errors import UserError
from workbench.records.training import (
    DataPart,
    DataReport,
    EvaluationPart,
    LengthBin,
    ObjectivePart,
    OptimiserPart,
    SideReport,
    TrainingConfig,
    TrainingPlan,
    WeightsPart,
)
from workbench.techniques.registry import METHODS
from workbench.training import memory, step_probe
from workbench.training.planning import DISK_LEFT, computes_bf16, plan
from workbench.training.protocol import BaseModel, MeasuredSpeed
from workbench.training.step_probe import StepSpeed

REPORT = DataReport(
    path="facts.jsonl",
    shape="messages",
    train=SideReport(
        examples=58,
        tokens=2_320,
        trained_tokens=400,
        shortest=36,
        median=40,
        longest=48,
        lengths=(LengthBin(36, 42, 40), LengthBin(42, 48, 16), LengthBin(48, 54, 2)),
    ),
    evaluation=SideReport(examples=6, tokens=240, trained_tokens=40, shortest=38, median=40, longest=44),
)


@pytest.fixture
def planned(smollm_path: Path, tmp_path: Path) -> Any:
    def planned(
        method: str = "lora", free: int = 20_000_000_000, report: DataReport = REPORT, **options: Any
    ) -> TrainingPlan:
        base = options.pop("base", "auto")
        config = options.pop("config", None) or TrainingConfig(
            model="SmolLM2", weights=WeightsPart(method=method, base=base, **options.pop("weights", {}))
        )
        model = BaseModel(name="SmolLM2", path=str(options.pop("path", smollm_path)))
        options = {"cores": 2, "fast_bf16": False} | options
        return plan(config, model, report, METHODS, runs=tmp_path / "runs", memory_free_bytes=free, **options)

    return planned


@pytest.mark.parametrize("method", WEIGHTS_METHODS)
def test_each_method_says_what_it_makes(method: str, planned: Any) -> None:
    found = planned(method)
    assert found.problem == ""
    assert found.artifact == METHODS.find(method, "weights").artifact
    assert found.served and found.summary  # noqa: PT018
    assert "arXiv" in found.source
    assert 0 < found.trainable <= found.parameters == 134_515_008
    assert found.memory_bytes == sum(part.bytes for part in found.memory)
    assert found.config.optimiser.max_steps == found.steps
    assert found.tokens == pytest.approx(found.steps * found.config.optimiser.batch_size * 40, rel=0.01)
    assert found.seconds is not None
    assert found.seconds == sum(stage.seconds for stage in found.stages)
    assert all(stage.seconds > 0 for stage in found.stages)


def test_all_weights_take_four_numbers_each(planned: Any) -> None:
    parts = {part.name: part.bytes for part in planned("full").memory}
    assert parts["base weights (f32)"] == parts["gradients"] == 4 * 134_515_008
    assert parts["optimiser"] == 8 * 134_515_008
    adafactor = TrainingConfig(weights=WeightsPart(method="full"), optimiser=OptimiserPart(optimiser="adafactor"))
    assert {p.name: p.bytes for p in planned(config=adafactor).memory}["optimiser"] < 0.1 * parts["optimiser"]


def test_computing_in_16_bits_keeps_half_of_it_in_32(planned: Any) -> None:
    """Counted with saved_tensors_hooks on SmolLM2, 376 tokens at once: 538 MB, 275 of them float32; in float32 783."""
    config = TrainingConfig(
        weights=WeightsPart(base="bf16", rank=16),
        optimiser=OptimiserPart(micro_batch_tokens=376, gradient_checkpointing="off"),
    )
    parts = {part.name: part.bytes for part in planned(config=config, fast_bf16=True).memory}
    assert 538e6 < parts["activations"] < 1.3 * 538e6


@pytest.mark.parametrize(("name", "measured"), [("ppo", 1_430_000_000), ("grpo", 1_272_000_000)])
def test_a_policy_takes_what_was_measured_and_little_more(planned: Any, name: str, measured: int) -> None:
    """Measured on SmolLM2 by benchmarks/policy.py: 64 prompts, 16 answers of 24 tokens a step, bf16."""
    side = SideReport(examples=64, tokens=2_240, trained_tokens=64, shortest=33, median=35, longest=37)
    report = DataReport(path="prompts.jsonl", shape="prompt", train=side)
    objective = ObjectivePart(name=name, options={"rewards": ["letter-share letters=e"], "unpack": "off"})
    config = TrainingConfig(
        objective=objective, weights=WeightsPart(base="bf16"), optimiser=OptimiserPart(gradient_checkpointing="off")
    )
    found = planned(config=config, report=report, fast_bf16=True)
    assert not found.problem
    assert measured <= found.memory_bytes <= 1.3 * measured


def test_a_model_is_unpacked_for_rollouts_where_memory_is_free_for_it(planned: Any) -> None:
    def policy(
        trainer: Any = "workbench", free: int = 20_000_000_000, method: str = "lora", **options: Any
    ) -> TrainingPlan:
        chosen = {"rewards": ["letter-share letters=e"], **options}
        config = TrainingConfig(
            objective=ObjectivePart(name="grpo", options=chosen),
            weights=WeightsPart(base="f32", method=method),
            optimiser=OptimiserPart(micro_batch_tokens=512, gradient_checkpointing="off"),
            trainer=trainer,
        )
        found = planned(config=config, free=free)
        assert isinstance(found, TrainingPlan)
        return found

    def part(found: TrainingPlan) -> int:
        return {part.name: part.bytes for part in found.memory}.get("rollouts (unpacked)", 0)

    found = policy()
    assert found.config.objective.options["unpack"] == "on"
    assert 2 * 134_515_008 < part(found) < 2.5 * 134_515_008
    short = policy(free=found.memory_bytes - 1)
    assert short.config.objective.options["unpack"] == "off"
    assert not short.problem
    assert short.memory_bytes == found.memory_bytes - part(found)
    others = {"trainer": "trl"}, {"rollouts": "transformers"}, {"rollouts": "engine"}, {"method": "prompt"}
    for other in others:
        assert policy(**other).config.objective.options["unpack"] == "off"
    assert part(policy(rollouts="engine", unpack="on"))
    assert "GB of memory" in policy(unpack="on", free=found.memory_bytes - 1).problem  # as it was asked for


def test_a_model_is_not_unpacked_where_disk_or_a_judge_leave_no_room(
    planned: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = {"rewards": ["letter-share letters=e"]}
    config = TrainingConfig(
        objective=ObjectivePart(name="grpo", options=options),
        weights=WeightsPart(base="f32"),
        optimiser=OptimiserPart(micro_batch_tokens=512, gradient_checkpointing="off"),
    )

    def chosen(**more: Any) -> TrainingPlan:
        found = planned(config=config, **more)
        assert isinstance(found, TrainingPlan)
        assert not found.problem
        return found

    unpacked = chosen()
    assert unpacked.config.objective.options["unpack"] == "on"
    beside = chosen(free=unpacked.memory_bytes + 100, other_bytes=101)
    assert beside.config.objective.options["unpack"] == "off"
    assert chosen(free=unpacked.memory_bytes + 100, other_bytes=100).config == unpacked.config
    assert unpacked.disk_bytes == beside.disk_bytes + 2 * unpacked.parameters  # it is mapped until the training ends
    usage = shutil.disk_usage("/")._replace(free=unpacked.disk_bytes + DISK_LEFT - 1)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    full = chosen()
    assert full.config.objective.options["unpack"] == "off"
    assert full.disk_bytes == beside.disk_bytes


def test_layers_below_the_adapted_ones_keep_no_activations(planned: Any) -> None:
    def activations(layers: int) -> int:
        config = TrainingConfig(weights=WeightsPart(adapted_layers=layers))
        return {part.name: part.bytes for part in planned(config=config).memory}["activations"]

    assert activations(10) == pytest.approx(activations(0) / 3, rel=0.02)  # of 30 layers
    assert activations(99) == activations(0)


def test_chunks_of_the_loss_are_planned_as_they_are_computed() -> None:
    losses = pytest.importorskip("workbench.training.losses")
    assert memory.LOSS_BYTES == losses.CHUNK_BYTES


def test_packed_base_takes_what_the_file_does(planned: Any, smollm_path: Path) -> None:
    packed = {part.name: part.bytes for part in planned("lora", base="packed").memory}
    assert packed["base weights (packed)"] == pytest.approx(smollm_path.stat().st_size, rel=0.02)


def test_memory_that_does_not_suffice_is_told_with_what_to_lower(planned: Any) -> None:
    found = planned("full", free=1_600_000_000)
    assert "1.6 GB are free" in found.problem
    assert "LoRA" in found.hint
    # and what is proposed does fit
    weights = WeightsPart(method="lora")
    assert planned(config=TrainingConfig(weights=weights), free=1_600_000_000).problem == ""
    hopeless = planned("lora", free=300_000_000)
    assert hopeless.problem
    assert "smaller model" in hopeless.hint


def test_disk_that_does_not_suffice_is_told(planned: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage("/")._replace(free=1_000_000_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    found = planned("full")
    assert "disk" in found.problem
    assert "LoRA" in found.hint
    assert planned("lora").problem == ""
    usage = usage._replace(free=300_000_000)
    short = planned("lora")
    assert "300 MB free, of which 200 MB are left to the system" in short.problem
    assert short.hint == "Free some disk space."


def test_form_that_cannot_be_is_told(planned: Any) -> None:
    assert "4 bits" in planned("lora", base="4bit").problem
    assert "packed" in planned("full", base="packed").problem
    assert planned("lora", base="4bit", device="cuda", device_free_bytes=10**10).problem == ""


def test_prefix_longer_than_a_sliding_window_is_told_before_the_training(gemma_path: Path, planned: Any) -> None:
    assert planned("prefix", path=gemma_path).problem == ""
    long = planned("prefix", path=gemma_path, weights={"virtual_tokens": 513})
    assert "a sliding window of 512 tokens" in long.problem
    assert "at most 512" in long.hint
    assert planned("prompt", path=gemma_path, weights={"virtual_tokens": 513}).problem == ""


def test_embedder_is_told(minilm_path: Path, planned: Any) -> None:
    with pytest.raises(UserError, match="embedding model"):
        planned("lora", path=minilm_path)


def test_folder_cannot_be_merged_into(tmp_path: Path, planned: Any) -> None:
    folder = tmp_path / "model"
    tiny_models.build("llama").save_pretrained(folder)
    (folder / "tokenizer.json").write_text("{}")
    assert planned("lora", path=folder).problem == ""
    assert "GGUF" in planned("full", path=folder).hint


def test_columns_that_are_not_clear_are_told(planned: Any) -> None:
    found = planned(report=DataReport(path="x.csv", shape="unknown", why="It has the columns a and b."))
    assert "columns a and b" in found.problem
    assert found.seconds is None


def test_time_counts_scoring_before_and_after_and_what_else_computes(
    planned: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = planned(config=TrainingConfig(model="SmolLM2", optimiser=OptimiserPart(max_steps=2)))
    seconds = {stage.name: stage.seconds for stage in few.stages}
    assert seconds["scoring before"] > 5 * seconds["training"] / few.steps  # which dominates a short training
    assert seconds["scoring after"] == pytest.approx(seconds["scoring before"], rel=0.2)
    found = []
    for busy in (0.0, 100.0):
        monkeypatch.setattr("psutil.cpu_percent", lambda interval=None, busy=busy: busy)
        found.append({stage.name: stage.seconds for stage in planned(cores=0).stages})
    assert found[1]["training"] == pytest.approx(2 * found[0]["training"])


def test_the_verification_takes_what_its_models_compute(planned: Any) -> None:
    """Measured on two free cores: 16 prompts of 1,544 tokens took 29 s, with what is written and loaded before."""

    def seconds(evaluated: int) -> float:
        train = SideReport(examples=60, tokens=5_872, trained_tokens=120, shortest=93, median=97, longest=107)
        side = msgspec.structs.replace(train, examples=evaluated, tokens=98 * evaluated)
        report = msgspec.structs.replace(REPORT, train=train, evaluation=side)
        return next(one.seconds for one in planned(report=report).stages if one.name == "verification")

    assert 29 / 1.5 < seconds(6) < 29 * 1.5
    assert seconds(0) == pytest.approx(seconds(16), rel=0.05)  # those that were trained on are taken instead
    assert seconds(64) > 3 * seconds(16)
    assert seconds(200) == pytest.approx(seconds(64), rel=0.05)


def test_time_follows_what_was_measured_here(planned: Any) -> None:
    slow, fast = (
        planned(speeds=[MeasuredSpeed(model="SmolLM2", method="lora", base="f32", tokens_per_second=speed)])
        for speed in (50.0, 500.0)
    )
    fixed = sum(stage.seconds for stage in slow.stages if stage.name in ("loading", "verification"))
    assert slow.seconds - fixed == pytest.approx(10 * (fast.seconds - fixed))
    assert slow.seconds > slow.tokens / 50
    # another method of the same model is scaled by what it computes
    full = planned("full", speeds=[MeasuredSpeed(model="SmolLM2", method="lora", base="f32", tokens_per_second=50.0)])
    assert full.seconds > slow.seconds
    two = [
        MeasuredSpeed(model="SmolLM2", method=method, base="f32", tokens_per_second=speed)
        for method, speed in (("lora", 50.0), ("norms", 9000.0))
    ]
    assert planned("full", speeds=two).seconds == full.seconds  # by the latest, which is the first
    elsewhere = planned(speeds=[MeasuredSpeed(model="other", method="lora", base="f32", tokens_per_second=1.0)])
    assert elsewhere.seconds < slow.seconds
    assert planned(device="cuda", device_free_bytes=10**10).seconds is None


def test_cutting_is_counted_and_told(planned: Any) -> None:
    found = planned(config=TrainingConfig(data=DataPart(max_length=42)))
    assert found.tokens < planned(config=TrainingConfig()).tokens
    assert any("truncated at 42 tokens" in note and "18 of 58" in note for note in found.notes)
    assert REPORT.train.kept_tokens(0) == 2_320
    assert REPORT.train.kept_tokens(20) == pytest.approx(58 * 20, rel=0.05)
    assert REPORT.train.ninetieth() == 47


def test_several_processes_each_hold_the_model(planned: Any) -> None:
    one, two = (planned(config=TrainingConfig(processes=n)) for n in (1, 2))
    assert {p.name: p.bytes for p in two.memory}["program"] == 2 * {p.name: p.bytes for p in one.memory}["program"]


def test_processor_with_16_bit_instructions(tmp_path: Path) -> None:
    info = tmp_path / "cpuinfo"
    info.write_text("flags\t\t: fpu avx512f avx512_bf16 amx_tile\n")
    assert computes_bf16(info)
    info.write_text("flags\t\t: fpu avx2\n")
    assert not computes_bf16(info)
    assert not computes_bf16(tmp_path / "missing")


def test_a_prefix_keeps_its_activations_whatever_is_said(planned: Any) -> None:
    def activations(method: str, checkpointing: Any) -> int:
        config = TrainingConfig(
            weights=WeightsPart(method=method),
            optimiser=OptimiserPart(gradient_checkpointing=checkpointing, micro_batch_tokens=512),
        )
        return {part.name: part.bytes for part in planned(config=config).memory}["activations"]

    assert activations("lora", "on") < 0.5 * activations("lora", "off")
    assert activations("prefix", "on") == activations("prefix", "off")


def of_trl(objective: str = "dpo", **fields: Any) -> TrainingConfig:
    options = {"rewards": ("letter-share letters=e",)} if objective in ("ppo", "grpo", "rloo") else {}
    return TrainingConfig(
        **{
            "model": "SmolLM2",
            "objective": ObjectivePart(name=objective, options=options),
            "trainer": "trl",
            "weights": WeightsPart(method="lora"),
            **fields,
        }
    )


def test_a_training_by_trl_is_planned_with_the_memory_that_it_takes(planned: Any) -> None:
    ours = planned(config=of_trl(trainer="workbench"))
    found = planned(config=of_trl())
    assert (ours.problem, found.problem, ours.not_by_trl) == ("", "", "")
    assert found.memory_bytes == sum(part.bytes for part in found.memory) > ours.memory_bytes
    parts = {part.name: part.bytes for part in found.memory}
    of_ours = {part.name: part.bytes for part in ours.memory}
    assert parts["activations"] > 1.1 * of_ours["activations"]  # a pair is two rows, padded to the longest
    assert parts["loss"] > 2 * of_ours["loss"]
    assert found.seconds > 2 * ours.seconds
    assert any("DPOTrainer" in note for note in found.notes)
    together = planned(config=of_trl(processes=2))
    assert together.memory_bytes > 1.5 * found.memory_bytes


def test_what_trl_measures_is_what_is_drawn(planned: Any) -> None:
    names = {metric.name for metric in planned(config=of_trl("grpo")).metrics}
    assert {"loss", "reward", "answer_tokens", "evaluation_kl", "memory_bytes"} <= names
    assert not {"mismatch", "importance", "kl", "seconds_rollouts"} & names
    drawn = {chart.name for chart in planned(config=of_trl("grpo")).charts}
    assert {"reward", "kl", "length"} <= drawn  # the divergence of held-out answers
    assert not {"mismatch", "seconds"} & drawn
    assert planned(config=of_trl("grpo", processes=2, optimiser=OptimiserPart(batch_size=4))).problem == ""


@pytest.mark.parametrize(("config", "reason", "hint"), [
    (of_trl("ppo"), "no trainer for PPO", "Set the trainer to workbench"),
    (of_trl("simpo"), "no trainer for SimPO", "Set the trainer to workbench"),
    (of_trl("sft", weights=WeightsPart(method="prompt")), "Virtual tokens", "LoRA"),
    (of_trl(weights=WeightsPart(base="packed")), "packed base", "f32"),
    (of_trl(processes=3, optimiser=OptimiserPart(batch_size=8)), "cannot be shared by 3", "multiple of 3"),
])  # fmt: skip
def test_what_trl_cannot_train_is_refused_with_the_reason(
    config: TrainingConfig, reason: str, hint: str, planned: Any
) -> None:
    found = planned(config=config)
    assert reason in found.problem
    assert hint in found.hint
    free = planned(config=msgspec.structs.replace(config, trainer="workbench"))
    assert reason in free.not_by_trl  # the window greys the choice for it
    assert reason not in free.problem


def test_where_memory_is_short_the_own_trainer_is_proposed(planned: Any) -> None:
    hopeless = planned(
        config=of_trl(optimiser=OptimiserPart(micro_batch_tokens=4096, batch_size=64)), free=1_900_000_000
    )
    assert hopeless.hint.startswith("Set the trainer to workbench")


def test_a_step_that_is_measured_now_gives_the_times(planned: Any) -> None:
    found, usual = planned(measure=True), planned()
    assert found.seconds == sum(stage.seconds for stage in found.stages)
    assert [stage.name for stage in found.stages] == [stage.name for stage in usual.stages]
    assert all(stage.seconds > 0 for stage in found.stages)
    known = MeasuredSpeed(model="SmolLM2", method="lora", base="f32", tokens_per_second=0.001)
    assert planned(measure=True, speeds=[known]).seconds < planned(speeds=[known]).seconds / 10  # it counts more


@pytest.mark.parametrize(("method", "took"), [("lora", 3.1), ("layers", 1.0), ("prompt", 2.1)])
def test_a_method_costs_what_its_passes_do(
    method: str, took: float, planned: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seconds of a processor for a step of 406 tokens, where LoRA on all layers takes 7.7 ms a token."""
    monkeypatch.setattr(step_probe, "measure_layers", lambda *_, **options: StepSpeed(0.0077, 1.0))
    side = SideReport(examples=60, tokens=6_090, trained_tokens=180, shortest=93, median=101, longest=125)
    report = msgspec.structs.replace(REPORT, train=side, evaluation=msgspec.structs.replace(side, examples=0, tokens=0))
    part = OptimiserPart(max_steps=1_000, batch_size=4)
    config = TrainingConfig(
        model="SmolLM2", weights=WeightsPart(method=method), optimiser=part,
        evaluation=EvaluationPart(sample_answers=0, forgetting=False, interval=1_000),
    )  # fmt: skip
    found = planned(config=config, report=report, measure=True)
    [training] = [stage.seconds for stage in found.stages if stage.name == "training"]
    assert took / 1.5 < training / 1_000 < 1.5 * took


def test_a_step_of_a_policy_is_measured_with_rows_as_long_as_it_computes(
    planned: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not with one as long as all answers of a prompt in all passes: attention to so many tokens takes longer."""
    asked: list[tuple[int, int]] = []

    def measure(shape: Any, rows: int, length: int, *, bf16: bool) -> StepSpeed:
        asked.append((rows, length))
        return StepSpeed(0.01, 1.0)

    monkeypatch.setattr(step_probe, "measure_layers", measure)
    part = ObjectivePart(name="grpo", options={"rewards": ("letter-share letters=e",), "max_new_tokens": 12})
    config = TrainingConfig(model="SmolLM2", objective=part, optimiser=OptimiserPart(micro_batch_tokens=256))
    assert planned(config=config, measure=True).problem == ""
    assert asked == [(4, 40 + 12)]


def test_a_policy_costs_what_its_passes_do(planned: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A step of GRPO, with 16 rows of 100 tokens of which 8 are sampled, took 10 to 12 s of a processor, where LoRA on
    all layers takes 7.7 ms a token (docs/benchmarks.md)."""
    monkeypatch.setattr(step_probe, "measure_layers", lambda *_, **options: StepSpeed(0.0077, 1.0))
    side = SideReport(examples=60, tokens=60 * 92, trained_tokens=120, shortest=90, median=92, longest=94)
    report = msgspec.structs.replace(
        REPORT, train=side, evaluation=msgspec.structs.replace(side, examples=8, tokens=736)
    )
    part = ObjectivePart(name="grpo", options={"rewards": ("letter-share letters=e",), "max_new_tokens": 8})
    config = TrainingConfig(model="SmolLM2", objective=part, optimiser=OptimiserPart(max_steps=30))
    found = planned(config=config, report=report, measure=True)
    [training] = [stage.seconds for stage in found.stages if stage.name == "training"]
    assert 10 / 1.5 < training / 30 < 12 * 1.5


def test_a_pair_costs_more_with_a_reference(planned: Any) -> None:
    one, other = (
        planned(config=TrainingConfig(model="SmolLM2", objective=ObjectivePart(name=name))) for name in ("simpo", "dpo")
    )
    assert other.tokens == pytest.approx(one.tokens * 10 / 9, rel=0.01)


def test_the_verification_is_planned_with_its_memory_and_minutes(planned: Any, smollm_path: Path) -> None:
    def of(form: Any) -> TrainingPlan:
        return planned(
            config=TrainingConfig(
                model="SmolLM2",
                weights=WeightsPart(base=form),
                optimiser=OptimiserPart(max_steps=1, batch_size=1, micro_batch_tokens=64, gradient_checkpointing="off"),
            )
        )

    packed = of("packed")
    more = {part.name: part.bytes for part in packed.memory}["verification, beyond the training"]
    assert packed.memory_bytes - memory.PROGRAM_BYTES > 2 * smollm_path.stat().st_size  # mapped by torch, and repacked
    assert packed.memory_bytes == sum(part.bytes for part in packed.memory)
    assert packed.verified
    short = planned(config=packed.config, free=packed.memory_bytes - more // 2)
    assert (short.problem, short.verified, short.verified_tokens) == ("", False, 0)
    assert short.notes[0].startswith("What is trained is not verified: to compare it with what is served takes about ")
    assert short.memory_bytes == sum(part.bytes for part in short.memory) == packed.memory_bytes - more
    assert [one.name for one in short.stages] == [one.name for one in packed.stages if one.name != "verification"]
    judged = planned(config=packed.config, free=packed.memory_bytes - more // 2, other_bytes=more)
    assert (judged.problem, judged.verified) == ("", False)  # as where the judge alone has no room
    none = planned(config=packed.config, free=packed.memory_bytes - more - 1)
    assert "of memory" in none.problem
    assert none.verified
    assert packed.verified_tokens < 8_192
    assert any(f"at most {packed.verified_tokens:,} tokens" in note for note in packed.notes)
    times = [{stage.name: stage.seconds for stage in plan.stages} for plan in (packed, of("f32"))]
    assert times[0]["training"] > times[1]["training"]
