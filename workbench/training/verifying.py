"""What the verification after a training takes: how many tokens are compared, memory and operations. The plan says it
before the start; ``workbench.verification`` keeps to it."""

from __future__ import annotations

import math

from workbench.records.training import BaseForm, TrainingConfig
from workbench.training import memory
from workbench.training.methods.weights_method import WeightsMethod
from workbench.training.model_shape import ModelShape
from workbench.training.scoring_budget import training_cost

LARGEST_FLOAT32 = 4 << 30
"""No weights in float32 beyond so many bytes: a training that held its base packed has not planned for them."""
LARGE_FILE = 1 << 30
"""The weights of a file from this size on are computed with as they lie in the file. llama.cpp would repack them into a
second copy for speed; torch maps the same file beside it, and what fitted a training would not fit its verification."""
BLOCK_BYTES = 32 << 20
"""Of logits that are in memory at a time."""

FEWEST_TOKENS, MOST_TOKENS = 96, 8192
"""Of all prompts together. At 96 positions an adapter whose rows are in a wrong order, which agrees at 0.56 of all
positions, passes the usual limit of 0.82 less two standard deviations in one of 5,000 cases; more than the most say no
more."""
OPERATIONS = 4e12
"""A verification may always take so many, of all models that are compared: 40 seconds on two cores."""
MODELS = 4
"""The trained model and its base, each in torch and in llama.cpp."""
FEWEST_CHECKED, MOST_CHECKED = 16, 64
"""How many examples go into the verification, where there are as many: those of the evaluation, and of the training
where these are few."""
REOPENED: tuple[BaseForm, ...] = ("packed", "bf16")
"""With these forms of the base the verification opens the model again. A new process does it: one that has trained
holds about 0.4 GB more than the verification needs."""
ENGINE_BYTES = 36_000_000
"""Of llama.cpp beside weights, caches and logits."""
LOGITS = 8
"""Blocks of logits that are there at a time: of each model, and what is computed of two."""


def block_tokens(vocabulary: int) -> int:
    """For how many positions the logits are computed at a time."""
    return max(8, min(256, BLOCK_BYTES // (4 * vocabulary)))


def verified_tokens(config: TrainingConfig, parameters: int, tokens_trained: float) -> int:
    """On how many tokens a model of so many ``parameters`` is compared after a training on so many tokens: what may
    always be computed, or what takes as long as the training did."""
    always = OPERATIONS / (2 * parameters)
    room = max(always, training_cost(config, tokens_trained)) / MODELS
    return round(min(MOST_TOKENS, max(FEWEST_TOKENS, room)))


def checked_examples(trained: int, evaluated: int) -> int:
    """From how many examples the verification takes its prompts, where so many are trained on and held out."""
    held_out = min(evaluated, MOST_CHECKED)
    return held_out + min(trained, max(0, FEWEST_CHECKED - held_out))


def verification_bytes(shape: ModelShape, method: WeightsMethod, config: TrainingConfig) -> int:
    """The peak of the process while it compares, for which what the training held was given back, where the base was
    packed or rounded. The float32 merges of small models are not counted: they are files, which the system may drop."""
    trainable = 4 * method.trainable(shape)
    unpacked = 4 * shape.parameters
    packed = config.weights.base == "packed" or unpacked >= LARGEST_FLOAT32
    in_torch = shape.file_bytes if packed else unpacked
    repacked = shape.file_bytes if shape.file_bytes < LARGE_FILE else 0
    mapped = 0 if packed or repacked else shape.file_bytes  # torch maps the same pages
    served = method.served_bytes(shape)
    if method.artifact == "merged" and served < LARGE_FILE:
        repacked += served
    rows = block_tokens(shape.vocabulary)
    logits = 4 * shape.vocabulary * min(rows, config.data.max_length or rows)
    cells = 256 * math.ceil((config.data.max_length + 8) / 256)
    engines = ENGINE_BYTES + 2 * 4 * shape.keys * cells
    return memory.PROGRAM_BYTES + in_torch + trainable + repacked + mapped + served + engines + LOGITS * logits
