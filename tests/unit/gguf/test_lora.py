"""PEFT LoRAs as GGUF adapters: llama.cpp answers with them what torch answers."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from tests.unit.tiny_adapters import TinyAdapters
from tests.unit.tiny_models import HEADS, KV_HEADS, llama_logits, pairs_of_halves, read_tensors
from workbench.base.errors import UserError
from workbench.gguf.lora import adapter_to_gguf

ALL_OF_A_MIXTURE: dict[str, Any] = {"target_modules": "all-linear", "task_type": "CAUSAL_LM"}
CLOSE = {"llama": 1e-5, "qwen2": 1e-5, "gemma3": 5e-3, "gpt2": 2e-3}
"""ggml looks GELU up in a table of 16-bit numbers, so that gemma3 and gpt2 are as close as their bases only."""


@pytest.mark.parametrize(
    ("family", "options"),
    [
        ("llama", {}),
        ("qwen2", {}),
        ("gemma3", {}),
        ("gpt2", {"target_modules": ["c_attn", "c_fc", "c_proj"], "fan_in_fan_out": True}),
    ],
)
def test_llama_cpp_answers_as_torch_does(
    adapters: TinyAdapters, tmp_path: Path, family: str, options: dict[str, Any]
) -> None:
    trained = adapters.make(family, f"{family}-lora", **options)
    out = tmp_path / "adapter.gguf"
    details = adapter_to_gguf(trained.folder, trained.base, out)
    assert (details.path, details.ranks, details.alpha) == (str(out), (4,), 8.0)
    found = llama_logits(trained.base, adapter=out)
    assert np.abs(found - trained.adapted).max() < CLOSE[family]
    assert np.abs(trained.plain - trained.adapted).max() > 20 * CLOSE[family]  # else nothing was shown
    assert np.abs(llama_logits(trained.base, adapter=out, scale=0.0) - trained.plain).max() < CLOSE[family]


@pytest.mark.parametrize("rslora", [False, True])
def test_ranks_and_alphas_by_layer_are_kept(adapters: TinyAdapters, tmp_path: Path, rslora: bool) -> None:
    patterns = {"rank_pattern": {"q_proj": 8, "layers.1.mlp.up_proj": 2}, "alpha_pattern": {"q_proj": 3, "o_proj": 20}}
    trained = adapters.make("llama", f"patterns-{rslora}", use_rslora=rslora, **patterns)
    details = adapter_to_gguf(trained.folder, trained.base, tmp_path / "a.gguf")
    assert details.ranks == (2, 4, 8)
    found = llama_logits(trained.base, adapter=tmp_path / "a.gguf")
    assert np.abs(found - trained.adapted).max() < 1e-5


def test_packed_experts_become_an_adapter_for_each(adapters: TinyAdapters, tmp_path: Path) -> None:
    trained = adapters.make("qwen3moe", "moe", **ALL_OF_A_MIXTURE)
    details = adapter_to_gguf(trained.folder, trained.base, tmp_path / "a.gguf")
    assert details.ranks == (4, 8)  # peft doubles the rank of gate and up, which are one
    assert {f"blk.1.ffn_{name}.weight" for name in ("gate_exps", "up_exps", "down_exps", "gate_inp")} <= set(
        details.targets
    )
    assert np.abs(llama_logits(trained.base, adapter=tmp_path / "a.gguf") - trained.adapted).max() < 1e-5
    assert np.abs(trained.plain - trained.adapted).max() > 1e-2


def test_experts_are_refused_where_their_packing_is_not_known(adapters: TinyAdapters, tmp_path: Path) -> None:
    trained = adapters.make("qwen3moe", "moe", **ALL_OF_A_MIXTURE)
    config = {"model_type": "gpt_oss", "num_hidden_layers": 2, "num_attention_heads": HEADS}
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(UserError, match=r"packs in a different way|has no name for"):
        adapter_to_gguf(trained.folder, tmp_path, tmp_path / "a.gguf")


def test_a_trained_output_layer_and_embeddings_work_where_they_are_two(adapters: TinyAdapters, tmp_path: Path) -> None:
    trained = adapters.make("llama", "ends", target_modules=["embed_tokens", "lm_head", "q_proj"])
    details = adapter_to_gguf(trained.folder, trained.base, tmp_path / "a.gguf")
    assert {"token_embd.weight", "output.weight"} <= set(details.targets)
    found = llama_logits(trained.base, adapter=tmp_path / "a.gguf")
    assert np.abs(found - trained.adapted).max() < 1e-5


def test_the_halves_are_torch_s_with_the_rows_of_queries_and_keys_interleaved(
    adapters: TinyAdapters, tmp_path: Path
) -> None:
    trained = adapters.make("llama", "llama-lora")
    adapter_to_gguf(trained.folder, trained.base, tmp_path / "a.gguf")
    saved = load_file(trained.folder / "adapter_model.safetensors")
    tensors = read_tensors(tmp_path / "a.gguf")
    for layer, name, heads in (
        ("self_attn.q_proj", "attn_q", HEADS),
        ("self_attn.k_proj", "attn_k", KV_HEADS),
        ("self_attn.v_proj", "attn_v", 0),
        ("mlp.down_proj", "ffn_down", 0),
    ):
        a = saved[f"base_model.model.model.layers.1.{layer}.lora_A.weight"]
        b = saved[f"base_model.model.model.layers.1.{layer}.lora_B.weight"]
        assert np.array_equal(tensors[f"blk.1.{name}.weight.lora_a"], a)
        assert np.array_equal(tensors[f"blk.1.{name}.weight.lora_b"], pairs_of_halves(b, heads) if heads else b)


def test_a_transformers_folder_serves_as_base_too(adapters: TinyAdapters, tmp_path: Path) -> None:
    trained = adapters.make("llama", "llama-lora")
    folder = tmp_path / "tiny llama"
    folder.mkdir()
    config = {"model_type": "llama", "num_hidden_layers": 2, "num_attention_heads": HEADS}
    (folder / "config.json").write_text(json.dumps(config | {"num_key_value_heads": KV_HEADS}))
    first = adapter_to_gguf(trained.folder, folder, tmp_path / "a.gguf")
    adapter_to_gguf(trained.folder, trained.base, tmp_path / "b.gguf")
    assert len(first.targets) == 14
    assert (tmp_path / "a.gguf").read_bytes() == (tmp_path / "b.gguf").read_bytes()
    halves = load_file(trained.folder / "adapter_model.safetensors")
    weights = {}
    for name, a in halves.items():
        if name.endswith("lora_A.weight"):
            layer = name.removeprefix("base_model.model.").removesuffix(".lora_A.weight")
            out = halves[name.replace("lora_A", "lora_B")].shape[0]
            weights[f"{layer}.weight"] = np.zeros((out, a.shape[1]), np.float32)
    save_file(weights, folder / "model.safetensors")
    assert adapter_to_gguf(trained.folder, folder, tmp_path / "c.gguf").targets == first.targets
    weights["model.layers.0.self_attn.q_proj.weight"] = np.zeros((64, 32), np.float32)
    save_file(weights, folder / "model.safetensors")
    with pytest.raises(UserError, match=r"q_proj' is for 64 x 64 weights, tiny llama's is 64 x 32"):
        adapter_to_gguf(trained.folder, folder, tmp_path / "d.gguf")


@pytest.mark.parametrize(
    ("family", "options", "reason"),
    [
        ("llama", {"use_dora": True}, "is DoRA, .*Merge it"),
        ("llama", {"ia3": True, "target_modules": ["k_proj"], "feedforward_modules": []}, "is IA3, .*Merge it"),
        ("gemma3", {"target_modules": ["embed_tokens"]}, "output layer as well"),
        ("gemma3", {"target_modules": ["lm_head"]}, "token embeddings as well"),
        ("llama", {"modules_to_save": ["norm"]}, "whole layers"),
    ],
)
def test_what_llama_cpp_cannot_add_is_refused_and_leaves_nothing(
    adapters: TinyAdapters, tmp_path: Path, family: str, options: dict[str, Any], reason: str
) -> None:
    trained = adapters.make(family, f"refused-{family}-{reason[:9]}", **options)
    with pytest.raises(UserError, match=reason):
        adapter_to_gguf(trained.folder, trained.base, tmp_path / "a.gguf")
    assert list(tmp_path.iterdir()) == []


def test_another_model_is_refused(adapters: TinyAdapters, tmp_path: Path, smollm_path: Path, gemma_path: Path) -> None:
    trained = adapters.make("llama", "llama-lora")
    with pytest.raises(UserError, match="does not fit"):
        adapter_to_gguf(trained.folder, smollm_path, tmp_path / "a.gguf")
    with pytest.raises(UserError, match="does not fit"):
        adapter_to_gguf(trained.folder, gemma_path, tmp_path / "a.gguf")
    other = adapters.make("gpt2", "gpt2-lora", target_modules=["c_attn", "c_fc", "c_proj"], fan_in_fan_out=True)
    with pytest.raises(UserError, match=r"has no name for .*c_attn"):
        adapter_to_gguf(other.folder, trained.base, tmp_path / "a.gguf")
    assert list(tmp_path.iterdir()) == []


def test_an_architecture_that_is_not_known_is_refused(adapters: TinyAdapters, tmp_path: Path) -> None:
    trained = adapters.make("llama", "llama-lora")
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "internlm2", "num_hidden_layers": 2}))
    with pytest.raises(UserError, match="architecture internlm2, for which"):
        adapter_to_gguf(trained.folder, tmp_path, tmp_path / "a.gguf")


def test_a_layer_that_sees_is_refused(adapters: TinyAdapters, tmp_path: Path) -> None:
    trained = adapters.make("llama", "llama-lora")
    folder = tmp_path / "seeing"
    shutil.copytree(trained.folder, folder)
    saved = load_file(folder / "adapter_model.safetensors")
    renamed = {
        name.replace("model.model.layers.0", "model.model.vision_tower.layers.0"): v for name, v in saved.items()
    }
    save_file(renamed, folder / "adapter_model.safetensors")
    with pytest.raises(UserError, match="image or audio encoder"):
        adapter_to_gguf(folder, trained.base, tmp_path / "a.gguf")


def test_a_file_that_stood_there_is_replaced_only_by_a_whole_one(adapters: TinyAdapters, tmp_path: Path) -> None:
    trained = adapters.make("llama", "llama-lora")
    out = tmp_path / "a.gguf"
    out.write_bytes(b"before")
    with pytest.raises(UserError):
        adapter_to_gguf(adapters.make("llama", "dora", use_dora=True).folder, trained.base, out)
    assert out.read_bytes() == b"before"
    adapter_to_gguf(trained.folder, trained.base, out)
    assert out.read_bytes()[:4] == b"GGUF"
    assert list(tmp_path.iterdir()) == [out]
