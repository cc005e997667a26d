"""What of a model moves in a training, counted from the names and shapes of its tensors; no weights are read.

Nothing here knows memory, time or the machine.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from workbench.errors import UserError
from workbench.gguf.architectures import FAMILIES
from workbench.gguf.base_model import Base, read_base
from workbench.gguf.reader import Tensor
from workbench.gguf.safetensors import SafetensorsFile
from workbench.models.folder import describe_folder
from workbench.models.gguf_model import describe_gguf
from workbench.records.training import KRONECKER_FACTOR, WeightsPart, layers_of, rank_of

_BLOCK = re.compile(r"blk\.(\d+)\.(.+)\.(weight|bias)")
_TOKENS_AND_OUTPUT = ("token_embd.weight", "output.weight", "position_embd.weight")
_COMPUTED = ("rope_freqs.weight", "rope_factors_long.weight", "rope_factors_short.weight")
"""Tensors of a GGUF file that transformers computes from the config instead: no weights of the model."""

_ATTENTION = "attn_"
_ROUTER = "ffn_gate_inp"
_IA3_OUT = ("attn_k", "attn_v", "attn_qkv")
_IA3_IN = ("ffn_down",)


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
        raise UserError(f"{details.model.name} is an embedder: it does not write text.", "Choose a chat or base model.")
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


def count_trainable(shape: ModelShape, weights: WeightsPart) -> int:
    """How many weights learn. Raises UserError where the model has none of the kind."""
    match weights.method:
        case "full":
            return shape.parameters
        case "layers":
            return sum(shape.by_layer[number] for number in layers_of(weights, shape.layers))
        case "norms":
            return shape.norms
        case "biases":
            return _biases(shape)
        case "lora" | "rslora" | "dora" | "loha" | "lokr" | "vera" | "miss" | "oft":
            return sum(_beside(one, weights) for one in targets(shape, weights))
        case "ia3":
            return sum(_ia3(one) for one in shape.linears)
        case "prompt":
            return weights.virtual_tokens * shape.width
        case "p-tuning":  # an embedding of each virtual token, and three layers that mix it
            width = shape.width
            return weights.virtual_tokens * width + 3 * (width * width + width)
        case "prefix":
            return weights.virtual_tokens * shape.keys


def targets(shape: ModelShape, weights: WeightsPart) -> list[Linear]:
    """The linear layers that get a low-rank change. Raises UserError where there are none."""
    chosen = [
        one
        for one in shape.linears
        if weights.targets == "all" or (weights.targets == "attention") == one.stem.startswith(_ATTENTION)
    ]
    if not chosen:
        raise UserError(f"{shape.name} has no linear layers of the kind {weights.targets}.", "Take all as the targets.")
    return chosen


def trained_linear_parameters(shape: ModelShape, weights: WeightsPart) -> int:
    """How many weights of linear layers get gradients of their own: what a backward pass computes besides. Products
    that are computed beside a layer's count as well where they are large."""
    rank = rank_of(weights)
    match weights.method:
        case "full":
            return shape.parameters
        case "layers":
            return count_trainable(shape, weights)
        case "lora" | "rslora" | "dora":
            return sum(rank * (one.inputs + one.outputs) for one in targets(shape, weights))
        case "loha" | "lokr":  # another product of the layer's size, and the gradients of what is multiplied
            return 3 * sum(one.inputs * one.outputs for one in targets(shape, weights))
        case "vera":
            return 2 * sum(rank * (one.inputs + one.outputs) for one in targets(shape, weights))
        case "miss":
            return 3 * sum(rank * one.outputs for one in targets(shape, weights))
        case "oft":
            return 3 * sum(block_size(one.inputs, weights.block_size) * one.inputs for one in targets(shape, weights))
        case _:
            return 0


def block_size(inputs: int, wished: int) -> int:
    """How large the blocks are whose numbers OFT rotates: PEFT takes the divisor of a layer's width that is nearest."""
    if wished >= inputs:
        return inputs
    lower = next(size for size in range(wished, 0, -1) if inputs % size == 0)
    higher = next(size for size in range(wished, inputs + 1) if inputs % size == 0)
    return lower if wished - lower <= higher - wished else higher


def _beside(one: Linear, weights: WeightsPart) -> int:
    """What learns beside a linear layer."""
    rank = rank_of(weights)
    match weights.method:
        case "loha":
            return 2 * rank * (one.inputs + one.outputs)
        case "lokr":
            (left_in, right_in), (left_out, right_out) = factors(one.inputs), factors(one.outputs)
            thin = rank < max(right_in, right_out) / 2
            return left_in * left_out + (rank * (right_in + right_out) if thin else right_in * right_out)
        case "vera":
            return rank + one.outputs
        case "miss":
            return rank * one.outputs
        case "oft":
            size = block_size(one.inputs, weights.block_size)
            return one.inputs // size * (size * (size - 1) // 2)
        case "dora":
            return rank * (one.inputs + one.outputs) + one.outputs
        case _:
            return rank * (one.inputs + one.outputs)


def factors(width: int) -> tuple[int, int]:
    """The widths of the two matrices that make LoKr's Kronecker product, as PEFT's ``factorization`` finds them: the
    first is ``KRONECKER_FACTOR``, or the largest smaller divisor of ``width`` that is not beyond its root."""
    if width % KRONECKER_FACTOR == 0:
        return KRONECKER_FACTOR, width // KRONECKER_FACTOR
    small = next(size for size in range(KRONECKER_FACTOR, 0, -1) if width % size == 0 and size * size <= width)
    return small, width // small


def _biases(shape: ModelShape) -> int:
    """Where layers have none, zeros are put beside them if llama.cpp reads them there."""
    if not shape.biases + shape.new_biases:
        raise UserError(f"{shape.name} has no biases.", "Choose another method, such as norms or lora.")
    return shape.biases + shape.new_biases


def _can_be_biased(one: Linear, base: Base, names: set[str]) -> bool:
    return one.stem in FAMILIES[base.architecture].new_biases and f"blk.{one.layer}.{one.stem}.bias" not in names


def _ia3(one: Linear) -> int:
    return one.outputs if one.stem in _IA3_OUT else one.inputs if one.stem in _IA3_IN else 0


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
