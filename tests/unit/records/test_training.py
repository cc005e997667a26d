"""What a config says and reads back, and the intervals of shares."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from workbench.base.errors import UserError
from workbench.base.fields import fields_of
from workbench.records.training import (
    PARTS,
    AdapterRecord,
    DataPart,
    EvaluationPart,
    ObjectivePart,
    OptimiserPart,
    Scores,
    ScoresPair,
    TrainingConfig,
    WeightsPart,
    dump_config,
    flat,
    gain,
    interval,
    layers_of,
    load_config,
    set_value,
)


def test_a_config_written_as_toml_is_read_back(tmp_path: Path) -> None:
    config = set_value(TrainingConfig(model="m", weights=WeightsPart(method="dora")), "data.columns.prompt", "a, b")
    path = tmp_path / "config.toml"
    path.write_text(dump_config(config))
    assert load_config(path) == config
    assert config.data.columns == {"prompt": ("a", "b")}
    assert set_value(TrainingConfig(), "data.question", "a,b").data == config.data, "its name before"


BEFORE = """
objective = "sft"
model = "Small"

[data]
path = "facts.jsonl"
loss_on = "all"
longest_tokens = 48
turns = ""
question = ["title", "body"]
answer = "reply"

[weights]
method = "dora"
rank = 8

[optimiser]
steps = 4
batch = 3
tokens_per_pass = 80
warmup = 0.1
clip = 0.5
checkpointing = "on"
seed = 7

