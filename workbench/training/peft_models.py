"""Transformers and PEFT models in training: their blocks, linear layers and trainable parameters.

What a weights method needs of torch stands here, so that the methods themselves are light.
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

from workbench.base.errors import UserError
from workbench.training.weights.packed_layers import unpack_layers

_ATTENTION = ("attn", "attention")
_KEYS_AND_VALUES = ("k_proj", "v_proj", "query_key_value", "qkv_proj", "c_attn", "W_pack")
_FEED_FORWARD_OUT = ("down_proj", "fc2", "dense_4h_to_h", "mlp.c_proj", "w2")


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
    raise UserError(f"The layers of a {model.config.model_type} are unknown.", "Choose another method.")


def adapted_layers(model: Any, last: int) -> list[int] | None:
    """The numbers of the ``last`` blocks, for PEFT; None (0): all of them."""
    count = len(blocks_of(model)) if last else 0
    return list(range(max(0, count - last), count)) if last else None


def last_position(device: Any) -> Any:
    """``logits_to_keep`` for the logits of the last position. For the number 1, transformers cuts a view out of the
    states, and torch multiplies each row of a view by a copy of its own of a 16-bit output layer: 57 MB a row, and 50
    times the time, for 49,152 tokens of 576 numbers. An index gives states that are contiguous."""
    return torch.tensor([-1], device=device)


def cache_of(output: Any) -> Any:
    """The keys and values that a model's output carries; newer transformers name them otherwise."""
    return output["cache"] if "cache" in output else output["past_key_values"]


def given_cache(base: Any, cache: Any) -> dict[str, Any]:
    """The argument by which a transformers model is given keys and values."""
    return {"cache" if "cache" in inspect.signature(base.forward).parameters else "past_key_values": cache}


def freeze(model: Any) -> None:
    """Let nothing of a model require a gradient."""
    for parameter in model.parameters():
        parameter.requires_grad_(False)


def adapt(model: Any, config: Any) -> Any:
    """The PEFT model of ``config`` around a model."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # peft warns of what transformers renamed, and of tied layers
        return peft.get_peft_model(model, config)


def make_trainable(parameter: Any) -> None:
    """Let a parameter require a gradient, in float32. Raises UserError for one that is held packed."""
    if not parameter.is_floating_point():
        raise UserError("Packed weights cannot be trained.", "Choose bf16 or f32 as the form of the base weights.")
    parameter.data = parameter.data.float()
    parameter.requires_grad_(True)


def unpacked(model: Any, names: Sequence[str]) -> list[Any]:
    """The parameters of these names, with weights of their own where they were held packed."""
    unpack_layers(model, names)
    return [model.get_parameter(name) for name in names]


def add_biases(model: Any, names: Sequence[str]) -> None:
    """Give the layers that llama.cpp reads a bias of, and that have none, one of zeros."""
    for name, layer in _linear_layers(blocks_of(model)).items():
        if layer.bias is None and name.endswith(tuple(names)):
            layer.bias = nn.Parameter(torch.zeros(layer.out_features, device=_device_of(model)))


def is_norm(module: Any) -> bool:
    return isinstance(module, nn.LayerNorm) or type(module).__name__.lower().endswith(("norm", "layernorm"))


def is_transposed(model: Any) -> bool:
    """Whether its layers are transformers' Conv1D, (in, out): PEFT's ``fan_in_fan_out``."""
    return any(isinstance(module, Conv1D) for module in model.modules())


def target_names(model: Any, which: str) -> list[str]:
    """The linear layers of a kind, by the endings of their names: all, attention, feed-forward."""
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


def scaled_layers(model: Any) -> tuple[list[str], list[str]]:
    """The layers that IA3 scales, and those of them that lead out of the feed-forward network."""
    leaves = _leaves(model)
    out = [leaf for leaf in leaves if leaf.endswith(_FEED_FORWARD_OUT)]
    return [leaf for leaf in leaves if leaf.endswith(_KEYS_AND_VALUES)] + out, out


def draw_embeddings(adapted: Any, count: int) -> Any:
    """The embeddings of ``count`` tokens drawn at random, (count, width), float32."""
    table = base_of(adapted).get_input_embeddings()
    with torch.no_grad():
        drawn = torch.randint(0, table.weight.shape[0], (count,)).to(table.weight.device)
        return table(drawn).float()


def states_of_drawn_tokens(adapted: Any, count: int) -> Any:
    """The keys and values of ``count`` tokens drawn at random in all layers, (count, layers · 2 · width), float32."""
    base = base_of(adapted)
    drawn = torch.randint(0, base.get_input_embeddings().weight.shape[0], (1, count)).to(_device_of(base))
    cache = cache_of(base(input_ids=drawn, use_cache=True))
    flat = []
    for layer in cache.layers:
        for states in (layer.keys, layer.values):  # (1, heads, tokens, head size)
            flat.append(states[0].transpose(0, 1).reshape(count, -1).float())
    return torch.cat(flat, dim=1)


def _is_linear(module: Any) -> bool:
    return isinstance(module, nn.Linear | Conv1D)


def _linear_layers(module: Any) -> dict[str, Any]:
    return {name: layer for name, layer in module.named_modules() if _is_linear(layer)}


def _device_of(model: Any) -> Any:
    return next(model.parameters()).device
