"""Bytes of a context from a model's metadata: the cache of each layer, recurrent states, intermediate results.

Held against llama.cpp's own counts by ``benchmarks/fit.py``: caches and states are exact, intermediate results are
estimated upwards. They choose among settings, and stand in where llama.cpp cannot be asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workbench.engine.inference_calls import Load
from workbench.records.capabilities import ENCODER_DECODER
from workbench.records.models import ModelDetails

BATCH_TOKENS = 512
"""Maximum prompt tokens per batch."""

MANY_SEQUENCES, FEW_SEQUENCES = 32, 2
"""Sequences per context. With few, sliding-window layers keep their window only, but cells cannot be shared between
sequences (llama.cpp could not free them when they leave the window)."""

OUTPUTS = 32  # tokens per batch with logits
_BYTES_PER_VALUE = {"f16": 2.0, "f32": 4.0, "q8_0": 34 / 32}
# one layer in so many sees the whole context, the others a sliding window (llama.cpp's model definitions)
_FULL_ATTENTION_EVERY = {
    "gemma2": 2, "gemma3": 6, "gemma3n": 5, "gpt-oss": 2, "cohere2": 4, "exaone4": 4, "exaone-moe": 4, "olmo2": 4,
    "plamo3": 8, "afmoe": 4,
}  # fmt: skip
_FIXED_BYTES = 8 << 20


def cache_bytes(model: ModelDetails, context_tokens: int, kv_type: str, sequences: int = FEW_SEQUENCES) -> int:
    """Bytes of the cache of ``context_tokens`` tokens, recurrent states included. Missing metadata is estimated
    upwards."""
    return sum(layer_cache(model, layer, context_tokens, kv_type, sequences) for layer in range(model.layers))


def layer_cache(model: ModelDetails, layer: int, context_tokens: int, kv_type: str, sequences: int) -> int:
    """Bytes of one layer's cache or recurrent state."""
    state = _state_bytes(model, layer)
    cells = context_tokens
    if _slides(model.model.architecture, layer, model.metadata) and sequences <= FEW_SEQUENCES:
        window = _number(model, "attention.sliding_window", 0)
        cells = min(cells, -(-(window * sequences + BATCH_TOKENS) // 256) * 256)  # as llama_kv_cache_iswa rounds
    return state + int(cells * _values_per_token(model, layer) * _BYTES_PER_VALUE[kv_type])


def computing_bytes(model: ModelDetails, context_tokens: int, call: Load, sequences: int = MANY_SEQUENCES) -> int:
    """Bytes of one context's intermediate results on a device, estimated upwards: the widest moments of attention, of
    the feed-forward layers and of the recurrent state, the attention mask, and the logits."""
    width = model.embedding_length
    heads = max(1, _most(model, "attention.head_count"))
    keys, values = _head_sizes(model)
    per_token = 6 * width + heads * (2 * keys + values) + 3 * _feed_forward(model)
    inner, state = _number(model, "ssm.inner_size", 0), _number(model, "ssm.state_size", 0)
    if inner:
        per_token += 4 * inner + 4 * _number(model, "ssm.group_count", 1) * state
    off = call.flash_attention == "off"
    masks = 2 if slides(model) else 1
    cells = context_tokens if any(_values_per_token(model, layer) for layer in range(model.layers)) else 0
    scores = 4 * BATCH_TOKENS * cells * heads if off else 0
    mask = (4 if off else 2) * masks * BATCH_TOKENS * cells
    computing = 4 * BATCH_TOKENS * per_token + scores + mask + 4 * OUTPUTS * model.vocabulary + _FIXED_BYTES
    if inner:
        computing += 2 * _state_bytes(model, model.layers - 1)
    if is_encoder_decoder(model):
        # no flash attention beside position biases, and cross attention to an encoded text of the trained length
        trained, score = model.model.context_tokens, 4 * BATCH_TOKENS * heads
        own = context_tokens * (3 * score + 3 * 4 * BATCH_TOKENS) + 4 * trained * width
        cross = trained * (
            4 * heads * (keys + values) + 4 * 4 * BATCH_TOKENS + (score + 2 * 4 * BATCH_TOKENS if off else 0)
        )
        computing = 4 * BATCH_TOKENS * per_token + 4 * OUTPUTS * model.vocabulary + _FIXED_BYTES + max(own, cross)
    return computing


def is_encoder_decoder(model: ModelDetails) -> bool:
    return model.model.architecture in ENCODER_DECODER


def slides(model: ModelDetails) -> bool:
    """Whether some layers have a sliding window."""
    return any(windowed_layers(model))


def windowed_layers(model: ModelDetails) -> tuple[bool, ...]:
    """For each layer, whether it has a sliding window."""
    return find_windows(model.model.architecture, model.layers, model.metadata)


def find_windows(architecture: str, layers: int, metadata: Mapping[str, Any]) -> tuple[bool, ...]:
    """``windowed_layers`` from a GGUF file's metadata."""
    return tuple(_slides(architecture, layer, metadata) for layer in range(layers))


def _slides(architecture: str, layer: int, metadata: Mapping[str, Any]) -> bool:
    if not metadata.get(f"{architecture}.attention.sliding_window", 0):
        return False
    pattern = metadata.get(f"{architecture}.attention.sliding_window_pattern")
    if isinstance(pattern, list):
        return layer < len(pattern) and bool(pattern[layer])
    every = _FULL_ATTENTION_EVERY.get(architecture, 1)
    if isinstance(pattern, int) and every > 1:
        every = pattern
    return every > 1 and (layer + 1) % every != 0


def _values_per_token(model: ModelDetails, layer: int) -> int:
    heads = _number(model, "attention.head_count", 0 if _is_recurrent(model) else 1, layer)
    kv_heads = _number(model, "attention.head_count_kv", heads, layer)
    if _number(model, "attention.key_length_mla", 0):
        # multi-head latent attention: one compressed key is stored, and the value is a part of it
        return kv_heads * _number(model, "attention.key_length", 0)
    keys, values = _head_sizes(model)
    return kv_heads * (keys + values)


def _state_bytes(model: ModelDetails, layer: int) -> int:
    """Bytes of a recurrent layer's state of one sequence, which is F32: the window of the convolution, and the state
    (Mamba; Gu and Dao 2023, arXiv:2312.00752). In hybrid models the layers with attention have none."""
    inner, state = _number(model, "ssm.inner_size", 0), _number(model, "ssm.state_size", 0)
    if not inner or (not _is_recurrent(model) and _number(model, "attention.head_count_kv", 0, layer)):
        return 0
    groups = _number(model, "ssm.group_count", 0)
    window = max(0, _number(model, "ssm.conv_kernel", 1) - 1)
    return 4 * (window * (inner + 2 * groups * state) + state * inner)


def _is_recurrent(model: ModelDetails) -> bool:
    """Whether no layer has attention."""
    return model.model.architecture in ("mamba", "mamba2")


def _head_sizes(model: ModelDetails) -> tuple[int, int]:
    heads = _most(model, "attention.head_count")
    size = model.embedding_length // max(1, heads)
    return _number(model, "attention.key_length", size), _number(model, "attention.value_length", size)


def _feed_forward(model: ModelDetails) -> int:
    """Values of a token's widest feed-forward layer: the dense one, or all experts that a token uses."""
    dense = _most(model, "feed_forward_length", 4 * model.embedding_length)
    expert = _number(model, "expert_feed_forward_length", 0)
    used = _number(model, "expert_used_count", 0) + _number(model, "expert_shared_count", 0)
    return max(dense, used * (expert or dense) if used else 0)


def _most(model: ModelDetails, key: str, default: int = 1) -> int:
    """The largest of a number that may differ from layer to layer."""
    value = model.metadata.get(f"{model.model.architecture}.{key}", default)
    if isinstance(value, list):
        return max((one for one in value if isinstance(one, int)), default=default)
    return value if isinstance(value, int) and value >= 0 else default


def _number(model: ModelDetails, key: str, default: int, layer: int = 0) -> int:
    """A number of the model's metadata; some models have one per layer."""
    value = model.metadata.get(f"{model.model.architecture}.{key}", default)
    if isinstance(value, list):
        value = value[min(layer, len(value) - 1)] if value else default
    return value if isinstance(value, int) and value >= 0 else default
