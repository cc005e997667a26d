"""What is drawn, how often: against distributions computed here with plain sorting, in double precision."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from scipy.stats import chisquare

from workbench.records.recipes import SAMPLING_ORDER, DecodingPart
from workbench.techniques.decoding.logits_filters import Candidates, keep_top_p, largest
from workbench.techniques.decoding.sampling import Sampler

DRAWS = 20_000
SMALLEST_P = 0.001

Distribution = npt.NDArray[np.float64]


class NoVocabulary:
    """What a sampler asks of a vocabulary where no text has a part."""

    size = 500

    def piece(self, token: int) -> bytes:
        return b"%d" % token


@pytest.fixture
def logits() -> npt.NDArray[np.float32]:
    return np.random.default_rng(11).normal(0, 2, NoVocabulary.size).astype(np.float32)


def plain(**settings: object) -> DecodingPart:
    defaults: dict[str, object] = {
        "temperature": 1.0, "top_k": 0, "top_p": 1.0, "repetition_penalty": 1.0, "seed": 5,
    }  # fmt: skip
    return DecodingPart(**(defaults | settings))  # type: ignore[arg-type]


def softmax(scores: Distribution) -> Distribution:
    exponentials = np.exp(scores - scores.max())
    return np.asarray(exponentials / exponentials.sum())


def only(scores: Distribution, kept: npt.NDArray[np.intp]) -> Distribution:
    """All other scores -inf."""
    result = np.full_like(scores, -np.inf)
    result[kept] = scores[kept]
    return result


def top_k(scores: Distribution, k: int) -> Distribution:
    return only(scores, np.argsort(-scores, kind="stable")[:k])


def top_p(scores: Distribution, p: float) -> Distribution:
    order = np.argsort(-scores, kind="stable")
    sums = np.cumsum(softmax(scores)[order])
    return only(scores, order[: int(np.argmax(sums >= p)) + 1])


def min_p(scores: Distribution, p: float) -> Distribution:
    probabilities = softmax(scores)
    return only(scores, np.flatnonzero(probabilities >= p * probabilities.max()))


def typical(scores: Distribution, p: float) -> Distribution:
    probabilities = softmax(scores)
    surprise = -np.log(probabilities)
    order = np.argsort(np.abs(surprise - (probabilities * surprise).sum()))
    return only(scores, order[: int(np.argmax(np.cumsum(probabilities[order]) > p)) + 1])


def dynamic(scores: Distribution, temperature: float, spread: float, exponent: float) -> Distribution:
    probabilities = softmax(scores)
    share = -(probabilities * np.log(probabilities)).sum() / math.log(scores.size)
    low = max(0.0, temperature - spread)
    return np.asarray(scores / (low + (temperature + spread - low) * share**exponent))


def draws(decoding: DecodingPart, logits: npt.NDArray[np.float32], count: int = DRAWS) -> npt.NDArray[np.intp]:
    sampler = Sampler(decoding, NoVocabulary())  # type: ignore[arg-type]
    before = logits.copy()
    drawn = np.zeros(logits.size, np.intp)
    for _ in range(count):
        token, logit = sampler.choose(None, 0, logits)
        drawn[token] += 1
        assert logit == before[token]
    assert (logits == before).all()
    return drawn


def agrees(drawn: npt.NDArray[np.intp], expected: Distribution) -> float:
    """The p-value of Pearson's test; tokens expected fewer than 8 times are counted together."""
    assert not drawn[expected == 0].any()
    expected = expected * drawn.sum()
    common = expected >= 8
    observed = np.append(drawn[common], drawn[~common].sum())
    awaited = np.append(expected[common], expected[~common].sum())
    if awaited[-1] < 8:  # too few for a class of their own
        observed = np.append(observed[:-2], observed[-2] + observed[-1])
        awaited = np.append(awaited[:-2], awaited[-2] + awaited[-1])
    return float(chisquare(observed, awaited * observed.sum() / awaited.sum()).pvalue)


