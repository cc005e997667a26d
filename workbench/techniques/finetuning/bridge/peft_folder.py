"""A folder as PEFT saves it: ``adapter_config.json`` and ``adapter_model.safetensors``, read without torch or PEFT.

What changes the computation and is not known here is refused: an adapter that is carried over without it would answer
wrongly and nobody would see why. LoRA: https://arxiv.org/abs/2106.09685, rsLoRA: https://arxiv.org/abs/2312.03732,
DoRA: https://arxiv.org/abs/2402.09353, IA3: https://arxiv.org/abs/2205.05638.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from workbench.errors import UserError
from workbench.techniques.finetuning.bridge.safetensors_file import Floats, SafetensorsFile

CONFIG, WEIGHTS, PICKLE = "adapter_config.json", "adapter_model.safetensors", "adapter_model.bin"
MAX_CONFIG_BYTES = 16 * 1024 * 1024

Method = Literal["lora", "dora", "ia3"]

_PREFIX = "base_model.model."
_PARTS = {
    ".lora_A.weight": "a",
    ".lora_B.weight": "b",
    ".lora_embedding_A": "embedding_a",
    ".lora_embedding_B": "embedding_b",
    ".lora_magnitude_vector": "magnitude",
    ".lora_magnitude_vector.weight": "magnitude",
    ".ia3_l": "ia3",
}
_UNCHANGED = ".base_layer.weight"  # PEFT saves embeddings whole beside their LoRA, though they are frozen
_EXPERTS = re.compile(r"\.experts(\.base_layer)?$")
_REPLACED_BASE = ("pissa", "olora", "corda", "loftq", "lora_ga")
_HARMLESS = frozenset({
    "alpha_pattern", "auto_mapping", "base_model_name_or_path", "bias", "corda_config", "ensure_weight_tying",
    "eva_config", "exclude_modules", "fan_in_fan_out", "feedforward_modules", "inference_mode", "init_ia3_weights",
    "init_lora_weights", "layers_pattern", "layers_to_transform", "loftq_config", "lora_alpha", "lora_dropout",
    "lora_ga_config", "megatron_core", "modules_to_save", "peft_type", "peft_version",
    "qalora_group_size", "r", "rank_pattern", "revision", "runtime_config", "target_modules",
    "target_parameters", "task_type", "trainable_token_indices", "use_dora", "use_rslora", "velora_config",
})  # fmt: skip
_SAVED_HINT = "Save the adapter again with PEFT's save_pretrained."


@dataclass(frozen=True)
class Module:
    """What an adapter does to one layer. ``parts`` maps "a", "b", "embedding_a", "embedding_b", "magnitude" and "ia3"
    to names in the file; ``scaling`` multiplies B·A (alpha / rank, or alpha / sqrt(rank) for rsLoRA).

    ``experts`` is above 0 where the halves are those of so many experts (see ``experts``); of gate and up in one,
    ``half`` is 0 for the gate's rows of B and 1 for up's."""

    name: str
    parts: Mapping[str, str]
    rank: int
    scaling: float
    experts: int = 0
    half: int | None = None


@dataclass(frozen=True)
class PeftAdapter:
    """A PEFT folder. ``alpha`` is the config's; single layers may have another one, which ``Module.scaling`` holds."""

    folder: Path
    method: Method
    base_name: str
    alpha: float
    modules: tuple[Module, ...]
    weights: SafetensorsFile

    @property
    def name(self) -> str:
        return self.folder.name

    def read(self, module: Module, part: str) -> Floats:
        return self.weights.read(module.parts[part])

    def sha256(self) -> str:
        """Of the weights and the config, in this order."""
        return folder_sha256(self.folder)


def read_peft_folder(folder: Path) -> PeftAdapter:
    """Read what PEFT's ``save_pretrained`` wrote; weights are read later, layer by layer.

    Raises UserError with the reason: files missing, a pickle, damaged, a method or an option that cannot be carried
    over, layers saved whole, half a pair.
    """
    config = read_config(folder)
    weights = open_weights(folder)
    method = _method(folder, config)
    _check_options(folder, config, method)
    found = _group(folder, weights)
    if not found:
        raise UserError(f"The adapter in {folder} changes nothing: it holds no weights.", _SAVED_HINT)
    packed = {name: found.pop(name) for name in list(found) if _EXPERTS.search(name)}
    modules = tuple(_module(folder, name, parts, weights, config, method) for name, parts in found.items())
    modules += _experts(folder, packed, weights, config)
    return PeftAdapter(
        folder=folder,
        method=method,
        base_name=str(config.get("base_model_name_or_path") or ""),
        alpha=_number(folder, config, "lora_alpha", 8.0),
        modules=modules,
        weights=weights,
    )


