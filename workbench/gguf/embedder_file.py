"""Writes the layers of a sentence-transformers folder as GGUF, without torch; the word vectors stay in the folder.

The file has a vocabulary of one word that nobody uses: token ids come from the folder's own tokenizer, and llama.cpp
is given the word vectors themselves. So it reserves no logits of the whole vocabulary, which for an encoder are
hundreds of megabytes, and the table of words, often the larger half of a model, is not in memory.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from workbench.base.durability import check_room, written_beside
from workbench.gguf.embedder_layout import ZEROS, Layout, layout_of
from workbench.gguf.folder_weights import Floats, FolderWeights
from workbench.gguf.reader import padded
from workbench.gguf.sentence_folder import NotForEngineError, SentenceFolder
from workbench.gguf.writer import fill, flag_entry, float_entry, header, number_entry, size_of, text_entry

NumberFormat = Literal["F32", "F16", "BF16"]
LayerFormat = NumberFormat | Literal["Q8_0"]

_ALIGNMENT = 32
_KEPT_WHOLE = ("token_embd.weight", "token_types.weight", "position_embd.weight")
_POOLINGS = {"mean": 1, "cls": 2, "last": 3}  # llama.h: enum llama_pooling_type
_LARGEST_F16 = 65_504.0
_ROWS: dict[str, Callable[[Layout], slice]] = {
    "token_types.weight": lambda layout: slice(1),  # llama.cpp takes every text for a first sentence
    "position_embd.weight": lambda layout: slice(layout.first_position, layout.first_position + layout.positions),
}
"""The rows that llama.cpp needs of a tensor, where these are not all."""


def read_layout(folder: SentenceFolder, weights: FolderWeights) -> Layout:
    """Raises NotForEngineError where llama.cpp does not compute the model."""
    if weights.quantised:
        raise NotForEngineError("its weights are quantised")
    layout = layout_of(folder.config, weights.names(), _POOLINGS[folder.pooling])
    width = layout.numbers["embedding_length"]
    if weights.shape(layout.words)[1:] != (width,):
        raise NotForEngineError("its word vectors have another width than its layers")
    return layout


def write_layers(
    weights: FolderWeights,
    layout: Layout,
    out: Path,
    number_format: LayerFormat,
    changed: Callable[[str, Floats], Floats] = lambda name, values: values,
) -> None:
    """Write the GGUF file. ``changed`` is given the name of a tensor in it with its values and returns those that are
    written, in the same shape. Raises UserError for weights that are no finite numbers or a full disk,
    NotForEngineError for weights that do not fit into the format or the layout."""
    width = int(layout.numbers["embedding_length"])
    shapes: dict[str, tuple[int, ...]] = {}
    kinds: dict[str, str] = {}
    for name, parts in layout.tensors.items():
        shape = _shape(weights, layout, name, parts, width)
        shapes[name] = tuple(reversed(shape))
        kinds[name] = number_format if len(shape) == 2 and name not in _KEPT_WHOLE else "F32"
    tensors = {name: (shape, kinds[name]) for name, shape in shapes.items()}
    entries = _entries(layout)
    check_room(out, sum(padded(size_of(shape, kind), _ALIGNMENT) for shape, kind in tensors.values()))
    with written_beside(out) as beside, beside.open("wb") as file:
        file.write(header(entries, tensors, _ALIGNMENT))
        for name, (shape, kind) in tensors.items():
            values = changed(name, _values(weights, layout, name, width))
            if values.shape != tuple(reversed(shape)):
                raise NotForEngineError(f"its weights {name} have another shape than config.json says")
            file.write(_STORE[kind](values))
            fill(file, size_of(shape, kind), _ALIGNMENT)


def _entries(layout: Layout) -> dict[str, bytes]:
    entries = {
        "general.architecture": text_entry("general.architecture", layout.architecture),
        "tokenizer.ggml.model": text_entry("tokenizer.ggml.model", "none"),
        "tokenizer.ggml.token_type_count": number_entry("tokenizer.ggml.token_type_count", 1),
    }
    for name, value in layout.numbers.items():
        key = f"{layout.architecture}.{name}"
        make: Callable[..., bytes] = number_entry
        if isinstance(value, bool):
            make = flag_entry
        elif isinstance(value, float):
            make = float_entry
        entries[key] = make(key, value)
    return entries


def _shape(weights: FolderWeights, layout: Layout, name: str, parts: tuple[str, ...], width: int) -> tuple[int, ...]:
    if parts == (ZEROS,):
        return (1, width)
    shapes = [weights.shape(part) for part in parts]
    if len({shape[1:] for shape in shapes}) > 1:
        raise NotForEngineError(f"its weights {name} do not fit each other")
    rows = sum(shape[0] for shape in shapes)
    return (len(range(rows)[_ROWS[name](layout)]) if name in _ROWS else rows, *shapes[0][1:])


def _values(weights: FolderWeights, layout: Layout, name: str, width: int) -> Floats:
    parts = layout.tensors[name]
    if parts == (ZEROS,):
        return np.zeros((1, width), np.float32)
    values = np.concatenate([weights.read(part) for part in parts]) if len(parts) > 1 else weights.read(parts[0])
    return values[_ROWS[name](layout)] if name in _ROWS else values


def _f16(values: Floats) -> NDArray[np.float16]:
    if float(np.abs(values).max(initial=0.0)) > _LARGEST_F16:
        raise NotForEngineError("its weights are too large for F16")
    return values.astype("<f2")


def _bf16(values: Floats) -> NDArray[np.uint16]:
    """Rounded to the nearest, and to the even one of two that are as near."""
    bits = np.ascontiguousarray(values, "<f4").view(np.uint32)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype("<u2")


def _q8_0(values: Floats) -> NDArray[np.uint8]:
    import gguf  # which the embedding worker needs once, to write a file

    packed: NDArray[np.uint8] = gguf.quants.quantize(
        np.ascontiguousarray(values, np.float32), gguf.GGMLQuantizationType.Q8_0
    )
    return packed


_STORE: dict[str, Callable[[Floats], bytes]] = {
    "F32": lambda values: np.ascontiguousarray(values, "<f4").tobytes(),
    "F16": lambda values: _f16(values).tobytes(),
    "BF16": lambda values: _bf16(values).tobytes(),
    "Q8_0": lambda values: _q8_0(values).tobytes(),
}
