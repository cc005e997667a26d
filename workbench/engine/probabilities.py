"""Token probabilities under the model itself: no penalty, temperature 1."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from workbench.engine.library import exponentials_function

Logits = npt.NDArray[np.float32]


class LogProbabilities:
    """Log-probabilities of single tokens, with a work array of the vocabulary's size."""

    def __init__(self, vocabulary: int) -> None:
        self._exponentials = np.empty(vocabulary, np.float32)
        self._into = self._exponentials.ctypes.data
        self._sum = exponentials_function()

    def normaliser(self, logits: Logits, highest: float | None = None) -> float:
        """log(sum(exp(logits))), accurate to about 1e-6, of a contiguous row. Call it within
        ``np.errstate(over="ignore")``, which would take a third of its time here. ``highest`` is the row's maximum,
        where it is known: finding it reads the whole row."""
        if self._sum is not None:
            if highest is None:
                highest = float(logits.max())
            if math.isfinite(highest):
                return highest + math.log(self._sum(logits.size, self._into, logits.ctypes.data, highest))
            return exact_normaliser(logits)
        np.exp(logits, out=self._exponentials)
        total = float(self._exponentials.sum())
        if 0 < total < math.inf:
            return math.log(total)
        return exact_normaliser(logits)  # logits beyond +-88 do not fit


def exact_normaliser(logits: Logits) -> float:
    """log(sum(exp(logits))) in double precision, for logits of any size."""
    row = logits.astype(np.float64)
    highest = row.max()
    return float(highest + np.log(np.exp(row - highest).sum()))
