"""Which weights move: a loaded base becomes a model of which some weights are trained.

Selections of the model's own weights: full; layers (the last blocks); biases (BitFit, Ben Zaken et al. 2021,
arXiv:2106.10199); norms. Low-rank changes: LoRA (Hu et al. 2021, arXiv:2106.09685), rsLoRA (Kalajdzievski 2023,
arXiv:2312.03732), DoRA (Liu et al. 2024, arXiv:2402.09353), VeRA (Kopiczko et al. 2023, arXiv:2310.11454), MiSS (Kang &
Yin 2024, arXiv:2409.15371). Products: LoHa (Hyeon-Woo et al. 2021, arXiv:2108.06098), LoKr (Yeh et al. 2023,
arXiv:2309.14859). Rotations: OFT (Qiu et al. 2023, arXiv:2306.07280). Added ones: IA3 (Liu et al. 2022,
arXiv:2205.05638), prompt tuning (Lester et al. 2021, arXiv:2104.08691), p-tuning (Liu et al. 2021, arXiv:2103.10385),
prefix tuning (Li & Liang 2021, arXiv:2101.00190). What moves is float32, whatever the base is held in.
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Sequence
from typing import Any

import peft
import torch
from torch import nn
from transformers.pytorch_utils import Conv1D

from workbench.errors import UserError
from workbench.gguf.architectures import new_biases
from workbench.records.training import KRONECKER_FACTOR, WeightsMethod, WeightsPart, layers_of, rank_of
from workbench.training.weights.loading import LoadedBase
from workbench.training.weights.packed_layers import unpack_layers

SELECTIONS: tuple[WeightsMethod, ...] = ("full", "layers", "biases", "norms")
"""Methods that move the model's own weights; what they leave are new values of these."""

PROMPTS: tuple[WeightsMethod, ...] = ("prompt", "p-tuning", "prefix")
"""Methods that put virtual tokens before every text."""

_ATTENTION = ("attn", "attention")
_KEYS_AND_VALUES = ("k_proj", "v_proj", "query_key_value", "qkv_proj", "c_attn", "W_pack")
_FEED_FORWARD_OUT = ("down_proj", "fc2", "dense_4h_to_h", "mlp.c_proj", "w2")


def apply_method(loaded: LoadedBase, part: WeightsPart) -> Any:
    """The model with exactly that set to be trained which the method moves: for low-rank and added weights a PEFT
    model around it, else the model itself. All else requires no gradient.

    Draws from torch's random state. Raises UserError where the model has nothing for the method to move.
    """
    model = loaded.model
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    if part.method in SELECTIONS:
        for parameter in _selected(model, part, loaded.base.architecture):
            _move(parameter)
        return model
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # peft warns of what transformers renamed, and of tied layers
        adapted = peft.get_peft_model(model, _peft_config(model, part))
    if part.method in ("prompt", "p-tuning"):
        _start_from_tokens(adapted, part.method)
    elif part.method == "prefix":
        _start_from_states(adapted, part.virtual_tokens)
    for parameter in adapted.parameters():
        if parameter.requires_grad:
            _move(parameter)
    return adapted


def trainable_parameters(model: Any) -> dict[str, Any]:
    """The parameters that are trained, by name, in a fixed order."""
    return {name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad}


def base_of(model: Any) -> Any:
    """The transformers model inside, adapters and all."""
    return model.get_base_model() if isinstance(model, peft.PeftModel) else model


def blocks_of(model: Any) -> Any:
    """The list of a model's blocks. Raises UserError when it is not told."""
    count = getattr(model.config.get_text_config(), "num_hidden_layers", 0)
    for module in model.modules():
        if isinstance(module, nn.ModuleList) and len(module) == count:
            return module
    raise UserError(f"The layers of a {model.config.model_type} are not known here.", "Choose another method.")


def cache_of(output: Any) -> Any:
    """The keys and values that a model's output carries; newer transformers name them otherwise."""
    return output["cache"] if "cache" in output else output["past_key_values"]


def given_cache(base: Any, cache: Any) -> dict[str, Any]:
    """The argument by which a transformers model is given keys and values."""
    return {"cache" if "cache" in inspect.signature(base.forward).parameters else "past_key_values": cache}


