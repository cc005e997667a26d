"""The kinds of PEFT adapters that can be read: the tensors that each saves per layer, and its options.

An option that is not named here, and is set, is refused (``peft_folder``): it would change the computation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from workbench.records.methods import WITHDRAWN

PeftType = Literal["LORA", "DORA", "IA3"]
"""PEFT's names; DoRA is its LoRA with an option."""

WIDE_RANK = 128
"""From this rank on a GGUF LoRA is written in 16 bits: in 32 its file would outgrow small bases."""

_ALL = frozenset({
    "auto_mapping", "base_model_name_or_path", "bias", "exclude_modules", "inference_mode", "layers_pattern",
    "layers_to_transform", "modules_to_save", "peft_type", "peft_version", "revision", "runtime_config",
    "target_modules", "task_type",
})  # fmt: skip


@dataclass(frozen=True)
class Kind:
    """``suffixes`` of the names in the file give the parts of a layer, of which it has one of the sets ``whole``."""

    method: PeftType
    name: str
    options: frozenset[str]
    suffixes: Mapping[str, str]
    whole: tuple[frozenset[str], ...]


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
)
DORA = Kind(
    method="DORA",
    name="DoRA",
    options=_LORA_OPTIONS,
    suffixes=_LORA_PARTS | {".lora_magnitude_vector": "magnitude", ".lora_magnitude_vector.weight": "magnitude"},
    whole=(frozenset({"a", "b", "magnitude"}),),
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
}


def withdrawn_kind(config: Mapping[str, object]) -> str:
    """The name of a kind that only earlier versions could convert, "" for all others."""
    return WITHDRAWN["weights"].get(str(config.get("peft_type", "")).lower(), "")


def name_of(method: PeftType) -> str:
    """The name of a kind in a sentence."""
    return next(kind.name for kind in (DORA, *KINDS.values()) if kind.method == method)


def is_low_rank(config: Mapping[str, object]) -> bool:
    """Whether a PEFT folder of this config becomes a GGUF LoRA; else it can only be merged."""
    return config.get("peft_type") == "LORA" and not config.get("use_dora")
