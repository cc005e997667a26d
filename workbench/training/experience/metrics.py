"""What a training with rollouts measures, and the charts that show it."""

from __future__ import annotations

from workbench.records.training import ChartSpec, MetricSpec
from workbench.records.training.metrics import GENERAL_LOSS, LOSS, TRAINER_CHARTS, TRAINER_METRICS

_REWARD_CHART = ChartSpec(
    name="reward",
    title="Reward",
    help="The mean reward of the sampled answers. Where KL rises with it, the model may have found a trick, so "
    "read the samples.",
)
CHARTS: tuple[ChartSpec, ...] = (
    _REWARD_CHART,
    ChartSpec(
        name="kl",
        title="KL divergence",
        unit="nats",
        help="How far an answer has moved from the model before, in nats. At twice the target the training stops.",
    ),
    ChartSpec(
        name="length", title="Answer length", unit="tokens", from_zero=True,
        help="The mean length of the answers in tokens. Very short or very long answers are a usual trick to get "
        "reward.",
    ),
    ChartSpec(
        name="variety",
        title="Variety",
        help="The share of the answers that repeat themselves, and the share of distinct pairs of tokens over all "
        "answers.",
    ),
    ChartSpec(name="entropy", title="Entropy", unit="nats", help="How undecided the model is about a token."),
    ChartSpec(
        name="clip_fraction",
        title="Clip fraction",
        help="The share of the tokens whose update is clipped. Above 0.3 the learning rate or the number of "
        "updates is too high.",
    ),
    ChartSpec(
        name="mismatch",
        title="Mismatch",
        unit="nats",
        help="The mean difference per token between the engine that sampled the answers and the model in training.",
    ),
    ChartSpec(name="loss", title="Policy loss", help="Its size says nothing. Jumps mean an unstable training."),
    ChartSpec(name="seconds", title="Time of a step", unit="s", from_zero=True, help="The parts of a step's time."),
    *TRAINER_CHARTS,
)  # fmt: skip
METRICS: tuple[MetricSpec, ...] = (
    MetricSpec(name="reward", title="Reward", label="reward", better="higher", chart="reward", drawn="smooth"),
    MetricSpec(
        name="evaluation_reward", title="Reward, evaluation", label="evaluation reward", better="higher",
        chart="reward", drawn="dots", score="reward", help="The mean reward of answers to the evaluation prompts.",
    ),
    MetricSpec(name="kl", title="KL", label="kl", unit="nats", chart="kl", drawn="smooth"),
    MetricSpec(
        name="evaluation_kl", title="KL, evaluation", unit="nats", chart="kl", drawn="dots", score="kl",
        help="The divergence from the model before, per answer of the evaluation.",
    ),
    MetricSpec(name="beta", title="KL weight", help="Adapted to keep the divergence at its target."),
    MetricSpec(name="answer_tokens", title="Length", unit="tokens", chart="length", drawn="smooth"),
    MetricSpec(
        name="evaluation_answer_tokens", title="Length, evaluation", unit="tokens", chart="length", drawn="dots",
        score="answer_tokens",
    ),
    MetricSpec(name="finished", title="Finished answers", form="percent", help="The share that end by themselves."),
    MetricSpec(
        name="repetition", title="Repetitive", form="percent", better="lower", chart="variety",
        help="The share of the answers of which fewer than half of the pairs of tokens are distinct.",
    ),
    MetricSpec(
        name="evaluation_repetition", title="Repetitive, evaluation", form="percent", better="lower", chart="variety",
        drawn="dots", score="repetition",
    ),
    MetricSpec(
        name="diversity", title="Distinct pairs", form="percent", better="higher", chart="variety",
        help="Distinct pairs of tokens over all answers of a step.",
    ),
    MetricSpec(name="entropy", title="Entropy", unit="nats", chart="entropy", drawn="smooth"),
    MetricSpec(name="clip_fraction", title="Clip fraction", form="percent", chart="clip_fraction"),
    MetricSpec(
        name="change", title="Change of the policy", help="The mean of the halved squares of the changes, per token."
    ),
    MetricSpec(name="updates", title="Updates", form="count"),
    MetricSpec(name="mismatch", title="Mismatch", unit="nats", chart="mismatch", drawn="smooth"),
    MetricSpec(name="importance", title="Importance weight", help="The mean weight of a token; 1 without mismatch."),
    MetricSpec(name="seconds_rollouts", title="Sampling", unit="s", chart="seconds"),
    MetricSpec(name="seconds_rewards", title="Rewards", unit="s", chart="seconds"),
    MetricSpec(name="seconds_forward", title="Forward passes", unit="s", chart="seconds"),
    MetricSpec(name="seconds_updates", title="Updates", unit="s", chart="seconds"),
    *(LOSS, *TRAINER_METRICS, GENERAL_LOSS),
)  # fmt: skip
