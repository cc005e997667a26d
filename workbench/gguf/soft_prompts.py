"""Virtual tokens: soft prompts and prefixes as PEFT saves them, written as the GGUF files that the engine puts before
a text.

A soft prompt (prompt tuning, https://arxiv.org/abs/2104.08691; P-tuning, https://arxiv.org/abs/2103.10385) is a row of
embeddings for each virtual token; PEFT saves what P-tuning's encoder yields, so that both are the same here. A prefix
(https://arxiv.org/abs/2101.00190) is each layer's keys and values of the virtual tokens, as its attention keeps them:
keys are turned by no position any more. The files are read by ``workbench.engine.virtual_tokens``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from workbench.base.durability import written_beside
from workbench.base.errors import UserError
from workbench.gguf.architectures import row_order
from workbench.gguf.base_model import Base
from workbench.gguf.peft_folder import folder_sha256, open_weights, read_config
from workbench.gguf.weights import Floats
from workbench.gguf.writer import fill, header, number_entry, text_entry

PROMPT_KINDS = {"PROMPT_TUNING": "soft-prompt", "P_TUNING": "soft-prompt", "PREFIX_TUNING": "prefix"}
ALIGNMENT = 32

_SAVED = "prompt_embeddings"
_SCALED_INPUTS = ("gemma", "gemma2")
_HARMLESS = frozenset({
    "auto_mapping", "base_model_name_or_path", "encoder_dropout", "encoder_hidden_size", "encoder_num_layers",
    "encoder_reparameterization_type", "inference_mode", "num_attention_heads", "num_layers",
    "num_transformer_submodules", "num_virtual_tokens", "peft_type", "peft_version", "prefix_projection",
    "prompt_tuning_init", "prompt_tuning_init_state_dict_path", "prompt_tuning_init_text", "revision",
    "runtime_config", "task_type", "token_dim", "tokenizer_kwargs", "tokenizer_name_or_path",
})  # fmt: skip
_HINT = "Choose the model that it was trained on."


@dataclass(frozen=True)
class SavedPrompt:
    """Virtual tokens as PEFT saves them: ``saved`` is (tokens, width), of a prefix (tokens, layers · 2 · width of the
    keys)."""

    folder: Path
    kind: Literal["soft-prompt", "prefix"]
    method: str
    saved: Floats
    sha256: str


def read_saved_prompt(folder: Path) -> SavedPrompt:
    """Read a PEFT folder of prompt tuning, P-tuning or prefix tuning.

    Raises UserError with the reason: files missing, a pickle, damaged, an option that cannot be carried over.
    """
    config = read_config(folder)
    method = str(config.get("peft_type", ""))
    _check_options(folder, config)
    weights = open_weights(folder)
    if list(weights.names()) != [_SAVED] or len(weights.shape(_SAVED)) != 2:
        raise UserError(f"The adapter in {folder} does not hold virtual tokens alone.", "Train it again.")
    saved = weights.read(_SAVED)
    if len(saved) != config.get("num_virtual_tokens") or not len(saved):
        raise UserError(
            f"The config in {folder} says {config.get('num_virtual_tokens')!r} virtual tokens, its weights "
            f"{len(saved)}.",
            "Save it again with PEFT's save_pretrained.",
        )
    kind: Literal["soft-prompt", "prefix"] = "prefix" if method == "PREFIX_TUNING" else "soft-prompt"
    return SavedPrompt(folder, kind, method, saved, folder_sha256(folder))


def prompt_to_gguf(tokens: SavedPrompt, base: Base, out: Path, name: str = "") -> None:
    """Write virtual tokens as a GGUF file for the model ``base``, in float32.

    A soft prompt is one tensor ``soft_prompt`` (tokens, width); llama.cpp multiplies input embeddings by sqrt(width)
    for gemma and gemma2, and transformers does not, so that it is divided by it here. A prefix is ``prefix.blk.N.k``
    and ``.v``, (tokens, heads · head's width), the keys in llama.cpp's order within each head. Raises UserError when
    the tokens do not fit the model.
    """
    tensors = _prompt(tokens, base) if tokens.kind == "soft-prompt" else _prefix(tokens, base)
    entries = {
        "general.architecture": text_entry("general.architecture", base.architecture),
        "general.type": text_entry("general.type", "adapter"),
        "general.name": text_entry("general.name", name or tokens.folder.name),
        "general.base_model.count": number_entry("general.base_model.count", 1),
        "general.base_model.0.name": text_entry("general.base_model.0.name", base.name),
        "general.source.sha256": text_entry("general.source.sha256", tokens.sha256),
        "adapter.type": text_entry("adapter.type", tokens.kind),
        "adapter.method": text_entry("adapter.method", tokens.method.lower()),
        "adapter.tokens": number_entry("adapter.tokens", len(tokens.saved)),
    }
    shapes = {key: (tuple(reversed(values.shape)), "F32") for key, values in tensors.items()}
    with written_beside(out) as beside, beside.open("wb") as file:
        file.write(header(entries, shapes, ALIGNMENT))
        for values in tensors.values():
            file.write(np.ascontiguousarray(values, "<f4").data)
            fill(file, values.nbytes, ALIGNMENT)


def _prompt(tokens: SavedPrompt, base: Base) -> dict[str, Floats]:
    width = _width(base, "token_embd.weight", 0)
    if width is not None and width != tokens.saved.shape[1]:
        raise UserError(
            f"The soft prompt in {tokens.folder} is {tokens.saved.shape[1]} numbers wide, {base.name}'s embeddings are "
            f"{width}.",
            _HINT,
        )
    factor = 1 / math.sqrt(tokens.saved.shape[1]) if base.architecture in _SCALED_INPUTS else 1.0
    return {"soft_prompt": tokens.saved * np.float32(factor)}


def _prefix(tokens: SavedPrompt, base: Base) -> dict[str, Floats]:
    layers = len(base.heads)
    count, total = tokens.saved.shape
    width = total // (2 * layers)
    has = _width(base, "blk.0.attn_k.weight", 1)
    if total % (2 * layers) or (has is not None and has != width):
        raise UserError(
            f"The prefix in {tokens.folder} has {total} numbers a token, which are not the keys and values of "
            f"{base.name}'s {layers} layers.",
            _HINT,
        )
    values = tokens.saved.reshape(count, layers, 2, width)
    found: dict[str, Floats] = {}
    for layer in range(layers):
        try:
            name = f"blk.{layer}.attn_k.weight"
            order = row_order(base.architecture, name, width, base.heads[layer], base.kv_heads[layer])
        except (ValueError, ZeroDivisionError) as error:
            raise UserError(
                f"The prefix in {tokens.folder} does not fit the heads of {base.name}'s layer {layer}.", _HINT
            ) from error
        keys = values[:, layer, 0]
        found[f"prefix.blk.{layer}.k"] = np.ascontiguousarray(keys if order is None else keys[:, order])
        found[f"prefix.blk.{layer}.v"] = np.ascontiguousarray(values[:, layer, 1])
    return found


def _width(base: Base, tensor: str, dimension: int) -> int | None:
    stored = (base.tensors or {}).get(tensor)
    return None if stored is None else stored.shape[dimension]


def _check_options(folder: Path, config: Mapping[str, Any]) -> None:
    for option, value in config.items():
        if value and option not in _HARMLESS:
            raise UserError(
                f"The adapter in {folder} uses {option}, which cannot be converted for llama.cpp.",
                f"Train without {option}.",
            )
    if config.get("num_transformer_submodules") not in (None, 1):
        raise UserError(f"The adapter in {folder} is for an encoder-decoder model.", "Train a decoder-only model.")
