"""What survives when the training of a policy is killed: SIGKILL of the worker, again and again, then its weights.

    python benchmarks/policy_chaos.py

The model is the first two layers of the starter, on one thread. First a training of the real worker runs to its end
undisturbed. Then one each is killed ``--kills`` times and asked for again after every kill, at a random moment

rollouts    while the answers of a step are sampled;
updates     after the answers of a step are on the disk, while the weights are updated by them;
checkpoint  while a checkpoint is written.

Checked after each kill: every checkpoint with its final name is whole, and so is every line of the answers; nothing is
left in the temporary folder. At the end: the weights are, byte for byte, those of the undisturbed training, and so are
the answers of each step. Where a home is named again, its kills so far count. Ends with exit status 1 and the list of
what was violated, or with 0.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from harness import arguments, sha256, starter_model
from preferences import PROMPT, TOPICS
from training_chaos import kill

from tests.short_model import write_short
from workbench.api import events
from workbench.processes.host import WorkerHost
from workbench.records.training import (
    DataPart,
    EvaluationPart,
    ObjectivePart,
    OptimiserPart,
    TrainingConfig,
    WeightsPart,
)
from workbench.training.checkpoints import is_sound
from workbench.training.protocol import BaseModel, TrainModel

PHASES = ("rollouts", "updates", "checkpoint")
LOOK_S = 0.002


class Chaos:
    """A home of trainings, and what was violated so far."""

    def __init__(self, given: argparse.Namespace, home: Path) -> None:
        self.home = home
        self.random = random.Random(given.seed)
        self.problems: list[str] = []
        self.base = BaseModel(name="cut", path=str(write_short(starter_model(), home / "cut.gguf")))
        data, held_out = home / "prompts.jsonl", home / "held-out.jsonl"
        for path, topics in ((data, TOPICS[:24]), (held_out, TOPICS[-4:])):
            path.write_text("".join(json.dumps({"prompt": PROMPT.format(one)}) + "\n" for one in topics))
        answers = 1 if given.objective == "ppo" else 4
        options = {
            "rewards": ["letter-share letters=e scale=8"],
            "rollouts": given.rollouts,
            "answers": answers,
            "max_new_tokens": 12,
            "largest_change": 10.0,  # every step makes all of its updates
        }
        self.config = TrainingConfig(
            objective=ObjectivePart(name=given.objective, options=options),
            data=DataPart(path=str(data), evaluation_path=str(held_out), max_length=64),
            weights=WeightsPart(base="f32", rank=8, alpha=16.0, adapted_layers=1),
            optimiser=OptimiserPart(
                max_steps=given.steps, batch_size=8 // answers, micro_batch_tokens=256, learning_rate=1e-3,
                schedule="constant", warmup_ratio=0.0, gradient_checkpointing="off", seed=1,
            ),
            evaluation=EvaluationPart(interval=1, sample_answers=0, forgetting=False),
        )  # fmt: skip
        os.environ["TMPDIR"] = str(home / "temporary")
        (home / "temporary").mkdir(exist_ok=True)

    def train(self, name: str, watch: Callable[[int, threading.Event], None] | None = None) -> events.Event:
        """Ask for a training until it ends, whatever that is. ``watch`` gets the worker's process on a thread of its
        own and ends with the event."""
        folder = self.home / name
        folder.mkdir(exist_ok=True)
        host = WorkerHost("training", log=self.home / "worker.log")
        done = threading.Event()
        began = False
        try:
            for event in host.stream(TrainModel(config=self.config, model=self.base, folder=str(folder), threads=1)):
                if watch is not None and not began:
                    began = True
                    threading.Thread(target=watch, args=(host.pid, done), daemon=True).start()
                if isinstance(event, events.TERMINAL):
                    return event
        finally:
            done.set()
            host.close()
        raise RuntimeError("no terminal event")

    def check(self, fine: bool, what: str) -> None:
        if not fine:
            self.problems.append(what)
            print("VIOLATED:", what, flush=True)

    def answers(self, name: str) -> dict[str, list[object]]:
        """The tokens of the answers to each step. Raises ValueError for a torn line."""
        files = sorted((self.home / name / "rollouts").glob("0*.jsonl"))
        return {one.name: [json.loads(line)["tokens"] for line in one.read_text().splitlines()] for one in files}

    def check_remains(self, name: str) -> None:
        for checkpoint in (self.home / name / "checkpoints").glob("step-*"):
            self.check(is_sound(checkpoint), f"{name}: {checkpoint.name} is half a checkpoint")
        try:
            self.answers(name)
        except ValueError as error:
            self.check(False, f"{name}: half a file of answers: {error}")
        left = [path.name for path in (self.home / "temporary").iterdir()]
        self.check(not left, f"{name}: in the temporary folder: {left}")

    def killed_at(self, phase: str, name: str) -> Callable[[int, threading.Event], None]:
        """What kills a worker at a random moment of a phase, of its first or second step."""
        folder = self.home / name
        skip = self.random.randrange(2)
        wait_s = self.random.uniform(0.0, 0.02 if phase == "checkpoint" else 0.4)

        def found() -> set[str]:
            if phase == "checkpoint":
                return {one.name for one in (folder / "checkpoints").glob(".step-*.part")}
            if phase == "updates":
                return {f"{one.name} {one.stat().st_mtime_ns}" for one in (folder / "rollouts").glob("0*.jsonl")}
            return {one.name for one in (folder / "checkpoints").glob("step-*")}  # sampling follows

        def watch(pid: int, done: threading.Event) -> None:
            before, seen = found(), set[str]()
            while not done.is_set():
                try:
                    seen |= found() - before
                except FileNotFoundError:  # renamed meanwhile
                    continue
                if len(seen) > skip:
                    time.sleep(wait_s)
                    kill(pid)
                    return
                time.sleep(LOOK_S)

        return watch


def main() -> None:
    parser = arguments(__doc__, "home", objective="ppo", kills=5, steps=6, seed=0)
    parser.add_argument("--rollouts", choices=("engine", "transformers"), default="engine")
    parser.add_argument("--phases", nargs="+", choices=PHASES, default=list(PHASES))
    given = parser.parse_args()
    home = given.home or Path(tempfile.mkdtemp(prefix="policy-chaos-"))
    home.mkdir(parents=True, exist_ok=True)
    chaos = Chaos(given, home)
    began = time.monotonic()
    trained = "trained/adapter_model.safetensors"
    if not (home / "whole" / trained).exists():
        ended = chaos.train("whole")
        if not isinstance(ended, events.Finished):
            sys.exit(f"the undisturbed training ended in {ended}")
    expected, answers = sha256(home / "whole" / trained), chaos.answers("whole")
    print(f"undisturbed: {time.monotonic() - began:.0f} s, {len(answers)} steps", flush=True)
    noted = home / "kills.json"
    counts: dict[str, int] = json.loads(noted.read_text()) if noted.exists() else {}
    chaos.random.seed(f"{given.seed} {counts}")
    for phase in given.phases:
        training = 0
        while counts.get(phase, 0) < given.kills:
            training += 1
            name = f"{phase}-{training}"
            if (home / name / trained).exists():
                continue  # it ended before
            while counts.get(phase, 0) < given.kills and not (home / name / trained).exists():
                ended = chaos.train(name, chaos.killed_at(phase, name))
                if isinstance(ended, events.Finished):
                    break
                counts[phase] = counts.get(phase, 0) + 1
                noted.write_text(json.dumps(counts))
                steps = len(list((home / name / "rollouts").glob("0*.jsonl")))
                print(f"  {name}, kill {counts[phase]}: {steps} steps were answered", flush=True)
                chaos.check(isinstance(ended, events.Failed), f"{name}: it ended in {ended}")
                chaos.check_remains(name)
            ended = chaos.train(name)  # one that has ended says so again
            chaos.check(isinstance(ended, events.Finished), f"{name}: resumed, it ended in {ended}")
            chaos.check(chaos.answers(name) == answers, f"{name}: the answers are others")
            chaos.check(sha256(home / name / trained) == expected, f"{name}: the weights are others")
            chaos.check(not (home / name / "policy").exists(), f"{name}: the policy's folder is left")
            print(f"  {name}: ended, {len(chaos.problems)} violations", flush=True)
    print(f"{counts}, {time.monotonic() - began:.0f} s, {len(chaos.problems)} violations", flush=True)
    sys.exit(1 if chaos.problems else 0)


if __name__ == "__main__":
    main()
