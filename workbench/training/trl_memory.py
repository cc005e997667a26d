"""Estimates the memory of a training whose steps TRL computes: an upper estimate, since its micro-batches are padded to
the longest example, a pair is two rows with the prompt in each, and the loss is over every position on a processor.
"""

from __future__ import annotations

import msgspec

from workbench.records.training import MemoryPart, TrainingConfig
from workbench.training import memory
from workbench.training.defaults import Device
from workbench.training.methods.weights_method import WeightsMethod
from workbench.training.model_shape import ModelShape
from workbench.training.trainer_settings import micro_batch_examples
from workbench.training.trl_trainer import TrlTrainer, computed_rows

LIBRARIES_BYTES = 20_000_000
"""Of TRL and datasets, beside what every training loads: 12 MB measured."""
TILE_TOKENS, TILE_WORDS = 4096, 32768
"""TRL takes the logits of so many positions and words of the vocabulary at a time."""
TILE_COPIES = {"cpu": 6, "cuda": 2}
"""Of a tile in float32: logits, exponentials and what the metrics take of them; a Triton kernel works in place."""
_FLOAT = 4


def trl_memory_parts(
    shape: ModelShape,
    method: WeightsMethod,
    config: TrainingConfig,
    trl: TrlTrainer,
    *,
    longest: int,
    base: int,
    fast_bf16: bool,
    device: Device,
) -> tuple[MemoryPart, ...]:
    """The peak of all processes, in parts. ``config`` is resolved; ``longest`` is the longest example in tokens,
    before it is truncated. The rest as ``memory.memory_parts``."""
    new_tokens = int(trl.arguments.get("max_completion_length", 0))
    prompt = min(longest, config.data.max_length) or config.data.max_length
    row = min(prompt + new_tokens, config.data.max_length + new_tokens)
    tokens = micro_batch_examples(config, trl, prompt) * computed_rows(trl) * row
    part = msgspec.structs.replace(config.optimiser, micro_batch_tokens=tokens)
    whole = msgspec.structs.replace(config, optimiser=part)
    parts = memory.memory_parts(shape, method, whole, base=base, fast_bf16=fast_bf16)
    tile = _FLOAT * min(tokens, TILE_TOKENS) * min(shape.vocabulary, TILE_WORDS)
    added = [
        MemoryPart("loss", TILE_COPIES[device] * tile),
        MemoryPart("TRL", LIBRARIES_BYTES),
        MemoryPart("gradients of all processes", _FLOAT * method.trainable(shape) if config.processes > 1 else 0),
        MemoryPart("answers of a step", _sampling_bytes(shape, config, trl, row) if new_tokens else 0),
    ]
    return (
        *(one for one in parts if one.name != "loss"),
        *(MemoryPart(one.name, one.bytes * config.processes) for one in added if one.bytes),
    )


def _sampling_bytes(shape: ModelShape, config: TrainingConfig, trl: TrlTrainer, row: int) -> int:
    """Transformers' keys and values of all answers of a process's share, which are sampled at once, and their logits as
    computed, tempered and drawn from."""
    answers = trl.answers * max(1, config.optimiser.batch_size // config.processes)
    return int(memory.SLACK * answers * (2 * _FLOAT * shape.keys * row + 3 * _FLOAT * shape.vocabulary))
