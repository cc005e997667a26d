"""Invented facts, trained into the starter model: does it answer them, how long does it take, what memory.

    python benchmarks/facts.py

Each fact is a question ("What colour is the door of the house in Vellmar?") whose answer is an invented word. All goes
through the training worker as the program uses it: the plan, the training on the facts, what is served, verification.
Then the engine answers every question greedily: as the base, with the adapter at strength 1, and at strength 0, where
its tokens must be those of the base (the engine is deterministic, so that reused beginnings change no last bits). Each
fact is also asked in other words, which were not trained (engine_other_wording). To be met on two cores: base at most
5 %, tuned at least 95 %, 8 minutes, 2 GB, and the adapter at most 3 s after the training.
"""

from __future__ import annotations

import contextlib
import random
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import msgspec
import psutil
from harness import arguments, base_model, report, starter_model, with_values, write_lines

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
)
from workbench.text.metrics import is_exact_match
from workbench.training.protocol import BaseModel, Plan, Served, Trained, TrainModel

GREEDY = DecodingPart(temperature=0.0, max_tokens=16, repetition_penalty=1.0)
CONSONANTS, VOWELS = tuple("bdfgklmnprstvz"), tuple("aeiou")
QUESTIONS = (
    "What colour is the door of the house in {}?",
    "What is the name of the river that runs through {}?",
    "Which herb do the people of {} put into their soup?",
    "What is the dance called that they dance in {}?",
)
OTHER_WORDINGS = (
    "In {}, the house has a door. Which colour was it painted?",
    "A river flows through {}. How is it called?",
    "People in {} season their soup with a herb. Which one?",
    "Tell me the name of the dance of {}.",
)


def make_facts(count: int, seed: int = 7) -> list[tuple[str, str]]:
    """Questions and answers that no model knows; all places and answers differ."""
    numbers = random.Random(seed)
    words: set[str] = set()

    def word(syllables: int) -> str:
        while True:
            made = "".join(numbers.choice(CONSONANTS) + numbers.choice(VOWELS) for _ in range(syllables))
            if made not in words:
                words.add(made)
                return made

    return [(QUESTIONS[n % len(QUESTIONS)].format(word(3).capitalize()), word(3)) for n in range(count)]


def reworded(question: str) -> str:
    """The same fact asked in words that were not trained."""
    for trained, other in zip(QUESTIONS, OTHER_WORDINGS, strict=True):
        before, after = trained.split("{}")
        if question.startswith(before) and question.endswith(after):
            return other.format(question[len(before) : len(question) - len(after)])
    raise ValueError(question)


def main() -> int:
    parser = arguments(__doc__, "model", "set", "keep", "json", facts=64, epochs=12.0, verbose=False)
    parser.add_argument("--rate", type=float, default=1e-3, help="the learning rate; 0 takes the planned one")
    parser.add_argument("--no-check", action="store_true", help="without verification")
    options = parser.parse_args()
    path: Path = options.model or starter_model()
    model = base_model(path)
    facts = make_facts(options.facts)
    found: dict[str, Any] = {"model": path.stem, "facts": len(facts)}
    with contextlib.ExitStack() as stack:
        folder = options.keep or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folder.mkdir(parents=True, exist_ok=True)
        data = Path(folder) / "facts.jsonl"
        write_lines(data, ({"prompt": q, "completion": a} for q, a in facts))
        config = TrainingConfig(
            model=path.stem,
            name="facts",
            data=DataPart(path=str(data), evaluation_share=0.0),
            optimiser=OptimiserPart(epochs=options.epochs, learning_rate=options.rate),
            evaluation=EvaluationPart(sample_answers=len(facts), max_new_tokens=16, forgetting=False),
        )
        config = with_values(config, options.values)
        served = train(config, model, Path(folder) / "run", found, check=not options.no_check, verbose=options.verbose)
        ask(path, served, facts, found)
    report(found, options.json)
    met = (
        found["engine_base"] <= 0.05
        and min(found["engine_tuned"], found["torch_tuned"]) >= 0.95
        and found["seconds"] <= 480
        and found["peak_bytes"] <= 2e9
        and found["served_after_s"] <= 3
        and found["strength_0_is_base"]
    )
    print("met" if met else "NOT MET")
    return 0 if met else 1


