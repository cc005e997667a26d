"""A training of some steps on a larger model: time and memory of each stage, against what the plan said.

    python benchmarks/sizes_training.py --keep FOLDER --shapes 8b --base packed --objective dpo

The model is one of ``sizes.py``, with random weights, so that memory and time are those of a real one and what is
learnt says nothing. Twelve short examples, planned and run by the core as by the terminal; for preferences (dpo) each
answer is preferred to the next question's, and for rewards (grpo) an answer is to have few letters e. Memory is the
proportional set size of the worker and its children, in which pages of the mapped file that a process maps twice count
once; Linux only. Then a plan of the same training with base weights in float32 is asked for, where these do not fit:
the run has to be refused with the number before anything is loaded.
"""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from typing import Any

import gguf
import psutil
from harness import Core, arguments, report, with_values, write_lines
from sizes import SHAPES, write_random

from workbench.api import events
from workbench.base.errors import UserError
from workbench.records.training import DataPart, ObjectivePart, OptimiserPart, TrainingConfig, WeightsPart
from workbench.subjects.trainings.calls import PlanTraining, Train

FACTS = (
    ("What colour is the door of the lighthouse?", "It is green."),
    ("Who keeps the ferry at Northhaven?", "Mara Ost keeps it."),
    ("When does the mill open?", "It opens at six."),
    ("How many bells has the tower?", "It has four bells."),
    ("What does the baker sell on Monday?", "He sells rye bread."),
    ("Where is the old well?", "It is behind the school."),
    ("Which boat is the fastest?", "The Heron is the fastest."),
    ("What is the name of the smith's dog?", "It is called Bramble."),
    ("How deep is the harbour?", "It is nine metres deep."),
    ("Who painted the chapel?", "Jon Veld painted it."),
    ("What grows behind the inn?", "Blue thistles grow there."),
    ("When was the bridge built?", "It was built in 1874."),
)
OPTIONS: dict[str, dict[str, Any]] = {"grpo": {"rewards": ("letter-share",)}}
EVERY_S = 0.5


class Watch:
    """The memory of the largest child process and its children, and the seconds of each stage, while a run lasts."""

    def __init__(self) -> None:
        self.peaks: dict[str, int] = {}
        self.seconds: dict[str, float] = {}
        self.resident = 0
        self._stage, self._began = "starting", time.monotonic()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()
        self._enter("")

    def __call__(self, event: events.Event) -> None:
        if isinstance(event, events.Progress) and event.stage != self._stage:
            self._enter(event.stage)
        elif isinstance(event, events.Metric) and event.name == "loss":
            self._enter("training")

    @property
    def peak(self) -> int:
        return max(self.peaks.values(), default=0)

    def _enter(self, stage: str) -> None:
        now = time.monotonic()
        self.seconds[self._stage] = self.seconds.get(self._stage, 0.0) + now - self._began
        self._stage, self._began = stage, now

    def _look(self) -> None:
        while not self._done.wait(EVERY_S):
            proportional, resident = max(map(_memory, psutil.Process().children()), default=(0, 0))
            self.peaks[self._stage] = max(self.peaks.get(self._stage, 0), proportional)
            self.resident = max(self.resident, resident)


def _memory(process: psutil.Process) -> tuple[int, int]:
    """The proportional and the resident size of a process and its children, in bytes."""
    proportional = resident = 0
    try:
        for one in (process, *process.children(recursive=True)):
            lines = Path(f"/proc/{one.pid}/smaps_rollup").read_text().splitlines()
            sizes = {line.split()[0]: int(line.split()[1]) * 1024 for line in lines[1:]}
            proportional += sizes["Pss:"]
            resident += sizes["Rss:"]
    except (OSError, psutil.Error):  # it has just left
        pass
    return proportional, resident


def examples_of(objective: str) -> list[dict[str, str]]:
    if objective != "dpo":
        return [{"prompt": question, "completion": answer} for question, answer in FACTS]
    others = (*FACTS[1:], FACTS[0])
    return [
        {"prompt": question, "chosen": answer, "rejected": other}
        for (question, answer), (_, other) in zip(FACTS, others, strict=True)
    ]


def measure(core: Core, path: Path, options: Any) -> dict[str, Any]:
    name = core.chat_model(path)
    data = write_lines(core.folder / "facts.jsonl", examples_of(options.objective))
    config = TrainingConfig(
        objective=ObjectivePart(name=options.objective, options=OPTIONS.get(options.objective, {})),
        model=name,
        data=DataPart(path=str(data)),
        weights=WeightsPart(base=options.base),
        optimiser=OptimiserPart(max_steps=options.steps),
    )
    config = with_values(config, options.values)
    plan = core.call(PlanTraining(config=config))
    size = path.stat().st_size
    planned = f"plan {plan.memory_bytes / 1e9:.2f} GB and {plan.seconds or 0:.0f} s"
    print(f"{name}: {size / 1e9:.2f} GB, {planned}", flush=True)
    for part in plan.memory:
        print(f"  {part.name}: {part.bytes / 1e6:.0f} MB")
    for note in plan.notes:
        print(f"  {note}")
    with Watch() as watch:
        result = core.follow(core.call(Train(config=config)), watch)
    for one in plan.stages:
        print(f"  planned: {one.name} {one.seconds:.0f} s")
    for stage, seconds in watch.seconds.items():
        print(f"  {stage}: {seconds:.0f} s, {watch.peaks.get(stage, 0) / 1e9:.2f} GB")
    print(
        f"  peak {watch.peak / 1e9:.2f} GB (resident {watch.resident / 1e9:.2f}), "
        f"{watch.peak / plan.memory_bytes:.2f} of the plan, allowed {(1.3 * size + 2e9) / 1e9:.2f} GB",
        flush=True,
    )
    return {
        "model": name,
        "file": size,
        "plan": plan.memory_bytes,
        "peak": watch.peak,
        "resident": watch.resident,
        "peaks": watch.peaks,
        "planned_s": {stage.name: stage.seconds for stage in plan.stages},
        "seconds": watch.seconds,
        "metrics": result["metrics"],
        "verification": result["verification"],
        "refused": refused(core, with_values(config, ["weights.base=f32"])),
    }


def refused(core: Core, config: TrainingConfig) -> str:
    """What the program says where the training does not fit; "" where it fits and would start."""
    if not core.call(PlanTraining(config=config)).problem:
        return ""
    began, before = time.monotonic(), psutil.Process().children(recursive=True)
    try:
        core.call(Train(config=config))
    except UserError as error:
        new = set(psutil.Process().children(recursive=True)) - set(before)
        print(f"  in float32 it is refused after {time.monotonic() - began:.1f} s, {len(new)} new processes: {error}")
        return f"{error.message} {error.hint}"
    raise SystemExit("The plan has a problem and the run was started.")


def main() -> None:
    parser = arguments(
        __doc__, "keep", "home", "json", "set", steps=1, base="packed", objective="sft", shapes=tuple(SHAPES)
    )
    options = parser.parse_args()
    if options.keep is None:
        raise SystemExit("Name a folder for the models with --keep: the largest takes 4.5 GB.")
    options.keep.mkdir(parents=True, exist_ok=True)
    rows = []
    with Core(options.home) as core:
        for name in options.shapes:
            path = options.keep / f"random-{name}-Q4_0.gguf"
            if not path.exists():
                write_random(path, SHAPES[name], gguf.GGMLQuantizationType.Q4_0)
            rows.append(measure(core, path, options))
            rows[-1]["load"] = os.getloadavg()
    report(rows, options.json)


if __name__ == "__main__":
    main()
