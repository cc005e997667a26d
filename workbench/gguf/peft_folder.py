"""A folder as PEFT saves it: ``adapter_config.json`` and ``adapter_model.safetensors``, read without torch or PEFT.

What changes the computation and is not known here is refused: an adapter that is carried over without it would answer
wrongly and nobody would see why. LoRA: https://arxiv.org/abs/2106.09685, rsLoRA: https://arxiv.org/abs/2312.03732,
DoRA: https://arxiv.org/abs/2402.09353, IA3: https://arxiv.org/abs/2205.05638.
"""

from __future__ import annotations

import hashlib
import math
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import regex

from workbench.base.errors import UserError
from workbench.base.files import open_regular, read_json_file
from workbench.gguf.peft_kinds import DORA, KINDS, Kind, PeftType, withdrawn_kind
from workbench.gguf.safetensors import SafetensorsFile

if TYPE_CHECKING:
    from workbench.gguf.safetensors import Floats

MAX_MATCHES = 10_000_000  # patterns times layers
LONGEST_MATCHING_S, LONGEST_PATTERN = 10.0, 2_000
CONFIG, WEIGHTS, PICKLE = "adapter_config.json", "adapter_model.safetensors", "adapter_model.bin"

_PREFIX = "base_model.model."
_UNCHANGED = ".base_layer.weight"  # PEFT saves embeddings whole beside their LoRA, though they are frozen
_NAMING = ("target_modules", "exclude_modules", "feedforward_modules")
_PATTERNS = ("rank_pattern", "alpha_pattern", "layers_pattern", "layers_to_transform")
_EXPERT_PARAMETERS = ("gate_up_proj", "down_proj")
_EXPERTS = re.compile(r"\.experts(\.base_layer)?$")
_REPLACED_BASE = ("pissa", "olora", "corda", "loftq", "lora_ga")
_SAVED_HINT = "Save the adapter again with PEFT's save_pretrained."


@dataclass(frozen=True)
class Module:
    """The change of one layer by an adapter. ``parts`` maps what its kind calls them ("a", "b", "magnitude", ...) to
    names in the file; ``scaling`` multiplies the change (alpha / rank, or alpha / sqrt(rank) for rsLoRA).

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
    method: PeftType
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
    kind = _kind(folder, config)
    _check_options(folder, config, kind)
    found = _group(folder, weights, kind)
    if not found:
        raise UserError(f"The adapter in {folder} changes nothing: it holds no weights.", _SAVED_HINT)
    packed = {name: found.pop(name) for name in list(found) if _EXPERTS.search(name)}
    layers = [name.removesuffix(".base_layer") for name in packed]
    ranks = _Ranks(folder, config, [*found, *(f"{layer}.{part}" for layer in layers for part in _EXPERT_PARAMETERS)])
    modules = tuple(_module(folder, name, parts, weights, ranks, kind) for name, parts in found.items())
    modules += _experts(folder, packed, weights, ranks)
    return PeftAdapter(
        folder=folder,
        method=kind.method,
        base_name=str(config.get("base_model_name_or_path") or ""),
        alpha=_number(folder, config, "lora_alpha", 8.0),
        modules=modules,
        weights=weights,
    )


def without_patterns(folder: Path) -> dict[str, Any]:
    """What of a folder's config names layers, by their whole names, where it uses patterns: PEFT would match them with
    Python's ``re``, which some keep busy for ever. Empty where it uses none."""
    config = read_config(folder)
    if not any(isinstance(config.get(option), str) for option in _NAMING) and not any(map(config.get, _PATTERNS)):
        return {}
    adapter = read_peft_folder(folder)
    names = [module.name for module in adapter.modules if not module.experts]
    ranks = _Ranks(folder, config, [module.name for module in adapter.modules])
    spelled: dict[str, Any] = dict.fromkeys(("exclude_modules", *_PATTERNS))
    spelled["target_modules"] = names
    spelled["rank_pattern"] = {re.escape(name): int(rank) for name, rank in ranks.ranks.items()}
    spelled["alpha_pattern"] = {re.escape(name): alpha for name, alpha in ranks.alphas.items()}
    if adapter.method == "IA3":
        spelled["feedforward_modules"] = [
            module.name for module in adapter.modules if adapter.weights.shape(module.parts["vector"])[0] == 1
        ]
    return {option: value for option, value in spelled.items() if option in config}


def folder_sha256(folder: Path, files: Sequence[str] = (WEIGHTS, CONFIG)) -> str:
    """Of a folder's files, in this order: those of a PEFT folder, or others."""
    digest = hashlib.sha256()
    for file in files:
        with open_regular(folder / file) as reading:
            while block := reading.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


def read_config(folder: Path) -> dict[str, Any]:
    """A PEFT folder's config. Raises UserError when there is none or it is damaged."""
    try:
        config: dict[str, Any] = read_json_file(folder / CONFIG, _SAVED_HINT)
    except FileNotFoundError as error:
        raise UserError(
            f"{folder} is not a PEFT adapter: it has no {CONFIG}.", "Choose the folder that PEFT saved."
        ) from error
    return config


