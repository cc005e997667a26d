"""How TRL trains an objective: by which of its trainers, with which settings, and the examples in the form that it
takes. A training here with ``trainer = "trl"`` and an exported folder are both made from this.

Examples stay tokens, so that TRL trains on the same ones. What TRL computes in another way is named in ``notes``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from workbench.base.catalogue import Shown
from workbench.base.errors import UserError
from workbench.records.training import ChartSpec, MetricSpec, TrainingConfig
from workbench.records.training.metrics import GENERAL_LOSS, TRAINER_METRICS
from workbench.training.sequences import JUDGED_BAD, TokenSequence

if TYPE_CHECKING:
    from workbench.training.methods.weights_method import WeightsMethod
    from workbench.training.objectives.objective import Objective

Form = Literal["texts", "pairs", "scored", "judged", "prompts"]
_IGNORED = -100

USE_WORKBENCH = "Set the trainer to workbench."
PAIR_METRICS = {
    "rewards/accuracies": "pair_accuracy",
    "rewards/margins": "margin",
    "rewards/chosen": "chosen_reward",
    "rewards/rejected": "rejected_reward",
}


class TrlTrainer(msgspec.Struct, frozen=True, kw_only=True):
    """``trainer`` is the name of a class of TRL, ``arguments`` those of its configuration beside what every training
    sets. ``form`` is that of the examples, ``columns`` are further columns of each. ``whole_step``: its loss has a
    statistic of all examples of a step, which therefore are one micro-batch. ``scores``: a score head is trained in
    place of the language model's. ``metrics``: the numbers that TRL logs by the names that they have here.

    ``answers`` are sampled to each prompt of a step, by which the weights are updated ``updates`` times. ``rewards``
    are those of an exported folder: each a function of ``rewards.values``, its options and its weight; ``penalises``:
    an answer that does not end gets -1. ``notes`` say what differs from this program's own trainer,
    ``exported_notes`` what differs besides in an exported folder."""

    trainer: str
    form: Form
    arguments: dict[str, Any] = {}
    columns: dict[str, Any] = {}
    whole_step: bool = False
    scores: bool = False
    metrics: dict[str, str] = {}
    answers: int = 1
    updates: int = 1
    rewards: tuple[dict[str, Any], ...] = ()
    penalises: bool = False
    notes: tuple[Shown, ...] = ()
    exported_notes: tuple[Shown, ...] = ()


def not_in_trl(title: str) -> UserError:
    """The reason why TRL does not train an objective."""
    return UserError(f"TRL 1.16 has no trainer for {title} that is stable.", USE_WORKBENCH)


def with_arguments(trl: TrlTrainer, trainer: str, **arguments: Any) -> TrlTrainer:
    """Of another class of TRL, with further arguments."""
    return msgspec.structs.replace(trl, trainer=trainer, arguments={**trl.arguments, **arguments})


def trl_problem(config: TrainingConfig, objective: Objective, method: WeightsMethod) -> tuple[str, str]:
    """Why TRL cannot train this, and what to do; "" where it can. ``config`` may leave values open."""
    try:
        objective.trl()
    except UserError as error:
        return error.message, error.hint
    if method.virtual_tokens:
        return (
            "Virtual tokens are trained by this program's own trainer only.",
            f"Train a LoRA. {USE_WORKBENCH}",
        )
    if config.weights.base == "packed":
        return (
            "TRL computes with the output layer's weights directly, which are blocks in a packed base.",
            "Hold the base weights as f32, bf16 or 4bit.",
        )
    batch = config.optimiser.batch_size
    if batch % config.processes:
        return (
            f"TRL shares a step out equally, and {batch:,} examples cannot be shared by {config.processes} processes.",
            f"Set the batch size to a multiple of {config.processes}.",
        )
    return "", ""


def logged_metrics(
    trl: TrlTrainer, metrics: Sequence[MetricSpec], charts: Sequence[ChartSpec]
) -> tuple[tuple[MetricSpec, ...], tuple[ChartSpec, ...]]:
    """Of what an objective measures and draws, what is measured where TRL trains it: what TRL logs, what every trainer
    does, and what is scored."""
    known = {"loss", GENERAL_LOSS.name, *trl.metrics.values(), *(metric.name for metric in TRAINER_METRICS)}
    kept = tuple(metric for metric in metrics if metric.name in known or metric.score)
    drawn = {metric.chart for metric in kept}
    return kept, tuple(chart for chart in charts if chart.name in drawn)


# -- examples as TRL takes them -----------------------------------------------------------------------------


def _text(row: TokenSequence) -> dict[str, Any]:
    labels = [token if trained else _IGNORED for token, trained in zip(row.tokens, row.trained, strict=True)]
    return {"input_ids": row.tokens, "labels": labels} | ({"starts": row.starts} if row.starts else {})


def _pair(row: TokenSequence) -> dict[str, Any]:
    prompt, [second] = row.trained.index(True), row.starts
    return {
        "prompt_ids": row.tokens[:prompt],
        "chosen_ids": row.tokens[prompt:second],
        "rejected_ids": row.tokens[second:],
    }


def _scored(row: TokenSequence) -> dict[str, Any]:
    """TRL's reward trainer takes whole texts: each answer after its prompt."""
    pair = _pair(row)
    prompt = pair["prompt_ids"]
    answers = {name: (*prompt, *pair[name]) for name in ("chosen_ids", "rejected_ids")}
    return {**answers, "prompt_tokens": len(prompt)}


def _judged(row: TokenSequence) -> dict[str, Any]:
    prompt = row.trained.index(True)
    return {
        "prompt_ids": row.tokens[:prompt],
        "completion_ids": row.tokens[prompt:],
        "label": row.mark != JUDGED_BAD,
    }


def _prompt(row: TokenSequence) -> dict[str, Any]:
    return {"prompt_ids": row.tokens}


_FORMS: Mapping[Form, Callable[[TokenSequence], dict[str, Any]]] = {
    "texts": _text, "pairs": _pair, "scored": _scored, "judged": _judged, "prompts": _prompt,
}  # fmt: skip


def row_of(trl: TrlTrainer, row: TokenSequence) -> dict[str, Any]:
    """A row of TRL's data made of a training sequence."""
    return {**_FORMS[trl.form](row), **trl.columns}


def computed_rows(trl: TrlTrainer) -> int:
    """How many rows of a micro-batch are computed for one of its examples: both answers of a pair apart, an answer
    judged by itself a second time after another prompt."""
    return 2 if trl.form in ("pairs", "scored", "judged") else 1