def folder_sha256(folder: Path, files: Sequence[str] = (WEIGHTS, CONFIG)) -> str:
    """Of a folder's files, in this order: those of a PEFT folder, or others."""
    digest = hashlib.sha256()
    for file in files:
        with (folder / file).open("rb") as reading:
            while block := reading.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


def read_config(folder: Path) -> dict[str, Any]:
    """A PEFT folder's config. Raises UserError when there is none or it is damaged."""
    path = folder / CONFIG
    try:
        if path.stat().st_size > MAX_CONFIG_BYTES:
            raise UserError(f"{path} is {path.stat().st_size:,} bytes long, which no adapter's config is.", _SAVED_HINT)
        config = json.loads(path.read_text("utf-8"))
    except FileNotFoundError as error:
        raise UserError(
            f"{folder} is not a PEFT adapter: it has no {CONFIG}.", "Choose the folder that PEFT saved."
        ) from error
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror or error}.") from error
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path} is damaged: {error}.", _SAVED_HINT) from error
    if not isinstance(config, dict):
        raise UserError(f"{path} is damaged: it is not an object.", _SAVED_HINT)
    return config


def open_weights(folder: Path) -> SafetensorsFile:
    """A PEFT folder's weights. Raises UserError when there are none, or a pickle."""
    path = folder / WEIGHTS
    if path.is_file():
        return SafetensorsFile(path)
    if (folder / PICKLE).is_file():
        raise UserError(
            f"The adapter in {folder} is a Python pickle ({PICKLE}), which can run code when it is read.",
            "Save it as safetensors (save_pretrained with safe_serialization=True).",
        )
    raise UserError(f"The adapter in {folder} has no {WEIGHTS}.", _SAVED_HINT)


def _method(folder: Path, config: Mapping[str, Any]) -> Method:
    kind = str(config.get("peft_type", ""))
    if kind == "LORA":
        return "dora" if config.get("use_dora") else "lora"
    if kind == "IA3":
        return "ia3"
    raise UserError(
        f"The adapter in {folder} is of the kind {kind or 'unknown'}, which changes no weights as LoRA, DoRA and IA3 "
        "do.",
        "Train with one of these.",
    )


def _check_options(folder: Path, config: Mapping[str, Any], method: Method) -> None:
    if saved := config.get("modules_to_save"):
        raise UserError(
            f"The adapter in {folder} holds whole layers ({_listed(saved)}), which a LoRA for llama.cpp cannot.",
            "Train without modules_to_save.",
        )
    if config.get("trainable_token_indices"):
        raise UserError(
            f"The adapter in {folder} holds embeddings of single tokens, which a LoRA for llama.cpp cannot.",
            "Train without trainable_token_indices.",
        )
    if (bias := config.get("bias", "none")) not in ("none", None):
        raise UserError(
            f"The adapter in {folder} has trained biases (bias={bias!r}), which a LoRA for llama.cpp cannot hold.",
            'Train with bias="none".',
        )
    start = str(config.get("init_lora_weights", True)).lower()
    if method != "ia3" and start.startswith(_REPLACED_BASE):
        raise UserError(
            f"The adapter in {folder} began as {start}, which changes the base model as well; alone it does not fit "
            "the base.",
            "Save it with path_initial_model_for_weight_conversion, which makes a plain LoRA of it.",
        )
    for option, value in config.items():
        if value and option not in _HARMLESS:
            raise UserError(
                f"The adapter in {folder} uses {option}, which cannot be carried over to llama.cpp.",
                f"Train without {option}.",
            )


def _group(folder: Path, weights: SafetensorsFile) -> dict[str, dict[str, str]]:
    """The names of the file by layer and part."""
    found: dict[str, dict[str, str]] = {}
    for name in sorted(weights.names(), key=_natural):
        if name.endswith(_UNCHANGED):
            continue
        suffix = next((suffix for suffix in _PARTS if name.endswith(suffix)), None)
        if suffix is None:
            raise UserError(
                f"The adapter in {folder} holds {name!r}, which is not part of a LoRA, DoRA or IA3: whole layers, "
                "norms and biases cannot be carried over.",
                "Train without modules_to_save and biases.",
            )
        layer = name.removesuffix(suffix).removeprefix(_PREFIX)
        found.setdefault(layer, {})[_PARTS[suffix]] = name
    return found


def _natural(name: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in name.split(".")]


