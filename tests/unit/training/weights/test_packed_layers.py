"""A packed base: the same logits and gradients as from unpacked weights, under every adapter that is trained on it."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.unit.training.weights import tiny_families
from workbench.base.errors import UserError
from workbench.training.weights import loading
from workbench.training.weights.dtype_selection import Choice, Speeds
from workbench.training.weights.loading import LoadedBase, load_base

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning")  # peft 0.21 uses what transformers 5.24 renamed

TOKENS = [[5, 17, 3, 80, 41, 2, 63, 9], [30, 55, 71, 12, 8, 8, 90, 1]]
FAMILIES = ["llama", "llama, tied, wide heads", "llama with biases", "qwen2", "qwen3", "gemma3", "phi3", "granite"]
LINEAR = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]


@pytest.fixture(autouse=True)
def _computes_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also on processors that multiply 16-bit numbers faster: what is compared are the numbers, to the last bits."""
    monkeypatch.setattr(loading, "measure_speeds", lambda: Speeds(f32=1.0, bf16=0.0))


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The same file, held packed and as f32, for each family and number format."""
    folder = tmp_path_factory.mktemp("packed")

    def load(family: str, kind: str = "Q8_0") -> tuple[LoadedBase, LoadedBase]:
        path = folder / f"{family} {kind}.gguf"
        if not path.exists():
            tiny_families.write_gguf(tiny_families.build(family), family, path, kind)
        return load_base(path, "packed"), load_base(path, "f32")

    return load


def adapt(model: Any, **options: Any) -> Any:
    """A LoRA of random weights on all linear layers."""
    torch = pytest.importorskip("torch")
    peft = pytest.importorskip("peft")
    config = peft.LoraConfig(
        **{"r": 4, "lora_alpha": 8, "target_modules": "all-linear", **options}, task_type="CAUSAL_LM"
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        adapted = peft.get_peft_model(model, config)
    torch.manual_seed(3)
    with torch.no_grad():
        for name, parameter in adapted.named_parameters():
            if "lora_A" in name or "lora_B" in name:
                parameter.copy_(torch.randn_like(parameter) * 0.1)
    return adapted


def loss_and_gradients(model: Any) -> tuple[float, Mapping[str, Any]]:
    torch = pytest.importorskip("torch")
    tokens = torch.tensor(TOKENS)
    loss = model(input_ids=tokens, labels=tokens).loss
    loss.backward()
    return float(loss.detach()), {name: p.grad.clone() for name, p in model.named_parameters() if p.requires_grad}


def assert_alike(packed: Any, dense: Any) -> None:
    first, second = loss_and_gradients(packed), loss_and_gradients(dense)
    assert first[0] == pytest.approx(second[0], rel=1e-5)
    assert first[1].keys() == second[1].keys()
    assert first[1]
    for name, gradient in second[1].items():
        assert float(gradient.abs().max()) > 0, name
        assert float((first[1][name] - gradient).abs().max()) < 1e-4 * float(gradient.abs().max()), name


@pytest.mark.parametrize("family", FAMILIES)
def test_logits_and_gradients_are_those_of_unpacked_weights(both: Any, family: str) -> None:
    packed, dense = both(family)
    assert (packed.form, dense.form) == ("packed", "f32")
    assert packed.weights_bytes < 0.4 * dense.weights_bytes
    assert_alike(adapt(packed.model), adapt(dense.model))


@pytest.mark.parametrize("kind", ["F32", "F16", "BF16", "Q4_0", "Q4_1", "Q5_0", "Q5_1"])
def test_every_number_format_is_unpacked(both: Any, kind: str) -> None:
    packed, dense = both("llama", kind)
    assert_alike(adapt(packed.model), adapt(dense.model))


@pytest.mark.parametrize("options", [{"use_rslora": True}, {"use_dora": True}, {"lora_bias": True}], ids=str)
def test_other_kinds_of_lora_work_on_it(both: Any, options: dict[str, Any]) -> None:
    packed, dense = both("llama")
    assert_alike(adapt(packed.model, **options), adapt(dense.model, **options))


def test_it_works_with_gradient_checkpointing(both: Any) -> None:
    packed, dense = both("llama")
    model = adapt(packed.model)
    model.gradient_checkpointing_enable({"use_reentrant": False})
    model.enable_input_require_grads()
    assert_alike(model.train(), adapt(dense.model).train())


@pytest.mark.parametrize("method", ["prompt", "p-tuning", "prefix", "ia3"])
def test_other_methods_work_on_it(both: Any, method: str) -> None:
    peft = pytest.importorskip("peft")
    torch = pytest.importorskip("torch")
    config = {
        "prompt": lambda: peft.PromptTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=3),
        "p-tuning": lambda: peft.PromptEncoderConfig(
            task_type="CAUSAL_LM", num_virtual_tokens=3, encoder_hidden_size=8
        ),
        "prefix": lambda: peft.PrefixTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=3),
        "ia3": lambda: peft.IA3Config(task_type="CAUSAL_LM", target_modules=LINEAR, feedforward_modules=["down_proj"]),
    }[method]
    found = []
    for loaded in both("llama"):
        torch.manual_seed(0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found.append(peft.get_peft_model(loaded.model, config()))
    assert_alike(*found)


def test_the_output_layer_can_be_asked_for_some_rows_only(both: Any) -> None:
    torch = pytest.importorskip("torch")
    packed, dense = both("llama, tied, wide heads")
    states = torch.randn(5, tiny_families.WIDTH, requires_grad=True)
    for loaded in (packed, dense):
        loaded.model.lm_head(states[1:3]).square().sum().backward()
        if loaded is packed:
            first, states.grad = states.grad, None
    assert torch.allclose(first, states.grad, rtol=1e-4, atol=1e-5)
    assert packed.model.lm_head.weight is packed.model.get_input_embeddings().weight


def test_nothing_packed_is_in_a_state_dict_and_none_is_missed(both: Any) -> None:
    packed, dense = both("llama with biases")
    state = packed.model.state_dict()
    assert "model.layers.0.self_attn.q_proj.bias" in state
    assert sum(tensor.numel() * 4 for tensor in state.values()) < 0.1 * dense.weights_bytes
    packed.model.load_state_dict(state)


def test_a_file_that_is_mapped_is_not_copied(both: Any, tmp_path: Path) -> None:
    packed, _ = both("llama")
    blocks = packed.model.model.layers[0].self_attn.q_proj.weight.blocks
    assert isinstance(blocks.data.base, np.memmap)
    assert not blocks.data.flags.writeable


def test_a_packed_weight_stands_for_its_values_and_cannot_be_changed(both: Any) -> None:
    torch = pytest.importorskip("torch")
    packed, dense = both("llama")
    name = "model.layers.1.self_attn.k_proj"
    weight, values = packed.model.get_submodule(name).weight, dense.model.get_submodule(name).weight
    assert isinstance(weight, torch.nn.Parameter)
    assert (weight.shape, weight.dtype, weight.device) == (values.shape, values.dtype, values.device)
    assert torch.equal(weight + 0, values)
    assert torch.equal(copy.deepcopy(weight) + 0, values)
    with pytest.raises(RuntimeError, match="cannot be changed"):
        weight.zero_()
    packed.model.requires_grad_(True)
    with pytest.raises(UserError, match="cannot be trained themselves"):
        packed.model(input_ids=torch.tensor(TOKENS))


def test_layers_can_be_unpacked_to_be_trained(both: Any) -> None:
    torch = pytest.importorskip("torch")
    from workbench.training.weights.packed_layers import PackedLinear, unpack_layers

    packed, dense = both("gemma3")
    for model in (packed.model, dense.model):
        moving = [name for name, _ in model.named_parameters() if ".layers.6." in name or "embed_tokens" in name]
        unpack_layers(model, moving)
        for name in moving:
            model.get_parameter(name).requires_grad_(True)
    assert packed.model.lm_head.weight is packed.model.model.embed_tokens.weight
    assert isinstance(packed.model.model.layers[5].mlp.up_proj, PackedLinear)
    assert type(packed.model.model.embed_tokens) is type(dense.model.model.embed_tokens)
    assert_alike(packed.model, dense.model)
    assert torch.equal(packed.model.model.embed_tokens.weight, dense.model.model.embed_tokens.weight)


def test_experts_cannot_stay_packed_and_are_computed_in_the_type_that_holds_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch = pytest.importorskip("torch")
    slow, none_free = Speeds(1.0, 0.001), Choice("bf16", "float32", "It was chosen.")
    monkeypatch.setattr("workbench.training.weights.loading.measure_speeds", lambda: slow)
    model = tiny_families.build("qwen3moe")
    path = tiny_families.write_gguf(model, "qwen3moe", tmp_path / "m.gguf", "Q8_0")
    with pytest.raises(UserError, match="cannot stay packed"):
        load_base(path, "packed")
    loaded = load_base(path, "bf16")
    assert loaded.dtype == torch.bfloat16
    assert loaded.why.endswith("so it is bfloat16.")
    assert {parameter.dtype for parameter in loaded.model.parameters()} == {torch.bfloat16}
    assert loaded.model.model.rotary_emb.inv_freq.dtype == torch.float32
    asked: list[int | None] = []
    monkeypatch.setattr(
        "workbench.training.weights.loading.choose_form",
        lambda parameters, packed, **_: asked.append(packed) or none_free,
    )
    load_base(path, "auto")
    assert asked == [None]


@pytest.mark.parametrize("kind", ["Q8_0", "Q4_0", "Q4_1"])
def test_blocks_on_a_device_are_unpacked_by_torch(both: Any, kind: str) -> None:
    """What runs on a GPU, on the CPU here: the same rows in the same order."""
    torch = pytest.importorskip("torch")
    from workbench.training.weights.packed_layers import DeviceBlocks, PackedWeight

    packed, dense = both("llama", kind)
    for name in ("model.layers.0.self_attn.q_proj", "model.layers.0.mlp.down_proj", "model.embed_tokens"):
        layer, values = packed.model.get_submodule(name), dense.model.get_submodule(name).weight
        blocks = DeviceBlocks(layer.weight.blocks, torch.device("cpu"))
        assert torch.allclose(blocks.whole(torch.float32), values, rtol=1e-6)
        numbers = torch.tensor([3, 60, 0, 3])
        assert torch.allclose(blocks.rows(numbers, torch.float32), values[numbers], rtol=1e-6)
        layer._parameters["weight"] = torch.nn.Parameter(PackedWeight(blocks, torch.float32), requires_grad=False)
    assert_alike(adapt(packed.model), adapt(dense.model))
