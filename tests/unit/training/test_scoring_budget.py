from __future__ import annotations

import pytest

from tests.unit.training.tiny_training import sequences
from workbench.records.training import EvaluationPart, OptimiserPart, TrainingConfig, WeightsPart
from workbench.training import scoring
from workbench.training.evaluation import GeneralSet
from workbench.training.scoring_budget import (
    FEWEST_SAMPLED,
    LEAST_READ,
    PACKED_PASS,
    SHARE_SCORED,
    SMALL_OPERATIONS,
    Sample,
    scored_sample,
    scoring_tokens,
    training_cost,
)
from workbench.training.sequences import Question
from workbench.training.verifying import FEWEST_TOKENS, MOST_TOKENS, verified_tokens

STARTER, LARGER, LARGEST = 134_500_000, 1_500_000_000, 8_000_000_000
THERE = 600.0  # tokens of twelve examples


def test_a_small_model_is_scored_on_all_of_a_small_set() -> None:
    assert scored_sample(TrainingConfig(), THERE, tokens_trained=150, parameters=STARTER) == Sample()


@pytest.mark.parametrize("parameters", [STARTER, LARGER, LARGEST])
@pytest.mark.parametrize("tokens", [150, 2_000, 20_000, 200_000])
def test_scoring_does_not_outlast_the_training(parameters: int, tokens: int) -> None:
    config = TrainingConfig()
    sample = scored_sample(config, 100_000, tokens, parameters)
    allowed = SHARE_SCORED * 3 * tokens
    if sample.answering:
        allowed = max(allowed, SMALL_OPERATIONS / 2 / parameters)
    assert 0 < sample.share <= 1
    assert scoring_tokens(config, sample, 100_000, tokens) <= allowed * 1.001


def test_a_large_model_writes_no_answers_around_a_training_of_some_steps() -> None:
    config = TrainingConfig()
    few = scored_sample(config, THERE, tokens_trained=150, parameters=LARGER)
    assert not few.answering
    assert few.answers(24) == 0
    assert scoring_tokens(config, few, THERE, 150) <= 1.5 * 150
    assert scored_sample(config, THERE, tokens_trained=20_000, parameters=LARGER) == Sample()


def of_packed(steps: int = 1) -> TrainingConfig:
    return TrainingConfig(
        weights=WeightsPart(base="packed"), optimiser=OptimiserPart(max_steps=steps, micro_batch_tokens=128)
    )


@pytest.mark.parametrize("steps", [1, 3, 40, 2_000])
def test_scoring_of_a_packed_model_counts_what_each_pass_unpacks(steps: int) -> None:
    config, each = of_packed(steps), 50
    trained = training_cost(config, steps * each)
    assert trained == 3 * steps * each + 2 * PACKED_PASS * steps
    sample = scored_sample(config, 100, steps * each, LARGEST, examples=2)
    assert scoring_tokens(config, sample, 100, steps * each) <= SHARE_SCORED * trained * 1.001
    assert sample.general == (steps > 1)
    assert sample.answering == (steps > 3)


def test_around_one_step_a_single_example_is_read() -> None:
    fewest = scored_sample(of_packed(), 100, 50, LARGEST, examples=2)
    assert fewest == Sample(LEAST_READ, answering=False, general=False, examples=1)
    texts = sequences(2, longest=60)
    assert len(scoring.texts_of(texts, 50, fewest.share, fewest.examples)) == 1
    longer = scored_sample(of_packed(), 4_000, 50, LARGEST, examples=2)  # each longer than what is trained
    assert longer.examples == 1


def test_a_verification_of_a_large_model_compares_fewer_tokens() -> None:
    numbers = [verified_tokens(of_packed(), size, 50) for size in (STARTER, LARGER, LARGEST)]
    assert numbers[0] > numbers[1] > numbers[2] == FEWEST_TOKENS
    assert verified_tokens(of_packed(100), LARGEST, 5_000) > 30 * FEWEST_TOKENS  # a long training pays for more
    assert verified_tokens(of_packed(), 1, 50) == MOST_TOKENS


def test_what_is_not_asked_for_costs_nothing() -> None:
    less = TrainingConfig(evaluation=EvaluationPart(sample_answers=0, forgetting=False))
    assert scored_sample(less, 500, 300, LARGEST).share > scored_sample(TrainingConfig(), 500, 300, LARGEST).share


def test_a_sample_has_some_of_each() -> None:
    assert [Sample(share).answers(24) for share in (1.0, 0.5, 0.01)] == [24, 12, FEWEST_SAMPLED]
    assert Sample(0.01).answers(2) == 2
    texts = sequences(40, longest=400)
    few, usual = scoring.texts_of(texts, 2_000, 0.01), scoring.texts_of(texts, 2_000)
    assert len(few) == FEWEST_SAMPLED < len(usual)
    assert few == usual[: len(few)]
    questions = tuple(Question(prompt=(n,), question=str(n), expected="") for n in range(24))
    general = GeneralSet(tuple(texts[:8]), questions)
    sample = general.sample(Sample(0.01))
    assert (len(sample.texts), sample.questions) == (1, questions[:FEWEST_SAMPLED])
    assert general.sample(Sample(0.5, answering=False)) == GeneralSet(tuple(texts[:4]), ())
