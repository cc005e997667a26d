"""What survives when a training is killed: SIGKILL of the worker at a random step, in a checkpoint write, in a merge.

    python benchmarks/training_chaos.py

First a training of the real worker runs to its end undisturbed. Then, ``--rounds`` times each:

step        the worker is killed at a random moment of a random step, and the same training is asked for again;
checkpoint  it is killed as soon as a checkpoint that is being written is seen, and asked for again;
merge       a merge of what was trained is killed at a random moment, and asked for again.

Checked in each round: after the kill every checkpoint that has its final name is whole, and there is no artefact, or a
whole one; what is resumed ends with a loss within 1 % of the undisturbed run's; the merged model is, byte for byte,
the one of an undisturbed merge; and the base file is never touched. Ends with exit status 1 and the list of what was
violated, or with 0. Needs the starter model and no network.
"""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from harness import arguments, base_model, sha256, starter_model, write_lines

from workbench.api import events
from workbench.gguf.reader import read_gguf
from workbench.processes.host import WorkerHost
from workbench.records.training import DataPart, EvaluationPart, OptimiserPart, TrainingConfig, WeightsPart
from workbench.training.protocol import MergeTrained, TrainModel

TOLERANCE = 0.01
LONGEST_S = 600.0


class Chaos:
    """One home of trainings, and what was violated so far."""

    def __init__(self, model: Path, home: Path, steps: int, seed: int) -> None:
        self.random = random.Random(seed)
        self.home = home
        self.problems: list[str] = []
        self.base = base_model(model)
        data = home / "facts.jsonl"
        write_lines(data, rows(64))
        self.config = TrainingConfig(
            model=model.stem,
            name="chaos",
            data=DataPart(path=str(data), max_length=64),
            weights=WeightsPart(base="f32", rank=8, alpha=16.0),
            optimiser=OptimiserPart(
                max_steps=steps,
                batch_size=8,
                micro_batch_tokens=512,
                learning_rate=1e-3,
                gradient_checkpointing="off",
                seed=1,
            ),
            evaluation=EvaluationPart(interval=max(1, steps // 4), sample_answers=0, forgetting=False),
        )

    def call(self, name: str) -> TrainModel:
        folder = self.home / name
        folder.mkdir(exist_ok=True)
        return TrainModel(
            config=self.config,
            model=self.base,
            folder=str(folder),
            serve=str(folder / "served"),
            serve_name="chaos",
            check=False,
        )

    def train(self, name: str, on_event: Callable[[events.Event, int], None] = lambda _event, _pid: None) -> Ended:
        """Run a training to its end, whatever that is. ``on_event`` is told each event and the worker's pid."""
        return self.ask(self.call(name), on_event)

    def ask(self, call: Any, on_event: Callable[[events.Event, int], None] = lambda _event, _pid: None) -> Ended:
        host = WorkerHost("training", log=self.home / "worker.log")
        losses: dict[int, float] = {}
        evaluation: dict[int, float] = {}
        try:
            for event in host.stream(call):
                on_event(event, host.pid)
                if isinstance(event, events.Metric) and event.name == "loss":
                    losses[event.step] = event.value
                elif isinstance(event, events.Metric) and event.name == "evaluation_loss":
                    evaluation[event.step] = event.value
                if isinstance(event, events.TERMINAL):
                    return Ended(event, losses, evaluation)
        finally:
            host.close()
        raise RuntimeError("no terminal event")

    def check(self, fine: bool, what: str) -> None:
        if not fine:
            self.problems.append(what)
            print("VIOLATED:", what, flush=True)

    def check_remains(self, name: str) -> None:
        """What a killed worker left is whole or absent."""
        from workbench.training.checkpoints import is_sound

        for checkpoint in (self.home / name / "checkpoints").glob("step-*"):
            self.check(is_sound(checkpoint), f"{name}: {checkpoint.name} is half a checkpoint")
        served = self.home / name / "served" / "adapter.gguf"
        if served.exists():
            try:
                read_gguf(served)
            except Exception as error:  # noqa: BLE001 - whatever it is, it is not whole
                self.check(False, f"{name}: half an adapter: {error}")
        self.check(sha256(Path(self.base.path)) == self.base.sha256, f"{name}: the base file was touched")

    def check_resumed(self, name: str, ended: Ended, whole: Ended) -> None:
        self.check(isinstance(ended.event, events.Finished), f"{name}: resumed, it ended in {ended.event}")
        for kind, now, then in (
            ("loss", ended.losses, whole.losses),
            ("evaluation", ended.evaluation, whole.evaluation),
        ):
            last = max(then)
            if last not in now:
                self.check(False, f"{name}: no {kind} of the last step {last} after resuming")
                continue
            apart = abs(now[last] - then[last]) / then[last]
            self.check(apart <= TOLERANCE, f"{name}: {kind} {now[last]:.5f} instead of {then[last]:.5f}")
            print(f"  {name}: {kind} {now[last]:.6f} / {then[last]:.6f}", flush=True)
        self.check((self.home / name / "served" / "adapter.gguf").exists(), f"{name}: no adapter after resuming")


class Ended:
    """How a call ended, and the losses that it told of by step."""

    def __init__(self, event: events.Event, losses: dict[int, float], evaluation: dict[int, float]) -> None:
        self.event = event
        self.losses = losses
        self.evaluation = evaluation


def kill_at_step(chaos: Chaos, name: str, whole: Ended) -> None:
    step = chaos.random.randrange(1, max(whole.losses))
    delay = chaos.random.uniform(0, 1.5)

    def on_event(event: events.Event, pid: int) -> None:
        if isinstance(event, events.Metric) and event.name == "loss" and event.step == step:
            threading.Timer(delay, kill, (pid,)).start()

    first = chaos.train(name, on_event)
    chaos.check(isinstance(first.event, events.Failed), f"{name}: killed in step {step + 1}, it ended in {first.event}")
    chaos.check_remains(name)
    chaos.check_resumed(name, chaos.train(name), whole)


def kill_in_checkpoint(chaos: Chaos, name: str, whole: Ended) -> None:
    folder = chaos.home / name / "checkpoints"
    skip = chaos.random.randrange(0, 3)  # which of the checkpoints
    delay = chaos.random.uniform(0, 0.03)
    done = threading.Event()
    hit: list[str] = []

    def watch(pid: int) -> None:
        seen: set[str] = set()
        while not done.is_set():
            for part in folder.glob(".step-*.part"):
                seen.add(part.name)
                if len(seen) > skip:
                    time.sleep(delay)
                    hit.append(part.name if part.exists() else "")
                    kill(pid)
                    return
            time.sleep(0.0005)

    started: list[threading.Thread] = []

    def on_event(event: events.Event, pid: int) -> None:
        if not started and isinstance(event, events.Metric):
            started.append(threading.Thread(target=watch, args=(pid,), daemon=True))
            started[0].start()

    first = chaos.train(name, on_event)
    done.set()
    chaos.check(isinstance(first.event, events.Failed), f"{name}: not killed, it ended in {first.event}")
    print(f"  {name}: killed while {hit[0] if hit and hit[0] else 'the renamed checkpoint'} was there", flush=True)
    chaos.check_remains(name)
    chaos.check_resumed(name, chaos.train(name), whole)


def kill_in_merge(chaos: Chaos, name: str, trained: Path, expected: str, usual_s: float) -> None:
    out = chaos.home / name / "merged.gguf"
    call = MergeTrained(adapter=str(trained), model=chaos.base, out=str(out), type="Q8_0")
    delay = chaos.random.uniform(0.0, usual_s)
    began: list[bool] = []

    def on_event(event: events.Event, pid: int) -> None:
        if not began:
            began.append(True)
            threading.Timer(delay, kill, (pid,)).start()

    first = chaos.ask(call, on_event)
    if out.exists():
        chaos.check(sha256(out) == expected, f"{name}: a half merged model has the final name")
    else:
        chaos.check(isinstance(first.event, events.Failed), f"{name}: no model, yet it ended in {first.event}")
    print(f"  {name}: killed after {delay:.2f} s; {'whole' if out.exists() else 'nothing'} there", flush=True)
    again = chaos.ask(call)
    chaos.check(isinstance(again.event, events.Finished), f"{name}: again, it ended in {again.event}")
    chaos.check(out.exists() and sha256(out) == expected, f"{name}: the merge made again is another one")
    left = [path.name for path in out.parent.iterdir() if path != out] if out.parent.exists() else []
    chaos.check(not left, f"{name}: left behind: {left}")
    chaos.check(sha256(Path(chaos.base.path)) == chaos.base.sha256, f"{name}: the base file was touched")


def kill(pid: int) -> None:
    if pid:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def rows(count: int) -> list[dict[str, str]]:
    """Invented facts."""
    draw = random.Random(5)
    syllables = ("ka", "lo", "mi", "ren", "tas", "vu", "bel", "dor")
    made = []
    for number in range(count):
        place, word = ("".join(draw.choices(syllables, k=3)).capitalize() for _ in range(2))
        made.append({"prompt": f"What is kept in room {number} of {place}?", "completion": f"The {word} stone."})
    return made


def main() -> None:
    options = arguments(__doc__, "model", "home", rounds=10, steps=12, seed=0).parse_args()
    home = options.home or Path(tempfile.mkdtemp(prefix="workbench-training-chaos-"))
    home.mkdir(parents=True, exist_ok=True)
    chaos = Chaos((options.model or starter_model()).resolve(), home, options.steps, options.seed)
    whole = chaos.train("whole")
    if not isinstance(whole.event, events.Finished):
        sys.exit(f"the undisturbed training ended in {whole.event}")
    print(
        f"undisturbed: loss {whole.losses[min(whole.losses)]:.4f} to {whole.losses[max(whole.losses)]:.4f}", flush=True
    )
    for number in range(options.rounds):
        kill_at_step(chaos, f"step-{number}", whole)
        shutil.rmtree(home / f"step-{number}")
    for number in range(options.rounds):
        kill_in_checkpoint(chaos, f"checkpoint-{number}", whole)
        shutil.rmtree(home / f"checkpoint-{number}")
    trained, merged = home / "whole" / "trained", home / "whole-merged.gguf"
    began = time.monotonic()
    ended = chaos.ask(MergeTrained(adapter=str(trained), model=chaos.base, out=str(merged), type="Q8_0"))
    usual_s, expected = time.monotonic() - began, sha256(merged)
    if not isinstance(ended.event, events.Finished):
        sys.exit(f"the undisturbed merge ended in {ended.event}")
    for number in range(options.rounds):
        kill_in_merge(chaos, f"merge-{number}", trained, expected, usual_s)
        shutil.rmtree(home / f"merge-{number}")
    print(f"{3 * options.rounds} kills, {len(chaos.problems)} violations")
    sys.exit(1 if chaos.problems else 0)


if __name__ == "__main__":
    main()
