"""Estimates how long each stage of a training takes: from a step that is measured now, from earlier trainings, or from
the operations that it computes."""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Sequence

import msgspec
import psutil

from workbench.base.errors import UserError
from workbench.records.methods import Method, Methods
from workbench.records.training import BaseForm, DataReport, StageTime, TrainingConfig, WeightsPart
from workbench.training import memory
from workbench.training.batching import MICRO_BATCH_TOKENS
from workbench.training.defaults import Device
from workbench.training.methods.weights_method import WeightsMethod, method_of
from workbench.training.model_shape import ModelShape
from workbench.training.protocol import MeasuredSpeed
from workbench.training.scoring_budget import (
    GENERAL_TEXT_TOKENS,
    answer_tokens,
    evaluated_tokens,
    passes,
    scored_sample,
    scoring_tokens,
)
from workbench.training.verifying import LARGEST_FLOAT32, MODELS, REOPENED, checked_examples, verified_tokens

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


class Measured(msgspec.Struct, frozen=True):
    """What was measured just now: operations per second of a training, and how many times as long as on a free machine
    things take beside other programs. 0: it was not."""

    flops: float = 0.0
    slower: float = 0.0


def measured_now(
    shape: ModelShape, config: TrainingConfig, length: float, tokens: int, methods: Methods[Method]
) -> Measured:
    """Measure a micro-batch of a training of so many ``tokens`` in all on this processor, whose sequences have a mean
    ``length``."""
    from workbench.training.step_probe import can_measure, measure_layers

    part, form = config.optimiser, config.weights.base
    each = max(1, round(length))
    rows = max(1, min(part.batch_size, (part.micro_batch_tokens or MICRO_BATCH_TOKENS) // each))
    if can_measure(shape):
        with contextlib.suppress(UserError):
            found = measure_layers(shape, rows, each, bf16=form == "bf16")
            lora = method_of(WeightsPart(), methods)
            return Measured(token_flops(shape, lora, TrainingConfig()) / found.token_s, found.slower)
    return Measured(measured_flops(shape, form, tokens // max(1, part.max_steps)))


def measured_unpacking(shape: ModelShape, form: BaseForm) -> float:
    """Weights per second that this processor unpacks now; 0 where the base is not held packed."""
    from workbench.training.step_probe import measure_unpacking

    return measure_unpacking(shape) if form == "packed" else 0.0


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
    now: Measured = Measured(),  # noqa: B008 - it is frozen
    unpacking: float = 0.0,
) -> tuple[StageTime, ...]:
    """The estimated time of each stage: from operations and unpacked weights per second that were measured just now
    (``now``, ``unpacking``), else from the speed of a training of this model here, else from its operations on a
    processor; none on a graphics card that was not measured."""
    flops = now.flops
    speed = None if flops else _measured_speed(shape, config, methods, speeds)
    cost = token_flops(shape, method_of(config.weights, methods), config)
    computing = flops or CORE_FLOPS * max(0.5, cores)
    # the models of a verification compute in float32, also where the training does not
    comparing = min(computing, CORE_FLOPS * max(0.5, cores)) if config.weights.base == "bf16" else computing
    unpacked = 0.0  # seconds that a pass takes beside its tokens; the speed of an earlier training has them in it
    slower = now.slower or (LOADED_FLOPS / flops if flops else 1.0)
    steps = _STEP_S * slower * config.optimiser.max_steps if flops else 0.0
    if speed is None:
        if device != "cpu":
            return ()
        flops = flops or CORE_FLOPS * max(0.5, cores)
        speed = flops / cost / (TRL_SLOWER if config.trainer == "trl" else 1.0)
        if config.weights.base == "packed":
            unpacked = shape.parameters / (unpacking or UNPACKED_PER_CORE * max(0.5, cores))
    forward = 2 * shape.parameters / cost / speed
    evaluations = math.ceil(config.optimiser.max_steps / config.evaluation.interval)
    looked_at = data.evaluation if data.evaluation.examples else data.train
    there = looked_at.kept_tokens(config.data.max_length)
    sample = scored_sample(config, there, tokens, shape.parameters, looked_at.examples)

    packed, mean = config.weights.base == "packed", looked_at.tokens / max(1, looked_at.examples)

    def read(count: float) -> float:
        return count * forward + passes(config, count) * unpacked

    fewest = 0.0 if sample.answering else mean * min(sample.examples, looked_at.examples)
    reading = read(max(fewest, sample.share * evaluated_tokens(there, tokens)))
    if not packed:
        scoring = max(reading, scoring_tokens(config, sample, there, tokens) * forward)
    else:
        general = read(sample.share * GENERAL_TEXT_TOKENS) if config.evaluation.forgetting and sample.general else 0.0
        asked = sample.answers(config.evaluation.sample_answers) * answer_tokens(config) * forward
        scoring = reading + general + asked
    answers = min(ANSWERS_DURING, sample.answers(config.evaluation.sample_answers)) * answer_tokens(config) * forward
    of_step = passes(config, tokens / max(1, config.optimiser.max_steps))
    backwards = 3 if config.optimiser.gradient_checkpointing == "on" else 2
    unpacking_s = config.optimiser.max_steps * of_step * backwards * unpacked
    loaded = shape.file_bytes if packed else 4 * shape.parameters
    probes = 2 * read(mean) if packed else 0.0  # two passes that try which way to compute the loss
    return (
        StageTime("loading", slower * (_LOADING_S + loaded / _READ_BYTES) + probes),
        StageTime("scoring before", scoring),
        StageTime("training", steps + tokens / speed + unpacking_s + evaluations * (reading + answers)),
        StageTime("scoring after", scoring - reading),
        StageTime("verification", _verification_s(shape, config, data, tokens, comparing, unpacking, slower)),
    )


def _verification_s(
    shape: ModelShape,
    config: TrainingConfig,
    data: DataReport,
    tokens: int,
    flops: float,
    unpacking: float,
    slower: float,
) -> float:
    """Files are written and loaded, then the models compute the prompts one by one: the trained one and its base, each
    in torch and in llama.cpp, and where there is room a merge in float32. Those in torch unpack their weights for each
    prompt, where these are too large for float32. A new process begins with its libraries."""
    large = 4 * shape.parameters >= LARGEST_FLOAT32
    handled = 2 * shape.file_bytes if large else 8 * shape.parameters
    examples = data.train.examples + data.evaluation.examples
    mean = max(1.0, (data.train.tokens + data.evaluation.tokens) / max(1, examples))
    there = mean * checked_examples(data.train.examples, data.evaluation.examples)
    compared = min(verified_tokens(config, shape.parameters, tokens), there)
    models = MODELS if large else MODELS + 1
    begun = _LOADING_S if config.weights.base in REOPENED else 0.0
    found = slower * (begun + _VERIFYING_S + handled / _READ_BYTES)
    found += models * compared * 2 * shape.parameters / (COMPARED_SHARE * flops)
    if large:
        rate = unpacking or UNPACKED_PER_CORE * flops / CORE_FLOPS
        found += 2 * math.ceil(compared / mean) * shape.parameters / rate
    return found


_LOADING_S, _VERIFYING_S, _READ_BYTES = 5.0, 2.0, 250e6
"""Of 135 million parameters: 7 s until they are loaded, with their checksum and torch; 2 to 6 s until the verification
compares its first prompt."""
COMPARED_SHARE = 0.6
"""Of the speed of a training a verification reaches this share, since it computes one prompt at a time and the logits
of all positions: five models of 135 million parameters took 27 s for 16 prompts of 1,544 tokens."""
_STEP_S = 0.1
"""Of a step beside its products, on that machine."""
LOADED_FLOPS = 2 * CORE_FLOPS
"""Of the machine on which these times were measured."""
_LOOK_S = 0.3
UNPACKED_PER_CORE = 1.8e9
"""Weights of Q4_0 to float32, measured; those of Q4_K are 4.2."""
ANSWERS_DURING = 4
"""Answers of an evaluation on the way."""


def token_flops(shape: ModelShape, method: WeightsMethod, config: TrainingConfig) -> float:
    """Operations for one trained token: twice the weights forwards, as many for the gradients backwards, as many for
    those of the trainable weights; with checkpointing forwards twice (Kaplan et al. 2020, arXiv:2001.08361). Layers
    below the first trained one are computed forwards alone."""
    computations = 3 if config.optimiser.gradient_checkpointing == "on" else 2
    share = method.layers_with_gradients(shape) / max(1, shape.layers)
    passes = computations * share + WITHOUT_GRADIENT * 2 * (1 - share)
    computed = 2.0 * (passes * shape.parameters + method.backward_parameters(shape))
    return computed * memory.longer(method, config) * method.pass_share


WITHOUT_GRADIENT = 1 / 3
"""Of a pass with gradient and adapters. A step of the last four of 30 layers took 1.0 s of a processor where LoRA on
all took 3.1; an update of a third of the layers in GRPO took 17 s where a pass of all without gradient took 15."""


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
