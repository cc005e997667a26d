"""A base model as transformers trains it: out of the GGUF file that answers in the chat, or a safetensors folder.

Of a GGUF file the model is built empty and each tensor unpacked into its place, so that loading takes no memory besides
the weights. Nothing here runs code from a model's folder (``trust_remote_code`` is never given) or reads a pickle.

A model out of a folder as transformers saves it: safetensors only, and no code that lies beside them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.base.catalogue import Shown
from workbench.base.errors import UserError
from workbench.base.files import read_json_file, refuse_special_files
from workbench.gguf.base_model import Base, read_base
from workbench.gguf.safetensors import SafetensorsFile
from workbench.gguf.weights import open_model
from workbench.records.training import BaseForm
from workbench.training.weights.dtype_selection import (
    Choice,
    DTypeName,
    Speeds,
    choose_form,
    computing_dtype,
    measure_speeds,
)
from workbench.training.weights.four_bit import check_four_bit, four_bit_config
from workbench.training.weights.from_gguf import Report, load_gguf
from workbench.training.weights.tensors import can_be_packed


@dataclass(frozen=True)
class LoadedBase:
    """``model`` is a transformers model for causal language modelling, in evaluation mode, none of whose weights ask
    for a gradient. ``form`` is how its weights are held and ``dtype`` the type (of torch) that it computes in; ``why``
    says in a sentence why it was chosen. ``weights_bytes`` is what the weights take: those of a packed base are in the
    file's pages, which the operating system shares with other readers of the file."""

    model: Any
    base: Base
    form: BaseForm
    dtype: Any
    device: str
    weights_bytes: int
    why: Shown = ""


def load_base(
    path: Path,
    form: BaseForm,
    *,
    device: str = "auto",
    computing: DTypeName | None = None,
    report: Report | None = None,
) -> LoadedBase:
    """Load the model at ``path``, any file of a GGUF model or a safetensors folder, in ``form``.

    ``device`` is torch's name of one; "auto" takes a CUDA device where there is one. ``computing`` is the type to
    compute in; None takes the faster one, which a processor is measured for. ``report(done, total)`` is called with
    bytes of a GGUF model's weights. Raises UserError when the model is not sound, is not known here, or cannot be held
    in that form.
    """
    import torch

    from workbench.training.weights.frozen_linear import speed_up

    place = torch.device(device if device != "auto" else "cuda" if torch.cuda.is_available() else "cpu")
    base = read_base(path)
    if path.is_dir():
        choice = _choose(form, _parameters(path), None, place, computing)
        model = load_folder(path, choice, place)
    else:
        contents = open_model(path)
        stored = [one.tensor for one in contents.tensors.values()]
        packed_bytes = sum(tensor.bytes for tensor in stored) if can_be_packed(contents, base) else None
        choice = _choose(form, sum(tensor.elements for tensor in stored), packed_bytes, place, computing)
        model = load_gguf(contents, base, choice, place, report)
    speed_up(model.requires_grad_(False).eval())
    why = choice.why
    if model.dtype != getattr(torch, choice.dtype):
        why += " Not all of its weights can be held in another type than they are computed in, so it is bfloat16."
    return LoadedBase(model, base, choice.form, model.dtype, str(place), weights_bytes(model), why)


def describe_model(path: Path) -> Any:
    """The model at ``path`` without its weights, on the meta device."""
    import torch

    from workbench.training.weights.from_gguf import empty_model

    return empty_model(_config_of(path), torch.float32)


def few_layers(path: Path, layers: int, dtype: Any) -> Any:
    """A model of so many layers and a small vocabulary, else of the shape of the one at ``path``, with made-up weights
    of type ``dtype``. Raises UserError where transformers does not build such a one."""
    import torch

    from workbench.training.weights.from_gguf import empty_model

    config = _config_of(path)
    part = config.get_text_config()
    part.num_hidden_layers, part.vocab_size, part.pad_token_id = layers, _FEW_WORDS, None
    if getattr(part, "layer_types", None):
        part.layer_types = part.layer_types[:layers]
    try:
        model = empty_model(config, dtype)
        for name, weight in list(model.named_parameters()):
            module, _, own = name.rpartition(".")
            values = torch.full(weight.shape, _MADE_UP, dtype=weight.dtype)
            setattr(model.get_submodule(module), own, torch.nn.Parameter(values, requires_grad=False))
    except (ValueError, TypeError, KeyError, AttributeError, IndexError, RuntimeError) as error:
        raise UserError(f"transformers does not build {path.name} with fewer layers: {error}.") from error
    model.tie_weights()
    return model


_MADE_UP, _FEW_WORDS = 1e-3, 4096


def _config_of(path: Path) -> Any:
    from transformers import AutoConfig

    from workbench.training.weights.configs import config_from_gguf

    if path.is_dir():
        return AutoConfig.from_pretrained(path, local_files_only=True, trust_remote_code=False)
    return config_from_gguf(open_model(path), read_base(path))


def weights_bytes(model: Any) -> int:
    """The bytes of a model's weights; packed ones as in the file."""
    from workbench.training.weights.packed_layers import PackedWeight

    return sum(
        one.blocks.nbytes if isinstance(one, PackedWeight) else one.numel() * one.element_size()
        for one in model.parameters()
    )


