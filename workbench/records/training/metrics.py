"""The metrics of a training, as declared by its objective: pages draw charts and tables from them, the terminal lines.

A ``MetricSpec`` is a number that comes as an event of that name; those of the trainer are the same for all objectives.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from workbench.base.catalogue import Shown
from workbench.records.training.scores import Scores

Form = Literal["number", "rate", "percent", "count", "bytes", "answers"]
"""How a value is spelled: ``rate`` with two digits, ``answers`` as a share of the generated answers (14 of 16)."""


class MetricSpec(msgspec.Struct, frozen=True, kw_only=True):
    """A measured number. ``label`` is its short name in a line of the terminal, "" where it is not shown there.

    ``chart`` names the chart that it is drawn in, "" for none; ``drawn`` says how. ``score`` is the name of the same
    number among the scores before and after, "" where there is none.
    """

    name: str
    title: Shown
    label: str = ""
    help: Shown = ""
    unit: Shown = ""
    better: Literal["lower", "higher", ""] = ""
    form: Form = "number"
    chart: str = ""
    drawn: Literal["line", "smooth", "dots"] = "line"
    score: str = ""


class ChartSpec(msgspec.Struct, frozen=True, kw_only=True):
    """A chart of a run. The first one is large; ``help`` says in a sentence how to read it."""

    name: str
    title: Shown
    help: Shown = ""
    unit: Shown = ""
    from_zero: bool = False


LOSS_CHART = ChartSpec(
    name="loss",
    title="Loss",
    help=(
        "Mean negative log-probability of the expected tokens, in nats; lower is better. If the training loss "
        "falls while the evaluation loss rises, the model overfits."
    ),
)
TRAINER_CHARTS = (
    ChartSpec(name="learning_rate", title="Learning rate", help="The factor of each update."),
    ChartSpec(
        name="gradient_norm",
        title="Gradient norm",
        help="The norm of the gradient per step. Spikes mean that the training is unstable.",
    ),
    ChartSpec(
        name="speed",
        title="Speed",
        unit="tokens/s",
        from_zero=True,
        help="The tokens that are computed per second, without padding.",
    ),
)
TRAINER_METRICS = (
    MetricSpec(name="learning_rate", title="Learning rate", label="rate", form="rate", chart="learning_rate"),
    MetricSpec(name="gradient_norm", title="Gradient norm", chart="gradient_norm", drawn="smooth"),
    MetricSpec(
        name="tokens_per_second", title="Speed", label="tokens/s", unit="tokens/s", form="count",
        better="higher", chart="speed",
    ),
    MetricSpec(name="memory_bytes", title="Memory", unit="bytes", form="bytes"),
)  # fmt: skip
LOSS = MetricSpec(name="loss", title="Training loss", label="loss", better="lower", chart="loss", drawn="smooth")
EVALUATION_LOSS = MetricSpec(
    name="evaluation_loss", title="Evaluation loss", label="evaluation loss", better="lower",
    chart="loss", drawn="dots", score="loss",
)  # fmt: skip
PERPLEXITY = MetricSpec(
    name="evaluation_perplexity", title="Perplexity", help="The exponential of the loss: how many tokens the model "
    "hesitates between, on the mean.", better="lower",
    form="count", score="perplexity",
)  # fmt: skip
TOKEN_ACCURACY = MetricSpec(
    name="evaluation_token_accuracy", title="Token accuracy", label="token accuracy",
    help="The share of the trained tokens that the model ranks first.", better="higher",
    form="percent", score="token_accuracy",
)  # fmt: skip
EXACT_MATCH = MetricSpec(
    name="exact_match", title="Exact match", label="exact match", help="The share of the answers that equal the "
    "expected one.",
    better="higher", form="answers", score="exact_match",
)  # fmt: skip
ROUGE_L = MetricSpec(
    name="rouge_l", title="ROUGE-L", label="ROUGE-L", help="The overlap of the answers with the expected ones.",
    better="higher", form="percent", score="rouge_l",
)  # fmt: skip
GENERAL_LOSS = MetricSpec(name="general_loss", title="Loss on general texts", label="general loss", better="lower")

LANGUAGE_MODEL_METRICS = (
    LOSS, *TRAINER_METRICS, EVALUATION_LOSS, PERPLEXITY, TOKEN_ACCURACY, EXACT_MATCH, ROUGE_L, GENERAL_LOSS,
)  # fmt: skip
LANGUAGE_MODEL_CHARTS = (LOSS_CHART, *TRAINER_CHARTS)


def score_of(scores: Scores | None, name: str) -> float | None:
    """A number among scores, by its name; None where it was not measured."""
    if scores is None:
        return None
    found = scores.metrics.get(name)
    return found if found is not None else getattr(scores, name, None)


def scored(metrics: Sequence[MetricSpec]) -> tuple[MetricSpec, ...]:
    """The metrics that are measured before and after."""
    return tuple(metric for metric in metrics if metric.score)


def spell(metric: MetricSpec, value: float, answers: int = 0) -> str:
    """A value as it is shown: ``0.412``, ``98%``, ``14 of 16`` where so many answers were given."""
    if metric.form == "answers" and answers:
        return f"{round(value * answers)} of {answers}"
    if metric.form in ("percent", "answers"):
        return f"{100 * value:.0f}%"
    if metric.form == "rate":
        return f"{value:.2g}"
    return f"{value:,.0f}" if 100 <= value < 1e7 else f"{value:.4g}"