def _move(parameter: Any) -> None:
    if not parameter.is_floating_point():
        raise UserError(
            "The weights that should move are held packed.", "Choose bf16 or f32 as the form of the base weights."
        )
    parameter.data = parameter.data.float()
    parameter.requires_grad_(True)


# -- selections of the model's own weights -----------------------------------------------------------


def _selected(model: Any, part: WeightsPart, architecture: str) -> list[Any]:
    if part.method == "full":
        return _unpacked(model, [name for name, _ in model.named_parameters()])
    if part.method == "layers":
        blocks = list(blocks_of(model))
        chosen = {id(p) for number in layers_of(part, len(blocks)) for p in blocks[number].parameters()}
        return _unpacked(model, [name for name, p in model.named_parameters() if id(p) in chosen])
    if part.method == "norms":
        found = [m.weight for m in model.modules() if _is_norm(m) and getattr(m, "weight", None) is not None]
        if not found:
            raise UserError(f"A {model.config.model_type} has no norms that can move.", "Choose another method.")
        return found
    _add_biases(model, new_biases(architecture))
    found = [p for name, p in model.named_parameters() if name.endswith(".bias")]
    if not found:
        raise UserError(
            f"A {model.config.model_type} has no biases, and llama.cpp has no place for new ones.",
            "Choose another method, for example norms or lora.",
        )
    return found


def _add_biases(model: Any, names: Sequence[str]) -> None:
    """Give the layers that llama.cpp reads a bias of, and that have none, one of zeros."""
    for name, layer in _linear_layers(blocks_of(model)).items():
        if layer.bias is None and name.endswith(tuple(names)):
            layer.bias = nn.Parameter(torch.zeros(layer.out_features, device=_device_of(model)))


def _unpacked(model: Any, names: Sequence[str]) -> list[Any]:
    """The parameters of these names, with weights of their own where they were held packed."""
    unpack_layers(model, names)
    return [model.get_parameter(name) for name in names]


def _is_norm(module: Any) -> bool:
    return isinstance(module, nn.LayerNorm) or type(module).__name__.lower().endswith(("norm", "layernorm"))


def _is_linear(module: Any) -> bool:
    return isinstance(module, nn.Linear | Conv1D)


def _linear_layers(module: Any) -> dict[str, Any]:
    return {name: layer for name, layer in module.named_modules() if _is_linear(layer)}


def _device_of(model: Any) -> Any:
    return next(model.parameters()).device


# -- added weights -----------------------------------------------------------------------------------


def _peft_config(model: Any, part: WeightsPart) -> Any:
    task = {"task_type": "CAUSAL_LM"}
    rank = rank_of(part)
    if part.method in ("loha", "lokr", "vera", "miss", "oft"):
        return _other_config(part, rank, _transposed(model), target_modules=_targets(model, part.targets), **task)
    if part.method in ("lora", "rslora", "dora"):
        return peft.LoraConfig(
            r=rank,
            lora_alpha=part.alpha or 2 * rank,
            lora_dropout=part.dropout,
            target_modules=_targets(model, part.targets),
            use_rslora=part.method == "rslora",
            use_dora=part.method == "dora",
            fan_in_fan_out=_transposed(model),
            **task,
        )
    if part.method == "ia3":
        leaves = _leaves(model)
        out = [leaf for leaf in leaves if leaf.endswith(_FEED_FORWARD_OUT)]
        both = [leaf for leaf in leaves if leaf.endswith(_KEYS_AND_VALUES)] + out
        if not out or len(both) == len(out):
            raise UserError(
                f"Which layers of a {model.config.model_type} IA3 scales is not known here.", "Choose lora instead."
            )
        return peft.IA3Config(target_modules=both, feedforward_modules=out, fan_in_fan_out=_transposed(model), **task)
    if part.method == "prompt":
        return peft.PromptTuningConfig(num_virtual_tokens=part.virtual_tokens, **task)
    if part.method == "p-tuning":
        width = model.get_input_embeddings().weight.shape[1]
        return peft.PromptEncoderConfig(num_virtual_tokens=part.virtual_tokens, encoder_hidden_size=width, **task)
    return peft.PrefixTuningConfig(num_virtual_tokens=part.virtual_tokens, **task)


