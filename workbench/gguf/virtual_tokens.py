"""Soft prompts and prefixes in GGUF form: whether a file is valid and fits a model.

A *soft prompt* (Lester et al. 2021, https://arxiv.org/abs/2104.08691; P-tuning, https://arxiv.org/abs/2103.10385) is a
tensor ``soft_prompt`` of shape (width, n): n embeddings that no word of the vocabulary has. A *prefix* (Li and Liang
2021, https://arxiv.org/abs/2101.00190) holds the keys and values of n positions for each layer, ``prefix.blk.{i}.k``
and ``.v`` of shape (key or value heads x their width, n), as llama.cpp's memory holds them: keys after their rotation.
Shapes are in llama.cpp's order. All numbers are float32.
"""

from __future__ import annotations

import array
import math
import re
import sys
from collections.abc import Mapping
from typing import Literal, NamedTuple

from workbench.base.errors import UserError
from workbench.base.files import open_regular
from workbench.gguf.reader import GGUF, Tensor

VirtualKind = Literal["soft-prompt", "prefix"]

SOFT_PROMPT = "soft_prompt"
MOST_VIRTUAL_TOKENS = 4096

_PREFIX = re.compile(r"prefix\.blk\.(\d{1,5})\.([kv])")
_LAYER = re.compile(r"blk\.(\d+)\.")
_EMBEDDING, _PER_LAYER = "token_embd.weight", "per_layer_token_embd.weight"
_OTHER_HINT = "Choose an adapter that was trained on this model."
_AGAIN_HINT = "Convert the adapter again."


class Named(NamedTuple):
    """A prefix' two halves in one layer."""

    keys: Tensor
    values: Tensor


def count_virtual_tokens(file: GGUF) -> int:
    """The number of virtual tokens of an adapter; 0 for a LoRA. Raises UserError when it is not sound."""
    kind = file.text("adapter.type")
    if kind == "soft-prompt":
        return soft_prompt_of(file).shape[1]
    if kind == "prefix":
        return prefix_of(file)[0].keys.shape[1]
    return 0


def check_scale(name: str, scale: float) -> None:
    """Raises UserError for a strength that a soft prompt or prefix cannot have."""
    if scale not in (0.0, 1.0):
        raise UserError(
            f"The adapter {name} consists of virtual tokens and cannot have the strength {scale:g}.",
            "Set its strength to 1, or to 0 to answer without it.",
        )


def check_single(names: list[str]) -> None:
    """Raises UserError when more than one adapter of a set stands before the text."""
    if len(names) > 1:
        raise UserError(
            f"The adapters {' and '.join(names)} both consist of virtual tokens; a recipe can have one of them.",
            "Remove one of them from the recipe, or set its strength to 0.",
        )


def soft_prompt_of(file: GGUF) -> Tensor:
    """The one tensor of a soft prompt. Raises UserError when there is another one, or it is not what it should be."""
    names = [tensor.name for tensor in file.tensors]
    if names != [SOFT_PROMPT]:
        held = ", ".join(map(repr, names[:4])) or "none"
        raise UserError(f"The soft prompt {file.path} should hold the tensor {SOFT_PROMPT!r}: it holds {held}.",
                        _AGAIN_HINT)  # fmt: skip
    return _sound(file, file.tensors[0])


def prefix_of(file: GGUF) -> tuple[Named, ...]:
    """The halves of a prefix, layer by layer. Raises UserError unless layers 0, 1, ... have both, equally long."""
    found: dict[int, dict[str, Tensor]] = {}
    for tensor in file.tensors:
        match = _PREFIX.fullmatch(tensor.name)
        if match is None:
            raise UserError(f"The prefix {file.path} holds {tensor.name!r}, which is not part of one.", _AGAIN_HINT)
        found.setdefault(int(match[1]), {})[match[2]] = _sound(file, tensor)
    if not found or sorted(found) != list(range(len(found))):
        raise UserError(f"The prefix {file.path} does not hold every layer from 0 on.", _AGAIN_HINT)
    layers = []
    for layer in range(len(found)):
        if set(found[layer]) != {"k", "v"}:
            raise UserError(f"The prefix {file.path} lacks the keys or the values of layer {layer}.", _AGAIN_HINT)
        layers.append(Named(found[layer]["k"], found[layer]["v"]))
    count = layers[0].keys.shape[1]
    if any(half.shape[1] != count for pair in layers for half in pair):
        raise UserError(f"The layers of the prefix {file.path} are of different lengths.", _AGAIN_HINT)
    return tuple(layers)


def check_virtual(file: GGUF, model: str, base: Mapping[str, Tensor]) -> VirtualKind:
    """See whether a soft prompt or prefix fits a model, which is known by its name and tensors, and has finite numbers.

    What of a prefix only the loaded model tells (where its heads are fused, say) the engine checks. Raises UserError
    with the reason.
    """
    if file.text("adapter.type") == "soft-prompt":
        tensor = soft_prompt_of(file)
        embedding = base.get(_EMBEDDING)
        if embedding is None or _PER_LAYER in base:
            raise UserError(
                f"{model} does not accept embeddings as input and does not support soft prompts.",
                "Train a LoRA instead.",
            )
        if tensor.shape[0] != embedding.shape[0]:
            raise UserError(
                f"The soft prompt {file.path} is for embeddings of {tensor.shape[0]:,} numbers; {model}'s have "
                f"{embedding.shape[0]:,}.",
                _OTHER_HINT,
            )
        _check_finite(file)
        return "soft-prompt"
    pairs = prefix_of(file)
    layers = len({match[1] for name in base if (match := _LAYER.match(name))})
    if len(pairs) != layers:
        raise UserError(f"The prefix {file.path} is for {len(pairs)} layers; {model} has {layers}.", _OTHER_HINT)
    for layer, pair in enumerate(pairs):
        for half, kind in zip(pair, ("k", "v"), strict=True):
            weights = base.get(f"blk.{layer}.attn_{kind}.weight")
            if weights is not None and half.shape[0] != weights.shape[1]:
                raise UserError(
                    f"The prefix {file.path} does not fit: its {half.name!r} has {half.shape[0]:,} numbers a token, "
                    f"{model}'s layer {weights.shape[1]:,}.",
                    _OTHER_HINT,
                )
    _check_finite(file)
    return "prefix"


def _sound(file: GGUF, tensor: Tensor) -> Tensor:
    if len(tensor.shape) != 2 or not 1 <= tensor.shape[1] <= MOST_VIRTUAL_TOKENS or tensor.shape[0] < 1:
        shape = "x".join(map(str, tensor.shape))
        raise UserError(f"{tensor.name!r} in {file.path} has the shape {shape}, not one row a token.", _AGAIN_HINT)
    if tensor.type != "F32":
        raise UserError(f"{file.path} stores {tensor.name!r} as {tensor.type}; it has to be F32.", _AGAIN_HINT)
    return tensor


def _check_finite(file: GGUF) -> None:
    """Not a number in a soft prompt would make every answer nonsense, quietly."""
    with open_regular(file.path) as stream:
        for tensor in file.tensors:
            numbers = array.array("f")
            stream.seek(tensor.offset)
            numbers.frombytes(stream.read(tensor.bytes))
            if sys.byteorder == "big":
                numbers.byteswap()
            # the sum of finite numbers in double precision is finite
            if len(numbers) != tensor.elements or not math.isfinite(sum(numbers)):
                raise UserError(f"{tensor.name!r} in {file.path} holds numbers that are not finite.", _AGAIN_HINT)