def open_weights(folder: Path) -> SafetensorsFile:
    """A PEFT folder's weights. Raises UserError when there are none, or a pickle."""
    path = folder / WEIGHTS
    if path.exists():
        return SafetensorsFile(path)
    if (folder / PICKLE).is_file():
        raise UserError(
            f"The adapter in {folder} is a Python pickle ({PICKLE}), which can run code when it is read.",
            "Save it as safetensors (save_pretrained with safe_serialization=True).",
        )
    raise UserError(f"The adapter in {folder} has no {WEIGHTS}.", _SAVED_HINT)


def _kind(folder: Path, config: Mapping[str, Any]) -> Kind:
    said = str(config.get("peft_type", ""))
    if said == "LORA" and config.get("use_dora"):
        return DORA
    if withdrawn := withdrawn_kind(config):
        raise UserError(
            f"The adapter in {folder} is of the kind {withdrawn}, which this version cannot convert.",
            "Merge it into its base model with PEFT (merge_and_unload) and import the model, or train a LoRA.",
        )
    if said not in KINDS:
        known = ", ".join(kind.name for kind in KINDS.values())
        raise UserError(
            f"The adapter in {folder} is of the kind {said or 'unknown'}, which cannot be converted for llama.cpp.",
            f"Train with one of these: {known}, DoRA.",
        )
    return KINDS[said]


def _check_options(folder: Path, config: Mapping[str, Any], kind: Kind) -> None:
    if saved := config.get("modules_to_save"):
        raise UserError(
            f"The adapter in {folder} holds whole layers ({_listed(saved)}), which a {kind.name} for llama.cpp "
            "cannot hold.",
            "Train without modules_to_save.",
        )
    if config.get("trainable_token_indices"):
        raise UserError(
            f"The adapter in {folder} holds embeddings of single tokens, which a {kind.name} for llama.cpp cannot "
            "hold.",
            "Train without trainable_token_indices.",
        )
    if (bias := config.get("bias", "none")) not in ("none", None):
        raise UserError(
            f"The adapter in {folder} has trained biases (bias={bias!r}), which a {kind.name} for llama.cpp cannot "
            "hold.",
            'Train with bias="none".',
        )
    start = str(config.get("init_lora_weights", True)).lower()
    if kind.method in ("LORA", "DORA") and start.startswith(_REPLACED_BASE):
        raise UserError(
            f"The adapter in {folder} began as {start}, which changes the base model as well; alone it does not fit "
            "the base.",
            "Save it with path_initial_model_for_weight_conversion, which makes a plain LoRA of it.",
        )
    for option, value in config.items():
        if value and option not in kind.options:
            raise UserError(
                f"The adapter in {folder} uses {option}, which cannot be converted for llama.cpp.",
                f"Train without {option}.",
            )


def _group(folder: Path, weights: SafetensorsFile, kind: Kind) -> dict[str, dict[str, str]]:
    """The names of the file by layer and part."""
    found: dict[str, dict[str, str]] = {}
    for name in sorted(weights.names(), key=_natural):
        if name.endswith(_UNCHANGED):
            continue
        suffix = next((suffix for suffix in kind.suffixes if name.endswith(suffix)), None)
        if suffix is None:
            raise UserError(
                f"The adapter in {folder} holds {name!r}, which is not part of a {kind.name}: whole layers, norms and "
                "biases cannot be carried over.",
                "Train without modules_to_save and biases.",
            )
        layer = name.removesuffix(suffix).removeprefix(_PREFIX)
        found.setdefault(layer, {})[kind.suffixes[suffix]] = name
    return found


def _natural(name: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in name.split(".")]


def _module(
    folder: Path, name: str, parts: Mapping[str, str], weights: SafetensorsFile, ranks: _Ranks, kind: Kind
) -> Module:
    if frozenset(parts) not in kind.whole:
        has = ", ".join(sorted(parts))
        raise UserError(f"The adapter in {folder} has of {name!r} only {has}: parts are missing.", _SAVED_HINT)
    shapes = {part: weights.shape(stored) for part, stored in parts.items()}
    if kind.method == "IA3":
        return Module(name, parts, rank=0, scaling=1.0)
    if any(len(shape) != (1 if part == "magnitude" else 2) for part, shape in shapes.items()):
        raise UserError(
            f"The adapter in {folder} changes {name!r}, which is not a linear layer.", "Train linear layers only."
        )
    a, b = (shapes[half] for half in (("a", "b") if "a" in shapes else ("embedding_a", "embedding_b")))
    rank = a[0]
    if rank != b[1] or rank < 1:
        raise UserError(f"The halves of {name!r} in {folder} are of the ranks {rank} and {b[1]}.", _SAVED_HINT)
    said, alpha = ranks.of(name)
    if said != rank:
        raise UserError(
            f"The config in {folder} says rank {said:g} for {name!r}, and its weights are of rank {rank}.", _SAVED_HINT
        )
    return Module(name, parts, rank, ranks.scaling(alpha, rank))


