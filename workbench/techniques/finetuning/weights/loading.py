"""A base model as transformers trains it: out of the GGUF file that answers in the chat, or a safetensors folder.

Of a GGUF file the model is built empty and each tensor unpacked into its place, so that loading takes no memory besides
the weights. Nothing here runs code from a model's folder (``trust_remote_code`` is never given) or reads a pickle.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.errors import UserError
from workbench.techniques.finetuning.bridge.base import Base, read_base
from workbench.techniques.finetuning.bridge.gguf_file import Contents, open_model
from workbench.techniques.finetuning.weights.configs import can_build, config_from_gguf, rope_factors
from workbench.techniques.finetuning.weights.tensors import Source, fill, find_sources
from workbench.training import BaseForm

Report = Callable[[int, int], None]


@dataclass(frozen=True)
class LoadedBase:
    """``model`` is a transformers model for causal language modelling, in evaluation mode, none of whose weights ask
    for a gradient. ``form`` is how its weights are held and ``dtype`` the type (of torch) that it computes in; ``why``
    says in a sentence why it was chosen. ``weights_bytes`` is what they take."""

    model: Any
    base: Base
    form: BaseForm
    dtype: Any
    device: str
    weights_bytes: int
    why: str = ""


def load_base(path: Path, form: BaseForm, *, device: str = "auto", report: Report | None = None) -> LoadedBase:
    """Load the model at ``path``, any file of a GGUF model or a safetensors folder, in ``form``.

    ``device`` is torch's name of one; "auto" takes a CUDA device where there is one. ``report(done, total)`` is called
    with bytes of weights. Raises UserError when the model is not sound, is not known here, does not fit, or cannot be
    held in that form.
    """
    import torch

    place = torch.device(device if device != "auto" else "cuda" if torch.cuda.is_available() else "cpu")
    base = read_base(path)
    return _load_gguf(path, base, form, place, report)


def _load_gguf(path: Path, base: Base, form: BaseForm, device: Any, report: Report | None) -> LoadedBase:
    import torch

    if not can_build(base.architecture):
        raise UserError(
            f"{path.name} is of the architecture {base.architecture}, which cannot be trained out of a GGUF file here.",
            "Choose the safetensors folder that it was made from.",
        )
    contents = open_model(path)
    form = "f32" if form == "auto" else form
    if form not in ("f32", "bf16"):
        raise UserError(f"A base cannot be held as {form} yet.", "Choose f32 or bf16.")
    dtype = torch.bfloat16 if form == "bf16" else torch.float32
    model = empty_model(config_from_gguf(contents, base), dtype)
    sources = find_sources(model, contents, base)
    _fill_all(model, sources, dtype, device, report)
    _finish(model, contents, device)
    size = sum(parameter.numel() * parameter.element_size() for parameter in model.parameters())
    return LoadedBase(model, base, form, dtype, str(device), size)


def empty_model(config: Any, dtype: Any) -> Any:
    """A model whose parameters are on the meta device; its buffers are computed."""
    from accelerate import init_empty_weights
    from transformers import AutoModelForCausalLM

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of ids of tokens that are not in the vocabulary
        with init_empty_weights(include_buffers=False):
            model = AutoModelForCausalLM.from_config(config, dtype=dtype)
    model.tie_weights()
    return model.requires_grad_(False).eval()


def _fill_all(model: Any, sources: dict[str, Source], dtype: Any, device: Any, report: Report | None) -> None:
    import torch

    total = sum(one.tensor.bytes for source in sources.values() for one in source.stored)
    done = 0
    for name, source in sources.items():
        owner, _, attribute = name.rpartition(".")
        module = model.get_submodule(owner)
        filled = torch.empty(getattr(module, attribute).shape, dtype=dtype, device=device)
        fill(filled, source, torch.get_num_threads())
        setattr(module, attribute, torch.nn.Parameter(filled, requires_grad=False))
        done += sum(one.tensor.bytes for one in source.stored)
        if report is not None:
            report(done, total)
    model.tie_weights()


def _finish(model: Any, contents: Contents, device: Any) -> None:
    """Put the buffers in their place, with the frequencies that the file has factors for."""
    import torch

    factors = rope_factors(contents)
    for module in model.modules():
        for name, buffer in list(module.named_buffers(recurse=False)):
            setattr(module, name, buffer.to(device))
        if factors is not None and getattr(module, "inv_freq", None) is not None:
            module.inv_freq = module.inv_freq / torch.from_numpy(factors).to(device)
            module.original_inv_freq = module.inv_freq
