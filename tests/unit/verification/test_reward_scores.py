"""Scores of a reward model as served, beside those in torch."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.verification.reward_model import compare_scores, rank_correlation


@pytest.mark.parametrize(("error", "passed"), [(0.02, True), (0.05, False), (float("nan"), False)])
def test_served_scores_pass_up_to_three_per_cent(error: float, passed: bool) -> None:
    in_torch = np.linspace(-2.0, 2.0, 64)
    report = compare_scores(in_torch, in_torch * (1 + error), 1.0)
    assert report.passed is passed
    assert ("at most 3%" in report.verdict) is not passed


def test_ranks_that_are_turned_round_correlate_negatively() -> None:
    scores = np.array([0.1, 0.4, -1.0])
    assert rank_correlation(scores, scores) == pytest.approx(1)
    assert rank_correlation(scores, -scores) == pytest.approx(-1)
    assert rank_correlation(scores[:1], scores[:1]) == 1
