"""The settings of a training for transformers' and TRL's trainers, with nothing left open: written into an exported
folder, and used here where TRL trains.

A step is a fixed number of micro-batches of the same number of examples, in the order of ``Schedule``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from workbench.records.training import OptimiserPart, TrainingConfig
from workbench.training.batching import Schedule
from workbench.training.methods.weights_method import WeightsMethod
from workbench.training.trl_trainer import TrlTrainer


def trainer_settings(
    config: TrainingConfig, method: WeightsMethod, trl: TrlTrainer | None, lengths: Sequence[int]
) -> dict[str, Any]:
    """Of a resolved config. ``lengths`` are those of the training's examples in tokens; ``trl`` None: transformers'
    own trainer trains, with the loss of a language model."""
    from workbench.training.trainer import arguments_of

    part = config.optimiser
    batch = min(part.batch_size, len(lengths)) or part.batch_size
    arguments = arguments_of(part, part.max_steps) | {
        "max_grad_norm": part.gradient_clipping,
        "eval_steps": config.evaluation.interval,
    }
    return {
        "method": config.weights.method,
        "arguments": arguments,
        "gradient_checkpointing": part.gradient_checkpointing == "on" and method.can_checkpoint,
        "batch_size": batch,
        "micro_batch_examples": micro_batch_examples(config, trl, max(lengths, default=1), batch),
        "bf16": config.weights.base in ("bf16", "4bit"),
        **({} if trl is None else {"trainer": msgspec.to_builtins(trl)}),
    }


def micro_batch_examples(config: TrainingConfig, trl: TrlTrainer | None, longest: int, batch: int = 0) -> int:
    """The number of the longest examples per micro-batch in each process: a divisor of its share of the batch."""
    share = max(1, (batch or config.optimiser.batch_size) // config.processes)
    if trl is not None and trl.whole_step:
        return share
    if trl is not None:
        longest += trl.arguments.get("max_completion_length", 0)
    most = max(1, min(share, config.optimiser.micro_batch_tokens // max(1, longest)))
    return next(count for count in range(most, 0, -1) if share % count == 0)


def order_of(examples: int, part: OptimiserPart) -> list[int]:
    """The places of the examples of all steps, one after the other."""
    schedule = Schedule(examples, min(part.batch_size, examples), part.seed)
    return [place for step in range(part.max_steps) for place in schedule.step(step)] if examples else []
