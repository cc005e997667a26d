"""What memory and disk a training takes, estimated from the model's shape and the config; nothing is allocated.

The estimate is of the peak, and meant to be at or a little above it: benchmarks compare it with measured ones.
"""

from __future__ import annotations

import math

from workbench.gguf.peft_kinds import WIDE_RANK
from workbench.records.training import (
    ARTIFACTS,
    RANKS,
    BaseForm,
    MemoryPart,
    TrainingConfig,
    WeightsPart,
    layers_of,
    rank_of,
)
from workbench.training.defaults import Device
from workbench.training.trainable_parameters import ModelShape, count_trainable, targets

PROGRAM_BYTES = 560_000_000
"""Python, torch, transformers and peft, before a model is loaded."""
SLACK = 1.15
"""What is freed and cannot be used again lies between what is in use: the measured peak over the sum of its parts."""
LOSS_BYTES = 64 << 20
"""The loss is computed a chunk of positions at a time, whose logits take so much (``training.losses``)."""
LOSS_COPIES = 4
"""Of a chunk: logits, log-probabilities, and the gradients of both."""
KEPT_CHECKPOINTS = 3
"""The two latest and the best."""
SERVED_BYTES = 2.0
"""Of each weight of a merged model's linear layers: F16 at most."""
OPTIMISER_STATES = {"adamw": 2.0, "adafactor": 0.05, "sgd": 0.0}
"""Numbers that an optimiser keeps for each weight that moves. Adafactor keeps the sums of rows and columns."""
PACKED_SHARE = 0.85
"""Of the activations of dense layers, what packed ones keep: measured, one micro-batch of 384 tokens."""
FOUR_BITS = 0.56
"""Bytes a weight in 4 bits with the scales of its blocks (Dettmers et al. 2023, arXiv:2305.14314)."""


_WHOLE = {"loha": 1.0, "lokr": 1.75}
"""Methods that build the change of a layer in its full size, and how often they keep it at the peak, as measured."""
ROTATION_COPIES = 6
"""Of OFT's blocks: the skew-symmetric matrix, what is solved, the rotation, and what their gradients need."""


def base_bytes(shape: ModelShape, weights: WeightsPart, device: Device, *, fast_bf16: bool) -> dict[BaseForm, int]:
    """What the model's weights take in each form that is possible with this method on this device. Those of them that
    move are float32 in every form, and cannot be blocks (``weights.packed``)."""
    own = count_trainable(shape, weights) if weights.method in ("full", "layers", "norms") else 0
    forms: dict[BaseForm, int] = {"f32": 4 * shape.parameters}
    if weights.method == "full":
        return forms
    if weights.method != "layers" or fast_bf16:
        forms["bf16"] = 2 * shape.parameters + 2 * own
    if weights.method == "layers":
        return forms
    if shape.is_gguf:
        forms["packed"] = shape.file_bytes + 4 * own
    if device == "cuda" and weights.method not in _WHOLE:  # PEFT takes the shape of packed weights for the layer's
        rest = shape.parameters - shape.linear_parameters
        forms["4bit"] = int(FOUR_BITS * shape.linear_parameters) + 2 * rest
    return forms


def number_bytes(form: BaseForm, fast_bf16: bool) -> int:
    """The size of the numbers that are computed with: float32 if asked for, and where 16 bits are no faster."""
    return 2 if fast_bf16 and form != "f32" else 4


def trainable_bytes(shape: ModelShape, config: TrainingConfig) -> tuple[int, int, int]:
    """The weights that move beside the model's own, the gradients of all that move and the optimiser's states: all in
    float32."""
    moving = count_trainable(shape, config.weights)
    beside = 0 if config.weights.method in ("full", "layers", "norms") else moving
    return 4 * beside, 4 * moving, int(4 * moving * OPTIMISER_STATES[config.optimiser.optimiser])


