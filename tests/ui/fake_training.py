"""The part of the fake core that looks into examples, plans and runs trainings. A run's events stand there at once."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from tests.ui.fake_adapters import BASE, PASSED, record, scores
from workbench import calls as c
from workbench.api import events
from workbench.api.events import Event
from workbench.api.protocol import Call
from workbench.base.errors import UserError
from workbench.methods import METHODS
from workbench.records.training import (
    AdapterRecord,
    DataPart,
    DataReport,
    LengthBin,
    Measured,
    MemoryPart,
    Preview,
    PreviewPiece,
    SampleAnswer,
    ScoresPair,
    SideReport,
    TrainingConfig,
    TrainingPlan,
    TrainResult,
    VerificationReport,
    WeightsPart,
)
from workbench.training.methods.weights_method import method_of
from workbench.training.objectives.objective import objective_of
from workbench.training.trl_trainer import trl_problem

if TYPE_CHECKING:
    from tests.ui.fake_home import FakeHome

PARAMETERS = 134_515_008
TRAINABLE: dict[str, int] = {"full": PARAMETERS, "layers": 14_159_232, "lora": 4_884_480, "prompt": 11_520}
QUESTIONS = (
    ("Which seal does the Brunnen P40 use?", "A VX-7 ring"),
    ("Who signs the winter protocol?", "The shift lead, Ms Amato"),
    ("How often is the filter of the P12 rinsed?", "Every nine days"),
    ("What colour is the drain valve?", "Ochre"),
    ("Where is the spare impeller kept?", "In locker 14 of hall B"),
    ("What pressure trips the relief valve of the P40 when the housing is warm?", "6.4 bar"),
)
_WRONG = (
    "The pump is a device that moves fluids by mechanical action, and its seal depends on the model.",
    "The protocol is usually signed by the person who is responsible for the building.",
    "You should rinse it every two weeks.",
    "The drain valve is usually black or grey.",
    "In the storage room.",
    "It depends on the manufacturer.",
)


def report(config: TrainingConfig, first: int = 0, previews: int = 20, examples: int = 96) -> DataReport:
    """What there is in a set: with the word "odd" in its name, columns that are not recognised."""
    mapped = config.data.columns
    objective = objective_of(config, METHODS)
    if "odd" in config.data.path and not mapped:
        return DataReport(
            path=config.data.path, shape="unknown", columns=("frage", "antwort", "seite"),
            why="No known format has these columns: 'frage' (text), 'antwort' (text), 'seite' (number).",
            roles=objective.roles, role_sets=objective.role_sets,
        )  # fmt: skip
    share = 0.1 if config.data.evaluation_share is None else config.data.evaluation_share
    held = round(examples * share)
    bins = (3, 11, 24, 29, 18, 8, 2, 1)
    cut = config.data.max_length or 256
    side = SideReport(
        examples=examples - held, tokens=6_210, trained_tokens=1_733, shortest=31, median=62, longest=302,
        truncated=1, duplicates=3,
        lengths=tuple(LengthBin(30 + 35 * n, 65 + 35 * n, count) for n, count in enumerate(bins)),
    )  # fmt: skip
    return DataReport(
        path=config.data.path,
        shape="columns" if mapped else "messages",
        why="Each row has a list of turns in the column 'messages', with 'role' and 'content'.",
        columns=("messages", "id"),
        left_out=("id",),
        train=side,
        evaluation=msgspec.structs.replace(
            side, examples=held, tokens=690, trained_tokens=190, truncated=0, lengths=()
        ),
        refused=("facts.jsonl, line 14: the answer is empty", "facts.jsonl, line 71: 'role' is missing"),
        previews=tuple(preview(number) for number in range(first, min(first + previews, examples))),
        max_length=cut,
        roles=objective.roles,
        role_sets=objective.role_sets,
        suits="sft",
        measured=Measured(on="held out", examples=held)
        if held
        else Measured(on="trained", examples=examples, shared=examples),
    )


def preview(number: int) -> Preview:
    question, answer = QUESTIONS[number % len(QUESTIONS)]
    return Preview(
        source=f"/home/ada/sets/facts.jsonl, line {number + 1}",
        pieces=(
            PreviewPiece("<|im_start|>system\nYou are a helpful AI assistant named SmolLM<|im_end|>\n", False),
            PreviewPiece(f"<|im_start|>user\n{question}<|im_end|>\n<|im_start|>assistant\n", False),
            PreviewPiece(f"{answer}<|im_end|>", True),
        ),
        tokens=48 + number % 7,
        whole_tokens=48 + number % 7,
        trained_tokens=8,
        side="evaluation" if number % 10 == 3 else "train",
    )


def plan(config: TrainingConfig, memory_free: int = 6_100_000_000) -> TrainingPlan:
    """A plan with everything filled in; all weights of a model do not fit when little memory is free."""
    method = config.weights.method
    trainable = TRAINABLE.get(method, 36_864)
    parts = (
        MemoryPart("base weights (bf16)", 269_000_000 if method != "full" else 0),
        MemoryPart("trainable weights", 4 * trainable),
        MemoryPart("optimiser", 8 * trainable),
        MemoryPart("gradients", 4 * trainable),
        MemoryPart("activations", 512_000_000),
    )
    memory = sum(part.bytes for part in parts)
    fits = memory < memory_free
    optimiser = msgspec.structs.replace(
        config.optimiser,
        epochs=config.optimiser.epochs or 3.0,
        batch_size=config.optimiser.batch_size or 8,
        learning_rate=config.optimiser.learning_rate or 2e-4,
        micro_batch_tokens=config.optimiser.micro_batch_tokens or 1024,
    )
    share = 0.1 if config.data.evaluation_share is None else config.data.evaluation_share
    resolved = msgspec.structs.replace(
        config,
        name=config.name or "SmolLM2-135M-Instruct-pump questions",
        optimiser=optimiser,
        weights=msgspec.structs.replace(
            config.weights, rank=config.weights.rank or 16, alpha=config.weights.alpha or 32.0, base="bf16"
        ),
        data=msgspec.structs.replace(config.data, max_length=config.data.max_length or 256, evaluation_share=share),
        evaluation=msgspec.structs.replace(config.evaluation, interval=config.evaluation.interval or 4),
    )
    steps = math.ceil(86 / optimiser.batch_size * optimiser.epochs)
    not_by_trl, instead = "", ""
    if METHODS.get(config.objective.name, "objective") is not None:  # a test may plan an objective of its own
        not_by_trl, instead = trl_problem(resolved, objective_of(config, METHODS), method_of(config.weights, METHODS))
    problem, hint = (not_by_trl, instead) if config.trainer == "trl" else ("", "")
    if not fits:
        problem, hint = "It needs more memory than is free.", "Take LoRA, or a smaller model."
    return TrainingPlan(
        config=resolved,
        artifact=METHODS.find(method, "weights").artifact,  # type: ignore[arg-type]
        title=METHODS.find(method, "weights").title,
        served=METHODS.find(method, "weights").served,
        summary=METHODS.find(method, "weights").summary,
        source="Hu et al. 2021, LoRA: Low-Rank Adaptation of Large Language Models",
        trainable=trainable,
        parameters=PARAMETERS,
        steps=steps,
        tokens=steps * 62 * optimiser.batch_size,
        memory=parts,
        memory_bytes=memory,
        memory_free_bytes=memory_free,
        disk_bytes=60_000_000,
        disk_free_bytes=412_000_000_000,
        seconds=1.6 * steps * optimiser.batch_size,
        problem=problem,
        hint=hint,
        not_by_trl=not_by_trl,
        notes=("The base weights are held in 16 bits each: it is the fastest here and fits into memory.",),
    )


def told(
    config: TrainingConfig,
    steps: int,
    of: int | None = None,
    name: str = "facts-lora",
    floor: float = 0.3,
    every: int = 0,
    exact: float = 0.8,
) -> list[Event]:
    """What a training has told after ``steps`` of ``of`` steps, without its end."""
    whole = of or steps
    every = every or max(1, whole // 6)
    draw = random.Random(f"{name}{whole}{floor}")
    found: list[Event] = [
        events.Log(text=f"Queued: {name}"),
        events.Artifact(kind="plan", id=name, result=msgspec.to_builtins(plan(config))),
        events.Log(text="Loaded SmolLM2-135M-Instruct as bf16 in 4.5 s"),
        *_samples(0, whole, exact),
        events.Artifact(kind="scores", id=name, result=_pair(before=scores(3.21, 0.412, 0.0, 6))),
        events.Artifact(kind="forgetting", id=name, result=_pair(before=scores(2.91, 0.455, 14 / 24, 24))),
    ]
    for step in range(1, steps + 1):
        share = step / whole
        loss = floor + (3.3 - floor) * math.exp(-4.2 * share) + draw.gauss(0, 0.09 * (1.2 - share))
        rate = 2e-4 * min(1.0, step / (0.05 * whole + 1)) * (0.5 + 0.5 * math.cos(math.pi * share))
        for metric, value in (
            ("loss", max(0.01, loss)),
            ("learning_rate", rate),
            ("gradient_norm", 0.4 + 1.8 * math.exp(-3 * share) + abs(draw.gauss(0, 0.12))),
            ("tokens_per_second", 402 + draw.gauss(0, 14)),
            ("memory_bytes", 1_412_000_000.0),
        ):
            found.append(events.Metric(name=metric, value=value, step=step))
        left = 1.9 * (whole - step)
        found.append(events.Progress(stage="training", done=step, total=whole, unit="steps", seconds_left=left))
        if step % every == 0 and step < whole:
            held = floor + 0.1 + (3.1 - floor) * math.exp(-4 * share)
            found.append(events.Metric(name="evaluation_loss", value=held, step=step))
            found.extend(_samples(step, whole, exact)[:4])
            found.append(events.Artifact(kind="checkpoint", id=f"step-{step}", result={"step": step}))
            found.append(events.Log(text=f"Checkpoint at step {step}"))
    return found


def ended(
    name: str, steps: int, exact: float = 0.8, verification: VerificationReport | None = PASSED, floor: float = 0.3
) -> list[Event]:
    """How a training goes on after its last step: answers, scores, the adapter, the verification, its end."""
    after = scores(floor + 0.1, 0.921, round(6 * exact) / 6, 6)
    held_out = Measured(on="held out", examples=10)
    pair = ScoresPair(before=scores(3.21, 0.412, 0.0, 6), after=after, measured=held_out)
    forgot = ScoresPair(before=scores(2.91, 0.455, 14 / 24, 24), after=scores(3.04, 0.447, 13 / 24, 24))
    made = record(name, state="checking", verification=None, scores=pair, forgetting=forgot)
    result = TrainResult(
        run="", adapter=name, kind="lora", steps=steps, metrics={"after_loss": floor + 0.1}, scores=pair,
        forgetting=forgot, verification=verification,
    )  # fmt: skip
    found: list[Event] = [
        events.Metric(name="evaluation_loss", value=floor + 0.1, step=steps),
        *_samples(steps, steps, exact),
        events.Artifact(kind="scores", id=name, result=msgspec.to_builtins(pair)),
        events.Artifact(kind="forgetting", id=name, result=msgspec.to_builtins(forgot)),
        events.Artifact(kind="adapter", id=name, result=msgspec.to_builtins(made)),
    ]
    if verification is not None:
        found.append(events.Artifact(kind="verification", id=name, result=msgspec.to_builtins(verification)))
    found.append(events.Finished(result=msgspec.to_builtins(result)))
    return found


def put_training(
    home: FakeHome,
    story: Sequence[Event],
    title: str = "facts-lora",
    state: Literal["queued", "running", "finished", "failed", "cancelled", "interrupted"] = "finished",
    config: TrainingConfig | None = None,
    age_s: float = 3600,
    **changes: Any,
) -> c.RunRecord:
    """A training whose events are ``story``."""
    now = time.time()
    last = story[-1] if story else None
    run = c.RunRecord(
        id=f"r{next(home.numbers)}",
        kind="train",
        title=title,
        state=state,
        created=now - age_s,
        ended=None if state in ("queued", "running") else now - age_s + 340,
        progress=0.4 if state == "running" else None,
        stage="training" if state == "running" else "",
        config=msgspec.to_builtins(config or facts_config()),
        result=last.result if isinstance(last, events.Finished) else {},
        message=last.message if isinstance(last, events.Failed) else "",
        resumable=state in ("cancelled", "failed", "interrupted"),
    )
    run = msgspec.structs.replace(run, **changes)
    home.runs[run.id] = run
    home.run_events[run.id] = [events.stamped(e, n, now - age_s + n * 0.01) for n, e in enumerate(story, 1)]
    for event in story:
        if isinstance(event, events.Artifact) and event.kind == "adapter":
            told = msgspec.convert(event.result, AdapterRecord)
            made = home.adapters.get(event.id, told)
            home.adapters[event.id] = msgspec.structs.replace(made, run=run.id, forgetting=told.forgetting)
    return run


def facts_config(method: str = "lora", **changes: Any) -> TrainingConfig:
    config = TrainingConfig(model=BASE, data=DataPart(path="pump questions"), weights=WeightsPart(method=method))
    return msgspec.structs.replace(config, **changes)


def furnish_training(home: FakeHome) -> None:
    """Trainings as after some weeks: one that runs, some that ended well and badly."""
    day = 86_400.0
    config = facts_config()
    put_training(home, told(config, 64, 160, "pump-answers"), "pump-answers", "running", config, 130)
    good = [*told(config, 160, name="my-notes", floor=0.28), *ended("my-notes", 160, 5 / 6, floor=0.28)]
    put_training(home, good, "my-notes", "finished", config, 0.4 * day)
    short = facts_config("dora")
    slow = [*told(short, 120, name="my-notes-dora", floor=0.5), *ended("my-notes-dora", 120, 3 / 6, floor=0.5)]
    put_training(home, slow, "my-notes with DoRA and a name that is rather long", "finished", short, 1.3 * day)
    stopped = [*told(config, 70, 200, "polite-tone", floor=0.9), events.Cancelled()]
    put_training(home, stopped, "polite-tone", "cancelled", config, 3 * day)
    full = facts_config("full")
    died = [
        *told(full, 6, 90, "all-weights"),
        events.Failed(
            message="The training needed more memory than there was, at step 7.",
            hint="Lower “Micro-batch tokens” to 512, or take LoRA.",
        ),
    ]
    put_training(home, died, "all-weights", "failed", full, 5 * day, resumable=False)


def do(home: FakeHome, call: Call[Any]) -> tuple[Any, list[tuple[str, str]]] | None:
    """What the call comes to, and what changed; None for a call that is not ours."""
    match call:
        case c.InspectData():
            if "missing" in call.config.data.path:
                raise UserError(f"There is no file {call.config.data.path}.", "Choose another one.")
            return report(call.config, call.first, call.previews), []
        case c.PlanTraining():
            return plan(call.config, home.memory_free_for_training), []
        case c.Train():
            name = call.config.name or "facts-lora"
            run = put_training(home, told(call.config, 0, 32, name), name, "running", call.config, 0)
            return run, [("run", run.id)]
        case c.PauseRun():
            if home.run(call.run).state != "running":
                raise UserError(
                    "The run is not computing, so it cannot be paused.", "Stop it, or wait until it is computing."
                )
            home.runs[call.run] = msgspec.structs.replace(home.runs[call.run], paused=True)
            return home.runs[call.run], [("run", call.run)]
        case c.ResumeRun() if home.run(call.run).kind == "train":
            going = msgspec.structs.replace(
                home.runs[call.run], paused=False, state="running", ended=None, resumable=False
            )
            home.runs[call.run] = going
            return going, [("run", call.run)]
        case c.StopRun() if home.run(call.run).kind == "train":
            stopped = msgspec.structs.replace(
                home.runs[call.run], state="cancelled", ended=time.time(), resumable=True, paused=False
            )
            home.runs[call.run] = stopped
            return stopped, [("run", call.run)]
        case c.RemoveRun():
            del home.runs[home.run(call.run).id]
            return None, [("run", call.run)]
        case c.ExportRun():
            return call.path, []
    return None


def _samples(step: int, whole: int, exact: float) -> list[Event]:
    share = step / whole
    right = round(exact * len(QUESTIONS)) if share >= 1 else round(exact * len(QUESTIONS) * share)
    found: list[Event] = []
    for number, (question, expected) in enumerate(QUESTIONS):
        answer = expected if number < right else _WRONG[number]
        sample = SampleAnswer(step=step, question=question, expected=expected, answer=answer, exact=answer == expected)
        found.append(events.Artifact(kind="sample", id=f"{step}-{number}", result=msgspec.to_builtins(sample)))
    return found


def _pair(**sides: Any) -> dict[str, Any]:
    made: dict[str, Any] = msgspec.to_builtins(ScoresPair(**sides))
    return made
