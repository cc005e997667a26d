"""A reward model of the starter, from pairs to scores in the engine: how often does it agree with held-out judgements?

    python benchmarks/reward_model.py

FOLDER has ``train.jsonl`` and ``test.jsonl`` of HH-RLHF pairs. With ``--taste`` the judgements are another person's: of
two answers the one that asks back (has a question mark) is better, and only pairs of which one does are taken: a
taste that can be checked. The training goes through the core as the program does it (plan, probe, adapter,
verification). The report's interval of the accuracy is Wilson's, that of the gain over "the shorter answer wins" a
paired bootstrap, both of 95 %. ``served`` are the same held-out pairs scored by llama.cpp, through the core.
"""

from __future__ import annotations

import json
import re
import resource
import statistics
import sys
import time
from pathlib import Path
from typing import Any

from harness import DATA, Core, arguments, interval, report, with_values, write_lines
from preferences import train

from workbench import calls
from workbench.records.messages import Message
from workbench.records.training import (
    DataPart,
    EvaluationPart,
    ObjectivePart,
    OptimiserPart,
    TrainingConfig,
)

OBJECTIVE, NAME = "reward", "taste"
TURN = re.compile(r"\n\n(Human|Assistant): ?")


def rows_of(path: Path, taste: bool, most: int) -> list[dict[str, Any]]:
    """The pairs of a file that are two answers to one dialogue; with ``taste`` those of which one answer asks back, as
    the chosen one."""
    found = []
    for line in path.read_text("utf-8").splitlines():
        row = json.loads(line)
        (*before, one), (*before_other, other) = (TURN.split(row[side]) for side in ("chosen", "rejected"))
        if before != before_other or before[-1] != "Assistant" or not one.strip() or not other.strip() or one == other:
            continue
        if taste:
            if ("?" in one) == ("?" in other):
                continue
            if "?" in other:
                row = {"chosen": row["rejected"], "rejected": row["chosen"]}
        found.append({"chosen": row["chosen"], "rejected": row["rejected"]})
    return found[:most] if most else found


def sample_of(dialogue: str) -> calls.AnswerToScore:
    """An HH-RLHF dialogue as a prompt and its last answer."""
    parts = TURN.split(dialogue)[1:]
    said = [
        Message("user" if who == "Human" else "assistant", text.strip())
        for who, text in zip(parts[0::2], parts[1::2], strict=True)
    ]
    return calls.AnswerToScore(prompt=tuple(said[:-1]), answer=said[-1].content)


def served_accuracy(core: Core, adapter: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """The same pairs through the engine, as an evaluation scores answers."""
    scores: list[float] = []
    began = time.perf_counter()
    samples = [sample_of(row[side]) for row in rows for side in ("chosen", "rejected")]
    for start in range(0, len(samples), 16):
        call = calls.ScoreAnswers(
            rewards=(f"reward-model adapter={adapter}",), answers=tuple(samples[start : start + 16])
        )
        scores += [one.value for one in core.call(call)]
    seconds = time.perf_counter() - began
    right = [0.5 if a == b else float(a > b) for a, b in zip(scores[0::2], scores[1::2], strict=True)]
    share = statistics.mean(right)
    return {
        "n": len(right),
        "accuracy": round(share, 3),
        "interval": interval(share, len(right)),
        "answers_per_second": round(len(samples) / seconds, 1),
    }


def main() -> None:
    given = arguments(
        __doc__, "set", "home", "json", data=DATA / "hh-rlhf", taste=False, pairs=0, held_out=0
    ).parse_args()
    with Core(given.home) as core:
        sides = {
            "train": rows_of(given.data / "train.jsonl", given.taste, given.pairs),
            "test": rows_of(given.data / "test.jsonl", given.taste, given.held_out),
        }
        for name, rows in sides.items():
            write_lines(core.folder / f"{name}.jsonl", rows)
        config = TrainingConfig(
            objective=ObjectivePart(name=OBJECTIVE),
            model="SmolLM2 135M Instruct",
            name=NAME,
            data=DataPart(
                path=str(core.folder / "train.jsonl"), evaluation_path=str(core.folder / "test.jsonl"), max_length=256
            ),
            optimiser=OptimiserPart(epochs=1, batch_size=16, learning_rate=1e-4),
            evaluation=EvaluationPart(interval=1_000_000),
        )
        config = with_values(config, given.values)
        began = time.perf_counter()
        result, _ = train(core, config)
        seconds = time.perf_counter() - began
        print(round(seconds), json.dumps(result["reward"], default=str)[:3000], file=sys.stderr, flush=True)
        cpu = resource.getrusage(resource.RUSAGE_CHILDREN)
        found = {
            "taste": "asks back" if given.taste else "HH-RLHF",
            "pairs": {name: len(rows) for name, rows in sides.items()},
            "training_s": round(seconds, 1),
            "training_cpu_s": round(cpu.ru_utime + cpu.ru_stime, 1),
            "peak_bytes": result["metrics"].get("peak_memory_bytes"),
            "reward": {name: value for name, value in result["reward"].items() if name != "scores"},
            "verification": result["verification"]["verdict"],
            "served": served_accuracy(core, result["adapter"], sides["test"]),
        }
    report(found, given.json)


if __name__ == "__main__":
    main()
