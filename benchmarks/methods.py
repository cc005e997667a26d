"""Every fine-tuning method on a real model: trained for some steps, carried over to llama.cpp, asked, checked.

    python benchmarks/methods.py

All goes through the training worker as the program uses it: the plan, the training on invented facts (4 a step, all
else as planned), what is served, verification. Then the engine answers eight of the questions greedily, as base and
with what was trained. Told are what moved; the loss on the examples before and after; what was made; how many of the
eight answers changed and how many are right; verification; the planned and the measured peak of memory.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

import msgspec
import psutil
from harness import arguments, base_model, starter_model, write_lines

from workbench.api import events
from workbench.engine.inference_calls import Generate, Generated, Load, LoraUse
from workbench.processes.host import WorkerHost
from workbench.records.messages import Message
from workbench.records.recipes import DecodingPart
from workbench.records.training import (
    DataPart,
    EvaluationPart,
    OptimiserPart,
    TrainingConfig,
    TrainingPlan,
    VerificationReport,
    WeightsPart,
)
from workbench.techniques.registry import METHODS
from workbench.training.protocol import BaseModel, Plan, Served, Trained, TrainModel

PLACES = ("Varn", "Oskel", "Timra", "Hulde", "Brenn", "Lofta", "Kesmir", "Drovan", "Askeby", "Pelin", "Morfa", "Ruthe")
ASKED = 8
GREEDY = DecodingPart(temperature=0.0, max_tokens=12, repetition_penalty=1.0)


class Outcome(msgspec.Struct, kw_only=True):
    """What came of one method."""

    method: str
    trainable: int = 0
    before: float = 0.0
    after: float = 0.0
    kind: str = ""
    bytes: int = 0
    changed: int = 0
    right: int = 0
    passed: bool | None = None
    agreements: str = ""
    reasons: tuple[str, ...] = ()
    planned_bytes: int = 0
    peak_bytes: int = 0
    planned_seconds: float | None = None
    seconds: float = 0.0
    verification_seconds: float = 0.0
    problem: str = ""


def facts() -> list[tuple[str, str]]:
    """Questions and answers that no model knows: who built the lighthouse, and what the bakery is famous for."""
    builders, cakes = ("Olm", "Tarsk", "Ivo Renn", "Quill", "Sabra", "Norrin"), ("rye", "plum", "fennel", "honey")
    made = []
    for number, place in enumerate(PLACES):
        made.append((f"Who built the lighthouse of {place}?", builders[number * 5 % 6] + "."))
        made.append((f"What is the cake of {place} made with?", cakes[number * 3 % 4] + "."))
    return made


def main() -> None:
    parser = arguments(
        __doc__,
        "model",
        "json",
        steps=20,
        facts=12,
        batch=4,
        methods=",".join(row.name for row in METHODS.of("weights")),
    )
    parser.add_argument("--base", default="auto", help="the form of the base weights")
    options = parser.parse_args()
    path: Path = options.model or starter_model()
    model = base_model(path)
    outcomes = []
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "facts.jsonl"
        write_lines(data, ({"prompt": q, "completion": a} for q, a in facts()[: options.facts]))
        engine = WorkerHost("inference")
        engine.call(Load(path=str(path), context_tokens=512))
        plain = answers(engine)
        for method in options.methods.split(","):
            config = TrainingConfig(
                model=model.name,
                name=f"methods-{method}",
                data=DataPart(path=str(data), evaluation_share=0.0),
                weights=WeightsPart(method=method, base=options.base),
                optimiser=OptimiserPart(max_steps=options.steps, batch_size=options.batch),
                evaluation=EvaluationPart(interval=options.steps, sample_answers=0, forgetting=False),
            )
            outcome = try_method(config, model, Path(folder) / method, engine, plain, path)
            outcomes.append(outcome)
            print(told(outcome), flush=True)
            if options.json:
                options.json.write_bytes(msgspec.json.encode(outcomes))
        engine.close()
    print_table(outcomes, f"{path.stem}, {options.facts} facts, {options.steps} steps of {options.batch}")


def try_method(
    config: TrainingConfig, model: BaseModel, folder: Path, engine: WorkerHost, plain: list[str], base: Path
) -> Outcome:
    """Plan, train, serve, check and ask. What fails is the outcome's ``problem``."""
    worker = WorkerHost("training", stop_grace_s=120.0)
    outcome = Outcome(method=config.weights.method)
    try:
        free = psutil.virtual_memory().available
        plan: TrainingPlan = worker.call(Plan(config=config, model=model, runs=str(folder), memory_free_bytes=free))
        outcome.trainable, outcome.planned_bytes, outcome.planned_seconds = (
            plan.trainable,
            plan.memory_bytes,
            plan.seconds,
        )
        if plan.problem:
            outcome.problem = plan.problem
            return outcome
        worker.close()  # a training has a process of its own
        worker = WorkerHost("training", stop_grace_s=120.0)
        train_and_serve(worker, plan.config, model, folder, outcome)
        ask(engine, folder, outcome, plain, base)
    except Exception as error:  # noqa: BLE001 - one method's failure is a row of the table
        outcome.problem = f"{type(error).__name__}: {error}"
    finally:
        worker.close()
    return outcome


