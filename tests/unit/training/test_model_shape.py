"""What moves, counted from names and shapes, is what peft makes trainable."""

from __future__ import annotations

import dataclasses
import json
import warnings
from pathlib import Path
from typing import Any

import pytest

from tests.unit import tiny_models
from tests.unit.training.tiny_training import WEIGHTS_METHODS, weights_method
from workbench.base.errors import UserError
from workbench.records.training import WeightsPart
from workbench.training.model_shape import ModelShape, read_shape

FAMILIES = ("llama", "qwen2", "gemma3", "gpt2")


@pytest.fixture(scope="module")
def shapes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, ModelShape]:
    folder = tmp_path_factory.mktemp("shapes")
    made = {}
    for family in FAMILIES:
        path = tiny_models.write_gguf(tiny_models.build(family), family, folder / f"{family}.gguf", tokenizer="gpt2")
        made[family] = read_shape(path)
    return made


def count(shape: ModelShape, weights: WeightsPart) -> int:
    return weights_method(weights).trainable(shape)


def trainable(family: str, config: Any) -> int:
    """What peft lets learn."""
    peft = pytest.importorskip("peft")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = peft.get_peft_model(tiny_models.build(family), config)
    return sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)


@pytest.mark.parametrize("family", FAMILIES)
def test_weights_of_the_whole_model(family: str, shapes: dict[str, ModelShape]) -> None:
    model = tiny_models.build(family)
    assert count(shapes[family], WeightsPart(method="full")) == sum(p.numel() for p in model.parameters())


@pytest.mark.parametrize("family", FAMILIES)
def test_parts_of_the_model(family: str, shapes: dict[str, ModelShape]) -> None:
    model = tiny_models.build(family)
    named = dict(model.named_parameters())
    last = next(name for name in named if ".1." in name).split(".1.")[0] + ".1."
    expected = sum(p.numel() for name, p in named.items() if name.startswith(last))
    assert count(shapes[family], WeightsPart(method="layers", last_layers=1)) == expected
    norms = sum(p.numel() for name, p in named.items() if ("norm" in name or "ln_" in name) and "weight" in name)
    assert count(shapes[family], WeightsPart(method="norms")) == norms


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("method", ["lora", "dora"])
def test_low_rank(family: str, method: str, shapes: dict[str, ModelShape]) -> None:
    peft = pytest.importorskip("peft")
    config = peft.LoraConfig(r=3, target_modules="all-linear", use_dora=method == "dora", task_type="CAUSAL_LM")
    assert count(shapes[family], WeightsPart(method=method, rank=3)) == trainable(family, config)


def test_low_rank_on_attention_or_feed_forward_only(shapes: dict[str, ModelShape]) -> None:
    peft = pytest.importorskip("peft")
    for targets, names in (
        ("attention", ["q_proj", "k_proj", "v_proj", "o_proj"]),
        ("feed-forward", ["gate_proj", "up_proj", "down_proj"]),
    ):
        weights = WeightsPart(method="lora", rank=5, targets=targets)  # type: ignore[arg-type]
        expected = trainable("llama", peft.LoraConfig(r=5, target_modules=names))
        assert count(shapes["llama"], weights) == expected


def test_ia3(shapes: dict[str, ModelShape]) -> None:
    peft = pytest.importorskip("peft")
    names = ["k_proj", "v_proj", "down_proj"]
    config = peft.IA3Config(target_modules=names, feedforward_modules=["down_proj"])
    assert count(shapes["llama"], WeightsPart(method="ia3")) == trainable("llama", config)


@pytest.mark.parametrize("family", ["llama", "qwen2"])
def test_virtual_tokens(family: str, shapes: dict[str, ModelShape]) -> None:
    peft = pytest.importorskip("peft")
    for method, config in (
        ("prompt", peft.PromptTuningConfig(num_virtual_tokens=7, task_type="CAUSAL_LM")),
        (
            "p-tuning",
            peft.PromptEncoderConfig(
                num_virtual_tokens=7, encoder_hidden_size=tiny_models.WIDTH, task_type="CAUSAL_LM"
            ),
        ),
        ("prefix", peft.PrefixTuningConfig(num_virtual_tokens=7, task_type="CAUSAL_LM")),
    ):
        weights = WeightsPart(method=method, virtual_tokens=7)  # type: ignore[arg-type]
        assert count(shapes[family], weights) == trainable(family, config), method


