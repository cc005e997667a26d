"""GGUF soft prompts and prefixes of given numbers, for tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import gguf
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


def write_soft_prompt(path: Path, embeddings: Floats, architecture: str = "llama") -> Path:
    """``embeddings`` of shape (count, width)."""
    return write_virtual(path, {"soft_prompt": embeddings}, "soft-prompt", architecture)


def write_prefix(path: Path, keys: Sequence[Floats], values: Sequence[Floats], architecture: str = "llama") -> Path:
    """For each layer keys and values of shape (count, heads x width), as llama.cpp's memory holds them."""
    tensors = {}
    for layer, (key, value) in enumerate(zip(keys, values, strict=True)):
        tensors |= {f"prefix.blk.{layer}.k": key, f"prefix.blk.{layer}.v": value}
    return write_virtual(path, tensors, "prefix", architecture)


def write_virtual(path: Path, tensors: Mapping[str, NDArray[np.generic]], kind: str, architecture: str) -> Path:
    writer = gguf.GGUFWriter(path, architecture)
    writer.add_type("adapter")
    writer.add_string("adapter.type", kind)
    for name, numbers in tensors.items():
        writer.add_tensor(name, np.ascontiguousarray(numbers))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path
