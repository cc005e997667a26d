"""Estimates the memory and disk of a training from the model's shape and the config; nothing is allocated.

The estimate is of the peak, and meant to be at or a little above it: benchmarks compare it with measured ones.
"""

from __future__ import annotations

import math

from workbench.records.training import BaseForm, MemoryPart, TrainingConfig
from workbench.training.defaults import Device
from workbench.training.methods.weights_method import WeightsMethod
from workbench.training.model_shape import ModelShape

PROGRAM_BYTES = 560_000_000
"""Python, torch, transformers and peft, before a model is loaded."""
SLACK = 1.15
"""What is freed and cannot be used again lies between what is in use: the measured peak over the sum of its parts."""
LOSS_BYTES = 24 << 20
"""The loss is computed a chunk of positions at a time, whose logits take so much (``training.losses``)."""
LOSS_COPIES = 6
"""Of a chunk: logits, as some families cap them, log-probabilities, and the gradients of each."""
OF_UPDATES = ("activations", "loss")
"""The parts that are free between two updates."""
KEPT_CHECKPOINTS = 3
"""The two latest and the best."""
OPTIMISER_STATES = {"adamw": 2.0, "adafactor": 0.05, "sgd": 0.0}
"""Numbers that an optimiser keeps for each trainable weight. Adafactor keeps the sums of rows and columns."""
PACKED_SHARE = 0.85
"""Of the activations of dense layers, what packed ones keep: measured, one micro-batch of 384 tokens."""
FOUR_BITS = 0.56
"""Bytes a weight in 4 bits with the scales of its blocks (Dettmers et al. 2023, arXiv:2305.14314)."""


def base_bytes(shape: ModelShape, method: WeightsMethod, device: Device, *, fast_bf16: bool) -> dict[BaseForm, int]:
    """The bytes of the model's weights in each number format that this method and device allow. Those of them that
    are trained are float32 in every form, and cannot be blocks (``weights.packed_layers``)."""
    own = method.trainable(shape) if method.own_weights else 0
    possible = method.base_forms(fast_bf16)
    forms: dict[BaseForm, int] = {"f32": 4 * shape.parameters, "bf16": 2 * shape.parameters + 2 * own}
    if shape.is_gguf:
        forms["packed"] = shape.file_bytes + 4 * own
    if device == "cuda":
        rest = shape.parameters - shape.linear_parameters
        forms["4bit"] = int(FOUR_BITS * shape.linear_parameters) + 2 * rest
    return {form: size for form, size in forms.items() if form in possible}


def number_bytes(form: BaseForm, fast_bf16: bool) -> int:
    """The size of the numbers that are computed with: float32 if asked for, and where 16 bits are no faster."""
    return 2 if fast_bf16 and form != "f32" else 4


def trainable_bytes(shape: ModelShape, method: WeightsMethod, config: TrainingConfig) -> tuple[int, int, int]:
    """The trainable weights beside the model's own, the gradients of all of them and the optimiser's states: all in
    float32."""
    trainable = method.trainable(shape)
    beside = 0 if method.own_weights else trainable
    return 4 * beside, 4 * trainable, int(4 * trainable * OPTIMISER_STATES[config.optimiser.optimiser])


def token_bytes(
    shape: ModelShape, method: WeightsMethod, config: TrainingConfig, *, number: int, checkpointing: bool
) -> int:
    """The bytes per token of a micro-batch for the backward pass.

    Of a block are stored: the inputs of its linear layers and of what lies between them, the norms' in float32. With
    checkpointing only each block's input, and one block as above.
    """
    width, inner = shape.width, max(shape.inner, shape.width)
    each_keys = shape.keys // max(1, shape.layers)
    block = number * (6 * width + 4 * inner + 4 * (width + each_keys)) + 4 * 4 * width
    if number < 4:  # counted on SmolLM2: what passes from block to block and one of the inner ones are float32 still
        block += 4 * (4 * width + inner)
    stored = block + method.block_bytes(shape, number)
    layers = method.layers_with_gradients(shape)
    dense = not checkpointing or not method.can_checkpoint
    kept = stored * layers if dense else number * width * layers + 2.5 * stored
    return int(SLACK * (kept + 4 * 4 * width) * longer(method, config))


def longer(method: WeightsMethod, config: TrainingConfig) -> float:
    """The ratio of computed tokens to the examples' tokens: virtual tokens are added to each."""
    return 1 + method.computed_tokens / config.data.max_length if config.data.max_length else 1.0


def loss_bytes(shape: ModelShape, method: WeightsMethod, positions: float = math.inf) -> int:
    """Of a micro-batch in which ``positions`` tokens are trained. With trainable embeddings that are the output layer
    too, their gradient is summed up chunk by chunk as well."""
    head = 4 * shape.vocabulary * shape.width if method.trains_output else 0
    return int(LOSS_COPIES * min(LOSS_BYTES, 4 * shape.vocabulary * max(16, positions))) + 3 * head


def memory_parts(
    shape: ModelShape,
    method: WeightsMethod,
    config: TrainingConfig,
    *,
    base: int,
    fast_bf16: bool,
    trained: float = 1.0,
) -> tuple[MemoryPart, ...]:
    """The peak of all processes, in parts. ``config`` is resolved; ``base`` are the bytes of ``base_bytes`` in its
    form, ``trained`` the share of the tokens that are trained."""
    form = config.weights.base
    weights, gradients, states = trainable_bytes(shape, method, config)
    number = number_bytes(form, fast_bf16)
    checkpointing = config.optimiser.gradient_checkpointing == "on"
    each = token_bytes(shape, method, config, number=number, checkpointing=checkpointing)
    activations = int(config.optimiser.micro_batch_tokens * each * (PACKED_SHARE if form == "packed" else 1))
    parts = (
        MemoryPart(f"base weights ({form})", base),
        MemoryPart("trainable weights", weights),
        MemoryPart("gradients", gradients),
        MemoryPart("optimiser", states),
        MemoryPart("activations", activations),
        MemoryPart("loss", loss_bytes(shape, method, trained * config.optimiser.micro_batch_tokens)),
        MemoryPart("program", PROGRAM_BYTES),
    )
    return tuple(MemoryPart(part.name, part.bytes * config.processes) for part in parts if part.bytes)


def disk_bytes(shape: ModelShape, method: WeightsMethod, config: TrainingConfig) -> int:
    """The disk space of a run: checkpoints with optimiser states, trained weights, and the served file."""
    trainable = 4 * method.trainable(shape)
    states = trainable_bytes(shape, method, config)[2]
    # one is written before the oldest goes
    return (KEPT_CHECKPOINTS + 1) * (trainable + states) + trainable + method.served_bytes(shape)
