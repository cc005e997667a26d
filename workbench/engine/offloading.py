"""Bytes per layer of a model, the GPUs available to it, and the distribution of its layers over them."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from workbench.base.errors import UserError
from workbench.engine.inference_calls import Load
from workbench.gguf.reader import Tensor
from workbench.records.models import Device, ModelDetails

_LAYER = re.compile(r"^blk\.(\d+)\.")
_EMBEDDING, _OUTPUT = "token_embd.weight", "output.weight"


@dataclass(frozen=True)
class Weights:
    """Bytes of a model's weights: of each layer, of the output layer, and of the part that stays on the processor.

    ``tied``: the token embeddings are the output layer as well; they are on the processor and, when the output layer is
    on a GPU, there a second time (``output`` counts it).
    """

    layers: tuple[int, ...]
    output: int
    input: int
    tied: bool = False

    @classmethod
    def estimate(cls, model: ModelDetails) -> Weights:
        """Equal parts, for models without a tensor table."""
        part = model.model.bytes // (model.layers + 1)
        return cls((part,) * model.layers, model.model.bytes - part * model.layers, 0)

    @property
    def total(self) -> int:
        return sum(self.layers) + self.input + (0 if self.tied else self.output)

    def on_gpu(self, layer: int) -> int:
        """Bytes of a layer; the one after the last is the output layer."""
        return self.layers[layer] if layer < len(self.layers) else self.output

    def on_host(self, gpu_layers: int) -> int:
        """Bytes on the processor when the last ``gpu_layers``, the output layer included, are on GPUs."""
        output = 0 if gpu_layers or self.tied else self.output
        return self.input + output + sum(self.layers[: len(self.layers) + 1 - gpu_layers])


def weigh_tensors(details: ModelDetails, tensors: Sequence[Tensor]) -> Weights:
    """Bytes of the tensors in a model's files, by place."""
    layers = [0] * details.layers
    output = inputs = embedding = 0
    tied = True
    for tensor in tensors:
        match = _LAYER.match(tensor.name)
        if match and int(match[1]) < len(layers):
            layers[int(match[1])] += tensor.bytes
        elif tensor.name.startswith("output"):
            output += tensor.bytes
            tied = tied and tensor.name != _OUTPUT
        else:
            inputs += tensor.bytes
            embedding += tensor.bytes if tensor.name == _EMBEDDING else 0
    return Weights(tuple(layers), output + (embedding if tied else 0), inputs, tied)


def find_gpus(call: Load, devices: Sequence[Device]) -> list[Device]:
    """The GPUs for a model, in llama.cpp's order; integrated ones only when there are no others. Empty when the
    settings use none.

    Raises UserError for layers, a GPU or shares that these GPUs cannot have.
    """
    if call.gpu_layers == 0:
        return []
    found = [device for device in devices if device.kind == "gpu"]
    gpus = [device for device in found if not device.shared] or found
    if not gpus:
        if call.gpu_layers > 0:
            raise UserError(
                f"The settings put {call.gpu_layers} layers on the GPU, but llama.cpp sees no GPU.",
                "Set the GPU layers to -1 or 0, or install a llama-cpp-python that was built for your GPU.",
            )
        return []
    if call.split_mode == "none":
        if not 0 <= call.main_gpu < len(gpus):
            raise UserError(
                f"There is no GPU {call.main_gpu}: llama.cpp sees {len(gpus)}, counted from 0.",
                "Set the main GPU to another number.",
            )
        return [gpus[call.main_gpu]]
    split = call.tensor_split
    if len(split) > len(gpus) or any(not math.isfinite(share) or share < 0 for share in split):
        raise UserError(
            f"The GPU shares {', '.join(f'{share:g}' for share in split)} do not match the {len(gpus)} GPUs.",
            "Give each GPU one share that is not negative, in llama.cpp's order, or leave the shares empty.",
        )
    if split and not sum(split):
        raise UserError("All GPU shares are 0.", "Leave the shares empty, or set the GPU layers to 0.")
    return gpus


def distribute_layers(call: Load, sizes: Sequence[int], rooms: Sequence[int]) -> tuple[float, ...]:
    """The number of layers of ``sizes`` bytes, in their order, that each GPU with so much room gets.

    With ``split_mode`` row it is each GPU's share of every layer. Given shares are kept; otherwise they follow the free
    room, or, where the layers do not fit that way, each GPU is filled before the next one.
    """
    if len(rooms) < 2 or not sizes:
        return (float(len(sizes)),) * len(rooms)
    shares = [float(max(0, room)) for room in rooms]
    if call.tensor_split:
        shares = [*call.tensor_split, *[0.0] * (len(rooms) - len(call.tensor_split))]
    elif not sum(shares):
        shares = [1.0, *[0.0] * (len(rooms) - 1)]
    if call.split_mode == "row":
        return tuple(round(share / sum(shares), 4) for share in shares)
    counts = _by_shares(len(sizes), shares)
    if call.tensor_split or _fits(counts, sizes, rooms):
        return counts
    filled = _fill(sizes, rooms)
    return filled if _fits(filled, sizes, rooms) else counts


def _by_shares(layers: int, shares: Sequence[float]) -> tuple[float, ...]:
    """llama.cpp's rule: layer k goes to the first GPU whose cumulative share exceeds k / layers."""
    counts = [0.0] * len(shares)
    total = sum(shares)
    for layer in range(layers):
        summed = 0.0
        for gpu, share in enumerate(shares):
            summed += share
            if summed / total > layer / layers or gpu == len(shares) - 1:
                counts[gpu] += 1
                break
    return tuple(counts)


def _fill(sizes: Sequence[int], rooms: Sequence[int]) -> tuple[float, ...]:
    counts = [0.0] * len(rooms)
    gpu, left = 0, rooms[0]
    for size in sizes:
        while size > left and gpu < len(rooms) - 1:
            gpu += 1
            left = rooms[gpu]
        counts[gpu] += 1
        left -= size
    return tuple(counts)


def _fits(counts: Sequence[float], sizes: Sequence[int], rooms: Sequence[int]) -> bool:
    begin = 0
    for count, room in zip(counts, rooms, strict=True):
        held = sum(sizes[begin : begin + int(count)])
        if count and held > room:
            return False
        begin += int(count)
    return True
