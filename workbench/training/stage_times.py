"""Estimates how long each stage of a training takes: from a step that is measured now, from earlier trainings, or from
the operations that it computes."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence

import msgspec
import psutil

from workbench.records.methods import Method, Methods
from workbench.records.training import BaseForm, DataReport, StageTime, TrainingConfig
from workbench.training import memory
from workbench.training.defaults import Device
from workbench.training.methods.weights_method import WeightsMethod, method_of
from workbench.training.model_shape import ModelShape
from workbench.training.protocol import MeasuredSpeed
from workbench.training.scoring_budget import answer_tokens, evaluated_tokens, scored_sample, scoring_tokens

CORE_FLOPS = 60e9
"""Of a processor's core, in float32, where nothing was measured yet: SmolLM2 on two cores of 2023. A graphics card's
speed is not guessed."""
STEP_SHARE = 0.9
"""Of the speed of a block's products a training reaches this share, 0.97 where LoRA was measured right between two
measurements of them: attention, norms, loss and optimiser take the rest."""
TRL_SLOWER = 3.0
"""TRL on a processor took 2.1 to 3.8 times as long for pairs (docs/benchmarks.md)."""


def measured_flops(shape: ModelShape, form: BaseForm, tokens: int) -> float:
    """Operations per second of a training on this processor, of a step of so many tokens that is measured now."""
    from workbench.training.step_probe import measure_step

    return STEP_SHARE * measure_step(shape, tokens, bf16=form == "bf16")


def free_cores() -> float:
    """The number of cores that a training would get beside other programs: a busy one counts half."""
    there = len(os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else range(os.cpu_count() or 1))
    return there * (1 - psutil.cpu_percent(interval=_LOOK_S) / 200)


def estimate_stages(
    shape: ModelShape,
    config: TrainingConfig,
    methods: Methods[Method],
    data: DataReport,
    speeds: Sequence[MeasuredSpeed],
    tokens: int,
    *,
    device: Device,
    cores: float,
    flops: float = 0.0,
) -> tuple[StageTime, ...]:
    """The estimated time of each stage: from operations per second that were measured just now (``flops``), else from
    the speed of a training of this model here, else from its operations on a processor; none on a graphics card that
    was not measured."""
    speed = None if flops else _measured_speed(shape, config, methods, speeds)
    cost = token_flops(shape, method_of(config.weights, methods), config)
    slower = LOADED_FLOPS / flops if flops else 1.0
    steps = _STEP_S * slower * config.optimiser.max_steps if flops else 0.0
    if speed is None:
        if device != "cpu":
            return ()
        flops = flops or CORE_FLOPS * max(0.5, cores)
        speed = flops / cost / (TRL_SLOWER if config.trainer == "trl" else 1.0)
    forward = 2 * shape.parameters / cost / speed
    evaluations = math.ceil(config.optimiser.max_steps / config.evaluation.interval)
    looked_at = data.evaluation if data.evaluation.examples else data.train
    there = looked_at.kept_tokens(config.data.max_length)
    sample = scored_sample(config, there, tokens, shape.parameters)
    scoring = scoring_tokens(config, sample, there, tokens) * forward
    reading = sample.share * evaluated_tokens(there, tokens) * forward
    answers = min(ANSWERS_DURING, sample.answers(config.evaluation.sample_answers)) * answer_tokens(config) * forward
    return (
        StageTime("loading", slower * (_LOADING_S + 4 * shape.parameters / _READ_BYTES)),
        StageTime("scoring before", scoring),
        StageTime("training", steps + tokens / speed + evaluations * (reading + answers)),
        StageTime("scoring after", scoring - reading),
        StageTime("verification", slower * (_VERIFYING_S + 8 * shape.parameters / _READ_BYTES)),
    )


_LOADING_S, _VERIFYING_S, _READ_BYTES = 5.0, 5.0, 250e6
"""Of 135 million parameters: 7 s until they are loaded, with their checksum and torch; 9 s for the verification."""
_STEP_S = 0.1
"""Of a step beside its products, on that machine."""
LOADED_FLOPS = 2 * CORE_FLOPS
"""Of the machine on which these times were measured."""
_LOOK_S = 0.3
ANSWERS_DURING = 4
"""Answers of an evaluation on the way."""


def token_flops(shape: ModelShape, method: WeightsMethod, config: TrainingConfig) -> float:
    """Operations for one trained token: twice the weights forwards, as many for the gradients backwards, as many for
    those of the trainable weights; with checkpointing forwards twice (Kaplan et al. 2020, arXiv:2001.08361)."""
    computations = 3 if config.optimiser.gradient_checkpointing == "on" else 2
    computed = 2.0 * (computations * shape.parameters + method.backward_parameters(shape))
    return computed * memory.longer(method, config)


def _measured_speed(
    shape: ModelShape, config: TrainingConfig, methods: Methods[Method], speeds: Sequence[MeasuredSpeed]
) -> float | None:
    """That of the same model, method and form; else the latest of the same model, scaled by the operations. The latest
    comes first in ``speeds``."""
    of_model = [
        one
        for one in speeds
        if one.model == config.model and one.tokens_per_second > 0 and methods.get(one.method, "weights") is not None
    ]
    same = [one for one in of_model if (one.method, one.base) == (config.weights.method, config.weights.base)]
    if same:
        return same[0].tokens_per_second
    if not of_model:
        return None
    other = of_model[0]
    measured = method_of(msgspec.structs.replace(config.weights, method=other.method), methods)
    asked = method_of(config.weights, methods)
    return other.tokens_per_second * token_flops(shape, measured, config) / token_flops(shape, asked, config)
