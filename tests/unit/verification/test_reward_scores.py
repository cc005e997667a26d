"""Scores of a reward model as served, beside those in torch."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.verification.reward_model import compare_scores, rank_correlation


@pytest.mark.parametrize("scale", [0.01, 1.0, 50.0])
@pytest.mark.parametrize(("error", "passed"), [(0.04, True), (0.2, False), (float("nan"), False)])
def test_served_scores_may_differ_by_a_share_of_their_spread(error: float, passed: bool, scale: float) -> None:
    noise = np.random.default_rng(1).standard_normal(64)
    in_torch = np.random.default_rng(2).standard_normal(64) * scale + 3 * scale
    report = compare_scores(in_torch, in_torch + error * scale * noise, 1.0)
    assert report.passed is passed
    assert ("at most 15%" in report.verdict) is not passed


def test_small_scores_of_another_model_do_not_pass() -> None:
    """A reward model whose scores are near 0, and what a file without its adapter says: all within .03 of these."""
    in_torch = np.array([0.010, -0.004, 0.016, 0.034, 0.022, 0.026, 0.009, 0.026, 0.007, 0.016, 0.015, 0.025])
    in_engine = 0.7 * in_torch - 0.003
    assert not compare_scores(in_torch, in_engine, 1.0).passed


def test_large_scores_that_are_all_alike_are_told_apart_as_well() -> None:
    in_torch = np.array([8.00, 8.05, 7.95, 8.02])
    assert not compare_scores(in_torch, in_torch[::-1], 1.0).passed  # each within 1.3 % of the other
    assert compare_scores(in_torch, in_torch, 1.0).passed


def test_a_reward_model_that_tells_nothing_apart_is_not_shown_to_be_served_rightly() -> None:
    report = compare_scores(np.zeros(12), np.full(12, 0.001), 1.0)
    assert not report.passed
    assert "rate more pairs or train it for longer" in report.verdict


def test_ranks_that_are_turned_round_correlate_negatively() -> None:
    scores = np.array([0.1, 0.4, -1.0])
    assert rank_correlation(scores, scores) == pytest.approx(1)
    assert rank_correlation(scores, -scores) == pytest.approx(-1)
    assert rank_correlation(scores[:1], scores[:1]) == 1
