"""What a training would be, told before it begins."""

from __future__ import annotations

import msgspec

from workbench.records.stored import Stored
from workbench.records.training.config import TRAINING, TrainingConfig
from workbench.records.training.weights import ArtifactKind


class MemoryPart(msgspec.Struct, frozen=True):
    """One share of the memory that a training takes: what it is, in bytes."""

    name: str
    bytes: int


class TrainingPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What a training would be: ``config`` with everything filled in, what moves, what it makes and how that is served,
    memory and time. ``seconds`` is an estimate from this machine's measured speed, None where none is known.
    ``problem`` says why it cannot be begun ("": it can), ``hint`` what to change."""

    config: TrainingConfig
    artifact: ArtifactKind
    served: str
    summary: str
    source: str
    moving: int
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


PLAN = Stored("plan of this training", TrainingPlan, parts={"config": TRAINING})