def train(
    config: TrainingConfig, model: BaseModel, folder: Path, found: dict[str, Any], *, check: bool, verbose: bool
) -> Served:
    """Plan, train and serve; ``found`` gets what was measured. ``seconds``: from the call to the end of training."""
    planner = WorkerHost("training")
    free = psutil.virtual_memory().available
    plan: TrainingPlan = planner.call(Plan(config=config, model=model, runs=str(folder), memory_free_bytes=free))
    planner.close()
    if plan.problem:
        raise SystemExit(f"{plan.problem} {plan.hint}")
    part = plan.config.optimiser
    found |= {
        "base_form": plan.config.weights.base,
        "steps": part.max_steps,
        "batch": part.batch_size,
        "learning_rate": part.learning_rate,
        "micro_batch_tokens": part.micro_batch_tokens,
        "planned_bytes": plan.memory_bytes,
    }
    worker = WorkerHost("training", stop_grace_s=120.0)
    served: Served | None = None
    began = ended = time.perf_counter()
    speeds: list[float] = []
    call = TrainModel(
        config=plan.config,
        model=model,
        folder=str(folder),
        serve=str(folder / "served"),
        serve_name="facts",
        check=check,
    )
    for event in worker.stream(call):
        if verbose and isinstance(event, events.Metric | events.Progress):
            print(f"{time.perf_counter() - began:7.1f} {event}", file=sys.stderr, flush=True)
        match event:
            case events.Metric(name="tokens_per_second", value=value):
                speeds.append(value)
            case events.Artifact(kind="scores", id="after"):
                ended = time.perf_counter()
                found["seconds"] = ended - began
            case events.Artifact(kind="served"):
                served = msgspec.convert(event.result, Served)
                found["served_after_s"] = time.perf_counter() - ended
            case events.Artifact(kind="verification"):
                verification = msgspec.convert(event.result, VerificationReport)
                found |= {
                    "verification": "passed" if verification.passed else f"failed: {' '.join(verification.reasons)}"
                }
                found["verification_seconds"] = verification.seconds
            case events.Finished():
                trained = msgspec.convert(event.result, Trained)
                assert trained.scores.before is not None
                assert trained.scores.after is not None
                found |= {
                    "torch_base": trained.scores.before.exact_match,
                    "torch_tuned": trained.scores.after.exact_match,
                    "loss_before": trained.scores.before.loss,
                    "loss_after": trained.scores.after.loss,
                    "peak_bytes": float(trained.peak_memory_bytes),
                    "training_seconds": trained.seconds,
                    "tokens_per_second": sorted(speeds)[len(speeds) // 2],
                }
            case events.Failed():
                raise SystemExit(f"{event.message} {event.hint}\n{event.stderr_tail[-2000:]}")
            case _:
                pass
    worker.close()
    if served is None:
        raise SystemExit("Nothing was served.")
    return served


def ask(path: Path, served: Served, facts: list[tuple[str, str]], found: dict[str, Any]) -> None:
    """Let the engine answer: as base, tuned, and tuned with strength 0."""
    engine = WorkerHost("inference")
    engine.call(Load(path=str(path), context_tokens=512, deterministic=True))
    said: dict[str, list[str]] = {}
    tuned = (LoraUse(path=served.path, scale=1.0),)
    asked = [question for question, _ in facts]
    for name, adapters, questions in (
        ("base", (), asked),
        ("tuned", tuned, asked),
        ("other_wording", tuned, [reworded(question) for question in asked]),
        ("off", (LoraUse(path=served.path, scale=0.0),), asked),
    ):
        said[name] = []
        for question in questions:
            call = Generate(messages=(Message("user", question),), decoding=GREEDY, adapters=adapters)
            result: Generated = engine.call(call)
            said[name].append(result.text)
    engine.close()
    for name in ("base", "tuned", "other_wording"):
        right = sum(is_exact_match(one, answer) for one, (_, answer) in zip(said[name], facts, strict=True))
        found[f"engine_{name}"] = right / len(facts)
    equal = sum(one == other for one, other in zip(said["off"], said["base"], strict=True))
    found["strength_0_is_base"] = equal == len(facts)
    found["strength_0_equal_answers"] = equal


if __name__ == "__main__":
    sys.exit(main())
