"""Plans a training: trainable weights, artifact, memory, disk, time, and whether it can start here.

Nothing is loaded or allocated: the model is known by its shape, the data by its report. Estimates are compared with
measured runs by ``benchmarks/methods.py``.

Estimates the memory of a training whose steps TRL computes: an upper estimate, since its micro-batches are padded to
the longest example, a pair is two rows with the prompt in each, and the loss is over every position on a processor.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from workbench.base.counting import counted
from workbench.base.errors import UserError
from workbench.base.paths import free_bytes
from workbench.records.methods import Method, Methods
from workbench.records.training import (
    BaseForm,
    DataReport,
    MemoryPart,
    SideReport,
    StageTime,
    TrainingConfig,
    TrainingPlan,
)
from workbench.training import memory
from workbench.training.defaults import ALLOWED_SHARE, Device, Facts, recommend, with_split
from workbench.training.methods.weights_method import WeightsMethod, method_of
from workbench.training.model_shape import ModelShape, read_shape
from workbench.training.objectives.objective import Objective, objective_of
from workbench.training.protocol import BaseModel, MeasuredSpeed
from workbench.training.scoring_budget import scored_sample
from workbench.training.stage_times import Measured, estimate_stages, free_cores, measured_now, measured_unpacking
from workbench.training.trainer_settings import micro_batch_examples
from workbench.training.trl_trainer import TrlTrainer, computed_rows, logged_metrics, trl_problem
from workbench.training.verifying import MOST_TOKENS, verification_bytes, verified_tokens
from workbench.training.weights.dtype_selection import computing_dtype, measure_speeds

_VERIFICATION = "verification, beyond the training"

DISK_LEFT = 200_000_000
"""Bytes that are left free on the disk whatever happens."""


def plan(
    config: TrainingConfig,
    model: BaseModel,
    data: DataReport,
    methods: Methods[Method],
    *,
    runs: Path,
    memory_free_bytes: int,
    speeds: Sequence[MeasuredSpeed] = (),
    device: Device = "cpu",
    device_free_bytes: int = 0,
    cores: int = 0,
    fast_bf16: bool | None = None,
    other_bytes: int = 0,
    measure: bool = False,
) -> TrainingPlan:
    """Plan a training of ``config`` on ``model`` with the data that ``data`` reports; ``methods`` are those of the
    registry.

    ``device_free_bytes`` is the free memory of a graphics card, which counts instead of the machine's where there is
    one. ``other_bytes`` is memory that is no part of the plan and will be taken beside it, by a judge: what is chosen
    for its speed leaves room for it. ``measure``: a step is measured on this processor as it is now, which takes some
    seconds and counts more than ``speeds``. ``cores`` 0 and ``fast_bf16`` None: as this machine has them. What does not
    fit is described in the plan's ``problem`` and ``hint``. Raises UserError for a model that is not sound, or that
    cannot be trained at all.
    """
    shape = read_shape(Path(model.path))
    usable_cores = float(cores) or free_cores()
    cores = cores or len(os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else range(os.cpu_count() or 1))
    if fast_bf16 is None:
        fast_bf16 = device == "cuda" or (computes_bf16() and computing_dtype(measure_speeds()) == "bfloat16")
    free = device_free_bytes if device == "cuda" else memory_free_bytes
    method = method_of(config.weights, methods)
    facts = facts_of(shape, method, config, data.train, device=device, free=free, cores=cores, fast_bf16=fast_bf16)
    objective = objective_of(config, methods)
    resolved = with_split(recommend(config, objective, method, facts), bool(data.evaluation.examples))
    method = method_of(resolved.weights, methods)
    problem, hint = _first_problem(shape, method, data)
    if not problem:
        problem, hint = objective.problem(method)
    by_trl = resolved.trainer == "trl"
    not_by_trl, instead = trl_problem(resolved, objective, method)
    if not problem and by_trl:
        problem, hint = not_by_trl, instead
    if not problem and resolved.processes > 1 and not objective.parallel and not by_trl:
        problem, hint = "This objective trains in one process.", "Set processes to 1, or the trainer to trl."
    form = resolved.weights.base
    base = facts.base_bytes.get(form)
    if base is None:
        problem = problem or f"{shape.name} cannot be loaded {_FORM_NAMES[form]} here."
        hint = hint or f"Choose auto, or one of {', '.join(facts.base_bytes)}."
        base = min(facts.base_bytes.values())
    trained = objective.trained_share(data.train)
    trainable = 0 if problem else method.trainable(shape)
    parts = () if problem else _memory_of(shape, method, resolved, objective, facts, base=base, trained=trained)
    needed = sum(part.bytes for part in parts)
    disk, disk_free = 0 if problem else _disk_of(shape, method, resolved, objective), free_bytes(runs)
    short = needed + other_bytes > free or disk + DISK_LEFT > disk_free
    short = short or method.artifact != "lora"  # the engine samples by no other: the memory would not be taken
    if not problem and short and (smaller := objective.without_optional_memory(resolved)) is not None:
        resolved = smaller
        parts = _memory_of(shape, method, resolved, objective, facts, base=base, trained=trained)
        needed = sum(part.bytes for part in parts)
        disk = _disk_of(shape, method, resolved, objective)
    trained_bytes = sum(part.bytes for part in parts if part.name != _VERIFICATION)
    left_out = 0
    room = free - other_bytes if trained_bytes + other_bytes <= free else free  # a judge is no problem of the plan
    if not problem and needed > room >= trained_bytes and trained_bytes < needed:
        left_out, needed = needed, trained_bytes
        parts = tuple(part for part in parts if part.name != _VERIFICATION)
    if not problem and needed > free:
        problem, hint = _short_of_memory(shape, resolved, methods, objective, facts, needed, trained)
    if not problem and disk + DISK_LEFT > disk_free:
        problem = f"The training's files take up to {_size(disk)}, and the disk has {_size(disk_free)} free."
        if disk < disk_free:
            problem = f"{problem[:-1]}, of which {_size(DISK_LEFT)} are left to the system."
        hint = "Free some disk space."
        if method.own_weights and method.heavy:
            hint = f"Free some disk space, or use {methods.of('weights')[0].title}, whose checkpoints are small."
    row = methods.find(config.weights.method, "weights")
    tokens = computed_tokens(resolved, objective, data.train)
    stages: tuple[StageTime, ...] = ()
    if not problem:
        now = Measured()
        if measure and device == "cpu":
            length = objective.passed_length(data.train, resolved.data.max_length)
            now = measured_now(shape, resolved, length, tokens, methods)
        unpacking = measured_unpacking(shape, form) if measure else 0.0
        stages = estimate_stages(
            shape, resolved, methods, data, speeds, tokens,
            device=device, cores=usable_cores, now=now, unpacking=unpacking,
        )  # fmt: skip
        stages = tuple(stage for stage in stages if not (left_out and stage.name == "verification"))
    metrics, charts = objective.metrics, objective.charts
    notes = _notes(config, resolved, row, objective, facts, data)
    looked_at = data.evaluation if data.evaluation.examples else data.train
    evaluated = looked_at.kept_tokens(resolved.data.max_length)
    sample = scored_sample(resolved, evaluated, tokens, shape.parameters, looked_at.examples)
    verified = 0 if left_out else verified_tokens(resolved, shape.parameters, tokens)
    if left_out:
        notes.insert(
            0,
            "What is trained is not verified: to compare it with what is served takes about "
            f"{_size(left_out)} of memory, and {_size(room)} are free. To have it verified, unload the "
            "chat model and close other programs first.",
        )
    elif verified < MOST_TOKENS:
        notes.append(
            f"What is served is compared with what was trained on at most {verified:,} tokens of the examples, since "
            "this model takes long to compute them."
        )
    if not sample.general:
        notes.append(
            f"Only the loss of {counted(sample.examples, 'evaluation example')} is computed before and after the "
            "training. No answers are asked for, and what is forgotten is not measured: that would take longer than "
            "the training itself."
        )
    elif not sample.answering:
        notes.append(
            "Only losses are computed before and after the training, on a few examples, and no answers are asked for: "
            "this model would take longer to write them than to be trained."
        )
    elif not sample.whole:
        notes.append(
            f"The model is scored before and after the training on a sample, about {sample.share:.0%} of the "
            "evaluation examples, sample answers and general questions, so that scoring does not outlast the training."
        )
    if by_trl and not not_by_trl:
        trl = objective.trl()
        metrics, charts = logged_metrics(trl, metrics, charts)
        notes += [f"The steps are computed by TRL's {trl.trainer}.", *trl.notes]
    return TrainingPlan(
        config=resolved,
        artifact=objective.artifact(method),
        served=row.served,
        title=row.title,
        summary=row.summary,
        source=row.source,
        trainable=trainable,
        parameters=shape.parameters,
        steps=resolved.optimiser.max_steps,
        tokens=tokens,
        memory=parts,
        memory_bytes=needed,
        memory_free_bytes=free,
        disk_bytes=disk,
        disk_free_bytes=disk_free,
        seconds=sum(stage.seconds for stage in stages) or None,
        stages=stages,
        problem=problem,
        hint=hint,
        notes=tuple(notes),
        metrics=metrics,
        charts=charts,
        not_by_trl=not_by_trl,
        verified_tokens=verified,
        verified=not left_out,
    )


def computes_bf16(cpuinfo: Path = Path("/proc/cpuinfo")) -> bool:
    """Whether the processor has instructions for 16-bit brain floats; without them they are slower than 32 bits. With
    them it has to be measured."""
    try:
        flags = next(line for line in cpuinfo.read_text("utf-8", "replace").splitlines() if line.startswith("flags"))
    except (OSError, StopIteration):
        return False
    return not {"avx512_bf16", "amx_bf16"}.isdisjoint(flags.split())


def facts_of(
    shape: ModelShape,
    method: WeightsMethod,
    config: TrainingConfig,
    train: SideReport,
    *,
    device: Device,
    free: int,
    cores: int,
    fast_bf16: bool,
) -> Facts:
    """The facts for the automatic values. Raises UserError where the model has nothing that the method trains."""
    number = memory.number_bytes("bf16" if fast_bf16 else "f32", fast_bf16)
    forms = memory.base_bytes(shape, method, device, fast_bf16=fast_bf16)
    if config.weights.base == "auto" and importlib.util.find_spec("bitsandbytes") is None:
        forms.pop("4bit", None)
    if config.trainer == "trl":  # which takes the output layer's weights as they are held
        forms.pop("packed", None)
        if not fast_bf16:
            forms.pop("bf16", None)
    fixed = memory.PROGRAM_BYTES + memory.loss_bytes(shape, method) + sum(memory.trainable_bytes(shape, method, config))
    return Facts(
        parameters=shape.parameters,
        layers=shape.layers,
        width=shape.width,
        vocabulary=shape.vocabulary,
        context_tokens=shape.context_tokens,
        architecture=shape.architecture,
        examples=train.examples,
        tokens=train.tokens,
        median=train.median,
        ninetieth=train.ninetieth(),
        longest=train.longest,
        trained_tokens=train.trained_tokens,
        cores=cores,
        memory_free_bytes=free,
        device=device,
        fast_bf16=fast_bf16,
        base_bytes=forms,
        fixed_bytes=fixed,
        token_bytes=memory.token_bytes(shape, method, config, number=number, checkpointing=False),
        checkpointed_token_bytes=memory.token_bytes(shape, method, config, number=number, checkpointing=True),
    )


def _memory_of(
    shape: ModelShape,
    method: WeightsMethod,
    config: TrainingConfig,
    objective: Objective,
    facts: Facts,
    *,
    base: int,
    trained: float,
) -> tuple[MemoryPart, ...]:
    """The peak of a resolved config by the trainer that it names, what the objective takes included."""
    if config.trainer == "workbench":
        parts = memory.memory_parts(shape, method, config, base=base, fast_bf16=facts.fast_bf16, trained=trained)
    else:
        parts = trl_memory_parts(
            shape,
            method,
            config,
            objective.trl(),
            longest=facts.longest,
            base=base,
            fast_bf16=facts.fast_bf16,
            device=facts.device,
        )
    updating = sum(part.bytes for part in parts if part.name in memory.OF_UPDATES)
    others = objective.memory(shape, config, updating)  # in each process: our own trainer has one of such objectives
    parts += tuple(MemoryPart(part.name, part.bytes * config.processes) for part in others if part.bytes)
    if facts.device != "cpu":  # a verification computes on the processor, beside the card
        return parts
    more = verification_bytes(shape, method, config) - sum(part.bytes for part in parts)
    return (*parts, MemoryPart(_VERIFICATION, more)) if more > 0 else parts


def _disk_of(shape: ModelShape, method: WeightsMethod, config: TrainingConfig, objective: Objective) -> int:
    return memory.disk_bytes(shape, method, config) + objective.disk_bytes(shape, config)


def computed_tokens(config: TrainingConfig, objective: Objective, train: SideReport) -> int:
    """The number of tokens computed in all steps, without padding."""
    each = objective.mean_length(train, config.data.max_length)
    return round(config.optimiser.max_steps * config.optimiser.batch_size * each)


def _first_problem(shape: ModelShape, method: WeightsMethod, data: DataReport) -> tuple[str, str]:
    if data.shape == "unknown":
        return (
            f"The format of the examples is unclear. {data.why}",
            "Map the columns of question and answer, or of text.",
        )
    try:
        method.check(shape)
        method.trainable(shape)
    except UserError as error:
        return error.message, error.hint
    return "", ""


def _short_of_memory(
    shape: ModelShape,
    config: TrainingConfig,
    methods: Methods[Method],
    objective: Objective,
    facts: Facts,
    needed: int,
    trained: float,
) -> tuple[str, str]:
    """The problem, and the first change that would make it fit."""
    problem = f"The training needs about {_size(needed)} of memory; {_size(facts.memory_free_bytes)} are free."
    for words, changed in _smaller(shape, config, methods, facts.device, facts.fast_bf16):
        method = method_of(changed.weights, methods)
        base = memory.base_bytes(shape, method, facts.device, fast_bf16=facts.fast_bf16)[changed.weights.base]
        parts = _memory_of(shape, method, changed, objective, facts, base=base, trained=trained)
        fits = sum(part.bytes for part in parts)
        if fits <= ALLOWED_SHARE * facts.memory_free_bytes:
            return problem, f"{words[0].upper()}{words[1:]}: then it takes about {_size(fits)}."
    return problem, "Close other programs, or choose a smaller model."


def _smaller(
    shape: ModelShape, config: TrainingConfig, methods: Methods[Method], device: Device, fast_bf16: bool
) -> Iterator[tuple[str, TrainingConfig]]:
    """Ever smaller versions of a training, each with what to do for it; each keeps the changes before it."""
    words: list[str] = []
    current = config

    def now(word: str, part: str, **changes: object) -> tuple[str, TrainingConfig]:
        nonlocal current
        changed = msgspec.structs.replace(getattr(current, part), **changes)
        current = msgspec.structs.replace(current, **{part: changed})
        words.append(word)
        return " and ".join(words), current

    if config.trainer == "trl":
        current = msgspec.structs.replace(current, trainer="workbench")
        words.append("set the trainer to workbench")
        yield words[0], current
    if config.processes > 1:
        current = msgspec.structs.replace(current, processes=1)
        words.append("train in one process")
        yield " and ".join(words), current
    if config.optimiser.gradient_checkpointing == "off":
        yield now("switch gradient checkpointing on", "optimiser", gradient_checkpointing="on")
    fewest = max(config.data.max_length, 128)
    if config.optimiser.micro_batch_tokens > fewest:
        yield now(f"set micro-batch tokens to {fewest}", "optimiser", micro_batch_tokens=fewest)
    if method_of(config.weights, methods).heavy:
        default = methods.of("weights")[0]
        yield now(f"take {default.title}", "weights", method=default.name, base="f32")
    forms = memory.base_bytes(shape, method_of(current.weights, methods), device, fast_bf16=fast_bf16)
    smallest = min(forms, key=lambda form: forms[form])
    if current.weights.base != smallest:
        yield now(f"hold the base weights {_FORM_NAMES[smallest]}", "weights", base=smallest)
    if config.data.max_length > 256:
        now("truncate examples at 256 tokens", "data", max_length=256)
        words.pop()
        yield now("truncate examples at 256 tokens", "optimiser", micro_batch_tokens=256)


_FORM_NAMES: dict[BaseForm, str] = {
    "auto": "as it suits",
    "f32": "in 32 bits each",
    "bf16": "in 16 bits each",
    "packed": "packed, as in the GGUF file",
    "4bit": "in 4 bits each",
}


def _notes(
    config: TrainingConfig,
    resolved: TrainingConfig,
    row: Method,
    objective: Objective,
    facts: Facts,
    data: DataReport,
) -> list[str]:
    """Notes on automatic choices and on problems of the data."""
    notes = list(data.notes)
    form = resolved.weights.base
    if config.weights.base == "auto":
        why = "it is the fastest here and fits into memory"
        if facts.base_bytes.get(form, 0) < facts.base_bytes.get("bf16" if facts.fast_bf16 else "f32", 0):
            why = "the free memory does not hold more"
        notes.append(f"The base weights are held {_FORM_NAMES[form]}: {why}.")
    notes += objective.notes(data.train, resolved.data.max_length)
    _, why = objective.epochs(facts)
    if why and not config.optimiser.epochs and not config.optimiser.max_steps:
        notes.insert(0, why)
    if resolved.weights.last_layers < config.weights.last_layers and "selection" in row.groups:
        notes.append(f"The model has {facts.layers} layers; all of them are trained.")
    if resolved.optimiser.gradient_checkpointing == "on" and config.optimiser.gradient_checkpointing == "auto":
        notes.append("Activations are computed twice (gradient checkpointing), since memory is short: a third slower.")
    return notes


def _size(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"


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
