"""PPO, GRPO, Dr. GRPO and RLOO on the starter or its first two layers: does the reward of held-out answers rise?

    python benchmarks/policy.py

Prompts ask about 64 topics; 24 other topics are held out, answered before and after with the same random numbers.
``--prompts numbers`` asks for numbers instead. The default reward is 1 minus 8 times the share of the letter e. Each
seed is a process of its own, planned and trained as the training worker does it, without verification. Reported per
seed: the mean reward of held-out answers before and after, the paired difference with its 95 % interval, the divergence
per answer, the time of the steps by parts, and the peak of memory. ``--supervised`` trains the same LoRA on answers of
the same length instead, for its peak. ``--processor`` measures the parts of a step, and the speeds that choose what
samples, in seconds of processor time: for one thread on a machine that does other things too.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
from harness import arguments, starter_model, with_values, write_lines
from number_questions import HELD_OUT as ASKED_AFTER
from number_questions import TRAINED
from preferences import PROMPT, TOPICS

from tests.short_model import write_short
from workbench.api import events
from workbench.api.protocol import RequestContext
from workbench.records.training import (
    DataPart,
    EvaluationPart,
    ObjectivePart,
    OptimiserPart,
    TrainingConfig,
    TrainingPlan,
)
from workbench.training.protocol import BaseModel, Plan, Trained, TrainModel
from workbench.workers.training import TrainingService, keep_few_kernels

LETTERS = "letter-share letters=e scale=8"
HELD_OUT = 24
MEASURED = (
    "reward", "kl", "entropy", "answer_tokens", "clip_fraction", "updates", "mismatch", "importance", "repetition",
    "beta", "evaluation_reward", "evaluation_kl", "memory_bytes",
    "seconds_rollouts", "seconds_rewards", "seconds_forward", "seconds_updates",
)  # fmt: skip


def prompts_of(kind: str) -> tuple[list[str], list[str]]:
    """To train on and held out."""
    if kind == "numbers":
        trained, held_out = ([f"{one} Answer with a number only." for one in side] for side in (TRAINED, ASKED_AFTER))
        return trained, held_out
    asked = [PROMPT.format(topic) for topic in TOPICS]
    return asked[:64], asked[-HELD_OUT:]


def handled(call: Any) -> Iterator[events.Event]:
    yield from TrainingService().handlers()[type(call)](call, RequestContext())


def config_of(given: argparse.Namespace, folder: Path, seed: int) -> TrainingConfig:
    train, held_out = prompts_of(given.prompts)
    for name, asked in (("train", train), ("held-out", held_out)):
        rows = [{"prompt": one} for one in asked]
        if given.supervised:
            rows = [{**row, "completion": "so " * 23} for row in rows]
        write_lines(folder / f"{name}.jsonl", rows)
    name = "sft" if given.supervised else given.objective
    config = TrainingConfig(
        objective=ObjectivePart(name=name, options={} if given.supervised else {"rewards": tuple(given.reward)}),
        data=DataPart(path=str(folder / "train.jsonl"), evaluation_path=str(folder / "held-out.jsonl")),
        optimiser=OptimiserPart(
            max_steps=given.steps, learning_rate=1e-3, schedule="constant", warmup_ratio=0.0, seed=seed,
            batch_size=16 if given.supervised else 0,
        ),
        evaluation=EvaluationPart(interval=given.interval, sample_answers=1, max_new_tokens=24, forgetting=False),
    )  # fmt: skip
    return with_values(config, given.values)


def one_seed(given: argparse.Namespace, seed: int, folder: Path) -> dict[str, Any]:
    """Train in this process."""
    found = starter_model()
    path = write_short(found, folder / "short.gguf") if given.cut else found
    base = BaseModel(name="cut" if given.cut else "starter", path=str(path))
    config = config_of(given, folder, seed)
    call = Plan(config=config, model=base, runs=str(folder), memory_free_bytes=16_000_000_000)
    *_, planned = handled(call)
    assert isinstance(planned, events.Finished), planned
    plan = msgspec.convert(planned.result, TrainingPlan)
    if plan.problem:
        raise SystemExit(f"{plan.problem} {plan.hint}")
    if given.processor:
        from workbench.training.experience import collection, policy_loss

        clock = SimpleNamespace(perf_counter=time.process_time)
        for module in (collection, policy_loss):
            vars(module)["time"] = clock
    began, cpu = time.perf_counter(), time.process_time()
    curves: dict[str, list[float]] = {}
    notices: list[str] = []
    trained = None
    for event in handled(TrainModel(config=plan.config, model=base, folder=str(folder / "run"), threads=given.threads)):
        if isinstance(event, events.Metric) and event.name in MEASURED:
            curves.setdefault(event.name, []).append(event.value)
        elif isinstance(event, events.Log):
            notices.append(event.text)
        elif isinstance(event, events.Failed):
            raise SystemExit(f"{event.message} {event.hint}")
        elif isinstance(event, events.Finished):
            trained = msgspec.convert(event.result, Trained)
    assert trained is not None
    seconds = time.perf_counter() - began
    report: dict[str, Any] = {
        "seed": seed,
        "steps": trained.steps,
        "wall_s": round(seconds, 1),
        "cpu_s": round(time.process_time() - cpu, 1),
        "peak_bytes": trained.peak_memory_bytes,
        "planned_bytes": plan.memory_bytes,
        "notices": notices,
        "curves": {name: [round(value, 4) for value in values] for name, values in curves.items()},
    }
    if given.supervised:
        return report
    before, after = (
        {row["prompt"]: row for row in map(json.loads, path.read_text().splitlines())}
        for path in (folder / "run" / "rollouts" / f"held-out-{step:06}.jsonl" for step in (0, trained.steps))
    )
    differences = [after[prompt]["reward"] - before[prompt]["reward"] for prompt in before]
    mean = statistics.mean(differences)
    half = 1.96 * statistics.stdev(differences) / math.sqrt(len(differences))
    return report | {
        "n": len(differences),
        "before": round(statistics.mean(row["reward"] for row in before.values()), 3),
        "after": round(statistics.mean(row["reward"] for row in after.values()), 3),
        "difference": [round(mean, 3), round(mean - half, 3), round(mean + half, 3)],
        "parts": {
            name: [round(statistics.mean(row["parts"][name] for row in side.values()), 3) for side in (before, after)]
            for name in next(iter(before.values()))["parts"]
        },
        "kl": round(statistics.mean(row["kl"] for row in after.values()), 2),
        "length": [round(statistics.mean(len(row["tokens"]) for row in side.values()), 1) for side in (before, after)],
        "start": json.loads((folder / "run" / "rollouts" / "start.json").read_text()),
        "samples": [(row["response"], after[prompt]["response"]) for prompt, row in list(before.items())[:3]],
    }


def main() -> None:
    parser = arguments(
        __doc__,
        "set",
        "home",
        "json",
        objective="ppo",
        cut=False,
        steps=20,
        interval=5,
        threads=0,
        supervised=False,
        processor=False,
    )
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--reward", action="append")
    parser.add_argument("--prompts", choices=("topics", "numbers"), default="topics")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    given.reward = given.reward or [LETTERS]
    home = given.home or Path(tempfile.mkdtemp(prefix="policy-"))
    if given.here:
        keep_few_kernels()
        given.json.write_text(json.dumps(one_seed(given, given.seeds[0], home)))
        return
    reports = []
    for seed in given.seeds:
        folder = home / f"{given.objective}-{seed}"
        folder.mkdir(parents=True, exist_ok=True)
        out = folder / "report.json"
        again = [*sys.argv[1:], "--here", "--seeds", str(seed), "--home", str(folder), "--json", str(out)]
        subprocess.run([sys.executable, __file__, *again], check=True, env=dict(os.environ))
        reports.append(json.loads(out.read_text()))
        print(json.dumps({k: v for k, v in reports[-1].items() if k != "curves"}, indent=1), flush=True)
    if given.json:
        given.json.write_text(json.dumps(reports, indent=1))


if __name__ == "__main__":
    main()
