"""Tiny random models of the families that a base can be loaded of, and their GGUF files with the metadata that
llama.cpp's converter writes. Each is told to a GGUF file here once more, apart from how it is read."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest

from tests.unit.tiny_models import VOCABULARY, pairs_of_halves

WIDTH, LAYERS, HEADS, KV_HEADS, HEAD, INNER = 64, 4, 4, 2, 16, 96
TURNED = ("llama", "granite", "smollm3", "arcee")
SPREAD_NORMS = ("gemma", "gemma2", "gemma3")

_SHAPE: dict[str, Any] = {
    "vocab_size": VOCABULARY, "hidden_size": WIDTH, "intermediate_size": INNER, "num_hidden_layers": LAYERS,
    "num_attention_heads": HEADS, "num_key_value_heads": KV_HEADS, "max_position_embeddings": 64, "bos_token_id": 0,
    "eos_token_id": 1, "pad_token_id": 1,
}  # fmt: skip
_WINDOWS = {"sliding_window": 6}
_MIXTURE = {"moe_intermediate_size": 48, "num_experts": 3, "num_experts_per_tok": 2}

_LONG = [1.0, 1.1, 1.3, 1.6, 2.0, 2.5, 3.1, 4.0]

# family: architecture in the file, class in transformers, its config, metadata besides the common
FAMILIES: dict[str, tuple[str, str, dict[str, Any], dict[str, Any]]] = {
    "llama": ("llama", "Llama", {}, {}),
    "llama with biases": ("llama", "Llama", {"attention_bias": True, "mlp_bias": True}, {}),
    "llama, tied, wide heads": ("llama", "Llama", {"tie_word_embeddings": True, "head_dim": 32}, {}),
    "mistral": ("llama", "Mistral", {"sliding_window": None, "rope_parameters": {"rope_theta": 1e6}}, {}),
    "llama, linear": ("llama", "Llama", {"rope_parameters": {"rope_type": "linear", "factor": 4.0, "rope_theta": 1e4}},
                      {"rope.scaling.type": "linear", "rope.scaling.factor": 4.0}),
    "llama, yarn": ("llama", "Llama", {"rope_parameters": {"rope_type": "yarn", "factor": 4.0, "rope_theta": 1e4,
                                                            "original_max_position_embeddings": 16}},
                    {"rope.scaling.type": "yarn", "rope.scaling.factor": 4.0,
                     "rope.scaling.original_context_length": 16}),
    "llama 3.1": ("llama", "Llama", {"rope_parameters": {
        "rope_type": "llama3", "factor": 8.0, "rope_theta": 1e4, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
        "original_max_position_embeddings": 32}}, {}),
    "qwen2": ("qwen2", "Qwen2", {}, {}),
    "qwen3": ("qwen3", "Qwen3", {"head_dim": 32}, {}),
    "gemma": ("gemma", "Gemma", {"head_dim": HEAD}, {}),
    "gemma2": ("gemma2", "Gemma2", {"head_dim": HEAD, "query_pre_attn_scalar": HEAD, **_WINDOWS},
               {"attention.sliding_window": 6, "attn_logit_softcapping": 50.0, "final_logit_softcapping": 30.0}),
    "gemma3": ("gemma3", "Gemma3", {"head_dim": HEAD, "query_pre_attn_scalar": HEAD, "num_hidden_layers": 7, **_WINDOWS,
                                    "rope_parameters": {
                                        "full_attention": {"rope_type": "linear", "factor": 8.0, "rope_theta": 1e6},
                                        "sliding_attention": {"rope_type": "default", "rope_theta": 1e4}}},
               {"attention.sliding_window": 6, "rope.scaling.type": "linear", "rope.scaling.factor": 8.0}),
    "phi3": ("phi3", "Phi3", {"sliding_window": None}, {}),
    "phi3, part of a head": ("phi3", "Phi3", {"sliding_window": None, "rope_parameters": {
        "rope_theta": 1e4, "rope_type": "default", "partial_rotary_factor": 0.5}}, {"rope.dimension_count": HEAD // 2}),
    "phi3, long": ("phi3", "Phi3", {"sliding_window": None, "original_max_position_embeddings": 32, "rope_parameters": {
        "rope_theta": 1e4, "rope_type": "longrope", "original_max_position_embeddings": 32,
        "long_factor": _LONG, "short_factor": _LONG}},  # llama.cpp's are the long ones in a context that could be long
        {"rope.scaling.original_context_length": 32, "rope.scaling.attn_factor": math.sqrt(1 + 1 / 5)}),
    "granite": ("granite", "Granite", {"embedding_multiplier": 2.0, "residual_multiplier": 0.5, "logits_scaling": 3.0,
                                       "attention_multiplier": 0.2},
                {"embedding_scale": 2.0, "residual_scale": 0.5, "logit_scale": 3.0, "attention.scale": 0.2}),
    "smollm3": ("smollm3", "SmolLM3", {}, {}),
    "olmo2": ("olmo2", "Olmo2", {}, {}),
    "qwen2moe": ("qwen2moe", "Qwen2Moe", {**_MIXTURE, "shared_expert_intermediate_size": 32, "norm_topk_prob": False},
                 {"expert_count": 3, "expert_used_count": 2, "expert_feed_forward_length": 48,
                  "expert_shared_feed_forward_length": 32}),
    "arcee": ("arcee", "Arcee", {}, {}),
    "ernie": ("ernie4_5", "Ernie4_5", {"head_dim": HEAD, "tie_word_embeddings": True}, {}),
    "seed": ("seed_oss", "SeedOss", {"head_dim": 32}, {}),
    "glm4": ("glm4", "Glm4", {"head_dim": HEAD, "attention_bias": True, "rope_parameters": {
        "rope_theta": 1e4, "rope_type": "default", "partial_rotary_factor": 0.5}}, {"rope.dimension_count": HEAD // 2}),
    "hunyuan": ("hunyuan-dense", "HunYuanDenseV1", {"head_dim": HEAD}, {}),
    "olmoe": ("olmoe", "Olmoe", {"num_key_value_heads": HEADS, "num_experts": 3, "num_experts_per_tok": 2},
              {"expert_count": 3, "expert_used_count": 2}),
    "phi2": ("phi2", "Phi", {"num_key_value_heads": HEADS, "rope_parameters": {
        "rope_theta": 1e4, "rope_type": "default", "partial_rotary_factor": 0.5}}, {"rope.dimension_count": HEAD // 2}),
    "stablelm": ("stablelm", "StableLm", {"use_qkv_bias": True, "rope_parameters": {
        "rope_theta": 1e4, "rope_type": "default", "partial_rotary_factor": 0.25}},
        {"rope.dimension_count": HEAD // 4, "use_parallel_residual": False}),
    "starcoder2": ("starcoder2", "Starcoder2", {"tie_word_embeddings": True, "sliding_window": None}, {}),
    "qwen3moe": ("qwen3moe", "Qwen3Moe", {**_MIXTURE, "head_dim": HEAD, "norm_topk_prob": True},
                 {"expert_count": 3, "expert_used_count": 2, "expert_feed_forward_length": 48}),
}  # fmt: skip


def build(family: str, *, seed: int = 0) -> Any:
    """The torch model, with weights that count in every layer."""
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    _, name, options, _ = FAMILIES[family]
    kind = "Gemma3TextConfig" if name == "Gemma3" else f"{name}Config"
    torch.manual_seed(seed)
    model = getattr(transformers, f"{name}ForCausalLM")(getattr(transformers, kind)(**_SHAPE | options))
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(torch.randn_like(parameter) * (0.3 if parameter.ndim > 1 else 0.1))
            if name.endswith("norm.weight") and not family.startswith("gemma"):
                parameter.add_(1)
    return model.eval()


def write_gguf(
    model: Any, family: str, path: Path, kind: str = "F32", *, but: Mapping[str, np.ndarray[Any, Any]] | None = None
) -> Path:
    """The model as llama.cpp's converter writes it; its matrices as ``kind``. ``but``: tensors to be put instead."""
    architecture, _, _, metadata = FAMILIES[family]
    config = model.config
    heads, kv_heads = config.num_attention_heads, config.num_key_value_heads
    head = getattr(config, "head_dim", None) or config.hidden_size // heads
    writer = gguf.GGUFWriter(path, architecture)
    writer.add_name("tiny model")
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(heads)
    writer.add_head_count_kv(kv_heads)
    writer.add_key_length(head)
    writer.add_value_length(head)
    layer_norm = getattr(config, "layer_norm_eps", None) or getattr(config, "norm_epsilon", None)
    if layer_norm is None:
        writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    else:
        writer.add_layer_norm_eps(layer_norm)
    rope = config.rope_parameters
    writer.add_rope_freq_base(float(rope.get("full_attention", rope)["rope_theta"]))
    writer.add_vocab_size(VOCABULARY)
    if "rope.dimension_count" not in metadata:
        writer.add_rope_dimension_count(head)
    for key, value in metadata.items():
        add = {
            bool: writer.add_bool, int: writer.add_uint32, float: writer.add_float32, str: writer.add_string,
        }[type(value)]  # fmt: skip
        add(f"{architecture}.{key}", value)
    writer.add_tokenizer_model("none")
    writer.add_array("tokenizer.ggml.tokens", [f"<{number}>" for number in range(VOCABULARY)])
    names = gguf.get_tensor_name_map(
        {v: k for k, v in gguf.MODEL_ARCH_NAMES.items()}[architecture], config.num_hidden_layers
    )
    state = dict(model.state_dict())
    for name in [name for name in state if name.endswith("experts.gate_up_proj")]:
        gate, up = state.pop(name).chunk(2, dim=1)
        state |= {name.replace("gate_up", "gate"): gate, name.replace("gate_up", "up"): up}
    if rope.get("rope_type") == "llama3":
        plain = 1 / rope["rope_theta"] ** (np.arange(0, head, 2) / head)
        writer.add_tensor("rope_freqs.weight", (plain / model.model.rotary_emb.inv_freq.numpy()).astype(np.float32))
    for name in ("long", "short"):
        if f"{name}_factor" in rope:
            writer.add_tensor(f"rope_factors_{name}.weight", np.array(rope[f"{name}_factor"], np.float32))
    for name, parameter in state.items():
        if name == "lm_head.weight" and config.tie_word_embeddings:
            continue
        weights = parameter.float().numpy()
        if architecture in TURNED and ".q_proj." in name:
            weights = pairs_of_halves(weights, heads)
        if architecture in TURNED and ".k_proj." in name:
            weights = pairs_of_halves(weights, kv_heads)
        if architecture in SPREAD_NORMS and name.endswith("norm.weight"):
            weights = weights + 1
        if name.endswith("shared_expert_gate.weight"):
            weights = weights[0]
        target = names.get_name(name, try_suffixes=(".weight", ".bias"))
        assert target is not None, name
        if name.endswith("_proj"):  # packed experts are parameters, not layers
            target = f"{target}.weight"
        weights = (but or {}).get(target, weights)
        packed_kind = gguf.GGMLQuantizationType["F32" if weights.ndim == 1 or weights.shape[-1] % 32 else kind]
        packed = gguf.quants.quantize(np.ascontiguousarray(weights), packed_kind)
        writer.add_tensor(target, packed, raw_dtype=packed_kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path