def _choose(form: BaseForm, parameters: int, packed_bytes: int | None, device: Any, known: DTypeName | None) -> Choice:
    """The dtypes as set, or chosen automatically. Raises UserError for what this machine or the model cannot do."""
    import torch

    if device.type == "cuda" and not torch.cuda.is_available():
        raise UserError("There is no CUDA device here.", "Train on the CPU.")
    if form == "f32":
        return Choice("f32", "float32", "The weights are held as f32, as set.")
    if form == "packed" and packed_bytes is None:
        raise UserError(
            "This base cannot stay packed: only GGUF models of plain linear layers can, no safetensors and no experts.",
            "Hold the base weights as bf16 or f32.",
        )
    if known is not None and form != "auto":
        return Choice(form, known, f"The weights are computed with in {known}, as this training began.")
    speeds = measure_speeds() if device.type == "cpu" else None
    if device.type == "cuda" and not torch.cuda.is_bf16_supported():
        speeds = Speeds(f32=1.0, bf16=0.0)
    computing = computing_dtype(speeds, device.type)
    if form != "auto":
        held = {"bf16": "as bf16", "packed": "as they are in the file", "4bit": "in 4 bits"}[form]
        return Choice(form, computing, f"The weights are held {held}, as set, and computed in {computing}.")
    if device.type == "cuda":
        free = int(torch.cuda.mem_get_info(device)[0])
    else:
        import psutil

        free = int(psutil.virtual_memory().available)
    return choose_form(parameters, packed_bytes, memory_free_bytes=free, device=device.type, speeds=speeds)


def _parameters(folder: Path) -> int:
    files = [SafetensorsFile(path) for path in sorted(folder.glob("*.safetensors"))]
    return sum(math.prod(file.shape(name)) for file in files for name in file.names())


def load_folder(folder: Path, choice: Choice, device: Any) -> Any:
    """The model, its weights as ``choice`` says, on ``device``.

    Raises UserError for pickles, adapters, weights that are quantised already, files that are not sound, and what
    transformers cannot make a model of.
    """
    import torch
    from huggingface_hub.errors import StrictDataclassError
    from safetensors import SafetensorError
    from transformers import AutoConfig, AutoModelForCausalLM

    if choice.form == "4bit":
        check_four_bit(device)
    _check_files(folder)
    computing = getattr(torch, choice.dtype)
    dtype = torch.bfloat16 if choice.form == "bf16" else computing
    try:
        config = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        if getattr(config, "quantization_config", None) is not None:
            raise UserError(
                f"The weights in {folder} are quantised already, by another program.",
                "Choose the original weights, or the model as GGUF.",
            )
        model, report = AutoModelForCausalLM.from_pretrained(
            folder,
            config=config,
            dtype=dtype,
            use_safetensors=True,
            local_files_only=True,
            trust_remote_code=False,
            # said outright: a config can name kernels to be fetched
            attn_implementation=_attention(config),
            output_loading_info=True,
            device_map={"": device} if choice.form == "4bit" else None,
            quantization_config=four_bit_config(dtype) if choice.form == "4bit" else None,
        )
    except (StrictDataclassError, SafetensorError, OSError, ValueError, TypeError, KeyError, RuntimeError) as error:
        raise UserError(f"transformers cannot load {folder}: {error}.", "Download the model again.") from error
    if missing := sorted(report["missing_keys"]):
        raise UserError(
            f"{folder} lacks weights of its model: {', '.join(missing[:3])}{' and more' if len(missing) > 3 else ''}.",
            "Download the model again.",
        )
    if choice.form == "4bit":
        return model
    if dtype == computing or device.type != "cpu":
        return model.to(device)
    from workbench.training.weights.packed_layers import hold_apart

    return hold_apart(model, computing)


def _check_files(folder: Path) -> None:
    refuse_special_files(folder)
    files = sorted(folder.glob("*.safetensors"))
    if (folder / "adapter_config.json").exists():
        raise UserError(f"{folder} holds an adapter, not a model.", "Choose the model that it was trained on.")
    if not files:
        if any(folder.glob("*.bin")) or any(folder.glob("*.pt*")):
            raise UserError(
                f"The weights in {folder} are Python pickles, which can run code when they are read.",
                "Get the model as safetensors or GGUF.",
            )
        raise UserError(f"{folder} holds no safetensors.", "Choose the folder that transformers saved.")
    for path in files:
        SafetensorsFile(path)
    index = folder / "model.safetensors.index.json"
    if index.exists():
        try:
            wanted = set(read_json_file(index)["weight_map"].values())
        except (KeyError, AttributeError, TypeError) as error:
            raise UserError(f"{index} is damaged: it does not name its files.", "Download the model again.") from error
        if absent := sorted(wanted - {path.name for path in files}):
            raise UserError(f"{folder} lacks the file {absent[0]}.", "Download the model again.")


def _attention(config: Any) -> str:
    from transformers import AutoModelForCausalLM

    kind = AutoModelForCausalLM._model_mapping.get(type(config), None)
    return "sdpa" if kind is not None and getattr(kind, "_supports_sdpa", False) else "eager"
