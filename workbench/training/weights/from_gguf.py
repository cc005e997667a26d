"""A transformers model out of a GGUF file: built empty, then each tensor unpacked into its place, or left packed."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from workbench.base.errors import UserError
from workbench.base.files import open_regular
from workbench.gguf.base_model import Base
from workbench.gguf.weights import Contents
from workbench.records.training import BaseForm
from workbench.training.weights.configs import can_build, config_from_gguf, rope_factors
from workbench.training.weights.dequantization import row_bytes
from workbench.training.weights.dtype_selection import Choice
from workbench.training.weights.four_bit import check_four_bit, four_bit_layer
from workbench.training.weights.tensors import Source, can_be_packed, fill, find_sources

Report = Callable[[int, int], None]
"""Is called with the bytes of weights that are read, and of all."""


def load_gguf(contents: Contents, base: Base, choice: Choice, device: Any, report: Report | None = None) -> Any:
    """The model, its weights as ``choice`` says, on ``device``.

    Raises UserError when the file is not sound, its architecture is not known, or its weights do not fit the model that
    transformers makes of its metadata.
    """
    import torch

    if choice.form == "4bit":
        check_four_bit(device)
    if not can_build(base.architecture):
        raise UserError(
            f"{base.path.name} is of the architecture {base.architecture}, which cannot be trained out of a GGUF file "
            "here.",
            "Choose the safetensors folder that it was made from.",
        )
    computing = getattr(torch, choice.dtype)
    if choice.form == "bf16" and not can_be_packed(contents, base):
        computing = torch.bfloat16  # it cannot be held apart from what is computed
    model = empty_model(config_from_gguf(contents, base), computing)
    sources = find_sources(model, contents, base)
    holder = _Holder(model, choice.form, computing, device)
    total = sum(one.tensor.bytes for source in sources.values() for one in source.stored)
    done = 0
    for name, source in sources.items():
        holder.hold(name, source)
        done += sum(one.tensor.bytes for one in source.stored)
        if report is not None:
            report(done, total)
    _tie(model)
    if choice.form == "4bit":
        model.is_loaded_in_4bit = True  # what peft asks
    _place_buffers(model, contents, device)
    return model


def empty_model(config: Any, dtype: Any) -> Any:
    """A model whose parameters are on the meta device; its buffers are computed."""
    from accelerate import init_empty_weights
    from transformers import AutoModelForCausalLM

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of ids of tokens that are not in the vocabulary
        with init_empty_weights(include_buffers=False):
            model = AutoModelForCausalLM.from_config(config, dtype=dtype)
    model.tie_weights()
    return model


class _Holder:
    """Fills an empty model, one parameter after the other, each in the form that it is to be held in."""

    def __init__(self, model: Any, form: BaseForm, dtype: Any, device: Any) -> None:
        from workbench.training.weights.packed_layers import Scratch

        self._model = model
        self._form = form
        self._dtype = dtype
        self._device = device
        self._maps: dict[Path, Any] = {}
        self._scratch = Scratch()

    def hold(self, name: str, source: Source) -> None:
        import torch

        from workbench.training.weights import packed_layers as packed

        owner, _, attribute = name.rpartition(".")
        module = self._model.get_submodule(owner)
        matrix = attribute == "weight" and packed.can_pack(module)
        if self._form == "packed" and matrix and packed.fits_device(source.stored[0].tensor.type, self._device):
            packed.pack(module, packed.PackedWeight(self._mapped(source), self._dtype))
        elif self._form == "bf16" and matrix and self._dtype != torch.bfloat16 and self._device.type == "cpu":
            blocks = packed.blocks_of(self._filled(module.weight, source, torch.bfloat16), self._scratch)
            packed.pack(module, packed.PackedWeight(blocks, self._dtype))
        else:
            parameter = self._filled(getattr(module, attribute), source, self._dtype)
            in_block = name.startswith(f"{self._model.base_model_prefix}.") and isinstance(module, torch.nn.Linear)
            if self._form == "4bit" and matrix and in_block:
                self._model.set_submodule(owner, four_bit_layer(module, parameter, self._device))
            else:
                setattr(module, attribute, parameter)

    def _filled(self, empty: Any, source: Source, dtype: Any) -> Any:
        import torch

        filled = torch.empty(empty.shape, dtype=dtype, device=self._device)
        fill(filled, source, torch.get_num_threads())
        return torch.nn.Parameter(filled, requires_grad=False)

    def _mapped(self, source: Source) -> Any:
        """The blocks of a matrix, in a map of the file that holds it, one for each file."""
        from workbench.training.weights import packed_layers as packed

        stored = source.stored[0]
        length, rows = stored.tensor.shape
        if stored.path not in self._maps:
            with open_regular(stored.path) as file:
                self._maps[stored.path] = np.memmap(file, np.uint8, "r")
        size = row_bytes(stored.tensor.type, length)
        begin = stored.tensor.offset
        data = self._maps[stored.path][begin : begin + rows * size].reshape(rows, size)
        blocks = packed.Blocks(data, stored.tensor.type, length, source.order, self._scratch)
        return blocks if self._device.type == "cpu" else packed.DeviceBlocks(blocks, self._device)


def _tie(model: Any) -> None:
    """Give the output layer the embeddings where they are the same, packed ones too."""
    model.tie_weights()
    output, weight = model.get_output_embeddings(), model.get_input_embeddings().weight
    if output is not None and output.weight is weight and hasattr(weight, "blocks"):
        from workbench.training.weights import packed_layers as packed

        packed.pack(output, weight)


def _place_buffers(model: Any, contents: Contents, device: Any) -> None:
    """Put the buffers on the device, with the frequencies that the file has factors for."""
    import torch

    factors = rope_factors(contents)
    for module in model.modules():
        for name, buffer in list(module.named_buffers(recurse=False)):
            setattr(module, name, buffer.to(device))
        if factors is not None and getattr(module, "inv_freq", None) is not None:
            module.inv_freq = module.inv_freq / torch.from_numpy(factors).to(device)
            module.original_inv_freq = module.inv_freq.clone()
