"""PEFT folders that can be carried over, and the reasons of those that cannot. The files are written by hand."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from workbench.base.errors import UserError
from workbench.gguf import peft_folder
from workbench.gguf.peft_folder import read_peft_folder

Q, UP = "model.layers.0.self_attn.q_proj", "model.layers.1.mlp.up_proj"


def pair(layer: str, rank: int = 4, into: int = 8, out: int = 6) -> dict[str, tuple[int, ...]]:
    return {f"{layer}.lora_A.weight": (rank, into), f"{layer}.lora_B.weight": (out, rank)}


def save(folder: Path, shapes: Mapping[str, tuple[int, ...]], **config: Any) -> Path:
    folder.mkdir(exist_ok=True)
    rng = np.random.default_rng(0)
    tensors = {f"base_model.model.{name}": rng.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}
    save_file(tensors, folder / "adapter_model.safetensors")
    (folder / "adapter_config.json").write_text(
        json.dumps({"peft_type": "LORA", "r": 4, "lora_alpha": 8, "base_model_name_or_path": "a/b"} | config)
    )
    return folder


def test_a_lora_is_described(tmp_path: Path) -> None:
    adapter = read_peft_folder(save(tmp_path / "mine", pair(UP) | pair(Q)))
    assert (adapter.name, adapter.method, adapter.base_name, adapter.alpha) == ("mine", "LORA", "a/b", 8.0)
    assert [(m.name, m.rank, m.scaling) for m in adapter.modules] == [(Q, 4, 2.0), (UP, 4, 2.0)]
    assert adapter.read(adapter.modules[0], "a").shape == (4, 8)


def test_patterns_and_rslora_give_each_layer_its_own_scaling(tmp_path: Path) -> None:
    shapes = pair(Q, rank=2) | pair(UP, rank=16)
    config: dict[str, Any] = {
        "rank_pattern": {r"layers\.1\.mlp\.up_proj": 16, "q_proj": 2},
        "alpha_pattern": {"up_proj": 4},
    }
    q, up = read_peft_folder(save(tmp_path / "a", shapes, **config)).modules
    assert (q.rank, q.scaling, up.rank, up.scaling) == (2, 4.0, 16, 0.25)
    q, up = read_peft_folder(save(tmp_path / "b", shapes, use_rslora=True, **config)).modules
    assert (q.scaling, up.scaling) == (8 / math.sqrt(2), 1.0)


def test_a_pattern_matches_whole_names_only(tmp_path: Path) -> None:
    (module,) = read_peft_folder(save(tmp_path, pair(Q), alpha_pattern={"proj": 1, "f_attn.q_proj": 1})).modules
    assert module.scaling == 2.0


ENDLESS = r"(([a-z._0-9])+)+\d+#"
"""Python's re tries as many ways as there are subsets of a name's places to find that it does not match."""


@pytest.mark.timeout(20)
@pytest.mark.parametrize("option", ["rank_pattern", "alpha_pattern"])
def test_a_pattern_that_python_would_match_for_ever_is_matched_at_once(tmp_path: Path, option: str) -> None:
    (module,) = read_peft_folder(save(tmp_path, pair(Q), **{option: {ENDLESS: 1}})).modules
    assert (module.rank, module.scaling) == (4, 2.0)


@pytest.mark.parametrize(
    ("patterns", "reason"),
    [({"q" * 2_001: 1}, "bad pattern"), ({"(q": 1}, "bad pattern"), ({str(n): 1 for n in range(10)}, "patterns")],
)
def test_what_cannot_be_matched_in_time_is_refused(
    tmp_path: Path, patterns: dict[str, int], reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(peft_folder, "MAX_MATCHES", 9)
    with pytest.raises(UserError, match=reason):
        read_peft_folder(save(tmp_path, pair(Q), rank_pattern=patterns))


EXPERTS = "model.layers.0.mlp.experts"


def test_the_wrappers_of_packed_experts_are_told_apart_by_their_widths(tmp_path: Path) -> None:
    up_and_gate, down = pair(f"{EXPERTS}.base_layer", 24, 8, 12), pair(EXPERTS, 12, 6, 8)
    config = {"target_parameters": ["down_proj", "gate_up_proj"], "rank_pattern": {".*gate_up_proj": 8}}
    modules = read_peft_folder(save(tmp_path / "a", up_and_gate | down, **config)).modules
    found = {m.name.removeprefix(f"{EXPERTS}."): (m.rank, m.experts, m.half, m.scaling) for m in modules}
    expected = {"gate_proj": (8, 3, 0, 1.0), "up_proj": (8, 3, 1, 1.0), "down_proj": (4, 3, None, 2.0)}
    assert found == expected
    exchanged = pair(EXPERTS, 24, 8, 12) | pair(f"{EXPERTS}.base_layer", 12, 6, 8)
    again = read_peft_folder(save(tmp_path / "b", exchanged, **config)).modules
    assert {m.name.removeprefix(f"{EXPERTS}."): (m.rank, m.experts, m.half, m.scaling) for m in again} == expected


def test_bfloat16_is_read_exactly(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    torch_files = pytest.importorskip("safetensors.torch")
    folder = save(tmp_path, pair(Q))
    a, b = torch.randn(4, 8).bfloat16(), torch.randn(6, 4).half()
    names = {f"base_model.model.{Q}.lora_A.weight": a, f"base_model.model.{Q}.lora_B.weight": b}
    torch_files.save_file(names, folder / "adapter_model.safetensors")
    adapter = read_peft_folder(folder)
    assert np.array_equal(adapter.read(adapter.modules[0], "a"), a.float().numpy())
    assert np.array_equal(adapter.read(adapter.modules[0], "b"), b.float().numpy())


def test_a_changed_config_is_another_adapter(tmp_path: Path) -> None:
    first, again = save(tmp_path / "a", pair(Q)), save(tmp_path / "b", pair(Q))
    other = save(tmp_path / "c", pair(Q), lora_alpha=9)
    hashes = [read_peft_folder(folder).sha256() for folder in (first, again, other)]
    assert hashes[0] == hashes[1] != hashes[2]


@pytest.mark.parametrize(
    ("shapes", "config", "reason"),
    [
        (pair(Q), {"peft_type": "BOFT"}, "of the kind BOFT"),
        (pair(Q), {"modules_to_save": ["lm_head"]}, r"whole layers \(lm_head\)"),
        (pair(Q), {"trainable_token_indices": [3]}, "single tokens"),
        (pair(Q), {"bias": "all"}, "trained biases"),
        (pair(Q), {"init_lora_weights": "pissa_niter_4"}, "began as pissa_niter_4"),
        (pair(Q), {"layer_replication": [[0, 2]]}, "uses layer_replication"),
        (pair(Q), {"lora_bias": True}, "uses lora_bias"),
        # which makes PEFT import the module that megatron_core names
        (pair(Q), {"megatron_config": {"a": 1}, "megatron_core": "antigravity"}, "uses megatron_config"),
        (pair(Q), {"an_option_of_tomorrow": {"a": 1}}, "uses an_option_of_tomorrow"),
        (pair(Q), {"r": 8}, "says rank 8 .* of rank 4"),
        (pair(Q), {"lora_alpha": "much"}, "no usable lora_alpha"),
        (pair(Q), {"alpha_pattern": {"(": 1}}, "a bad pattern"),
        (pair(Q), {"alpha_pattern": [1]}, "not a table"),
        (pair(Q), {"use_dora": True}, "parts are missing"),
        ({f"{Q}.lora_A.weight": (4, 8)}, {}, "only a: parts are missing"),
        ({f"{Q}.lora_A.weight": (4, 8), f"{Q}.lora_B.weight": (6, 3)}, {}, "of the ranks 4 and 3"),
        ({f"{Q}.lora_A.weight": (4, 8, 3, 3), f"{Q}.lora_B.weight": (6, 4, 1, 1)}, {}, "not a linear layer"),
        (pair(Q) | {"model.norm.weight": (8,)}, {}, "which is not part of a LoRA"),
        (pair(Q) | {f"{Q}.lora_B.bias": (6,)}, {}, "which is not part of a LoRA"),
        (pair("x.experts"), {"target_parameters": ["down_proj"]}, "not gate_up_proj and down_proj both"),
        (pair("x.experts") | pair("x.experts.base_layer"), {"target_parameters": ["a", "b"]}, "are not supported"),
        ({}, {}, "changes nothing"),
    ],
)
def test_what_cannot_be_carried_over_is_refused_with_the_reason(
    tmp_path: Path, shapes: Mapping[str, tuple[int, ...]], config: dict[str, Any], reason: str
) -> None:
    with pytest.raises(UserError, match=reason) as refused:
        read_peft_folder(save(tmp_path, shapes, **config))
    assert refused.value.hint


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("LOHA", "of the kind LoHa, which this version cannot convert"),
        ("LOKR", "of the kind LoKr, which this version cannot convert"),
        ("VERA", "of the kind VeRA, which this version cannot convert"),
        ("MISS", "of the kind MiSS, which this version cannot convert"),
        ("OFT", "of the kind OFT, which this version cannot convert"),
        ("HRA", "of the kind HRA"),
    ],
)
def test_other_kinds_are_refused_by_name_with_what_to_do(tmp_path: Path, kind: str, said: str) -> None:
    save(tmp_path, pair(Q))
    (tmp_path / "adapter_config.json").write_text(json.dumps({"peft_type": kind, "r": 4, "bias": "none"}))
    with pytest.raises(UserError, match=said) as refused:
        read_peft_folder(tmp_path)
    assert "LoRA" in refused.value.hint


def test_a_pickle_is_never_read(tmp_path: Path) -> None:
    folder = save(tmp_path, pair(Q))
    (folder / "adapter_model.safetensors").rename(folder / "adapter_model.bin")
    with pytest.raises(UserError, match="pickle"):
        read_peft_folder(folder)


def test_a_folder_without_its_files_or_with_damaged_ones_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="not a PEFT adapter"):
        read_peft_folder(tmp_path)
    folder = save(tmp_path / "a", pair(Q))
    (folder / "adapter_config.json").write_text("[1, 2")
    with pytest.raises(UserError, match="is damaged"):
        read_peft_folder(folder)
    folder = save(tmp_path / "b", pair(Q))
    whole = (folder / "adapter_model.safetensors").read_bytes()
    (folder / "adapter_model.safetensors").write_bytes(whole[:-8])
    with pytest.raises(UserError, match="cut short"):
        read_peft_folder(folder)


def test_weights_that_are_not_finite_are_refused(tmp_path: Path) -> None:
    folder = save(tmp_path, pair(Q))
    names = {f"base_model.model.{name}": np.full(shape, np.nan, np.float32) for name, shape in pair(Q).items()}
    save_file(names, folder / "adapter_model.safetensors")
    adapter = read_peft_folder(folder)
    with pytest.raises(UserError, match="not finite"):
        adapter.read(adapter.modules[0], "a")
