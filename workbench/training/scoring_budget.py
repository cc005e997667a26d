"""What of its evaluation examples and questions a training is scored on, so that scoring does not outlast it.

Costs are counted in tokens that are read once, forwards. A training of T tokens costs 3 T: backwards twice as much.
Packed weights are unpacked in each pass, forwards and backwards, which costs ``PACKED_PASS`` tokens however few there
are in it.
"""

from __future__ import annotations

import math

import msgspec

from workbench.records.training import TrainingConfig

FEWEST_EVALUATED_TOKENS, SHARE_EVALUATED = 8192, 1 / 40
"""Evaluation examples are looked at up to that share of the tokens that are trained (or the fewest): ten evaluations on
the way then cost a tenth of the time."""

GENERAL_TOKENS, GENERAL_TEXT_TOKENS, GENERAL_TEXTS = 4_000, 400, 8
"""Of the general set, with its answers; of its texts alone; and these."""

GENERATED = 8
"""A generated token costs about what eight do that are computed at once: each time all weights are read."""

SMALL_OPERATIONS = 2.5e12
"""Scoring with answers may always take so many operations: 25 seconds on two cores. A model of 135 million parameters
is scored on all of a small set within them."""

SHARE_SCORED = 0.5
"""Each of the two scorings, before and after, may take this share of the training."""

PACKED_PASS = 40
"""Measured on one core: 1.8 billion weights of Q4_0 and 4.2 of Q4_K are unpacked in a second to float32, in which time
26 and 11 tokens are multiplied with as many weights; in bfloat16 88 and 47."""

FEWEST_SAMPLED = 4
"""Examples, answers or general questions of a sample. Where these would outlast the training, there is less."""

LEAST_READ = 0.01
"""The share where only the fewest examples are scored."""

_ROUNDS = 20
LEAST_SHARE = 1 / 8
"""Where a smaller sample with answers would have to do, none are asked for, and losses take their time."""


class Sample(msgspec.Struct, frozen=True):
    """``share``, above 0 and at most 1, of the evaluation examples, sample answers and general questions is scored.
    Without ``answering`` no answers are asked for and losses alone are computed; without ``general`` of no general
    texts either, and of ``examples`` evaluation examples at least."""

    share: float = 1.0
    answering: bool = True
    general: bool = True
    examples: int = FEWEST_SAMPLED

    @property
    def whole(self) -> bool:
        return self.answering and self.share >= 1

    def answers(self, count: int) -> int:
        """How many of so many questions are asked."""
        return sampled(count, self.share, FEWEST_SAMPLED) if self.answering else 0


def pass_tokens(config: TrainingConfig) -> int:
    """The cost of a pass beside that of its tokens. ``config`` is resolved."""
    return PACKED_PASS if config.weights.base == "packed" else 0


def passes(config: TrainingConfig, tokens: float) -> int:
    """The number of micro-batches of so many tokens."""
    most = config.optimiser.micro_batch_tokens
    return math.ceil(tokens / most) if most else 1


def training_cost(config: TrainingConfig, tokens_trained: float) -> float:
    steps = max(1, config.optimiser.max_steps)
    return 3 * tokens_trained + 2 * pass_tokens(config) * steps * passes(config, tokens_trained / steps)


def reading_cost(config: TrainingConfig, tokens: float) -> float:
    """Of texts whose loss is computed."""
    return tokens + pass_tokens(config) * passes(config, tokens)


def answer_tokens(config: TrainingConfig) -> float:
    """The cost of one sample answer; on average it has half the length that it may have."""
    return 0.5 * config.evaluation.max_new_tokens * (GENERATED + pass_tokens(config))


def evaluated_tokens(there: float, tokens_trained: float) -> float:
    """Tokens of the evaluation examples, of so many that are ``there``, whose loss is looked at."""
    return min(there, max(FEWEST_EVALUATED_TOKENS, SHARE_EVALUATED * tokens_trained))


def scoring_tokens(config: TrainingConfig, sample: Sample, there: float, tokens_trained: float) -> float:
    """The cost of scoring such a sample once."""
    part = config.evaluation
    texts = reading_cost(config, sample.share * evaluated_tokens(there, tokens_trained))
    general = part.forgetting and sample.general
    if not sample.answering:
        return texts + (reading_cost(config, sample.share * GENERAL_TEXT_TOKENS) if general else 0)
    answers = sample.share * part.sample_answers * answer_tokens(config)
    return texts + answers + sample.share * ((GENERAL_TOKENS + 8 * pass_tokens(config)) if general else 0)


def scored_sample(
    config: TrainingConfig, there: float, tokens_trained: float, parameters: int, examples: int = 0
) -> Sample:
    """What a model of so many ``parameters`` is scored on before and after it is trained on so many tokens. Where there
    is no room for a few answers there are none, and the loss takes what is left: where that does not hold the fewest of
    the ``examples`` that are ``there`` and a general text, no general texts and fewer examples, one at least."""
    allowed = SHARE_SCORED * training_cost(config, tokens_trained)

    def of_room(room: float, answering: bool) -> Sample:
        share = 1.0
        for _ in range(_ROUNDS):  # passes are whole ones, so that half of the texts costs more than half
            cost = scoring_tokens(config, Sample(share, answering), there, tokens_trained)
            share *= min(1.0, room / max(1.0, cost))
        return Sample(share, answering)

    answered = of_room(max(SMALL_OPERATIONS / (2 * parameters), allowed), True)
    if answered.share >= LEAST_SHARE:
        return answered
    read = of_room(allowed, False)
    mean = there / examples if examples else 0.0
    fewest = min(FEWEST_SAMPLED, examples)
    general = reading_cost(config, GENERAL_TEXT_TOKENS / GENERAL_TEXTS) if config.evaluation.forgetting else 0.0
    if not examples or reading_cost(config, fewest * mean) + general <= allowed:
        return read
    holds = [count for count in range(1, fewest + 1) if reading_cost(config, count * mean) <= allowed]
    return msgspec.structs.replace(read, share=LEAST_READ, general=False, examples=max(holds, default=1))


def sampled(count: int, share: float, fewest: int) -> int:
    """So many of ``count``, of which at least ``fewest`` are taken where there are so many."""
    return min(count, max(fewest, round(count * share)))