CASES: dict[str, tuple[dict[str, object], Callable[[Distribution], Distribution]]] = {
    "all": ({}, lambda s: s),
    "temperature": ({"temperature": 0.6}, lambda s: s / 0.6),
    "hot": ({"temperature": 1.7}, lambda s: s / 1.7),
    "top-k": ({"top_k": 25}, lambda s: top_k(s, 25)),
    "top-p": ({"top_p": 0.8}, lambda s: top_p(s, 0.8)),
    "min-p": ({"min_p": 0.05}, lambda s: min_p(s, 0.05)),
    "typical": ({"typical_p": 0.7}, lambda s: typical(s, 0.7)),
    "dynamic temperature": (
        {"temperature": 1.0, "dynamic_temperature": 0.5, "dynamic_exponent": 2.0},
        lambda s: dynamic(s, 1.0, 0.5, 2.0),
    ),
    "together": (
        {"temperature": 0.8, "top_k": 60, "top_p": 0.9, "min_p": 0.03},
        lambda s: min_p(top_p(top_k(s, 60), 0.9), 0.03) / 0.8,
    ),
    "heated first": (
        {"temperature": 1.6, "top_p": 0.7, "order": ("temperature", "top_p")},
        lambda s: top_p(s / 1.6, 0.7),
    ),
    "top-p left out": (
        {"temperature": 0.9, "top_p": 0.5, "top_k": 30, "order": ("top_k", "temperature")},
        lambda s: top_k(s, 30) / 0.9,
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_tokens_are_drawn_as_often_as_their_probability_says(name: str, logits: npt.NDArray[np.float32]) -> None:
    settings, narrowed = CASES[name]
    expected = softmax(narrowed(logits.astype(np.float64)))
    assert agrees(draws(plain(**settings), logits), expected) > SMALLEST_P


@pytest.mark.slow
def test_the_test_tells_another_distribution(logits: npt.NDArray[np.float32]) -> None:
    drawn = draws(plain(temperature=0.9, top_p=0.9), logits)
    scores = logits.astype(np.float64)
    assert agrees(drawn, softmax(top_p(scores, 0.9) / 0.9)) > SMALLEST_P
    assert agrees(drawn, softmax(top_p(scores, 0.9) / 0.95)) < SMALLEST_P


def test_top_choices_are_left_out_as_often_as_wanted(logits: npt.NDArray[np.float32]) -> None:
    logits[:3] = 9.0, 8.5, 8.0  # three top choices
    whole = softmax(logits.astype(np.float64))
    assert (whole >= 0.1).sum() == 3
    without = np.where(whole > np.sort(whole)[-3], 0, whole)
    expected = 0.7 * whole + 0.3 * without / without.sum()
    assert agrees(draws(plain(xtc_probability=0.3, xtc_threshold=0.1), logits), expected) > SMALLEST_P


@pytest.mark.parametrize(("version", "within"), [("v1", 0.4), ("v2", 0.1)])
def test_mirostat_keeps_the_surprise_at_its_target(version: str, within: float) -> None:
    rows = np.random.default_rng(3)
    sampler = Sampler(plain(mirostat=version, mirostat_tau=3.0), NoVocabulary())  # type: ignore[arg-type]
    surprises = []
    for _ in range(3_000):
        row = rows.normal(0, 2, NoVocabulary.size).astype(np.float32)
        mirostat = sampler._mirostat
        assert mirostat is not None
        before = mirostat.bound
        sampler.choose(None, 0, row)
        surprises.append((before - mirostat.bound) / 0.1 + 3.0)  # as the bound's move tells
    assert abs(np.mean(surprises[500:]) - 3.0) < within
    assert np.std(surprises) > 0.1


def test_mirostat_draws_within_its_bound_by_probability(logits: npt.NDArray[np.float32]) -> None:
    probabilities = softmax(logits.astype(np.float64))
    drawn = np.zeros(logits.size, np.intp)
    for seed in range(4_000):  # the first token of many answers: the bound is 2 tau
        sampler = Sampler(plain(mirostat="v2", mirostat_tau=3.0, seed=seed * 7919), NoVocabulary())  # type: ignore[arg-type]
        drawn[sampler.choose(None, 0, logits)[0]] += 1
    kept = np.where(-np.log2(probabilities) <= 6.0, probabilities, 0)
    assert 1 < (kept > 0).sum() < logits.size
    assert agrees(drawn, kept / kept.sum()) > SMALLEST_P


@pytest.mark.parametrize("size", [300, 5_000, 49_152])
@pytest.mark.parametrize("count", [1, 40, 200])
def test_the_largest_are_found_as_by_sorting(size: int, count: int) -> None:
    scores = np.random.default_rng(size).normal(0, 3, size).astype(np.float32).round(1)  # many are equal
    expected = np.argsort(-scores, kind="stable")[:count]
    assert (largest(scores, count) == expected).all()
    scores[scores < 5] = -np.inf  # few are allowed
    assert (largest(scores, count) == np.argsort(-scores, kind="stable")[:count]).all()


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.999, 0.9999999])
@pytest.mark.parametrize("spread", [0.5, 4.0])
def test_top_p_of_a_large_vocabulary_is_that_of_sorting_all(share: float, spread: float) -> None:
    scores = np.random.default_rng(1).normal(0, spread, 49_152)
    kept = keep_top_p(Candidates(scores), share)
    assert kept.ids is not None
    expected = np.flatnonzero(top_p(scores, share) > -np.inf)
    assert abs(kept.ids.size - expected.size) <= 1
    assert set(kept.ids.tolist()) <= set(np.argsort(-scores)[: expected.size + 1].tolist())


def test_the_default_order_names_every_step() -> None:
    """A step that is missing from the order is not applied: none may be missing by default."""
    row = np.random.default_rng(2).normal(0, 2, NoVocabulary.size).astype(np.float32)
    everything = plain(
        top_k=50, top_p=0.9, min_p=0.01, typical_p=0.9, xtc_probability=0.5, temperature=0.7,
        repetition_penalty=1.2, dry_multiplier=1.0,
    )  # fmt: skip
    sampler = Sampler(everything, NoVocabulary())  # type: ignore[arg-type]
    assert len(sampler._steps) == len(SAMPLING_ORDER)
    sampler.choose(None, 0, row)


def test_chance_is_the_seeds() -> None:
    row = np.random.default_rng(2).normal(0, 2, NoVocabulary.size).astype(np.float32)

    def answer(seed: int, sequence: int = 0) -> list[int]:
        sampler = Sampler(plain(seed=seed), NoVocabulary(), sequence=sequence)  # type: ignore[arg-type]
        return [sampler.choose(None, 0, row)[0] for _ in range(20)]

    assert answer(1) == answer(1)
    assert answer(1) != answer(2)
    others = [answer(1, sequence) for sequence in range(16)]
    assert others[0] == answer(1)
    assert len({tuple(other) for other in others}) == 16
