"""Weights in four bits by bitsandbytes (NF4, https://arxiv.org/abs/2305.14314), on CUDA devices only."""

from __future__ import annotations

import importlib
import importlib.util
from typing import Any

from workbench.base.errors import UserError


def check_four_bit(device: Any) -> None:
    """Raises UserError where weights cannot be held in four bits."""
    if device.type != "cuda":
        raise UserError(
            "Weights in 4 bits need an NVIDIA GPU.", "Hold the base weights packed, which works on every processor."
        )
    if importlib.util.find_spec("bitsandbytes") is None:
        raise UserError(
            "Weights in 4 bits need the package bitsandbytes.",
            "Install it with `pip install bitsandbytes`, or hold the base weights packed.",
        )


def four_bit_layer(layer: Any, weight: Any, device: Any) -> Any:
    """The linear ``layer`` with its ``weight``, a parameter, in four bits; its bias is filled later."""
    import torch

    bitsandbytes: Any = importlib.import_module("bitsandbytes")
    made = bitsandbytes.nn.Linear4bit(
        layer.in_features,
        layer.out_features,
        bias=False,
        compute_dtype=weight.dtype,
        compress_statistics=True,
        quant_type="nf4",
        device="meta",
    )
    # what is not on the device yet is quantised when it is moved there
    made.weight = bitsandbytes.nn.Params4bit(
        weight.data.to("cpu"), requires_grad=False, compress_statistics=True, quant_type="nf4", module=made
    ).to(device)
    if layer.bias is not None:
        made.bias = torch.nn.Parameter(torch.empty_like(layer.bias), requires_grad=False)
    return made


def four_bit_config(dtype: Any) -> Any:
    """The same for ``from_pretrained``."""
    from transformers import BitsAndBytesConfig

    return BitsAndBytesConfig(
        load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True, bnb_4bit_compute_dtype=dtype
    )
