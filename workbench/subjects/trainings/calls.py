"""Data sets, trainings, and trained or imported adapters."""

from __future__ import annotations

from workbench.api.protocol import Call
from workbench.records.training import (
    TrainingConfig,
    TrainingPlan,
)
from workbench.subjects.runs.calls import RunRecord


class ExportRun(Call[str], frozen=True, kw_only=True, tag="runs.export"):
    """Write a training as a folder that runs anywhere with transformers and peft: config, examples, script, README.
    Returns the folder's path; ``path`` must not exist."""

    run: str
    path: str


class PlanTraining(Call[TrainingPlan], frozen=True, kw_only=True, tag="train.plan"):
    """The plan of a training: memory, time, and whether it can start here. Raises UserError for invalid data, with row
    and reason."""

    config: TrainingConfig


class Train(Call[RunRecord], frozen=True, kw_only=True, tag="train"):
    """Queue a training; follow it with ``FollowRun``. Raises UserError where ``PlanTraining`` says that it cannot be.

    Its events: ``Progress``; ``Metric`` of each logged step (loss, learning_rate, gradient_norm, tokens_per_second,
    memory_bytes) and evaluation (evaluation_loss, evaluation_perplexity, evaluation_token_accuracy, exact_match,
    rouge_l, general_loss, general_exact_match), with ``step``; ``Artifact`` of the kinds plan (``TrainingPlan``),
    sample (``SampleAnswer``), checkpoint, scores (``ScoresPair``), forgetting (``ScoresPair``), adapter
    (``AdapterRecord``) and verification (``VerificationReport``). Its result is a ``TrainResult``.
    """

    config: TrainingConfig
