"""Statistics of evaluations against scipy, known values and simulated coverage."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest
from scipy import stats as scipy_stats
from statsmodels.stats import multitest

from workbench.subjects.evaluation import statistics as s

RATES = [(0, 1), (1, 1), (0, 20), (20, 20), (1, 20), (7, 20), (50, 100), (199, 200), (333, 1000), (9_999, 10_000)]
DISCORDANT = [(0, 0), (1, 0), (0, 5), (5, 5), (3, 12), (20, 9), (61, 40), (200, 260), (2_100, 2_250)]


@pytest.mark.parametrize(("successes", "n"), RATES)
def test_wilson_is_that_of_scipy(successes: int, n: int) -> None:
    found = s.wilson(successes, n)
    expected = scipy_stats.binomtest(successes, n).proportion_ci(0.95, method="wilson")
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=1e-9)
    assert found.value == successes / n


@pytest.mark.parametrize(("won", "lost"), DISCORDANT)
def test_mcnemar_is_the_exact_binomial_test(won: int, lost: int) -> None:
    expected = scipy_stats.binomtest(won, won + lost).pvalue if won + lost else 1.0
    assert s.mcnemar(won, lost) == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize("n", [8, 40, 300])
def test_bootstrap_is_near_that_of_scipy_where_samples_are_large(n: int) -> None:
    scores = np.random.default_rng(n).beta(2, 5, n)
    found = s.bootstrap(list(scores))
    with_t = scipy_stats.t.interval(0.95, n - 1, scores.mean(), scipy_stats.sem(scores))
    assert (found.low, found.high) == pytest.approx(with_t, abs=0.25 * (with_t[1] - with_t[0]) / math.sqrt(n) + 0.012)
    plain = scipy_stats.bootstrap((scores,), np.mean, method="percentile", rng=np.random.default_rng(1))
    width = plain.confidence_interval.high - plain.confidence_interval.low
    assert found.high - found.low >= 0.97 * width  # never narrower
    assert found == s.bootstrap(list(scores))  # seeded


@pytest.mark.parametrize("freedom", [1, 2, 3, 5, 10, 100])
def test_student_quantile(freedom: int) -> None:
    assert s._student(freedom) == pytest.approx(scipy_stats.t.ppf(0.975, freedom), rel=0.012 if freedom < 5 else 1e-3)


def test_holm_on_the_known_example_and_as_statsmodels() -> None:
    assert s.holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert s.holm([]) == []
    values = [0.2, 0.001, 0.03, 0.04, 0.04, 0.9]
    assert s.holm(values) == pytest.approx(list(multitest.multipletests(values, method="holm")[1]))


def test_questions_needed_is_the_usual_formula() -> None:
    # two-sided 5 %, power 80 %, standardised effect of one half: 31.4 pairs
    assert s.questions_needed(1.0, 0.5) == 32
    assert s.questions_needed(0.5, 0.05) == 785


def test_a_difference_that_is_shown_is_told_with_its_interval() -> None:
    first = [1.0] * 50 + [0.0] * 150
    second = [1.0] * 90 + [0.0] * 110
    found = s.compare(first, second)
    assert found.shown
    assert found.difference == pytest.approx(0.2)
    assert s.describe(found, "A", "B") == "B is better than A by 20 points (14 to 25)."
    assert s.describe(s.compare(second, first), "B", "A") == "B is better than A by 20 points (14 to 25)."
    assert s.describe(found, "A", "B", fewer=True) == "A is better than B by 20 points (14 to 25)."


def test_a_difference_that_is_not_shown_says_how_many_more_questions_are_needed() -> None:
    first = [1.0, 0.0] * 20
    second = [1.0, 0.0] * 18 + [0.0, 1.0, 1.0, 1.0]
    found = s.compare(first, second)
    assert not found.shown
    assert found.more == 270  # 7.85 * (4 / 41 - 0.025 ** 2) / 0.05 ** 2 = 304, of which 40 are there
    assert s.describe(found, "A", "B") == (
        "No difference between A and B is shown; about 270 more questions would be needed to see 5 points."
    )
    assert found.low < 0 < found.high


def test_no_disagreement_at_all_is_no_proof_that_there_is_none() -> None:
    found = s.compare([1.0] * 10, [1.0] * 10)
    assert (found.difference, found.p) == (0.0, 1.0)
    assert found.low < -0.1
    assert found.high > 0.1
    assert found.more > 0


def test_scores_with_a_unit_are_higher_not_better() -> None:
    found = s.compare([float(n % 7) for n in range(60)], [float(n % 7 + 12) for n in range(60)])
    assert s.describe(found, "A", "B", "words") == "B is higher than A by 12 words (12 to 12)."


def test_three_recipes_are_adjusted() -> None:
    rows = [[1.0, 0.0] * 30, [1.0] * 60, [0.0, 1.0] * 30]
    found = s.compare_all(rows)
    assert set(found) == {(0, 1), (0, 2), (1, 2)}
    assert found[0, 1].p == pytest.approx(3 * s.compare(rows[0], rows[1]).p)
    assert found[0, 2].p == 1.0


def test_many_scores_have_the_interval_of_the_normal_distribution() -> None:
    drawn = np.random.default_rng(3)
    first = drawn.beta(2, 5, 4_000)
    second = first + drawn.normal(0.004, 0.1, 4_000)
    found, expected = s.bootstrap(list(first)), scipy_stats.norm.interval(0.95, first.mean(), scipy_stats.sem(first))
    assert (found.low, found.high) == pytest.approx(expected, rel=1e-6)
    compared = s.compare(list(first), list(second))
    assert compared.p == pytest.approx(scipy_stats.ttest_rel(first, second).pvalue, rel=0.02)
    assert not s.compare(list(first), list(first)).shown


def test_edges_have_no_false_certainty() -> None:
    assert s.estimate([]).n == 0
    assert (s.estimate([]).low, s.estimate([]).high) == (0.0, 1.0)
    assert s.estimate([0.4]).high == 1.0
    assert not s.compare([], []).shown
    assert not s.compare([0.2], [0.9]).shown
    with pytest.raises(ValueError, match="zip"):
        s.compare([1.0], [])


def _covered(times: int, draw: object, truth: float) -> float:
    return sum(one.low <= truth <= one.high for one in (draw() for _ in range(times))) / times  # type: ignore[operator]


@pytest.mark.slow
def test_intervals_cover_the_truth_as_often_as_they_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s, "RESAMPLES", 600)
    chance, normal = random.Random(5), np.random.default_rng(5)

    def rate() -> s.Estimate:
        return s.wilson(sum(chance.random() < 0.3 for _ in range(80)), 80)

    def share() -> s.Estimate:
        return s.estimate(list(normal.beta(2, 3, 40)))

    def paired_rates() -> s.Comparison:  # 12 % won, 6 % lost
        draws = [chance.random() for _ in range(120)]
        return s.compare([float(d > 0.12 and d < 0.5) for d in draws], [float(d < 0.44) for d in draws])

    def paired_shares() -> s.Comparison:
        common = normal.beta(2, 2, 40)
        return s.compare(list(common), list(common + normal.exponential(0.1, 40) - 0.05))

    assert 0.93 <= _covered(2_000, rate, 0.3) <= 0.97
    assert 0.93 <= _covered(1_500, share, 0.4) <= 0.97
    assert 0.93 <= _covered(2_000, paired_rates, 0.06) <= 0.97
    assert 0.925 <= _covered(1_500, paired_shares, 0.05) <= 0.97


def test_a_weighted_mean_has_the_standard_error_of_a_ratio() -> None:
    generator = np.random.default_rng(5)
    weights = generator.integers(1, 4, 400).astype(float)
    scores = [float(generator.binomial(int(w), 0.3 + 0.1 * w)) / w for w in weights]
    found = s.weighted(scores, list(weights))
    assert np.mean(found) == pytest.approx(np.average(scores, weights=weights))
    drawn = generator.integers(0, 400, (4_000, 400))
    values = np.asarray(scores)
    ratios = (values * weights)[drawn].sum(axis=1) / weights[drawn].sum(axis=1)
    assert np.std(found, ddof=1) / 20 == pytest.approx(np.std(ratios), rel=0.1)
    assert s.weighted([], []) == []
    assert s.weighted([0.2, 0.4], [1.0, 1.0]) == pytest.approx([0.2, 0.4])
