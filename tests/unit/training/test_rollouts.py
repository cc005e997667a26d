"""A token is drawn with the probability that the logits give it."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")

from workbench.training.experience.rollouts import PART, draw


@pytest.mark.parametrize("size", [7, PART, 2 * PART, 5 * PART + 3])
def test_a_token_is_drawn_where_the_cumulated_probabilities_pass_the_random_number(size: int) -> None:
    logits = (4 * np.random.default_rng(size).standard_normal(size)).astype(np.float32)
    exact = np.exp(logits.astype(np.float64))
    exact /= exact.sum()
    cumulated = exact.cumsum()
    for seed in range(300):
        token, logprob = draw(logits, np.random.default_rng(seed))
        wanted = np.random.default_rng(seed).random()
        assert (cumulated[token - 1] if token else 0.0) - 1e-6 <= wanted <= cumulated[token] + 1e-6
        assert logprob == pytest.approx(np.log(exact[token]), abs=1e-5)


def test_a_token_without_probability_is_never_drawn() -> None:
    logits = np.full(3 * PART, -np.inf, dtype=np.float32)
    logits[[0, PART - 1, 2 * PART]] = 0.0
    drawn = [draw(logits, np.random.default_rng(seed)) for seed in range(300)]
    assert {token for token, _ in drawn} == {0, PART - 1, 2 * PART}
    assert {round(logprob, 6) for _, logprob in drawn} == {round(-np.log(3), 6)}
