"""The curve's arithmetic against numpy over a whole vocabulary."""

from __future__ import annotations

import itertools
import math

import numpy as np
import numpy.typing as npt
import pytest

from workbench.records.recipes import DecodingPart
from workbench.records.recipes.distribution import DRAWN_STEPS, narrow, steps_not_drawn

Vector = npt.NDArray[np.float64]


def model(size: int, spread: float = 2.5, seed: int = 3) -> Vector:
    """Natural-log probabilities of ``size`` tokens, best first."""
    logits = np.sort(np.random.default_rng(seed).normal(scale=spread, size=size))[::-1]
    return np.asarray(logits - np.log(np.exp(logits).sum()))


def softmax(logits: Vector) -> Vector:
    weights = np.exp(logits - logits.max())
    return np.asarray(weights / weights.sum())


def reference(logprobs: Vector, part: DecodingPart) -> Vector:
    logits = logprobs.copy()
    for step in part.order:
        if step == "temperature":
            logits = logits / part.temperature
        elif step == "top_k" and part.top_k:
            logits[part.top_k :] = -np.inf
        elif step == "top_p":
            shares = softmax(logits)
            before = np.cumsum(shares) - shares
            logits[before >= part.top_p] = -np.inf
        elif step == "min_p":
            shares = softmax(logits)
            logits[shares < part.min_p * shares.max() * (1 - 1e-12)] = -np.inf
    return softmax(logits)


SETTINGS = [
    {"temperature": 1.0, "top_k": 0, "top_p": 1.0},
    {"temperature": 0.7, "top_k": 0, "top_p": 1.0},
    {"temperature": 1.5, "top_k": 12, "top_p": 1.0},
    {"temperature": 0.7, "top_k": 0, "top_p": 0.9},
    {"temperature": 1.1, "top_k": 0, "top_p": 1.0, "min_p": 0.05},
    {"temperature": 1.3, "top_k": 30, "top_p": 0.8, "min_p": 0.02},
]


@pytest.mark.parametrize("order", list(itertools.permutations(DRAWN_STEPS)))
@pytest.mark.parametrize("settings", SETTINGS)
def test_all_tokens_known_is_exact_in_every_order(settings: dict[str, float], order: tuple[str, ...]) -> None:
    part = DecodingPart(**settings, order=order)  # type: ignore[arg-type]
    logprobs = model(60)
    found = narrow(logprobs.tolist(), part)
    np.testing.assert_allclose(found.probabilities, reference(logprobs, part), atol=1e-9)
    assert found.rest == 0


@pytest.mark.parametrize(
    "settings",
    [
        {"temperature": 0.7, "top_k": 40},
        {"temperature": 1.0, "top_k": 0, "top_p": 0.9},
        {"temperature": 1.0, "top_k": 0, "top_p": 1.0, "min_p": 0.05},
        {"temperature": 1.1, "top_k": 0, "top_p": 1.0, "min_p": 0.05},
        {"temperature": 1.0, "top_k": 0, "top_p": 1.0},
    ],
)
def test_the_best_hundred_of_many_are_enough_where_the_steps_keep_fewer(settings: dict[str, float]) -> None:
    part = DecodingPart(**settings)  # type: ignore[arg-type]
    logprobs = model(20_000, spread=3.2)
    whole = reference(logprobs, part)
    found = narrow(logprobs[:100].tolist(), part)
    np.testing.assert_allclose(found.probabilities, whole[:100], atol=1e-5)  # one token more or less of those not told
    assert math.isclose(found.rest, whole[100:].sum(), abs_tol=1e-5)


def test_what_is_drawn_adds_up_to_one_with_the_rest() -> None:
    found = narrow(model(20_000)[:100].tolist(), DecodingPart(temperature=1.6, top_k=0, top_p=1.0))
    assert found.rest > 0.01
    assert math.isclose(sum(found.probabilities) + found.rest, 1)


def test_without_temperature_the_best_token_is_all() -> None:
    assert narrow([-2.0, -0.3, -1.7], DecodingPart(temperature=0)).probabilities == (0.0, 1.0, 0.0)


def test_a_step_that_is_switched_off_does_nothing() -> None:
    logprobs = model(30).tolist()
    off = DecodingPart(temperature=1, top_k=2, order=("temperature",))
    np.testing.assert_allclose(narrow(logprobs, off).probabilities, np.exp(logprobs), atol=1e-12)


def test_what_the_curve_leaves_out_is_told() -> None:
    assert steps_not_drawn(DecodingPart()) == ()
    assert steps_not_drawn(DecodingPart(repetition_penalty=1.1)) == ("penalties",)
    assert steps_not_drawn(DecodingPart(repetition_penalty=1.1, order=("temperature",), mirostat="v2")) == ("mirostat",)


def test_no_tokens_is_an_error() -> None:
    with pytest.raises(ValueError, match="no tokens"):
        narrow([], DecodingPart(temperature=1))
