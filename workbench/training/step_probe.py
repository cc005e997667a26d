"""How fast this machine trains now, measured on made-up weights of a model's shape.

Loading a model to measure one step of it takes longer than a person wants to wait for an estimate. Models of one layer
and of three compute the same as it does, with its attention, norms, loss and LoRA, in the same number format, with as
many threads as a training would take beside the same other programs; what they take apart is the time of two layers.
Of a model whose layers are large, whose products take nearly all of the time, these alone are measured.
"""

from __future__ import annotations

import time
from typing import Any, NamedTuple

import numpy as np

from workbench.base.errors import UserError
from workbench.engine.threads import INTERVAL_S, ThreadCount
from workbench.training.model_shape import ModelShape

LEAST_ROWS, MOST_ROWS = 16, 512
"""Tokens that are computed at once: fewer take longer each, more are no faster."""
LEAST_S = 2.0
"""The measurement goes on for so long: other programs take the processor by turns."""
WARM_UP = 2
FEW, MORE = 1, 3
"""Layers of the models that are measured."""
MOST_WEIGHTS = 500_000_000
"""Of the layers that are made up in memory."""
MOST_TOKENS = 2048
LAYERS_S, LEAST_ROUNDS = 3.0, 3
_RANK = 16
_ANSWER_TOKENS = 8
_LAYERS_SHARE = 0.5
"""Of the time of a layer as the larger model has it: beside other programs the difference of both may come out lower
than a layer can take."""
UNPACKED = 1 << 22
"""Weights that are unpacked at once."""


_NOT_COMPUTED = (AttributeError, IndexError, KeyError, TypeError, ValueError, RuntimeError)


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


class StepSpeed(NamedTuple):
    """``token_s``: seconds for a token, forwards and backwards, of LoRA on all layers. ``slower``: how many times as
    long as alone on this machine things take beside the other programs."""

    token_s: float
    slower: float


def can_measure(shape: ModelShape) -> bool:
    """Whether a few layers of the model fit into the memory of a measurement."""
    return 0 < (FEW + MORE) * max(shape.by_layer, default=0) <= MOST_WEIGHTS


def measure_layers(shape: ModelShape, rows: int, length: int, *, bf16: bool) -> StepSpeed:
    """Of micro-batches of so many rows of so many tokens, on the processor. Raises UserError for a model that cannot be
    built or computed with so few layers."""
    import torch

    length = min(length, MOST_TOKENS)
    rows = max(1, min(rows, MOST_TOKENS // length))
    before = torch.get_num_threads()
    count = ThreadCount(before)
    kind = torch.bfloat16 if bf16 else torch.float32
    models = [_made_up(shape, layers, kind) for layers in (FEW, MORE)]
    tokens = torch.zeros(rows, length, dtype=torch.long)
    labels = torch.full_like(tokens, -100)
    labels[:, -_ANSWER_TOKENS:] = 0
    time.sleep(max(0.0, INTERVAL_S))  # what others use is seen while nothing is computed here
    threads = count.now()
    torch.set_num_threads(threads)
    try:
        try:
            for model in models:
                _pass(model, tokens, labels, kind)  # kernels are made for the shapes
        except _NOT_COMPUTED as error:
            raise UserError(f"{shape.path.name} is not computed with fewer layers: {error}.") from error
        took, rounds = [0.0, 0.0], 0
        began, computed = time.perf_counter(), time.process_time()
        while rounds < LEAST_ROUNDS or time.perf_counter() - began < LAYERS_S:
            for place, model in enumerate(models):
                since = time.perf_counter()
                _pass(model, tokens, labels, kind)
                took[place] += time.perf_counter() - since
            rounds += 1
        computed = time.process_time() - computed
        share = computed / threads / (time.perf_counter() - began)
    finally:
        torch.set_num_threads(before)
    few, more = (seconds / rounds for seconds in took)
    layer = max((more - few) / (MORE - FEW), _LAYERS_SHARE * more / MORE)
    whole = max(few - FEW * layer, 0.0) + shape.layers * layer
    return StepSpeed(whole / (rows * length), max(1.0, 1 / max(share, 0.01)))


def _made_up(shape: ModelShape, layers: int, kind: Any) -> Any:
    """A model of so many layers with LoRA beside them."""
    from workbench.gguf.base_model import read_base
    from workbench.records.training import WeightsPart
    from workbench.training.methods.linear_layers import LoRA
    from workbench.training.weights.frozen_linear import speed_up
    from workbench.training.weights.loading import LoadedBase, few_layers

    model = speed_up(few_layers(shape.path, layers, kind).requires_grad_(False).eval())
    loaded = LoadedBase(model, read_base(shape.path), "f32", kind, "cpu", 0)
    return LoRA(WeightsPart(rank=_RANK)).apply(loaded).train()


def _pass(model: Any, tokens: Any, labels: Any, kind: Any) -> None:
    import torch

    from workbench.training.losses import chunked_loss, own_loss

    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=kind == torch.bfloat16):
        try:
            loss = chunked_loss(model, tokens, labels)
        except _NOT_COMPUTED:
            loss = own_loss(model, tokens, labels)
    loss.total.backward()
    model.zero_grad(set_to_none=True)