def _other_config(part: WeightsPart, rank: int, transposed: bool, **options: Any) -> Any:
    """Of the methods that are neither LoRA nor virtual tokens."""
    if part.method == "vera":
        return peft.VeraConfig(r=rank, vera_dropout=part.dropout, fan_in_fan_out=transposed, **options)
    if transposed:
        raise UserError(
            f"PEFT does not adapt the layers of this model (Conv1D) by {part.method}.", "Choose lora or vera instead."
        )
    if part.method == "miss":
        return peft.MissConfig(r=rank, miss_dropout=part.dropout, **options)
    if part.method == "oft":  # Cayley's form is a rotation exactly, and the inverses of such small blocks cost little
        return peft.OFTConfig(oft_block_size=part.block_size, use_cayley_neumann=False, **options)
    options |= {"r": rank, "alpha": part.alpha or 2 * rank, "rank_dropout": part.dropout}
    if part.method == "loha":
        return peft.LoHaConfig(**options)
    return peft.LoKrConfig(decompose_factor=KRONECKER_FACTOR, rank_dropout_scale=True, **options)


def _leaves(model: Any) -> list[str]:
    """The endings of the names of the blocks' linear layers: the last part, or two where the last alone is not
    unambiguous."""
    names = _names_in_blocks(model)
    last = [name.rpartition(".")[2] for name in names]
    return [
        leaf if last.count(leaf) == 1 else ".".join(name.split(".")[-2:])
        for name, leaf in zip(names, last, strict=True)
    ]


def _names_in_blocks(model: Any) -> list[str]:
    """The names of the linear layers within a block, of all blocks together: some models have blocks of two kinds."""
    return list(dict.fromkeys(name for block in blocks_of(model) for name in _linear_layers(block)))


def _targets(model: Any, which: str) -> list[str]:
    names = _names_in_blocks(model)
    chosen = [
        leaf
        for name, leaf in zip(names, _leaves(model), strict=True)
        if which == "all" or (which == "attention") == any(part in name.lower() for part in _ATTENTION)
    ]
    chosen = [leaf for leaf in chosen if not leaf.endswith(("router", "gate"))]
    if not chosen:
        raise UserError(f"A {model.config.model_type} has no such linear layers.", "Choose all as targets.")
    inside = {id(layer) for layer in _linear_layers(blocks_of(model)).values()}
    named = [(name, id(layer)) for name, layer in _linear_layers(model).items() if name.endswith(tuple(chosen))]
    if all(layer in inside for _, layer in named):
        return chosen
    return [name for name, layer in named if layer in inside]  # what sees or hears has layers of the same names


def _transposed(model: Any) -> bool:
    return any(isinstance(module, Conv1D) for module in model.modules())


def _start_from_tokens(adapted: Any, method: str) -> None:
    """Begin with the embeddings of tokens drawn at random, which learns faster than noise does (Lester et al. 2021,
    section 3.2). For p-tuning they are what its encoder is fed, scaled to them."""
    encoder = adapted.prompt_encoder[adapted.active_adapter]
    table = base_of(adapted).get_input_embeddings()
    count = encoder.embedding.weight.shape[0]
    with torch.no_grad():
        drawn = torch.randint(0, table.weight.shape[0], (count,)).to(table.weight.device)
        rows = table(drawn).float()
        if method == "prompt":
            encoder.embedding.weight.data = rows.clone()
            return
        encoder.embedding.weight.data = rows / rows.std()
        last = encoder.mlp_head[-1]
        made = encoder.mlp_head(encoder.embedding.weight)
        last.weight.mul_(rows.std() / made.std())
        last.bias.mul_(rows.std() / made.std())


def _start_from_states(adapted: Any, count: int) -> None:
    """Begin a prefix with the keys and values of real tokens (Li & Liang 2021, section 7.5)."""
    base = base_of(adapted)
    encoder = adapted.prompt_encoder[adapted.active_adapter]
    with torch.no_grad():
        drawn = torch.randint(0, base.get_input_embeddings().weight.shape[0], (1, count)).to(_device_of(base))
        cache = cache_of(base(input_ids=drawn, use_cache=True))
        flat = []
        for layer in cache.layers:
            for states in (layer.keys, layer.values):  # (1, heads, tokens, head size)
                flat.append(states[0].transpose(0, 1).reshape(count, -1).float())
        encoder.embedding.weight.data = torch.cat(flat, dim=1)