[evaluation]
every = 2
answers = 5
answer_tokens = 9
"""


def test_a_config_of_format_1_is_read(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(BEFORE)
    assert load_config(path) == TrainingConfig(
        objective=ObjectivePart(name="sft", options={"loss_on": "all"}),
        model="Small",
        data=DataPart(
            path="facts.jsonl",
            max_length=48,
            evaluation_share=0.1,
            columns={"prompt": ("title", "body"), "completion": ("reply",)},
        ),
        weights=WeightsPart(method="dora", rank=8),
        optimiser=OptimiserPart(
            epochs=3,
            max_steps=4,
            batch_size=3,
            micro_batch_tokens=80,
            warmup_ratio=0.1,
            gradient_clipping=0.5,
            gradient_checkpointing="on",
            seed=7,
        ),
        evaluation=EvaluationPart(interval=2, sample_answers=5, max_new_tokens=9),
    )
    path.write_text(BEFORE.replace('"sft"', '"domain"'))
    assert load_config(path).objective == ObjectivePart(name="domain"), "all of a text is trained"


def test_a_config_of_format_3_is_trained_by_this_program(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text('schema = 3\nmodel = "Small"\nprocesses = 2\n')
    assert load_config(path) == TrainingConfig(
        model="Small",
        processes=2,
        trainer="workbench",
        data=DataPart(evaluation_share=0.1),
        optimiser=OptimiserPart(epochs=3),
    )
    path.write_text('schema = 4\ntrainer = "trl"\n')
    assert load_config(path).trainer == "trl"


def test_a_config_of_format_4_keeps_the_epochs_and_the_split_that_it_meant(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text("schema = 4\n")
    found = load_config(path)
    assert (found.optimiser.epochs, found.data.evaluation_share) == (3, 0.1)
    path.write_text("schema = 4\n[optimiser]\nepochs = 8.0\n[data]\nevaluation_share = 0.0\n")
    found = load_config(path)
    assert (found.optimiser.epochs, found.data.evaluation_share) == (8, 0.0)
    path.write_text(dump_config(TrainingConfig()))  # what is left open stays open
    assert load_config(path) == TrainingConfig()


@pytest.mark.parametrize(
    "text", ["schema = 9", "objective = 'x'\nschema = 2", "[weights]\nrank = -1", "[", "colour = 'red'"]
)
def test_a_config_that_is_none_is_refused_by_name(tmp_path: Path, text: str) -> None:
    path = tmp_path / "config.toml"
    path.write_text(text)
    with pytest.raises(UserError, match=r"config\.toml"):
        load_config(path)


@pytest.mark.parametrize("name", ["rank", "weights.colour", "colour.rank"])
def test_an_unknown_field_is_refused(name: str) -> None:
    with pytest.raises(UserError, match="no setting"):
        set_value(TrainingConfig(), name, "1")


def test_a_value_out_of_range_is_refused() -> None:
    with pytest.raises(UserError, match="rank"):
        set_value(TrainingConfig(), "weights.rank", "-1")
    with pytest.raises(UserError, match="processes"):
        set_value(TrainingConfig(), "processes", "none")
    assert set_value(TrainingConfig(), "processes", "2").processes == 2
    assert set_value(TrainingConfig(), "trainer", "trl").trainer == "trl"
    with pytest.raises(UserError, match="trainer"):
        set_value(TrainingConfig(), "trainer", "deepspeed")


def test_every_field_of_a_config_is_explained() -> None:
    for part in PARTS.values():
        told = {field.name for field in fields_of(part)}
        assert {field.name for field in msgspec.structs.fields(part)} - told <= {"path", "columns", "block_size"}
        assert all(field.help.endswith(".") for field in fields_of(part))


def test_the_interval_of_a_share() -> None:
    low, high = interval(0.5, 100)  # Wilson's, as tables have it
    assert low == pytest.approx(0.4038, abs=1e-4)
    assert high == pytest.approx(0.5962, abs=1e-4)
    assert interval(0.0, 20) == (0.0, pytest.approx(0.1611, abs=1e-4))
    assert interval(0.3, 0) == (0.0, 1.0)


def test_a_gain_that_may_be_chance_holds_nothing() -> None:
    low, high = gain(0.10, 0.15, 40)
    assert low < 0 < high
    low, high = gain(0.05, 0.95, 64)
    assert 0.7 < low < 0.9 < high
    assert gain(0.2, 0.4, 50) == tuple(-x for x in reversed(gain(0.4, 0.2, 50)))


def test_scores_as_flat_numbers() -> None:
    pair = ScoresPair(before=Scores(loss=2.0, perplexity=7.4, token_accuracy=0.5, tokens=9))
    assert flat(pair) == {"before_loss": 2.0, "before_perplexity": 7.4, "before_token_accuracy": 0.5}


def test_layers_are_the_last_ones_or_those_that_are_named() -> None:
    assert layers_of(WeightsPart(last_layers=2), 6) == (4, 5)
    assert layers_of(WeightsPart(last_layers=9), 6) == (0, 1, 2, 3, 4, 5)
    assert layers_of(WeightsPart(layers=" 5, 0-2,1"), 6) == (0, 1, 2, 5)


@pytest.mark.parametrize("layers", ["6", "3-1", "a", "1-", "-1", "1,,2", "9999999"])
def test_layers_that_the_model_does_not_have_are_refused(layers: str) -> None:
    with pytest.raises(UserError, match="layers"):
        layers_of(WeightsPart(layers=layers), 6)


@pytest.mark.parametrize(
    ("adapter", "base", "name"),
    [
        ("smollm2-135m-instruct-facts", "SmolLM2 135M Instruct", "SmolLM2 135M Instruct facts merged"),
        ("facts_of-the mill", "SmolLM2 135M Instruct", "SmolLM2 135M Instruct facts of the mill merged"),
        ("qwen3-0.6b-lora", "Qwen3 0.6B", "Qwen3 0.6B lora merged"),
        ("base", "Base", "Base merged"),
        ("loose", "", "loose merged"),
    ],
)
def test_name_of_a_merge_repeats_nothing(adapter: str, base: str, name: str) -> None:
    assert AdapterRecord(name=adapter, kind="lora", base=base).merged_name() == name


def test_name_of_a_merge_keeps_its_end() -> None:
    name = AdapterRecord(name="facts-" + "x" * 90, kind="lora").merged_name("Base " * 20)
    assert len(name) <= 80
    assert name.endswith(" merged")
    assert "facts" in name