def token_bytes(shape: ModelShape, config: TrainingConfig, *, number: int, checkpointing: bool) -> int:
    """What each token that is computed at once takes for the backward pass.

    Of a block are kept: the inputs of its linear layers and of what lies between them, the norms' in float32. With
    checkpointing only each block's input, and one block as above; a prefix cannot be trained so (training.running).
    """
    width, inner = shape.width, max(shape.inner, shape.width)
    each_keys = shape.keys // max(1, shape.layers)
    block = number * (6 * width + 4 * inner + 4 * (width + each_keys)) + 4 * 4 * width
    if number < 4:  # counted on SmolLM2: what passes from block to block and one of the inner ones are float32 still
        block += 4 * (4 * width + inner)
    if config.weights.method in RANKS and config.weights.method not in _WHOLE:
        stems = len(shape.linears) // max(1, shape.layers)
        block += 4 * stems * rank_of(config.weights)
    if config.weights.method == "vera":  # before and after each of its vectors
        outputs = sum(one.outputs for one in targets(shape, config.weights)) // max(1, shape.layers)
        block += 4 * (stems * rank_of(config.weights) + outputs)
    if config.weights.method == "oft" and number < 4:  # what is rotated is made float32
        block += 4 * sum(one.inputs for one in targets(shape, config.weights)) // max(1, shape.layers)
    if config.weights.method == "dora":
        block += number * (4 * width + 3 * inner)
    if config.weights.method == "ia3":
        block += number * (inner + each_keys)
    layers = shape.layers
    if config.weights.method == "layers":  # gradients go back as far as the first of them
        layers -= layers_of(config.weights, shape.layers)[0]
    dense = not checkpointing or config.weights.method == "prefix"
    kept = block * layers if dense else number * width * layers + 2.5 * block
    return int(SLACK * (kept + 4 * 4 * width) * longer(config))


def built_bytes(shape: ModelShape, config: TrainingConfig, *, number: int, checkpointing: bool) -> int:
    """What is built of the moving weights for a pass and kept for the backward pass, however many tokens there are."""
    method = config.weights.method
    if method in _WHOLE:
        built = int(_WHOLE[method] * number * sum(one.inputs * one.outputs for one in targets(shape, config.weights)))
    elif method == "oft":
        size = config.weights.block_size
        built = 4 * ROTATION_COPIES * sum(one.inputs * size for one in targets(shape, config.weights))
    else:
        return 0
    return built // max(1, shape.layers) if checkpointing else built


def longer(config: TrainingConfig) -> float:
    """How many times as many tokens are computed as the examples have: virtual ones stand before each."""
    if config.weights.method not in ("prompt", "p-tuning") or not config.data.max_length:
        return 1.0
    return 1 + config.weights.virtual_tokens / config.data.max_length


def loss_bytes(shape: ModelShape, config: TrainingConfig, positions: float = math.inf) -> int:
    """Of a micro-batch in which ``positions`` tokens are trained. With trainable embeddings that are the output layer
    too, their gradient is summed up chunk by chunk as well."""
    head = 4 * shape.vocabulary * shape.width if config.weights.method == "full" else 0
    return int(LOSS_COPIES * min(LOSS_BYTES, 4 * shape.vocabulary * max(16, positions))) + 3 * head


def memory_parts(
    shape: ModelShape, config: TrainingConfig, *, base: int, fast_bf16: bool, trained: float = 1.0
) -> tuple[MemoryPart, ...]:
    """The peak of all processes, in parts. ``config`` is resolved; ``base`` are the bytes of ``base_bytes`` in its
    form, ``trained`` the share of the tokens that are trained."""
    form = config.weights.base
    weights, gradients, states = trainable_bytes(shape, config)
    number = number_bytes(form, fast_bf16)
    checkpointing = config.optimiser.gradient_checkpointing == "on"
    each = token_bytes(shape, config, number=number, checkpointing=checkpointing)
    built = built_bytes(shape, config, number=number, checkpointing=checkpointing)
    activations = int(config.optimiser.micro_batch_tokens * each * (PACKED_SHARE if form == "packed" else 1))
    parts = (
        MemoryPart(f"base weights ({form})", base),
        MemoryPart("trainable weights", weights),
        MemoryPart("gradients", gradients),
        MemoryPart("optimiser", states),
        MemoryPart("built weights", built),
        MemoryPart("activations", activations),
        MemoryPart("loss", loss_bytes(shape, config, trained * config.optimiser.micro_batch_tokens)),
        MemoryPart("program", PROGRAM_BYTES),
    )
    return tuple(MemoryPart(part.name, part.bytes * config.processes) for part in parts if part.bytes)


def disk_bytes(shape: ModelShape, config: TrainingConfig) -> int:
    """What a run writes: checkpoints with the optimiser's states, what was trained, and the file that is served."""
    moving = 4 * count_trainable(shape, config.weights)
    states = trainable_bytes(shape, config)[2]
    served = moving
    if config.weights.method in ("vera", "miss"):  # written as a LoRA of its rank
        rank, chosen = rank_of(config.weights), targets(shape, config.weights)
        served = (2 if rank >= WIDE_RANK else 4) * rank * sum(one.inputs + one.outputs for one in chosen)
    if ARTIFACTS[config.weights.method] == "merged":
        served = int(shape.rest_bytes + SERVED_BYTES * shape.linear_parameters)
    return (KEPT_CHECKPOINTS + 1) * (moving + states) + moving + served  # one is written before the oldest goes
