"""Weight changes that are not a product of two thin matrices, computed in numpy as in PEFT's forward passes.

LoHa: an entry-wise product of two thin products. LoKr: a Kronecker product. OFT: rotations within blocks of inputs.
What they do to a weight (out, in) is asked for some of its rows at a time, as a merge goes through them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workbench.gguf.architectures import Order
from workbench.gguf.weights import Floats


@dataclass(frozen=True)
class Hadamard:
    """LoHa: W + (b1·a1) * (b2·a2), where ``b1`` and ``b2`` are (out, rank), ``a1`` and ``a2`` (rank, in); the scaling
    is in ``b1``. https://arxiv.org/abs/2108.06098"""

    b1: Floats
    a1: Floats
    b2: Floats
    a2: Floats

    def apply(self, weights: Floats, first: int, expert: int) -> Floats:
        rows = slice(first, first + len(weights))
        changed: Floats = weights + (self.b1[rows] @ self.a1) * (self.b2[rows] @ self.a2)
        return changed


@dataclass(frozen=True)
class Kronecker:
    """LoKr: W + left (x) right, whose row ``i`` is left[i // n] (x) right[i % n] for a ``right`` of n rows; the scaling
    is in ``left``. ``order`` is that of the rows where it is not transformers'. https://arxiv.org/abs/2309.14859"""

    left: Floats
    right: Floats
    order: Order | None

    def apply(self, weights: Floats, first: int, expert: int) -> Floats:
        rows = np.arange(first, first + len(weights)) if self.order is None else self.order[first:][: len(weights)]
        left, right = self.left[rows // len(self.right)], self.right[rows % len(self.right)]
        changed: Floats = weights + (left[:, :, None] * right[:, None, :]).reshape(weights.shape)
        return changed


@dataclass(frozen=True)
class Rotation:
    """OFT: what a layer reads is rotated before, block by block; ``blocks`` (count, size, size), or one for all of
    them, multiply rows of inputs from the right. https://arxiv.org/abs/2306.07280"""

    blocks: Floats

    def apply(self, weights: Floats, first: int, expert: int) -> Floats:
        size = self.blocks.shape[-1]
        parts = weights.reshape(len(weights), -1, size).swapaxes(0, 1)  # (blocks, rows, size)
        rotated = parts @ self.blocks.swapaxes(1, 2)
        return np.ascontiguousarray(rotated.swapaxes(0, 1), dtype=np.float32).reshape(weights.shape)


def rotations(above: Floats, size: int, terms: int) -> Floats:
    """The rotations (count, size, size) of skew-symmetric matrices whose numbers ``above`` the diagonal are given, row
    by row, (count, size * (size - 1) / 2).

    With ``terms`` 0 by Cayley: (I - Q) times the inverse of (I + Q), which is a rotation exactly. Else by so many terms
    of its Neumann series, I + 2Q + 2Q^2 + ... + Q^n, the last one simple, as PEFT computes it.
    """
    skew: NDArray[np.float64] = np.zeros((len(above), size, size))
    skew[:, *np.triu_indices(size, 1)] = above
    skew -= skew.swapaxes(1, 2)
    one = np.eye(size)
    if not terms:
        # x (I + Q) = I - Q, and the transpose of I + Q is I - Q
        return np.linalg.solve(one - skew, one + skew).swapaxes(1, 2).astype(np.float32)
    found = one + np.zeros_like(skew)
    power = skew
    if terms > 1:
        found = found + 2 * skew
        if terms > 2:
            power = skew @ skew
            found = found + 2 * power
            for _ in range(3, terms - 1):
                power = power @ skew
                found = found + 2 * power
            found = found + power @ skew
    return found.astype(np.float32)
