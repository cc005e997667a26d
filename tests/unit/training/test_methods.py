"""Each method moves what it says and nothing else, learns, and is written down so that it can be loaded again."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
peft = pytest.importorskip("peft")

from safetensors.torch import load_file  # noqa: E402

from tests.unit import tiny_models  # noqa: E402
from tests.unit.training.tiny_training import (  # noqa: E402
    WEIGHTS_METHODS,
    FakeBase,
    FakeLoaded,
    apply_method,
    loaded,
    sequences,
    weights_method,
)
from workbench.base.errors import UserError  # noqa: E402
from workbench.records.training import OptimiserPart, WeightsPart  # noqa: E402
from workbench.training.artifacts import load_trained, write_trained  # noqa: E402
from workbench.training.methods.selections import Selection  # noqa: E402
from workbench.training.peft_models import base_of, trainable_parameters  # noqa: E402
from workbench.training.trainer import StepTrainer  # noqa: E402
from workbench.training.trainer_progress import TrainerOptions  # noqa: E402

RATES: dict[str, float] = {
    "prompt": 0.1,
    "p-tuning": 0.01,
    "prefix": 0.05,
    "ia3": 0.05,
    "norms": 0.02,
    "biases": 0.02,
}


def trained_beside(method: str) -> bool:
    """Whether its weights are beside the model's own."""
    return not isinstance(method_of_name(method), Selection)


def method_of_name(name: str) -> Any:
    return weights_method(WeightsPart(method=name))


def part_of(method: str) -> WeightsPart:
    return WeightsPart(method=method, rank=4, last_layers=1, virtual_tokens=5)


