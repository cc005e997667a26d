"""A core with a tiny base model and a training worker that stands in for torch, for tests of what is about training."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.local_front import LocalFront
from tests.workers import fake_embedding, fake_inference, fake_training
from workbench.api import events
from workbench.api.events import Event
from workbench.api.protocol import Call
from workbench.app import Workbench
from workbench.base.paths import Home
from workbench.records.training import AdapterRecord, DataPart, OptimiserPart, TrainingConfig
from workbench.subjects.adapters.store import AdapterStore
from workbench.subjects.runs.calls import FollowRun, RunRecord
from workbench.subjects.trainings.calls import Train

COMMANDS = {
    "inference": [sys.executable, fake_inference.__file__],
    "embedding": [sys.executable, fake_embedding.__file__],
    "training": [sys.executable, fake_training.__file__],
}
TENSORS = (
    ("token_embd.weight", (32, 100), 8, 3400),
    ("blk.0.attn_q.weight", (32, 32), 8, 1088),
    ("output_norm.weight", (32,), 0, 128),
)


def opened(home: Home) -> Workbench:
    workbench = Workbench(home, commands=COMMANDS)
    workbench.start()
    return workbench


def call(workbench: Workbench, request: Call[Any], watch: Callable[[Event], None] | None = None) -> Any:
    return LocalFront(workbench).call(request, watch)


def examples(folder: Path, name: str) -> str:
    path = folder / f"{name}.jsonl"
    turns = [{"role": "user", "content": "What?"}, {"role": "assistant", "content": "That."}]
    path.write_text(f"{json.dumps({'messages': turns})}\n" * 3)
    return str(path)


def config(path: str, **fields: Any) -> TrainingConfig:
    fields.setdefault("optimiser", OptimiserPart(max_steps=4))
    return TrainingConfig(model="Base", data=DataPart(path=path), **fields)


def started(workbench: Workbench, folder: Path, file: str, **fields: Any) -> RunRecord:
    record = call(workbench, Train(config=config(examples(folder, file), **fields)))
    assert isinstance(record, RunRecord)
    return record


def until(workbench: Workbench, run: str, wanted: Callable[[Event], bool]) -> None:
    """Follow a run until an event comes."""
    for event in workbench.handle(FollowRun(run=run)):
        if wanted(event):
            return
    raise AssertionError("it never came")


def is_step(event: Event) -> bool:
    return isinstance(event, events.Progress) and event.stage == "training" and event.done == 2


def card_of(home: Home, run: str) -> AdapterRecord:
    card = AdapterStore(home.adapters).of_run(run)
    assert card is not None
    return card
