"""Models of real shapes without weights: a GGUF header, and a sparse file behind it that reads as zeros.

llama.cpp loads them as it loads others and computes nothing sensible; their memory is what a real model of that shape
takes.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import gguf
import numpy as np

from workbench.gguf.reader import padded

Shapes = Iterator[tuple[str, tuple[int, ...]]]
"""Names of tensors with their shapes in ggml's order, the contiguous dimension first."""

FAMILIES = ("llama", "gemma3", "qwen3moe", "deepseek2", "mamba2", "t5")
WIDTH, HEADS, KV_HEADS, HEAD, INNER = 1024, 16, 4, 64, 2816
EXPERTS, EXPERTS_USED, EXPERT_INNER = 16, 4, 512
Q_RANK, KV_RANK, ROPE, NOPE, VALUE = 384, 256, 64, 128, 128
CONV, STATE, GROUPS, SSM_HEADS = 4, 128, 1, 32
SSM_INNER = 2 * WIDTH
WINDOW = 512


def write_synthetic(
    path: Path,
    family: str,
    *,
    layers: int = 6,
    vocabulary: int = 32_000,
    context: int = 32_768,
    matrices: gguf.GGMLQuantizationType = gguf.GGMLQuantizationType.Q8_0,
) -> Path:
    """Write a model of a family; its matrices have the type ``matrices``, everything else is F32."""
    writer = gguf.GGUFWriter(path, family)
    writer.add_name(f"Synthetic {family}")
    writer.add_context_length(context)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(layers)
    writer.add_vocab_size(vocabulary)
    writer.add_file_type(7)
    _FAMILY[family](writer)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_array("tokenizer.ggml.tokens", [f"<{number}>" for number in range(vocabulary)])
    writer.add_array("tokenizer.ggml.token_type", [1] * vocabulary)
    writer.add_array("tokenizer.ggml.merges", ["< 1"])
    writer.add_bos_token_id(0)
    writer.add_eos_token_id(1)
    weights = 0
    for name, shape in itertools.chain(_ends(family, vocabulary), _layers(family, layers)):
        kind = gguf.GGMLQuantizationType.F32 if _is_plain(name, shape) else matrices
        block, size = gguf.GGML_QUANT_SIZES[kind]
        count = 1
        for length in shape:
            count *= length
        taken = count // block * size
        writer.add_tensor_info(name, tuple(reversed(shape)), np.dtype(np.float32), taken, raw_dtype=kind)
        weights += padded(taken, 32)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    writer.close()
    with path.open("r+b") as opened:
        opened.truncate(padded(path.stat().st_size, 32) + weights)
    return path


def _is_plain(name: str, shape: tuple[int, ...]) -> bool:
    small = "norm" in name or "ssm_conv1d" in name or "ffn_gate_inp" in name
    return len(shape) < 2 or small or name.endswith(("ssm_a", "ssm_d", "rel_b.weight"))


def _ends(family: str, vocabulary: int) -> Shapes:
    yield "token_embd.weight", (WIDTH, vocabulary)
    if family == "t5":
        yield "enc.output_norm.weight", (WIDTH,)
        yield "dec.output_norm.weight", (WIDTH,)
    else:
        yield "output_norm.weight", (WIDTH,)
    if family != "gemma3":
        yield "output.weight", (WIDTH, vocabulary)


def _layers(family: str, layers: int) -> Shapes:
    for layer in range(layers):
        if family == "t5":
            yield from _t5_layer(layer)
            continue
        for name, shape in _LAYER[family](layer):
            yield f"blk.{layer}.{name}", shape


def _attention(layer: int) -> Shapes:
    yield "attn_norm.weight", (WIDTH,)
    yield "attn_q.weight", (WIDTH, HEADS * HEAD)
    yield "attn_k.weight", (WIDTH, KV_HEADS * HEAD)
    yield "attn_v.weight", (WIDTH, KV_HEADS * HEAD)
    yield "attn_output.weight", (HEADS * HEAD, WIDTH)
    yield "ffn_norm.weight", (WIDTH,)


def _dense() -> Shapes:
    yield "ffn_gate.weight", (WIDTH, INNER)
    yield "ffn_up.weight", (WIDTH, INNER)
    yield "ffn_down.weight", (INNER, WIDTH)


def _mixture() -> Shapes:
    yield "ffn_gate_inp.weight", (WIDTH, EXPERTS)
    yield "ffn_gate_exps.weight", (WIDTH, EXPERT_INNER, EXPERTS)
    yield "ffn_up_exps.weight", (WIDTH, EXPERT_INNER, EXPERTS)
    yield "ffn_down_exps.weight", (EXPERT_INNER, WIDTH, EXPERTS)


def _llama_layer(layer: int) -> Shapes:
    yield from _attention(layer)
    yield from _dense()


def _gemma3_layer(layer: int) -> Shapes:
    yield from _attention(layer)
    yield "attn_q_norm.weight", (HEAD,)
    yield "attn_k_norm.weight", (HEAD,)
    yield "post_attention_norm.weight", (WIDTH,)
    yield "post_ffw_norm.weight", (WIDTH,)
    yield from _dense()


def _qwen3moe_layer(layer: int) -> Shapes:
    yield from _attention(layer)
    yield "attn_q_norm.weight", (HEAD,)
    yield "attn_k_norm.weight", (HEAD,)
    yield from _mixture()


