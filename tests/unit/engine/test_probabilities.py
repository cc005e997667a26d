"""Sums of exponentials, against Python's own arithmetic."""

from __future__ import annotations

import math

import numpy as np
import pytest

from workbench.engine.probabilities import LogProbabilities, exact_normaliser

VOCABULARY = 1_000


@pytest.mark.parametrize("shift", [0.0, 60.0, 300.0, -300.0])
def test_the_quick_normaliser_agrees_with_the_exact_one(shift: float) -> None:
    logits = np.random.default_rng(5).normal(0, 3, VOCABULARY).astype(np.float32) + np.float32(shift)
    exact = math.log(sum(math.exp(float(x) - shift) for x in logits)) + shift
    assert exact_normaliser(logits) == pytest.approx(exact, abs=1e-5)
    with np.errstate(over="ignore"):
        assert LogProbabilities(VOCABULARY).normaliser(logits) == pytest.approx(exact, abs=1e-4)
