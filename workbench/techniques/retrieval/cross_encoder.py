"""The cross-encoder: an embedder that reads a question and a passage together, and tells which sentence answers it.

An embedder gives the question a vector, and the passage another one, without either having seen the other. A
cross-encoder reads both as one text (Nogueira and Cho 2019, "Passage Re-ranking with BERT", arXiv:1901.04085). Here the
mean of the token vectors of each sentence is scored (as sentences are for summaries by Liu and Lapata 2019,
arXiv:1908.08345), so that one that is understood only with those before it is read with them, and a whole passage costs
little more than a few sentences one by one. It is multilingual-e5-small itself with a LoRA (``shipped_lora``) and one
linear layer. There are two: one reads the sentences of passages
(``benchmarks/train_cross_encoder.py``), the other the columns and cells of tables (``table_answers/links.py``,
``benchmarks/train_table_reader.py``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from workbench.techniques.retrieval.shipped_lora import ShippedLora

Reader = Literal["sentences", "tables"]
LORAS: dict[Reader, ShippedLora] = {"sentences": ShippedLora("cross_encoder"), "tables": ShippedLora("table_reader")}

QUESTION_TOKENS, CONTEXT_TOKENS, PART_TOKENS, TEXT_TOKENS = 64, 48, 110, 384
"""The most that it reads of a question, of what stands above a passage, of a sentence, and at once."""

EMPTY_PART = -9.0
"""The score of a part without a token."""

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
def read_head(reader: Reader) -> Head:
    file = LORAS[reader].weights
    return Head(file.read("head.weight").reshape(-1), float(file.read("head.bias").reshape(-1)[0]))


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