def _deepseek2_layer(layer: int) -> Shapes:
    yield "attn_norm.weight", (WIDTH,)
    yield "attn_q_a.weight", (WIDTH, Q_RANK)
    yield "attn_q_a_norm.weight", (Q_RANK,)
    yield "attn_q_b.weight", (Q_RANK, HEADS * (NOPE + ROPE))
    yield "attn_kv_a_mqa.weight", (WIDTH, KV_RANK + ROPE)
    yield "attn_kv_a_norm.weight", (KV_RANK,)
    yield "attn_k_b.weight", (NOPE, KV_RANK, HEADS)
    yield "attn_v_b.weight", (KV_RANK, VALUE, HEADS)
    yield "attn_output.weight", (HEADS * VALUE, WIDTH)
    yield "ffn_norm.weight", (WIDTH,)
    if layer == 0:
        yield from _dense()
        return
    yield from _mixture()
    yield "ffn_gate_shexp.weight", (WIDTH, EXPERT_INNER)
    yield "ffn_up_shexp.weight", (WIDTH, EXPERT_INNER)
    yield "ffn_down_shexp.weight", (EXPERT_INNER, WIDTH)


def _mamba2_layer(layer: int) -> Shapes:
    channels = SSM_INNER + 2 * GROUPS * STATE
    yield "attn_norm.weight", (WIDTH,)
    yield "ssm_in.weight", (WIDTH, 2 * SSM_INNER + 2 * GROUPS * STATE + SSM_HEADS)
    yield "ssm_conv1d.weight", (CONV, channels)
    yield "ssm_conv1d.bias", (channels,)
    yield "ssm_dt.bias", (SSM_HEADS,)
    yield "ssm_a", (1, SSM_HEADS)
    yield "ssm_d", (1, SSM_HEADS)
    yield "ssm_norm.weight", (SSM_INNER // GROUPS, GROUPS)
    yield "ssm_out.weight", (SSM_INNER, WIDTH)


def _t5_layer(layer: int) -> Shapes:
    for side in ("enc", "dec"):
        parts = ("attn",) if side == "enc" else ("attn", "cross_attn")
        for part in parts:
            yield f"{side}.blk.{layer}.{part}_norm.weight", (WIDTH,)
            for which in "qkv":
                yield f"{side}.blk.{layer}.{part}_{which}.weight", (WIDTH, HEADS * HEAD)
            yield f"{side}.blk.{layer}.{part}_o.weight", (HEADS * HEAD, WIDTH)
        if layer == 0:
            yield f"{side}.blk.{layer}.attn_rel_b.weight", (HEADS, 32)
        yield f"{side}.blk.{layer}.ffn_norm.weight", (WIDTH,)
        yield f"{side}.blk.{layer}.ffn_up.weight", (WIDTH, INNER)
        yield f"{side}.blk.{layer}.ffn_down.weight", (INNER, WIDTH)


def _plain(writer: gguf.GGUFWriter) -> None:
    writer.add_feed_forward_length(INNER)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KV_HEADS)
    writer.add_key_length(HEAD)
    writer.add_value_length(HEAD)
    writer.add_rope_dimension_count(HEAD)
    writer.add_layer_norm_rms_eps(1e-6)


def _gemma3(writer: gguf.GGUFWriter) -> None:
    _plain(writer)
    writer.add_sliding_window(WINDOW)
    writer.add_rope_freq_base(1_000_000.0)


def _qwen3moe(writer: gguf.GGUFWriter) -> None:
    _plain(writer)
    writer.add_expert_count(EXPERTS)
    writer.add_expert_used_count(EXPERTS_USED)
    writer.add_expert_feed_forward_length(EXPERT_INNER)


def _deepseek2(writer: gguf.GGUFWriter) -> None:
    writer.add_feed_forward_length(INNER)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(1)
    writer.add_key_length(KV_RANK + ROPE)
    writer.add_value_length(KV_RANK)
    writer.add_key_length_mla(NOPE + ROPE)
    writer.add_value_length_mla(VALUE)
    writer.add_q_lora_rank(Q_RANK)
    writer.add_kv_lora_rank(KV_RANK)
    writer.add_rope_dimension_count(ROPE)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_leading_dense_block_count(1)
    writer.add_expert_count(EXPERTS)
    writer.add_expert_used_count(EXPERTS_USED)
    writer.add_expert_shared_count(1)
    writer.add_expert_feed_forward_length(EXPERT_INNER)
    writer.add_expert_weights_scale(1.0)
    writer.add_expert_gating_func(gguf.ExpertGatingFuncType.SOFTMAX)


def _mamba2(writer: gguf.GGUFWriter) -> None:
    writer.add_feed_forward_length(0)
    writer.add_head_count(0)
    writer.add_ssm_conv_kernel(CONV)
    writer.add_ssm_inner_size(SSM_INNER)
    writer.add_ssm_state_size(STATE)
    writer.add_ssm_time_step_rank(SSM_HEADS)
    writer.add_ssm_group_count(GROUPS)
    writer.add_layer_norm_rms_eps(1e-6)


def _t5(writer: gguf.GGUFWriter) -> None:
    writer.add_feed_forward_length(INNER)
    writer.add_head_count(HEADS)
    writer.add_key_length(HEAD)
    writer.add_value_length(HEAD)
    writer.add_relative_attn_buckets_count(32)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_decoder_start_token_id(0)


_FAMILY = {
    "llama": _plain, "gemma3": _gemma3, "qwen3moe": _qwen3moe, "deepseek2": _deepseek2, "mamba2": _mamba2, "t5": _t5,
}  # fmt: skip
_LAYER = {
    "llama": _llama_layer, "gemma3": _gemma3_layer, "qwen3moe": _qwen3moe_layer, "deepseek2": _deepseek2_layer,
    "mamba2": _mamba2_layer,
}  # fmt: skip
