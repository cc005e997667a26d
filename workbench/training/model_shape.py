"""The shape of a model, from the names and shapes of its tensors; no weights are read.

The weights methods count with it what they train. Nothing here knows memory, time or the machine.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from workbench.base.errors import UserError
from workbench.gguf.architectures import FAMILIES
from workbench.gguf.base_model import Base, read_base
from workbench.gguf.folder import describe_folder
from workbench.gguf.model import describe_gguf
from workbench.gguf.reader import Tensor
from workbench.gguf.safetensors import SafetensorsFile

_BLOCK = re.compile(r"blk\.(\d+)\.(.+)\.(weight|bias)")
_COMPUTED = ("rope_freqs.weight", "rope_factors_long.weight", "rope_factors_short.weight")
"""Tensors of a GGUF file that transformers computes from the config instead: no weights of the model."""

_ROUTER = "ffn_gate_inp"


@dataclass(frozen=True)
class Linear:
    """A linear layer of a block, by llama.cpp's name ("attn_q"). ``bytes`` is what its weights take in the file."""

    layer: int
    stem: str
    inputs: int
    outputs: int
    bytes: int


@dataclass(frozen=True)
class ModelShape:
    """A model in numbers. ``width`` is that of its embeddings, ``inner`` of its widest feed-forward layer, ``keys`` the
    sum over all layers of the widths of keys and values. ``by_layer`` counts the weights of each block, ``rest_bytes``
    are those of what is not a linear layer of a block, as the file holds it. ``new_biases`` are those that can be put
    beside layers that have none. ``sliding_window`` is how many tokens some layers look back, 0 when all do without
    end."""

    name: str
    path: Path
    architecture: str
    is_gguf: bool
    parameters: int
    vocabulary: int
    context_tokens: int
    width: int
    inner: int
    heads: int
    keys: int
    tied: bool
    sliding_window: int
    linears: tuple[Linear, ...]
    by_layer: tuple[int, ...]
    norms: int
    biases: int
    new_biases: int
    file_bytes: int
    rest_bytes: int

    @property
    def layers(self) -> int:
        return len(self.by_layer)

    @property
    def linear_parameters(self) -> int:
        return sum(one.inputs * one.outputs for one in self.linears)


def read_shape(path: Path) -> ModelShape:
    """Describe the model at ``path``: any file of a GGUF model, or a transformers folder.

    Raises UserError when it is not sound, writes no text, or is of an architecture that cannot be carried over to
    llama.cpp.
    """
    details = describe_folder(path) if path.is_dir() else describe_gguf(path)
    if details.model.kind == "embedder":
        raise UserError(
            f"{details.model.name} is an embedding model and cannot generate text.", "Choose a chat or base model."
        )
    base = read_base(path)
    tensors = _all_tensors(path, base)
    names = {tensor.name for tensor in tensors}
    layers = len(base.heads)
    by_layer = [0] * layers
    norms = biases = inner = 0
    linears: list[Linear] = []
    for tensor in tensors:
        match = _BLOCK.fullmatch(tensor.name)
        if match is not None and int(match[1]) < layers:
            by_layer[int(match[1])] += tensor.elements
        if tensor.name.endswith("norm.weight"):
            norms += tensor.elements
        elif tensor.name.endswith(".bias"):
            biases += tensor.elements
        elif match is not None and match[3] == "weight" and len(tensor.shape) == 2 and match[2] != _ROUTER:
            linears.append(Linear(int(match[1]), match[2], tensor.shape[0], tensor.shape[1], tensor.bytes))
        if match is not None and match[2].startswith("ffn_") and len(tensor.shape) == 2 and match[2] != _ROUTER:
            inner = max(inner, *tensor.shape)
    width = details.embedding_length or next(t.shape[0] for t in tensors if t.name == "token_embd.weight")
    metadata = details.metadata
    return ModelShape(
        name=base.name,
        path=path,
        architecture=base.architecture,
        is_gguf=not path.is_dir(),
        parameters=sum(tensor.elements for tensor in tensors),
        vocabulary=details.vocabulary,
        context_tokens=details.model.context_tokens,
        width=width,
        inner=inner,
        heads=max(base.heads, default=1),
        keys=_keys(linears, base, width, metadata),
        tied=base.tied,
        sliding_window=_sliding_window(metadata),
        linears=tuple(linears),
        by_layer=tuple(by_layer),
        norms=norms,
        biases=biases,
        new_biases=sum(one.outputs for one in linears if _can_be_biased(one, base, names)),
        file_bytes=sum(tensor.bytes for tensor in tensors),
        rest_bytes=sum(tensor.bytes for tensor in tensors) - sum(one.bytes for one in linears),
    )


def _can_be_biased(one: Linear, base: Base, names: set[str]) -> bool:
    return one.stem in FAMILIES[base.architecture].new_biases and f"blk.{one.layer}.{one.stem}.bias" not in names


def _keys(linears: list[Linear], base: Base, width: int, metadata: dict[str, object]) -> int:
    apart = sum(one.outputs for one in linears if one.stem in ("attn_k", "attn_v"))
    if apart:
        return apart
    said = metadata.get(f"{base.architecture}.attention.key_length") or metadata.get("head_dim")
    head = said if isinstance(said, int) else width // max(1, *base.heads)
    return sum(2 * heads * head for heads in base.kv_heads)


def _all_tensors(path: Path, base: Base) -> list[Tensor]:
    tensors = [one for one in (base.tensors or {}).values() if one.name not in _COMPUTED]
    if not path.is_dir():
        return tensors
    if not tensors:
        raise UserError(f"{path.name} has no safetensors.", "Get the missing files.")
    # of a folder the base names weights only, in bytes that nobody said
    biases = []
    for file in map(SafetensorsFile, sorted(path.glob("*.safetensors"))):
        for name in file.names():
            if name.endswith(".bias"):
                biases.append(Tensor(_bias_name(base, name), tuple(reversed(file.shape(name))), "F32", 0))
    return [Tensor(one.name, one.shape, one.type, 2 * one.elements) for one in (*tensors, *biases)]


def _bias_name(base: Base, name: str) -> str:
    try:
        return f"{base.tensor_of(name.removesuffix('.bias'))}.bias"
    except UserError:
        return name


def _sliding_window(metadata: Mapping[str, object]) -> int:
    if metadata.get("use_sliding_window") is False:  # qwen2's folders name a window that no layer has
        return 0
    found = (value for key, value in metadata.items() if key.endswith("sliding_window"))
    return next((value for value in found if isinstance(value, int)), 0)