def _module(
    folder: Path, name: str, parts: Mapping[str, str], weights: SafetensorsFile, config: Mapping[str, Any], method: str
) -> Module:
    expected = {"ia3": [{"ia3"}], "dora": [{"a", "b", "magnitude"}]}.get(
        method, [{"a", "b"}, {"embedding_a", "embedding_b"}]
    )
    if set(parts) not in expected:
        has = ", ".join(sorted(parts))
        raise UserError(f"The adapter in {folder} has of {name!r} only {has}: parts are missing.", _SAVED_HINT)
    if method == "ia3":
        return Module(name, parts, rank=0, scaling=1.0)
    first, second = ("embedding_a", "embedding_b") if "embedding_a" in parts else ("a", "b")
    a, b = weights.shape(parts[first]), weights.shape(parts[second])
    if len(a) != 2 or len(b) != 2:
        raise UserError(
            f"The adapter in {folder} changes {name!r}, which is no linear layer.", "Train linear layers only."
        )
    if a[0] != b[1] or a[0] < 1:
        raise UserError(f"The halves of {name!r} in {folder} are of the ranks {a[0]} and {b[1]}.", _SAVED_HINT)
    rank = a[0]
    said, alpha = _rank_and_alpha(folder, config, _parameter(config, name))
    if said != rank:
        raise UserError(
            f"The config in {folder} says rank {said:g} for {name!r}, and its weights are of rank {rank}.", _SAVED_HINT
        )
    return Module(name, parts, rank, _scaling(config, alpha, rank))


def _experts(
    folder: Path, packed: Mapping[str, Mapping[str, str]], weights: SafetensorsFile, config: Mapping[str, Any]
) -> tuple[Module, ...]:
    """The LoRAs on the packed experts of a mixture: PEFT's ``target_parameters``, two nested wrappers for each layer.

    A file does not say which wrapper is of which parameter; the widths do: gate_up_proj goes from the model's to twice
    the experts' width, down_proj from the experts' to the model's.
    """
    found: list[Module] = []
    for inner, parts in packed.items():
        layer = inner.removesuffix(".base_layer")
        other = packed.get(layer if inner != layer else f"{layer}.base_layer")
        if config.get("use_dora") or set(parts) != {"a", "b"} or other is None or set(other) != {"a", "b"}:
            raise UserError(
                f"The adapter in {folder} changes of the experts in {layer!r} not gate_up_proj and down_proj both "
                "by LoRA.",
                "Train both, or none of them.",
            )
        (rows, into), out = weights.shape(parts["a"]), weights.shape(parts["b"])[0]
        other_into, other_out = weights.shape(other["a"])[1], weights.shape(other["b"])[0]
        is_gate_up = (into, out) == (other_out, 2 * other_into)
        if not is_gate_up and (other_into, other_out) != (out, 2 * into):
            raise UserError(
                f"The adapter in {folder} changes parameters of {layer!r} that are not known here.",
                "Train gate_up_proj and down_proj, or no experts.",
            )
        said, alpha = _rank_and_alpha(folder, config, f"{layer}.{'gate_up_proj' if is_gate_up else 'down_proj'}")
        rank = int(said)
        if rank < 1 or rows % rank or weights.shape(parts["b"])[1] != rows:
            raise UserError(f"The config in {folder} says rank {said:g} for {layer!r}, not its weights.", _SAVED_HINT)
        scaling = _scaling(config, alpha, rank)
        for name, half in (("gate_proj", 0), ("up_proj", 1)) if is_gate_up else (("down_proj", None),):
            found.append(Module(f"{layer}.{name}", parts, rank, scaling, rows // rank, half))
    return tuple(found)


def _parameter(config: Mapping[str, Any], name: str) -> str:
    """What PEFT matches patterns with: the layer, or its weight where that was the target."""
    weight = f".{name}.weight"
    targets = config.get("target_parameters") or ()
    return weight[1:] if any(weight.endswith(f".{target}") for target in targets) else name


def _rank_and_alpha(folder: Path, config: Mapping[str, Any], name: str) -> tuple[float, float]:
    rank = _pattern(folder, config, "rank_pattern", name, _number(folder, config, "r", 8.0))
    return rank, _pattern(folder, config, "alpha_pattern", name, _number(folder, config, "lora_alpha", 8.0))


def _scaling(config: Mapping[str, Any], alpha: float, rank: int) -> float:
    return alpha / (math.sqrt(rank) if config.get("use_rslora") else rank)


def _pattern(folder: Path, config: Mapping[str, Any], option: str, name: str, default: float) -> float:
    """The value of the first pattern that a layer's name ends with, matched as PEFT's ``get_pattern_key`` does."""
    patterns = config.get(option) or {}
    if not isinstance(patterns, dict):
        raise UserError(f"{folder / CONFIG} is damaged: {option} is not a table.", _SAVED_HINT)
    for pattern in patterns:
        try:
            matches = re.match(rf"(.*\.)?({pattern})$", name)
        except re.error as error:
            raise UserError(f"{folder / CONFIG} has a bad pattern in {option}: {pattern!r}.", _SAVED_HINT) from error
        if matches:
            return _number(folder, patterns, pattern, default)
    return default


def _number(folder: Path, table: Mapping[str, Any], key: str, default: float) -> float:
    value = table.get(key, default)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise UserError(f"{folder / CONFIG} has no usable {key}: {value!r}.", _SAVED_HINT)
    return float(value)


def _listed(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