# peft 0.21 calls the cache by its old name
@pytest.mark.filterwarnings("ignore:.past_key_values. is deprecated:FutureWarning")
@pytest.mark.parametrize("method", WEIGHTS_METHODS)
def test_a_method_learns_moves_only_its_own_and_comes_back(method: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    one = loaded()
    frozen_before = {name: value.clone() for name, value in one.model.state_dict().items()}
    model = apply_method(one, part_of(method))
    moved = trainable_parameters(model)
    assert moved
    assert all(parameter.dtype == torch.float32 for parameter in moved.values())
    told: list[Any] = []
    part = OptimiserPart(max_steps=15, batch_size=12, learning_rate=RATES.get(method, 5e-3), warmup_ratio=0.0)
    options = TrainerOptions(optimiser=part, train=sequences(12), folder=tmp_path / "run", emit=told.append)
    StepTrainer(model, options).run()
    curve = [event.value for event in told if getattr(event, "name", "") == "loss"]
    assert curve[-1] < curve[0] - 0.05, curve

    model.eval()
    answers = tiny_models.torch_logits(model)
    if trained_beside(method):
        for name, value in one.model.state_dict().items():
            plain = name.replace(".base_layer", "")
            if plain in frozen_before:
                assert torch.equal(value, frozen_before[plain]), name

    form = write_trained(model, method, tmp_path / "trained", "tiny")
    assert form == ("peft" if trained_beside(method) else "changed")
    again = load_trained(loaded().model, tmp_path / "trained").eval()
    # virtual tokens' logits stand before the text's
    assert abs(tiny_models.torch_logits(again) - answers)[-12:].max() < 1e-4
    assert abs(tiny_models.torch_logits(loaded().model) - answers[-12:]).max() > 1e-2
    assert not list((tmp_path / "trained").glob("*.bin"))


ENDLESS = r"(([a-z._0-9])+)+\d+#"


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "config",
    [
        peft.LoraConfig(
            r=4,
            target_modules=r".*\.(q_proj|up_proj)",
            rank_pattern={r"layers\.1\..*": 2},
            alpha_pattern={"up_proj": 3},
            init_lora_weights=False,
        ),
        peft.IA3Config(
            target_modules=r".*\.(k_proj|down_proj)", feedforward_modules=r".*\.down_proj", init_ia3_weights=False
        ),
    ],
    ids=["lora", "ia3"],
)
def test_an_adapters_patterns_are_not_left_to_python(config: Any, tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # peft 0.21 asks transformers by an old name
        model = peft.get_peft_model(loaded().model, config).eval()
        for parameter in trainable_parameters(model).values():
            torch.nn.init.normal_(parameter)
        model.save_pretrained(tmp_path)
    path = tmp_path / "adapter_config.json"
    saved = json.loads(path.read_text())
    path.write_text(json.dumps(saved | {"target_modules": f"{ENDLESS}|{saved['target_modules']}"}))
    again = load_trained(loaded().model, tmp_path).eval()
    assert ENDLESS not in str(again.peft_config)
    assert torch.equal(torch.tensor(tiny_models.torch_logits(again)), torch.tensor(tiny_models.torch_logits(model)))


def test_what_moves(tmp_path: Path) -> None:
    def names(method: str, family: str = "llama") -> set[str]:
        return set(trainable_parameters(apply_method(loaded(family), part_of(method))))

    assert names("full") == set(dict(loaded().model.named_parameters()))
    assert {name.split(".")[2] for name in names("layers")} == {"1"}
    assert names("norms") == {name for name in names("full") if "norm" in name}
    biases = {f"model.layers.{n}.{p}.bias" for n in (0, 1) for p in [f"self_attn.{x}_proj" for x in "qkvo"]}
    biases |= {f"model.layers.{n}.mlp.{x}_proj.bias" for n in (0, 1) for x in ("gate", "up", "down")}
    assert names("biases") == biases
    assert {name.rpartition(".")[0].rpartition(".")[2] for name in names("biases", "qwen2")} == {
        "q_proj", "k_proj", "v_proj",
    }  # fmt: skip
    write_trained(apply_method(loaded(), part_of("norms")), "norms", tmp_path / "trained")
    assert set(load_file(tmp_path / "trained" / "changed.safetensors")) == names("norms")
    assert json.loads((tmp_path / "trained" / "changed.json").read_text())["method"] == "norms"


@pytest.mark.parametrize(
    ("targets", "expected"),
    [
        ("attention", {"q_proj", "k_proj", "v_proj", "o_proj"}),
        ("feed-forward", {"gate_proj", "up_proj", "down_proj"}),
        ("all", set(tiny_models.LINEAR)),
    ],
)
def test_targets_of_low_rank_changes(targets: Any, expected: set[str]) -> None:
    model = apply_method(loaded(), WeightsPart(method="lora", targets=targets))
    assert set(model.peft_config["default"].target_modules) == expected
    assert not any("lm_head" in name or "embed" in name for name in trainable_parameters(model))


def test_a_base_in_16_bits_is_moved_in_32() -> None:
    one = loaded()
    one.model.to(torch.bfloat16)
    for method in WEIGHTS_METHODS:
        fresh = loaded()
        fresh.model.to(torch.bfloat16)
        for name, parameter in trainable_parameters(apply_method(fresh, part_of(method))).items():
            assert parameter.dtype == torch.float32, (method, name)


def test_a_model_without_biases_is_refused_with_the_reason() -> None:
    one = loaded("llama")
    other = type(one)(one.model, type(one.base)("falcon"))  # whose biases llama.cpp has no place for
    with pytest.raises(UserError, match="no biases"):
        apply_method(other, part_of("biases"))


def test_a_fresh_adapter_of_zeros_answers_as_the_base() -> None:
    plain = tiny_models.torch_logits(loaded().model)
    for method in ("lora", "rslora", "dora", "ia3", "biases"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            fresh = apply_method(loaded(), part_of(method)).eval()  # type: ignore[arg-type]
        assert abs(tiny_models.torch_logits(fresh) - plain).max() < 1e-5
    assert base_of(fresh) is fresh


def test_blocks_of_two_kinds_are_both_adapted() -> None:
    """As in lfm2, some of whose blocks are convolutions."""
    transformers = pytest.importorskip("transformers")
    config = transformers.Lfm2Config(
        vocab_size=96, hidden_size=32, intermediate_size=64, num_hidden_layers=3, num_attention_heads=4,
        num_key_value_heads=2, layer_types=["conv", "full_attention", "conv"],
    )  # fmt: skip

    def adapted(targets: Any) -> set[str]:
        base = FakeLoaded(transformers.Lfm2ForCausalLM(config), FakeBase("lfm2"))
        model = apply_method(base, WeightsPart(method="lora", rank=4, targets=targets))  # type: ignore[arg-type]
        return {name.partition(".layers.")[2].partition(".lora_")[0] for name in trainable_parameters(model)}

    attention = {f"1.self_attn.{part}" for part in ("q_proj", "k_proj", "v_proj", "out_proj")}
    assert adapted("attention") == attention
    assert attention < adapted("all")
    assert adapted("all") - attention == adapted("feed-forward")


def test_what_sees_is_not_adapted() -> None:
    """Its layers have the names of those that write, and llama.cpp's text model does not have them."""
    transformers = pytest.importorskip("transformers")
    text = {
        "vocab_size": 96, "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 3, "num_attention_heads": 4,
        "num_key_value_heads": 2, "head_dim": 8,
    }  # fmt: skip
    seeing = {
        "hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "image_size": 28,
        "patch_size": 14,
    }  # fmt: skip
    config = transformers.Gemma3Config(text_config=text, vision_config=seeing, mm_tokens_per_image=4)
    base = FakeLoaded(transformers.Gemma3ForConditionalGeneration(config), FakeBase("gemma3"))
    for targets, count in (("all", 7), ("attention", 4)):
        part = WeightsPart(method="lora", rank=4, targets=targets)  # type: ignore[arg-type]
        layers = {name.partition(".lora_")[0] for name in trainable_parameters(apply_method(base, part))}
        assert len(layers) == 3 * count
        assert not any("vision" in name for name in layers)
        base = FakeLoaded(transformers.Gemma3ForConditionalGeneration(config), FakeBase("gemma3"))
