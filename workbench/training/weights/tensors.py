"""Maps tensors of a GGUF file to parameters of a transformers model, and restores their order.

Names are ``gguf``'s, rows those of ``gguf.architectures``. Both ways are checked: a parameter that the file does not
have, and a tensor that the model does not use, are refused, since such a model would load and answer nonsense.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

import gguf
import numpy as np

from workbench.base.errors import UserError
from workbench.base.files import open_regular
from workbench.gguf.architectures import Order, layer_of, row_order
from workbench.gguf.base_model import Base
from workbench.gguf.weights import Contents, Stored
from workbench.training.weights.dequantization import row_bytes, unpack

_AT_ONCE = 1 << 20  # numbers that are unpacked before they are put in their place
_SPREAD_NORMS = ("gemma", "gemma2", "gemma3")  # whose norms are stored as one more than transformers'
_TURNED_LAYERS = ("gpt2",)  # whose layers are transformers' Conv1D, (in, out)
_NOT_PARAMETERS = ("rope_freqs.weight", "rope_factors_long.weight", "rope_factors_short.weight")
_FUSED_EXPERTS = re.compile(r"(.*\.experts)\.(gate_up|down)_proj")
_ONE_ROW = "ffn_gate_inp_shexp.weight"  # a vector in the file, a row in transformers


@dataclass(frozen=True)
class Source:
    """The source of a parameter: one tensor, or of fused experts one after the other along the second dimension.
    ``order`` is the architecture's: row ``i`` of the file is row ``order[i]`` of the parameter. ``less`` is taken
    away."""

    stored: tuple[Stored, ...]
    order: Order | None = None
    less: float = 0.0
    turned: bool = False


def can_be_packed(contents: Contents, base: Base) -> bool:
    """Whether all matrices of a model are those of plain linear layers and embeddings, none of fused experts."""
    shapes = [stored.tensor.shape for stored in contents.tensors.values()]
    return base.architecture not in _TURNED_LAYERS and not any(len(shape) > 2 for shape in shapes)


def find_sources(model: Any, contents: Contents, base: Base) -> dict[str, Source]:
    """The source of each parameter of a transformers model, which may be on the meta device.

    Raises UserError when a parameter is not in the file, has another shape there, or the file holds more.
    """
    kinds = {name: kind for kind, name in gguf.MODEL_ARCH_NAMES.items()}
    names = gguf.get_tensor_name_map(kinds[base.architecture], len(base.heads))
    found: dict[str, Source] = {}
    used = set(_NOT_PARAMETERS)
    for name, parameter in model.named_parameters():
        stored = _stored(name, names, contents, base)
        first = stored[0].tensor
        used.update(one.tensor.name for one in stored)
        rows = first.shape[1] if len(first.shape) > 1 else first.shape[0]
        source = Source(
            stored,
            _order(base, first.name, rows),
            less=1.0 if base.architecture in _SPREAD_NORMS and first.name.endswith("norm.weight") else 0.0,
            turned=base.architecture in _TURNED_LAYERS and first.name.startswith("blk.") and len(first.shape) == 2,
        )
        if _shape(source) != tuple(parameter.shape):
            raise UserError(
                f"{base.path} holds {first.name!r} as {' x '.join(map(str, reversed(first.shape)))}; its metadata "
                f"asks for {' x '.join(map(str, parameter.shape))}.",
                "Get the model again, or in another conversion.",
            )
        found[name] = source
    unused = sorted(set(contents.tensors) - used)
    if unused:
        some = ", ".join(unused[:3]) + (" and more" if len(unused) > 3 else "")
        raise UserError(
            f"{base.path} holds weights that transformers' model of the architecture {base.architecture} does not "
            f"have: {some}.",
            "Choose another model.",
        )
    return found


def fill(parameter: Any, source: Source, threads: int) -> None:
    """Put the weights into ``parameter``, a tensor of any floating point type on any device.

    No more than ``_AT_ONCE`` numbers, or one row, are held besides. Raises UserError when the file cannot be read.
    """
    target = parameter.T if source.turned else parameter
    if len(source.stored) > 1 or target.ndim == 3:
        parts = target.chunk(len(source.stored), dim=1)
        for stored, part in zip(source.stored, parts, strict=True):
            with open_regular(stored.path) as file:
                file.seek(stored.tensor.offset)
                for expert in part:
                    _fill_rows(file, expert, source, stored, threads)
        return
    stored = source.stored[0]
    with open_regular(stored.path) as file:
        file.seek(stored.tensor.offset)
        if target.ndim == 1 and source.order is None:
            target = target.view(1, -1)
        elif target.ndim == 1:
            target = target.view(-1, 1)
        _fill_rows(file, target, source, stored, threads)


def _fill_rows(file: BinaryIO, target: Any, source: Source, stored: Stored, threads: int) -> None:
    """``target`` is (rows, row length); the file stands where they begin."""
    import torch

    rows, length = target.shape
    size = row_bytes(stored.tensor.type, length)
    step = max(1, _AT_ONCE // length)
    direct = target.dtype == torch.float32 and target.is_contiguous() and target.device.type == "cpu"
    direct = direct and source.order is None
    scratch = None if direct else torch.empty(min(step, rows), length)
    order = None if source.order is None else torch.from_numpy(np.ascontiguousarray(source.order))
    for first in range(0, rows, step):
        count = min(step, rows - first)
        blocks = np.empty((count, size), np.uint8)
        if file.readinto(blocks.data) != blocks.nbytes:  # type: ignore[attr-defined]
            raise UserError(f"{stored.path} became shorter while it was read.", "Get the model again.")
        into = target[first : first + count] if scratch is None else scratch[:count]
        unpack(stored.tensor.type, blocks, into.numpy(), threads)
        if source.less:
            into -= source.less
        if order is not None:
            target[order[first : first + count]] = into.to(target.dtype)
        elif scratch is not None:
            target[first : first + count] = into


def _stored(name: str, names: gguf.TensorNameMap, contents: Contents, base: Base) -> tuple[Stored, ...]:
    wanted = tuple(_names(name, names, base))
    missing = [one for one in wanted or (name,) if one not in contents.tensors]
    if missing:
        raise UserError(
            f"{base.path} has no {missing[0]!r}, which its architecture {base.architecture} needs in transformers.",
            "Get the model again, or in another conversion.",
        )
    return tuple(contents.tensors[one] for one in wanted)


def _names(name: str, names: gguf.TensorNameMap, base: Base) -> Iterator[str]:
    """llama.cpp's names of a parameter; none when it has no name for it."""
    experts = _FUSED_EXPERTS.fullmatch(name)
    parts = {"gate_up": ("gate_proj", "up_proj"), "down": ("down_proj",)}[experts[2]] if experts else ()
    for part in parts:
        assert experts is not None
        found = names.get_name(f"{experts[1]}.{part}")
        if found is not None:
            yield f"{found}.weight"
    if not experts:
        plain = name.removeprefix("transformer.") if base.architecture in _TURNED_LAYERS else name
        found = names.get_name(plain, try_suffixes=(".weight", ".bias"))
        if found is not None:
            yield found


def _order(base: Base, tensor: str, rows: int) -> Order | None:
    layer = layer_of(tensor)
    if layer is None:
        return None
    try:
        return row_order(base.architecture, tensor, rows, base.heads[layer], base.kv_heads[layer])
    except (ValueError, IndexError, ZeroDivisionError) as error:
        raise UserError(
            f"{base.path} holds {tensor!r} with {rows} rows, which are not those of so many heads.",
            "Get the model again.",
        ) from error


def _shape(source: Source) -> tuple[int, ...]:
    """The shape that the parameter has, of its tensors."""
    first = source.stored[0].tensor
    shape = tuple(reversed(first.shape))
    if len(source.stored) > 1:
        if len(shape) != 3 or any(one.tensor.shape != first.shape for one in source.stored):
            return ()
        return (shape[0], shape[1] * len(source.stored), shape[2])
    if first.name.endswith(_ONE_ROW) and len(shape) == 1:
        return (1, *shape)
    return tuple(reversed(shape)) if source.turned else shape
