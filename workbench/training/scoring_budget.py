"""What of its evaluation examples and questions a training is scored on, so that scoring does not outlast it.

Costs are counted in tokens that are read once, forwards. A training of T tokens costs 3 T: backwards twice as much.
"""

from __future__ import annotations

import msgspec

from workbench.records.training import TrainingConfig

FEWEST_EVALUATED_TOKENS, SHARE_EVALUATED = 8192, 1 / 40
"""Evaluation examples are looked at up to that share of the tokens that are trained (or the fewest): ten evaluations on
the way then cost a tenth of the time."""

GENERAL_TOKENS, GENERAL_TEXT_TOKENS = 4_000, 400
"""Of the general set, with its answers; of its texts alone."""

GENERATED = 8
"""A generated token costs about what eight do that are computed at once: each time all weights are read."""

SMALL_OPERATIONS = 2.5e12
"""Scoring with answers may always take so many operations: 25 seconds on two cores. A model of 135 million parameters
is scored on all of a small set within them."""

SHARE_SCORED = 0.5
"""Each of the two scorings, before and after, may take this share of the training."""

FEWEST_SAMPLED = 4
"""Examples, answers or general questions of a sample."""

LEAST_SHARE = 1 / 8
"""Where a smaller sample with answers would have to do, none are asked for, and losses take their time."""


class Sample(msgspec.Struct, frozen=True):
    """``share``, above 0 and at most 1, of the evaluation examples, sample answers and general questions is scored.
    Without ``answering`` no answers are asked for and losses alone are computed."""

    share: float = 1.0
    answering: bool = True

    @property
    def whole(self) -> bool:
        return self.answering and self.share >= 1

    def answers(self, count: int) -> int:
        """How many of so many questions are asked."""
        return sampled(count, self.share, FEWEST_SAMPLED) if self.answering else 0


def answer_tokens(config: TrainingConfig) -> float:
    """The cost of one sample answer; on average it has half the length that it may have."""
    return 0.5 * config.evaluation.max_new_tokens * GENERATED


def evaluated_tokens(there: float, tokens_trained: float) -> float:
    """Tokens of the evaluation examples, of so many that are ``there``, whose loss is looked at."""
    return min(there, max(FEWEST_EVALUATED_TOKENS, SHARE_EVALUATED * tokens_trained))


def scoring_tokens(config: TrainingConfig, sample: Sample, there: float, tokens_trained: float) -> float:
    """The cost of scoring such a sample once."""
    part = config.evaluation
    texts = evaluated_tokens(there, tokens_trained)
    if not sample.answering:
        return sample.share * (texts + (GENERAL_TEXT_TOKENS if part.forgetting else 0))
    general = GENERAL_TOKENS if part.forgetting else 0
    return sample.share * (texts + part.sample_answers * answer_tokens(config) + general)


def scored_sample(config: TrainingConfig, there: float, tokens_trained: float, parameters: int) -> Sample:
    """What a model of so many ``parameters`` is scored on before and after it is trained on so many tokens. Where there
    is no room for a few answers there are none, and the loss takes what is left."""
    allowed = SHARE_SCORED * 3 * tokens_trained

    def of_room(room: float, answering: bool) -> Sample:
        whole = scoring_tokens(config, Sample(answering=answering), there, tokens_trained)
        return Sample(min(1.0, room / max(1.0, whole)), answering)

    answered = of_room(max(SMALL_OPERATIONS / (2 * parameters), allowed), True)
    if answered.share >= LEAST_SHARE:
        return answered
    return of_room(allowed, False)


def sampled(count: int, share: float, fewest: int) -> int:
    """So many of ``count``, of which at least ``fewest`` are taken where there are so many."""
    return min(count, max(fewest, round(count * share)))
