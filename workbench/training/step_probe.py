"""How fast this machine trains now, measured on one layer of a model's shape with made-up weights.

Loading a model to measure one step of it takes longer than a person wants to wait for an estimate. A layer of its
widths multiplies matrices of the same shapes, in the same number format, beside the same other programs.
"""

from __future__ import annotations

import time

import numpy as np

from workbench.training.model_shape import ModelShape

LEAST_ROWS, MOST_ROWS = 16, 512
"""Tokens that are computed at once: fewer take longer each, more are no faster."""
LEAST_S = 2.0
"""The measurement goes on for so long: other programs take the processor by turns."""
WARM_UP = 2
UNPACKED = 1 << 22
"""Weights that are unpacked at once."""


def measure_unpacking(shape: ModelShape) -> float:
    """Weights per second that this processor unpacks from the blocks of the model's file, as they are unpacked for each
    pass; 0 where nothing of it is packed."""
    import torch

    from workbench.gguf.weights import open_model
    from workbench.training.weights.dequantization import unpack

    stored = [one.tensor for one in open_model(shape.path).tensors.values() if len(one.tensor.shape) > 1]
    packed = [tensor for tensor in stored if tensor.type not in ("F32", "F16", "BF16")]
    if not packed:
        return 0.0
    kind = max(packed, key=lambda tensor: tensor.elements)
    length = kind.shape[0]  # of a row, which a GGUF file names first
    rows = max(1, UNPACKED // length)
    blocks = np.zeros((rows, kind.bytes * length // kind.elements), np.uint8)
    into = np.empty((rows, length), np.float32)
    rounds, began = 0, 0.0
    while rounds <= WARM_UP or time.perf_counter() - began < LEAST_S / 2:
        if rounds == WARM_UP:
            began = time.perf_counter()
        unpack(kind.type, blocks, into, torch.get_num_threads())
        rounds += 1
    return into.size * (rounds - WARM_UP) / (time.perf_counter() - began)


def measure_step(shape: ModelShape, tokens: int, *, bf16: bool) -> float:
    """Operations per second of a forward and a backward pass of so many ``tokens`` through the linear layers of the
    model's first block, whose weights are frozen; on the processor."""
    import torch

    from workbench.training.weights.frozen_linear import product

    count = min(MOST_ROWS, max(LEAST_ROWS, tokens))
    kind = torch.bfloat16 if bf16 else torch.float32
    sizes = [(one.inputs, one.outputs) for one in shape.linears if one.layer == 0] or [(shape.width, shape.inner)]
    layers = [
        tuple(torch.ones(*size, dtype=kind) for size in ((count, inputs), (outputs, inputs), (count, outputs)))
        for inputs, outputs in sizes
    ]
    each = sum(4.0 * count * inputs * outputs for inputs, outputs in sizes)
    rounds, began = 0, 0.0
    while rounds <= WARM_UP or time.perf_counter() - began < LEAST_S:
        if rounds == WARM_UP:
            began = time.perf_counter()
        for rows, weights, gradient in layers:
            product(rows, weights)
            product(gradient, weights.t())
        rounds += 1
    return each * (rounds - WARM_UP) / (time.perf_counter() - began)