def test_biases_that_are_there_and_that_are_added(shapes: dict[str, ModelShape]) -> None:
    biases = sum(p.numel() for name, p in tiny_models.build("qwen2").named_parameters() if name.endswith(".bias"))
    assert count(shapes["qwen2"], WeightsPart(method="biases")) == biases > 0
    outputs = sum(
        p.shape[0] for name, p in tiny_models.build("llama").named_parameters() if name.endswith("_proj.weight")
    )
    assert count(shapes["llama"], WeightsPart(method="biases")) == outputs


def test_folder_counts_as_its_gguf_does(shapes: dict[str, ModelShape], tmp_path: Path) -> None:
    for family in ("llama", "qwen2", "gemma3"):
        folder = tmp_path / family
        tiny_models.build(family).save_pretrained(folder)
        (folder / "tokenizer.json").write_text("{}")
        shape = read_shape(folder)
        for method in WEIGHTS_METHODS:
            weights = WeightsPart(method=method)
            assert count(shape, weights) == count(shapes[family], weights), (family, method)


def test_starter_model(smollm_path: Path) -> None:
    shape = read_shape(smollm_path)
    assert shape.parameters == count(shape, WeightsPart(method="full")) == 134_515_008
    # what peft's print_trainable_parameters says of this model
    assert count(shape, WeightsPart(method="lora", rank=16)) == 4_884_480
    assert count(shape, WeightsPart()) == 4_884_480
    assert count(shape, WeightsPart(method="norms")) == (2 * 30 + 1) * 576
    assert count(shape, WeightsPart(method="prefix", virtual_tokens=20)) == 20 * 30 * 2 * 3 * 64
    assert shape.tied
    assert not shape.sliding_window


def test_sliding_windows_are_seen(gemma_path: Path, tmp_path: Path) -> None:
    assert read_shape(gemma_path).sliding_window == 512
    for uses, expected in ((True, 4096), (False, 0)):  # qwen2's folders name a window also where it is off
        folder = tmp_path / f"{uses}"
        tiny_models.build("qwen2").save_pretrained(folder)
        (folder / "tokenizer.json").write_text("{}")
        config = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps(config | {"sliding_window": 4096, "use_sliding_window": uses}))
        assert read_shape(folder).sliding_window == expected


def test_unknown_architecture_is_refused(tmp_path: Path) -> None:
    path = tiny_models.write_gguf(tiny_models.build("llama"), "llama", tmp_path / "m.gguf", tokenizer="gpt2")
    # the same length, so that nothing else changes
    path.write_bytes(
        path.read_bytes().replace(
            b"general.architecture\x08\x00\x00\x00\x05\x00\x00\x00\x00\x00\x00\x00llama",
            b"general.architecture\x08\x00\x00\x00\x05\x00\x00\x00\x00\x00\x00\x00mamba",
        )
    )
    with pytest.raises(UserError, match="mamba"):
        read_shape(path)


@pytest.mark.parametrize("name", WEIGHTS_METHODS)
def test_a_usual_model_can_be_served_by_every_method(name: str, shapes: dict[str, ModelShape]) -> None:
    weights_method(WeightsPart(method=name)).check(shapes["llama"])


@pytest.mark.parametrize(
    ("given", "changes", "reason"),
    [
        ({"method": "prefix", "virtual_tokens": 513}, {"architecture": "gemma3", "sliding_window": 512}, "512 tokens"),
        ({"method": "prefix"}, {"architecture": "cohere2", "sliding_window": 512}, "prefixes are not supported"),
        ({"method": "prefix"}, {"architecture": "lfm2"}, "no keys and values"),
        ({"method": "full"}, {"is_gguf": False}, "folder of safetensors"),
        ({"method": "biases"}, {"architecture": "hunyuan-dense", "new_biases": 0}, "no biases"),
        ({"method": "full"}, {"architecture": "granitemoe"}, "packed in a different way"),
        ({"method": "prefix", "virtual_tokens": 512}, {"architecture": "gemma3", "sliding_window": 512}, ""),
        ({"method": "prompt", "virtual_tokens": 1000}, {"architecture": "gemma3", "sliding_window": 512}, ""),
    ],
)
def test_what_cannot_be_served_is_refused_with_the_reason(
    given: dict[str, Any], changes: dict[str, Any], reason: str, shapes: dict[str, ModelShape]
) -> None:
    method, shape = weights_method(WeightsPart(**given)), dataclasses.replace(shapes["llama"], **changes)
    if not reason:
        method.check(shape)
        return
    with pytest.raises(UserError, match=reason):
        method.check(shape)
