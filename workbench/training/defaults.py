"""Chooses the values that a config leaves open, from the model, the method and the data. Pure: numbers in, a config
out.

The rules are those of the papers named beside them, and of docs/finetuning.md's measurements on small models.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Literal

import msgspec

from workbench.records.training import BaseForm, OptimiserPart, TrainingConfig, WeightsPart
from workbench.training.batching import count_steps
from workbench.training.methods.weights_method import WeightsMethod
from workbench.training.objectives.objective import EVALUATION_SHARE, Objective

Device = Literal["cpu", "cuda"]

FEWEST_STEPS_BETWEEN = 5
"""Evaluations: oftener, and a short run would spend more time on them than on learning."""
FEWEST_STEPS_AN_EPOCH = 8
LARGEST_BATCH = 32
MICRO_BATCH_TOKENS = {"cpu": 1024, "cuda": 8192}
"""More tokens at once are no faster on a processor, and take memory."""
SHORTEST_MICRO_BATCH = 128
ALLOWED_SHARE = 0.9
"""Of the free memory, a training may plan to take this."""


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """The facts that the automatic values depend on.

    ``examples`` to ``longest``: the training side, lengths in whole tokens; ``ninetieth``: nine of ten are no longer;
    ``trained_tokens``: those that the loss counts.
    ``base_bytes``: what the frozen weights take, in each form that is possible here. ``fixed_bytes``: what
    else does not depend on how many tokens are computed at once; ``token_bytes`` and ``checkpointed_token_bytes``:
    what each of those takes. ``fast_bf16``: the device computes faster with 16-bit numbers than with 32-bit ones.
    """

    parameters: int
    layers: int
    width: int
    vocabulary: int
    context_tokens: int
    architecture: str
    examples: int
    tokens: int
    median: int
    ninetieth: int
    longest: int
    cores: int
    memory_free_bytes: int
    trained_tokens: int = 0
    device: Device = "cpu"
    fast_bf16: bool = False
    base_bytes: Mapping[BaseForm, int] = {}
    fixed_bytes: int = 0
    token_bytes: int = 0
    checkpointed_token_bytes: int = 0


def recommend(config: TrainingConfig, objective: Objective, method: WeightsMethod, facts: Facts) -> TrainingConfig:
    """The config with every 0 and "auto" filled in. What it says already is kept, but for what the model cannot do:
    more layers than it has, longer examples than its context."""
    config = objective.recommended(config, facts)
    weights = _weights(config.weights, method, facts)
    longest = max_length(config, objective, method, facts)
    data = msgspec.structs.replace(config.data, max_length=longest)
    optimiser, form = _optimiser(config, objective, method, facts, longest)
    every = config.evaluation.interval or max(FEWEST_STEPS_BETWEEN, round(optimiser.max_steps / 10))
    return msgspec.structs.replace(
        config,
        data=data,
        weights=msgspec.structs.replace(weights, base=form),
        optimiser=optimiser,
        evaluation=msgspec.structs.replace(config.evaluation, interval=min(every, optimiser.max_steps)),
    )


def with_split(config: TrainingConfig, held_out: bool) -> TrainingConfig:
    """The config with the evaluation split that its data was read with, where that was left open."""
    if config.data.evaluation_share is not None:
        return config
    data = msgspec.structs.replace(config.data, evaluation_share=EVALUATION_SHARE if held_out else 0.0)
    return msgspec.structs.replace(config, data=data)


def learning_rate(method: WeightsMethod, parameters: int) -> float:
    """For AdamW, from the method and the model's size, to two digits.

    All weights: 2e-5 at 7 billion (Alpaca; Touvron et al. 2023, arXiv:2307.09288), higher for smaller models
    (Kaplan et al. 2020, arXiv:2001.08361); how much so is chosen that LoRA gets 1e-3 at 135 million, which learnt
    invented facts in half the epochs that 5e-4 needed (docs/finetuning.md).
    """
    return float(f"{method.learning_rate(2e-5 * (7e9 / max(parameters, 1e6)) ** 0.4):.1e}")


def batch_size(examples: int) -> int:
    """A power of two: at least ``FEWEST_STEPS_AN_EPOCH`` steps an epoch where there are examples for them, and at most
    ``LARGEST_BATCH`` examples a step, beyond which small sets only take longer (Keskar et al. 2016, arXiv:1609.04836).
    """
    fitting = max(1, examples // FEWEST_STEPS_AN_EPOCH)
    return min(LARGEST_BATCH, 1 << (fitting.bit_length() - 1))


def max_length(config: TrainingConfig, objective: Objective, method: WeightsMethod, facts: Facts) -> int:
    """The maximum length of sequences: as set, else by the objective; never beyond the model's context."""
    room = facts.context_tokens or 131072
    if method.virtual_tokens:
        room = max(SHORTEST_MICRO_BATCH // 2, room - method.virtual_tokens)
    return min(config.data.max_length, room) if config.data.max_length else objective.recommended_length(facts, room)


def fitting_form(facts: Facts, room: float) -> BaseForm:
    """The form in which the device computes fastest, of those whose weights take at most ``room`` bytes; where none
    does, the smallest. A packed base costs time, so it is for where memory is short."""
    order: tuple[BaseForm, ...] = ("bf16", "f32", "4bit", "packed")
    if not facts.fast_bf16:
        order = ("f32", "packed", "bf16", "4bit")
    for form in order:
        if form in facts.base_bytes and facts.base_bytes[form] <= room:
            return form
    return min(facts.base_bytes, key=lambda form: facts.base_bytes[form], default="f32")


def _weights(asked: WeightsPart, method: WeightsMethod, facts: Facts) -> WeightsPart:
    layers = min(asked.last_layers, max(1, facts.layers))
    return msgspec.structs.replace(asked, last_layers=layers, rank=method.rank, alpha=method.alpha)


def _optimiser(
    config: TrainingConfig, objective: Objective, method: WeightsMethod, facts: Facts, longest: int
) -> tuple[OptimiserPart, BaseForm]:
    asked = config.optimiser
    count = objective.count(facts, longest)
    batch = asked.batch_size or batch_size(count)
    epochs = asked.epochs or objective.epochs(facts)[0]
    steps = count_steps(count, batch, epochs, asked.max_steps)
    usual = learning_rate(method, facts.parameters)
    rate = asked.learning_rate or float(f"{objective.rate_share * usual:.1e}")
    room = ALLOWED_SHARE * facts.memory_free_bytes / config.processes - facts.fixed_bytes
    typical = objective.typical_length(facts, longest)
    share = math.ceil(batch / config.processes)
    wished = asked.micro_batch_tokens or _micro_batch_tokens(facts, typical, longest, share)
    least = asked.micro_batch_tokens or max(longest, SHORTEST_MICRO_BATCH)
    form = config.weights.base
    if form == "auto":
        form = fitting_form(facts, room - least * facts.checkpointed_token_bytes)
    room -= facts.base_bytes.get(form, 0)
    checkpointing = asked.gradient_checkpointing
    if checkpointing == "auto":
        checkpointing = "off" if least * facts.token_bytes <= room else "on"
    each = facts.token_bytes if checkpointing == "off" else facts.checkpointed_token_bytes
    tokens = wished if not each else min(wished, max(least, int(room / 2 / each)))
    optimiser = msgspec.structs.replace(
        asked,
        epochs=asked.epochs if asked.max_steps else epochs,
        batch_size=batch,
        max_steps=steps,
        learning_rate=rate,
        micro_batch_tokens=asked.micro_batch_tokens or tokens,
        gradient_checkpointing=checkpointing,
    )
    return optimiser, form


def _micro_batch_tokens(facts: Facts, typical: int, longest: int, batch: int) -> int:
    """All of a batch where it is small, else as many as the device likes; the longest example must fit."""
    return max(longest, min(MICRO_BATCH_TOKENS[facts.device], max(SHORTEST_MICRO_BATCH, typical * batch)))
