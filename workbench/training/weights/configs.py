"""A transformers config out of a GGUF file's metadata, as llama.cpp reads it.

Each architecture that is built here names what its config takes besides the common; what the metadata does not say is
what llama.cpp computes then, not the default of a config class, which is one checkpoint's value. Nothing here reads the
vocabulary: its size is that of the token embeddings.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.base.errors import UserError
from workbench.gguf.base_model import Base
from workbench.gguf.weights import Contents

_TOKENS = {"bos_token_id": "bos", "eos_token_id": "eos", "pad_token_id": "padding"}
_GEMMA3_LARGEST_LAYERS = 62  # gemma-3-27b, whose attention is scaled otherwise (llama.cpp's gemma3.cpp)
_GEMMA2_LARGEST_LAYERS = 46


class _Metadata:
    """The metadata of one architecture: keys without their prefix."""

    def __init__(self, contents: Contents, base: Base) -> None:
        self.contents = contents
        self.base = base
        self.architecture = base.architecture

    def find(self, key: str) -> Any:
        return self.contents.first.metadata.get(f"{self.architecture}.{key}")

    def number(self, key: str, default: float | None = None) -> Any:
        """Raises UserError when there is neither a number nor a default."""
        value = self.find(key)
        if isinstance(value, list) and value and all(item == value[0] for item in value):
            value = value[0]  # of each layer, and the same for all
        if value is None and default is not None:
            return default
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise UserError(
                f"{self.base.path} does not declare {self.architecture}.{key}, or not as one number.",
                "Get the model again, or in another conversion.",
            )
        return value

    def has(self, tensor: str) -> bool:
        return tensor in self.contents.tensors

    def values(self, tensor: str) -> NDArray[np.float32] | None:
        stored = self.contents.tensors.get(tensor)
        return None if stored is None else stored.read(0, 1)[0]

    @property
    def heads(self) -> int:
        return int(self.number("attention.head_count"))

    @property
    def head_dim(self) -> int:
        """The width of a head, which must be the same for queries, keys and values."""
        width = int(self.number("embedding_length"))
        size = int(self.number("attention.key_length", width // self.heads))
        if self.number("attention.value_length", size) != size:
            raise UserError(
                f"{self.base.path} has heads whose keys and values are of different widths, which is not supported.",
                "Choose another model.",
            )
        return size


Builder = Callable[[_Metadata], dict[str, Any]]


def config_from_gguf(contents: Contents, base: Base) -> Any:
    """The config, of a class in transformers.

    Raises UserError when the metadata lacks something or says something that transformers does not compute. Ask
    ``can_build`` before.
    """
    from huggingface_hub.errors import StrictDataclassError
    from transformers import AutoConfig

    model_type, build = _ARCHITECTURES[base.architecture]
    metadata = _Metadata(contents, base)
    common = _common(metadata)
    special = build(metadata)
    try:
        return AutoConfig.for_model(model_type, **common | special)
    except (StrictDataclassError, ValueError, TypeError) as error:
        raise UserError(
            f"transformers does not accept what {base.path} says of itself: {error}.",
            "Get the model in another conversion.",
        ) from error


def can_build(architecture: str) -> bool:
    return architecture in _ARCHITECTURES


def rope_factors(contents: Contents) -> NDArray[np.float32] | None:
    """The divisors of the rotary frequencies in llama.cpp (Llama 3.1 and later), None where there is nothing."""
    stored = contents.tensors.get("rope_freqs.weight")
    return None if stored is None else stored.read(0, 1)[0]


def _common(data: _Metadata) -> dict[str, Any]:
    embeddings = data.contents.tensors.get("token_embd.weight")
    if embeddings is None or len(embeddings.tensor.shape) != 2:
        raise UserError(f"{data.base.path} has no token embeddings.", "Get the model again.")
    tokens = {name: data.contents.first.metadata.get(f"tokenizer.ggml.{key}_token_id") for name, key in _TOKENS.items()}
    vocabulary = embeddings.tensor.shape[1]
    common = {
        "vocab_size": vocabulary,
        "hidden_size": data.number("embedding_length"),
        "num_hidden_layers": data.number("block_count"),
        "num_attention_heads": data.heads,
        "max_position_embeddings": data.number("context_length"),
        "tie_word_embeddings": data.base.tied,
    }
    return common | {
        name: number if isinstance(number, int) and number < vocabulary else None for name, number in tokens.items()
    }


def _dense(data: _Metadata) -> dict[str, Any]:
    """The common config of most decoders: RMS norms, rotary positions, grouped keys and a gated feed-forward layer."""
    return {
        "intermediate_size": data.number("feed_forward_length"),
        "num_key_value_heads": data.number("attention.head_count_kv", data.heads),
        "rms_norm_eps": float(data.number("attention.layer_norm_rms_epsilon")),
        "head_dim": data.head_dim,
        "rope_parameters": _rope(data),
    }


def _rope(data: _Metadata) -> dict[str, Any]:
    found: dict[str, Any] = {
        "rope_type": "default",
        "rope_theta": float(data.number("rope.freq_base", 10_000.0)),
    }
    turned = data.number("rope.dimension_count", data.head_dim)
    if turned != data.head_dim:
        found["partial_rotary_factor"] = turned / data.head_dim
    scaling = data.find("rope.scaling.type")
    # before they were named, linear was the only one
    factor = float(data.number("rope.scaling.factor", data.number("rope.scale_linear", 1.0)))
    if scaling in (None, "linear") and factor not in (0.0, 1.0):
        found |= {"rope_type": "linear", "factor": factor}
    elif scaling == "yarn":
        original = data.number("rope.scaling.original_context_length", data.number("context_length"))
        found |= {"rope_type": "yarn", "factor": factor, "original_max_position_embeddings": original}
        found |= {
            name: float(data.number(f"rope.scaling.yarn_{name}"))
            for name in ("beta_fast", "beta_slow")
            if data.find(f"rope.scaling.yarn_{name}") is not None
        }
    elif scaling not in (None, "none", "linear", "longrope"):
        raise UserError(
            f"{data.base.path} stretches its positions by {scaling!r}, which is not supported.",
            "Choose another model.",
        )
    return found


def _llama(data: _Metadata) -> dict[str, Any]:
    _refuse_experts(data)
    return _dense(data) | {"attention_bias": data.has("blk.0.attn_q.bias"), "mlp_bias": data.has("blk.0.ffn_gate.bias")}


def _qwen2(data: _Metadata) -> dict[str, Any]:
    return _without(_dense(data), "head_dim")


def _qwen3(data: _Metadata) -> dict[str, Any]:
    return _dense(data) | {"attention_bias": data.has("blk.0.attn_q.bias")}


def _qwen3moe(data: _Metadata) -> dict[str, Any]:
    return _qwen3(data) | {
        "moe_intermediate_size": data.number("expert_feed_forward_length"),
        "num_experts": data.number("expert_count"),
        "num_experts_per_tok": data.number("expert_used_count"),
        "norm_topk_prob": True,
        "decoder_sparse_step": 1,
        "mlp_only_layers": [],
    }


def _qwen2moe(data: _Metadata) -> dict[str, Any]:
    return _qwen2(data) | {
        "moe_intermediate_size": data.number("expert_feed_forward_length"),
        "shared_expert_intermediate_size": data.number("expert_shared_feed_forward_length"),
        "num_experts": data.number("expert_count"),
        "num_experts_per_tok": data.number("expert_used_count"),
        "norm_topk_prob": False,
        "decoder_sparse_step": 1,
        "mlp_only_layers": [],
    }


def _gemma(data: _Metadata) -> dict[str, Any]:
    return _dense(data)


def _gemma2(data: _Metadata) -> dict[str, Any]:
    return _dense(data) | {
        "query_pre_attn_scalar": _scaled_by(data, _GEMMA2_LARGEST_LAYERS),
        "sliding_window": data.number("attention.sliding_window"),
        "attn_logit_softcapping": float(data.number("attn_logit_softcapping", 50.0)),
        "final_logit_softcapping": float(data.number("final_logit_softcapping", 30.0)),
    }


def _gemma3(data: _Metadata) -> dict[str, Any]:
    near = {"rope_type": "default", "rope_theta": float(data.number("rope.freq_base_swa", 10_000.0))}
    found = _dense(data) | {
        "query_pre_attn_scalar": _scaled_by(data, _GEMMA3_LARGEST_LAYERS),
        "sliding_window": data.number("attention.sliding_window"),
        "rope_parameters": {"full_attention": _rope(data), "sliding_attention": near},
    }
    cap = data.find("final_logit_softcapping")
    every = data.number("attention.sliding_window_pattern", 6)
    layers = range(int(data.number("block_count")))
    kinds = ["full_attention" if (layer + 1) % every == 0 else "sliding_attention" for layer in layers]
    return found | {"layer_types": kinds, "final_logit_softcapping": cap}


def _scaled_by(data: _Metadata, largest_layers: int) -> int:
    if data.number("block_count") == largest_layers:
        return int(data.number("embedding_length")) // data.heads
    return data.head_dim


def _phi3(data: _Metadata) -> dict[str, Any]:
    _refuse_experts(data)
    # llama.cpp computes all of phi3's layers without their sliding window (src/models/phi3.cpp)
    found = _without(_dense(data), "head_dim") | {"sliding_window": None}
    long, short = data.values("rope_factors_long.weight"), data.values("rope_factors_short.weight")
    if long is not None and short is not None:
        original = int(data.number("rope.scaling.original_context_length"))
        found["rope_parameters"] |= {
            "rope_type": "longrope",
            "long_factor": [float(value) for value in long],
            "short_factor": [float(value) for value in short],
            "original_max_position_embeddings": original,
        }
        if (attention := data.find("rope.scaling.attn_factor")) is not None:
            found["rope_parameters"]["attention_factor"] = float(attention)
        found["original_max_position_embeddings"] = original
    return found


def _granite(data: _Metadata) -> dict[str, Any]:
    _refuse_experts(data)
    return _without(_dense(data), "head_dim") | {
        "attention_bias": data.has("blk.0.attn_q.bias"),
        "embedding_multiplier": float(data.number("embedding_scale")),
        "residual_multiplier": float(data.number("residual_scale")),
        "attention_multiplier": float(data.number("attention.scale")),
        "logits_scaling": float(data.number("logit_scale")),
    }


def _smollm3(data: _Metadata) -> dict[str, Any]:
    layers = int(data.number("block_count"))
    without_rope = [int((layer + 1) % 4 != 0) for layer in range(layers)]  # 1: with positions
    return _without(_dense(data), "head_dim") | {
        "no_rope_layers": without_rope,
        "layer_types": ["full_attention"] * layers,
        "use_sliding_window": False,
        "attention_bias": data.has("blk.0.attn_q.bias"),
    }


def _olmo2(data: _Metadata) -> dict[str, Any]:
    if data.find("attention.sliding_window") is not None:
        raise UserError(
            f"{data.base.path} is an Olmo 3, whose sliding windows are not supported.", "Choose another model."
        )
    return _without(_dense(data), "head_dim")


def _arcee(data: _Metadata) -> dict[str, Any]:
    return _dense(data) | {"attention_bias": data.has("blk.0.attn_q.bias"), "mlp_bias": data.has("blk.0.ffn_up.bias")}


def _ernie(data: _Metadata) -> dict[str, Any]:
    return _dense(data) | {"use_bias": data.has("blk.0.attn_q.bias")}


def _seed_oss(data: _Metadata) -> dict[str, Any]:
    return _dense(data) | {
        "attention_bias": data.has("blk.0.attn_q.bias"),
        "attention_out_bias": data.has("blk.0.attn_output.bias"),
        "attention_dropout": 0.0,
        "residual_dropout": 0.0,
    }


def _with_biases(data: _Metadata) -> dict[str, Any]:
    return _dense(data) | {"attention_bias": data.has("blk.0.attn_q.bias")}


def _olmoe(data: _Metadata) -> dict[str, Any]:
    return _without(_dense(data), "head_dim") | {
        "num_experts": data.number("expert_count"),
        "num_experts_per_tok": data.number("expert_used_count"),
        "norm_topk_prob": False,
        "clip_qkv": data.find("attention.clamp_kqv"),
    }


def _layer_normed(data: _Metadata, eps: str) -> dict[str, Any]:
    """As ``_dense``, with layer norms, whose epsilon the config calls ``eps``."""
    return {
        "intermediate_size": data.number("feed_forward_length"),
        "num_key_value_heads": data.number("attention.head_count_kv", data.heads),
        eps: float(data.number("attention.layer_norm_epsilon")),
        "rope_parameters": _rope(data),
    }


def _phi2(data: _Metadata) -> dict[str, Any]:
    return _layer_normed(data, "layer_norm_eps")


def _stablelm(data: _Metadata) -> dict[str, Any]:
    return _layer_normed(data, "layer_norm_eps") | {
        "use_qkv_bias": data.has("blk.0.attn_q.bias"),
        "use_parallel_residual": not data.has("blk.0.ffn_norm.weight"),
    }


def _starcoder2(data: _Metadata) -> dict[str, Any]:
    return _layer_normed(data, "norm_epsilon") | {
        "use_bias": data.has("blk.0.attn_q.bias"),
        "sliding_window": None,  # llama.cpp knows none of it
        "attention_dropout": 0.0,
        "residual_dropout": 0.0,
        "embedding_dropout": 0.0,
    }


def _gpt2(data: _Metadata) -> dict[str, Any]:
    return {
        "n_inner": data.number("feed_forward_length"),
        "layer_norm_epsilon": float(data.number("attention.layer_norm_epsilon")),
        "activation_function": "gelu_new",
        "attn_pdrop": 0.0,
        "embd_pdrop": 0.0,
        "resid_pdrop": 0.0,
    }


_ARCHITECTURES: dict[str, tuple[str, Builder]] = {
    # mistral is llama in GGUF files, and llama.cpp knows no sliding window of it
    "llama": ("llama", _llama),
    "qwen2": ("qwen2", _qwen2),
    "qwen2moe": ("qwen2_moe", _qwen2moe),
    "qwen3": ("qwen3", _qwen3),
    "qwen3moe": ("qwen3_moe", _qwen3moe),
    "gemma": ("gemma", _gemma),
    "gemma2": ("gemma2", _gemma2),
    "gemma3": ("gemma3_text", _gemma3),
    "phi3": ("phi3", _phi3),
    "granite": ("granite", _granite),
    "smollm3": ("smollm3", _smollm3),
    "olmo2": ("olmo2", _olmo2),
    "gpt2": ("gpt2", _gpt2),
    "arcee": ("arcee", _arcee),
    "ernie4_5": ("ernie4_5", _ernie),
    "seed_oss": ("seed_oss", _seed_oss),
    "glm4": ("glm4", _with_biases),
    "hunyuan-dense": ("hunyuan_v1_dense", _with_biases),
    "olmoe": ("olmoe", _olmoe),
    "phi2": ("phi", _phi2),
    "stablelm": ("stablelm", _stablelm),
    "starcoder2": ("starcoder2", _starcoder2),
}


def _without(found: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in found.items() if name != key}


def _refuse_experts(data: _Metadata) -> None:
    if data.find("expert_count"):
        raise UserError(
            f"{data.base.path} is a mixture of experts of the architecture {data.architecture}, whose experts are "
            "not supported.",
            "Choose a model without experts, or the safetensors folder that it was made from.",
        )
