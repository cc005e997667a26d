"""What a config says and reads back, and the intervals of shares."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from workbench.errors import UserError
from workbench.fields import fields_of
from workbench.records.training import (
    PARTS,
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
    config = set_value(TrainingConfig(model="m", weights=WeightsPart(method="dora")), "data.question", "a, b")
    path = tmp_path / "config.toml"
    path.write_text(dump_config(config))
    assert load_config(path) == config
    assert config.data.question == ("a", "b")


@pytest.mark.parametrize("text", ["schema = 2", "objective = 'x'", "[weights]\nrank = -1", "[", "colour = 'red'"])
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


def test_every_field_of_a_config_is_explained() -> None:
    for part in PARTS.values():
        told = {field.name for field in fields_of(part)}
        assert {field.name for field in msgspec.structs.fields(part)} - told <= {"path"}
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