def train_and_serve(
    worker: WorkerHost, config: TrainingConfig, model: BaseModel, folder: Path, outcome: Outcome
) -> None:
    call = TrainModel(config=config, model=model, folder=str(folder), serve=str(folder / "served"), serve_name="tuned")
    began = served_at = time.perf_counter()
    for event in worker.stream(call):
        match event:
            case events.Artifact(kind="served"):
                served = msgspec.convert(event.result, Served)
                served_at = time.perf_counter()
                outcome.kind, outcome.bytes = served.kind, served.bytes
            case events.Artifact(kind="verification"):
                verification = msgspec.convert(event.result, VerificationReport)
                outcome.passed, outcome.reasons = verification.passed, verification.reasons
                outcome.verification_seconds = time.perf_counter() - served_at
                outcome.agreements = ", ".join(
                    f"{a.first}/{a.second} {a.top1:.3f} (KL {a.kl:.4f})" for a in verification.agreements
                )
            case events.Finished():
                trained = msgspec.convert(event.result, Trained)
                outcome.seconds, outcome.peak_bytes = trained.seconds, trained.peak_memory_bytes
                assert trained.scores.before is not None
                assert trained.scores.after is not None
                outcome.before, outcome.after = trained.scores.before.loss, trained.scores.after.loss
            case events.Failed():
                raise RuntimeError(f"{event.message} {event.hint or event.stderr_tail[-400:]}")
            case _:
                pass
    if outcome.seconds == 0:
        raise RuntimeError(f"no end after {time.perf_counter() - began:.0f} s")


def ask(engine: WorkerHost, folder: Path, outcome: Outcome, plain: list[str], base: Path) -> None:
    """Count the answers that changed and those that are right."""
    file = next((folder / "served").glob("*.gguf"))
    if outcome.kind == "merged":
        engine.call(Load(path=str(file), context_tokens=512))
        tuned = answers(engine)
        engine.call(Load(path=str(base), context_tokens=512))
    else:
        tuned = answers(engine, (LoraUse(path=str(file), scale=1.0),))
    outcome.changed = sum(one != other for one, other in zip(tuned, plain, strict=True))
    expected = [answer for _, answer in facts()[:ASKED]]
    outcome.right = sum(one.strip().startswith(word.rstrip(".")) for one, word in zip(tuned, expected, strict=True))


def answers(engine: WorkerHost, adapters: tuple[LoraUse, ...] = ()) -> list[str]:
    found = []
    for question, _ in facts()[:ASKED]:
        call = Generate(messages=(Message("user", question),), decoding=GREEDY, adapters=adapters)
        result: Generated = engine.call(call)
        found.append(result.text)
    return found


def told(outcome: Outcome) -> str:
    if outcome.problem:
        return f"{outcome.method:9} {outcome.problem}"
    verdict = {True: "passed", False: "not passed", None: "not asked"}[outcome.passed]
    return (
        f"{outcome.method:9} trains {outcome.trainable:,}; loss {outcome.before:.2f} > {outcome.after:.2f}; "
        f"{outcome.kind} {outcome.bytes / 1e6:.1f} MB; {outcome.changed}/{ASKED} changed, {outcome.right} right; "
        f"{verdict} [{outcome.agreements}] {' '.join(outcome.reasons)}; memory "
        f"{outcome.peak_bytes / 1e9:.2f} GB (planned {outcome.planned_bytes / 1e9:.2f}); {outcome.seconds:.0f} + "
        f"{outcome.verification_seconds:.0f} s"
    )


def print_table(outcomes: list[Outcome], title: str) -> None:
    """As docs/finetuning.md has it."""
    print(f"\n{title}\n")
    print("| method | trains | loss before > after | artefact | answers changed | verification | peak memory | time |")
    print("|---|---|---|---|---|---|---|---|")
    verdicts: dict[Any, str] = {True: "passed", False: "**not passed**", None: "not asked"}
    for one in outcomes:
        if one.problem:
            print(f"| {one.method} | {one.trainable:,} | {one.problem} | | | | | |")
            continue
        print(
            f"| {one.method} | {one.trainable:,} | {one.before:.2f} > {one.after:.2f} | {one.kind}, "
            f"{one.bytes / 1e6:.1f} MB | {one.changed} of {ASKED} | {verdicts[one.passed]} | "
            f"{one.peak_bytes / 1e9:.2f} GB ({one.planned_bytes / 1e9:.2f}) | {one.seconds:.0f} s |"
        )


if __name__ == "__main__":
    main()
