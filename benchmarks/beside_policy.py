"""A chat beside PPO on the same model: speed and longest gap of its answers.

    python benchmarks/beside_policy.py [--rounds 10] [--tokens 150] [--objective ppo] [--json FILE]

One core: it trains the starter by a policy objective with its defaults (reward "few letters e"), and answers questions
as the window asks them. Measured in turns with the training's processes stopped (SIGSTOP) and running, from its second
step on: tokens per second after the first token, seconds to the first token, and the longest gap between two pieces of
text. The phase of the training (sampling or updating) is by chance. POSIX only.
"""

from __future__ import annotations

import argparse
import json
import signal
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import psutil
from preferences import PROMPT, TOPICS

from workbench import calls
from workbench.api import events
from workbench.api.protocol import Call, result_of
from workbench.app import Workbench
from workbench.base.paths import Home
from workbench.records.recipes import DecodingPart, Recipe
from workbench.records.training import DataPart, EvaluationPart, ObjectivePart, OptimiserPart, TrainingConfig

REWARD = "letter-share letters=e scale=8"
WORKERS = "workbench.workers"
SETTLE_S = 1.5
MOST_WAIT_S = 600


def start(core: Workbench, home: Path, objective: str) -> calls.RunRecord:
    path = home / "prompts.jsonl"
    path.write_text("".join(json.dumps({"prompt": PROMPT.format(topic)}) + "\n" for topic in TOPICS), "utf-8")
    config = TrainingConfig(
        objective=ObjectivePart(name=objective, options={"rewards": (REWARD,)}),
        model="SmolLM2 135M Instruct",
        name="beside",
        data=DataPart(path=str(path)),
        optimiser=OptimiserPart(max_steps=500, learning_rate=1e-4, schedule="constant", warmup_ratio=0.0),
        evaluation=EvaluationPart(interval=1_000_000, sample_answers=0, forgetting=False),
    )
    call: Call[calls.RunRecord] = calls.Train(config=config)
    return result_of(call, core.handle(call))


def training_processes() -> list[psutil.Process]:
    """The training worker and what it started."""
    workers = [one for one in psutil.Process().children(recursive=True) if one.cmdline()[-2:] == [WORKERS, "training"]]
    return [*workers, *(child for one in workers for child in one.children(recursive=True) if child not in workers)]


def answer(core: Workbench, number: int, tokens: int) -> dict[str, float]:
    recipe = Recipe(decoding=DecodingPart(temperature=1.0, max_tokens=tokens, seed=number, repetition_penalty=1.0))
    began = last = time.perf_counter()
    first, gap, made = 0.0, 0.0, 0
    for event in core.handle(calls.Ask(question=f"Write a long story about {TOPICS[number]}.", recipe=recipe)):
        if isinstance(event, events.TextDelta):
            now = time.perf_counter()
            if first:
                gap = max(gap, now - last)
            else:
                first = now - began
            last = now
        elif isinstance(event, events.Failed):
            raise SystemExit(f"{event.message} {event.hint}")
        elif isinstance(event, events.Finished):
            made = event.result["usage"]["new_tokens"]
    return {"speed": (made - 1) / (last - began - first), "first_s": first, "gap_s": gap, "tokens": made}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--tokens", type=int, default=150)
    parser.add_argument("--objective", default="ppo")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    found: dict[str, list[dict[str, float]]] = {"quiet": [], "beside": []}
    steps: list[float] = []
    with tempfile.TemporaryDirectory(prefix="beside-policy-") as folder:
        home = Path(folder)
        core = Workbench(Home(home / "home"))
        processes: list[psutil.Process] = []
        try:
            starter: Call[calls.ModelList] = calls.RegisterStarter()
            result_of(starter, core.handle(starter))
            answer(core, 0, 8)
            run = start(core, home, given.objective)
            under_way = threading.Event()
            failed: list[str] = []

            def follow() -> None:
                for event in core.handle(calls.FollowRun(run=run.id)):
                    if isinstance(event, events.Metric) and event.name == "kl":
                        steps.append(time.perf_counter())
                        under_way.set()
                    elif isinstance(event, events.Failed):
                        failed.append(event.message)
                        under_way.set()

            threading.Thread(target=follow, daemon=True).start()
            if not under_way.wait(MOST_WAIT_S) or failed:
                raise SystemExit(f"the training made no step: {failed}")
            processes = training_processes()
            if not processes:
                raise SystemExit("no process of the training was found")
            for number in range(given.rounds):
                for name in ("quiet", "beside") if number % 2 else ("beside", "quiet"):
                    for one in processes:
                        one.send_signal(signal.SIGCONT if name == "beside" else signal.SIGSTOP)
                    time.sleep(SETTLE_S)
                    found[name].append(answer(core, number, given.tokens))
                print(number, {name: round(runs[-1]["speed"], 1) for name, runs in found.items()}, flush=True)
        finally:
            for one in processes:
                one.send_signal(signal.SIGCONT)
            core.close()
    report = summary(found) | {"steps_meanwhile": len(steps)}
    text = json.dumps(report, indent=1)
    print(text)
    if given.json:
        given.json.write_text(text)


def summary(found: dict[str, list[dict[str, float]]]) -> dict[str, Any]:
    ratios = [two["speed"] / one["speed"] for one, two in zip(found["quiet"], found["beside"], strict=True)]
    return {
        "rounds": len(ratios),
        "ratio": [round(value, 2) for value in (statistics.median(ratios), min(ratios), max(ratios))],
        **{
            f"{name}, {key}": [round(value, 3) for value in (statistics.median(values), min(values), max(values))]
            for name, runs in found.items()
            for key in ("speed", "first_s", "gap_s")
            for values in [[run[key] for run in runs]]
        },
    }


if __name__ == "__main__":
    main()
