"""What a training would be, told before it begins."""

from __future__ import annotations

from typing import Any

import msgspec

from workbench.records.stored import Stored
from workbench.records.training.config import TRAINING, TrainingConfig
from workbench.records.training.metrics import LANGUAGE_MODEL_CHARTS, LANGUAGE_MODEL_METRICS, ChartSpec, MetricSpec
from workbench.records.training.weights import ArtifactKind


class MemoryPart(msgspec.Struct, frozen=True):
    """One share of the memory that a training takes: what it is, in bytes."""

    name: str
    bytes: int


class TrainingPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What a training would be: ``config`` with everything filled in, how many weights are trainable, what it makes and
    how that is served, memory and time, and what the objective measures and draws. ``title`` is that of the weights
    method. ``seconds`` is an estimate from this machine's measured speed, None where none is known. ``problem`` says
    why it cannot be begun ("": it can), ``hint`` what to change."""

    config: TrainingConfig
    artifact: ArtifactKind
    served: str
    summary: str
    source: str
    trainable: int
    parameters: int
    steps: int
    tokens: int
    memory: tuple[MemoryPart, ...]
    memory_bytes: int
    memory_free_bytes: int
    disk_bytes: int
    disk_free_bytes: int
    seconds: float | None = None
    problem: str = ""
    hint: str = ""
    notes: tuple[str, ...] = ()
    title: str = ""
    metrics: tuple[MetricSpec, ...] = LANGUAGE_MODEL_METRICS
    charts: tuple[ChartSpec, ...] = LANGUAGE_MODEL_CHARTS


def _from_1(plain: dict[str, Any]) -> dict[str, Any]:
    """Weights are trainable instead of moving."""
    return {("trainable" if name == "moving" else name): value for name, value in plain.items()}


PLAN = Stored("plan of this training", TrainingPlan, upgrades={1: _from_1}, parts={"config": TRAINING})
