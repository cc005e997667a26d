"""Layers whose weights stay the blocks of the GGUF file, unpacked for each multiplication, forward and backward.

The file is mapped into memory, so that its pages are shared with an engine that answers from it meanwhile. What is
unpacked lies in one small buffer and is never kept: a layer under training saves neither its weight nor its input,
since the input's gradient needs the weight only, which is unpacked again, and the weight has no gradient. The idea of
training adapters on a packed base is QLoRA's (https://arxiv.org/abs/2305.14314); here the blocks are ggml's.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.autograd.function import once_differentiable
from torch.utils._pytree import tree_map

from workbench.base.errors import UserError
from workbench.gguf.architectures import Order
from workbench.training.weights.dequantization import unpack
from workbench.training.weights.frozen_linear import product


class Scratch(threading.local):
    """The buffers that weights are unpacked into, one set for each thread. They grow to what is asked for."""

    def __init__(self) -> None:
        self._buffers: dict[torch.dtype, Any] = {}

    def take(self, rows: int, length: int, dtype: torch.dtype) -> Any:
        """A tensor whose contents are valid until the next call with this ``dtype``."""
        buffer = self._buffers.get(dtype)
        if buffer is None or buffer.numel() < rows * length:
            buffer = self._buffers[dtype] = torch.empty(rows * length, dtype=dtype)
        return buffer[: rows * length].view(rows, length)


class Blocks:
    """One matrix of blocks in the file's order of rows, (rows, bytes of a row) on the CPU, mapped from the file.

    ``order`` is the architecture's: row ``i`` of the file is row ``order[i]`` of the matrix in transformers.
    """

    device = torch.device("cpu")
    unary = 1 << 22
    """Numbers that are unpacked at once: 16 MiB in float32, which a processor's cache can hold."""

    def __init__(self, data: NDArray[np.uint8], kind: str, length: int, order: Order | None, scratch: Scratch) -> None:
        self.data: Any = data
        self.kind = kind
        self.shape = (len(data), length)
        self.order = None if order is None else torch.from_numpy(np.ascontiguousarray(order))
        self.places = None if self.order is None else torch.argsort(self.order)
        self._scratch = scratch

    @property
    def nbytes(self) -> int:
        return int(self.data.nbytes)

    def chunks(self, dtype: torch.dtype) -> Iterator[tuple[int, int, Any]]:
        """(first row, end, these rows as ``dtype``), in the file's order. A chunk is valid until the next one."""
        rows, length = self.shape
        step = max(1, self.unary // length)
        for first in range(0, rows, step):
            end = min(first + step, rows)
            yield first, end, self._unpacked(self.data[first:end], dtype)

    def rows(self, numbers: Any, dtype: torch.dtype) -> Any:
        """The rows with ``numbers``, a flat tensor of transformers' row numbers, (rows asked for, row length)."""
        if self.places is not None:
            numbers = self.places[numbers]
        found = np.ascontiguousarray(self.data[numbers.numpy()])
        return self._unpacked(found, dtype).clone()

    def whole(self, dtype: torch.dtype) -> Any:
        """All of the matrix, in transformers' order of rows."""
        into = torch.empty(self.shape, dtype=dtype)
        for first, end, rows in self.chunks(dtype):
            into[slice(first, end) if self.order is None else self.order[first:end]] = rows
        return into

    def _unpacked(self, blocks: NDArray[np.uint8], dtype: torch.dtype) -> Any:
        numbers = self._scratch.take(len(blocks), self.shape[1], torch.float32)
        unpack(self.kind, blocks, numbers.numpy(), torch.get_num_threads())
        if dtype == torch.float32:
            return numbers
        return self._scratch.take(len(blocks), self.shape[1], dtype).copy_(numbers)


def blocks_of(weight: Any, scratch: Scratch) -> Blocks:
    """A dense bfloat16 matrix on the CPU as blocks, which share its memory: it is computed with in another type."""
    return Blocks(weight.detach().view(torch.uint8).numpy(), "BF16", weight.shape[1], None, scratch)


class DeviceBlocks(Blocks):
    """Blocks that were copied onto a device, where transformers' torch code unpacks them."""

    unary = 1 << 26

    def __init__(self, blocks: Blocks, device: torch.device) -> None:
        self.device = device
        self.kind = blocks.kind
        self.shape = blocks.shape
        self.data = torch.from_numpy(np.array(blocks.data)).to(device)
        self.order = None if blocks.order is None else blocks.order.to(device)
        self.places = None if blocks.places is None else blocks.places.to(device)

    def rows(self, numbers: Any, dtype: torch.dtype) -> Any:
        return self._unpacked(self.data[numbers if self.places is None else self.places[numbers]], dtype)

    def whole(self, dtype: torch.dtype) -> Any:
        found = self._unpacked(self.data, dtype)
        return found if self.places is None else found[self.places]

    def _unpacked(self, blocks: Any, dtype: torch.dtype) -> Any:
        from transformers.integrations.gguf.dequant import dequantize

        return dequantize(blocks, _number(self.kind), dtype).reshape(len(blocks), self.shape[1])


def fits_device(kind: str, device: torch.device) -> bool:
    """Whether blocks of this format can be unpacked on a device."""
    from transformers.integrations.gguf.dequant import GGML_BLOCK

    return device.type == "cpu" or _number(kind) in GGML_BLOCK


def _number(kind: str) -> int:
    import gguf

    return int(gguf.GGMLQuantizationType[kind])


class PackedWeight(torch.Tensor):  # type: ignore[misc]
    """A parameter that is blocks, and is unpacked whole by whatever but a packed layer computes with it (DoRA's norms).

    It has shape, type and device of the weight that it stands for. It cannot be changed.
    """

    blocks: Blocks

    @staticmethod
    def __new__(cls, blocks: Blocks, dtype: torch.dtype) -> PackedWeight:
        made = torch.Tensor._make_wrapper_subclass(cls, blocks.shape, dtype=dtype, device=blocks.device)
        made.blocks = blocks
        assert isinstance(made, PackedWeight)
        return made

    def __repr__(self, *, tensor_contents: Any = None) -> str:
        return f"PackedWeight({self.blocks.kind}, {tuple(self.shape)})"

    def __deepcopy__(self, memo: Any) -> Any:
        return nn.Parameter(PackedWeight(self.blocks, self.dtype), requires_grad=False)

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func in (torch.ops.aten.detach.default, torch.ops.aten.alias.default):
            return PackedWeight(args[0].blocks, args[0].dtype)
        if func._schema.is_mutable:
            raise RuntimeError(f"{func}: a packed weight cannot be changed")
        args, kwargs = tree_map(_dense, (args, kwargs or {}))
        return func(*args, **kwargs)


def _dense(value: Any) -> Any:
    return value.blocks.whole(value.dtype) if isinstance(value, PackedWeight) else value


class _Product(torch.autograd.Function):  # type: ignore[misc]
    """``x @ weight.T`` for x of shape (n, in), without bias; nothing is saved for the gradient of ``x``."""

    @staticmethod
    def forward(ctx: Any, x: Any, blocks: Blocks) -> Any:
        ctx.blocks = blocks
        found = x.new_empty(len(x), blocks.shape[0])
        for first, end, rows in blocks.chunks(x.dtype):
            found[:, first:end] = product(x, rows)
        return found if blocks.places is None else found.index_select(1, blocks.places)

    @staticmethod
    @once_differentiable  # type: ignore[untyped-decorator]
    def backward(ctx: Any, grad: Any) -> tuple[Any, None]:
        blocks: Blocks = ctx.blocks
        if blocks.order is not None:
            grad = grad.index_select(1, blocks.order)
        # float32, since a sum over the chunks of a large layer would lose bits in less
        found = torch.zeros(len(grad), blocks.shape[1], device=grad.device)
        for first, end, rows in blocks.chunks(grad.dtype):
            found += product(grad[:, first:end], rows.t())
        return found.to(grad.dtype), None


class _Packed(nn.Module):  # type: ignore[misc]
    """The common part of both layers: their weight is in no state dict and is never moved."""

    weight: PackedWeight

    def _save_to_state_dict(self, destination: dict[str, Any], prefix: str, keep_vars: bool) -> None:
        super()._save_to_state_dict(destination, prefix, keep_vars)
        destination.pop(f"{prefix}weight", None)

    def _load_from_state_dict(
        self, state: dict[str, Any], prefix: str, metadata: Any, strict: bool, missing: list[str], *rest: Any
    ) -> None:
        super()._load_from_state_dict(state, prefix, metadata, strict, missing, *rest)
        if f"{prefix}weight" in missing:
            missing.remove(f"{prefix}weight")

    def _apply(self, fn: Any, recurse: bool = True) -> Any:
        weight = self._parameters.pop("weight")
        try:
            return super()._apply(fn, recurse)
        finally:
            self._parameters["weight"] = weight

    def _blocks(self) -> Blocks:
        if self.weight.requires_grad:
            raise UserError(
                "Weights that are packed cannot be trained themselves.",
                "Train an adapter beside them, or hold the base weights as bf16 or f32.",
            )
        return self.weight.blocks


class PackedLinear(_Packed, nn.Linear):  # type: ignore[misc]
    """A linear layer; whatever the type of its input is, it computes in that."""

    def forward(self, input: Any) -> Any:
        flat = input.reshape(-1, self.in_features)
        found = _Product.apply(flat, self._blocks()).view(*input.shape[:-1], self.out_features)
        return found if self.bias is None else found + self.bias.to(found.dtype)


class PackedEmbedding(_Packed, nn.Embedding):  # type: ignore[misc]
    """Embeddings, of which only those rows are unpacked that are asked for."""

    def forward(self, input: Any) -> Any:
        found = self._blocks().rows(input.reshape(-1), self.weight.dtype)
        return found.view(*input.shape, self.embedding_dim)


def can_pack(module: nn.Module) -> bool:
    """Whether a layer can keep its weight as blocks: plain linear layers, and embeddings of any class."""
    return type(module) is nn.Linear or (isinstance(module, nn.Embedding) and module.max_norm is None)


def hold_apart(model: nn.Module, dtype: torch.dtype) -> nn.Module:
    """Let a bfloat16 model on the CPU compute in ``dtype`` while its matrices stay bfloat16, where all of them can."""
    layers = {name: module for name, module in model.named_modules() if can_pack(module)}
    if any(one.ndim > 1 and name.removesuffix(".weight") not in layers for name, one in model.named_parameters()):
        return model
    scratch = Scratch()
    weights: dict[int, PackedWeight] = {}
    for module in layers.values():
        dense = module.weight
        if id(dense) not in weights:
            weights[id(dense)] = nn.Parameter(PackedWeight(blocks_of(dense, scratch), dtype), requires_grad=False)
        pack(module, weights[id(dense)])
    return model.to(dtype)


def unpack_layers(model: nn.Module, names: Iterable[str]) -> None:
    """Give layers that are packed weights of their own, in the type that they compute in, so that these can be trained.

    ``names`` are those of parameters of ``model``; a weight that several layers share stays shared.
    """
    wanted = {id(model.get_parameter(name)) for name in names}
    made: dict[int, nn.Parameter] = {}
    for module in list(model.modules()):
        if not isinstance(module, _Packed) or id(module.weight) not in wanted:
            continue
        weight = module.weight
        if id(weight) not in made:
            made[id(weight)] = nn.Parameter(weight.blocks.whole(weight.dtype), requires_grad=False)
        module.__class__ = nn.Linear if isinstance(module, nn.Linear) else _embedding_class(type(module))
        module._parameters["weight"] = made[id(weight)]


def _embedding_class(packed: type) -> type:
    return next(kind for kind in packed.__mro__ if issubclass(kind, nn.Embedding) and not issubclass(kind, _Packed))


def pack(module: nn.Module, weight: PackedWeight) -> None:
    """Make a layer that can be packed one that is: of the class that it has, with another way of computing."""
    if isinstance(module, nn.Embedding):
        own = type(module)
        # a class that scales what nn.Embedding gives (gemma's) scales what PackedEmbedding gives
        bases = (PackedEmbedding,) if own is nn.Embedding else (own, PackedEmbedding)
        module.__class__ = PackedEmbedding if own is nn.Embedding else type(f"Packed{own.__name__}", bases, {})
    else:
        module.__class__ = PackedLinear
    module._parameters["weight"] = weight if isinstance(weight, nn.Parameter) else nn.Parameter(weight, False)
