"""The row order of each architecture's weights in llama.cpp, compared with transformers.

Most architectures keep them as they are. Where llama.cpp turns neighbouring pairs of a head (RoPE as in the paper,
https://arxiv.org/abs/2104.09864) and transformers turns the two halves, its converter interleaves the rows of queries
and keys; where transformers keeps queries, keys and values of a head together, it takes them apart. An architecture
that is not listed is refused: a wrong order gives an adapter that loads, runs and answers nonsense. After llama.cpp's
``conversion`` package of November 2026, whose own converter the results were compared with (docs/finetuning.md).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Order = NDArray[np.intp]
"""``weights[order]`` are rows in llama.cpp's order, of ``weights`` in transformers'."""

_LAYER = re.compile(r"blk\.(\d+)\.(attn_q|attn_k|attn_qkv)\.(?:weight|bias)")


@dataclass(frozen=True)
class Family:
    """An architecture's orders: ``orders[stem](rows, heads, kv_heads)`` for the tensors that are not kept as they are.

    ``model_types`` are the names in a transformers config that are converted to this architecture; ``packed_experts``
    says that transformers packs experts as (experts, out, in), the gate's rows before up's. ``norm_offset`` is what
    llama.cpp's weights of norms are more than transformers'. ``new_biases`` are the layers (by llama.cpp's names) that
    llama.cpp computes with a bias wherever a file holds one, also where the model came without.
    """

    model_types: tuple[str, ...]
    orders: dict[str, Callable[[int, int, int], Order]]
    packed_experts: bool = False
    norm_offset: float = 0.0
    new_biases: tuple[str, ...] = ()


def _interleave(rows: int, heads: int) -> Order:
    return np.arange(rows).reshape(heads, 2, rows // heads // 2).swapaxes(1, 2).reshape(rows)


def _queries(rows: int, heads: int, _kv_heads: int) -> Order:
    return _interleave(rows, heads)


def _keys(rows: int, _heads: int, kv_heads: int) -> Order:
    return _interleave(rows, kv_heads)


def _by_head(rows: int, heads: int, _kv_heads: int) -> Order:
    """From (q, k, v) of one head after the other to all q, all k, all v."""
    return np.arange(rows).reshape(heads, 3, rows // heads // 3).swapaxes(0, 1).reshape(rows)


def _by_group(rows: int, heads: int, kv_heads: int) -> Order:
    """From (queries of the group, k, v) of one group after the other to all q, all k, all v."""
    each = heads // kv_heads + 2
    grouped = np.arange(rows).reshape(kv_heads, each, rows // kv_heads // each)
    return np.concatenate([grouped[:, :-2].reshape(-1), grouped[:, -2].reshape(-1), grouped[:, -1].reshape(-1)])


_READING = ("attn_q", "attn_k", "attn_v", "attn_qkv")
_ALL_LINEAR = (*_READING, "attn_output", "ffn_gate", "ffn_up", "ffn_down")


def _turned(*model_types: str, biases: tuple[str, ...] = _READING) -> Family:
    return Family(model_types, {"attn_q": _queries, "attn_k": _keys}, new_biases=biases)


def _kept(
    *model_types: str, packed_experts: bool = False, norm_offset: float = 0.0, biases: tuple[str, ...] = _READING
) -> Family:
    return Family(model_types, {}, packed_experts, norm_offset, biases)


FAMILIES: dict[str, Family] = {
    "arcee": _turned("arcee"),
    "deci": _turned(biases=_ALL_LINEAR),
    "granite": _turned("granite", biases=_ALL_LINEAR),
    "granitemoe": _turned("granitemoe", biases=()),
    "llama": _turned("llama", "mistral", "mixtral", biases=_ALL_LINEAR),
    "minicpm": _turned(biases=()),
    "mistral3": _turned("ministral3", biases=_ALL_LINEAR),
    "olmo": _turned("olmo"),
    "smollm3": _turned("smollm3"),
    "xverse": _turned(),
    "apertus": _kept("apertus"),
    "chatglm": _kept("glm"),
    "cohere2": _kept("cohere2"),
    "command-r": _kept("cohere"),
    "ernie4_5": _kept("ernie4_5"),
    "exaone": _kept(),
    "exaone4": _kept("exaone4"),
    "gemma": _kept("gemma", norm_offset=1.0),
    "gemma2": _kept("gemma2", norm_offset=1.0),
    "gemma3": _kept("gemma3", "gemma3_text", norm_offset=1.0),
    "glm4": _kept("glm4"),
    "gpt-oss": _kept("gpt_oss"),
    "gpt2": _kept("gpt2", biases=()),
    "hunyuan-dense": _kept("hunyuan_v1_dense", biases=()),
    "lfm2": _kept("lfm2"),
    "nemotron": _kept("nemotron", norm_offset=1.0),
    "olmo2": _kept("olmo2", "olmo3"),
    "olmoe": _kept("olmoe", packed_experts=True),
    "phi2": _kept("phi"),
    "phi3": _kept("phi3"),
    "qwen2": _kept("qwen2"),
    "qwen2moe": _kept("qwen2_moe", packed_experts=True),
    "qwen3": _kept("qwen3"),
    "qwen3moe": _kept("qwen3_moe", packed_experts=True),
    "seed_oss": _kept("seed_oss"),
    "stablelm": _kept("stablelm"),
    "starcoder": _kept("gpt_bigcode", biases=()),
    "starcoder2": _kept("starcoder2"),
    "bloom": Family(("bloom",), {"attn_qkv": _by_head}),
    "falcon": Family(("falcon",), {"attn_qkv": _by_group}),
    "gptneox": Family(("gpt_neox",), {"attn_qkv": _by_head}),
}


def architecture_of(model_type: str) -> str | None:
    """llama.cpp's name of what transformers calls ``model_type``."""
    return next((name for name, family in FAMILIES.items() if model_type in family.model_types), None)


def new_biases(architecture: str) -> tuple[str, ...]:
    """The layers that may be given a bias which the model came without, as transformers calls their last part."""
    names = {
        "attn_q": "q_proj", "attn_k": "k_proj", "attn_v": "v_proj", "attn_qkv": "qkv_proj", "attn_output": "o_proj",
        "ffn_gate": "gate_proj", "ffn_up": "up_proj", "ffn_down": "down_proj",
    }  # fmt: skip
    return tuple(names[stem] for stem in FAMILIES[architecture].new_biases)


def row_order(architecture: str, tensor: str, rows: int, heads: int, kv_heads: int) -> Order | None:
    """The order of a tensor's rows, None when it is transformers'. ``heads`` and ``kv_heads`` are those of its layer.

    Raises ValueError when the rows are not those of so many heads, KeyError for an architecture that is not known.
    """
    family = FAMILIES[architecture]
    match = _LAYER.fullmatch(tensor)
    order = family.orders.get(match[2]) if match else None
    return order(rows, heads, kv_heads) if order else None


def layer_of(tensor: str) -> int | None:
    """The number of the layer whose attention a tensor of ``row_order`` belongs to, None for another tensor."""
    match = _LAYER.fullmatch(tensor)
    return int(match[1]) if match else None
