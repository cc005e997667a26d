"""The kinds of PEFT adapters that can be read: the tensors that each saves per layer, and its options.

An option that is not named here, and is set, is refused (``peft_folder``): it would change the computation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

PeftType = Literal["LORA", "DORA", "IA3", "LOHA", "LOKR", "VERA", "MISS", "OFT"]
"""PEFT's names; DoRA is its LoRA with an option."""

LOW_RANK: tuple[PeftType, ...] = ("LORA", "VERA", "MISS")
"""Their changes are a product of two thin matrices, which is what llama.cpp adds while it runs."""

WIDE_RANK = 128
"""From this rank on a GGUF LoRA is written in 16 bits: in 32 its file would outgrow small bases."""

_ALL = frozenset({
    "auto_mapping", "base_model_name_or_path", "bias", "exclude_modules", "inference_mode", "layers_pattern",
    "layers_to_transform", "modules_to_save", "peft_type", "peft_version", "revision", "runtime_config",
    "target_modules", "task_type",
})  # fmt: skip
_LYCORIS = frozenset({
    "alpha", "alpha_pattern", "init_weights", "module_dropout", "r", "rank_dropout", "rank_pattern",
    "use_effective_conv2d",
})  # fmt: skip


@dataclass(frozen=True)
class Kind:
    """``suffixes`` of the names in the file give the parts of a layer, of which it has one of the sets ``whole``;
    ``shared`` are parts that all layers have together. ``alpha`` is the option whose value over the rank scales a
    change, "" where nothing does."""

    method: PeftType
    name: str
    options: frozenset[str]
    suffixes: Mapping[str, str]
    whole: tuple[frozenset[str], ...]
    shared: Mapping[str, str] = field(default_factory=dict)
    alpha: str = ""


_LORA_OPTIONS = _ALL | {
    "alpha_pattern", "corda_config", "ensure_weight_tying", "eva_config", "fan_in_fan_out", "init_lora_weights",
    "loftq_config", "lora_alpha", "lora_dropout", "lora_ga_config", "megatron_core", "qalora_group_size", "r",
    "rank_pattern", "target_parameters", "trainable_token_indices", "use_dora", "use_rslora", "velora_config",
}  # fmt: skip
_LORA_PARTS = {
    ".lora_A.weight": "a",
    ".lora_B.weight": "b",
    ".lora_embedding_A": "embedding_a",
    ".lora_embedding_B": "embedding_b",
}

LORA = Kind(
    method="LORA",
    name="LoRA",
    options=_LORA_OPTIONS,
    suffixes=_LORA_PARTS,
    whole=(frozenset({"a", "b"}), frozenset({"embedding_a", "embedding_b"})),
    alpha="lora_alpha",
)
DORA = Kind(
    method="DORA",
    name="DoRA",
    options=_LORA_OPTIONS,
    suffixes=_LORA_PARTS | {".lora_magnitude_vector": "magnitude", ".lora_magnitude_vector.weight": "magnitude"},
    whole=(frozenset({"a", "b", "magnitude"}),),
    alpha="lora_alpha",
)
KINDS: dict[str, Kind] = {
    "LORA": LORA,
    "IA3": Kind(
        method="IA3",
        name="IA3",
        options=_ALL | {"fan_in_fan_out", "feedforward_modules", "init_ia3_weights"},
        suffixes={".ia3_l": "vector"},
        whole=(frozenset({"vector"}),),
    ),
    "LOHA": Kind(
        method="LOHA",
        name="LoHa",
        options=_ALL | _LYCORIS,
        suffixes={f".hada_w{n}_{half}": f"w{n}_{half}" for n in (1, 2) for half in "ab"},
        whole=(frozenset({"w1_a", "w1_b", "w2_a", "w2_b"}),),
        alpha="alpha",
    ),
    "LOKR": Kind(
        method="LOKR",
        name="LoKr",
        options=_ALL | _LYCORIS | {"decompose_both", "decompose_factor", "rank_dropout_scale"},
        suffixes={f".lokr_w{n}{half}": f"w{n}{half}" for n in (1, 2) for half in ("", "_a", "_b")},
        whole=tuple(
            frozenset({*first, *second})
            for first in (("w1",), ("w1_a", "w1_b"))
            for second in (("w2",), ("w2_a", "w2_b"))
        ),
        alpha="alpha",
    ),
    "VERA": Kind(
        method="VERA",
        name="VeRA",
        options=_ALL
        | {
            "d_initial", "fan_in_fan_out", "init_weights", "projection_prng_key", "r", "save_projection",
            "vera_dropout",
        },
        suffixes={".vera_lambda_b": "lambda_b", ".vera_lambda_d": "lambda_d"},
        whole=(frozenset({"lambda_b", "lambda_d"}),),
        shared={"base_model.vera_A": "a", "base_model.vera_B": "b"},
    ),
    "MISS": Kind(
        method="MISS",
        name="MiSS",
        options=_ALL | {"init_weights", "mini_r", "miss_dropout", "r"},
        suffixes={".miss_block": "block"},
        whole=(frozenset({"block"}),),
    ),
    "OFT": Kind(
        method="OFT",
        name="OFT",
        options=_ALL
        | {
            "block_share", "eps", "fan_in_fan_out", "init_weights", "module_dropout", "num_cayley_neumann_terms",
            "oft_block_size", "r", "use_cayley_neumann",
        },
        suffixes={".oft_R.weight": "rotation"},
        whole=(frozenset({"rotation"}),),
    ),
}  # fmt: skip


def name_of(method: PeftType) -> str:
    """The name of a kind in a sentence."""
    return next(kind.name for kind in (DORA, *KINDS.values()) if kind.method == method)


def is_low_rank(config: Mapping[str, object]) -> bool:
    """Whether a PEFT folder of this config becomes a GGUF LoRA; else it can only be merged."""
    kind = KINDS.get(str(config.get("peft_type", "")))
    return kind is not None and kind.method in LOW_RANK and not config.get("use_dora")