def _experts(
    folder: Path, packed: Mapping[str, Mapping[str, str]], weights: SafetensorsFile, ranks: _Ranks
) -> tuple[Module, ...]:
    """The LoRAs on the packed experts of a mixture: PEFT's ``target_parameters``, two nested wrappers for each layer.

    A file does not say which wrapper is of which parameter; the widths do: gate_up_proj goes from the model's to twice
    the experts' width, down_proj from the experts' to the model's.
    """
    found: list[Module] = []
    for inner, parts in packed.items():
        layer = inner.removesuffix(".base_layer")
        other = packed.get(layer if inner != layer else f"{layer}.base_layer")
        if ranks.config.get("use_dora") or set(parts) != {"a", "b"} or other is None or set(other) != {"a", "b"}:
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
                f"The adapter in {folder} changes parameters of {layer!r} that are not supported.",
                "Train gate_up_proj and down_proj, or no experts.",
            )
        which = f"{layer}.{_EXPERT_PARAMETERS[0 if is_gate_up else 1]}"
        said, alpha = ranks.of(which)
        rank = int(said)
        if rank < 1 or rows % rank or weights.shape(parts["b"])[1] != rows:
            raise UserError(f"The config in {folder} says rank {said:g} for {layer!r}, not its weights.", _SAVED_HINT)
        scaling = ranks.scaling(alpha, rank)
        for name, half in (("gate_proj", 0), ("up_proj", 1)) if is_gate_up else (("down_proj", None),):
            found.append(Module(f"{layer}.{name}", parts, rank, scaling, rows // rank, half))
    return tuple(found)


def _parameter(config: Mapping[str, Any], name: str) -> str:
    """The name that PEFT matches with patterns: the layer, or its weight where that was the target."""
    weight = f".{name}.weight"
    targets = config.get("target_parameters") or ()
    return weight[1:] if any(weight.endswith(f".{target}") for target in targets) else name


class _Ranks:
    """The rank and alpha that a config gives the layers ``names``."""

    def __init__(self, folder: Path, config: Mapping[str, Any], names: Iterable[str]) -> None:
        self.config = config
        self._folder = folder
        matched = [_parameter(config, name) for name in names]
        self.ranks = _values_by_name(folder, config, "rank_pattern", matched)
        self.alphas = _values_by_name(folder, config, "alpha_pattern", matched)

    def of(self, name: str) -> tuple[float, float]:
        """Rank and alpha of a layer."""
        name = _parameter(self.config, name)
        rank = self.ranks.get(name, _number(self._folder, self.config, "r", 8.0))
        return rank, self.alphas.get(name, _number(self._folder, self.config, "lora_alpha", 8.0))

    def scaling(self, alpha: float, rank: int) -> float:
        return alpha / (math.sqrt(rank) if self.config.get("use_rslora") else rank)


def _values_by_name(folder: Path, config: Mapping[str, Any], option: str, names: Sequence[str]) -> dict[str, float]:
    """For each layer that a pattern fits, the value of the first one, as PEFT's ``get_pattern_key`` finds it.

    A stranger's pattern can take for ever: all of them together are given ``LONGEST_MATCHING_S``.
    """
    patterns = config.get(option) or {}
    if not isinstance(patterns, dict):
        raise UserError(f"{folder / CONFIG} is damaged: {option} is not a table.", _SAVED_HINT)
    if len(patterns) * len(names) > MAX_MATCHES:
        raise UserError(f"{folder / CONFIG} has {len(patterns):,} patterns in {option}.", _SAVED_HINT)
    found: dict[str, float] = {}
    until = time.monotonic() + LONGEST_MATCHING_S
    for pattern in patterns:
        left = [name for name in names if name not in found]
        try:
            if len(pattern) > LONGEST_PATTERN:
                raise regex.error("it is too long")
            fits = regex.compile(rf"(?:.*\.)?(?:{pattern})")
            matched = [name for name in left if fits.fullmatch(name, timeout=max(0.0, until - time.monotonic()))]
        except (regex.error, TimeoutError, RecursionError, OverflowError) as error:
            shown = repr(pattern) if len(pattern) <= 100 else f"{pattern[:100]!r}..."
            raise UserError(f"{folder / CONFIG} has a bad pattern in {option}: {shown}.", _SAVED_HINT) from error
        for name in matched:
            found[name] = _number(folder, patterns, pattern, 0.0)
    return found


def _number(folder: Path, table: Mapping[str, Any], key: str, default: float) -> float:
    value = table.get(key, default)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise UserError(f"{folder / CONFIG} has no usable {key}: {value!r}.", _SAVED_HINT)
    return float(value)


def _listed(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
