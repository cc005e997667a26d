"""A chat beside PPO on the same model: speed and longest gap of its answers.

    python benchmarks/beside_policy.py

One core: it trains the starter by a policy objective with its defaults (reward "few letters e"), and answers questions
as the window asks them. Measured in turns with the training's processes stopped (SIGSTOP) and running, from its second
step on: tokens per second after the first token, seconds to the first token, and the longest gap between two pieces of
text. The phase of the training (sampling or updating) is by chance. POSIX only.
"""

from __future__ import annotations

import signal
import threading
import time
from typing import Any

import psutil
from harness import Core, arguments, in_turns, report, spread_of, write_lines
from preferences import PROMPT, TOPICS

from workbench import calls
from workbench.api import events
from workbench.records.recipes import DecodingPart, Recipe
from workbench.records.training import DataPart, EvaluationPart, ObjectivePart, OptimiserPart, TrainingConfig

REWARD = "letter-share letters=e scale=8"
WORKERS = "workbench.workers"
SETTLE_S = 1.5
MOST_WAIT_S = 600


def start(core: Core, objective: str) -> calls.RunRecord:
    prompts = ({"prompt": PROMPT.format(topic)} for topic in TOPICS)
    path = write_lines(core.folder / "prompts.jsonl", prompts)
    config = TrainingConfig(
        objective=ObjectivePart(name=objective, options={"rewards": (REWARD,)}),
        model="SmolLM2 135M Instruct",
        name="beside",
        data=DataPart(path=str(path)),
        optimiser=OptimiserPart(max_steps=500, learning_rate=1e-4, schedule="constant", warmup_ratio=0.0),
        evaluation=EvaluationPart(interval=1_000_000, sample_answers=0, forgetting=False),
    )
    return core.call(calls.Train(config=config))


def training_processes() -> list[psutil.Process]:
    """The training worker and what it started."""
    workers = [one for one in psutil.Process().children(recursive=True) if one.cmdline()[-2:] == [WORKERS, "training"]]
    return [*workers, *(child for one in workers for child in one.children(recursive=True) if child not in workers)]


def answer(core: Core, number: int, tokens: int) -> dict[str, float]:
    recipe = Recipe(decoding=DecodingPart(temperature=1.0, max_tokens=tokens, seed=number, repetition_penalty=1.0))
    began = last = time.perf_counter()
    first, gap, made = 0.0, 0.0, 0
    for event in core.workbench.handle(
        calls.Ask(question=f"Write a long story about {TOPICS[number]}.", recipe=recipe)
    ):
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
    given = arguments(__doc__, "json", rounds=10, tokens=150, objective="ppo").parse_args()
    steps: list[float] = []
    with Core() as core:
        processes: list[psutil.Process] = []
        try:
            answer(core, 0, 8)
            run = start(core, given.objective)
            under_way = threading.Event()
            failed: list[str] = []

            def watch(event: events.Event) -> None:
                if isinstance(event, events.Metric) and event.name == "kl":
                    steps.append(time.perf_counter())
                    under_way.set()

            def follow() -> None:
                try:
                    core.follow(run, watch)
                except Exception as error:  # noqa: BLE001 - told by the main thread
                    failed.append(str(error))
                    under_way.set()

            threading.Thread(target=follow, daemon=True).start()
            if not under_way.wait(MOST_WAIT_S) or failed:
                raise SystemExit(f"the training made no step: {failed}")
            processes = training_processes()
            if not processes:
                raise SystemExit("no process of the training was found")

            def measure(way: str, number: int) -> dict[str, float]:
                for one in processes:
                    one.send_signal(signal.SIGCONT if way == "beside" else signal.SIGSTOP)
                time.sleep(SETTLE_S)
                return answer(core, number, given.tokens)

            found = in_turns(given.rounds, ("quiet", "beside"), measure, warm=False)
        finally:
            for one in processes:
                one.send_signal(signal.SIGCONT)
    report(summary(found) | {"steps_meanwhile": len(steps)}, given.json)


def summary(found: dict[str, list[dict[str, float]]]) -> dict[str, Any]:
    ratios = [two["speed"] / one["speed"] for one, two in zip(found["quiet"], found["beside"], strict=True)]
    return {
        "rounds": len(ratios),
        "ratio": spread_of(ratios, 2),
        **{
            f"{name}, {key}": spread_of([run[key] for run in runs], 3)
            for name, runs in found.items()
            for key in ("speed", "first_s", "gap_s")
        },
    }


if __name__ == "__main__":
    main()
