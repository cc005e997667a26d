"""The question encoder: an embedder whose vectors of questions are nearer to the passages that answer them.

The passages keep their vectors: only questions are encoded by it, and only for the search, so that a collection need
not be read again (an asymmetric bi-encoder: Karpukhin et al. 2020, "Dense Passage Retrieval", arXiv:2004.04906). It is
multilingual-e5-small itself with a LoRA (``shipped_lora``) on its last eight layers.
``benchmarks/train_question_encoder.py`` trains it on questions about office documents and paragraphs, many of them in
another language than the passage. What it learns first is to look past the language: the embedder's own vectors find
passages in the language of the question first, whatever they say. A search takes the mean of both vectors, which finds
more than either: what the few thousand questions of the training cannot tell, the embedder knows.
"""

from __future__ import annotations

import numpy as np

from workbench.techniques.retrieval.embedding import Vectors
from workbench.techniques.retrieval.shipped_lora import ShippedLora

LORA = ShippedLora("question_encoder")

SHARE = 0.6
"""The share of its vectors; the rest is the embedder's. Between 0.5 and 0.7 the results hardly change."""


def mixed(plain: Vectors, encoded: Vectors) -> Vectors:
    """Vectors to search with, (n, dimensions): those of the embedder with those of the question encoder, length 1."""
    vectors = (1 - SHARE) * plain + SHARE * encoded
    found: Vectors = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9).astype(np.float32)
    return found.astype(np.float32)
