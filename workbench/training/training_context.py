"""What a training offers to its objective: the model, the data and the run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.api import events
from workbench.records.methods import Method, Methods
from workbench.records.training import TrainingConfig
from workbench.rewards.reward import RewardContext
from workbench.training.data.assistant_masks import Tokenizer
from workbench.training.protocol import BaseModel
from workbench.training.sequences import TokenSequence


@dataclass(frozen=True)
class TrainingContext:
    """``model`` is the torch model with its trainable weights, ``base`` what it was loaded from. ``folder`` is the
    run's. ``check`` is called in between and raises what is to end the training; ``can_serve``: what is trained is a
    GGUF LoRA; ``resumed``: its weights will be those of a checkpoint. ``dtype`` is that of the computation. ``threads``
    0: as many as other programs leave. ``rewards`` is what rewards ask for, where answers are rewarded."""

    model: Any
    base: BaseModel
    config: TrainingConfig
    folder: Path
    tokenizer: Tokenizer
    methods: Methods[Method]
    train: Sequence[TokenSequence]
    dtype: Any
    can_serve: bool
    resumed: bool
    threads: int
    rewards: RewardContext | None
    check: Callable[[], None]
    emit: Callable[[events.Event], None]
